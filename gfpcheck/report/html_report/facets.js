/* What one can filter by, with how much there is of each. */

const FEW = 8;
const unfolded = new Set();

/* `counts` by facet and value, as `answer` gives them; `changed` is called when a choice has changed. */
function drawFacets(counts, changed) {
  const box = byId("facets");
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.choice : null;
  const any = FACETS.some(({ key }) => chosen[key].size);
  box.replaceChildren(
    element("div", { class: "tools" }, element("h2", {}, "Filters"), element("span", { class: "spring" }),
      element("button", { type: "button", class: "quiet", id: "reset", disabled: !any, onclick: () => {
        for (const { key } of FACETS) chosen[key].clear();
        changed();
      } }, "Clear"),
      element("button", { type: "button", class: "quiet", id: "facets-close", onclick: closeFacets }, "Done")),
    ...FACETS.map((facet) => drawFacet(facet, counts[facet.key], changed)).filter((drawn) => drawn !== null));
  if (focused) {
    const again = [...box.querySelectorAll("[data-choice]")].find((each) => each.dataset.choice === focused);
    if (again) again.focus({ preventScroll: true });
  }
}

function drawFacet({ key, title, order }, counts, changed) {
  for (const value of chosen[key]) if (!counts.has(value)) counts.set(value, 0);
  if (!counts.size) return null;
  const values = [...counts.entries()].sort(([a, n], [b, m]) =>
    (order ? order.indexOf(a) - order.indexOf(b) : m - n || (a < b ? -1 : 1)));
  const most = Math.max(1, ...values.map(([, count]) => count));
  const open = unfolded.has(key);
  const shown = values.filter(([value], index) => open || index < FEW || chosen[key].has(value));
  const more = values.length - Math.min(values.length, FEW);
  return element("section", { class: "facet", "aria-label": title }, element("h3", {}, title),
    element("ul", {}, shown.map(([value, count]) => {
      const bar = element("span", { class: "bar", "aria-hidden": "true" });
      bar.style.width = `${(100 * count) / most}%`;
      return element("li", {}, element("button", {
        type: "button", "aria-pressed": String(chosen[key].has(value)), title: label(key, value),
        "data-choice": `${key} ${value}`, class: `choice ${key === "level" ? `level-${value}` : ""}`, onclick: () => {
          if (!chosen[key].delete(value)) chosen[key].add(value);
          changed();
        },
      }, element("span", { class: "value" }, label(key, value)), element("span", { class: "count" }, number(count)), bar));
    })),
    more > 0 ? element("button", { type: "button", class: "quiet", "data-choice": `more ${key}`, "aria-expanded": String(open),
      onclick: () => {
        if (!unfolded.delete(key)) unfolded.add(key);
        changed();
      } }, open ? "Fewer" : `${number(more)} more`) : null);
}

function openFacets() {
  document.body.classList.add("filtering");
  byId("facets-open").setAttribute("aria-expanded", "true");
  byId("facets-close").focus();
}

function closeFacets() {
  document.body.classList.remove("filtering");
  byId("facets-open").setAttribute("aria-expanded", "false");
  byId("facets-open").focus();
}
