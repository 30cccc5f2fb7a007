// Brings the page to life: filters, address, theme, copying, downloading.
finding.uncopyable = new Set(DATA.findings.uncopyable);

/** One long table with its form. `prefix` keeps its part of the address apart from the other's. */
class View {
  constructor(name, prefix, count, columns, detail, fields, searched) {
    Object.assign(this, { name, prefix, count, fields, searched });
    this.form = document.querySelector(`[data-table="${name}"]`);
    this.counter = document.getElementById(`${name}-count`);
    this.table = new LongTable(document.getElementById(`${name}-table`), { columns, detail, sorted: () => this.changed() });
    this.fill();
    this.form.addEventListener("input", () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.changed(), 120); });
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("reset", () => setTimeout(() => this.changed()));
    this.form.querySelector("[data-download]").addEventListener("click", () => this.download());
  }

  fill() {
    for (const [field, { choices }] of Object.entries(this.fields)) {
      const select = this.form.elements[field];
      for (const [value, label] of choices().slice(0, 1000)) select.append(make("option", { value }, label));
      if (select.options.length < 3) select.closest("label").hidden = true;
    }
  }

  /** Filters and sorts anew, and writes the state into the address. */
  changed() {
    this.refresh();
    writeAddress();
  }

  refresh() {
    const tests = [];
    for (const [field, { test }] of Object.entries(this.fields)) {
      const wanted = this.form.elements[field].value;
      if (wanted) tests.push(test(wanted));
    }
    const found = searcher(this.form.elements.q.value, this.searched);
    if (found) tests.push(found);
    const rows = [];
    for (let row = 0; row < this.count; row++) if (tests.every((test) => test(row))) rows.push(row);
    this.rows = this.table.ordered(rows);
    this.table.show(this.rows);
    this.say();
  }

  say() {
    const all = this.count.toLocaleString("en-US"), some = this.rows.length.toLocaleString("en-US");
    this.counter.textContent = this.rows.length === this.count ? `All ${all} shown.` : `${some} of ${all} match.`;
  }

  state() {
    const parts = new URLSearchParams();
    for (const field of ["q", ...Object.keys(this.fields)]) {
      const value = this.form.elements[field].value;
      if (value) parts.set(this.prefix + field, value);
    }
    const { sort } = this.table;
    if (sort) parts.set(`${this.prefix}sort`, `${sort.direction < 0 ? "-" : ""}${sort.at}`);
    return parts;
  }

  restore(parts) {
    for (const field of ["q", ...Object.keys(this.fields)]) this.form.elements[field].value = parts.get(this.prefix + field) || "";
    const sort = parts.get(`${this.prefix}sort`), at = Math.abs(parseInt(sort, 10));
    if (sort && at < this.table.headers.length) this.table.sortBy(at, sort.startsWith("-") ? -1 : 1);
    else if (this.table.sort) this.table.sortBy(this.table.sort.at, 0);
    this.refresh();
  }

  download() {
    const cells = Object.entries({ findings: finding, population: credential, ledger: rotated }[this.name].cell);
    const quoted = (text) => `"${(/^[\s\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
    const lines = this.rows.map((row) => [...cells.map(([, cell]) => quoted(TEXTS[cell(row)] || "")), quoted(this.dueOf(row))].join(","));
    const header = [...cells.map(([name]) => name), this.name === "ledger" ? "out of policy" : "due"].join(",");
    const file = new Blob([[header, ...lines, ""].join("\r\n")], { type: "text/csv" });
    const link = make("a", { href: URL.createObjectURL(file), download: `${this.name}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  dueOf(row) {
    if (this.name === "ledger") return rotated.number(row, "outMax") ? rotated.span(row, "outMin", "outMax") : "";
    return day(this.name === "findings" ? finding.due(row) : credential.number(row, "due"));
  }
}

/** A filter whose choices are the texts of one column. */
function byText(count, cell, order) {
  const choices = () => {
    const found = options(count, cell).map(([number, times]) => [TEXTS[number] ?? "\u0000", `${TEXTS[number] ?? "not known"} (${times.toLocaleString("en-US")})`]);
    return order ? found.sort((a, b) => rank(order, a[0]) - rank(order, b[0])) : found;
  };
  const test = (wanted) => {
    const number = wanted === "\u0000" ? 0 : TEXTS.indexOf(wanted);
    return (row) => cell(row) === number;
  };
  return { choices, test };
}

