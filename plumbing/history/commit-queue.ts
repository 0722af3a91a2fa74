// Commits by number, in order of a time: the newest first, and in the order they came when equal. A heap in typed arrays.

export class CommitQueue {
  #commits = new Int32Array(64);
  #times = new Float64Array(64);
  /** Counts up with every commit that comes. */
  #serials = new Float64Array(64);
  #nextSerial = 0;
  #length = 0;

  get length(): number { return this.#length; }

  /** The commit that would be next; -1 when there is none. */
  peek(): number { return this.#length === 0 ? -1 : this.#commits[0]!; }

  /** Those waiting, in no order: valid until the next change. */
  waiting(): Int32Array { return this.#commits.subarray(0, this.#length); }

  push(commit: number, time: number): void {
    if (this.#length === this.#commits.length) this.#grow();
    const commits = this.#commits;
    const times = this.#times;
    const serials = this.#serials;
    let at = this.#length;
    this.#length += 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      // What came before stays in front of its equals.
      if (times[up]! >= time) break;
      commits[at] = commits[up]!;
      times[at] = times[up]!;
      serials[at] = serials[up]!;
      at = up;
    }
    commits[at] = commit;
    times[at] = time;
    serials[at] = this.#nextSerial;
    this.#nextSerial += 1;
  }

  /** Takes the next commit; -1 when there is none. */
  pop(): number {
    if (this.#length === 0) return -1;
    const commits = this.#commits;
    const first = commits[0]!;
    this.#length -= 1;
    const last = this.#length;
    if (last === 0) return first;
    const times = this.#times;
    const serials = this.#serials;
    const time = times[last]!;
    const serial = serials[last]!;
    let at = 0;
    for (let down = 1; down < last; down = at * 2 + 1) {
      if (down + 1 < last && this.#isBefore(down + 1, times[down]!, serials[down]!)) down += 1;
      if (!this.#isBefore(down, time, serial)) break;
      commits[at] = commits[down]!;
      times[at] = times[down]!;
      serials[at] = serials[down]!;
      at = down;
    }
    commits[at] = commits[last]!;
    times[at] = time;
    serials[at] = serial;
    return first;
  }

  #isBefore(at: number, time: number, serial: number): boolean {
    const own = this.#times[at]!;
    return own > time || (own === time && this.#serials[at]! < serial);
  }

  #grow(): void {
    const room = this.#commits.length * 2;
    const commits = new Int32Array(room);
    const times = new Float64Array(room);
    const serials = new Float64Array(room);
    commits.set(this.#commits);
    times.set(this.#times);
    serials.set(this.#serials);
    [this.#commits, this.#times, this.#serials] = [commits, times, serials];
  }
}
