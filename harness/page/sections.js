// The sections of the page, each of which follows the choices it depends on.

const SEVERAL = data.runs.length > 1;
const RESULTS = ["metric", "range"];
const PAIRED = [...RESULTS, "a", "b"];

function section(title, note, ...content) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  const top = [make("h2", { id }, title), make("p", { class: "note" }, note)];
  document.getElementById("contents").append(make("a", { href: `#${id}` }, title));
  const made = make("section", { "aria-labelledby": id }, ...top, ...content);
  document.getElementById("main").append(made);
}

/** A table that scrolls by itself where it is too wide or long, by keyboard too. */
function scrolling(name, table) {
  const attributes = { class: "scroll", tabindex: 0, role: "region", "aria-label": name };
  return make("div", attributes, table.element);
}

/** Fill a list to choose from. */
function fill(select, options, chosen) {
  const made = options.map(([value, text]) => {
    return make("option", { value, selected: String(value) === String(chosen) && "" }, text);
  });
  select.replaceChildren(...made);
}

const widthOf = (element, most) => Math.max(280, Math.min(most, element.clientWidth));

/** Render into the element, and again whenever a choice or the width of the window changes. */
function keepDrawn(element, names, render) {
  const redraw = () => element.replaceChildren(...render().filter(Boolean));
  watch(names, redraw);
  let width = element.clientWidth;
  new ResizeObserver(() => {
    if (element.clientWidth === width) return;
    width = element.clientWidth;
    redraw();
  }).observe(element);
}

function resultsSection() {
  const costColumn = (name, cost) => {
    return { name, value: (run) => run[cost], text: (run) => short(run[cost]) };
  };
  const mean = (run) => estimate(run).mean;
  const table = new SortableTable([
    { name: "Run", value: (run) => run.label },
    { name: "Mean [interval]", value: mean, text: (run) => withInterval(estimate(run)) },
    { name: "Ceiling of P@L", value: ceilingOf, text: (run) => fixed(ceilingOf(run)) },
    { name: "Proteins", value: (run) => estimate(run).n },
    { name: "Unscored", value: (run) => estimate(run).unscored },
    costColumn("Parameters", "parameters"),
    costColumn("Seconds per protein", "seconds_per_protein"),
    costColumn("FLOPs per protein", "flops_per_protein"),
  ]);
  const chart = make("div");
  const note =
    "Unscored: proteins on which the metric could not be measured; they are left out of the mean.";
  section("Results", note, scrolling("Table of results", table), chart);
  watch(RESULTS, () => table.show(data.runs, axisName()));
  keepDrawn(chart, RESULTS, () => [intervalChart(widthOf(chart, 760)), legend(SERIES, [CEILING])]);
}

function scalingSection() {
  if (new Set(sized().map((run) => run.parameters)).size < 2) return;
  const chart = make("div");
  const note = "Mean and interval against the number of parameters, on a logarithmic axis.";
  section("Growth with the model", note, chart);
  keepDrawn(chart, RESULTS, () => scalingChart(widthOf(chart, 640)));
}

function costSection() {
  if (!SEVERAL) return;
  const charts = make("div");
  const note =
    "Filled points are on the Pareto front: no other run is as good for less. The line is the " +
    "best for no more than that cost.";
  section("Precision against cost", note, charts);
  keepDrawn(charts, RESULTS, () => {
    const width = widthOf(charts, 640);
    return [
      costChart(width, "seconds_per_protein", "seconds per protein"),
      costChart(width, "flops_per_protein", "FLOPs per protein (runs that read a model)"),
      legend(),
    ];
  });
}

function scatterSection() {
  if (!SEVERAL) return;
  const [text, holder] = [make("p", { role: "status" }), make("div")];
  const note =
    "Each point is a protein; below the diagonal run A is better. Enter or a click selects the " +
    "protein for the map.";
  section("Two runs protein by protein", note, text, holder);
  let scatter = null;
  keepDrawn(holder, PAIRED, () => {
    scatter = new Scatter(widthOf(holder, 480));
    text.textContent = differenceText(scatter.pairs);
    return [scatter.chart.svg, scatter.readout];
  });
  watch(["protein"], () => scatter.select());
}

