// merge-file: merges the changes of two files from a third. See git-merge-file(1).
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { disk } from '../../pack/disk.js';
import { UsageError, isSystemError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../command.js';
import { Repository } from '../repository.js';
import { isBinary } from '../diff/text-diff.js';
import { type ConflictStyle, mergeTexts } from '../merge/text-merge.js';

/** What git exits with when it cannot merge at all. */
const failed = 255;
const mostConflicts = 127;

export const command: Command = {
  name: 'merge-file',
  family: 'git',
  summary: 'merge the changes of two files from a third',
  usage: ['merge-file [<options>] [-L <name1> [-L <orig> [-L <name2>]]] <file1> <orig-file> <file2>'],
  options: [
    { name: 'stdout', short: 'p', negatable: true, help: 'write to standard output instead of the first file' },
    { name: 'diff3', negatable: true, help: 'show the base in conflicts' },
    { name: 'zdiff3', negatable: true, help: 'show the base, without what both sides begin and end with' },
    { name: 'ours', negatable: true, help: 'in conflicts take the first file' },
    { name: 'theirs', negatable: true, help: 'in conflicts take the third file' },
    { name: 'union', negatable: true, help: 'in conflicts take both' },
    { name: 'marker-size', value: 'n', help: 'length of conflict markers' },
    { name: 'quiet', short: 'q', negatable: true, help: 'do not warn of conflicts' },
    { name: 'L', value: 'label', help: 'names for the files, in their order' },
  ],
  run(context: Context, args: Arguments): number {
    const names = args.positionals;
    if (names.length !== 3) throw new UsageError('three files are needed');
    const labels = args.values('L');
    if (labels.length > 3) throw new UsageError('too many labels on the command line');
    const size = args.value('marker-size');
    const wrong = args.values('marker-size').find((each) => !/^[0-9]+$/.test(each));
    if (wrong !== undefined) throw new UsageError(`option 'marker-size' expects a number, not '${wrong}'`);
    const contents: Buffer[] = [];
    for (const name of names) {
      const bytes = readInput(context, name);
      if (bytes === undefined) return failed;
      contents.push(bytes);
    }
    const [ours, base, theirs] = contents as [Buffer, Buffer, Buffer];
    const label = (at: number): string => Buffer.from(labels[at] ?? names[at]!).toString('latin1');
    const favor = args.lastOf('ours', 'theirs', 'union') as 'ours' | 'theirs' | 'union' | undefined;
    const { bytes, conflicts } = mergeTexts(base, ours, theirs, {
      style: styleOf(context, args), joinsPunctuation: true, labels: { ours: label(0), base: label(1), theirs: label(2) },
      ...(favor === undefined ? {} : { favor }), ...(size === undefined || Number(size) === 0 ? {} : { markerSize: Number(size) }),
    });
    if (args.has('stdout')) context.stdout.write(bytes);
    else writeInPlace(resolve(context.cwd, names[0]!), bytes);
    return Math.min(conflicts, mostConflicts);
  },
};

/** Undefined, and a word about it, when the file cannot be merged. */
function readInput(context: Context, name: string): Buffer | undefined {
  try {
    const bytes = readFileSync(resolve(context.cwd, name));
    if (!isBinary(bytes)) return bytes;
    context.stderr.write(`error: cannot merge binary files: ${name}\n`);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES')) throw error;
    context.stderr.write(`error: could not read '${name}'\n`);
  }
  return undefined;
}

function styleOf(context: Context, args: Arguments): ConflictStyle {
  const typed = args.tokens.findLast((token) => token.kind === 'option' && (token.name === 'diff3' || token.name === 'zdiff3'));
  if (typed?.kind === 'option') return typed.negated ? 'merge' : typed.name as ConflictStyle;
  const configured = Repository.find(context)?.config.get('merge.conflictstyle');
  return configured === 'diff3' || configured === 'zdiff3' ? configured : 'merge';
}

/** The file keeps its name, its links and its mode. */
function writeInPlace(path: string, bytes: Buffer): void {
  const file = disk().open(path, 'w', 0o666);
  try {
    disk().write(file, bytes);
    disk().fsync(file);
  } finally {
    disk().close(file);
  }
}
