// How the editor changes its text: as if it were typed, so that the browser's undo takes it back.

// Replaces a stretch of the field and leaves the caret behind it.
export const put = (field, text, start, end) => {
  field.focus();
  field.setSelectionRange(start, end);
  const command = text ? "insertText" : "delete";
  if (document.execCommand(command, false, text)) return;
  field.setRangeText(text, start, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
};

// Makes the field say `text` by changing only what differs; the caret stays where it was, and so does the focus.
export const become = (field, text) => {
  const old = field.value;
  let start = 0;
  while (start < old.length && start < text.length && old[start] === text[start]) start += 1;
  let tail = 0;
  const most = Math.min(old.length, text.length) - start;
  while (tail < most && old[old.length - 1 - tail] === text[text.length - 1 - tail]) tail += 1;
  field.setRangeText(text.slice(start, text.length - tail), start, old.length - tail, "preserve");
};

// Where the body begins: behind the second line of dashes; 0 without front matter.
const bodyAt = (text) => {
  const found = /^---[ \t]*\n[\s\S]*?\n---[ \t]*(?:\n|$)/.exec(text);
  return found ? found[0].length : 0;
};

// The numbers of slashes of the blocks that are open at the end of a text.
const open = (before) => {
  const found = [];
  for (const line of before.split("\n")) {
    const mark = /^ {0,3}(\/{3,}) *(.*)$/.exec(line);
    if (!mark) continue;
    if (mark[2].trim()) found.push(mark[1].length);
    else if (found.includes(mark[1].length)) found.length = found.lastIndexOf(mark[1].length);
  }
  return found;
};

const lineEnd = (text, at) => {
  const found = text.indexOf("\n", at);
  return found < 0 ? text.length : found;
};

// The place below the line of the caret, not between a block's opening and its options, never in the front matter.
const below = (text, caret) => {
  const body = bodyAt(text);
  if (caret < body) return text.length;
  let at = lineEnd(text, caret);
  while (/^\n {4,}\S/.test(text.slice(at))) at = lineEnd(text, at + 1);
  return at;
};

// The stretch that a block takes the place of: the marked lines if it wraps any, else nothing below the caret.
const stretch = (field, wraps) => {
  const text = field.value;
  const { selectionStart: from, selectionEnd: to } = field;
  if (wraps && to > from && from >= bodyAt(text)) {
    return [text.lastIndexOf("\n", from - 1) + 1, lineEnd(text, text[to - 1] === "\n" ? to - 1 : to)];
  }
  const at = below(text, to);
  const begin = text.lastIndexOf("\n", at - 1) + 1;
  return text.slice(begin, at).trim() ? [at, at] : [begin, at];
};

// Inserts a block; marked text takes the place of its line `wraps`. Where blocks are open or marked, it takes more
// slashes than they have. What is to be typed first is marked afterwards.
export const insertBlock = (field, block, wraps = "") => {
  const [start, end] = stretch(field, wraps);
  const [before, marked, after] = [field.value.slice(0, start), field.value.slice(start, end), field.value.slice(end)];
  const inside = (marked.match(/^ {0,3}\/{3,}/gm) ?? []).map((one) => one.trim().length);
  const more = "/".repeat(Math.max(2, ...open(before), ...inside) - 2);
  let made = block.trimEnd().replace(/^\/{3,}/gm, (slashes) => slashes + more);
  if (marked.trim()) made = made.replace(wraps, () => marked);
  const lead = !before || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  const close = /^\s*\/{3,}[ \t]*(\n|$)/.test(after);
  const trail = after.startsWith("\n") ? (close || after.startsWith("\n\n") || after === "\n" ? "" : "\n") : "\n";
  put(field, lead + made + trail, start, end);
  const first = made.split("\n")[0];
  const bar = first.indexOf("| ");
  const from = start + lead.length;
  field.setSelectionRange(from + (bar < 0 ? first.length : bar + 2), from + first.length);
  showCaret(field);
};

// Scrolls the field so that the caret is seen.
export const showCaret = (field) => {
  const share = field.selectionStart / Math.max(field.value.length, 1);
  field.scrollTop = share * field.scrollHeight - field.clientHeight / 3;
  field.scrollIntoView({ block: "nearest" });
};

// Marks a stretch counted in characters, as the server counts, not in UTF-16 units.
export const mark = (field, offset, length) => {
  const chars = [...field.value];
  const start = chars.slice(0, offset).join("").length;
  field.focus();
  field.setSelectionRange(start, start + chars.slice(offset, offset + length).join("").length);
  showCaret(field);
};

// Marks a whole line, counted from 1.
export const markLine = (field, line) => {
  const lines = field.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  field.focus();
  field.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  showCaret(field);
};
