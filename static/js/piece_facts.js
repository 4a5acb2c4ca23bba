// The front matter as fields: what is changed goes through the server into the text, what is typed comes back here.
export const facts = (form, write) => {
  const panel = form.querySelector("[data-facts]");
  const badge = form.querySelector("[data-facts-wrong]");
  if (!panel) return { told: () => {}, set: () => false };
  let composing = false;

  panel.addEventListener("compositionstart", () => { composing = true; });
  panel.addEventListener("compositionend", () => { composing = false; });
  panel.addEventListener("change", () => write());
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.matches("textarea") || event.isComposing) return;
    event.preventDefault(); // Enter in a field writes it, and does not save the piece
    write();
  });

  // The fields anew; the one that is being typed in keeps its words, its caret and the focus.
  const exchange = (html) => {
    const here = panel.contains(document.activeElement) ? document.activeElement : null;
    const kept = here && { name: here.name, value: here.value, type: here.type, at: here.selectionStart };
    panel.innerHTML = html;
    if (!kept) return;
    const again = [...panel.querySelectorAll("[name]")].find((one) => one.name === kept.name && (kept.type !== "checkbox" || one.value === kept.value));
    if (!again) return;
    if (kept.type !== "checkbox") again.value = kept.value;
    again.focus();
    if (kept.at !== null && kept.at !== undefined) again.setSelectionRange(kept.at, kept.at);
  };

  return {
    told: (said, withFacts) => {
      badge.hidden = !said.wrong;
      badge.textContent = form.dataset.wordWrong.replace("{count}", said.wrong);
      if (!composing && (withFacts || !panel.contains(document.activeElement))) exchange(said.facts);
    },
    // Sets fields by name and writes them; false where there are none.
    set: (values) => {
      for (const [name, value] of Object.entries(values)) {
        const field = form.elements[`fact.${name}`];
        if (!field) return false;
        if (field.tagName === "SELECT" && ![...field.options].some((one) => one.value === value)) field.add(new Option(value, value));
        field.value = value;
      }
      write();
      return true;
    },
  };
};
