// Keeps the screens of this browser going without network. Its scope is /screen/: it sees what those pages ask for.
// Pages come from the network where it answers within a few seconds, else from here; what has an address that changes with
// its content comes from here first.
const SHELF = "signpost-screen-1";
const PATIENCE = 4000;

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name.startsWith("signpost-screen-") && name !== SHELF) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const asked = new URL(event.request.url);
  if (event.request.method !== "GET" || asked.origin !== self.location.origin) return;
  const fixed = asked.pathname.startsWith("/media/") || (asked.pathname.startsWith("/static/") && asked.searchParams.has("v"));
  if (fixed) event.respondWith(kept(event.request));
  else if (asked.pathname.startsWith("/static/") || /^\/screen\/[^/]+$/.test(asked.pathname)) event.respondWith(fresh(event.request));
});

// The page of a screen names all that it is made of; what no page needs any more goes.
self.addEventListener("message", (event) => {
  const { page, wanted } = event.data;
  event.waitUntil(
    (async () => {
      const shelf = await caches.open(SHELF);
      let whole = true;
      for (const address of [page, ...wanted]) {
        if (await shelf.match(address)) continue;
        try {
          const answer = await fetch(address, { cache: "no-store" });
          if (answer.ok) await shelf.put(address, answer);
          else whole = false;
        } catch {
          whole = false;
        }
      }
      const needed = new Set([page, ...wanted].map((one) => new URL(one, self.location).href));
      const pages = (await shelf.keys()).filter((one) => new URL(one.url).pathname.startsWith("/screen/"));
      if (whole && pages.length === 1)
        for (const one of await shelf.keys()) if (!needed.has(one.url)) await shelf.delete(one);
      event.source?.postMessage({ kept: whole ? "1" : "0" });
    })(),
  );
});

async function kept(request) {
  const shelf = await caches.open(SHELF);
  const found = await shelf.match(request.url);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await shelf.put(request.url, answer.clone());
  return answer;
}

async function fresh(request) {
  const shelf = await caches.open(SHELF);
  const found = await shelf.match(request.url);
  try {
    const signal = found ? AbortSignal.timeout(PATIENCE) : undefined;
    const answer = await fetch(request.url, { cache: "no-store", credentials: "same-origin", signal });
    if (answer.ok && !answer.redirected) await shelf.put(request.url, answer.clone());
    return answer.status >= 500 && found ? marked(found) : answer;
  } catch (error) {
    if (found) return marked(found);
    throw error;
  }
}

// The clock of an old answer says nothing about now.
function marked(found) {
  const headers = new Headers(found.headers);
  headers.set("X-From", "cache");
  return new Response(found.body, { status: found.status, headers });
}
