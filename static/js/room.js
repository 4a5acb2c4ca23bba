// Plays a room without leaving the page: each form is sent by fetch, and only the scene is exchanged.
// Every step may be sent again: the server answers the same state and the same action in the same way.
const room = document.querySelector("#room");
const live = document.querySelector("#room-live");
const lost = document.querySelector("#room-lost");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const WAITS = [600, 1500, 3000];
let busy = false;
let ticking = 0;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// After the first step the address is asked for with GET: the browser's own reload shows the same scene.
history.replaceState(null, "", location.pathname);

const send = async (action, body) => {
  for (let turn = 0; ; turn += 1) {
    try {
      const answer = await fetch(action, { method: "POST", body, headers: { "X-Scene": "1" } });
      if (answer.ok || ![502, 503, 504].includes(answer.status) || turn >= WAITS.length) return answer;
    } catch (error) {
      if (turn >= WAITS.length) throw error;
    }
    await pause(WAITS[turn]);
  }
};

const clock = () => {
  clearInterval(ticking);
  const shown = room.querySelector("[data-clock]");
  if (!shown) return;
  const since = Date.now() - Number(shown.dataset.clock) * 1000;
  ticking = setInterval(() => {
    const seconds = Math.floor((Date.now() - since) / 1000);
    shown.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }, 1000);
};

// Where somebody was stays where they are, if it is still there; else they are led to what is new.
const focus = (before, pressed) => {
  const section = room.querySelector(".room");
  const [said, panel] = [room.querySelector("#said"), room.querySelector("#panel-title")];
  const again = pressed && room.querySelector(`button[value="${CSS.escape(pressed)}"]`);
  const moved = section.dataset.scene !== before.scene || section.dataset.panel !== before.panel;
  let target = said ?? again;
  if (moved) target = said ?? panel ?? room.querySelector("#room-title");
  target ??= panel ?? room.querySelector("#room-title");
  target.focus({ preventScroll: true });
  const { top } = (said ?? (moved ? section : target)).getBoundingClientRect();
  if (moved || top < 80 || top > innerHeight * 0.6) {
    const begins = said || moved ? section.getBoundingClientRect().top : top;
    scrollTo({ top: Math.max(0, scrollY + begins - 76), behavior: calm ? "auto" : "smooth" });
  }
  live.textContent = [said?.innerText, moved ? (panel ?? room.querySelector("#room-title"))?.innerText : ""].filter(Boolean).join(" ");
};

const exchange = async (html, pressed) => {
  const before = { ...room.querySelector(".room").dataset };
  const swap = () => {
    room.innerHTML = html;
    enhance();
  };
  if (document.startViewTransition && !calm) await document.startViewTransition(swap).updateCallbackDone;
  else swap();
  focus(before, pressed);
};

const step = async (form, submitter) => {
  const body = new URLSearchParams(new FormData(form, submitter));
  busy = true;
  room.setAttribute("aria-busy", "true");
  lost.hidden = true;
  try {
    const answer = await send(form.action, body);
    const html = answer.ok ? await answer.text() : "";
    if (html.includes("<!doctype") || !html) form.submit_plainly(submitter);
    else await exchange(html, submitter?.value);
  } catch {
    lost.hidden = false;
    const button = lost.querySelector("button");
    button.onclick = () => step(form, submitter);
    button.focus();
  } finally {
    busy = false;
    room.removeAttribute("aria-busy");
  }
};

// What the server would rather say on a page of its own (a limit, a play that cannot go on) is asked for again plainly.
HTMLFormElement.prototype.submit_plainly = function plainly(submitter) {
  this.dataset.plain = "";
  this.requestSubmit(submitter ?? null);
};

// Things to be put in order: buttons up and down, or dragged; the hidden fields follow.
const order = (list) => {
  const first = [...list.querySelector("select").options].filter((option) => option.value);
  list.replaceChildren(
    ...first.map((option) => {
      const item = document.createElement("li");
      item.className = "piece";
      item.draggable = true;
      const [words, hidden] = [document.createElement("span"), document.createElement("input")];
      words.append(document.createElement("b"), option.textContent);
      Object.assign(hidden, { type: "hidden", name: "row", value: option.value });
      const buttons = [["↑", -1, list.dataset.up], ["↓", 1, list.dataset.down]].map(([sign, way, label]) => {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", textContent: sign });
        button.setAttribute("aria-label", `${label}：${option.textContent}`);
        button.dataset.way = way;
        return button;
      });
      item.append(words, hidden, ...buttons);
      return item;
    }),
  );
  const number = () => {
    const items = [...list.children];
    items.forEach((item, at) => {
      item.querySelector("b").textContent = `${at + 1}`;
      item.querySelector('[data-way="-1"]').disabled = at === 0;
      item.querySelector('[data-way="1"]').disabled = at === items.length - 1;
    });
  };
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const item = button.closest("li");
    if (button.dataset.way === "-1") item.previousElementSibling.before(item);
    else item.nextElementSibling.after(item);
    number();
    (button.disabled ? item.querySelector("button:not(:disabled)") : button).focus();
    const at = [...list.children].indexOf(item) + 1;
    live.textContent = `${item.querySelector("span").innerText} ${list.dataset.at.replace("{at}", at)}`;
  });
  let dragged = null;
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("li");
    dragged.classList.add("dragged");
  });
  list.addEventListener("dragover", (event) => {
    event.preventDefault();
    const over = event.target.closest("li");
    if (!over || !dragged || over === dragged) return;
    const { top, height } = over.getBoundingClientRect();
    if (event.clientY < top + height / 2) over.before(dragged);
    else over.after(dragged);
  });
  list.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    dragged = null;
    number();
  });
  number();
};

const enhance = () => {
  clock();
  room.querySelectorAll("ol[data-order]").forEach(order);
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!room.contains(form) || "plain" in form.dataset) return;
  event.preventDefault();
  if (!busy) step(form, event.submitter);
});
enhance();
