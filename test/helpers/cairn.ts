// Running cairn: in this process with a Context of the test's own making (quick; for most tests), or as a real process
// (for what only a process shows: exit, pipes, signals, races).
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context, Output } from '../../plumbing/command.js';
import { run } from '../../porcelain/main.js';
import { type Finished, type RunOptions, cleanEnvironment, runProgram } from './stock-git.js';

/** The repository's top directory (the compiled tests live in dist/lib/test). */
export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  for (let directory = from; ; directory = dirname(directory)) {
    const manifest = join(directory, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'cairn') return directory;
    if (directory === dirname(directory)) throw new Error('package.json of cairn not found');
  }
}

/** The built program. */
export const cairnProgram = join(projectRoot, 'dist/cli/cairn.cjs');

class CapturedOutput implements Output {
  readonly isTerminal: boolean;
  readonly columns = 80;
  readonly pieces: Buffer[] = [];
  constructor(isTerminal = false) { this.isTerminal = isTerminal; }
  write(data: string | Uint8Array): void { this.pieces.push(Buffer.from(typeof data === 'string' ? Buffer.from(data) : data)); }
  flush(): void { /* everything is kept at once */ }
  get bytes(): Buffer { return Buffer.concat(this.pieces); }
}

export interface InProcessOptions extends RunOptions {
  /** Fixed time; default 2005-04-07T22:13:13Z, the time of the test identities. */
  readonly nowMs?: number;
  readonly terminal?: boolean;
  readonly pid?: number;
}

/** A Context for calling modules directly. */
export function makeContext(options: InProcessOptions): { context: Context; stdout: CapturedOutput; stderr: CapturedOutput } {
  const stdout = new CapturedOutput(options.terminal);
  const stderr = new CapturedOutput(options.terminal);
  const env: Record<string, string | undefined> = { ...cleanEnvironment, ...options.env };
  const pending = options.stdin === undefined ? [] : [Buffer.from(options.stdin)];
  const context: Context = {
    cwd: options.cwd,
    env,
    clock: { nowMs: () => options.nowMs ?? 1112911993000, offsetMinutes: () => 0 },
    stdin: { isTerminal: options.terminal ?? false, readChunk: () => pending.shift() },
    stdout,
    stderr,
    process: { pid: options.pid ?? 4242, host: 'test-host', uid: process.getuid?.() ?? 0 },
    configOverrides: [],
  };
  return { context, stdout, stderr };
}

/** Runs one cairn command line inside this process. */
export async function cairn(argv: readonly string[], options: InProcessOptions): Promise<Finished> {
  const { context, stdout, stderr } = makeContext(options);
  const code = await run(context, argv);
  return { code, stdout: stdout.bytes.toString('latin1'), stdoutBytes: stdout.bytes, stderr: stderr.bytes.toString('latin1') };
}

/** Runs cairn in this process; it must succeed; its output without the last line end. */
export async function cairnOutput(argv: readonly string[], options: InProcessOptions): Promise<string> {
  const result = await cairn(argv, options);
  if (result.code !== 0) throw new Error(`cairn ${argv.join(' ')} exited with ${result.code}: ${result.stderr}`);
  return result.stdout.replace(/\n$/, '');
}

/** Runs the built program as a process of its own. */
export function cairnProcess(argv: readonly string[], options: RunOptions): Finished {
  return runProgram(cairnProgram, argv, options);
}
