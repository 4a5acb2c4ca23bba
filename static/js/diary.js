// Where I stopped: kept on this device alone, under one key, and shown on the page of the diary.
const KEY = "signpost.diary";

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return { read: Array.isArray(found.read) ? found.read : [], next: found.next ?? null };
  } catch {
    return { read: [], next: null };
  }
}

function keep(state) {
  try {
    localStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // a browser that keeps nothing: the page works without
  }
}

const safe = (key) => /^[a-z0-9-]{1,60}$/.test(key ?? "");

function begin(article) {
  const { reading, title, next, nextTitle } = article.dataset;
  const state = kept();
  keep({ ...state, next: { key: reading, title } });
  const end = article.querySelector("[data-end]");
  if (!end) return;
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    const read = [...new Set([...kept().read, reading])].slice(-200);
    keep({ read, next: next ? { key: next, title: nextTitle } : null });
  }).observe(end);
}

function show() {
  const { read, next } = kept();
  for (const item of document.querySelectorAll("[data-episode]")) {
    if (read.includes(item.dataset.episode)) item.querySelector("[data-read]").hidden = false;
  }
  const link = document.querySelector("[data-resume]");
  if (!link || !safe(next?.key)) return;
  if (!document.querySelector(`[data-episode="${next.key}"]`)) return;
  link.href = `/p/${next.key}`;
  link.querySelector("[data-resume-title]").textContent = `：${String(next.title ?? "").slice(0, 40)}`;
  link.hidden = false;
}

const article = document.querySelector("[data-reading]");
if (article) begin(article);
else show();
