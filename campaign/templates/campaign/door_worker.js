// Keeps the check-in page and what it is made of, so that it opens without network; never a list, never a scan.
const CACHE = "door-1";
self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.add("/door/")));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  event.respondWith(
    (async () => {
      const cache = await caches.open(CACHE);
      const name = request.mode === "navigate" ? "/door/" : request;
      const kept = () => cache.match(name, { ignoreVary: true });
      try {
        const answer = await fetch(request);
        if (answer.ok) cache.put(name, answer.clone());
        return (answer.status >= 500 && (await kept())) || answer; // a site that is down is as good as no network
      } catch (error) {
        const found = await kept();
        if (found) return found;
        throw error;
      }
    })(),
  );
});
