// The quick look of a scan: is the file of an index entry there and certainly unchanged? It answers for entries nothing is special about,
// which are nearly all, straight from the bytes of the index; whoever gets a "no" compares at leisure.
//
// Invariant: "yes" only where compareAppearance() says 'same'; a test compares the two. It is one short piece on purpose: in a process as
// short as status, time goes to functions that run many times before the compiler has come to them. Only for bytes that index-file.ts has
// checked. Only reads.
import { type Stats, lstatSync } from 'node:fs';
import { rawSize } from '../../pack/oid.js';
import { type AppearanceRules, type Compared, timeToleranceMs } from './appearance.js';
import { modeOffset, sizeOffset, statSize } from './index-row.js';

/** The entries of an index as they were read: in the layout of versions 2 and 3, and where each begins. */
export interface IndexRows extends Compared {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  /** True when every path is plain ASCII. */
  readonly isAscii: boolean;
}

const noThrow = { throwIfNoEntry: false } as const;
const longName = 0xfff;
const pageBytes = 8192;
const ascii = /^[\x00-\x7f]*$/;

export class QuickLook {
  readonly #rows: IndexRows;
  readonly #rules: AppearanceRules;
  readonly #top: string;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #flagsAt: number;
  /** Entries that lie together as one text, of which paths are slices. */
  #page = '';
  #pageFrom = 0;

  /** `top` is put in front of every path. */
  constructor(rows: IndexRows, rules: AppearanceRules, top: string) {
    const { buffer, byteOffset, length } = rows.bytes;
    this.#rows = rows;
    this.#rules = rules;
    this.#top = top;
    this.#bytes = Buffer.from(buffer, byteOffset, length);
    this.#view = new DataView(buffer, byteOffset, length);
    this.#flagsAt = statSize + rawSize(rows.format);
  }

  /** The path of an entry that is merged, has no flag set and can be named as it is; undefined of any other. */
  plainPath(at: number): string | undefined {
    const flagsAt = this.#rows.offsets[at]! + this.#flagsAt;
    const length = this.#view.getUint16(flagsAt);
    if (length >= longName) return undefined;
    const start = flagsAt + 2;
    if (start < this.#pageFrom || start + length > this.#pageFrom + this.#page.length) {
      this.#page = this.#bytes.toString('latin1', start, start + Math.max(length, pageBytes));
      this.#pageFrom = start;
    }
    const path = this.#page.slice(start - this.#pageFrom, start - this.#pageFrom + length);
    return this.#rows.isAscii || ascii.test(path) ? path : undefined;
  }

  /** True when the file of the entry with this plain path is there and unchanged; links on the way are followed. */
  isUnchanged(at: number, path: string): boolean {
    let status: Stats | undefined;
    try {
      status = lstatSync(this.#top + path, noThrow);
    } catch {
      // Whoever looks at leisure will see what is wrong with it, and say.
    }
    if (status === undefined) return false;
    const view = this.#view;
    const offset = this.#rows.offsets[at]!;
    const mode = view.getUint32(offset + modeOffset);
    const size = view.getUint32(offset + sizeOffset);
    const { trustsExecutable, checksAll, trustsCtime } = this.#rules;
    if (mode >>> 12 !== 0o10 || status.mode >>> 12 !== 0o10 || size === 0 || size !== status.size) return false;
    if (trustsExecutable && (mode & 0o100) !== (status.mode & 0o100)) return false;
    const seconds = view.getUint32(offset + 8);
    // What changed in the second the index was written in may be racy.
    if (seconds >= this.#rows.writtenAt.seconds || !isNear(status.mtimeMs, seconds, view.getUint32(offset + 12))) return false;
    if (!checksAll) return true;
    return view.getUint32(offset + 20) === status.ino && view.getUint32(offset + 28) === status.uid && view.getUint32(offset + 32) === status.gid
      && (!trustsCtime || isNear(status.ctimeMs, view.getUint32(offset), view.getUint32(offset + 4)));
  }
}

function isNear(ms: number, seconds: number, nanoseconds: number): boolean {
  const difference = ms - (seconds * 1000 + nanoseconds / 1e6);
  return difference < timeToleranceMs && difference > -timeToleranceMs;
}
