// The editor of a piece. Everything here adds to a form that works without it.
import { facts } from "./piece_facts.js";
import { look } from "./piece_look.js";
import { palette } from "./piece_palette.js";
import { pictures } from "./piece_pictures.js";
import { mark, markLine } from "./piece_text.js";
import { keeping } from "./piece_unsaved.js";

const form = document.querySelector("form[data-editor]");
const field = form.querySelector("textarea[name=text]");
const cols = document.querySelector(".edit-cols");
const tabs = document.querySelector("[data-tabs]");
const help = document.querySelector("[data-editor-keys]");
const bar = form.querySelector("[data-palette]");

const fields = facts(form, () => shown.refresh(true));
const shown = look(form, field, fields.told);
const blocks = bar && palette(bar, field);
keeping(form, field);
if (bar) pictures(form, field, fields, shown.refresh);
for (const button of form.querySelectorAll("[data-without-script]")) button.hidden = true;

// On a phone the text and its look are two tabs.
const tab = (name) => {
  cols.dataset.show = name;
  for (const button of tabs.children) button.setAttribute("aria-pressed", String(button.dataset.tab === name));
  if (name === "look") shown.refresh();
};
tabs.hidden = false;
tabs.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) tab(button.dataset.tab);
});

// A finding or a fault leads to its place in the text.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-offset], button[data-line]");
  if (!button) return;
  tab("write");
  if (button.dataset.line) markLine(field, Number(button.dataset.line));
  else mark(field, Number(button.dataset.offset), Number(button.dataset.length));
});

const opener = form.querySelector("[data-open-keys]");
opener.hidden = false;
opener.addEventListener("click", () => help.showModal());

const keys = {
  s: () => form.requestSubmit(form.querySelector("button[value=save]")),
  enter: () => shown.refresh(),
  ".": () => blocks?.open(),
};
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (event.shiftKey && key === "e") shown.toggle();
  else if (!event.shiftKey && Object.hasOwn(keys, key)) keys[key]();
  else return;
  event.preventDefault();
});
document.querySelector("#faults")?.focus();
