// The hall's screen of playing together: asks every few seconds how it stands; without network it keeps what it shows and tries on.
const { body } = document;
const now = document.querySelector("#now");
const lost = document.querySelector(".lost");
const every = Number(body.dataset.every) * 1000;
let shown = "";

async function look() {
  try {
    const answer = await fetch(body.dataset.now, { cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (!answer.ok) throw new Error(answer.status);
    const html = await answer.text();
    lost.hidden = true;
    if (html !== shown) {
      now.innerHTML = html;
      shown = html;
    }
  } catch {
    lost.hidden = false;
  }
  const open = now.querySelector("[data-open]")?.dataset.open === "1";
  setTimeout(look, open || !lost.hidden ? every : every * 10);
}

addEventListener("online", () => (lost.hidden = true));
document.addEventListener("visibilitychange", () => navigator.wakeLock?.request("screen").catch(() => {}));
navigator.wakeLock?.request("screen").catch(() => {});
setTimeout(look, every);
