/* The body of a function: the lowest contrast of a text with what is behind it, as WCAG 2 computes it, and where. */
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function rgba(color) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
}

function luminance(color) {
  const linear = color.slice(0, 3).map((each) => each / 255)
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
  return linear[0] * 0.2126 + linear[1] * 0.7152 + linear[2] * 0.0722;
}

function behind(element) {
  for (let at = element; at; at = at.parentElement) {
    const shape = at.tagName === "g" && at.querySelector(":scope > rect");
    const color = rgba(shape ? getComputedStyle(shape).fill : getComputedStyle(at).backgroundColor);
    if (color[3] > 250) return color;
  }
  return [255, 255, 255, 255];
}

let worst = [99, ""];
for (const each of document.querySelectorAll("body *")) {
  const own = [...each.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  const seen = each.getClientRects().length && getComputedStyle(each).visibility !== "hidden";
  if (!own || !seen || each.closest("noscript, .skip")) continue;
  const [high, low] = [luminance(rgba(getComputedStyle(each).color)), luminance(behind(each))].sort((a, b) => b - a);
  const ratio = (high + 0.05) / (low + 0.05);
  if (ratio < worst[0]) worst = [ratio, `${each.tagName}.${each.className}: ${each.textContent.slice(0, 40)}`];
}
return worst;
