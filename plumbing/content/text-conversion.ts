// Text for people instead of a file's own content: the program diff.<driver>.textconv of the driver that the attribute `diff` names
// (gitattributes(5), "Performing text diffs of binary files"). Nothing is kept between runs: diff.<driver>.cachetextconv changes nothing.
import { RefusedError } from '../../pack/errors.js';
import { DiffDrivers } from '../diff/diff-driver.js';
import { runShell } from './filter-driver.js';
import { HandedFile } from './handed-file.js';
import type { Repository } from '../repository.js';

export class TextConversion {
  readonly #repository: Repository;
  readonly #drivers: DiffDrivers;

  constructor(repository: Repository, drivers = new DiffDrivers(repository, '')) {
    this.#repository = repository;
    this.#drivers = drivers;
  }

  /** The path has a program. */
  has(path: string): boolean {
    return this.#drivers.driverOf(path).textConverter !== undefined;
  }

  /** What the program makes of content at `path`, or of `file`, where it lies already; undefined when the path has none. RefusedError when it fails. */
  find(path: string, bytes: () => Buffer, file?: string): Buffer | undefined {
    const command = this.#drivers.driverOf(path).textConverter;
    if (command === undefined) return undefined;
    using handed = file === undefined ? HandedFile.write(this.#repository.context, path, bytes()) : undefined;
    const { code, stdout } = command === '' ? { code: 127, stdout: undefined } : runShell(this.#repository, command, Buffer.alloc(0), [handed?.path ?? file!]);
    if (code !== 0 || stdout === undefined) throw new RefusedError(`unable to read files to convert: '${command}' failed`, { code: 'text-conversion-failed' });
    return stdout;
  }
}
