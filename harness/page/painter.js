// A contact map on a canvas, and the cursor that the mouse and the arrow keys move.

const MAP_COLORS = ["paper", "ink", "contact", "outside", "hidden", "rule", "hit", "miss", "cursor"];

/**
 * Draws a map on a canvas of so many CSS pixels; colors are those of the page's theme. The map is
 * drawn once, out of sight: where the cursor moves, only a copy of it is put on the canvas.
 */
class MapPainter {
  constructor(canvas, map, size) {
    const density = window.devicePixelRatio || 1;
    Object.assign(this, { canvas, map, size, density, cell: size / map.length });
    canvas.width = canvas.height = Math.round(size * density);
    canvas.style.width = canvas.style.height = `${size}px`;
    this.drawn = make("canvas", { width: canvas.width, height: canvas.height });
    this.brush = this.drawn.getContext("2d");
    this.brush.scale(density, density);
    this.colors = Object.fromEntries(MAP_COLORS.map((name) => [name, this.resolved(name)]));
    this.paint();
  }

  /** A color of the style sheet as a canvas understands it. */
  resolved(name) {
    this.canvas.style.color = `var(--map-${name})`;
    return getComputedStyle(this.canvas).color;
  }

  paint() {
    this.fill("paper", 0, 0, this.map.length, this.map.length);
    this.unresolved();
    this.scores(this.map.a, true);
    if (choice.below === "truth") this.truth();
    else this.scores(this.map.b, false);
    this.lines();
    if (this.map.a) this.marks(this.map.a, true);
    if (choice.below === "b" && this.map.b) this.marks(this.map.b, false);
  }

  fill(name, column, row, width = 1, height = 1) {
    const edge = (place) => Math.round(place * this.cell * this.density) / this.density; // no seams
    const [x, y] = [edge(column), edge(row)];
    this.brush.fillStyle = this.colors[name];
    this.brush.fillRect(x, y, edge(column + width) - x, edge(row + height) - y);
  }

  unresolved() {
    for (const residue of this.map.hidden) {
      this.fill("hidden", residue, 0, 1, this.map.length);
      this.fill("hidden", 0, residue, this.map.length, 1);
    }
  }

  /** The better a pair ranks, the stronger it is. */
  scores(run, above) {
    if (!run) return;
    run.pairs.forEach(({ i, j }, rank) => {
      this.brush.globalAlpha = 0.06 + 0.5 * (1 - rank / run.pairs.length) ** 2;
      this.fill("ink", above ? j : i, above ? i : j);
    });
    this.brush.globalAlpha = 1;
  }

  truth() {
    for (const place of this.map.contact) {
      const [i, j] = [Math.floor(place / this.map.length), place % this.map.length];
      this.fill(inRange(this.map, i, j) ? "contact" : "outside", i, j);
    }
  }

  lines() {
    const line = (...ends) => {
      this.brush.beginPath();
      this.brush.moveTo(ends[0], ends[1]);
      this.brush.lineTo(ends[2], ends[3]);
      this.brush.stroke();
    };
    this.brush.strokeStyle = this.colors.rule;
    this.brush.lineWidth = 1;
    line(0, 0, this.size, this.size);
    this.brush.setLineDash([4, 3]);
    for (const start of this.map.breaks.map((residue) => residue * this.cell)) {
      line(start, 0, start, this.size);
      line(0, start, this.size, start);
    }
    this.brush.setLineDash([]);
  }

  /** Top L pairs of the range: a disc is a contact, a cross is none. */
  marks(run, above) {
    const radius = Math.max(2.6, Math.min(7, this.cell / 2.2));
    for (const pair of topPairs(this.map, run)) {
      const [column, row] = above ? [pair.j, pair.i] : [pair.i, pair.j];
      const [x, y] = [(column + 0.5) * this.cell, (row + 0.5) * this.cell];
      if (isContact(this.map, pair)) this.disc(x, y, radius);
      else this.cross(x, y, radius);
    }
  }

  disc(x, y, radius) {
    this.brush.fillStyle = this.colors.hit;
    this.brush.beginPath();
    this.brush.arc(x, y, radius, 0, 2 * Math.PI);
    this.brush.fill();
    this.brush.strokeStyle = this.colors.paper;
    this.brush.lineWidth = 0.8;
    this.brush.stroke();
  }

