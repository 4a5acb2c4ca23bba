// The scene follows the choices: the form is sent in the background and its two drawn parts are exchanged.
const form = document.querySelector("form[data-strip]");
let waiting = 0;
let asked = 0;

async function draw() {
  const mine = ++asked;
  const data = new FormData(form);
  data.set("do", "draw");
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: data });
  } catch {
    return;
  }
  if (!answer.ok || mine !== asked) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("drawn");
  if (fresh) document.getElementById("drawn").replaceWith(document.adoptNode(fresh));
}

function soon(event) {
  if (event.target.name === "strip") return;
  clearTimeout(waiting);
  waiting = setTimeout(draw, event.type === "input" ? 500 : 0);
}

if (form) {
  form.querySelector("#chosen").addEventListener("input", soon);
  form.querySelector("#chosen").addEventListener("change", soon);
}