function proteinsSection() {
  const table = new SortableTable(proteinColumns());
  const rows = data.proteins.map((protein, place) => ({ ...protein, place }));
  const box = make("input", { type: "search", autocomplete: "off", input: show });
  const [count, scroll] = [make("span", { role: "status" }), scrolling("Table of proteins", table)];
  scroll.classList.add("tall");
  const filter = make("p", {}, make("label", {}, "Only proteins or groups with ", box), " ", count);
  section("Proteins", "A name selects the protein for the map.", filter, scroll);

  function show() {
    const wanted = box.value.trim().toLowerCase();
    const found = rows.filter(({ id, group }) => `${id} ${group}`.toLowerCase().includes(wanted));
    table.show(found, axisName());
    count.textContent = `${found.length} of ${rows.length}`;
  }
  watch(PAIRED, show);
  watch(["protein"], () => markChosen(table.element));
}

function proteinColumns() {
  const grouped = data.proteins.some(({ group }) => group);
  const of = (side) => (row) => valueOf(data.runs[choice[side]], row.place);
  const [a, b] = [of("a"), of("b")];
  const gap = (row) => (isNumber(a(row)) && isNumber(b(row)) ? a(row) - b(row) : null);
  const columns = [
    { name: "Protein", value: ({ id }) => id, text: proteinButton },
    { name: "Residues", value: ({ length }) => length },
    grouped && { name: "Group", value: ({ group }) => group },
    { name: "Run A", value: a, text: (row) => fixed(a(row)) },
    SEVERAL && { name: "Run B", value: b, text: (row) => fixed(b(row)) },
    SEVERAL && { name: "A − B", value: gap, text: (row) => signed(gap(row)) },
  ];
  return columns.filter(Boolean);
}

function proteinButton({ id }) {
  const click = () => choose({ protein: id });
  const pressed = id === choice.protein;
  return make("button", { type: "button", class: "link", "aria-pressed": pressed, click }, id);
}

function markChosen(table) {
  for (const button of table.querySelectorAll("tbody button")) {
    button.setAttribute("aria-pressed", button.textContent === choice.protein);
  }
}

/** The proteins that have a map, in the order of the list. */
const mapped = () => data.proteins.map(({ id }) => id).filter((id) => id in data.maps.proteins);

const HOW_TO_KEEP =
  "There are no contact maps: these runs were made with pictures=false, or before maps were " +
  "kept. Run the sweep again with pictures=true, in another folder.";

function mapSection() {
  const names = mapped();
  if (!names.length) return section("Contact map", HOW_TO_KEEP);
  const select = make("select", { change: () => choose({ protein: select.value }) });
  const [heading, holder] = [make("p", { role: "status" }), make("div")];
  const controls = make("form", {}, make("label", {}, "Protein ", select));
  if (SEVERAL) controls.append(belowChoice());
  section("Contact map", mapNote(names.length), controls, heading, holder);
  const view = new MapView(holder, heading);
  watch(["protein"], () => {
    const listed = names.includes(choice.protein) ? names : [choice.protein, ...names];
    fill(select, listed.map((name) => [name, name]), choice.protein);
  });
  watch([...PAIRED, "protein", "below"], () => view.show());
}

function mapNote(shown) {
  const missing = data.maps.kept - shown;
  const best = data.maps.level < 1 ? `${data.maps.level} L` : "L";
  return [
    "Above the diagonal: scores of run A, stronger for a better rank.",
    `Of the best ${best} pairs of the range, a disc marks each contact, a cross what is none.`,
    "Shaded residues are unresolved. Residues are counted from 0.",
    "Hover, or focus the map and use the arrow keys (with Shift: ten at a time).",
    `Pairs that are not among the best ${data.maps.level} L of a range are not in this file.`,
    missing ? `Maps of ${missing} proteins are left out for its size; more with maps_mb.` : "",
  ].join(" ");
}

function belowChoice() {
  const radio = (value, text) => {
    const change = () => choose({ below: value });
    const checked = value === choice.below && "";
    return make("label", {}, make("input", { type: "radio", name: "below", checked, change }), text);
  };
  const title = make("legend", {}, "Below the diagonal");
  return make("fieldset", {}, title, radio("truth", "true contacts"), radio("b", "run B"));
}

function provenanceSection() {
  const names = [...new Set(data.runs.flatMap((run) => Object.keys(run.facts)))];
  const differ = (name) => new Set(data.runs.map((run) => run.facts[name])).size > 1;
  const shared = factList(data.runs[0], names.filter((name) => !differ(name)));
  const details = data.runs.map((run) => {
    const own = factList(run, names.filter(differ));
    return make("details", {}, make("summary", {}, run.label), own, make("pre", {}, run.config));
  });
  section("Provenance", "The same for all runs:", shared, ...details);
}

function factList(run, names) {
  const items = names.flatMap((name) => [
    make("dt", {}, name.replaceAll("_", " ")),
    make("dd", {}, run.facts[name] || "–"),
  ]);
  return make("dl", {}, ...items);
}
