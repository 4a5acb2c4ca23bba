// Offers to tell this browser of news, where it can: never inside WeChat, never unasked. The browser's own question
// comes only after a tap on a button that stands below what comes and how often.
const box = document.querySelector("[data-told]");
const SCOPE = "/push/";
const part = (name) => box.querySelector(`[data-told-${name}]`);
const able =
  box && isSecureContext && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window &&
  Notification.permission !== "denied" && !/MicroMessenger/i.test(navigator.userAgent);
let offer = null;

async function post(verb, body) {
  return fetch(`/push/${verb}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
}

const say = (words) => (part("said").textContent = words);

function show(on) {
  part("ask").hidden = on;
  part("on").hidden = !on;
  box.hidden = false;
}

function open(terms) {
  part("terms").hidden = !terms;
  part("first").hidden = terms;
  part("more").setAttribute("aria-expanded", String(terms));
}

async function mine() {
  const known = await navigator.serviceWorker.getRegistration(SCOPE);
  return known?.active ? known.pushManager.getSubscription() : null;
}

// The worker rules /push/ alone and not this page, so that `ready` would wait for ever.
async function worker() {
  const made = await navigator.serviceWorker.register(`${SCOPE}worker.js`, { scope: SCOPE });
  const coming = made.installing ?? made.waiting;
  if (!made.active && coming)
    await new Promise((done) => coming.addEventListener("statechange", () => coming.state === "activated" && done()));
  return made;
}

function samekey(found) {
  const held = found.options?.applicationServerKey;
  if (!held) return false;
  const text = btoa(String.fromCharCode(...new Uint8Array(held)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "") === offer.key;
}

async function address(pushes, anew) {
  const found = await pushes.getSubscription();
  if (found && !anew && samekey(found)) return found;
  await found?.unsubscribe();
  return pushes.subscribe({ userVisibleOnly: true, applicationServerKey: offer.key });
}

// The worker is told its address too: some browsers do not say the former one when they change it.
async function remember(found) {
  await (await caches.open("push")).put("/push/mine", new Response(found.endpoint));
}

async function start() {
  const pushes = (await worker()).pushManager;
  for (const anew of [false, true]) {
    const found = await address(pushes, anew);
    const answer = await post("subscribe", {
      subscription: found.toJSON(), version: offer.version, page: location.pathname,
    });
    if (answer.ok) {
      await remember(found);
      show(true);
      return say(box.dataset.on);
    }
    const why = (await answer.json().catch(() => ({}))).error ?? {};
    if (anew || answer.status !== 409 || why.field !== "subscription") {
      await found.unsubscribe();
      return say(why.message || box.dataset.failed);
    }
  }
}

async function stop() {
  const found = await mine();
  if (found) {
    const answer = await post("stop", { endpoint: found.endpoint });
    if (!answer.ok) throw new Error(String(answer.status));
    await found.unsubscribe();
    await caches.delete("push");
  }
  open(false);
  show(false);
  say(box.dataset.off);
}

async function terms() {
  offer = await (await fetch("/push/offer", { headers: { Accept: "application/json" } })).json();
  if (!offer.key) throw new Error("no offer");
  part("words").textContent = offer.words;
  part("often").textContent = offer.often;
  open(true);
  say("");
  part("terms").focus();
}

// One thing at a time, and what went wrong is said.
function tap(name, act) {
  const button = part(name);
  button.addEventListener("click", async () => {
    if (button.disabled) return;
    button.disabled = true;
    try {
      await act();
    } catch {
      say(box.dataset.failed);
    }
    button.disabled = false;
  });
}

async function ask() {
  if ((await Notification.requestPermission()) !== "granted") return say(box.dataset.denied);
  return start();
}

async function told() {
  const found = await mine();
  if (!found || Notification.permission !== "granted") return false;
  const answer = await post("standing", { endpoint: found.endpoint });
  return answer.ok && (await answer.json()).told;
}

if (able) {
  tap("more", terms);
  tap("start", ask);
  tap("stop", stop);
  part("less").addEventListener("click", () => {
    open(false);
    part("more").focus();
  });
  told().then(show, () => show(false));
}
