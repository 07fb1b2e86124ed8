// The head of the page, the choices that drive it, and its start.

const counted = (list, name) => `${list.length} ${name}${list.length === 1 ? "" : "s"}`;

function showHead() {
  document.getElementById("name").textContent = data.name;
  const ranges = Object.entries(data.ranges).map(([name, text]) => `${name}: ${text}`);
  document.getElementById("about").textContent = [
    `${data.datasets.join(", ")}: ${counted(data.proteins, "protein")}, ${counted(data.runs, "run")}`,
    `contact: ${data.contacts.join(" or ")}`,
    ranges.join("; "),
    `intervals: ${100 * data.level} %, bootstrap over proteins (${data.resamples} resamples)`,
    `made ${data.made}`,
  ].join(" · ");
}

/** The headline metric, its two best runs, and the first protein that has a map. */
function firstChoice() {
  [choice.metric, choice.range] = split(data.headline);
  const order = data.runs.map((_, n) => n);
  const mean = (n) => estimate(data.runs[n]).mean ?? -Infinity;
  order.sort((one, other) => mean(other) - mean(one));
  [choice.a, choice.b] = [order[0], order[1] ?? order[0]];
  choice.protein = mapped()[0] ?? data.proteins[0].id;
}

function startChoices() {
  startMetric(document.getElementById("metric"), document.getElementById("range"));
  const runs = data.runs.map((run, n) => [n, run.label]);
  for (const side of ["a", "b"]) {
    const select = document.getElementById(side);
    fill(select, runs, choice[side]);
    select.addEventListener("change", () => choose({ [side]: Number(select.value) }));
  }
  document.getElementById("b").closest("label").hidden = !SEVERAL;
}

function startMetric(metric, range) {
  const metrics = [...new Set(data.keys.map((name) => split(name)[0]))];
  fill(metric, metrics.map((name) => [name, metricName(name)]), choice.metric);
  watch(RESULTS, () => {
    const names = rangesOf(choice.metric);
    fill(range, names.map((name) => [name, name || "all"]), choice.range);
    range.disabled = names.length < 2;
  });
  metric.addEventListener("change", () => {
    const names = rangesOf(metric.value);
    const same = names.includes(choice.range) ? choice.range : names[0];
    choose({ metric: metric.value, range: same });
  });
  range.addEventListener("change", () => choose({ range: range.value }));
}

function rangesOf(metric) {
  return data.keys.map(split).filter(([own]) => own === metric).map(([, range]) => range);
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
