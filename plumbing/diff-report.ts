// What a comparison found, written where it should go, and the exit code it comes to.
//
// Paths compared with several sides at once come first, as they are found before the others are put in order. Text is collected
// and written in large pieces. Specified by git-diff-files(1) and the exit codes of git-diff(1).
import type { Context } from './command.js';
import { formatCombinedEntries } from './combined-diff.js';
import type { IndexDiff } from './diff-index.js';
import type { Sink } from './diff-format.js';
import type { DiffRequest } from './diff-options.js';
import type { Repository } from './repository.js';

const pieceLength = 65536;

/** Collects text and writes it to standard output. */
export class DiffOutput {
  readonly #context: Context;
  #pending = '';

  constructor(context: Context) {
    this.#context = context;
  }

  readonly sink: Sink = (text) => {
    this.#pending += text;
    if (this.#pending.length > pieceLength) this.flush();
  };

  flush(): void {
    if (this.#pending !== '') this.#context.stdout.write(Buffer.from(this.#pending, 'latin1'));
    this.#pending = '';
  }
}

/** Writes everything; returns the exit code. */
export function reportDiff(context: Context, repository: Repository, found: IndexDiff, request: DiffRequest, options: { readonly dense: boolean }): number {
  const output = new DiffOutput(context);
  if (found.combined.length > 0 && request.isShown) {
    formatCombinedEntries(repository.objects, found.combined, { dense: options.dense, format: request.format, request }, output.sink);
  }
  const entries = request.finish(found.entries);
  if (request.isShown) request.writer(output.sink).write(entries);
  output.flush();
  return request.exitCode && entries.length > 0 ? 1 : 0;
}
