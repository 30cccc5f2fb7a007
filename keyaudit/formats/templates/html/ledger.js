// The third long table: each credential over the audited period. html_ledger.py laid its rows out.
const OPERATIONS = ["exception", "unknown", "operated", "did-not-operate", "not-required"];

const rotated = {
  cell: DATA.ledger ? Object.fromEntries(
    ["source", "scope", "id", "name", "environment", "owner", "cls", "schedule", "operation", "standing"]
      .map((field) => [field, (row) => DATA.ledger.columns[field][row]]),
  ) : {},
  text: (row, field) => TEXTS[rotated.cell[field](row)],
  number: (row, field) => DATA.ledger.columns[field][row],
  span: (row, low, high) => age(rotated.number(row, low), rotated.number(row, high)),
  badge: (row) => {
    const operation = rotated.text(row, "operation");
    return badge(operation.replaceAll("-", " "), `operation ${operation}`);
  },
};

const LEDGER_COLUMNS = [
  { title: "Operation", sort: (row) => rank(OPERATIONS, rotated.text(row, "operation")), cell: (row) => [rotated.badge(row)] },
  { title: "Credential", sort: (row) => rotated.text(row, "name"), cell: (row) => lines(rotated.text(row, "name"), `${rotated.text(row, "source")} ${rotated.text(row, "scope")}`) },
  { title: "Environment", sort: (row) => rotated.text(row, "environment"), cell: (row) => lines(rotated.text(row, "environment"), "", "plainly") },
  { title: "Owner", sort: (row) => rotated.text(row, "owner"), cell: (row) => lines(rotated.text(row, "owner"), "", "plainly") },
  { title: "Due dates", sort: (row) => rotated.number(row, "due"), cell: (row) => lines(rotated.text(row, "standing"), "", rotated.number(row, "late") ? "bad" : "plainly") },
  { title: "Out of policy", sort: (row) => rotated.number(row, "outMax"), cell: (row) => lines(rotated.number(row, "outMax") ? rotated.span(row, "outMin", "outMax") : "", "", "plainly") },
];

function ledgerDetail(row) {
  const seen = rotated.number(row, "lastSeen"), period = rotated.number(row, "period"), grace = rotated.number(row, "grace");
  const gaps = rotated.number(row, "gaps").map((text) => TEXTS[text]);
  return [make("div", { class: "sides" },
    pairs([
      ["Credential", rotated.text(row, "id")],
      ["Where", `${rotated.text(row, "source")} ${rotated.text(row, "scope")}`],
      ["Class", rotated.text(row, "cls") || "not known"],
      ["Last listed", seen === null ? null : moment(seen)],
    ]),
    pairs([
      ["Schedule", rotated.text(row, "schedule") || "none applies"],
      ["Rotation period", period === null ? "none" : duration(period)],
      ["Grace period", grace === null ? "none" : duration(grace)],
      ["Longest in use", rotated.span(row, "longestMin", "longestMax")],
      ["Out of policy", rotated.number(row, "outMax") ? rotated.span(row, "outMin", "outMax") : "not in the period"],
      ["Not known", gaps.join("; ")],
    ])), valuesOf(row)];
}

function moment(seconds) {
  return seconds === null ? "not known" : new Date(seconds * 1000).toISOString().replace(".000", "");
}

function valuesOf(row) {
  const values = rotated.number(row, "values");
  if (!values.length) return make("p", { class: "note" }, "No value of it is known in the period.");
  const heading = ["Version", "Created", "Fell due", "Replaced", "Result", "Overlap", "On whose word"];
  const body = values.map(([version, created, due, replaced, result, timing, overlap, evidence]) => {
    const late = ["late", "overdue"].includes(TEXTS[result]);
    const plain = ["late", "not-due"].includes(TEXTS[result]) ? "" : `${TEXTS[result].replaceAll("-", " ")}: `;
    const outcome = make("span", late ? { class: "bad" } : null, `${plain}${TEXTS[timing]}`);
    const cells = [TEXTS[version], moment(created), moment(due), TEXTS[replaced], outcome, TEXTS[overlap], TEXTS[evidence]];
    return make("tr", null, ...cells.map((cell) => make("td", null, cell)));
  });
  const head = make("thead", null, make("tr", null, ...heading.map((title) => make("th", { scope: "col" }, title))));
  const scroll = { class: "scroll values", tabindex: "0", role: "group", "aria-label": "Values of the credential" };
  return make("div", scroll, make("table", null, head, make("tbody", null, ...body)));
}

function ledgerView() {
  const count = DATA.ledger.count, cell = rotated.cell;
  const fields = {
    operation: byText(count, cell.operation, OPERATIONS),
    environment: byText(count, cell.environment),
    cls: byText(count, cell.cls),
    owner: byText(count, cell.owner),
    source: byText(count, cell.source),
  };
  const searched = ["name", "id", "scope", "source", "environment", "owner", "cls", "schedule", "operation"];
  return new View("ledger", "l.", count, LEDGER_COLUMNS, ledgerDetail, fields, searched.map((field) => cell[field]));
}
