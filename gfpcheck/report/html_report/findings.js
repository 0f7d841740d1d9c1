/* The findings, and which of them are asked for. */

const report = JSON.parse(byId("data").textContent);
const rules = new Map(report.rules.map((rule) => [rule.id, rule]));
const sources = new Map(report.sources.map((source) => [source.file, source.lines]));

const NO_LOCK = "no lock";
const FACETS = [
  { key: "level", title: "Level", order: ["error", "warning", "note"] },
  { key: "rule", title: "Rule" },
  { key: "folder", title: "Directory" },
  { key: "lock", title: "Lock class" },
  { key: "confidence", title: "Confidence", order: ["high", "medium", "low"] },
];

const findings = report.findings.map((finding, index) => {
  const slash = finding.place.file.lastIndexOf("/");
  return Object.assign(finding, {
    index,
    values: {
      level: [finding.level],
      rule: [finding.rule],
      folder: [slash > 0 ? finding.place.file.slice(0, slash) : "."],
      lock: finding.locks.length ? finding.locks : [NO_LOCK],
      confidence: [finding.confidence],
    },
  });
});

const ruleName = (id) => (rules.has(id) ? rules.get(id).name : "");
const label = (key, value) => (key === "rule" ? `${value} ${ruleName(value)}` : value);

/* What a search looks at. Made when it is first needed. */
function searched(finding) {
  if (finding.text === undefined) {
    const steps = [...finding.flow, ...finding.other];
    finding.text = [
      label("rule", finding.rule), finding.place.file, inFunction(finding.place), finding.message, finding.fingerprint,
      ...finding.locks, ...steps.map((step) => `${inFunction(step.place)} ${step.place.file}`),
    ].join("\n").toLowerCase();
  }
  return finding.text;
}

/* The question: chosen values by facet (none: all), and words that all must occur. */
const chosen = Object.fromEntries(FACETS.map((facet) => [facet.key, new Set()]));
let words = [];

/* The findings that answer the question, and for each facet how many there are of each value, were it not for what
   is chosen in that facet itself. */
function answer() {
  const shown = [];
  const counts = Object.fromEntries(FACETS.map((facet) => [facet.key, new Map()]));
  const count = (key, finding) => {
    for (const value of finding.values[key]) counts[key].set(value, (counts[key].get(value) || 0) + 1);
  };
  for (const finding of findings) {
    if (words.length && !words.every((word) => searched(finding).includes(word))) continue;
    const failed = FACETS.filter(
      ({ key }) => chosen[key].size && !finding.values[key].some((value) => chosen[key].has(value)));
    if (failed.length === 0) {
      shown.push(finding);
      for (const { key } of FACETS) count(key, finding);
    } else if (failed.length === 1) count(failed[0].key, finding);
  }
  return { shown, counts };
}

/* Rows for the list: a heading for each value of the facet `key`, below it its findings. Findings with several locks
   stand below each. */
function grouped(shown, key, closed) {
  if (!key) return shown.map((finding, at) => ({ finding, at, of: shown.length, level: 1 }));
  const groups = new Map();
  for (const finding of shown) {
    for (const value of finding.values[key]) {
      if (!groups.has(value)) groups.set(value, []);
      groups.get(value).push(finding);
    }
  }
  const names = [...groups.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  if (key === "lock") names.sort((a, b) => groups.get(b).length - groups.get(a).length);
  const rows = [];
  names.forEach((name, at) => {
    const members = groups.get(name);
    const open = !closed.has(name);
    rows.push({ group: name, text: label(key, name), size: members.length, open, at, of: names.length, level: 1 });
    if (open) members.forEach((finding, nth) => rows.push({ finding, at: nth, of: members.length, level: 2 }));
  });
  return rows;
}
