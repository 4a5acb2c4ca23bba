// The screen of a waiting hall: one slide after the other, also without network; what stood its time is counted.
import { Counter } from "./screen_counter.js";

const LEAST = 5; // seconds; the server takes nothing closer
const body = document.body;
const main = document.getElementById("slides");
const controls = document.querySelector("[data-controls]");
const said = document.querySelector("[data-said]");
const pairing = document.querySelector("[data-pair]");
const counter = new Counter(body.dataset.outlet, Math.min(LEAST, seconds(main.querySelector(".slide"))));
let place = -1;
let timer = 0;
let began = 0;
let paused = false;
let waiting = null; // slides that came meanwhile
let refused = null; // what was wrong with the last code

function slides() {
  return [...main.querySelectorAll(".slide")];
}

function seconds(slide) {
  return Number(slide?.dataset.seconds ?? 12);
}

function show(to, counted) {
  clearTimeout(timer);
  const now = slides()[place];
  if (now && counted && !paused && performance.now() - began >= seconds(now) * 1000 - 300 && document.visibilityState === "visible")
    counter.showed(now.dataset.keys).catch(() => {});
  if (waiting) {
    main.querySelectorAll(".slide").forEach((one) => one.remove());
    main.append(...waiting);
    waiting = null;
    to = Math.min(to, slides().length);
  }
  const all = slides();
  place = (to + all.length) % all.length;
  all.forEach((one, at) => {
    one.classList.toggle("on", at === place);
    one.toggleAttribute("inert", at !== place);
  });
  fit(all[place]);
  document.querySelector("[data-dots]").replaceChildren(
    ...all.map((_one, at) => Object.assign(document.createElement("i"), { className: at === place ? "on" : "" })),
  );
  began = performance.now();
  body.dataset.place = place;
  if (!paused) timer = setTimeout(() => show(place + 1, true), seconds(all[place]) * 1000);
}

// Long words are set smaller, down to what is still read from three metres; then the sentence gives way.
function fit(slide) {
  const words = slide.querySelector(".words");
  const sentence = slide.querySelector(".sentence");
  sentence.hidden = false;
  for (const size of [1, 0.92, 0.85, 0.8]) {
    words.style.setProperty("--fit", size);
    if (words.scrollHeight <= words.clientHeight + 1) return;
  }
  sentence.hidden = true;
}

// New slides are taken over at the next change; when the site itself is a newer one, the page is loaded anew.
async function look() {
  try {
    const answer = await fetch(location.pathname + location.search, { cache: "no-store" });
    if (!answer.ok) return;
    if (answer.headers.get("X-From") !== "cache") await counter.clock(answer);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (fresh.body.dataset.outlet !== body.dataset.outlet) return;
    if (parts(fresh) !== parts(document)) return location.reload();
    const [newer, older] = [fresh, document].map((one) => [...one.querySelectorAll(".slide")]);
    const text = (all) => all.map((one) => one.dataset.keys + one.innerHTML).join();
    if (text(newer) !== text(older)) waiting = newer.map((one) => document.adoptNode(one));
    keep(newer.flatMap((one) => [...one.querySelectorAll("img")].map((picture) => picture.src)));
  } catch {
    // without network what is here goes on
  }
}

// What was taken down leaves at once, also what was kept for times without network: the worker takes over the new page.
async function drop() {
  try {
    const answer = await fetch("/screen/now/withdrawn", { cache: "no-store" });
    if (!answer.ok) return;
    const gone = new Set(await answer.json());
    const away = (one) => gone.has(one.dataset.piece);
    if (waiting) waiting = waiting.filter((one) => !away(one));
    const found = slides().filter(away);
    if (!found.length) return;
    const now = slides()[place];
    found.forEach((one) => one.remove());
    show(away(now) ? place : slides().indexOf(now), false);
    await look();
  } catch {
    // at the next contact
  }
}

function parts(page) {
  return [...page.querySelectorAll("link[rel=stylesheet], script[src]")].map((one) => one.getAttribute("href") ?? one.getAttribute("src")).join();
}

// Have the worker keep this page and all that it is made of.
async function keep(more = []) {
  const worker = (await navigator.serviceWorker?.ready)?.active;
  const seen = performance.getEntriesByType("resource").map((one) => one.name);
  const pictures = [...document.images].map((one) => one.src);
  const wanted = [...new Set([...seen, ...pictures, ...more])].filter((one) => new URL(one, location).pathname.match(/^\/(static|media)\//));
  worker?.postMessage({ page: location.pathname + location.search, wanted });
}

// Why a code was refused stands until another one is typed: the regular look at the pairing says nothing over it.
async function status() {
  const paired = await counter.paired();
  pairing.hidden = paired;
  said.textContent = said.dataset[paired ? "paired" : (refused ?? "unpaired")];
  body.dataset.paired = paired ? "1" : "0";
}

async function pair(code) {
  const word = await counter.pair(code);
  refused = word === "paired" ? null : word;
  await status();
  if (word === "paired") pairing.reset();
}

function steer(act) {
  if (act === "pause") {
    paused = !paused;
    const button = controls.querySelector("[data-act=pause]");
    button.setAttribute("aria-pressed", paused);
    button.textContent = paused ? button.dataset.on : button.dataset.off;
    show(place, false);
  } else if (act === "full") {
    document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.();
  } else show(place + (act === "back" ? -1 : 1), false);
}

let hiding = 0;
function wake() {
  controls.hidden = false;
  body.classList.remove("quiet");
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    if (controls.contains(document.activeElement)) return wake();
    controls.hidden = true;
    body.classList.add("quiet");
  }, 6000);
}

function tick() {
  const now = new Date();
  document.querySelector("[data-clock]").textContent = now.toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });
}

controls.addEventListener("click", (event) => event.target.dataset.act && steer(event.target.dataset.act));
pairing.addEventListener("submit", (event) => {
  event.preventDefault();
  pair(new FormData(pairing).get("code"));
});
pairing.addEventListener("input", () => {
  refused = null;
  status();
});
addEventListener("pointermove", wake);
addEventListener("keydown", (event) => {
  wake();
  if (event.target.matches("input, button")) return;
  const act = { ArrowLeft: "back", ArrowRight: "next", " ": "pause", f: "full" }[event.key];
  if (act) steer(act);
});
addEventListener("resize", () => fit(slides()[place]));
addEventListener("online", () => {
  drop();
  counter.send();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") show(place, false);
  navigator.wakeLock?.request("screen").catch(() => {});
});

body.classList.add("running", "quiet");
show(0, false);
tick();
setInterval(tick, 5000);
setInterval(look, Number(body.dataset.look) * 1000);
setInterval(drop, Number(body.dataset.gone) * 1000);
setInterval(() => counter.send().then(() => status()), Number(body.dataset.send) * 1000);
navigator.wakeLock?.request("screen").catch(() => {});
navigator.serviceWorker?.register(body.dataset.worker, { scope: "/screen/" }).then(() => keep()).catch(() => {});
navigator.serviceWorker?.addEventListener("message", (event) => (body.dataset.kept = event.data.kept));
counter.start().then(async () => {
  const code = new URLSearchParams(location.hash.slice(1)).get("pair");
  if (code) {
    history.replaceState(null, "", location.pathname + location.search);
    await pair(code);
    wake();
  } else await status();
  await look();
  await drop();
  await counter.send();
});
