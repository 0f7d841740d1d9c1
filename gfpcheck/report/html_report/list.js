/* A tree of which only the rows in view, and some around, are in the document. */

class List {
  /* `chosen(finding)` is called when a finding is opened, `toggled(group)` when a heading is. */
  constructor(chosen, toggled) {
    this.box = byId("list");
    this.sheet = byId("rows");
    this.chosen = chosen;
    this.toggled = toggled;
    this.rows = [];
    this.tops = new Float64Array(1);
    this.made = new Map();
    this.active = -1;
    this.waiting = false;
    this.box.addEventListener("scroll", () => this.soon(), { passive: true });
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.sheet.addEventListener("click", (event) => {
      const row = event.target.closest("[role=treeitem]");
      if (row) this.open(Number(row.dataset.row));
    });
    new ResizeObserver(() => this.measure()).observe(this.box);
  }

  /* Shows other rows. The active finding stays active if it is among them. */
  show(rows, finding) {
    this.rows = rows;
    this.active = finding ? rows.findIndex((row) => row.finding === finding) : -1;
    this.place();
  }

  /* Heights depend on the width of the page alone. */
  measure() {
    const style = getComputedStyle(this.box);
    const heights = [style.getPropertyValue("--finding"), style.getPropertyValue("--heading")].map(parseFloat);
    if (!this.heights || heights.some((height, index) => height !== this.heights[index])) {
      this.heights = heights;
      this.place();
    } else this.soon();
  }

  place() {
    if (!this.heights) return;
    this.tops = new Float64Array(this.rows.length + 1);
    this.rows.forEach((row, index) => {
      this.tops[index + 1] = this.tops[index] + this.heights[row.finding ? 0 : 1];
    });
    this.sheet.style.height = `${this.tops[this.rows.length]}px`;
    for (const row of this.made.values()) row.remove();
    this.made.clear();
    this.draw();
  }

  soon() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  /* The row at this height. */
  at(top) {
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle] <= top) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  draw() {
    const wanted = new Set();
    if (this.rows.length) {
      const view = this.box.clientHeight;
      const first = this.at(this.box.scrollTop - view / 2);
      const last = this.at(this.box.scrollTop + view * 1.5);
      for (let index = first; index <= last; index += 1) wanted.add(index);
    }
    // A screen reader is told of the active row, so it is there.
    if (this.active >= 0) wanted.add(this.active);
    for (const [index, row] of this.made) {
      if (!wanted.has(index)) {
        row.remove();
        this.made.delete(index);
      }
    }
    const fresh = document.createDocumentFragment();
    for (const index of wanted) {
      if (!this.made.has(index)) {
        const row = this.row(index);
        this.made.set(index, row);
        fresh.append(row);
      }
    }
    this.sheet.append(fresh);
    for (const [index, row] of this.made) row.setAttribute("aria-selected", String(index === this.active));
    if (this.active >= 0) this.box.setAttribute("aria-activedescendant", `row-${this.active}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  row(index) {
    const { finding, group, text, size, open, at, of, level } = this.rows[index];
    const row = element("div", {
      role: "treeitem", id: `row-${index}`, "data-row": index, "aria-level": level, "aria-posinset": at + 1,
      "aria-setsize": of, class: finding ? "finding" : "heading", "aria-expanded": finding ? null : String(open),
    });
    row.style.transform = `translateY(${this.tops[index]}px)`;
    if (finding) {
      const place = finding.place;
      row.append(
        element("div", { class: "where" }, pill(finding.level), element("b", {}, inFunction(place) || shortName(place.file)),
          element("span", { class: "place" }, `${place.file}:${place.line}`),
          element("span", { class: "id" }, finding.rule)),
        element("div", { class: "message" }, finding.message));
    } else {
      row.append(element("span", { class: "arrow", "aria-hidden": "true" }, open ? "\u25be" : "\u25b8"),
        element("b", {}, text), element("span", { class: "count" }, number(size)));
    }
    return row;
  }

  /* Makes a row the active one and brings it into view. */
  activate(index) {
    this.active = Math.max(0, Math.min(index, this.rows.length - 1));
    const top = this.tops[this.active];
    const bottom = this.tops[this.active + 1];
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (bottom > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = bottom - this.box.clientHeight;
    this.draw();
  }

  open(index) {
    this.activate(index);
    const row = this.rows[this.active];
    if (row.finding) this.chosen(row.finding);
    else this.toggled(row.group, this.active);
  }

  /* Opens the next finding in this direction, 1 or -1. */
  step(direction) {
    for (let index = this.active + direction; index >= 0 && index < this.rows.length; index += direction) {
      if (this.rows[index].finding) {
        this.open(index);
        return;
      }
    }
  }

  key(event) {
    if (!this.rows.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = this.rows[this.active];
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.heights[0]) - 1);
    const moves = {
      ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page, PageUp: this.active - page,
      Home: 0, End: this.rows.length - 1,
    };
    if (event.key in moves) this.activate(moves[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.open(this.active);
    else if (event.key === "ArrowRight" && row && row.group !== undefined && !row.open) this.open(this.active);
    else if (event.key === "ArrowLeft" && row) {
      let heading = this.active;
      while (heading > 0 && this.rows[heading].finding) heading -= 1;
      if (heading !== this.active) this.activate(heading);
      else if (row.group !== undefined && row.open) this.open(this.active);
    } else return;
    event.preventDefault();
  }
}
