// The program's door: the only file that touches `process`. It packs the process into a Context, runs main and exits.
// Keep it and what it imports eagerly small: every plumbing call in a shell loop pays for it.
import * as fs from 'node:fs';
import { NotFoundError, isSystemError } from '../pack/errors.js';
import { lazyModule } from '../pack/lazy-module.js';
import type { Clock, Context, Input, Output, SignalListener } from '../plumbing/command.js';
import { brokenPipeExit, run } from './main.js';

const os = lazyModule<typeof import('node:os')>('node:os');
const tty = lazyModule<typeof import('node:tty')>('node:tty');

/** Blocks for a moment while a non-blocking descriptor is not ready. */
function waitABit(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

/** node:tty costs milliseconds to load, so what is no character device, or is the one that takes everything, is answered without it. */
function isTerminal(fd: number): boolean {
  try {
    const stat = fs.fstatSync(fd);
    return stat.isCharacterDevice() && stat.rdev !== fs.statSync('/dev/null', { throwIfNoEntry: false })?.rdev && tty().isatty(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBADF') return false;
    throw error;
  }
}

function isOpen(fd: number): boolean {
  try {
    fs.fstatSync(fd);
    return true;
  } catch (error) {
    if (!isSystemError(error, 'EBADF')) throw error;
    return false;
  }
}

const bufferBytes = 64 * 1024;

class DescriptorOutput implements Output {
  readonly #fd: number;
  #waiting: Buffer | undefined;
  #used = 0;
  constructor(fd: number) { this.#fd = fd; }

  get isTerminal(): boolean {
    return isTerminal(this.#fd);
  }

  get columns(): number {
    const fromEnvironment = Number(process.env['COLUMNS']);
    if (Number.isInteger(fromEnvironment) && fromEnvironment > 0) return fromEnvironment;
    return (this.isTerminal ? (this.#fd === 1 ? process.stdout : process.stderr).columns : 0) || 80;
  }

  write(data: string | Uint8Array): void {
    // One character is at most three bytes; a caller may reuse its bytes after write returns, so those that wait are copied.
    const mostBytes = typeof data === 'string' ? data.length * 3 : data.length;
    if (mostBytes > bufferBytes - this.#used) this.flush();
    if (mostBytes > bufferBytes) {
      this.#writeThrough(typeof data === 'string' ? Buffer.from(data) : data);
      return;
    }
    const waiting = this.#waiting ??= Buffer.allocUnsafeSlow(bufferBytes);
    if (typeof data === 'string') {
      this.#used += waiting.write(data, this.#used);
    } else {
      waiting.set(data, this.#used);
      this.#used += data.length;
    }
    if (this.#fd === 2) this.flush();
  }

  flush(): void {
    if (this.#waiting === undefined || this.#used === 0) return;
    const used = this.#used;
    this.#used = 0;
    this.#writeThrough(this.#waiting.subarray(0, used));
  }

  #writeThrough(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      try {
        done += fs.writeSync(this.#fd, bytes, done);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        waitABit();
      }
    }
  }
}

const stdin: Input = {
  get isTerminal() { return isTerminal(0); },
  readChunk() {
    const bytes = Buffer.allocUnsafe(64 * 1024);
    for (;;) {
      try {
        const count = fs.readSync(0, bytes, 0, bytes.length, null);
        return count === 0 ? undefined : bytes.subarray(0, count);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'EOF') return undefined;
        if (code !== 'EAGAIN') throw error;
        waitABit();
      }
    }
  },
};

const clock: Clock = {
  nowMs: () => Date.now(),
  offsetMinutes: (atMs) => -new Date(atMs).getTimezoneOffset(),
};

// Give back to whatever this process starts the variable its launcher took away.
if (process.env['CAIRN_EXTRA_CA'] !== undefined) {
  process.env['NODE_EXTRA_CA_CERTS'] = process.env['CAIRN_EXTRA_CA'];
  delete process.env['CAIRN_EXTRA_CA'];
}

/** A directory may be removed while somebody is in it. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    throw new NotFoundError('the current directory does not exist any more', {
      code: 'no-current-directory', hint: 'change into one that does', cause: error,
    });
  }
}

/** Signals that end a process that does not care. */
const endings = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

function listen(): SignalListener {
  let came: number | undefined;
  const hear = (_name: NodeJS.Signals, number: number): void => { came ??= number; };
  for (const name of endings) process.on(name, hear);
  return {
    look: async () => {
      // Signals are told of by the event loop: one whole turn of it, with its look at what came from outside.
      await new Promise((resolve) => { setImmediate(() => { setImmediate(resolve); }); });
      return came;
    },
    [Symbol.dispose]: () => { for (const name of endings) process.off(name, hear); },
  };
}

const stdout = new DescriptorOutput(1);
const stderr = new DescriptorOutput(2);
let host: string | undefined;
const context: Context = {
  get cwd() { return workingDirectory(); },
  env: process.env,
  clock,
  stdin,
  stdout,
  stderr,
  process: {
    pid: process.pid,
    uid: process.getuid?.() ?? 0,
    get host() { return (host ??= os().hostname()); },
    program: [process.execPath, process.argv[1]!],
    enter: (directory) => process.chdir(directory),
    listen,
    openOutput: (fd) => (isOpen(fd) ? new DescriptorOutput(fd) : undefined),
  },
  configOverrides: [],
};

// Leaving at once spares node taking its heap apart; everything was written synchronously by then.
run(context, process.argv.slice(2)).then(
  (code) => process.exit(code),
  // Only the outputs themselves can fail here; a reader that went away is no news.
  (error: unknown) => process.exit(brokenPipeExit(error) ?? 70),
);
