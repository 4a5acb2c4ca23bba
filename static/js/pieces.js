// The preview follows the typing: the form's own preview button is pressed when the writer pauses.
const form = document.querySelector("form[data-live-preview]");
if (form) {
  const text = form.querySelector("textarea[name=text]");
  const pause = 900;
  let last = text.value;
  let pressed = form.querySelector("button[value=preview]");
  let timer = 0;
  for (const button of form.querySelectorAll("button[formtarget]")) {
    button.addEventListener("click", () => { pressed = button; });
  }
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (text.value !== last) {
        last = text.value;
        form.requestSubmit(pressed);
      }
    }, pause);
  });
  addEventListener("beforeunload", (event) => {
    if (text.value !== text.defaultValue && !form.dataset.saving) event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.value === "save") form.dataset.saving = "1";
  });
}

// A finding of the check selects its passage in the text; places are counted in characters, not in UTF-16 units.
const field = form && form.querySelector("textarea[name=text]");
for (const button of document.querySelectorAll("button[data-offset]")) {
  button.addEventListener("click", () => {
    const chars = [...field.value];
    const offset = Number(button.dataset.offset);
    const start = chars.slice(0, offset).join("").length;
    const end = start + chars.slice(offset, offset + Number(button.dataset.length)).join("").length;
    field.focus();
    field.setSelectionRange(start, end);
    const share = start / Math.max(field.value.length, 1);
    field.scrollTop = share * field.scrollHeight - field.clientHeight / 3;
    field.scrollIntoView({ block: "nearest" });
  });
}
