// Says how many people the filters find while one chooses. Without this a button counts.
const form = document.querySelector("form[data-count]");
const place = document.querySelector("#found");
const PAUSE = 400;
let waiting = 0;
let asking = new AbortController();

async function count() {
  asking.abort(); // of the count before
  asking = new AbortController();
  const query = new URLSearchParams(new FormData(form));
  for (const name of ["csrf_token", "name"]) query.delete(name);
  const address = new URL(form.dataset.count, location.href);
  for (const [name, value] of query) if (value) address.searchParams.append(name, value);
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" }, signal: asking.signal });
    if (!answer.ok || !answer.headers.get("Content-Type").startsWith("application/json")) return;
    const found = await answer.json();
    place.textContent = found.text;
    place.className = found.good ? "flash good" : "flash warn";
    place.hidden = false;
  } catch (error) {
    if (error.name !== "AbortError") place.hidden = true; // the button still counts
  }
}

form?.addEventListener("input", (event) => {
  if (event.target.name === "name") return;
  clearTimeout(waiting);
  waiting = setTimeout(count, PAUSE);
});
