// Charts as SVG: axes, points with intervals, lines. Colors never stand alone: shapes, too.

const SERIES = [...new Set(data.runs.map((run) => run.series))];
const COLORS = ["blue", "orange", "green", "pink", "amber", "sky", "ink"];
const SHAPES = ["circle", "square", "triangle", "diamond", "wedge", "hourglass", "star"];
SHAPES.push("cross", "bar", "post");
const DASHES = ["", "6 3", "2 3", "8 3 2 3", "12 4", "1 2", "4 6"];

const cycled = (list, n) => list[n % list.length];

function styleOf(run) {
  const n = SERIES.indexOf(run.series);
  return { color: cycled(COLORS, n), shape: cycled(SHAPES, n), dash: cycled(DASHES, n) };
}

// All of them can be filled or hollow: that tells what is on a front.
const OUTLINES = {
  circle: "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z",
  square: "M-4.5,-4.5h9v9h-9z",
  triangle: "M0,-6L5.5,4.5H-5.5z",
  diamond: "M0,-6.5L6,0L0,6.5L-6,0z",
  wedge: "M0,6L5.5,-4.5H-5.5z",
  hourglass: "M-5,-5H5L-5,5H5z",
  cross: "M-2,-6H2V-2H6V2H2V6H-2V2H-6V-2H-2z",
  bar: "M-6.5,-2.5H6.5V2.5H-6.5z",
  post: "M-2.5,-6.5H2.5V6.5H-2.5z",
  star: "M0,-6L1.6,-1.8H6L2.5,1L3.8,5.5L0,2.8L-3.8,5.5L-2.5,1L-6,-1.8H-1.6z",
};

function marker(shape, x, y, attributes = {}) {
  return draw("path", { d: OUTLINES[shape], transform: `translate(${x},${y})`, ...attributes });
}

/** A scale from values to places; places are found by calling it. */
function scale({ domain: [low, high], log = false }, start, end) {
  const place = log ? Math.log10 : (value) => value;
  const share = (value) => (place(value) - place(low)) / (place(high) - place(low));
  return (value) => start + share(value) * (end - start);
}

function linearTicks(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const tick = (n) => Number(((first + n) * step).toPrecision(6));
  return Array.from({ length: last - first + 1 }, (_, n) => tick(n));
}

