// What a screen keeps in its browser: its key, the showings not yet sent, the batch that is being sent.
// A batch is written down with its key before it is sent and stays until it was answered: whatever happens in
// between, the same bytes go out under the same key again, and the server knows that key.
export class Store {
  #opening;

  constructor(outlet) {
    this.#opening = new Promise((done, failed) => {
      const asked = indexedDB.open(`signpost-screen-${outlet}`, 1);
      asked.onupgradeneeded = () => {
        asked.result.createObjectStore("words");
        asked.result.createObjectStore("showings", { autoIncrement: true });
        asked.result.createObjectStore("batches", { autoIncrement: true });
      };
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
  }

  async word(name) {
    return this.#ask("words", "readonly", (store) => store.get(name));
  }

  async setWord(name, value) {
    await this.#ask("words", "readwrite", (store) => (value === undefined ? store.delete(name) : store.put(value, name)));
  }

  async add(showing) {
    await this.#ask("showings", "readwrite", (store) => store.add(showing));
  }

  async count() {
    return this.#ask("showings", "readonly", (store) => store.count());
  }

  // The oldest batch, made of the oldest showings if there is none: [number, {key, body}], or null.
  async batch(most) {
    const base = await this.#opening;
    const work = base.transaction(["showings", "batches"], "readwrite", { durability: "strict" });
    const [showings, batches] = [work.objectStore("showings"), work.objectStore("batches")];
    let found = null;
    const first = batches.openCursor();
    first.onsuccess = () => {
      if (first.result) return void (found = [first.result.key, first.result.value]);
      const [keys, values] = [showings.getAllKeys(null, most), showings.getAll(null, most)];
      values.onsuccess = () => {
        if (!values.result.length) return;
        const made = { key: crypto.randomUUID(), body: JSON.stringify({ shown: values.result }) };
        const added = batches.add(made);
        added.onsuccess = () => (found = [added.result, made]);
        showings.delete(IDBKeyRange.bound(keys.result[0], keys.result.at(-1)));
      };
    };
    await finished(work);
    return found;
  }

  async settle(number) {
    await this.#ask("batches", "readwrite", (store) => store.delete(number));
  }

  async forget() {
    for (const name of ["words", "showings", "batches"]) await this.#ask(name, "readwrite", (store) => store.clear());
  }

  async #ask(name, mode, act) {
    const work = (await this.#opening).transaction(name, mode);
    const asked = act(work.objectStore(name));
    await finished(work);
    return asked.result;
  }
}

function finished(work) {
  return new Promise((done, failed) => {
    work.oncomplete = () => done();
    work.onabort = work.onerror = () => failed(work.error);
  });
}
