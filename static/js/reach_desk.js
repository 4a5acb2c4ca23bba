// The reach report: fetch what was still being counted, walk the calendar by keys. All works without.
const closeOthers = (event) => {
  for (const pop of document.querySelectorAll("details.pop[open]")) if (!pop.contains(event.target)) pop.open = false;
};
document.addEventListener("click", closeOthers);
document.addEventListener("keydown", (event) => {
  const pop = event.key === "Escape" && document.querySelector("details.pop[open]");
  if (!pop) return;
  pop.open = false;
  pop.querySelector("summary").focus();
});

const fill = async (note, tries) => {
  const answer = await fetch(note.dataset.late);
  if (!answer.ok) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const whole = page.querySelector(`[data-part="${part.dataset.part}"]`);
    if (whole && !part.contains(document.activeElement)) part.replaceWith(document.importNode(whole, true));
  }
  walkable();
  if (!page.querySelector("[data-late]")) note.remove();
  else if (tries > 1) await fill(note, tries - 1);
};

const walk = (wrap, event) => {
  const steps = { ArrowLeft: -7, ArrowRight: 7, ArrowUp: -1, ArrowDown: 1, Home: -4000, End: 4000 };
  const days = [...wrap.querySelectorAll("rect[data-d]")];
  const at = days.findIndex((day) => day.classList.contains("at"));
  if (event.key === "Enter" && at >= 0) return open(wrap, days[at]);
  if (!(event.key in steps)) return;
  event.preventDefault();
  tell(wrap, days[at < 0 ? 0 : Math.min(days.length - 1, Math.max(0, at + steps[event.key]))]);
};
const tell = (wrap, day) => {
  for (const one of document.querySelectorAll("rect.at")) one.classList.remove("at");
  day.classList.add("at");
  wrap.closest("section").querySelector(".heat-said").textContent = `${day.dataset.d}  ${day.dataset.n}`;
};
const open = (wrap, day) => {
  const query = new URLSearchParams(wrap.dataset.heat);
  query.set("from", day.dataset.d);
  query.set("to", day.dataset.d);
  location.href = `?${query}`;
};
const walkable = () => {
  for (const wrap of document.querySelectorAll("[data-heat]:not([data-walks])")) {
    wrap.dataset.walks = "";
    wrap.addEventListener("keydown", (event) => walk(wrap, event));
    wrap.addEventListener("mouseover", (event) => event.target.dataset?.d && tell(wrap, event.target));
    wrap.addEventListener("click", (event) => event.target.dataset?.d && open(wrap, event.target));
  }
};
walkable();

const note = document.querySelector("[data-late]");
if (note) fill(note, 8).catch(() => note.querySelector(".spin").remove());
