/* The page: what is asked, what is open. The open finding's fingerprint stands in the address. */

let current = null;
let asked = null;
const closed = new Set();
const narrow = matchMedia("(max-width: 760px)");

const list = new List((finding) => open(finding, true), (group, row) => {
  if (!closed.delete(group)) closed.add(group);
  drawList();
  list.activate(row);
});

function update() {
  asked = answer();
  drawFacets(asked.counts, update);
  byId("facets-open").classList.toggle("on", FACETS.some(({ key }) => chosen[key].size));
  byId("list").scrollTop = 0;
  drawList();
  const all = findings.length;
  byId("status").textContent = asked.shown.length === all ? counted(all, "findings")
    : `${number(asked.shown.length)} of ${counted(all, "findings")}`;
}

function drawList() {
  const rows = grouped(asked.shown, byId("group").value, closed);
  list.show(rows, current);
  byId("list").classList.toggle("empty", rows.length === 0);
  byId("list").dataset.empty = findings.length ? "Nothing fits." : "Nothing was found.";
}

function open(finding, byUser) {
  current = finding;
  const section = byId("detail");
  section.replaceChildren(...detail(finding, back, (direction) => list.step(direction)));
  section.scrollTop = 0;
  const before = document.body.classList.contains("reading");
  document.body.classList.add("reading");
  if (!byUser) return;
  // On a narrow page the finding covers the list: the browser's way back leads there.
  history[narrow.matches && !before ? "pushState" : "replaceState"]({ opened: true }, "", `#${finding.fingerprint}`);
  if (narrow.matches) section.focus();
}

function back() {
  if (narrow.matches && history.state && history.state.opened) history.back();
  else leave();
}

function leave() {
  document.body.classList.remove("reading");
  byId("list").focus();
}

/* Opens what the address names. */
function follow() {
  const wanted = findings.find((finding) => `#${finding.fingerprint}` === location.hash);
  if (wanted) {
    if (wanted.fingerprint !== (current && current.fingerprint) || !document.body.classList.contains("reading")) open(wanted, false);
    drawList();
    if (list.active >= 0) list.activate(list.active);
  } else if (narrow.matches) leave();
}

function head() {
  const files = new Set(findings.map((finding) => finding.place.file)).size;
  byId("scope").append(element("b", {}, counted(findings.length, "findings")), ` in ${counted(files, "files")}`,
    report.kernel ? ` \u00b7 Linux ${report.kernel}` : "", report.losses.length ? " \u00b7 not everything was looked at" : "");
  const lines = (title, all) => (all.length
    ? [element("h3", {}, title), element("ul", {}, all.map((each) => element("li", {}, each)))] : []);
  byId("about").append(
    element("h2", {}, "About this run"),
    element("dl", {}, [
      ["Command", report.command], ["Sources", report.setup], ["Kernel", report.kernel], ["Architecture", report.arch],
      ["gfpcheck", report.version],
    ].filter(([, value]) => value).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
    element("h3", {}, "Counted"),
    element("dl", {}, Object.entries(report.counts).flatMap(([name, value]) =>
      [element("dt", {}, name), element("dd", {}, number(value))])),
    ...lines(`Not looked at: ${number(report.losses.length)}`, report.losses),
    ...lines("Stale in the baseline", report.stale),
    element("button", { type: "button", onclick: () => byId("about").close() }, "Close"));
}

byId("search").addEventListener("input", (event) => {
  words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  update();
});
byId("group").addEventListener("change", () => {
  closed.clear();
  byId("list").scrollTop = 0;
  drawList();
});
byId("about-open").addEventListener("click", () => byId("about").showModal());
byId("facets-open").addEventListener("click", openFacets);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement === byId("list")) {
    event.preventDefault();
    byId("search").focus();
  } else if (event.key === "Escape" && !byId("about").open) {
    if (document.body.classList.contains("filtering")) closeFacets();
    else if (document.activeElement === byId("search")) byId("list").focus();
    else if (byId("detail").contains(document.activeElement)) back();
  }
});
addEventListener("popstate", follow);

head();
update();
if (location.hash.length > 1) follow();
if (!current && findings.length && !narrow.matches) open(list.rows.find((row) => row.finding).finding, false);
if (current) {
  drawList();
  if (list.heights && list.active >= 0) list.activate(list.active);
}
