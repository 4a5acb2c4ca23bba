// The palette of blocks: one stop of Tab, arrows to walk, letters to find, Esc back to the text.
import { insertBlock } from "./piece_text.js";

export const palette = (bar, field) => {
  const buttons = [...bar.querySelectorAll("button")];
  bar.hidden = false;

  const go = (at) => {
    const next = buttons[(at + buttons.length) % buttons.length];
    for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  };

  bar.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) insertBlock(field, button.dataset.text, button.dataset.wraps);
  });
  bar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    const steps = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 };
    if (Object.hasOwn(steps, event.key)) go(steps[event.key]);
    else if (event.key === "Escape") field.focus();
    else if (/^[a-z]$/i.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const named = [...buttons.slice(at + 1), ...buttons].find((one) => one.dataset.name.startsWith(event.key.toLowerCase()));
      if (named) go(buttons.indexOf(named));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return { open: () => go(buttons.findIndex((one) => one.tabIndex === 0)) };
};
