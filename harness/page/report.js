// The sections of the page, and the choices that drive them.

const RESULTS = ["metric", "range"];
const PAIRED = [...RESULTS, "a", "b"];
const SEVERAL = data.runs.length > 1;
const main = document.getElementById("main");
const contents = document.getElementById("contents");

function section(title, note, ...content) {
  const id = title.toLowerCase().replaceAll(" ", "-");
  const heading = make("h2", { id }, title);
  contents.append(make("a", { href: `#${id}` }, title));
  main.append(make("section", { "aria-labelledby": id }, heading, make("p", { class: "note" }, note), ...content));
}

/** A table that scrolls by itself where it is too wide or long, by keyboard too. */
function scrolling(name, table) {
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name }, table.element);
}

const widthOf = (element, most) => Math.max(280, Math.min(most, element.clientWidth));

/** Draws into the element whenever a choice or the width of the window changes. */
function keepDrawn(element, names, render) {
  const redraw = () => element.replaceChildren(...[render()].flat().filter(Boolean));
  watch(names, redraw);
  let width = element.clientWidth;
  new ResizeObserver(() => {
    if (element.clientWidth === width) return;
    width = element.clientWidth;
    redraw();
  }).observe(element);
}

function showHead() {
  document.getElementById("name").textContent = data.name;
  const ranges = Object.entries(data.ranges).map(([name, text]) => `${name}: ${text}`);
  document.getElementById("about").textContent = [
    `${data.datasets.join(", ")}, ${data.proteins.length} proteins, ${data.runs.length} runs`,
    `contact: ${data.contacts.join(" or ")}`,
    ranges.join("; "),
    `intervals: ${100 * data.level} %, bootstrap over proteins (${data.resamples} resamples)`,
    `made ${data.made}`,
  ].join(" · ");
}

const THEMES = { system: "as the system", light: "light", dark: "dark" };

/** The theme that was chosen before; none where nothing may be remembered (sandboxed frames). */
function remembered() {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
}

function remember(theme) {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // the theme holds as long as the page is open
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.getElementById("theme").textContent = `Theme: ${THEMES[theme]}`;
  document.dispatchEvent(new Event("theme"));
}

function startTheme() {
  const names = Object.keys(THEMES);
  setTheme(names.includes(remembered()) ? remembered() : "system");
  document.getElementById("theme").addEventListener("click", () => {
    const next = names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length];
    setTheme(next);
    remember(next);
  });
}

function fill(select, options, chosen) {
  const made = options.map(([value, text]) => {
    return make("option", { value, selected: String(value) === String(chosen) && "" }, text);
  });
  select.replaceChildren(...made);
}

const rangesOf = (metric) => data.keys.map(split).filter(([own]) => own === metric).map(([, range]) => range);

function startChoices() {
  const element = (name) => document.getElementById(name);
  const metrics = [...new Set(data.keys.map((name) => split(name)[0]))];
  fill(element("metric"), metrics.map((name) => [name, metricName(name)]), choice.metric);
  watch(["metric", "range"], () => {
    const names = rangesOf(choice.metric);
    fill(element("range"), names.map((name) => [name, name || "all"]), choice.range);
    element("range").disabled = names.length < 2;
  });
  const runs = data.runs.map((run, n) => [n, run.label]);
  element("b").closest("label").hidden = !SEVERAL;
  for (const side of ["a", "b"]) {
    fill(element(side), runs, choice[side]);
    element(side).addEventListener("change", (event) => choose({ [side]: Number(event.target.value) }));
  }
  element("metric").addEventListener("change", (event) => {
    const names = rangesOf(event.target.value);
    const range = names.includes(choice.range) ? choice.range : names[0];
    choose({ metric: event.target.value, range });
  });
  element("range").addEventListener("change", (event) => choose({ range: event.target.value }));
}

/** The proteins that have a map, in the order of the list. */
const mapped = () => data.proteins.map(({ id }) => id).filter((id) => id in data.maps.proteins);

/** The headline metric, its two best runs, and the first protein that has a map. */
function firstChoice() {
  [choice.metric, choice.range] = split(data.headline);
  const order = data.runs.map((_, n) => n);
  order.sort((a, b) => (estimate(data.runs[b]).mean ?? -1) - (estimate(data.runs[a]).mean ?? -1));
  [choice.a, choice.b] = [order[0], order[1] ?? order[0]];
  choice.protein = mapped()[0] ?? data.proteins[0].id;
}

const CEILING = "dotted: ceiling of P@L, what a perfect ranking would reach";

function resultsSection() {
  const table = new SortableTable("", [
    { name: "Run", value: (run) => run.label },
    { name: "Mean [interval]", value: (run) => estimate(run).mean, text: (run) => withInterval(estimate(run)) },
    { name: "Ceiling of P@L", value: ceilingOf, text: (run) => fixed(ceilingOf(run)) },
    { name: "Proteins", value: (run) => estimate(run).n },
    { name: "Unscored", value: (run) => estimate(run).unscored },
    { name: "Parameters", value: (run) => run.parameters, text: (run) => short(run.parameters) },
    { name: "Seconds per protein", value: (run) => run.seconds_per_protein, text: (run) => short(run.seconds_per_protein) },
    { name: "FLOPs per protein", value: (run) => run.flops_per_protein, text: (run) => short(run.flops_per_protein) },
  ]);
  const chart = make("div");
  const note = "Unscored: proteins on which the metric could not be measured; they are left out of the mean.";
  section("Results", note, scrolling("Table of results", table), chart);
  watch(RESULTS, () => {
    table.element.caption.textContent = axisName();
    table.show(data.runs);
  });
  keepDrawn(chart, RESULTS, () => [intervalChart(widthOf(chart, 760)), legend(SERIES, [CEILING])]);
}

