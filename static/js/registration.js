// Finds the proof of work that a registration form asks for, while the visitor still types; and asks before leaving.
// SHA-256 of challenge and number must begin with so many zero bits. Where a number cannot be found (no
// crypto.subtle without TLS), the server asks for some seconds of patience instead.
const form = document.querySelector("form[data-challenge]");

const zeroBits = (bytes, bits) => {
  let left = bits;
  for (const byte of bytes) {
    if (left <= 0) return true;
    if (left >= 8 ? byte !== 0 : byte >> (8 - left) !== 0) return false;
    left -= 8;
  }
  return left <= 0;
};

const work = async (challenge, bits) => {
  const encoder = new TextEncoder();
  for (let number = 0; ; number += 1) {
    const digest = await crypto.subtle.digest("SHA-256", encoder.encode(challenge + number));
    if (zeroBits(new Uint8Array(digest), bits)) return String(number);
  }
};

if (form && window.crypto?.subtle) {
  const proof = form.elements.namedItem("proof");
  const found = work(form.dataset.challenge, Number(form.dataset.bits)).then((number) => {
    proof.value = number;
  });
  form.addEventListener("submit", (event) => {
    const button = form.querySelector("button.btn");
    if (button.disabled) return event.preventDefault();
    button.disabled = true;
    if (proof.value) return undefined;
    event.preventDefault();
    button.textContent = form.dataset.working;
    return found.then(() => form.submit());
  });
  // back from the next page: the button works again
  addEventListener("pageshow", () => {
    form.querySelector("button.btn").disabled = false;
  });
}
