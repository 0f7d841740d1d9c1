"use strict";
(() => {
  const picture = document.getElementById("picture");
  const arrows = picture ? [...picture.querySelectorAll(".arrow")] : [];
  const boxes = picture ? [...picture.querySelectorAll(".box")] : [];

  /* A box, its arrows and what these lead to stay as they are; all else fades. */
  function choose(number) {
    const near = new Set([number]);
    for (const arrow of arrows) {
      const mine = arrow.dataset.from === number || arrow.dataset.to === number;
      arrow.classList.toggle("near", mine);
      if (mine) near.add(arrow.dataset.from).add(arrow.dataset.to);
    }
    for (const box of boxes) box.classList.toggle("near", near.has(box.dataset.number));
    picture.classList.toggle("chosen", number !== null);
  }

  for (const box of boxes) {
    const whole = box.parentElement;
    box.addEventListener("pointerenter", () => choose(box.dataset.number));
    box.addEventListener("pointerleave", () => choose(null));
    whole.addEventListener("focus", () => choose(box.dataset.number));
    whole.addEventListener("blur", () => choose(null));
  }

  /* Memory reclaim is the middle of it all. */
  const frame = document.querySelector(".frame");
  const reclaim = picture && picture.querySelector(".reclaim rect");
  if (reclaim) {
    frame.scrollLeft = Number(reclaim.getAttribute("x")) + Number(reclaim.getAttribute("width")) / 2 - frame.clientWidth / 2;
  }

  /* What an address names is shown. */
  function open() {
    const named = location.hash && document.getElementById(location.hash.slice(1));
    if (named && named.tagName === "DETAILS") {
      named.hidden = false;
      named.open = true;
      named.scrollIntoView();
    }
  }
  window.addEventListener("hashchange", open);
  open();

  const search = document.getElementById("search");
  const entries = [...document.querySelectorAll("details")].map((entry) => [entry, entry.textContent.toLowerCase()]);
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const [entry, text] of entries) entry.hidden = !words.every((word) => text.includes(word));
  });
})();
