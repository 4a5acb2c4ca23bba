// Keeps what is not saved yet, every few seconds and on leaving, so that it can be gone on with anywhere.
import { spoken } from "./piece_look.js";

const IDLE = 3000;
const LONGEST = 12000;

export const keeping = (form, field) => {
  const words = form.dataset;
  const line = form.querySelector("[data-kept]");
  const first = field.value;
  const stale = form.querySelector("[name=follows]").value !== "0"; // it holds unsaved work already
  let kept = first;
  let timer = 0;
  let since = 0;
  let busy = null;
  let stopped = false;
  let saving = false;

  const say = (text, bad = false) => {
    line.textContent = text;
    line.classList.toggle("bad", bad);
  };

  const send = async (leaving) => {
    clearTimeout(timer);
    since = 0;
    const text = field.value;
    const request = { method: "POST", body: spoken(form), headers: { Accept: "application/json" } };
    // What is sent while leaving may be 64 kB; what is longer goes as usual.
    const small = leaving && text.length < 20_000;
    try {
      const answer = await fetch(words.keep, { ...request, keepalive: small });
      const said = await answer.json();
      if (!answer.ok) {
        stopped = answer.status === 409;
        say(said.error?.message ?? words.wordLost, true);
        return;
      }
      kept = text;
      form.elements.follows.value = said.follows;
      say(words.wordKept.replace("{time}", said.at));
    } catch {
      say(words.wordLost, true);
    }
  };

  const keep = (leaving = false) => {
    if (busy || stopped || saving || field.value === kept) return busy;
    busy = send(leaving).finally(() => {
      busy = null;
      if (field.value !== kept) later();
    });
    return busy;
  };

  const later = () => {
    if (stopped || saving) return;
    since ||= Date.now();
    clearTimeout(timer);
    timer = setTimeout(keep, Math.max(0, Math.min(IDLE, since + LONGEST - Date.now())));
  };

  const changed = () => {
    if ("waits" in words) say(words.wordWaits, true);
    else later();
  };
  if ("waits" in words) stopped = true;
  field.addEventListener("input", changed);
  field.addEventListener("written", changed);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") keep(true);
  });
  addEventListener("pagehide", () => keep(true));
  addEventListener("beforeunload", (event) => {
    if (!saving && (stale || field.value !== first)) event.preventDefault();
  });

  // Nothing may be kept after it was saved: what is under way is waited for.
  form.addEventListener("submit", (event) => {
    if (!["save", "check"].includes(event.submitter?.value)) return;
    saving = true;
    clearTimeout(timer);
    if (!busy) return;
    event.preventDefault();
    busy.finally(() => form.requestSubmit(event.submitter));
  });
  return { keep };
};
