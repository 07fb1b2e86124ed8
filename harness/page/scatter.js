// Two runs protein by protein: every protein a point, which the arrow keys reach.

/** The proteins that both runs have a value of. */
function pairedValues() {
  return data.proteins
    .map(({ id }, place) => ({
      id,
      a: valueOf(data.runs[choice.a], place),
      b: valueOf(data.runs[choice.b], place),
    }))
    .filter(({ a, b }) => isNumber(a) && isNumber(b));
}

/** The precomputed difference of two runs, in this order; null where there is none. */
function pairedDifference(a, b) {
  for (const [first, second, mean, low, high, n] of data.differences[key()] ?? []) {
    if (first === a && second === b) return { mean, low, high, n };
    if (first === b && second === a) return { mean: -mean, low: -high, high: -low, n };
  }
  return null;
}

function differenceText(pairs) {
  const better = pairs.filter(({ a, b }) => a > b).length;
  const worse = pairs.filter(({ a, b }) => a < b).length;
  const equal = pairs.length - better - worse;
  const counts = `A is better on ${better}, B on ${worse}, both are equal on ${equal}.`;
  const found = pairedDifference(choice.a, choice.b);
  if (!found || !isNumber(found.mean)) return `${counts} ${whyNoInterval()}`;
  const interval = `${signed(found.mean)} [${signed(found.low)}, ${signed(found.high)}]`;
  return `A − B: ${interval} over ${found.n} proteins. ${counts}`;
}

function whyNoInterval() {
  if (choice.a === choice.b) return "A and B are the same run.";
  if (!Object.keys(data.differences).length) {
    return "With so many runs, intervals of differences are left out.";
  }
  return "The sweep has no interval of this difference; it compares runs by P@L and agreement.";
}

class Scatter {
  constructor(width) {
    this.pairs = pairedValues();
    const ends = this.pairs.flatMap(({ a, b }) => [a, b]);
    const axis = { domain: valueDomain(ends) };
    const name = (side) => `${side.toUpperCase()}: ${data.runs[choice[side]].label}`;
    const keys = "the arrow keys move between proteins, Enter selects one";
    const label = `${axisName()} of every protein in two runs; ${keys}`;
    const axes = { x: { ...axis, name: name("a") }, y: { ...axis, name: name("b") } };
    this.chart = frame({ width, height: width, ...axes, label });
    this.chart.svg.setAttribute("role", "group");
    this.chart.svg.addEventListener("keydown", (event) => this.press(event));
    this.readout = make("output", { "aria-live": "polite" });
    this.addDiagonal(axis.domain);
    this.points = this.pairs.map((pair) => this.addPoint(pair));
    this.select();
  }

  addDiagonal([low, high]) {
    const { x, y, svg } = this.chart;
    svg.append(draw("line", { class: "diagonal", x1: x(low), y1: y(low), x2: x(high), y2: y(high) }));
  }

  addPoint(pair) {
    const text = `${pair.id}: A ${fixed(pair.a)}, B ${fixed(pair.b)}`;
    const show = () => (this.readout.textContent = text);
    const point = draw("circle", {
      class: "protein", r: 5, cx: this.chart.x(pair.a), cy: this.chart.y(pair.b),
      role: "button", "aria-label": text, tabindex: -1,
      click: () => choose({ protein: pair.id }), focus: show, mouseenter: show,
    });
    this.chart.svg.append(point);
    return point;
  }

  /** Mark the chosen protein; one point at a time is reached by the tab key. */
  select() {
    const chosen = this.pairs.findIndex(({ id }) => id === choice.protein);
    this.points.forEach((point, n) => {
      point.setAttribute("aria-pressed", n === chosen);
      point.setAttribute("tabindex", n === Math.max(0, chosen) ? 0 : -1);
    });
  }

  press(event) {
    const at = this.points.indexOf(event.target);
    if (at < 0) return;
    if (event.key === "Enter" || event.key === " ") choose({ protein: this.pairs[at].id });
    else if (ARROWS[event.key]) this.move(at, ...ARROWS[event.key]);
    else return;
    event.preventDefault();
  }

  /** To the next protein along one of the axes; equal values are in the order of the list. */
  move(at, right, down) {
    const value = ({ a, b }) => (right ? a : -b);
    const order = this.pairs.map((_, n) => n);
    order.sort((one, other) => value(this.pairs[one]) - value(this.pairs[other]));
    const next = order[order.indexOf(at) + right + down];
    if (next === undefined) return;
    this.points[at].setAttribute("tabindex", -1);
    this.points[next].setAttribute("tabindex", 0);
    this.points[next].focus();
  }
}

/** Steps to the right and down. */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