/** A filter over the controls of findings, by framework or by framework and id. */
function byControl(name, label) {
  const sets = DATA.findings.groups.map((group) => {
    const names = new Set();
    for (let at = 0; group && at < group.length; at += 2) names.add(name(TEXTS[group[at]], TEXTS[group[at + 1]]));
    return names;
  });
  const choices = () => [...new Set(sets.flatMap((set) => [...set]))].sort().map((value) => [value, label(value)]);
  const test = (wanted) => (row) => sets[DATA.findings.columns.controls[row]].has(wanted);
  return { choices, test };
}

function findingsView() {
  const count = DATA.findings.count, cell = finding.cell;
  const fields = {
    verdict: byText(count, cell.verdict, VERDICTS),
    severity: byText(count, cell.severity, SEVERITIES),
    rule: byText(count, cell.rule),
    environment: byText(count, cell.environment),
    owner: byText(count, cell.owner),
    framework: byControl((framework) => framework, (id) => DATA.frameworks[id] || id),
    control: byControl((framework, id) => `${framework} ${id}`, (value) => value),
  };
  const searched = ["rule", "name", "credential", "id", "subject", "message", "environment", "owner", "source", "scope", "version", "waiver", "clause"];
  return new View("findings", "", count, FINDING_COLUMNS, findingDetail, fields, searched.map((field) => cell[field]));
}

function populationView() {
  const count = DATA.population.count, cell = credential.cell;
  const fields = {
    worst: byText(count, cell.worst, VERDICTS),
    environment: byText(count, cell.environment),
    cls: byText(count, cell.cls),
    owner: byText(count, cell.owner),
    source: byText(count, cell.source),
  };
  const searched = ["name", "id", "scope", "source", "environment", "owner", "cls", "provider", "schedule", "rules"];
  return new View("population", "p.", count, POPULATION_COLUMNS, populationDetail, fields, searched.map((field) => cell[field]));
}

const views = [];
if (document.getElementById("findings-table")) views.push(findingsView());
if (document.getElementById("population-table")) views.push(populationView());
if (document.getElementById("ledger-table")) views.push(ledgerView());

function writeAddress() {
  const text = views.map((view) => view.state().toString()).filter(Boolean).join("&");
  try {
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  } catch { /* an address that cannot be changed is only a loss of comfort */ }
}

/** Reads the address: filters (`#severity=high`), one finding (`#<fingerprint>`), or a part of the page. */
function readAddress() {
  const hash = location.hash.slice(1);
  if (/^[0-9a-f]{16,64}$/.test(hash)) return openFinding(hash);
  if (!hash.includes("=")) return openPart(hash);
  const parts = new URLSearchParams(hash);
  for (const view of views) view.restore(parts);
  const first = [...parts.keys()][0] || "";
  const part = { "p.": "population", "l.": "ledger" }[first.slice(0, 2)] || "findings";
  document.getElementById(part).scrollIntoView();
}

function openFinding(fingerprint) {
  const row = DATA.findings.columns.fingerprint.indexOf(fingerprint), view = views[0];
  if (row < 0 || view.name !== "findings") return;
  if (!view.rows.includes(row)) view.restore(new URLSearchParams());
  document.getElementById("findings").scrollIntoView({ behavior: "instant" });
  const at = view.rows.indexOf(row);
  if (view.table.open !== at) view.table.toggle(at);
  view.table.body.scrollTop = view.table.top(at);
}

/** Links lead to rules and controls that are folded away: unfold them. */
function openPart(id) {
  let part = null;
  try { part = id && document.getElementById(decodeURIComponent(id)); } catch { /* not an id */ }
  const folded = part && part.closest("details:not([open])");
  if (!folded) return;
  folded.open = true;
  part.scrollIntoView();
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.getElementById("theme").textContent = `Theme: ${theme || "auto"}`;
  try {
    if (theme) localStorage.setItem("keyaudit-theme", theme);
    else localStorage.removeItem("keyaudit-theme");
  } catch { /* not remembered then */ }
}

const NEXT_THEME = { "": "light", light: "dark", dark: "" };
document.getElementById("theme").addEventListener("click", () => setTheme(NEXT_THEME[document.documentElement.dataset.theme || ""]));
setTheme(document.documentElement.dataset.theme || "");

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(button.previousElementSibling);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  const search = document.querySelector('[data-table="findings"] [name="q"]');
  if (event.key !== "/" || typing || !search || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  search.focus();
});
addEventListener("hashchange", readAddress);
for (const view of views) view.refresh();
readAddress();
document.documentElement.dataset.ready = "yes";
