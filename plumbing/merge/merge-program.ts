// A merge of one content by a program of the user's: merge.<name>.driver of gitattributes(5), "Defining a custom merge driver".
//
// The three versions lie as files at the top of the work tree (.merge_file_<random>, as git makes them) while the program runs; it leaves the
// result in place of ours. Should the power fail meanwhile, these files are left.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { disk, removeIfPresent, temporaryName } from '../../pack/disk.js';
import { RefusedError, isSystemError } from '../../pack/errors.js';
import { runShell } from '../content/filter-driver.js';
import { shellQuote } from '../quote.js';
import type { Repository } from '../repository.js';
import type { ContentMergeResult, ContentVersions } from './content-merge.js';

/** Runs the command line of a driver; its exit code says whether the result is clean. RefusedError when the result is gone. */
export function mergeByProgram(repository: Repository, command: string, versions: ContentVersions, path: string, markerSize: number): ContentMergeResult {
  const directory = repository.programDirectory;
  const names = { O: versions.base, A: versions.ours, B: versions.theirs };
  const files = new Map<string, string>();
  try {
    for (const [letter, bytes] of Object.entries(names)) {
      const name = temporaryName('', '.merge_file_');
      files.set(letter, name);
      const fd = disk().open(resolve(directory, name), 'wx', 0o600);
      try {
        disk().write(fd, bytes);
      } finally {
        disk().close(fd);
      }
    }
    files.set('L', String(markerSize)).set('P', shellQuote(Buffer.from(path, 'latin1').toString()));
    const line = command.replace(/%([%OABLP])/g, (_whole, letter: string) => files.get(letter) ?? '%');
    const { code, stdout } = runShell(repository, line, Buffer.alloc(0));
    repository.context.stdout.write(stdout);
    // A single word is started without a shell by git, and what cannot be started fails rather than merges.
    if (code === 127 && /^[\w.+,:@/-]*$/.test(line)) throw new RefusedError(`'${command}' could not be run`, { code: 'merge-program-failed' });
    return { bytes: readResult(resolve(directory, files.get('A')!), command), outcome: code === 0 ? 'clean' : 'conflict' };
  } finally {
    for (const letter of Object.keys(names)) if (files.has(letter)) removeIfPresent(resolve(directory, files.get(letter)!));
  }
}

function readResult(path: string, command: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    throw new RefusedError(`'${command}' left nothing in place of our version`, { code: 'merge-program-failed', cause: error });
  }
}
