// Tells the server how far a page was read: half of it (or 30 s in view), to its end, passed on.
// Nothing about the reader is sent: what the page is about (sealed), and whose link led here.
const keys = document.body.dataset.keys;
const led = new URLSearchParams(location.search).get("a") ?? "";
const token = /^[\w-]{0,300}$/.test(led) ? led : "-"; // what cannot be a token of ours counts as a forged one
const LEAST = 5; // seconds in view before a position counts: a fling to the end is not reading
const LONG = 30; // seconds in view that count as engaged wherever the reader is
const told = new Set();
const unkept = new Set();

// All of it in the address: no server has to wait for a body.
const address = (kind) => `/r?k=${kind}&p=${keys}&a=${token}`;

// Only a clear "not kept" is tried again; a lost answer may have been counted.
const post = (kind, tries = 3) =>
  fetch(address(kind), { method: "POST", keepalive: true }).then(
    (answer) => {
      unkept.delete(kind);
      if (answer.status !== 503 || tries === 1) return;
      unkept.add(kind);
      setTimeout(() => unkept.has(kind) && post(kind, tries - 1), 5000);
    },
    () => {},
  );

const tell = (kind) => {
  if (told.has(kind)) return;
  told.add(kind);
  post(kind);
};

const share = async () => {
  try {
    if (navigator.share) await navigator.share({ title: document.title, url: location.href });
    else await navigator.clipboard.writeText(location.href);
    tell("shared");
  } catch {
    // the reader changed their mind
  }
};

if (keys) {
  const text = document.querySelector("[data-read]") ?? document.querySelector("main") ?? document.body;
  let seconds = 0;
  let read = 0;
  const look = setInterval(() => {
    if (document.visibilityState !== "visible") return;
    seconds += 1;
    const { top, height } = text.getBoundingClientRect();
    read = Math.max(read, (innerHeight - top) / Math.max(height, 1));
    if (seconds < LEAST) return;
    if (read >= 0.5 || seconds >= LONG) tell("engaged");
    if (read >= 0.98) tell("completed");
    if (told.has("completed")) clearInterval(look);
  }, 1000);
  document.addEventListener("click", (event) => event.target.closest("[data-share]") && share());
  addEventListener("pagehide", () => {
    for (const kind of unkept) navigator.sendBeacon(address(kind));
    unkept.clear();
  });
}
