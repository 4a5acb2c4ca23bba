// Tables to work on in bulk, and the field that finds a node of the tree. Everything works without this too.
for (const bar of document.querySelectorAll("form[data-bulk]")) {
  const boxes = [...document.querySelectorAll(`input[name=pick][form="${bar.id}"]`)];
  const words = bar.querySelector("[data-bulk-count]");
  const all = document.querySelector(`[data-pick-all="${bar.id}"]`);
  const tell = () => {
    const count = boxes.filter((box) => box.checked).length;
    words.textContent = words.dataset.words.replace("{count}", count);
    bar.classList.toggle("on", count > 0);
    for (const button of bar.querySelectorAll("button")) button.disabled = count === 0;
    if (all) {
      const one = all.querySelector("input");
      one.checked = count > 0 && count === boxes.length;
      one.indeterminate = count > 0 && count < boxes.length;
    }
    for (const box of boxes) box.closest("tr")?.classList.toggle("picked", box.checked);
  };
  if (all) {
    all.hidden = false;
    all.querySelector("input").addEventListener("change", (event) => {
      for (const box of boxes) box.checked = event.target.checked;
      tell();
    });
  }
  document.addEventListener("change", (event) => { if (boxes.includes(event.target)) tell(); });
  addEventListener("pageshow", tell); // the browser puts ticks back when one returns
  tell();
}

for (const place of document.querySelectorAll("[data-place]")) {
  const typed = place.querySelector("input[type=search]");
  const chosen = place.querySelector("select");
  const list = document.createElement("datalist");
  list.id = `${typed.id}-list`;
  typed.setAttribute("list", list.id);
  typed.after(list);
  let waiting = 0;
  typed.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const query = new URLSearchParams({ q: typed.value, permission: place.dataset.permission });
      const answer = await fetch(`/desk/places.json?${query}`);
      if (!answer.ok) return;
      list.replaceChildren(...(await answer.json()).map((one) => new Option(one.name, one.code)));
    }, 150);
  });
  // what was found becomes an entry of the list: one sees its name, and one field says what counts
  typed.addEventListener("change", () => {
    const found = [...list.options].find((one) => one.value === typed.value || one.label === typed.value);
    if (!found) return;
    if (![...chosen.options].some((one) => one.value === found.value)) chosen.append(new Option(found.label, found.value));
    chosen.value = found.value;
    typed.value = "";
  });
}
