// Check-in on a phone: the list is kept here, every act is written down here first and sent when there is network.
// The key stands behind # in the link; it is kept here and sent in a header, so no log and no referrer has it.
const $ = (id) => document.getElementById(id);
const said = document.body.dataset;
const words = JSON.parse(said.words);
const KEY = "door-key";
const EVERY = 15000; // milliseconds between looks for what other doors did

// A small store of its own: lists by key, acts by nonce.
const open = new Promise((resolve, reject) => {
  const asked = indexedDB.open("door", 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore("list");
    asked.result.createObjectStore("acts", { keyPath: "nonce" });
  };
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});
const on = async (store, mode, act) => {
  const database = await open;
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode);
    const asked = act(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(asked?.result);
    transaction.onerror = () => reject(transaction.error);
  });
};

let key = "";
let list = null;
let shift = 0; // milliseconds that our clock is ahead of the phone's
let shut = "";
const acts = new Map(); // what was done here and the server has not answered yet

const now = () => new Date(Date.now() + shift).toISOString();
const person = (number) => list.parties.flatMap((one) => one.people).find((one) => one.id === number);
const nameOf = (one) => one.name || (one.young ? said.child : said.guest);

const stop = (text) => {
  $("stop").textContent = text;
  $("stop").hidden = !text;
  if (!list) $("work").hidden = true;
};
const verdict = (kind, text) => {
  const box = $("verdict");
  box.className = `d-verdict ${kind}`;
  box.textContent = text;
  if (kind !== "good") navigator.vibrate?.(200);
};

const show = () => {
  if (!list) return;
  const people = list.parties.flatMap((one) => one.people);
  $("title").textContent = list.title;
  $("when").textContent = `${list.when} · ${list.where}`;
  $("came").textContent = people.filter((one) => one.arrived).length;
  $("expected").textContent = people.length;
  $("seats").textContent = list.capacity;
  $("work").hidden = false;
};
const showNet = (good) => {
  const box = $("net");
  const left = acts.size;
  box.classList.toggle("off", !good || left > 0);
  box.textContent = (good ? box.dataset.on : box.dataset.off) + (left ? ` · ${said.left.replace("{n}", left)}` : "");
};

