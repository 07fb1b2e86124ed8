// Tables that sort by any column: the button in a column's head does it, by mouse and by keyboard.

/**
 * A table of these rows. A column has a `name`, the `value` of a row by which it sorts, and
 * perhaps the `text` shown for it. Missing values come last, whichever way it is sorted.
 */
class SortableTable {
  constructor(columns) {
    this.columns = columns;
    this.sorted = null;
    this.rows = [];
    this.body = make("tbody");
    this.heads = columns.map((column) => this.head(column));
    const top = make("thead", {}, make("tr", {}, ...this.heads));
    this.element = make("table", {}, make("caption"), top, this.body);
  }

  head(column) {
    const button = make("button", { type: "button", click: () => this.sort(column) }, column.name);
    return make("th", { scope: "col", "aria-sort": "none" }, button);
  }

  /** The first time numbers fall and texts rise; again, the other way round. */
  sort(column) {
    const numeric = this.rows.some((row) => typeof column.value(row) === "number");
    const first = numeric ? "descending" : "ascending";
    const other = numeric ? "ascending" : "descending";
    const again = this.sorted?.column === column && this.sorted.way === first;
    this.sorted = { column, way: again ? other : first };
    this.columns.forEach((own, n) => {
      this.heads[n].setAttribute("aria-sort", own === column ? this.sorted.way : "none");
    });
    this.fill();
  }

  show(rows, caption) {
    this.rows = rows;
    this.element.caption.textContent = caption;
    this.fill();
  }

  fill() {
    this.body.replaceChildren(...this.ordered().map((row) => this.line(row)));
  }

  ordered() {
    if (!this.sorted) return this.rows;
    const { column, way } = this.sorted;
    const sign = way === "ascending" ? 1 : -1;
    return [...this.rows].sort((one, other) => {
      const [a, b] = [column.value(one), column.value(other)];
      if (!isNumber(a) || !isNumber(b)) return isNumber(b) - isNumber(a);
      return sign * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
    });
  }

  line(row) {
    const cells = this.columns.map((column, n) => {
      const content = column.text ? column.text(row) : column.value(row);
      const numeric = typeof column.value(row) === "number";
      const shown = make(n ? "td" : "th", n ? {} : { scope: "row" }, content ?? "–");
      if (numeric) shown.classList.add("number");
      return shown;
    });
    return make("tr", {}, ...cells);
  }
}
