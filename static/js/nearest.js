// The nearest outlets, when somebody asks for them by the button. The exact position stays in this page: the server is
// asked for a cell of a tenth of a degree, and distances are reckoned here. Without geolocation the button goes
// away; it stands there from the start, because a button that comes later moves the page.

const SHOWN = 6;
const RADIANS = Math.PI / 180;

export function kilometres(a, b) {
  const up = (b.latitude - a.latitude) * RADIANS;
  const across = (b.longitude - a.longitude) * RADIANS;
  const square = Math.sin(up / 2) ** 2 + Math.cos(a.latitude * RADIANS) * Math.cos(b.latitude * RADIANS) * Math.sin(across / 2) ** 2;
  return 2 * 6371 * Math.asin(Math.min(1, Math.sqrt(square)));
}

export function said(distance) {
  return distance < 10 ? distance.toFixed(1) : String(Math.round(distance));
}

function position() {
  return new Promise((resolve, reject) => {
    navigator.geolocation.getCurrentPosition((found) => resolve(found.coords), reject, { timeout: 20000, maximumAge: 60000 });
  });
}

async function around({ latitude, longitude }) {
  const body = new URLSearchParams({ latitude: latitude.toFixed(1), longitude: longitude.toFixed(1) });
  const answer = await fetch("/o/near", { method: "POST", body, headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()).outlets;
}

function line(section, outlet, distance) {
  const words = section.dataset;
  const made = section.querySelector("template").content.cloneNode(true);
  const link = made.querySelector("h3 a");
  link.textContent = outlet.name;
  link.href = `/o/${encodeURIComponent(outlet.code)}`;
  made.querySelector("[data-address]").textContent = outlet.address;
  made.querySelector("[data-away]").textContent = words.away.replace("{distance}", said(distance));
  made.querySelector("[data-hours]").textContent = outlet.hours;
  const phone = made.querySelector("[data-phone]");
  if (outlet.phone) {
    phone.textContent = outlet.phone;
    phone.href = `tel:${outlet.phone.replaceAll(" ", "")}`;
    phone.setAttribute("aria-label", words.call.replace("{name}", outlet.name));
  } else {
    phone.remove();
  }
  return made;
}

async function find(section) {
  const status = section.querySelector("[role=status]");
  const list = section.querySelector("[data-list]");
  const words = section.dataset;
  status.textContent = words.seeking;
  list.replaceChildren();
  let here;
  try {
    here = await position();
  } catch {
    status.textContent = words.refused;
    return;
  }
  try {
    const outlets = (await around(here)).map((one) => [kilometres(here, one), one]).sort((a, b) => a[0] - b[0]);
    status.textContent = outlets.length ? words.found : words.none;
    list.append(...outlets.slice(0, SHOWN).map(([distance, one]) => line(section, one, distance)));
  } catch {
    status.textContent = words.failed;
  }
}

const section = document.querySelector("[data-near]");
if (section && !("geolocation" in navigator && window.isSecureContext)) section.hidden = true;
else if (section) {
  const button = section.querySelector("button");
  button.addEventListener("click", async () => {
    button.disabled = true;
    await find(section);
    button.disabled = false;
  });
}
