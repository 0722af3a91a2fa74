// Pathspecs from the command line, or from the file --pathspec-from-file names: one a line, C-quoted where they need it, or each
// ending in NUL. Described with that option in git-add(1).
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../pack/errors.js';
import type { Arguments, Context } from './command.js';
import { readInput } from './line-reader.js';
import { unquotePath } from './quote.js';

/** What the command is about, as typed; UsageError when both places name pathspecs. */
export function readPathspecs(context: Context, args: Arguments, typed: readonly string[] = args.positionals): string[] {
  const file = args.value('pathspec-from-file');
  if (file === undefined) {
    if (args.has('pathspec-file-nul')) throw new UsageError("the option '--pathspec-file-nul' requires '--pathspec-from-file'");
    return [...typed];
  }
  if (typed.length > 0) throw new UsageError("'--pathspec-from-file' and pathspec arguments cannot be used together");
  const text = (file === '-' ? readInput(context.stdin) : readFileSync(resolve(context.cwd, file))).toString('latin1');
  const nul = args.has('pathspec-file-nul');
  const lines = nul ? text.split('\0') : text.split('\n').map((line) => unquotePath(line.replace(/\r$/, '')));
  return lines.filter((line) => line !== '').map((line) => Buffer.from(line, 'latin1').toString());
}
