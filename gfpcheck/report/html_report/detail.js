/* One finding: what, where, why. */

/* Steps of one side, numbered from `first` on. */
function numbered(steps, first, place) {
  return steps.map((step, index) => Object.assign({}, step, {
    number: first + index, main: step.place.file === place.file && step.place.line === place.line,
  }));
}

/* The chain: who takes what, who calls whom, who allocates. Each step leads to its line. */
function chain(steps) {
  return element("ol", { class: "chain" }, steps.map((step) => {
    const item = element("li", {},
      element("button", { type: "button", onclick: () => reveal(step.number) },
        element("span", { class: "step" }, String(step.number)),
        element("span", { class: "told" }, element("b", {}, inFunction(step.place) || shortName(step.place.file)), " ", step.text,
          element("span", { class: "place" }, ` ${step.place.file}:${step.place.line}`))));
    item.style.setProperty("--depth", String(Math.min(step.depth, 8)));
    return item;
  }));
}

function reveal(step) {
  const note = byId(`step-${step}`);
  note.scrollIntoView({ block: "center" });
  note.focus({ preventScroll: true });
}

/* A rule's documentation: as much of Markdown as it uses. */
function documentation(text) {
  const made = element("div", { class: "help" });
  text.split("```").forEach((part, index) => {
    if (index % 2) {
      made.append(element("pre", { tabindex: "0" }, element("code", {}, part.replace(/^\w*\n/, "").trimEnd())));
      return;
    }
    for (const block of part.split(/\n\s*\n/).map((each) => each.trim()).filter(Boolean)) {
      const heading = /^#+\s+(.*)/.exec(block);
      if (heading) {
        made.append(element("h4", {}, heading[1]));
        const rest = block.slice(heading[0].length).trim();
        if (rest) made.append(prose("p", rest));
      } else if (/^[*-] /.test(block)) {
        made.append(element("ul", {}, block.split(/\n(?=[*-] )/).map((item) => prose("li", item.slice(2)))));
      } else made.append(prose("p", block));
    }
  });
  return made;
}

const prose = (name, text) =>
  element(name, {}, text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part)));

/* The whole finding, as the children of its section. `back` and `step` are what its buttons do. */
function detail(finding, back, step) {
  const { place } = finding;
  const rule = rules.get(finding.rule);
  // Its own line is shown in any case: a change may have brought about what happens elsewhere.
  const own = { place, kind: "", depth: 0, text: finding.flow.length ? "the finding stands here" : finding.message };
  const passed = finding.flow.some((each) => each.place.file === place.file && each.place.line === place.line);
  const here = numbered(passed ? finding.flow : [own, ...finding.flow], 1, place);
  const there = numbered(finding.other, here.length + 1, place);
  const sourceOf = (steps) => stretches(steps).map((stretch) => excerpt(stretch, finding.level));
  return [
    element("nav", { class: "tools", "aria-label": "Findings" },
      element("button", { type: "button", id: "back", class: "quiet", onclick: back }, "\u2190 All findings"),
      element("span", { class: "spring" }),
      element("button", { type: "button", class: "quiet", onclick: () => step(-1) }, "Previous"),
      element("button", { type: "button", class: "quiet", onclick: () => step(1) }, "Next")),
    element("p", { class: "kind" }, pill(finding.level), element("span", { class: "id" }, finding.rule),
      ` ${ruleName(finding.rule)}`),
    element("h2", {}, finding.message),
    element("p", { class: "meta" }, element("span", { class: "place" }, `${place.file}:${place.line}`),
      place.function ? ` in ${inFunction(place)}` : null, ` \u00b7 confidence: ${finding.confidence}`,
      finding.baseline ? ` \u00b7 baseline: ${finding.baseline}` : null,
      finding.locks.length ? ` \u00b7 ${finding.locks.length === 1 ? "lock" : "locks"}: ${finding.locks.join(", ")}` : null),
    element("h3", {}, "How it comes about"), chain(here), sourceOf(here),
    there.length ? [element("h3", {}, "On the other side"), chain(there), sourceOf(there)] : null,
    finding.also.length ? element("details", { class: "also" },
      element("summary", {}, `The same from ${counted(finding.also.length, "other places")}`),
      element("ul", { class: "place" }, finding.also.map((each) => element("li", {}, each)))) : null,
    rule ? element("details", { class: "rule" },
      element("summary", {}, `About ${rule.id} ${rule.name}`), prose("p", rule.summary), documentation(rule.help)) : null,
    element("p", { class: "fingerprint" }, "Fingerprint ", element("a", { href: `#${finding.fingerprint}` }, finding.fingerprint)),
  ].flat(2).filter((child) => child !== null);
}
