// All that is about a terminal: colour, pager, editor, progress, and keeping control characters from it. Commands ask here and
// print what they get; without a terminal every answer is the plain one, so that scripts see bytes and nothing else.
// Colours follow Git's `color.*` configuration (git-config page, "color"), NO_COLOR and TERM=dumb.
import { InvalidError } from '../pack/errors.js';
import { lazyModule } from '../pack/lazy-module.js';
import type { Context } from '../plumbing/command.js';
import { Config } from '../plumbing/config.js';
import { Repository } from '../plumbing/repository.js';

export { colorReset, formatColor } from '../plumbing/color.js';

const childProcess = lazyModule<typeof import('node:child_process')>('node:child_process');

/**
 * Whether to colour standard output. `typed` is the value of `--color` ('' when given without one; undefined when not given);
 * `slot` is the command's own configuration variable, e.g. 'color.status', before color.ui.
 */
export function wantsColor(context: Context, config: Config | undefined, slot: string | undefined, typed?: string): boolean {
  const word = typed === '' ? 'always' : typed ?? (slot === undefined ? undefined : config?.get(slot)) ?? config?.get('color.ui') ?? 'auto';
  switch (word.toLowerCase()) {
    case 'always': return true;
    case 'never': case 'false': case 'no': case 'off': case '0': return false;
    case 'auto': case 'true': case 'yes': case 'on': case '1': break;
    default: throw new InvalidError(`option 'color' expects "always", "auto", or "never", not '${word}'`, { code: 'bad-color' });
  }
  if (context.env['NO_COLOR'] || context.env['TERM'] === 'dumb') return false;
  return context.stdout.isTerminal || context.env['GIT_PAGER_IN_USE'] !== undefined;
}

/** The editor's command line for a shell; undefined when there is no terminal to edit on and none was named. */
export function findEditor(context: Context, config: Config): string | undefined {
  const { env } = context;
  const dumb = env['TERM'] === undefined || env['TERM'] === 'dumb';
  return env['GIT_EDITOR'] ?? config.get('core.editor') ?? (dumb ? undefined : env['VISUAL']) ?? env['EDITOR'] ?? (dumb ? undefined : 'vi');
}

/** Lets the person edit a file; throws InvalidError when there is no editor or it fails. The command line is the person's own. */
export function editFile(context: Context, config: Config, path: string): void {
  const editor = findEditor(context, config);
  if (editor === undefined) {
    throw new InvalidError('terminal is dumb, but EDITOR unset', { code: 'no-editor', hint: 'give the text with -m or -F' });
  }
  if (editor === ':') return;
  const result = childProcess().spawnSync('sh', ['-c', `${editor} "$@"`, editor, path], {
    cwd: context.cwd, env: context.env as NodeJS.ProcessEnv, stdio: 'inherit',
  });
  if (result.error !== undefined || result.status !== 0) {
    throw new InvalidError(`there was a problem with the editor '${editor}'`, { code: 'editor-failed', cause: result.error });
  }
}

/** The configuration that applies here, inside a repository or not. */
export function openConfig(context: Context): Config {
  return Repository.find(context)?.config ?? Config.open(context);
}

/** The pager's command line for a shell; undefined when output goes straight out. */
export function findPager(context: Context, config: Config | undefined): string | undefined {
  const { env } = context;
  if (!context.stdout.isTerminal || env['GIT_PAGER_IN_USE'] !== undefined) return undefined;
  const pager = env['GIT_PAGER'] ?? config?.get('core.pager') ?? env['PAGER'] ?? 'less';
  return pager === '' || pager === 'cat' ? undefined : pager;
}

/**
 * Runs this very command line again with its output in the pager, and returns its exit code: output flows as it is made, in
 * constant memory, and the screen is the pager's. `program` is what to start (node and the script).
 */
export function runInPager(context: Context, pager: string, program: readonly string[], argv: readonly string[]): number {
  // The command's own exit code comes back through descriptor 3; the pipeline's would be the pager's.
  // A pager that is not installed (127) has read nothing: everything is shown without it.
  const script = '{ "$@" 3>&-; echo $? >&3; } | { sh -c "$CAIRN_PAGER_COMMAND"; test $? -ne 127 || cat; } 3>&-';
  const result = childProcess().spawnSync('sh', ['-c', script, 'cairn', ...program, ...argv], {
    cwd: context.cwd,
    env: {
      ...context.env, LESS: context.env['LESS'] ?? 'FRX', LV: context.env['LV'] ?? '-c',
      GIT_PAGER_IN_USE: 'true', COLUMNS: String(context.stdout.columns), CAIRN_PAGER_COMMAND: pager,
    } as NodeJS.ProcessEnv,
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  if (result.error !== undefined) throw result.error;
  const code = Number.parseInt(String(result.output[3] ?? ''), 10);
  // The reader leaving early is no failure.
  return Number.isNaN(code) || code === 141 ? 0 : code;
}

/**
 * One line on standard error that says how far long work has come: nothing before one second has passed, nothing when nobody
 * watches. Use with `using`, so that the line is ended also when the work fails.
 */
export class Progress {
  readonly #context: Context;
  readonly #title: string;
  readonly #total: number | undefined;
  readonly #unit: 'count' | 'bytes';
  readonly #startMs: number;
  #shownMs = 0;
  #done = 0;

  /** `total` in the unit; undefined when it cannot be known. */
  constructor(context: Context, title: string, total?: number, unit: 'count' | 'bytes' = 'count') {
    this.#context = context;
    this.#title = title;
    this.#total = total;
    this.#unit = unit;
    this.#startMs = context.clock.nowMs();
  }

  /** Says that so much is done in total by now; cheap enough for every step. */
  update(done: number): void {
    this.#done = done;
    if ((done & 63) !== 0 && this.#unit === 'count') return;
    if (!this.#context.stderr.isTerminal) return;
    const now = this.#context.clock.nowMs();
    if (now - this.#startMs < 1000 || now - this.#shownMs < 100) return;
    this.#shownMs = now;
    this.#context.stderr.write(`\r${this.#line(now)}\u001b[K`);
  }

  [Symbol.dispose](): void {
    if (this.#shownMs === 0) return;
    this.#context.stderr.write(`\r${this.#line(this.#context.clock.nowMs())}, done.\u001b[K\n`);
    this.#shownMs = 0;
  }

  #line(now: number): string {
    const seconds = Math.max((now - this.#startMs) / 1000, 0.001);
    const amount = (value: number): string => this.#unit === 'bytes' ? formatSize(value) : String(value);
    const rate = `${amount(Math.round(this.#done / seconds))}/s`;
    if (this.#total === undefined || this.#total === 0) return `${this.#title}: ${amount(this.#done)}, ${rate}`;
    const percent = Math.min(100, Math.floor((this.#done / this.#total) * 100));
    const left = this.#done === 0 ? undefined : Math.ceil((seconds / this.#done) * (this.#total - this.#done));
    const remaining = left === undefined || left <= 0 ? '' : `, ${left} s left`;
    return `${this.#title}: ${String(percent).padStart(3)}% (${amount(this.#done)}/${amount(this.#total)}), ${rate}${remaining}`;
  }
}

/** Bytes for people: '812 bytes', '4.21 KiB', '1.50 GiB'. */
export function formatSize(sizeBytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  if (sizeBytes < 1024) return `${sizeBytes} bytes`;
  let value = sizeBytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(2)} ${units[unit]}`;
}

