// The contact map of one protein: decoding, ranking within a range, drawing.

/** Numbers that harness/report_maps.py has packed, in so many columns. */
async function unpacked(text, columns) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const n = planes.length / 2;
  const numbers = Array.from({ length: n }, (_, at) => planes[at] + 256 * planes[n + at]);
  const each = n / columns;
  return Array.from({ length: columns }, (_, at) => numbers.slice(at * each, (at + 1) * each));
}

/** A protein with its contacts and the pairs of runs a and b, best first; null where not kept. */
async function decodedMap(protein, a, b) {
  const stored = data.maps.proteins[protein];
  const [i, j] = await unpacked(stored.contacts, 2);
  const length = stored.sequence.length;
  return {
    ...stored,
    length,
    contact: new Set(i.map((first, at) => first * length + j[at])),
    hidden: new Set(stored.unresolved),
    a: await decodedRun(stored.runs[a], length),
    b: await decodedRun(stored.runs[b], length),
  };
}

async function decodedRun(run, length) {
  if (!run) return null;
  const [i, j, drops] = await unpacked(run.pairs, 3);
  let step = 0;
  const pairs = i.map((first, at) => {
    step += drops[at];
    return { i: first, j: j[at], score: run.high - (step / data.maps.steps) * (run.high - run.low) };
  });
  return { pairs, places: new Map(pairs.map((pair, at) => [pair.i * length + pair.j, at])) };
}

const chainOf = (map, residue) => map.breaks.filter((start) => start <= residue).length;

/** The range whose best pairs are marked: the chosen one; the first where a metric has none. */
const mapRange = () => (choice.range in data.bounds ? choice.range : Object.keys(data.bounds)[0]);

/** Whether the pair is of that range: so far apart in one chain, or in two chains. */
function inRange(map, i, j) {
  const { lowest, end } = data.bounds[mapRange()];
  const together = chainOf(map, i) === chainOf(map, j);
  if (lowest === null) return !together;
  return together && j - i >= lowest && (end === null || j - i < end);
}

/** The best L pairs of the range, or as many of them as are kept. */
function topPairs(map, run) {
  const wanted = Math.max(1, Math.floor(map.length * Math.min(1, data.maps.level)));
  return run.pairs.filter(({ i, j }) => inRange(map, i, j)).slice(0, wanted);
}

const isContact = (map, { i, j }) => map.contact.has(i * map.length + j);

/** What is known of one pair, as a sentence. */
function pairText(map, one, other) {
  const [i, j] = one < other ? [one, other] : [other, one];
  const names = `${map.sequence[i]}${i} and ${map.sequence[j]}${j}`;
  if (i === j) return `Residue ${map.sequence[i]}${i}${map.hidden.has(i) ? ", unresolved" : ""}`;
  const apart = chainOf(map, i) === chainOf(map, j) ? `${j - i} apart` : "of two chains";
  const scores = ["a", "b"].map((side) => `${side.toUpperCase()}: ${scoreText(map, map[side], i, j)}`);
  return `${names}, ${apart}: ${stateText(map, i, j)}. ${scores.join("; ")}`;
}

function stateText(map, i, j) {
  if (map.hidden.has(i) || map.hidden.has(j)) return "unresolved, not scored";
  return isContact(map, { i, j }) ? "contact" : "no contact";
}

function scoreText(map, run, i, j) {
  if (!run) return "no map";
  const at = run.places.get(i * map.length + j);
  if (at === undefined) return `not among the best ${data.maps.level} L`;
  return `score ${Number(run.pairs[at].score.toPrecision(3))}`;
}
