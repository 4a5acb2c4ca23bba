// Reads a page aloud where the browser can; without JavaScript the page is simply read.
const speech = window.speechSynthesis;
const button = document.querySelector("[data-listen]");

if (speech && button) {
  const main = document.querySelector("#main");
  const [start, stop] = [button.dataset.listen, button.dataset.stop];
  let reading = false;

  const show = (on) => {
    reading = on;
    button.querySelector("span").textContent = on ? stop : start;
    button.setAttribute("aria-pressed", String(on));
  };
  const sentences = () =>
    [...main.querySelectorAll("h1, h2, h3, p, li, dt, dd, figcaption")]
      .filter((node) => node.offsetParent && !node.closest("form, nav, .no-listen") && !node.querySelector("p, li, h2, h3"))
      .map((node) => node.innerText.trim())
      .filter(Boolean);

  button.classList.add("ready");
  button.addEventListener("click", () => {
    speech.cancel();
    if (reading) return show(false);
    const parts = sentences();
    parts.forEach((text, index) => {
      const words = new SpeechSynthesisUtterance(text);
      words.lang = document.documentElement.lang;
      words.rate = 0.9;
      if (index === parts.length - 1) words.onend = () => show(false);
      speech.speak(words);
    });
    return show(parts.length > 0);
  });
  addEventListener("pagehide", () => speech.cancel());
}