function logTicks(low, high) {
  const powers = [];
  const last = Math.log10(high);
  for (let power = Math.floor(Math.log10(low)); power <= last; power++) powers.push(power);
  const steps = powers.length > 4 ? [1] : [1, 2, 5];
  const ticks = powers.flatMap((power) => steps.map((step) => Number(`${step}e${power}`)));
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/** The least that holds these values, with some room: by a factor on a logarithmic axis. */
function logDomain(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(1.3, (high / low) ** 0.08);
  return [low / room, high * room];
}

/** From 0 (or below) to 1, or as far as the values reach. */
function valueDomain(values) {
  const known = values.filter(isNumber);
  return [Math.min(0, ...known), Math.max(1, ...known)];
}

function canvasOf(width, height, label) {
  const box = { width, height, viewBox: `0 0 ${width} ${height}` };
  return draw("svg", { ...box, role: "img", "aria-label": label });
}

const MARGIN = { left: 48, right: 16, top: 12, bottom: 44 };

/** Axes with their names; `x` and `y` have a domain, a name, and may be logarithmic. */
function frame({ width, height, x, y, label }) {
  const place = {
    x: scale(x, MARGIN.left, width - MARGIN.right),
    y: scale(y, height - MARGIN.bottom, MARGIN.top),
  };
  const svg = canvasOf(width, height, label);
  svg.append(...xAxis(x, place.x, width, height), ...yAxis(y, place.y, width));
  const ends = { left: MARGIN.left, right: width - MARGIN.right, bottom: height - MARGIN.bottom };
  return { svg, ...place, ends };
}

function xAxis(axis, place, width, height) {
  const ticks = axis.log ? logTicks(...axis.domain) : linearTicks(...axis.domain);
  const [top, bottom] = [MARGIN.top, height - MARGIN.bottom];
  const text = axis.log ? short : String;
  const marks = ticks.flatMap((tick) => [
    draw("line", { class: "grid", x1: place(tick), x2: place(tick), y1: top, y2: bottom }),
    draw("text", { x: place(tick), y: bottom + 16, class: "middle" }, text(tick)),
  ]);
  const middle = (MARGIN.left + width - MARGIN.right) / 2;
  return [...marks, draw("text", { x: middle, y: height - 8, class: "middle name" }, axis.name)];
}

function yAxis(axis, place, width) {
  const ends = { x1: MARGIN.left, x2: width - MARGIN.right };
  const marks = linearTicks(...axis.domain).flatMap((tick) => [
    draw("line", { class: "grid", ...ends, y1: place(tick), y2: place(tick) }),
    draw("text", { x: MARGIN.left - 6, y: place(tick) + 4, class: "end" }, String(tick)),
  ]);
  const middle = (place(axis.domain[0]) + place(axis.domain[1])) / 2;
  const turned = { transform: `translate(12,${middle}) rotate(-90)`, class: "middle name" };
  return [...marks, draw("text", turned, axis.name)];
}

/** The mean of a run with its interval, upright, at these places. */
function point(run, chart, at, filled = true) {
  const { color, shape } = styleOf(run);
  const { mean, low, high } = estimate(run);
  const [y1, y2] = [chart.y(low), chart.y(high)];
  return draw(
    "g",
    { class: color },
    draw("title", {}, `${run.label}: ${withInterval({ mean, low, high })}`),
    draw("line", { class: "interval", x1: at, x2: at, y1, y2 }),
    marker(shape, at, chart.y(mean), { class: filled ? "filled" : "hollow" }),
  );
}

/** What shapes and colors mean. */
function legend(series = SERIES, notes = []) {
  const entries = series.map((name) => {
    const { color, shape } = styleOf({ series: name });
    const box = { width: 16, height: 16, viewBox: "-8 -8 16 16" };
    const sign = draw("svg", { ...box, "aria-hidden": "true", class: color });
    sign.append(marker(shape, 0, 0, { class: "filled" }));
    return make("li", {}, sign, name);
  });
  return make("ul", { class: "legend" }, ...entries, ...notes.map((note) => make("li", {}, note)));
}

const CEILING = "dotted: ceiling of P@L, what a perfect ranking would reach";

const ceilingOf = (run) => estimate(run, `ceiling_at_L ${choice.range}`).mean;

/** All runs below one another: mean, interval, and the ceiling as a dotted line. */
function intervalChart(width) {
  const known = data.runs.filter((run) => isNumber(estimate(run).mean));
  const height = 34 * known.length + 56;
  const values = known.flatMap((run) => Object.values(estimate(run)).slice(0, 3));
  const x = { domain: valueDomain(values), name: axisName() };
  const place = scale(x, 12, width - 16);
  const label = `${axisName()} of every run with its interval`;
  const svg = canvasOf(width, height, label);
  for (const tick of linearTicks(...x.domain)) {
    svg.append(
      draw("line", { class: "grid", x1: place(tick), x2: place(tick), y1: 0, y2: height - 40 }),
      draw("text", { x: place(tick), y: height - 24, class: "middle" }, String(tick)),
    );
  }
  svg.append(draw("text", { x: width / 2, y: height - 6, class: "middle name" }, axisName()));
  known.forEach((run, n) => svg.append(...intervalRow(run, place, 34 * n + 14)));
  return svg;
}

function intervalRow(run, place, y) {
  const { mean, low, high } = estimate(run);
  const { color, shape } = styleOf(run);
  const top = choice.metric === "p_at_L" ? ceilingOf(run) : null;
  const [x1, x2, level] = [place(low), place(high), y + 11];
  const upright = { class: "ceiling", x1: place(top), x2: place(top), y1: y + 2, y2: y + 20 };
  return [
    isNumber(top) ? draw("line", upright) : "",
    draw("text", { x: 14, y, class: "halo" }, run.label),
    draw("g", { class: color },
      draw("line", { class: "interval", x1, x2, y1: level, y2: level }),
      marker(shape, place(mean), level, { class: "filled" })),
  ];
}

const sized = () => data.runs.filter((run) => run.parameters > 0 && isNumber(estimate(run).mean));

/** Precision against parameters, one line a series. */
function scalingChart(width) {
  const runs = sized().sort((one, other) => one.parameters - other.parameters);
  if (!runs.length) return [];
  const x = { domain: logDomain(runs.map((run) => run.parameters)), log: true, name: "parameters" };
  const ends = runs.flatMap((run) => [estimate(run).low, estimate(run).high]);
  const y = { domain: valueDomain(ends), name: axisName() };
  const chart = frame({ width, height: 340, x, y, label: `${axisName()} against parameters` });
  for (const series of new Set(runs.map((run) => run.series))) {
    const own = runs.filter((run) => run.series === series);
    const { color, dash } = styleOf(own[0]);
    const corners = own.map((run) => `${chart.x(run.parameters)},${chart.y(estimate(run).mean)}`);
    const line = { points: corners.join(" "), class: `line ${color}`, "stroke-dasharray": dash };
    chart.svg.append(
      draw("polyline", line),
      ...own.map((run) => point(run, chart, chart.x(run.parameters))),
    );
  }
  return [chart.svg, legend([...new Set(runs.map((run) => run.series))])];
}

/** Precision against a cost, with the runs that no other one beats joined by steps. */
function costChart(width, cost, name) {
  const known = data.runs
    .map((run, n) => ({ run, cost: run[cost], best: data.fronts[key()]?.[cost]?.[n] }))
    .filter(({ run, cost: spent }) => spent > 0 && isNumber(estimate(run).mean))
    .sort((one, other) => one.cost - other.cost);
  if (!known.length) return null;
  const x = { domain: logDomain(known.map((item) => item.cost)), log: true, name };
  const ends = known.flatMap(({ run }) => [estimate(run).low, estimate(run).high]);
  const y = { domain: valueDomain(ends), name: axisName() };
  const chart = frame({ width, height: 340, x, y, label: `${axisName()} against ${name}` });
  const front = steps(known.filter((item) => item.best), chart);
  chart.svg.append(
    draw("path", { d: front, class: "front" }),
    ...known.map((item) => point(item.run, chart, chart.x(item.cost), item.best)),
  );
  return chart.svg;
}

function steps(best, chart) {
  const parts = best.map(({ run, cost }, n) => {
    const [x, y] = [chart.x(cost), chart.y(estimate(run).mean)];
    return n ? `H${x}V${y}` : `M${x},${y}`;
  });
  return parts.length ? `${parts.join("")}H${chart.ends.right}` : "";
}
