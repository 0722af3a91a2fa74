// Looking for differences that add or remove something: a string or pattern more or less often (-S), a line that matches (-G), an
// object (--find-object). Specified by git-diff(1) and gitdiffcore(7).
import { InvalidError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { Arguments } from '../command.js';
import type { DiffEntry, DiffSide } from './diff.js';
import { parsePattern } from '../posix-regex.js';
import { diffLines, hunksOf, splitLines } from './text-diff.js';

/** What is looked into. */
export interface Contents {
  /** Content of a side at a path, as it is compared. */
  read(path: string, side: DiffSide): Buffer;
  /** Content that cannot be looked into line by line. */
  isBinary(entry: DiffEntry): boolean;
}

export interface Pickaxe {
  /** When one entry fits, all of them are kept. */
  readonly all: boolean;
  readonly matches: (entry: DiffEntry, contents: Contents) => boolean;
}

/** What the arguments look for; `resolve` finds the object of a name. */
export function parsePickaxe(args: Arguments, resolve: (name: string) => ObjectId): Pickaxe | undefined {
  const [text, pattern, object] = [args.value('S'), args.value('G'), args.value('find-object')];
  const all = args.has('pickaxe-all');
  if ([text, pattern, object].filter((each) => each !== undefined).length > 1) throw conflict('-G, -S and --find-object cannot be used together');
  if (pattern !== undefined && args.has('pickaxe-regex')) throw conflict('-G and --pickaxe-regex cannot be used together, use --pickaxe-regex with -S');
  if (object !== undefined) {
    if (all) throw conflict('--pickaxe-all and --find-object cannot be used together, use --pickaxe-all with -G and -S');
    const id = resolve(object);
    return { all, matches: ({ old, new: now }) => [old, now].some((side) => side.mode !== 0 && side.id === id) };
  }
  if (text !== undefined) {
    const count = counterOf(Buffer.from(text), args.has('pickaxe-regex'));
    const countIn = (path: string, side: DiffSide, contents: Contents): number => (side.mode === 0 ? 0 : count(contents.read(path, side)));
    return {
      all,
      matches: ({ path, oldPath, old, new: now, status }, contents) => status !== 'U' && countIn(oldPath ?? path, old, contents) !== countIn(path, now, contents),
    };
  }
  if (pattern === undefined) return undefined;
  const regex = parsePattern(Buffer.from(pattern).toString('latin1'), 'extended');
  return {
    all,
    matches: (entry, contents) => !isSubmodule(entry) && !contents.isBinary(entry)
      && hasChangedLine(contents.read(entry.oldPath ?? entry.path, entry.old), contents.read(entry.path, entry.new), regex),
  };
}

function conflict(message: string): InvalidError {
  return new InvalidError(message, { code: 'bad-options' });
}

/** Counts how often something occurs. */
function counterOf(needle: Buffer, isPattern: boolean): (bytes: Buffer) => number {
  if (isPattern) {
    const regex = new RegExp(parsePattern(needle.toString('latin1'), 'extended', { lines: true }), 'gm');
    return (bytes) => [...bytes.toString('latin1').matchAll(regex)].length;
  }
  return (bytes) => {
    let found = 0;
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + needle.length)) found += 1;
    return found;
  };
}

function isSubmodule(entry: DiffEntry): boolean {
  return [entry.old, entry.new].some((side) => (side.mode & 0o170000) === 0o160000);
}

function hasChangedLine(old: Buffer, now: Buffer, regex: RegExp): boolean {
  const [one, two] = [splitLines(old), splitLines(now)];
  const line = (lines: typeof one, at: number): string => lines.bytes.toString('latin1', lines.starts[at]!, lines.starts[at + 1]!).replace(/\n$/, '');
  for (const hunk of hunksOf(diffLines(one, two), one.count, two.count, 0)) {
    for (const change of hunk.changes) {
      for (let at = 0; at < change.oldCount; at += 1) if (regex.test(line(one, change.oldAt + at))) return true;
      for (let at = 0; at < change.newCount; at += 1) if (regex.test(line(two, change.newAt + at))) return true;
    }
  }
  return false;
}
