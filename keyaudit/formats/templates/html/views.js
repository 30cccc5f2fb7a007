// What the two long tables show: findings and population.
function badge(text, kind) {
  return make("span", { class: `badge ${kind}` }, text);
}

function lines(first, second, extra) {
  return [make("span", { class: `one ${extra || ""}` }, first || "–"), second ? make("span", { class: "two" }, second) : null];
}

function dueLines(due) {
  if (due === null) return lines("–");
  const late = AS_OF - due;
  return late > 0 ? lines(day(due), `${duration(late)} late`, "bad") : lines(day(due), `in ${duration(-late)}`);
}

function rank(list, text) {
  const at = list.indexOf(text);
  return at < 0 ? list.length : at;
}

function pairs(entries) {
  const kept = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("dl", null, ...kept.map(([name, value]) => make("div", null, make("dt", null, name), make("dd", null, value))));
}

const BASES = {
  framework: "the framework's own text",
  policy: "your policy, which the framework makes binding",
  practice: "good advice; never an exception of a control",
};

const finding = {
  cell: Object.fromEntries(
    ["rule", "name", "verdict", "severity", "basis", "source", "scope", "id", "credential", "environment", "owner",
      "subject", "version", "message", "clause", "fix", "waiver", "response"].map((field) => [field, findingCell(field)]),
  ),
  text: (row, field) => TEXTS[finding.cell[field](row)],
  due: (row) => DATA.findings.columns.due[row],
  subject: (row) => finding.text(row, "credential") || finding.text(row, "subject") || "the audit",
  badge: (row) => {
    const verdict = finding.text(row, "verdict"), severity = finding.text(row, "severity");
    return verdict === "fail" ? badge(severity || "fail", severity || "fail") : badge(verdict, verdict);
  },
  badness: (row) => rank(VERDICTS, finding.text(row, "verdict")) * 10 + rank(SEVERITIES, finding.text(row, "severity")),
};

const FINDING_COLUMNS = [
  { title: "Severity", sort: finding.badness, cell: (row) => [finding.badge(row)] },
  { title: "Rule", sort: (row) => finding.text(row, "rule"), cell: (row) => lines(finding.text(row, "rule"), finding.text(row, "name")) },
  { title: "Credential and finding", sort: finding.subject, cell: (row) => lines(finding.subject(row), finding.text(row, "message")) },
  { title: "Environment", sort: (row) => finding.text(row, "environment"), cell: (row) => [finding.text(row, "environment") || "–"] },
  { title: "Owner", sort: (row) => finding.text(row, "owner"), cell: (row) => lines(finding.text(row, "owner"), "", "plainly") },
  { title: "Due", sort: finding.due, cell: (row) => dueLines(finding.due(row)) },
];

function findingDetail(row) {
  const due = finding.due(row), fingerprint = DATA.findings.columns.fingerprint[row];
  const facts = pairs([
    ["Verdict", `${finding.text(row, "verdict")}${finding.text(row, "severity") ? `, ${finding.text(row, "severity")}` : ""}`],
    ["Credential", finding.text(row, "id")],
    ["Version", finding.text(row, "version")],
    ["Where", finding.text(row, "source") && `${finding.text(row, "source")} ${finding.text(row, "scope")}`],
    ["Environment", finding.text(row, "id") && (finding.text(row, "environment") || "not known")],
    ["Owner", finding.text(row, "id") && (finding.text(row, "owner") || "not known")],
    ["Due", due === null ? null : new Date(due * 1000).toISOString().replace(".000", "")],
    ["Required by", finding.text(row, "clause")],
    ["Stands on", BASES[finding.text(row, "basis")]],
    ["Controls", controlLinks(row)],
    ["Waiver", finding.text(row, "waiver") && make("a", { href: "#waivers" }, finding.text(row, "waiver"))],
    ["Response", finding.text(row, "response")],
    ["Fingerprint", make("a", { href: `#${fingerprint}`, class: "mono" }, fingerprint)],
  ]);
  const evidence = make("div", null, make("h3", null, "Evidence"), pairs(evidenceOf(row)), ruleText(row));
  return [
    make("p", { class: "say" }, finding.text(row, "message") || ""),
    fixOf(row),
    make("div", { class: "sides" }, make("div", null, make("h3", null, "Facts"), facts), evidence),
  ].filter(Boolean);
}

function evidenceOf(row) {
  const flat = DATA.findings.columns.evidence[row], found = [];
  for (let at = 0; at < flat.length; at += 2) found.push([TEXTS[flat[at]], TEXTS[flat[at + 1]] ?? "not known"]);
  return found;
}

