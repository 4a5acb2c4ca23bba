// Small comforts of the desk; every page works without them.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  const drawer = document.querySelector(".drawer[open]");
  if (event.key === "Escape" && drawer) {
    drawer.open = false;
    drawer.querySelector("summary").focus();
  }
});

// A form that filters a list may send itself when a choice is made.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-auto] select")) event.target.form.requestSubmit();
});
