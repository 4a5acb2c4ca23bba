// The picture that is saved goes on counting for whose link led to this page.
const led = new URLSearchParams(location.search).get("a") ?? "";
const link = document.querySelector("[data-save]");
if (link && /^[\w-]{1,300}$/.test(led)) link.search = `?a=${led}`;
