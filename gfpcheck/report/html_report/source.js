/* Source with what it means written into it. */

const AROUND = 3;
const TOKEN = new RegExp([
  String.raw`(?<comment>\/\/.*|\/\*.*?(?:\*\/|$))`, String.raw`(?<string>"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?)`,
  String.raw`(?<directive>^\s*#\s*\w+)`, String.raw`(?<number>\b\d\w*)`, String.raw`(?<word>[A-Za-z_]\w*)`,
].join("|"), "g");
const KEYWORDS = new Set((
  "auto break case char const continue default do double else enum extern float for goto if inline int long register "
  + "return short signed sizeof static struct switch typedef typeof union unsigned void volatile while bool").split(" "));

/* Pieces of a line of C: [text, class]. What begins with an asterisk is taken for a comment's inner line. */
function pieces(text) {
  if (/^\s*\*(\s|\/|$)/.test(text)) return [[text, "comment"]];
  const found = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    let kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
    if (kind === "word") {
      if (KEYWORDS.has(match[0])) kind = "keyword";
      else if (/^_*[A-Z][A-Z0-9_]+$/.test(match[0])) kind = "constant";
      else if (text[match.index + match[0].length] === "(") kind = "call";
      else continue;
    }
    found.push([text.slice(end, match.index), ""], [match[0], kind]);
    end = match.index + match[0].length;
  }
  found.push([text.slice(end), ""]);
  return found.filter(([piece]) => piece);
}

/* The line, the words in `spans` ([start, end] in code points) marked. */
function codeLine(text, spans) {
  const offset = (points) => [...text].slice(0, points).join("").length;
  const marks = spans.map(([start, end]) => [offset(start), offset(end)]);
  const code = element("code");
  let at = 0;
  for (const [piece, kind] of pieces(text)) {
    const end = at + piece.length;
    const cuts = [at, ...marks.flat().filter((cut) => cut > at && cut < end), end].sort((a, b) => a - b);
    for (let index = 0; index + 1 < cuts.length; index += 1) {
      const [from, to] = [cuts[index], cuts[index + 1]];
      const marked = marks.some(([start, stop]) => from >= start && to <= stop);
      if (from < to) code.append(element(marked ? "mark" : "span", kind ? { class: kind } : {}, text.slice(from, to)));
    }
    at = end;
  }
  return code;
}

/* The steps, each with its number, put together by function: [{file, function, steps}]. */
function stretches(steps) {
  const found = [];
  for (const step of steps) {
    const last = found[found.length - 1];
    const { file, function: name } = step.place;
    if (last && last.file === file && last.function === name) last.steps.push(step);
    else found.push({ file, function: name, steps: [step] });
  }
  return found;
}

/* The source of one stretch: the lines of its steps and those around, each step's text below its line. */
function excerpt(stretch, level) {
  const lines = sources.get(stretch.file) || {};
  const own = new Map();
  for (const step of stretch.steps) own.set(step.place.line, [...(own.get(step.place.line) || []), step]);
  const wanted = new Set(own.keys());
  for (const line of own.keys()) {
    for (let near = line - AROUND; near <= line + AROUND; near += 1) if (near in lines) wanted.add(near);
  }
  const body = element("div", { class: "lines" });
  let before = null;
  for (const line of [...wanted].sort((a, b) => a - b)) {
    if (before !== null && line !== before + 1) body.append(element("div", { class: "gap", "aria-hidden": "true" }, "\u22ef"));
    before = line;
    const steps = own.get(line) || [];
    const places = steps.map((step) => step.place);
    const other = places.find((place) => place.text !== undefined);
    const text = other ? other.text : lines[line];
    const spans = (other ? [other] : places).filter((place) => place.end > place.start).map(({ start, end }) => [start, end]);
    body.append(element("div", { class: steps.length ? "line told" : "line" },
      element("span", { class: "lineno" }, String(line)),
      text === undefined ? element("code", { class: "missing" }, "(source not found)") : codeLine(text, spans)));
    for (const step of steps) {
      body.append(element("div", { class: `remark ${step.main ? level : ""}`, id: `step-${step.number}`, tabindex: "-1" },
        element("span", { class: "step" }, String(step.number)), element("span", {}, step.text)));
    }
  }
  return element("figure", { class: "excerpt" },
    element("figcaption", {}, element("span", { class: "file" }, stretch.file),
      stretch.function ? element("span", { class: "function" }, `${stretch.function}()`) : null),
    element("div", { class: "scroll", tabindex: "0", role: "region",
      "aria-label": `Source of ${stretch.function || stretch.file}` }, body));
}
