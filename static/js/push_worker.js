// Shows what is pushed to this browser and opens it when it is tapped. It sees no page, and keeps its own address.
// What comes is made by scheduler/channels/webpush.py: title, body, link, picture, tag, lang, stop.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const said = read(event.data);
  event.waitUntil(
    self.registration.showNotification(said.title, {
      body: said.body,
      lang: said.lang,
      tag: said.tag,
      image: web(said.picture),
      data: { link: web(said.link), stop: own(said.stop), lang: said.lang },
      actions: own(said.stop) ? [{ action: "stop", title: words(said.lang).stop }] : [],
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { link, stop, lang } = event.notification.data ?? {};
  if (event.action === "stop") event.waitUntil(end(stop, lang));
  else if (link) event.waitUntil(open(link));
});

// The browser's maker gave it another address: whoever agreed goes on being told, at the new one.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(moved(event)));

async function moved(event) {
  const kept = await caches.open("push");
  const former = event.oldSubscription?.endpoint ?? (await (await kept.match("/push/mine"))?.text());
  if (!former) return;
  const found = event.newSubscription ?? (await again(event.oldSubscription?.options?.applicationServerKey));
  if (found.endpoint === former) return;
  const answer = await post("/push/renew", "application/json", JSON.stringify({ former, subscription: found }));
  if (answer.ok) await kept.put("/push/mine", new Response(found.endpoint));
}

async function again(key) {
  const pushes = self.registration.pushManager;
  const held = await pushes.getSubscription();
  if (held) return held;
  const known = key ?? (await (await fetch("/push/offer", { headers: { Accept: "application/json" } })).json()).key;
  return pushes.subscribe({ userVisibleOnly: true, applicationServerKey: known });
}

// Said on the notification itself: the site is told first, then the browser gives its address up.
async function end(link, lang) {
  try {
    const answer = await post(link, "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click");
    if (!answer.ok) throw new Error(String(answer.status));
  } catch {
    return open(link); // the page behind the link says what to do
  }
  await (await self.registration.pushManager.getSubscription())?.unsubscribe();
  await caches.delete("push");
  return self.registration.showNotification(words(lang).stopped, { lang, tag: "stopped", silent: true });
}

const post = (address, type, body) =>
  fetch(address, { method: "POST", credentials: "omit", headers: { "Content-Type": type }, body });

function words(lang) {
  return lang === "en"
    ? { stop: "No more of these", stopped: "Done. You will get no more of these." }
    : { stop: "不再接收", stopped: "好的，不再打扰您。" };
}

// A browser shows something for every push: one that cannot be read is said in plain words.
function read(data) {
  const shown = { title: "路标", body: "您有一条新消息。", lang: "zh", tag: "", link: "/", picture: "", stop: "" };
  try {
    const said = data.json();
    for (const name of Object.keys(shown)) if (typeof said[name] === "string" && said[name]) shown[name] = said[name];
  } catch {
    // nothing or nonsense: the words above
  }
  return shown;
}

// Addresses of the web and no others: none that would run something.
function web(text) {
  if (!text) return undefined;
  try {
    const address = new URL(text, self.location.origin);
    return ["https:", "http:"].includes(address.protocol) ? address.href : undefined;
  } catch {
    return undefined;
  }
}

// Only an address of our own site is posted to.
function own(text) {
  const address = web(text);
  return address && new URL(address).origin === self.location.origin ? address : undefined;
}

// The page that is open already, or a new one.
async function open(link) {
  for (const page of await self.clients.matchAll({ type: "window", includeUncontrolled: true }))
    if (page.url === link) return page.focus();
  return self.clients.openWindow(link);
}
