// Keeps the figures of a push fresh; when it has come to rest, the page is loaded once more for its lists.
const box = document.querySelector("[data-progress][data-moving]");
const PAUSE = 2000;

async function look() {
  if (document.visibilityState === "hidden") return setTimeout(look, PAUSE);
  try {
    const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
    if (!answer.ok || !answer.headers.get("Content-Type").startsWith("application/json")) return;
    const now = await answer.json();
    box.querySelector("progress").value = now.share;
    for (const place of box.querySelectorAll("[data-live]")) place.textContent = now[place.dataset.live];
    if (!now.moving) return location.reload();
  } catch {
    // The network went away for a moment: look again.
  }
  setTimeout(look, PAUSE);
}

if (box) setTimeout(look, PAUSE);