function scalingSection() {
  if (new Set(sized().map((run) => run.parameters)).size < 2) return;
  const chart = make("div");
  section("Growth with the model", "Mean and interval against the number of parameters, on a logarithmic axis.", chart);
  keepDrawn(chart, RESULTS, () => scalingChart(widthOf(chart, 640)));
}

function costSection() {
  const charts = make("div");
  const note = "Filled points are on the Pareto front: no other run is as good for less. The line is the best for no more than that cost.";
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
  const note = "Each point is a protein; below the diagonal run A is better. Enter or a click selects the protein for the map.";
  section("Two runs protein by protein", note, text, holder);
  let scatter = null;
  keepDrawn(holder, PAIRED, () => {
    scatter = new Scatter(widthOf(holder, 480));
    text.textContent = differenceText(scatter.pairs);
    return [scatter.chart.svg, scatter.readout];
  });
  watch(["protein"], () => scatter.select());
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
    SEVERAL && { name: "A − B", value: gap, text: (row) => (isNumber(gap(row)) ? signed(gap(row)) : "–") },
  ];
  return columns.filter(Boolean);
}

function proteinButton({ id }) {
  const click = () => choose({ protein: id });
  return make("button", { type: "button", class: "link", "aria-pressed": id === choice.protein, click }, id);
}

function proteinsSection() {
  const table = new SortableTable("", proteinColumns());
  const rows = data.proteins.map((protein, place) => ({ ...protein, place }));
  const box = make("input", { type: "search", autocomplete: "off", input: show });
  const [count, scroll] = [make("span", { role: "status" }), scrolling("Table of proteins", table)];
  scroll.classList.add("tall");
  const filter = make("p", {}, make("label", {}, "Only proteins or groups with ", box), " ", count);
  section("Proteins", "A name selects the protein for the map.", filter, scroll);

  function show() {
    const wanted = box.value.trim().toLowerCase();
    const found = rows.filter(({ id, group }) => `${id} ${group}`.toLowerCase().includes(wanted));
    table.element.caption.textContent = axisName();
    table.show(found);
    count.textContent = `${found.length} of ${rows.length}`;
  }
  watch(PAIRED, show);
  watch(["protein"], () => markChosen(table.element));
}

function markChosen(table) {
  for (const button of table.querySelectorAll("tbody button")) {
    button.setAttribute("aria-pressed", button.textContent === choice.protein);
  }
}

const HOW_TO_KEEP =
  "There are no contact maps: these runs were made with pictures=false, or before maps were kept. " +
  "Run the sweep again with pictures=true and without the old folders.";

function mapSection() {
  if (!mapped().length) {
    section("Contact map", HOW_TO_KEEP);
    return;
  }
  const names = mapped();
  const select = make("select", { change: ({ target }) => choose({ protein: target.value }) });
  const [heading, holder] = [make("p", { role: "status" }), make("div")];
  const controls = make("form", {}, make("label", {}, "Protein ", select), belowChoice());
  section("Contact map", mapNote(names.length), controls, heading, holder);
  const view = new MapView(holder, heading);
  watch(["protein"], () => {
    const listed = names.includes(choice.protein) ? names : [choice.protein, ...names];
    fill(select, listed.map((name) => [name, name]), choice.protein);
  });
  watch([...PAIRED, "protein", "below"], () => view.show());
}

function mapNote(n) {
  const missing = data.maps.kept - n;
  return [
    "Above the diagonal: scores of run A, darker for a better rank. A disc marks a contact among the best L pairs of the range, a cross a pair that is none.",
    "Shaded residues are unresolved. Residues are counted from 0. Hover, or focus the map and use the arrow keys (with Shift: ten at a time).",
    `Pairs that are not among the best ${data.maps.level} L of a range are not in this file.`,
    missing ? `Maps of ${missing} proteins are left out for its size; more with maps_mb.` : "",
  ].join(" ");
}

function belowChoice() {
  const radio = (value, text) => {
    const change = () => choose({ below: value });
    const input = make("input", { type: "radio", name: "below", value, change, checked: value === choice.below && "" });
    return make("label", {}, input, text);
  };
  const title = make("legend", {}, "Below the diagonal");
  return make("fieldset", {}, title, radio("truth", "true contacts"), SEVERAL ? radio("b", "run B") : null);
}

function provenanceSection() {
  const facts = [...new Set(data.runs.flatMap((run) => Object.keys(run.facts)))];
  const told = (name) => [...new Set(data.runs.map((run) => run.facts[name] || "–"))];
  const shared = facts.filter((name) => told(name).length === 1);
  const list = shared.flatMap((name) => [make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, told(name)[0])]);
  const own = facts.filter((name) => told(name).length > 1);
  section("Provenance", "The same for all runs:", make("dl", {}, ...list), ...data.runs.map((run) => runDetails(run, own)));
}

function runDetails(run, names) {
  const list = names.flatMap((name) => [make("dt", {}, name.replaceAll("_", " ")), make("dd", {}, run.facts[name] || "–")]);
  return make("details", {}, make("summary", {}, run.label), make("dl", {}, ...list), make("pre", {}, run.config));
}

firstChoice();
showHead();
startTheme();
startChoices();
resultsSection();
scalingSection();
costSection();
scatterSection();
proteinsSection();
mapSection();
provenanceSection();
