// Content in a file of its own, for a program to read: <TMPDIR>/git-blob-<random>/<the file's own name>, as git makes it. It lasts as long as the
// scope it was made in. Should the power fail meanwhile, a directory is left among the temporary ones.
import { resolve } from 'node:path';
import { disk, temporaryName } from '../../pack/disk.js';
import type { Context } from '../command.js';

export class HandedFile {
  readonly path: string;
  readonly #directory: string;

  private constructor(directory: string, path: string) {
    this.#directory = directory;
    this.path = path;
  }

  /** Writes `bytes` into a file that has the last part of the name of `path` (latin1). */
  static write(context: Context, path: string, bytes: Buffer): HandedFile {
    const directory = temporaryName(resolve(context.cwd, context.env['TMPDIR'] || '/tmp'), 'git-blob-');
    disk().mkdir(directory, 0o700);
    const file = new HandedFile(directory, `${directory}/${Buffer.from(path.slice(path.lastIndexOf('/') + 1), 'latin1').toString()}`);
    try {
      const fd = disk().open(file.path, 'wx', 0o600);
      try {
        disk().write(fd, bytes);
      } finally {
        disk().close(fd);
      }
    } catch (error) {
      file[Symbol.dispose]();
      throw error;
    }
    return file;
  }

  [Symbol.dispose](): void {
    disk().removeTree(this.#directory);
  }
}
