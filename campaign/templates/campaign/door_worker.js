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
      try {
        const answer = await fetch(request);
        if (answer.ok) cache.put(request.mode === "navigate" ? "/door/" : request, answer.clone());
        return answer;
      } catch (error) {
        const kept = await cache.match(request.mode === "navigate" ? "/door/" : request, { ignoreVary: true });
        if (kept) return kept;
        throw error;
      }
    })(),
  );
});
