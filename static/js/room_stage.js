// Boxes on a picture that are the same as the four number fields of their rows: by mouse, by touch, by keys.
const PARTS = ["x", "y", "w", "h"];
const round = (number) => Math.round(number * 10) / 10;
const within = (low, number, high) => Math.min(high, Math.max(low, number));
const LEAST = 2;

const fit = ({ x, y, w, h }) => {
  const [wide, high] = [within(LEAST, w, 100), within(LEAST, h, 100)];
  return { x: round(within(0, x, 100 - wide)), y: round(within(0, y, 100 - high)), w: round(wide), h: round(high) };
};

export const stage = (place, form) => {
  const pic = place.querySelector(".stage-pic");
  const rest = place.querySelector(".stage-rest");
  const live = place.querySelector("[data-stage-live]");
  place.classList.add("on");
  place.querySelectorAll("[data-script]").forEach((one) => {
    one.hidden = false;
  });

  const rows = () => [...form.querySelectorAll('[data-rows="hotspots"] > [data-row], [data-rows="doors"] > [data-row]')];
  const input = (row, part) => row.querySelector(`input[name="${CSS.escape(`${row.dataset.row}.box.${part}`)}"]`);
  const called = (row, lang) => row.querySelector(`[name="${CSS.escape(`${row.dataset.row}.label.${lang}`)}"]`).value;
  const english = document.documentElement.lang.startsWith("en");
  const name = (row) => (english && called(row, "en")) || called(row, "zh") || row.querySelector("summary b").textContent;
  const read = (row) => {
    const typed = PARTS.map((part) => input(row, part).value.trim());
    if (typed.some((text) => text === "" || Number.isNaN(Number(text)))) return null;
    return Object.fromEntries(PARTS.map((part, at) => [part, Number(typed[at])]));
  };
  const put = (row, box) => {
    const good = fit(box);
    for (const part of PARTS) input(row, part).value = good[part];
    form.dispatchEvent(new Event("input", { bubbles: true }));
    return good;
  };
  const say = (row, box) => {
    live.textContent = Object.entries({ name: name(row), ...box }).reduce((text, [key, value]) => text.replace(`{${key}}`, value), place.dataset.say);
  };
  const lay = (node, box) => {
    Object.assign(node.style, { left: `${box.x}%`, top: `${box.y}%`, width: `${box.w}%`, height: `${box.h}%` });
  };
  const point = (event) => {
    const { left, top, width, height } = pic.getBoundingClientRect();
    return { x: ((event.clientX - left) / width) * 100, y: ((event.clientY - top) / height) * 100 };
  };
  const kind = (row) => row.dataset.row.split(".")[0];

  // Follows a pointer until it is let go.
  const follow = (node, event, moved, done = () => {}) => {
    const from = point(event);
    node.setPointerCapture(event.pointerId);
    const move = (later) => moved(from, point(later));
    const end = (later) => {
      node.removeEventListener("pointermove", move);
      node.removeEventListener("pointerup", end);
      node.removeEventListener("pointercancel", end);
      done(from, point(later));
    };
    node.addEventListener("pointermove", move);
    node.addEventListener("pointerup", end);
    node.addEventListener("pointercancel", end);
  };

  const drag = (node, row, event) => {
    event.preventDefault();
    event.stopPropagation();
    node.focus();
    const before = read(row);
    const resizing = event.target.tagName === "I";
    follow(node, event, (from, to) => {
      const [dx, dy] = [to.x - from.x, to.y - from.y];
      const next = resizing
        ? { ...before, w: within(LEAST, before.w + dx, 100 - before.x), h: within(LEAST, before.h + dy, 100 - before.y) }
        : { ...before, x: before.x + dx, y: before.y + dy };
      lay(node, put(row, next));
    }, () => say(row, read(row)));
  };

  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const keys = (node, row, event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      row.open = true;
      input(row, "x").focus();
    }
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const box = read(row);
    const next = event.shiftKey
      ? { ...box, w: within(LEAST, box.w + step[0], 100 - box.x), h: within(LEAST, box.h + step[1], 100 - box.y) }
      : { ...box, x: box.x + step[0], y: box.y + step[1] };
    const good = put(row, next);
    lay(node, good);
    say(row, good);
  };

  const box = (row) => {
    const node = document.createElement("div"); // as small as what it marks: the number fields are the large way
    node.tabIndex = 0;
    node.setAttribute("role", "button");
    node.className = `stage-box ${kind(row)}`;
    node.dataset.of = row.dataset.row;
    const [label, corner] = [document.createElement("span"), document.createElement("i")];
    label.textContent = name(row);
    node.append(label, corner);
    lay(node, fit(read(row)));
    node.addEventListener("pointerdown", (event) => drag(node, row, event));
    node.addEventListener("keydown", (event) => keys(node, row, event));
    for (const [happens, on] of [["focus", true], ["blur", false]]) node.addEventListener(happens, () => row.classList.toggle("drawn", on));
    return node;
  };

  const spare = (row) => {
    const [item, button] = [document.createElement("li"), document.createElement("button")];
    Object.assign(button, { type: "button", className: "button plain small", textContent: `${place.dataset.put}：${name(row)}` });
    button.addEventListener("click", () => begin(row, { x: 40, y: 40, w: 20, h: 20 }));
    item.append(button);
    return item;
  };

  const draw = () => {
    pic.querySelectorAll(".stage-box").forEach((one) => one.remove());
    const [placed, loose] = [[], []];
    for (const row of rows()) (read(row) ? placed : loose).push(row);
    pic.append(...placed.map(box));
    rest.replaceChildren(...loose.map(spare));
  };

  const begin = (row, at) => {
    const good = put(row, at);
    draw();
    pic.querySelector(`[data-of="${CSS.escape(row.dataset.row)}"]`).focus();
    say(row, good);
  };

  // On the empty picture a new box is drawn: of the first hotspot that has none, else of a new one.
  pic.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    const ghost = document.createElement("span");
    ghost.className = "stage-box ghost";
    pic.append(ghost);
    const span = (from, to) => ({ x: within(0, Math.min(from.x, to.x), 100), y: within(0, Math.min(from.y, to.y), 100), w: Math.abs(to.x - from.x), h: Math.abs(to.y - from.y) });
    follow(pic, event, (from, to) => lay(ghost, span(from, to)), (from, to) => {
      ghost.remove();
      const drawn = span(from, to);
      if (drawn.w < LEAST || drawn.h < LEAST) return;
      const free = rows().find((row) => kind(row) === "hotspots" && !read(row));
      if (free) begin(free, drawn);
      else add(drawn);
    });
  });
  const add = (drawn) => {
    const button = form.querySelector('button[value="add:hotspots"]');
    form.parentElement.dataset.drawn = JSON.stringify(drawn);
    button?.click();
  };

  form.addEventListener("input", (event) => {
    if (event.target === form) return; // a box that was drawn
    const named = event.target.name ?? "";
    if (/^(hotspots|doors)\.\d+\.(box\.[xywh]|label\.(zh|en))$/.test(named)) draw();
  });
  draw();
  const waiting = form.parentElement.dataset.drawn;
  if (waiting) {
    delete form.parentElement.dataset.drawn;
    const free = rows().filter((row) => kind(row) === "hotspots").at(-1);
    if (free && !read(free)) setTimeout(() => begin(free, JSON.parse(waiting)));
  }
};