function controlLinks(row) {
  const links = controlsOf(row).map(([framework, id]) => make("a", { href: `#control-${framework}-${id}` }, `${framework} ${id}`));
  return links.length ? make("span", null, ...links.flatMap((link, at) => (at ? [", ", link] : [link]))) : null;
}

function fixOf(row) {
  const command = finding.text(row, "fix");
  if (!command) return null;
  const content = make("div", { class: "fix" }, make("pre", null, command));
  if (finding.uncopyable.has(row)) content.append("holds characters that cannot be seen: look before you run it");
  else content.append(make("button", { type: "button", class: "quiet", "data-copy": command }, "Copy"));
  return make("div", null, make("h3", null, "Command that fixes it"), content);
}

/** The rule's own words stand once in the page; an open finding shows a copy of them. */
function ruleText(row) {
  const rule = document.getElementById(`rule-${finding.text(row, "rule")}`);
  const text = rule && rule.querySelector(".rule-text");
  if (!text) return null;
  return make("details", null, make("summary", null, `Why ${finding.text(row, "name")} is bad, and how to mend it`), text.cloneNode(true));
}

const credential = {
  cell: Object.fromEntries(
    ["source", "scope", "id", "name", "environment", "owner", "cls", "provider", "basis", "schedule", "worst", "severity", "rules"]
      .map((field) => [field, populationCell(field)]),
  ),
  text: (row, field) => TEXTS[credential.cell[field](row)],
  number: (row, field) => DATA.population.columns[field][row],
  age: (row) => age(credential.number(row, "ageMin"), credential.number(row, "ageMax")),
  period: (row) => (credential.number(row, "period") === null ? "no period" : `of ${duration(credential.number(row, "period"))}`),
  badge: (row) => {
    const worst = credential.text(row, "worst"), shown = worst === "fail" ? credential.text(row, "severity") || worst : worst;
    return badge(shown, shown);
  },
  badness: (row) => rank(VERDICTS, credential.text(row, "worst")) * 10 + rank(SEVERITIES, credential.text(row, "severity")),
  overdue: (row) => {
    const low = credential.number(row, "ageMin"), period = credential.number(row, "period");
    return low !== null && period !== null && low > period;
  },
};

const POPULATION_COLUMNS = [
  { title: "Credential", sort: (row) => credential.text(row, "name"), cell: (row) => lines(credential.text(row, "name"), `${credential.text(row, "source")} ${credential.text(row, "scope")}`) },
  { title: "Class", sort: (row) => credential.text(row, "cls"), cell: (row) => lines(credential.text(row, "cls"), credential.text(row, "provider"), "plainly") },
  { title: "Environment", sort: (row) => credential.text(row, "environment"), cell: (row) => lines(credential.text(row, "environment"), credential.number(row, "tier") === null ? "" : `tier ${credential.number(row, "tier")}`, "plainly") },
  { title: "Owner", sort: (row) => credential.text(row, "owner"), cell: (row) => lines(credential.text(row, "owner"), "", "plainly") },
  { title: "Age", sort: (row) => credential.number(row, "ageMin"), cell: (row) => lines(credential.age(row), credential.period(row), credential.overdue(row) ? "bad" : "") },
  { title: "Due", sort: (row) => credential.number(row, "due"), cell: (row) => dueLines(credential.number(row, "due")) },
  { title: "Worst", sort: credential.badness, cell: (row) => [credential.badge(row)] },
];

function populationDetail(row) {
  const grace = credential.number(row, "grace");
  const name = credential.text(row, "name");
  return [make("div", { class: "sides" },
    pairs([
      ["Credential", credential.text(row, "id")],
      ["Where", `${credential.text(row, "source")} ${credential.text(row, "scope")}`],
      ["Class", credential.text(row, "cls") || "not known"],
      ["Provider", credential.text(row, "provider")],
      ["Owner", credential.text(row, "owner") || "not known"],
    ]),
    pairs([
      ["Age", `${credential.age(row)} (${credential.text(row, "basis")})`],
      ["Schedule", credential.text(row, "schedule") || "none applies"],
      ["Rotation period", credential.number(row, "period") === null ? "none" : duration(credential.number(row, "period"))],
      ["Grace period", grace === null ? "none" : duration(grace)],
      ["Worst verdict", credential.text(row, "worst")],
      ["Rules that failed", credential.text(row, "rules")],
      ["Findings", name && make("a", { href: `#q=${encodeURIComponent(name)}` }, "show its findings")],
    ]))];
}