  cross(x, y, radius) {
    this.brush.beginPath();
    this.brush.moveTo(x - radius, y - radius);
    this.brush.lineTo(x + radius, y + radius);
    this.brush.moveTo(x - radius, y + radius);
    this.brush.lineTo(x + radius, y - radius);
    for (const [name, width] of [["paper", 3.5], ["miss", 1.8]]) {
      this.brush.strokeStyle = this.colors[name];
      this.brush.lineWidth = width;
      this.brush.stroke();
    }
  }

  /** Put the map on the canvas, and a frame around the pair under the cursor, if there is one. */
  show(cursor) {
    const screen = this.canvas.getContext("2d");
    screen.setTransform(1, 0, 0, 1, 0, 0);
    screen.drawImage(this.drawn, 0, 0);
    if (!cursor) return;
    screen.scale(this.density, this.density);
    screen.strokeStyle = this.colors.cursor;
    screen.lineWidth = 2;
    const room = Math.max(0, 9 - this.cell) / 2 + 1;
    const place = (at) => at * this.cell - room;
    const side = this.cell + 2 * room;
    screen.strokeRect(place(cursor.column), place(cursor.row), side, side);
  }
}

/** The map that is chosen, with what is under the cursor in words. */
class MapView {
  constructor(holder, heading) {
    this.holder = holder;
    this.heading = heading;
    this.canvas = make("canvas", {
      tabindex: 0, role: "img",
      mousemove: (event) => this.hover(event),
      mouseleave: () => this.point(null),
      click: (event) => this.hover(event),
      keydown: (event) => this.press(event),
    });
    this.readout = make("output", { "aria-live": "polite" });
    holder.append(this.canvas, this.readout);
    document.addEventListener("theme", () => this.paint());
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      matchMedia(query).addEventListener("change", () => this.paint());
    }
    new ResizeObserver(() => this.paint()).observe(holder);
  }

  /** Decode and paint; what was asked for later is shown, whichever is decoded first. */
  async show() {
    const asked = [choice.protein, choice.a, choice.b];
    this.asked = asked;
    if (!data.maps.proteins[choice.protein]) {
      this.map = null;
      this.heading.textContent = `${choice.protein}: this file has no map of it.`;
      this.holder.hidden = true;
      return;
    }
    const map = await decodedMap(...asked);
    if (this.asked !== asked) return;
    Object.assign(this, { map, cursor: null });
    this.holder.hidden = false;
    this.heading.textContent = this.summary();
    this.canvas.setAttribute("aria-label", `Contact map. ${this.summary()}`);
    this.readout.textContent = "";
    this.paint();
  }

  summary() {
    const told = ["a", "b"].filter((side) => side === "a" || choice.below === "b");
    const parts = told.map((side) => {
      return `${side.toUpperCase()}, ${data.runs[choice[side]].label}: ${this.hits(side)}`;
    });
    return `${choice.protein}, ${this.map.length} residues. ${parts.join(". ")}.`;
  }

  hits(side) {
    if (!this.map[side]) return "no map of the same protein and contact definition";
    const top = topPairs(this.map, this.map[side]);
    if (!top.length) return `no pairs, ${mapRange()}`;
    const found = top.filter((pair) => isContact(this.map, pair)).length;
    return `${found} of the best ${top.length} pairs, ${mapRange()}, are contacts`;
  }

  paint() {
    if (!this.map) return;
    const size = Math.max(240, Math.min(620, this.holder.clientWidth));
    this.painter = new MapPainter(this.canvas, this.map, size);
    this.painter.show(this.cursor);
  }

  point(cursor) {
    this.cursor = cursor;
    this.readout.textContent = cursor ? pairText(this.map, cursor.row, cursor.column) : "";
    this.painter?.show(cursor);
  }

  hover(event) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const cell = (place) => this.inside(Math.floor((place / width) * this.map.length));
    this.point({ row: cell(event.clientY - top), column: cell(event.clientX - left) });
  }

  press(event) {
    const [right, down] = ARROWS[event.key] ?? [0, 0];
    if (!right && !down) return;
    event.preventDefault();
    const far = event.shiftKey ? 10 : 1;
    const { row, column } = this.cursor ?? {};
    const moved = () => ({
      row: this.inside(row + far * down),
      column: this.inside(column + far * right),
    });
    this.point(this.cursor ? moved() : topCell(this.map));
  }

  inside(place) {
    return Math.max(0, Math.min(this.map.length - 1, place));
  }
}

/** Where the cursor begins: the best pair of run A in the range, or the first residue. */
function topCell(map) {
  const [best] = map.a ? topPairs(map, map.a) : [];
  return best ? { row: best.i, column: best.j } : { row: 0, column: 0 };
}
