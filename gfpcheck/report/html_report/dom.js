/* Elements. Text goes into the page as text, never as markup. */

const byId = (id) => document.getElementById(id);

/* An element with attributes, listeners ("onclick", ...) and children; a null child is left out. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null));
  return made;
}

const number = (value) => value.toLocaleString("en");
const counted = (value, plural) => `${number(value)} ${value === 1 ? plural.replace(/ies$/, "y").replace(/s$/, "") : plural}`;
const pill = (level) => element("span", { class: `pill ${level}` }, level);
const inFunction = (place) => (place.function ? `${place.function}()` : "");
const shortName = (file) => file.slice(file.lastIndexOf("/") + 1);
