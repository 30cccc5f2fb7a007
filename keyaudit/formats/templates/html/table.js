// A table of any length: only the rows in sight exist. One row at a time can be open.
class LongTable {
  /** spec: {columns: [{title, sort, cell(row) → [line, line, class]}], detail(row) → nodes, idOf(row)} */
  constructor(root, spec) {
    this.root = root;
    this.spec = spec;
    this.rows = new Int32Array(0);
    this.open = -1;
    this.active = 0;
    this.sort = null;
    this.shown = new Map();
    this.build();
    this.listen();
  }

  build() {
    this.root.setAttribute("role", "treegrid");
    this.root.setAttribute("aria-label", this.root.dataset.label);
    this.headers = this.spec.columns.map((column, at) => this.header(column, at));
    const head = make("div", { role: "row", class: "line head", "aria-rowindex": "1" }, ...this.headers);
    this.canvas = make("div", { role: "presentation" });
    this.body = make("div", { role: "rowgroup", class: "body", tabindex: "-1" }, this.canvas);
    this.empty = make("p", { class: "empty-note", hidden: "" }, "Nothing matches.");
    this.root.append(make("div", { role: "rowgroup" }, head), this.body);
    this.root.after(this.empty);
  }

  header(column, at) {
    const button = make("button", { type: "button" }, column.title);
    button.addEventListener("click", () => this.sortBy(at));
    return make("div", { role: "columnheader", "aria-sort": "none" }, button);
  }

  listen() {
    let waiting = false;
    this.body.addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; this.draw(); });
    });
    this.body.addEventListener("click", (event) => {
      const line = event.target.closest(".line");
      if (line) this.toggle(Number(line.dataset.at));
    });
    this.body.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.measure()).observe(this.root);
  }

  measure() {
    this.height = parseFloat(getComputedStyle(this.root).getPropertyValue("--row")) || 56;
    this.draw();
  }

  /** Shows these rows, in this order. */
  show(rows) {
    this.close();
    this.rows = rows;
    this.active = 0;
    this.body.scrollTop = 0;
    this.root.setAttribute("aria-rowcount", rows.length + 1);
    for (const line of this.shown.values()) line.remove();
    this.shown.clear();
    this.empty.hidden = rows.length > 0;
    this.measure();
  }

  sortBy(at, direction) {
    const same = this.sort && this.sort.at === at;
    if (!direction) direction = !same ? 1 : this.sort.direction === 1 ? -1 : 0;
    this.sort = direction ? { at, direction } : null;
    this.headers.forEach((header, index) => {
      const sorted = direction && index === at;
      header.setAttribute("aria-sort", !sorted ? "none" : direction > 0 ? "ascending" : "descending");
    });
    this.spec.sorted();
  }

  /** Orders row numbers by the chosen column; what is not known comes last either way. */
  ordered(rows) {
    if (!this.sort) return rows;
    const { at, direction } = this.sort;
    const keys = new Map();
    for (const row of rows) keys.set(row, this.spec.columns[at].sort(row));
    return rows.sort((a, b) => {
      const x = keys.get(a), y = keys.get(b);
      if (x === y) return a - b;
      if (x === null || y === null) return x === null ? 1 : -1;
      return (x < y ? -1 : 1) * direction;
    });
  }

  top(at) {
    return at * this.height + (this.open >= 0 && at > this.open ? this.extra() : 0);
  }

  extra() {
    return this.opened ? this.opened.offsetHeight : 0;
  }

  draw() {
    const extra = this.extra();
    this.canvas.style.height = `${this.rows.length * this.height + extra}px`;
    const from = Math.max(0, Math.floor((this.body.scrollTop - extra) / this.height) - 4);
    const seen = Math.ceil((this.body.clientHeight + extra) / this.height) + 8;
    const to = Math.min(this.rows.length, from + seen + Math.ceil(extra / this.height));
    for (const [at, line] of this.shown) {
      if (at >= from && at < to) continue;
      if (line === document.activeElement) this.body.focus({ preventScroll: true });
      line.remove();
      this.shown.delete(at);
    }
    for (let at = from; at < to; at++) this.place(at);
    if (this.opened) this.opened.style.transform = `translateY(${this.top(this.open) + this.height}px)`;
  }

  place(at) {
    let line = this.shown.get(at);
    if (!line) {
      line = this.line(at);
      const after = [...this.shown.keys()].filter((other) => other > at).sort((a, b) => a - b)[0];
      this.canvas.insertBefore(line, after === undefined ? null : this.shown.get(after));
      this.shown.set(at, line);
    }
    line.style.transform = `translateY(${this.top(at)}px)`;
    line.tabIndex = at === this.active ? 0 : -1;
    line.setAttribute("aria-expanded", at === this.open);
  }

  line(at) {
    const cells = this.spec.columns.map((column) => make("div", { role: "gridcell" }, ...column.cell(this.rows[at])));
    const attributes = { role: "row", class: "line", "aria-rowindex": at + 2, "aria-level": 1, "data-at": at };
    return make("div", attributes, ...cells);
  }

  toggle(at) {
    const same = at === this.open;
    this.close();
    this.active = at;
    if (!same) {
      this.open = at;
      const cell = make("div", { role: "gridcell", "aria-colspan": this.headers.length }, ...this.spec.detail(this.rows[at]));
      this.opened = make("div", { role: "row", class: "detail", "aria-level": 2 }, cell);
      this.canvas.append(this.opened);
      this.watcher = new ResizeObserver(() => this.draw());
      this.watcher.observe(this.opened);
    }
    this.draw();
    this.focus(at);
  }

  close() {
    if (this.watcher) this.watcher.disconnect();
    if (this.opened) this.opened.remove();
    this.open = -1;
    this.opened = this.watcher = null;
  }

  focus(at) {
    this.active = at;
    const top = this.top(at), height = this.body.clientHeight;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    else if (top + this.height > this.body.scrollTop + height) this.body.scrollTop = top + this.height - height;
    this.draw();
    const line = this.shown.get(at);
    if (line) line.focus({ preventScroll: true });
  }

  key(event) {
    if (event.target.closest(".detail") && event.key !== "Escape") return;
    const page = Math.max(1, Math.floor(this.body.clientHeight / this.height) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.rows.length, End: this.rows.length };
    if (event.key in moves) this.focus(Math.min(this.rows.length - 1, Math.max(0, this.active + moves[event.key])));
    else if (event.key === "Enter" || event.key === " ") this.toggle(this.active);
    else if (event.key === "Escape" && this.open >= 0) this.toggle(this.open);
    else return;
    event.preventDefault();
  }
}
