// What a comparison found, written where it should go, and the exit code it comes to.
//
// Paths compared with several sides at once come first, as they are found before the others are put in order. Text is collected
// and written in large pieces. Specified by git-diff-files(1) and the exit codes of git-diff(1).
import { resolve } from 'node:path';
import { disk } from '../../pack/disk.js';
import type { Context } from '../command.js';
import { formatCombinedEntries } from './combined-diff.js';
import type { IndexDiff } from './diff-index.js';
import type { Sink } from './diff-format.js';
import type { DiffRequest } from './diff-options.js';
import { OutputPage } from '../output-page.js';
import type { Repository } from '../repository.js';

/** Collects what is written to standard output, or to a file. */
export class DiffOutput {
  readonly page: OutputPage;
  readonly #file: number | undefined;

  /** `path` is relative to the current directory; the file is emptied at once. */
  constructor(context: Context, path?: string) {
    const file = path === undefined ? undefined : disk().open(resolve(context.cwd, path), 'w', 0o666);
    this.#file = file;
    this.page = new OutputPage(file === undefined ? context.stdout : { write: (bytes) => { disk().write(file, bytes); } });
  }

  get sink(): Sink {
    return this.page.text;
  }

  flush(): void {
    this.page.flush();
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
  try {
    if (found.combined.length > 0 && request.isShown) {
      formatCombinedEntries(repository.objects, found.combined, {
        dense: options.dense, format: request.format, request, ...(request.format.colors === undefined ? {} : { colors: request.format.colors }),
      }, output.sink);
    }
    return request.write(request.finish(found.entries), output.sink);
  } finally {
    output.end();
  }
}
