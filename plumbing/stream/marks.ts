// Marks: the numbers a fast-import stream calls its objects by, and the files they are kept in from one run to the next. One line per
// mark, ":<number> <object id>" (git-fast-import(1), "Locations of Marks Files").
//
// If the power fails: a marks file is the old or the new one.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fillNamedFile, makeDirectories } from '../../pack/disk.js';
import { InvalidError, NotFoundError, isSystemError } from '../../pack/errors.js';

/** Ids are kept as they stand in the file, so that a repository of the other object format can be told of, too. */
export type Marks = Map<number, string>;

/** Reads a marks file; NotFoundError when there is none, InvalidError for a malformed line. */
export function readMarks(path: string): Marks {
  return findMarks(path) ?? (() => { throw new NotFoundError(`cannot read marks file '${path}': no such file`, { code: 'marks-missing' }); })();
}

/** Reads a marks file; undefined when there is none. */
export function findMarks(path: string): Marks | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
  const marks: Marks = new Map();
  if (text !== '' && !text.endsWith('\n')) throw damaged(path, text.slice(text.lastIndexOf('\n') + 1));
  for (const line of text.split('\n').slice(0, -1)) {
    const found = /^:([0-9]{1,15}) ([0-9a-f]{40}|[0-9a-f]{64})$/.exec(line);
    if (!found || Number(found[1]) === 0) throw damaged(path, line);
    marks.set(Number(found[1]), found[2]!);
  }
  return marks;
}

function damaged(path: string, line: string): InvalidError {
  return new InvalidError(`corrupt mark line in '${path}': '${line}'`, { code: 'bad-marks' });
}

/** Replaces a marks file, in the order of the numbers. */
export function writeMarks(path: string, marks: ReadonlyMap<number, string>): void {
  const lines = [...marks].sort(([one], [other]) => one - other).map(([mark, id]) => `:${mark} ${id}\n`);
  makeDirectories(dirname(path));
  fillNamedFile(path, (append) => { append(Buffer.from(lines.join(''))); });
}
