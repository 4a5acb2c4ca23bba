// Forms of a room's parts: rows come and go without leaving the page, short YAML is checked when it was typed,
// and hotspots are drawn on the picture. Without this script the same buttons send the form.
import { stage } from "./room_stage.js";

const holder = document.querySelector("#part-form");
let dirty = false;

const send = async (form, submitter, value) => {
  const data = new FormData(form, submitter);
  if (value) data.set("do", value);
  const files = [...data.values()].some((one) => one instanceof File && one.size);
  const body = files ? data : new URLSearchParams([...data].filter(([, one]) => !(one instanceof File)));
  const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Part": "1" } });
  const html = await answer.text();
  if (!html.includes('class="part-form"')) throw new Error(`${answer.status}`);
  return html;
};

// Which rows were open stays so; the one that was just added is opened by the server.
const exchange = (html, pressed) => {
  const open = new Map([...holder.querySelectorAll("[data-row]")].map((row) => [row.dataset.row, row.open]));
  holder.innerHTML = html;
  for (const row of holder.querySelectorAll("[data-row]")) if (open.has(row.dataset.row)) row.open = open.get(row.dataset.row);
  begin();
  const [verb, path] = pressed.split(/:(.*)/);
  const again = holder.querySelector(`button[value="${CSS.escape(pressed)}"]:not(:disabled)`);
  const list = holder.querySelector(`[data-rows="${CSS.escape(verb === "add" ? path : path.replace(/\.[^.]+$/, ""))}"]`);
  const added = verb === "add" && [...list.querySelectorAll(":scope > [data-row]")].at(-1);
  (added ? added.querySelector("input:not([type=hidden]), textarea, select") : (again ?? list?.querySelector(`button[value^="add:"]`)))?.focus();
};

const rows = async (form, submitter) => {
  form.setAttribute("aria-busy", "true");
  try {
    exchange(await send(form, submitter), submitter.value);
    dirty = true;
  } catch {
    form.dataset.plain = "";
    form.requestSubmit(submitter);
  }
};

// Only what is said about the field that was left is taken over: nothing moves under the fingers.
const check = async (field) => {
  const form = field.closest("form");
  const holds = field.closest("[data-field]");
  try {
    const fresh = document.createElement("div");
    fresh.innerHTML = await send(form, undefined, "check");
    const said = fresh.querySelector(`[data-field="${CSS.escape(holds.dataset.field)}"]`);
    if (!said || !holds.isConnected) return;
    const wrong = said.classList.contains("wrong");
    holds.classList.toggle("wrong", wrong);
    holds.querySelectorAll("textarea, select, input").forEach((one) => one.toggleAttribute("aria-invalid", wrong));
    holds.querySelector(".field-errors").innerHTML = said.querySelector(".field-errors").innerHTML;
  } catch {
    // the next save says it
  }
};

const begin = () => {
  const form = holder.querySelector("form");
  const drawn = holder.querySelector("[data-stage]");
  if (drawn) stage(drawn, form);
};

holder.addEventListener("submit", (event) => {
  const verb = event.submitter?.value?.split(":")[0];
  if (!["add", "remove", "up", "down"].includes(verb) || "plain" in event.target.dataset) {
    dirty = false;
    return;
  }
  event.preventDefault();
  rows(event.target, event.submitter);
});
holder.addEventListener("input", () => {
  dirty = true;
});
holder.addEventListener("change", (event) => {
  if (event.target.matches("[data-field] textarea.code, [data-field] select")) check(event.target);
});
addEventListener("beforeunload", (event) => {
  if (dirty) event.preventDefault();
});
begin();
holder.querySelector("#faults")?.focus();
