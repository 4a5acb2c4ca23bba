// Counts what a paired screen showed. Of several windows of one screen one counts, the others only show.
import { Store } from "./screen_store.js";

const MOST = 400; // showings in a batch, as the server takes them
const OLDEST = 13 * 24 * 3600 * 1000; // older ones the server refuses

export class Counter {
  #store;
  #outlet;
  #least;
  #last = 0;
  #mine = false;
  #sending = false;
  #shift = 0; // the server's clock minus ours: a television's clock is often wrong

  constructor(outlet, least) {
    [this.#outlet, this.#store, this.#least] = [outlet, new Store(outlet), least];
    // held for as long as this window lives
    navigator.locks?.request(`signpost-screen-${outlet}`, () => {
      this.#mine = true;
      return new Promise(() => {});
    });
  }

  async start() {
    this.#last = (await this.#store.word("last")) ?? 0;
    this.#shift = (await this.#store.word("shift")) ?? 0;
    return this.paired();
  }

  async paired() {
    return Boolean(await this.#store.word("key"));
  }

  async clock(answer) {
    const said = Date.parse(answer.headers.get("Date") ?? "");
    if (Number.isNaN(said) || Math.abs(said - Date.now() - this.#shift) < 2000) return;
    this.#shift = said - Date.now();
    await this.#store.setWord("shift", this.#shift);
  }

  // A slide stood its whole time. What would be closer than a screen can show (a clock set back) is not counted.
  async showed(keys) {
    const at = Math.round(Date.now() + this.#shift);
    if (!this.#mine || at - this.#last < this.#least * 1000 - 400 || !(await this.paired())) return;
    this.#last = at;
    await this.#store.setWord("last", at);
    await this.#store.add([at, keys]);
  }

  // "paired", "refused" or "away".
  async pair(code) {
    try {
      const answer = await fetch(`/screen/${this.#outlet}/pair`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ code }),
      });
      if (!answer.ok) return "refused";
      await this.#store.forget();
      await this.#store.setWord("key", (await answer.json()).key);
      return "paired";
    } catch {
      return "away";
    }
  }

  // Send what waits, batch by batch, until it is all there or the network is gone.
  async send() {
    if (this.#sending || !this.#mine) return;
    this.#sending = true;
    try {
      for (;;) {
        const key = await this.#store.word("key");
        const found = key && (await this.#store.batch(MOST));
        if (!found || !(await this.#deliver(key, ...found))) return;
      }
    } finally {
      this.#sending = false;
    }
  }

  async #deliver(key, number, batch) {
    let answer;
    try {
      answer = await fetch(`/screen/${this.#outlet}/shown`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${key}`,
          "Idempotency-Key": batch.key,
          "Content-Type": "application/json",
          Accept: "application/json",
        },
        body: batch.body,
      });
    } catch {
      return false; // no network: the same again later
    }
    const told = await answer.json().catch(() => ({})); // something between us and the site may answer for it
    if (told.error?.status === 403) {
      await this.#store.forget(); // ended on the desk
      return false;
    }
    if ((answer.ok && typeof told.kept === "number") || (told.error?.status === 400 && this.#hopeless(batch))) {
      await this.#store.settle(number);
      return true;
    }
    return false;
  }

  // Whether a refused batch will never be taken: it is too old, or it was refused three times.
  #hopeless(batch) {
    const oldest = JSON.parse(batch.body).shown[0][0];
    batch.refused = (this.refused?.key === batch.key ? this.refused.times : 0) + 1;
    this.refused = { key: batch.key, times: batch.refused };
    return Date.now() + this.#shift - oldest > OLDEST || batch.refused >= 3;
  }
}
