// What a comparison found, written where it should go, and the exit code it comes to.
//
// Paths compared with several sides at once come first, as they are found before the others are put in order. Text is collected
// and written in large pieces. Specified by git-diff-files(1) and the exit codes of git-diff(1).
import { resolve } from 'node:path';
import { disk } from '../pack/disk.js';
import type { Context } from './command.js';
import { formatCombinedEntries } from './combined-diff.js';
import type { IndexDiff } from './diff-index.js';
import type { Sink } from './diff-format.js';
import type { DiffRequest } from './diff-options.js';
import type { Repository } from './repository.js';

const pieceLength = 65536;

/** Collects text and writes it to standard output, or to a file. */
export class DiffOutput {
  readonly #context: Context;
  readonly #file: number | undefined;
  #pending = '';

  /** `path` is relative to the current directory; the file is emptied at once. */
  constructor(context: Context, path?: string) {
    this.#context = context;
    this.#file = path === undefined ? undefined : disk().open(resolve(context.cwd, path), 'w', 0o666);
  }

  readonly sink: Sink = (text) => {
    this.#pending += text;
    if (this.#pending.length > pieceLength) this.flush();
  };

  flush(): void {
    const bytes = Buffer.from(this.#pending, 'latin1');
    this.#pending = '';
    if (bytes.length === 0) return;
    if (this.#file === undefined) this.#context.stdout.write(bytes);
    else disk().write(this.#file, bytes);
  }

  /** Writes the rest. */
  end(): void {
    this.flush();
    if (this.#file !== undefined) disk().close(this.#file);
  }
}

/** Writes everything; returns the exit code. */
export function reportDiff(context: Context, repository: Repository, found: IndexDiff, request: DiffRequest, options: { readonly dense: boolean }): number {
  const output = new DiffOutput(context, request.outputPath);
  if (found.combined.length > 0 && request.isShown) {
    formatCombinedEntries(repository.objects, found.combined, {
      dense: options.dense, format: request.format, request, ...(request.format.colors === undefined ? {} : { colors: request.format.colors }),
    }, output.sink);
  }
  const code = request.write(request.finish(found.entries), output.sink);
  output.end();
  return code;
}
