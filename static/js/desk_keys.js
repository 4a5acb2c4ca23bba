// The keyboard of the desk: ? shows the keys, g and a letter go to a page, j and k walk a table.
const help = document.getElementById("keys");
const WAIT = 1500;
let afterG = 0;

const typing = (node) => node.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

for (const item of document.querySelectorAll("[data-keys-open]")) {
  item.hidden = false;
  item.querySelector("button").addEventListener("click", () => help.showModal());
}
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]") || event.target.matches("dialog[open]")) event.target.closest("dialog").close();
});

// Rows of the page's first tables: the link of each, or what can be focused in it.
function rows() {
  return [...document.querySelectorAll("main tbody tr")].filter((row) => row.offsetParent && target(row));
}
const target = (row) => row.querySelector("th a, td a, a, input, button");

function walk(step) {
  const all = rows();
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[here < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, here + step))];
  if (next) {
    target(next).focus();
    next.scrollIntoView({ block: "nearest" });
  }
}

const single = {
  "?": () => help.showModal(),
  "/": () => document.dispatchEvent(new CustomEvent("desk:find")),
  j: () => walk(1),
  k: () => walk(-1),
  x: () => document.activeElement.closest("tr")?.querySelector("input[name=pick]")?.click(),
  "[": () => document.querySelector(".pager [rel=prev]")?.click(),
  "]": () => document.querySelector(".pager [rel=next]")?.click(),
  g: () => { afterG = Date.now(); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const going = Date.now() - afterG < WAIT && document.querySelector(`.menu [data-go="${CSS.escape(event.key)}"]`);
  afterG = 0;
  if (going) {
    event.preventDefault();
    location.assign(going.href);
  } else if (Object.hasOwn(single, event.key)) {
    event.preventDefault();
    single[event.key]();
  }
});
