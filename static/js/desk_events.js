// The next dates of a series while one types. Without this the page shows them after saving.
const form = document.querySelector("form[data-preview]");
const place = document.querySelector("#preview");
const NAMES = ["rule", "rule_own", "first_on", "last_on", "on_holidays"];
let waiting = 0;
let asked = 0;
if (form && place) {
  form.addEventListener("input", (event) => {
    if (!NAMES.includes(event.target.name)) return;
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const typed = new FormData(form);
      const query = new URLSearchParams(NAMES.filter((name) => typed.has(name)).map((name) => [name, typed.get(name)]));
      const number = ++asked;
      const answer = await fetch(`${form.dataset.preview}?${query}`);
      if (!answer.ok || number !== asked) return; // a later answer is on its way
      place.replaceChildren(document.createRange().createContextualFragment(await answer.text()));
    }, 200);
  });
}
