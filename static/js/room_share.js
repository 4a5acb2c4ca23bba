// Passes a certificate on; the server is told once that it was, and nothing about whom.
const button = document.querySelector("[data-share-result]");
const told = document.querySelector(".paper [role=status]");
const tell = () => fetch(button.dataset.shareResult, { method: "POST", keepalive: true }).catch(() => {});

button.hidden = !(navigator.share || navigator.clipboard);
button.addEventListener("click", async () => {
  try {
    if (navigator.share) await navigator.share({ title: button.dataset.title, url: location.href });
    else {
      await navigator.clipboard.writeText(location.href);
      told.textContent = button.dataset.done;
    }
    tell();
  } catch {
    // changed their mind
  }
});
document.querySelector("[data-shared]").addEventListener("click", tell);
