// The look beside the text: the server renders what is typed, nothing of it is stored, and the place scrolled to stays.
import { become, markLine } from "./piece_text.js";

const PAUSE = 500;

// What the form says, without files; the fields of the front matter only where they are meant.
export const spoken = (form, withFacts = false) => {
  const data = new FormData(form);
  for (const [name, value] of [...data]) {
    if (value instanceof File || (!withFacts && (name.startsWith("fact.") || name === "facts_shown"))) data.delete(name);
  }
  return data;
};

// A page without what runs, as a document.
const bare = (html) => {
  const made = new DOMParser().parseFromString(html, "text/html");
  for (const script of made.querySelectorAll("script")) script.remove();
  return made;
};
const sheets = (page) => [...page.querySelectorAll("link[rel=stylesheet]")].map((one) => one.getAttribute("href")).join(" ");

// Only the body is exchanged while the style stays the same: no flicker, and the place stays.
const show = (frame, html) => {
  const made = bare(html);
  const now = frame.contentDocument;
  const top = now?.scrollingElement?.scrollTop ?? 0;
  if (now?.body?.childElementCount && sheets(now) === sheets(made)) {
    for (const { name } of [...now.documentElement.attributes]) now.documentElement.removeAttribute(name);
    for (const { name, value } of made.documentElement.attributes) now.documentElement.setAttribute(name, value);
    now.body.replaceWith(now.adoptNode(made.body));
    now.scrollingElement.scrollTop = top;
    return;
  }
  frame.addEventListener("load", () => {
    const page = frame.contentDocument;
    page.scrollingElement.scrollTop = top;
    page.addEventListener("click", (event) => {
      if (event.target.closest("a[href], button")) event.preventDefault(); // a look leads nowhere
    });
  }, { once: true });
  frame.srcdoc = `<!doctype html>${made.documentElement.outerHTML}`;
};

export const look = (form, field, told) => {
  const words = form.dataset;
  const frame = document.querySelector("[data-phone]");
  const modes = document.querySelector("[data-modes]");
  const note = document.querySelector("[data-live-note]");
  const list = form.querySelector("[data-live-faults]");
  let elder = false;
  let timer = 0;
  let asked = null;

  const tell = (faults) => {
    list.replaceChildren();
    if (!faults.length) return;
    const items = faults.map((fault) => {
      const item = document.createElement("li");
      if (fault.line) {
        const button = Object.assign(document.createElement("button"), { type: "button", className: "passage" });
        button.textContent = words.wordLine.replace("{line}", fault.line);
        button.addEventListener("click", () => markLine(field, fault.line));
        item.append(button, " ");
      }
      item.append(fault.words);
      return item;
    });
    const made = document.createElement("ul");
    made.append(...items);
    list.append(made);
  };

  // `withFacts`: what was changed in the fields is written into the text by the server first.
  const refresh = async (withFacts = false) => {
    clearTimeout(timer);
    asked?.abort();
    asked = new AbortController();
    const typed = field.value;
    const data = spoken(form, withFacts);
    data.set("elder", elder ? "1" : "");
    try {
      const answer = await fetch(words.live, { method: "POST", body: data, headers: { Accept: "application/json" }, signal: asked.signal });
      const said = await answer.json();
      if (!answer.ok) throw new Error(said.error?.message);
      if (withFacts && field.value === typed && said.text !== typed) {
        become(field, said.text);
        field.dispatchEvent(new CustomEvent("written", { bubbles: true }));
      }
      if (said.html) show(frame, said.html);
      if (said.html) frame.hidden = false;
      frame.classList.toggle("older", !said.html);
      note.textContent = said.html ? "" : words.wordOlder;
      tell(said.faults);
      told(said, withFacts);
    } catch (error) {
      if (error.name !== "AbortError") note.textContent = error.message && !(error instanceof TypeError) ? error.message : words.wordFailed;
    }
  };

  const mode = (to) => {
    elder = to;
    frame.contentDocument?.documentElement.toggleAttribute("data-elder", elder); // also while faults hold the look back
    for (const button of modes.children) button.setAttribute("aria-pressed", String((button.dataset.elder === "1") === elder));
    refresh();
  };

  modes.hidden = false;
  document.querySelector(".live").classList.add("tabbed");
  modes.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) mode(button.dataset.elder === "1");
  });
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, PAUSE);
  });
  refresh();
  return { refresh, toggle: () => mode(!elder) };
};
