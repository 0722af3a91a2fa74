// A private directory for work that leaves nothing: fresh, with a random name, mode 0700, removed when its scope is left, however that
// is. Two runs with one root do not meet. If the process is killed or the power fails, it remains, with a name that says whose it is.
import { join } from 'node:path';
import * as fs from 'node:fs';
import { disk, temporaryName } from '../../pack/disk.js';
import { NotFoundError } from '../../pack/errors.js';
import type { ObjectFormat } from '../../pack/oid.js';
import { PackCaches } from '../../pack/pack-reader.js';
import type { Context } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';

export class Scratch {
  readonly path: string;

  private constructor(path: string) { this.path = path; }

  /** NotFoundError when `root` is no directory. */
  static make(root: string): Scratch {
    if (fs.statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new NotFoundError(`'${root}' is not a directory`, { code: 'no-scratch-root', hint: 'name another with --scratch-root' });
    }
    const path = temporaryName(fs.realpathSync(root), 'cairn-archive-');
    disk().mkdir(path, 0o700);
    return new Scratch(path);
  }

  /** A bare repository in it, with all objects of `borrowed` besides its own. */
  makeRepository(context: Context, name: string, format: ObjectFormat, borrowed: readonly string[] = []): Repository {
    const directory = join(this.path, name);
    for (const part of ['', 'objects', 'objects/info', 'objects/pack', 'refs', 'refs/heads']) disk().mkdir(join(directory, part), 0o700);
    const version = format === 'sha1' ? 0 : 1;
    const lines = ['[core]', `\trepositoryformatversion = ${version}`, '\tbare = true', ...(format === 'sha1' ? [] : ['[extensions]', `\tobjectformat = ${format}`])];
    this.#write(join(directory, 'config'), `${lines.join('\n')}\n`);
    this.#write(join(directory, 'HEAD'), 'ref: refs/heads/main\n');
    if (borrowed.length > 0) this.#write(join(directory, 'objects/info/alternates'), borrowed.map((path) => `${JSON.stringify(path)}\n`).join(''));
    const repository = Repository.openAt(context, directory);
    repository.useCaches(new PackCaches(16 * 1024 * 1024, 16 * 1024 * 1024));
    return repository;
  }

  #write(path: string, text: string): void {
    const fd = disk().open(path, 'wx', 0o600);
    try {
      disk().write(fd, Buffer.from(text));
    } finally {
      disk().close(fd);
    }
  }

  [Symbol.dispose](): void {
    disk().removeTree(this.path);
  }
}
