// Text for people instead of a file's own content: the program diff.<driver>.textconv of the driver that the attribute `diff` names
// (gitattributes(5), "Performing text diffs of binary files"). The content is handed over in a file that is removed afterwards.
import { disk, removeIfPresent, temporaryName } from '../../pack/disk.js';
import { RefusedError } from '../../pack/errors.js';
import { DiffDrivers } from '../diff/diff-driver.js';
import { runShell } from './filter-driver.js';
import type { Repository } from '../repository.js';

export class TextConversion {
  readonly #repository: Repository;
  readonly #drivers: DiffDrivers;

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#drivers = new DiffDrivers(repository, '');
  }

  /** What the program makes of content at `path`; undefined when the path has none. RefusedError when it fails. */
  find(path: string, bytes: Buffer): Buffer | undefined {
    const command = this.#drivers.driverOf(path).textConverter;
    if (command === undefined) return undefined;
    const file = temporaryName(this.#repository.cairnDirectory(), 'tmp_textconv_');
    try {
      const fd = disk().open(file, 'wx', 0o600);
      try {
        disk().write(fd, bytes);
      } finally {
        disk().close(fd);
      }
      const { code, stdout } = runShell(this.#repository, command, Buffer.alloc(0), [file]);
      if (code !== 0) throw new RefusedError(`unable to read files to convert: '${command}' failed`, { code: 'text-conversion-failed' });
      return stdout;
    } finally {
      removeIfPresent(file);
    }
  }
}
