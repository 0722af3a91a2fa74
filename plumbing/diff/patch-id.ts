// Ids of patches: the same for the same change, wherever in the files it is and, but for 'verbatim', whatever its white space.
//
// Text is read as diff, log and format-patch write it: what stands before a patch, and the lines of a hunk's place, do not count.
// The stable kind adds up the hashes of the files, so that their order does not count either. Specified by git-patch-id(1).
import { Hasher, type ObjectFormat, type ObjectId, hexSize, rawSize, zeroId } from '../../pack/oid.js';

export type PatchIdKind = 'unstable' | 'stable' | 'verbatim';

export interface PatchId {
  /** In hex, as long as an object's id. */
  readonly id: string;
  /** What the text said the patch belongs to; the zero id when it said nothing. */
  readonly commit: ObjectId;
}

/** The state of the text: before its first hunk's "---", in a binary file, or with so many lines left of a hunk. */
interface Place {
  isHeader: boolean;
  isBinary: boolean;
  oldLeft: number;
  newLeft: number;
}

/** The ids of the patches in `lines`: latin1, each with its line end. */
export function* listPatchIds(lines: Iterable<string>, format: ObjectFormat, kind: PatchIdKind): Generator<PatchId> {
  let commit = zeroId(format);
  let sum = new PatchSum(format, kind);
  let place = startOfPatch();
  const digits = hexSize(format);
  const finish = function* (next: ObjectId): Generator<PatchId> {
    const id = sum.finish();
    if (id !== undefined) yield { id, commit };
    commit = next;
    sum = new PatchSum(format, kind);
    place = startOfPatch();
  };
  for (const whole of lines) {
    const line = whole.endsWith('\n') ? whole.slice(0, -1) : whole;
    const named = namedCommit(line, digits);
    if (named !== undefined) {
      yield* finish(named);
      continue;
    }
    if (line.startsWith('\\ ') && line.length > 11) {
      if (kind === 'verbatim') sum.add(whole);
      continue;
    }
    if (sum.isEmpty && !line.startsWith('diff ')) continue;
    // The line that shows a patch to be over is not part of the next one.
    if (!takeLine(line, whole, place, sum)) yield* finish(zeroId(format));
  }
  yield* finish(zeroId(format));
}

function startOfPatch(): Place {
  return { isHeader: true, isBinary: false, oldLeft: 0, newLeft: 0 };
}

/** "commit <id>", "From <id> ..." or a line that begins with an id. */
function namedCommit(line: string, digits: number): ObjectId | undefined {
  const text = line.startsWith('commit ') ? line.slice(7) : line.startsWith('From ') ? line.slice(5) : line;
  const id = text.slice(0, digits);
  return id.length === digits && /^[0-9a-fA-F]+$/.test(id) ? id.toLowerCase() as ObjectId : undefined;
}

/** False when the line is none of a patch. */
function takeLine(line: string, whole: string, place: Place, sum: PatchSum): boolean {
  if (place.isHeader) {
    if (line.startsWith('GIT binary patch') || line.startsWith('Binary files')) {
      place.isBinary = true;
      place.isHeader = false;
      sum.endBinary();
      return true;
    }
    if (line.startsWith('index ')) {
      sum.noteIndex(line);
      return true;
    }
    if (line.startsWith('--- ')) [place.isHeader, place.oldLeft, place.newLeft] = [false, 1, 1];
    else if (!/^[A-Za-z]/.test(line)) return false;
  }
  if (place.isBinary) {
    // The "diff" line that ends a binary file does not count.
    if (line.startsWith('diff ')) [place.isBinary, place.isHeader] = [false, true];
    return true;
  }
  if (!place.isHeader && place.oldLeft === 0 && place.newLeft === 0) {
    if (line.startsWith('@@ -')) {
      [place.oldLeft, place.newLeft] = hunkCounts(line);
      return true;
    }
    if (!line.startsWith('diff ')) return false;
    sum.endFile();
    place.isHeader = true;
  } else if (!place.isHeader) {
    if (line.startsWith('-') || line.startsWith(' ')) place.oldLeft -= 1;
    if (line.startsWith('+') || line.startsWith(' ')) place.newLeft -= 1;
  }
  sum.addLine(whole);
  return true;
}

/** Of "@@ -1,2 +3,4 @@"; a count left out is 1. */
function hunkCounts(line: string): [number, number] {
  const found = /^@@ -[0-9]*(?:,([0-9]+))? \+[0-9]*(?:,([0-9]+))? @@/.exec(line);
  return found === null ? [1, 1] : [Number(found[1] ?? 1), Number(found[2] ?? 1)];
}

/** The hashes of one patch. */
class PatchSum {
  readonly #format: ObjectFormat;
  readonly #kind: PatchIdKind;
  readonly #total: Buffer;
  #hasher: Hasher;
  #size = 0;
  #index = '';

  constructor(format: ObjectFormat, kind: PatchIdKind) {
    this.#format = format;
    this.#kind = kind;
    this.#total = Buffer.alloc(rawSize(format));
    this.#hasher = new Hasher(format);
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  add(text: string): void {
    this.#hasher.update(Buffer.from(text, 'latin1'));
  }

  /** What stands behind a NUL does not count. */
  addLine(whole: string): void {
    const end = whole.indexOf('\0');
    const line = end < 0 ? whole : whole.slice(0, end);
    const text = this.#kind === 'verbatim' ? line : line.replace(/[ \t\r\n]+/g, '');
    this.#size += text.length;
    this.add(text);
  }

  /** "index <old>..<new> <mode>": what a binary file is told by. */
  noteIndex(line: string): void {
    const found = /^index (.*?)\.\.([^ ]*)/.exec(line);
    if (found !== null) this.#index = found[1]! + found[2]!;
  }

  endBinary(): void {
    this.add(this.#index);
    this.endFile();
  }

  endFile(): void {
    if (this.#kind !== 'unstable') this.#carry();
  }

  /** Undefined when there was no patch. */
  finish(): string | undefined {
    this.#carry();
    return this.#size === 0 ? undefined : this.#total.toString('hex');
  }

  /** Adds the hash so far to the total, as numbers whose lowest byte comes first. */
  #carry(): void {
    const bytes = this.#hasher.digestBytes();
    this.#hasher = new Hasher(this.#format);
    let carry = 0;
    for (let at = 0; at < this.#total.length; at += 1) {
      carry += this.#total[at]! + bytes[at]!;
      this.#total[at] = carry & 0xff;
      carry >>= 8;
    }
  }
}
