// Pictures by drop, paste and choice: taken in at once with their progress, inserted only with a description.
import { insertBlock } from "./piece_text.js";

const MOST = 8 * 1024 * 1024;
const KNOWN = /\.(svg|png|jpe?g|webp)$/i;
// A value as YAML: in quotes where a bare one would mean something.
const yaml = (text) => (/^[\s\-?%@`]|[:#"'\\[\]{}&*!|>,]/.test(text) ? JSON.stringify(text) : text);
const oneLine = (text) => text.trim().replace(/\s+/g, " ");

export const pictures = (form, field, facts, refresh) => {
  const words = form.dataset;
  const strip = form.querySelector("[data-strip]");
  const box = document.querySelector("[data-picture]");
  const part = (name) => box.querySelector(`[data-picture-${name}]`);
  const [alt, caption] = [box.querySelector("#f-picture-alt"), box.querySelector("#f-picture-caption")];
  const waiting = [];
  let now = null;
  let caret = [0, 0]; // a browser may forget it while the box is open

  const ready = () => {
    const good = Boolean(now?.url && alt.value.trim());
    part("insert").disabled = part("cover").disabled = !good;
  };
  const fault = (text) => {
    part("error").hidden = !text;
    part("error").textContent = text;
  };
  const shown = (picture) => {
    now = picture;
    part("name").textContent = picture.name;
    part("shown").hidden = !picture.url;
    if (picture.url) part("shown").src = picture.url;
    part("progress").hidden = Boolean(picture.url);
    ready();
  };

  const open = (picture) => {
    alt.value = caption.value = "";
    fault("");
    shown(picture);
    box.returnValue = "";
    if (!box.open) {
      caret = [field.selectionStart, field.selectionEnd];
      box.showModal();
    }
    alt.focus();
  };

  // XMLHttpRequest tells how far an upload is; fetch does not.
  const send = (file) => {
    const request = new XMLHttpRequest();
    const data = new FormData();
    data.set("csrf_token", form.elements.csrf_token.value);
    data.set("kept", form.elements.kept.value);
    data.set("file", file, file.name);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) part("progress").value = (100 * event.loaded) / event.total;
    });
    request.addEventListener("loadend", () => {
      const said = request.response;
      if (request.status !== 200) {
        fault(said?.error?.message ?? words.wordFailed);
        part("progress").hidden = true;
        return;
      }
      form.elements.kept.value = said.kept;
      add(said);
      if (now?.file === file) shown({ ...said, file });
      refresh();
    });
    request.open("POST", words.take);
    request.setRequestHeader("Accept", "application/json");
    request.send(data);
  };

  const next = () => {
    const file = waiting.shift();
    if (!file) return;
    open({ name: file.name, file });
    part("progress").value = 0;
    if (file.size > MOST) {
      fault(words.wordBig);
      part("progress").hidden = true;
    } else send(file);
  };
  const take = (files) => {
    waiting.push(...files);
    if (!box.open) next();
  };

  const insert = () => {
    const lines = [`/// picture | ${now.name}`, `    alt: ${yaml(oneLine(alt.value))}`];
    if (caption.value.trim()) lines.push(`    caption: ${yaml(oneLine(caption.value))}`);
    field.setSelectionRange(...caret);
    insertBlock(field, `${lines.join("\n")}\n///\n`);
    const end = field.value.indexOf("///\n", field.selectionEnd);
    if (end > 0) field.setSelectionRange(end + 3, end + 3);
  };

  const add = (picture) => {
    let item = strip.querySelector(`[data-name="${CSS.escape(picture.name)}"]`);
    if (!item) {
      item = document.createElement("li");
      item.dataset.name = picture.name;
      const image = Object.assign(document.createElement("img"), { src: picture.url, alt: "", width: picture.width, height: picture.height });
      const name = document.createElement("code");
      name.textContent = picture.name;
      item.append(image, name);
      strip.append(item);
    }
    enrich(item);
  };
  const enrich = (item) => {
    if (item.querySelector("button")) return;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button plain" });
    button.textContent = strip.dataset.wordInsert.replace("{name}", "").trim();
    button.setAttribute("aria-label", strip.dataset.wordInsert.replace("{name}", item.dataset.name));
    button.addEventListener("click", () => open({ name: item.dataset.name, url: item.querySelector("img").src }));
    const unused = Object.assign(document.createElement("span"), { className: "unused", textContent: strip.dataset.wordUnused });
    item.append(unused, button);
  };
  const used = () => {
    for (const item of strip.children) item.querySelector(".unused").hidden = field.value.includes(item.dataset.name);
  };

  for (const item of strip.children) enrich(item);
  used();
  field.addEventListener("input", used);
  alt.addEventListener("input", ready);
  box.addEventListener("close", () => {
    if (box.returnValue === "insert") insert();
    if (box.returnValue === "cover") facts.set({ cover: now.name, cover_alt: oneLine(alt.value) });
    now = null;
    used();
    next();
  });

  const input = form.querySelector("#f-pictures");
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  const drop = form.querySelector("[data-drop]");
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    drop.classList.remove("over");
    if (!carries(event)) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
  field.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/") || KNOWN.test(file.name));
    if (!files.length || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    take(files);
  });
  form.querySelector("[data-plain]").hidden = true;
  form.querySelector("[data-rich]").hidden = false;
};
