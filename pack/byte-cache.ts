// A bounded memory of byte ranges (windows of packs, delta bases): the least recently used go first. Several owners share one
// budget, each with keys of its own.

interface Entry<Value> {
  readonly owner: Map<number, Entry<Value>>;
  readonly key: number;
  readonly value: Value;
  readonly sizeBytes: number;
  newer: Entry<Value> | undefined;
  older: Entry<Value> | undefined;
}

export class ByteCache<Value> {
  readonly #budgetBytes: number;
  #usedBytes = 0;
  #newest: Entry<Value> | undefined;
  #oldest: Entry<Value> | undefined;

  constructor(budgetBytes: number) { this.#budgetBytes = budgetBytes; }

  get usedBytes(): number { return this.#usedBytes; }

  /** True when that much more can be kept without anything going. */
  hasRoom(sizeBytes: number): boolean { return this.#usedBytes + sizeBytes <= this.#budgetBytes; }

  /** Keys of one owner. */
  share(): ByteCacheShare<Value> {
    const owned = new Map<number, Entry<Value>>();
    return {
      get: (key) => {
        const entry = owned.get(key);
        if (entry === undefined) return undefined;
        if (entry !== this.#newest) {
          this.#unlink(entry);
          this.#link(entry);
        }
        return entry.value;
      },
      set: (key, value, sizeBytes) => {
        const former = owned.get(key);
        if (former) this.#drop(former);
        if (sizeBytes > this.#budgetBytes / 2) return;
        const entry: Entry<Value> = { owner: owned, key, value, sizeBytes, newer: undefined, older: undefined };
        owned.set(key, entry);
        this.#link(entry);
        this.#usedBytes += sizeBytes;
        while (this.#usedBytes > this.#budgetBytes && this.#oldest) this.#drop(this.#oldest);
      },
      clear: () => { for (const entry of [...owned.values()]) this.#drop(entry); },
    };
  }

  #drop(entry: Entry<Value>): void {
    this.#unlink(entry);
    entry.owner.delete(entry.key);
    this.#usedBytes -= entry.sizeBytes;
  }

  #link(entry: Entry<Value>): void {
    entry.older = this.#newest;
    if (this.#newest) this.#newest.newer = entry;
    this.#newest = entry;
    this.#oldest ??= entry;
  }

  #unlink(entry: Entry<Value>): void {
    if (entry.older) entry.older.newer = entry.newer;
    else this.#oldest = entry.newer;
    if (entry.newer) entry.newer.older = entry.older;
    else this.#newest = entry.older;
    entry.newer = undefined;
    entry.older = undefined;
  }
}

/** One owner's part of a ByteCache. */
export interface ByteCacheShare<Value> {
  get(key: number): Value | undefined;
  /** Values larger than half the budget are not kept. */
  set(key: number, value: Value, sizeBytes: number): void;
  clear(): void;
}
