// The box that Ctrl+K opens: pages of the menu at once, things from the server as one types.
const box = document.getElementById("finder");
const text = document.getElementById("finder-text");
const list = document.getElementById("finder-hits");
const note = document.getElementById("finder-note");
const PAUSE = 150;
let waiting = 0;
let asked = null;
let current = -1;

function open(event) {
  event?.preventDefault();
  document.querySelector(".drawer[open]")?.removeAttribute("open");
  if (box.open) return;
  box.showModal();
  text.select();
  show();
}

function pages(words) {
  const known = new Map();
  for (const link of document.querySelectorAll(".side .menu a")) {
    const title = link.firstChild.textContent.trim();
    const wanted = title.toLowerCase().includes(words.toLowerCase());
    if (wanted || words === link.dataset.go) known.set(link.getAttribute("href"), title);
  }
  return [...known].map(([href, title]) => ({ href, title, note: "", kind: box.dataset.pageKind }));
}

function row(hit, number) {
  const item = document.createElement("li");
  item.id = `finder-hit-${number}`;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  item.dataset.href = hit.href;
  for (const [name, words] of [["finder-kind", hit.kind], ["finder-title", hit.title], ["finder-more", hit.note]]) {
    const part = document.createElement("span");
    part.className = name;
    part.textContent = words;
    item.append(part);
  }
  return item;
}

function fill(hits) {
  list.replaceChildren(...hits.map(row));
  text.setAttribute("aria-expanded", String(hits.length > 0));
  choose(hits.length && text.value.trim() ? 0 : -1);
}

function choose(number) {
  current = number;
  [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === number)));
  const item = list.children[number];
  if (item) {
    text.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  } else text.removeAttribute("aria-activedescendant");
}

async function show() {
  const words = text.value.trim();
  const found = pages(words);
  fill(found);
  if (!words) {
    note.textContent = box.dataset.start;
    return;
  }
  asked?.abort();
  asked = new AbortController();
  try {
    const answer = await fetch(`/desk/search.json?q=${encodeURIComponent(words)}`, { signal: asked.signal });
    if (!answer.ok) throw new Error(String(answer.status));
    const hits = [...found, ...(await answer.json())];
    fill(hits);
    note.textContent = hits.length ? box.dataset.some.replace("{count}", hits.length) : box.dataset.none;
  } catch (fault) {
    if (fault.name !== "AbortError") note.textContent = found.length ? "" : box.dataset.none;
  }
}

text.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, PAUSE);
});

text.addEventListener("keydown", (event) => {
  const count = list.children.length;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && count) {
    event.preventDefault();
    choose((current + step + count) % count);
  } else if (event.key === "Enter" && current >= 0) {
    event.preventDefault();
    location.assign(list.children[current].dataset.href);
  }
});

list.addEventListener("click", (event) => {
  const item = event.target.closest("[data-href]");
  if (item) location.assign(item.dataset.href);
});

for (const link of document.querySelectorAll("[data-finder]")) link.addEventListener("click", open);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") open(event);
});
document.addEventListener("desk:find", open);
