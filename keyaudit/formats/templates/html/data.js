// The rows of the page, as html_data.py laid them out: numbers that point into pools.
const DATA = JSON.parse(document.getElementById("data").textContent);
const TEXTS = DATA.texts;
const AS_OF = DATA.asOf;
const DAY = 86400;
const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const VERDICTS = ["fail", "unknown", "waived", "pass", "not-applicable"];
const KIND = { rule: 0, name: 1, verdict: 2, severity: 3, basis: 4 };
const PLACE = { source: 0, scope: 1, id: 2, credential: 3, environment: 4, owner: 5 };

/** Gives a function from row number to the number of a text (0: not known). */
function findingCell(field) {
  const { columns, kinds, places } = DATA.findings;
  if (field in KIND) return (row) => kinds[columns.kind[row]][KIND[field]];
  if (field in PLACE) {
    const at = PLACE[field];
    return (row) => (columns.place[row] ? places[columns.place[row]][at] : 0);
  }
  return (row) => columns[field][row];
}

function populationCell(field) {
  const column = DATA.population.columns[field];
  return (row) => column[row];
}

/** Pairs of framework and control of a finding, as text. */
function controlsOf(row) {
  const flat = DATA.findings.groups[DATA.findings.columns.controls[row]] || [];
  const pairs = [];
  for (let at = 0; at < flat.length; at += 2) pairs.push([TEXTS[flat[at]], TEXTS[flat[at + 1]]]);
  return pairs;
}

/** Days since 1970 of seconds, as YYYY-MM-DD in UTC. */
function day(seconds) {
  return seconds === null ? "" : new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** The same words as the rest of the report: 121 d, 3 d 4 h, 17 min. */
function duration(seconds) {
  const size = Math.abs(seconds);
  const days = Math.floor(size / DAY), hours = Math.floor((size % DAY) / 3600), minutes = Math.floor((size % 3600) / 60);
  if (days >= 10 || (days && !hours)) return `${days.toLocaleString("en-US")} d`;
  if (days) return `${days} d ${hours} h`;
  if (hours) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  return minutes ? `${minutes} min` : `${size} s`;
}

function age(low, high) {
  if (low === null && high === null) return "not known";
  if (low === high) return duration(low);
  if (high === null) return `at least ${duration(low)}`;
  return low ? `${duration(low)} to ${duration(high)}` : `at most ${duration(high)}`;
}

/** Makes an element; texts become text nodes, so no name can become markup. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

/** Every search word must be in one of the texts of a row; each text is looked through once. */
function searcher(query, cells) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  searcher.lower ||= TEXTS.map((text) => (text || "").toLowerCase());
  const hits = words.map((word) => Uint8Array.from(searcher.lower, (text) => (text.includes(word) ? 1 : 0)));
  return (row) => hits.every((hit) => cells.some((cell) => hit[cell(row)]));
}

/** How often each text occurs in a column, most frequent first. */
function options(count, cell) {
  const seen = new Map();
  for (let row = 0; row < count; row++) seen.set(cell(row), (seen.get(cell(row)) || 0) + 1);
  return [...seen].sort((a, b) => b[1] - a[1] || (TEXTS[a[0]] < TEXTS[b[0]] ? -1 : 1));
}
