// Programs that change content on its way between the work tree and the repository: filter.<name>.clean, .smudge and .process
// (gitattributes(5), "filter"). A driver nobody has configured does nothing; one that is required and fails is an error.
//
// A program is run for each file: over its standard input and output, or, for a process, in a conversation of packets in which
// everything is said at once, since what we say does not depend on the answers. Content is held in memory as a whole.
import { CairnError, RefusedError, isSystemError } from '../../pack/errors.js';
import { lazyModule } from '../../pack/lazy-module.js';
import type { Config } from '../config.js';
import { childEnvironment } from '../hooks.js';
import { shellQuote } from '../quote.js';
import type { Repository } from '../repository.js';

const childProcess = lazyModule<typeof import('node:child_process')>('node:child_process');

export interface FilterDriver {
  readonly name: string;
  readonly clean: string | undefined;
  readonly smudge: string | undefined;
  readonly process: string | undefined;
  readonly isRequired: boolean;
}

/** 'clean' goes into the repository, 'smudge' into the work tree. */
export type FilterDirection = 'clean' | 'smudge';

/** The driver as configured; undefined when nothing of it is. */
export function findFilterDriver(config: Config, name: string): FilterDriver | undefined {
  const find = (part: string): string | undefined => config.get(`filter.${name}.${part}`);
  const driver = {
    name, clean: find('clean'), smudge: find('smudge'), process: find('process'), isRequired: config.getBoolean(`filter.${name}.required`, false),
  };
  return driver.clean === undefined && driver.smudge === undefined && driver.process === undefined && !driver.isRequired ? undefined : driver;
}

/** `bytes` as the driver makes them for `path`; unchanged when it does nothing, or fails without being required. */
export function applyFilter(repository: Repository, driver: FilterDriver, direction: FilterDirection, path: string, bytes: Buffer): Buffer {
  const result = runFilter(repository, driver, direction, path, bytes);
  if (result !== undefined) return result;
  if (!driver.isRequired) return bytes;
  throw new RefusedError(`${Buffer.from(path, 'latin1').toString()}: ${direction} filter '${driver.name}' failed`, { code: 'filter-failed' });
}

function runFilter(repository: Repository, driver: FilterDriver, direction: FilterDirection, path: string, bytes: Buffer): Buffer | undefined {
  if (driver.process) return converse(repository, driver.process, direction, path, bytes);
  const command = driver[direction];
  if (!command) return undefined;
  const shown = shellQuote(Buffer.from(path, 'latin1').toString());
  const { code, stdout } = runShell(repository, command.replace(/%([%f])/g, (_whole, what: string) => (what === 'f' ? shown : '%')), bytes);
  if (code === 0) return stdout;
  complain(repository, `external filter '${command}' failed ${code}`);
  return undefined;
}

function complain(repository: Repository, message: string): void {
  repository.context.stderr.write(`error: ${message}\n`);
}

/** As much as one program may print. */
const mostBytes = 1024 * 1024 * 1024;

/** Runs a command line of the user's with a shell, at the top of the work tree; what it complains of goes to standard error. */
export function runShell(
  repository: Repository, command: string, input: Buffer, words: readonly string[] = [], environment: Readonly<Record<string, string>> = {},
): { readonly code: number; readonly stdout: Buffer } {
  if (!repository.isTrusted) {
    throw new RefusedError(`'${command}' is not run: the repository belongs to another user`, { code: 'unsafe-repository' });
  }
  const { context } = repository;
  context.stdout.flush();
  context.stderr.flush();
  const line = words.length === 0 ? command : `${command} "$@"`;
  const result = childProcess().spawnSync('/bin/sh', ['-c', line, command, ...words], {
    cwd: repository.programDirectory, env: childEnvironment(repository, environment), input, stdio: ['pipe', 'pipe', 'pipe'], maxBuffer: mostBytes,
  });
  if (result.stderr?.length) context.stderr.write(result.stderr);
  // A program need not read all it is given.
  if (result.error !== undefined && !isSystemError(result.error, 'EPIPE')) {
    throw new RefusedError(`'${command}' could not be run: ${result.error.message}`, { code: 'program-failed', cause: result.error });
  }
  return { code: result.status ?? 128, stdout: result.stdout };
}

/** The long-running filter process protocol, for one file. */
function converse(repository: Repository, command: string, direction: FilterDirection, path: string, bytes: Buffer): Buffer | undefined {
  const text = (...lines: readonly string[]): Buffer[] => [...lines.map((line) => packet(Buffer.from(`${line}\n`, 'latin1'))), flush];
  const input = Buffer.concat([
    ...text('git-filter-client', 'version=2'), ...text('capability=clean', 'capability=smudge'),
    ...text(`command=${direction}`, `pathname=${path}`), ...packets(bytes), flush,
  ]);
  const { code, stdout } = runShell(repository, command, input);
  // The shell did not find it.
  if (code === 127 && stdout.length === 0) return undefined;
  const answer = new Answer(stdout);
  if (answer.lines().join(' ') !== 'git-filter-server version=2') throw garbled();
  // What it cannot do is left as it is.
  if (!answer.lines().includes(`capability=${direction}`)) return undefined;
  try {
    if (answer.status() !== 'success') return undefined;
    const content = answer.content();
    return (answer.status() ?? 'success') === 'success' ? content : undefined;
  } catch (error) {
    if (!(error instanceof CairnError) || error.code !== 'filter-garbled') throw error;
    complain(repository, `external filter '${command}' failed`);
    return undefined;
  }
}

const largestPacket = 65516;
const flush = Buffer.from('0000');

function packet(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

function packets(bytes: Buffer): Buffer[] {
  const list: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += largestPacket) list.push(packet(bytes.subarray(at, at + largestPacket)));
  return list;
}

function garbled(): CairnError {
  return new RefusedError('the filter said something that is not understood', { code: 'filter-garbled' });
}

/** What a filter process said, list by list. */
class Answer {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  #list(): Buffer[] {
    const list: Buffer[] = [];
    for (;;) {
      const size = this.#bytes.toString('latin1', this.#at, this.#at + 4);
      if (!/^[0-9a-f]{4}$/i.test(size)) throw garbled();
      const length = Number.parseInt(size, 16);
      this.#at += Math.max(4, length);
      if (length === 0) return list;
      if (length < 4 || this.#at > this.#bytes.length) throw garbled();
      list.push(this.#bytes.subarray(this.#at - length + 4, this.#at));
    }
  }

  lines(): string[] {
    return this.#list().map((bytes) => bytes.toString('latin1').replace(/\n$/, ''));
  }

  /** The last status of a list; undefined when it says none, which leaves the former one as it is. */
  status(): string | undefined {
    return this.lines().findLast((line) => line.startsWith('status='))?.slice('status='.length);
  }

  content(): Buffer {
    return Buffer.concat(this.#list());
  }
}
