// Says beside the form of a plan how many people would get it now; without this a link on the page does.
const place = document.querySelector("[data-count]");
const names = ["route", "purpose", "list_id", "segment_id"];
const fields = names.map((name) => document.querySelector(`[name="${name}"]`)).filter(Boolean);
let asked = 0;

async function count() {
  const mine = ++asked;
  const query = new URLSearchParams(fields.map((one) => [one.name, one.value]));
  try {
    const answer = await fetch(`${place.dataset.count}?${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok || !answer.headers.get("Content-Type").startsWith("application/json")) return;
    const { text } = await answer.json();
    if (mine === asked) place.textContent = text;
  } catch {
    // Without the network the form works as before.
  }
}

if (place && fields.length === names.length) {
  for (const one of fields) one.addEventListener("change", count);
  count();
}
