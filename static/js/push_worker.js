// Shows what is pushed to this browser and opens it when it is tapped. It sees no page and keeps nothing.
// What comes is made by scheduler/channels/webpush.py: title, body, link, picture, tag, lang.
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
      data: { link: web(said.link) },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const link = event.notification.data?.link;
  if (link) event.waitUntil(open(link));
});

// A browser shows something for every push: one that cannot be read is said in plain words.
function read(data) {
  const shown = { title: "路标", body: "您有一条新消息。", lang: "zh", tag: "", link: "/", picture: "" };
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

// The page that is open already, or a new one.
async function open(link) {
  for (const page of await self.clients.matchAll({ type: "window", includeUncontrolled: true }))
    if (page.url === link) return page.focus();
  return self.clients.openWindow(link);
}
