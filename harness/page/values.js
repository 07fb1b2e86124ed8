"use strict";
// What the page holds, what is chosen in it, how numbers are written, how elements are made.

const data = JSON.parse(document.getElementById("data").textContent);

const METRICS = {
  p_at_L: "P@L", p_at_L2: "P@L/2", p_at_L5: "P@L/5", p_at_L10: "P@L/10",
  ceiling_at_L: "ceiling of P@L", r_precision: "R-precision",
};

const choice = { metric: "", range: "", a: 0, b: 0, protein: "", below: "truth" };
const watchers = [];

/** Call `render` now, and again whenever one of these choices changes. */
function watch(names, render) {
  watchers.push({ names, render });
  render();
}

function choose(changes) {
  const changed = Object.keys(changes).filter((name) => choice[name] !== changes[name]);
  Object.assign(choice, changes);
  for (const { names, render } of watchers) {
    if (names.some((name) => changed.includes(name))) render();
  }
}

const key = () => `${choice.metric} ${choice.range}`;
const split = (name) => [name.slice(0, name.indexOf(" ")), name.slice(name.indexOf(" ") + 1)];
const metricName = (name) => METRICS[name] ?? name.replaceAll("_", " ");
const axisName = () => [metricName(choice.metric), choice.range].filter(Boolean).join(", ");

/** The estimate of a run: mean, ends of its interval, how many proteins, how many unscored. */
function estimate(run, name = key()) {
  const [mean, low, high, n, unscored] = run.estimates[name] ?? [null, null, null, 0, 0];
  return { mean, low, high, n, unscored };
}

/** The value of a protein (by its place in the list) in a run; null where it has none. */
const valueOf = (run, place, name = key()) => run.values[name]?.[place] ?? null;

const isNumber = (value) => value !== null && value !== undefined;
const fixed = (value, digits = 3) => (isNumber(value) ? value.toFixed(digits) : "–");

function withInterval({ mean, low, high }) {
  return isNumber(mean) ? `${fixed(mean)} [${fixed(low)}, ${fixed(high)}]` : "–";
}

const signed = (value) =>
  isNumber(value) ? (value < 0 ? "−" : "+") + fixed(Math.abs(value)) : "–";

/** A number of any size in three digits: 25 G, 4.9 M, 0.0312. */
function short(value) {
  if (!value) return "–";
  const prefixes = ["", " k", " M", " G", " T", " P", " E"];
  const power = Math.min(prefixes.length - 1, Math.max(0, Math.floor(Math.log10(value) / 3)));
  return `${Number((value / 1000 ** power).toPrecision(3))}${prefixes[power]}`;
}

/** An HTML element. Attributes that are functions listen to the event of that name. */
function make(name, attributes = {}, ...children) {
  return dressed(document.createElement(name), attributes, children);
}

/** The same for SVG. */
function draw(name, attributes = {}, ...children) {
  return dressed(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function dressed(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}