const ask = async (path, body) => {
  const answer = await fetch(`/door/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Door-Key": key },
    body: JSON.stringify(body ?? {}),
  });
  const said = await answer.json();
  if (answer.status === 410) shut = said.error;
  if (!answer.ok) throw new Error(said.error);
  return said;
};

let sending = Promise.resolve();
const send = () => {
  sending = sending.then(carry, carry);
  return sending;
};
const carry = async () => {
  const waiting = [...acts.values()].slice(0, 200);
  try {
    if (waiting.length) {
      const { verdicts } = await ask("scans", waiting);
      for (const one of waiting) {
        acts.delete(one.nonce);
        await on("acts", "readwrite", (store) => store.delete([key, one.nonce].join(" ")));
        judged(one, verdicts[one.nonce]);
      }
    }
    const found = await ask("list");
    shift = Date.parse(found.at) - Date.now();
    list = found;
    for (const one of acts.values()) foresee(one); // done while we asked
    await on("list", "readwrite", (store) => store.put({ list, shift }, key));
    stop("");
    show();
    again();
    showNet(true);
  } catch {
    showNet(false);
    if (shut) stop(shut);
    else if (!list) stop(said.first);
  }
};

// What the server said of an act, where it is other than what this phone foresaw.
const judged = (one, what) => {
  const line = document.querySelector(`[data-nonce="${one.nonce}"] small`);
  if (line && what !== "in" && what !== "out") line.textContent = words[what] ?? what;
  const asked = waiting.get(one.nonce);
  waiting.delete(one.nonce);
  if (asked) asked(what);
  else if (!["in", "again", "out", "not_in"].includes(what)) verdict("bad", words[what] ?? what);
};
const foresee = (one) => {
  const found = one.person && person(one.person);
  if (found) found.arrived = one.act === "arrive";
};

const act = async (values, label) => {
  const one = { nonce: crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join(""), at: now(), ...values };
  await keep(one);
  foresee(one);
  log(one, label);
  show();
  showNet(navigator.onLine);
  send();
  return one;
};
const keep = (one) => {
  acts.set(one.nonce, one);
  return on("acts", "readwrite", (store) => store.put({ ...one, nonce: [key, one.nonce].join(" ") }));
};
const log = (one, label) => {
  const line = document.createElement("li");
  line.dataset.nonce = one.nonce;
  const text = document.createElement("span");
  const small = document.createElement("small");
  text.append(label, " ", small);
  small.textContent = one.act === "undo" ? words.out : new Date(one.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  line.append(text);
  if (one.act === "arrive") line.append(button(said.undo, "", () => enter(one.person, "undo")));
  $("log").prepend(line);
  while ($("log").children.length > 30) $("log").lastChild.remove();
};
const button = (text, kind, done) => {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  made.textContent = text;
  made.addEventListener("click", done);
  return made;
};

const enter = (number, what = "arrive") => {
  const found = person(number);
  if (what === "arrive" && found.arrived) verdict("warn", words.again);
  else if (what === "arrive") verdict("good", `${said.in} · ${nameOf(found)}`);
  else verdict("warn", words.out);
  const party = act({ act: what, person: number }, nameOf(found));
  again();
  return party;
};

// Who did not register is let in by the server's word; where it does not come in time, by ours, and we say so.
const admit = async (values, label) => {
  const one = await act({ ...values, inside: !navigator.onLine }, label);
  const answered = await Promise.race([waited(one.nonce), new Promise((done) => setTimeout(done, 3000))]);
  if (answered) return verdict(answered === "in" ? "good" : answered === "over" ? "warn" : "bad", words[answered] ?? answered);
  if (acts.has(one.nonce)) await keep({ ...one, inside: true });
  send();
  return verdict("good", `${said.in} · ${label}`);
};
const waiting = new Map();
const waited = (nonce) => new Promise((done) => (navigator.onLine ? waiting.set(nonce, done) : done()));

let shown = "";
const again = () => shown && present(list.parties.find((one) => one.code === shown));
const present = (party) => {
  shown = party?.code ?? "";
  const box = $("party");
  box.replaceChildren();
  if (!party) return;
  const rows = document.createElement("ul");
  for (const one of party.people) {
    const row = document.createElement("li");
    row.className = one.arrived ? "in" : "";
    const name = document.createElement("span");
    name.textContent = nameOf(one);
    row.append(name, one.arrived ? button(said.undo, "", () => enter(one.id, "undo")) : button(said.enter, "go", () => enter(one.id)));
    rows.append(row);
  }
  box.append(rows);
  const left = party.people.filter((one) => !one.arrived);
  if (left.length > 1) box.append(button(said.all, "all", () => left.forEach((one) => enter(one.id))));
};
const REFUSED = ["waiting", "pending", "cancelled", "rejected", "lapsed"];
const meet = (party) => {
  if (REFUSED.includes(party.state)) {
    verdict("bad", words[party.state]);
    return present(null);
  }
  if (list.state === "called_off") return verdict("bad", words.called_off);
  present(party);
  if (party.people.length === 1) return enter(party.people[0].id);
  const left = party.people.filter((one) => !one.arrived).length;
  return left ? verdict("good", said.in) : verdict("warn", words.again);
};
const search = (typed) => {
  const text = typed.toUpperCase().replace(/[^0-9A-Z]/g, "");
  const code = list.parties.find((one) => one.code === text);
  if (code) return meet(code);
  const tails = /^\d{4}$/.test(text) ? list.parties.filter((one) => one.tail === text) : [];
  if (tails.length === 1) return meet(tails[0]);
  if (tails.length > 1) {
    verdict("warn", said.many);
    const box = $("party");
    box.replaceChildren(...tails.map((one) => button(one.people.map(nameOf).join("、"), "all", () => meet(one))));
    shown = "";
    return undefined;
  }
  present(null);
  return verdict("bad", said.none);
};
const read = (text) => {
  const found = /\/t\/([0-9A-Z]{8})$/.exec(text);
  if (!found) return verdict("bad", said.elsewhere);
  const party = list.parties.find((one) => one.code === found[1]);
  return party ? meet(party) : verdict("bad", said.elsewhere);
};

// The camera: the browser's own reader where there is one, else the library beside us.
let halt = null;
const scan = async () => {
  if (halt) return halt();
  const box = $("camera");
  let last = "";
  const found = (text) => {
    if (text === last) return;
    last = text;
    setTimeout(() => (last = ""), 3000);
    read(text);
  };
  box.hidden = false;
  const label = $("scan").textContent;
  $("scan").textContent = $("scan").dataset.stop;
  const end = (ending) => async () => {
    halt = null;
    await ending();
    box.hidden = true;
    box.replaceChildren();
    $("scan").textContent = label;
  };
  try {
    if (window.BarcodeDetector && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")) halt = end(await look(box, found));
    else if (window.Html5Qrcode) {
      const reader = new Html5Qrcode("camera");
      await reader.start({ facingMode: "environment" }, { fps: 10 }, found, () => {});
      halt = end(() => reader.stop());
    } else throw new Error("no reader");
  } catch {
    await end(async () => {})();
    verdict("warn", said.nocamera);
  }
  return undefined;
};
const look = async (box, found) => {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const video = document.createElement("video");
  Object.assign(video, { srcObject: stream, playsInline: true, muted: true });
  box.append(video);
  await video.play();
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  const timer = setInterval(async () => {
    for (const one of await detector.detect(video).catch(() => [])) found(one.rawValue);
  }, 200);
  return async () => {
    clearInterval(timer);
    stream.getTracks().forEach((track) => track.stop());
  };
};

const begin = async () => {
  const given = location.hash.slice(1);
  if (given) {
    localStorage.setItem(KEY, given);
    history.replaceState(null, "", "/door/"); // the key does not stay in sight
  }
  key = given || localStorage.getItem(KEY) || "";
  if (!key) return stop(said.nokey);
  navigator.storage?.persist?.();
  const kept = await on("list", "readonly", (store) => store.get(key));
  if (kept) ({ list, shift } = kept);
  for (const one of await on("acts", "readonly", (store) => store.getAll())) {
    const [whose, nonce] = one.nonce.split(" ");
    if (whose === key) acts.set(nonce, { ...one, nonce });
  }
  for (const one of acts.values()) if (list) foresee(one);
  show();
  addEventListener("online", send); // before the first try: the network may be back while that fails
  addEventListener("offline", () => showNet(false));
  setInterval(send, EVERY);
  await send();
  return rule();
};
// The first visit is not yet ruled by the worker: what the page is made of is kept here.
const rule = async () => {
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register("/door/worker.js", { scope: "/door/" });
  const parts = [...document.querySelectorAll("link[href], script[src]")].map((one) => one.href || one.src);
  const cache = await caches.open("door-1");
  await cache.addAll(["/door/", ...parts]);
  document.body.dataset.kept = "1";
};

$("find").addEventListener("submit", (event) => {
  event.preventDefault();
  search($("text").value);
  $("text").value = "";
});
$("walk").addEventListener("submit", (event) => {
  event.preventDefault();
  const [adults, minors] = [Number($("adults").value), Number($("minors").value)];
  if (adults + minors === 0) return;
  admit({ act: "walk_in", adults, minors }, `${said.walk} ${adults + minors}`);
});
$("scan").addEventListener("click", scan);
begin();
