// From argv to an exit code: global options, finding the command, and turning an error into words. Only this file imports
// yargs (for help pages and completion) and only when one is asked for.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  CairnError, ConflictError, CorruptError, InterruptedError, InvalidError, LockedError, NotFoundError, RefusedError, RemoteError, UsageError, isSystemError,
} from '../pack/errors.js';
import { type Command, type Context, UsageRequested, parseArguments } from '../plumbing/command.js';
import { didYouMean } from '../plumbing/near-words.js';
import { escapeControls } from '../plumbing/quote.js';
import { findCommand, plumbingCommands, porcelainCommands, worksAnywhere } from './commands.js';

/** The version this program is; a test compares it with package.json. */
export const version = '0.1.0';

/** Exit code of an error, by who defined the command: Git's own use 128 for whatever the caller cannot fix on the command line. */
export function exitCodeOf(error: unknown, family: Command['family']): number {
  if (error instanceof UsageError) return error.code === 'unknown-command' ? 1 : 129;
  if (error instanceof InterruptedError) return 128 + error.signal;
  if (error instanceof CairnError) {
    if (family === 'git') return 128;
    if (error instanceof RefusedError) return 3;
    if (error instanceof ConflictError || error instanceof LockedError) return 4;
    if (error instanceof RemoteError) return 5;
    if (error instanceof CorruptError) return 6;
    if (error instanceof InvalidError || error instanceof NotFoundError) return 2;
  }
  // What the operating system refuses (a full disk, no permission) is no bug of ours.
  if (isSystemError(error, ...systemErrorCodes)) return family === 'git' ? 128 : 2;
  return 70;
}

const systemErrorCodes = ['EACCES', 'EDQUOT', 'EFBIG', 'EINVAL', 'EIO', 'EISDIR', 'ELOOP', 'EMFILE', 'ENAMETOOLONG', 'ENFILE',
  'ENOENT', 'ENOSPC', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST', 'EPERM', 'EROFS', 'EXDEV', 'ETXTBSY', 'EBUSY', 'ENOMEM', 'EBADF'] as const;

/** 141 when `error` says that nobody reads our output any more, as a shell reports a command killed by SIGPIPE. */
export function brokenPipeExit(error: unknown): 141 | undefined {
  return isSystemError(error, 'EPIPE') ? 141 : undefined;
}

/** What went wrong first, when cleaning up afterwards failed too. */
function firstError(error: unknown): unknown {
  return error instanceof Error && error.name === 'SuppressedError' && 'suppressed' in error ? firstError(error.suppressed) : error;
}

/** An error; where the runtime says that a table is full, which is no bug of ours, RefusedError (code 'too-many-objects'). */
export function asRefusal(error: unknown): unknown {
  if (!(error instanceof RangeError) || !/^(?:(?:Map|Set) maximum size exceeded|Array buffer allocation failed)/.test(error.message)) return error;
  return new RefusedError('there are more objects here than this command can look at together', {
    code: 'too-many-objects', hint: 'name fewer of them: a part of the history, or of the packs', cause: error,
  });
}

/** Runs one command line and returns its exit code; never throws but for failing outputs. */
export async function run(context: Context, argv: readonly string[]): Promise<number> {
  // The options before the command's name are Git's own.
  let family: Command['family'] = 'git';
  let json = false;
  try {
    const global = parseGlobal(context, argv);
    const [name, ...rest] = global.argv;
    context = global.context;
    if (global.show === 'version') {
      context.stdout.write(`cairn version ${version}\n`);
      context.stdout.flush();
      return 0;
    }
    if (name === undefined || global.show === 'help') return await help(context, name === undefined ? [] : [name], name === undefined && global.show !== 'help');
    family = name in plumbingCommands ? 'git' : 'cairn';
    const load = findCommand(name);
    if (load === undefined) throw new UsageError(`'${name}' is not a cairn command`, { code: 'unknown-command', hint: nearestHint(name) });
    const { command } = await load();
    family = command.family;
    const end = rest.indexOf('--');
    const options = end < 0 ? rest : rest.slice(0, end);
    if (options.includes('--help') && !command.rawArguments) return await help(context, [name], false);
    json = options.includes('--json') && command.options.some((option) => option.name === 'json');
    if ((command.paged || global.paginates) && context.stdout.isTerminal && !json) {
      const paged = await runPaged(context, argv);
      if (paged !== undefined) return paged;
    }
    try {
      const code = await command.run(context, parseArguments(command, rest));
      context.stdout.flush();
      return code;
    } catch (error) {
      if (error instanceof UsageRequested) {
        context.stdout.write(formatUsage(command));
        context.stdout.flush();
        return 129;
      }
      if (error instanceof UsageError && error.code === 'usage' && !json) {
        context.stdout.flush();
        // Git looks for the repository before it looks at the options.
        if (command.family === 'git' && !worksAnywhere.has(name)) (await import('../plumbing/repository.js')).Repository.open(context);
        const hint = await findHint(context, error, rest);
        context.stderr.write(`error: ${escapeControls(error.message)}\n${hint === undefined ? '' : `hint: ${escapeControls(hint)}\n`}${formatUsage(command)}`);
        return 129;
      }
      throw error;
    }
  } catch (thrown) {
    const error = asRefusal(firstError(thrown));
    const broken = brokenPipeExit(error);
    if (broken !== undefined) return broken;
    const exit = exitCodeOf(error, family);
    // What was printed before the error happened stays printed, as it would with git.
    context.stdout.flush();
    report(context, error, exit, json, json ? undefined : await findHint(context, error, argv));
    return exit;
  }
}

/** What to do next, unless the person wants no such advice; looking for it never hides what went wrong. */
async function findHint(context: Context, error: unknown, argv: readonly string[]): Promise<string | undefined> {
  if (!(error instanceof CairnError)) return undefined;
  const looksAround = error instanceof NotFoundError || error instanceof InvalidError;
  if (error.hint === undefined && !looksAround) return undefined;
  const { findAdvice } = await import('./advice.js');
  return findAdvice(context, error, argv);
}

function report(context: Context, error: unknown, exit: number, json: boolean, hint: string | undefined): void {
  const { stderr } = context;
  if (json) {
    const known = error instanceof CairnError ? error : undefined;
    const system = !known && error instanceof Error && 'code' in error ? String(error.code) : undefined;
    stderr.write(JSON.stringify({
      code: known?.code ?? system ?? 'bug',
      message: error instanceof Error ? error.message : String(error),
      hint: known?.hint ?? null,
      exit,
    }) + '\n');
    return;
  }
  if (error instanceof CairnError) {
    stderr.write(`${error instanceof UsageError ? 'error' : 'fatal'}: ${escapeControls(error.message)}\n`);
    if (hint !== undefined) stderr.write(`hint: ${escapeControls(hint)}\n`);
  } else if (exit !== 70) {
    stderr.write(`fatal: ${escapeControls(error instanceof Error ? error.message : String(error))}\n`);
    const remedy = systemRemedy(error);
    if (remedy !== undefined) stderr.write(`hint: ${remedy}\n`);
  } else {
    stderr.write(`fatal: internal error, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
}

function systemRemedy(error: unknown): string | undefined {
  if (isSystemError(error, 'ENOSPC', 'EDQUOT')) return 'the disk is full; nothing was published; free some space and run the command again';
  if (isSystemError(error, 'EMFILE', 'ENFILE')) return 'too many open files; raise the limit (ulimit -n) and run the command again';
  if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) return 'check the permissions of the file and its directory';
  if (isSystemError(error, 'EIO')) return 'the disk reported an error; check it before you go on';
  return undefined;
}

interface Global {
  readonly context: Context;
  readonly argv: readonly string[];
  readonly show: 'help' | 'version' | undefined;
  /** Through the pager, whatever the command. */
  readonly paginates: boolean;
}

/** Git's options before the command's name; what they set is handed on through the context's environment. */
function parseGlobal(context: Context, argv: readonly string[]): Global {
  let cwd = context.cwd;
  const env: Record<string, string | undefined> = {};
  const overrides = [...context.configOverrides];
  let show: Global['show'];
  let paginates = false;
  let at = 0;
  for (; at < argv.length; at += 1) {
    const word = argv[at]!;
    if (!word.startsWith('-')) break;
    const equals = word.indexOf('=');
    const name = equals > 0 && word.startsWith('--') ? word.slice(0, equals) : word;
    const value = (): string => {
      if (equals > 0) return word.slice(equals + 1);
      at += 1;
      if (at >= argv.length) throw new UsageError(`option '${name}' requires a value`);
      return argv[at]!;
    };
    switch (name) {
      case '-C': {
        const directory = value();
        if (directory !== '') cwd = enter(resolve(cwd, directory), directory);
        break;
      }
      case '-c': overrides.push(parseOverride(value())); break;
      case '--config-env': overrides.push(parseConfigEnvironment(value(), context)); break;
      case '--git-dir': env['GIT_DIR'] = value(); break;
      case '--work-tree': env['GIT_WORK_TREE'] = value(); break;
      case '--bare': env['GIT_DIR'] ??= context.env['GIT_DIR'] ?? cwd; env['GIT_IMPLICIT_WORK_TREE'] = '0'; break;
      case '--no-replace-objects': env['GIT_NO_REPLACE_OBJECTS'] = '1'; break;
      case '--literal-pathspecs': env['GIT_LITERAL_PATHSPECS'] = '1'; break;
      case '--glob-pathspecs': env['GIT_GLOB_PATHSPECS'] = '1'; break;
      case '--noglob-pathspecs': env['GIT_NOGLOB_PATHSPECS'] = '1'; break;
      case '--icase-pathspecs': env['GIT_ICASE_PATHSPECS'] = '1'; break;
      case '--namespace': env['GIT_NAMESPACE'] = value(); break;
      case '--exec-path':
        // Where git's programs are: there are none to be found.
        if (equals < 0) throw new UsageError('--exec-path without a path is not supported', { code: 'unknown-global-option' });
        break;
      case '--no-optional-locks': env['GIT_OPTIONAL_LOCKS'] = '0'; break;
      case '-P': case '--no-pager': env['GIT_PAGER'] = ''; paginates = false; break;
      case '-p': case '--paginate': paginates = true; break;
      case '-h': case '--help': show = 'help'; break;
      case '-v': case '--version': show = 'version'; break;
      default: throw new UsageError(`unknown option: ${word}`, { code: 'unknown-global-option', hint: "see 'cairn help'" });
    }
  }
  const changed = cwd !== context.cwd || Object.keys(env).length > 0 || overrides.length > context.configOverrides.length;
  return {
    context: changed ? { ...context, cwd, env: { ...context.env, ...env }, configOverrides: overrides } : context,
    argv: argv.slice(at),
    show, paginates,
  };
}

/** A directory one can go to. */
function enter(path: string, typed: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isDirectory()) return path;
  throw new NotFoundError(`cannot change to '${typed}': ${status === undefined ? 'no such directory' : 'it is not a directory'}`, { code: 'no-directory' });
}

/** `name=value`; `name` alone means true, as in a config file. */
function parseOverride(text: string): readonly [string, string | undefined] {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (!name.includes('.')) throw new InvalidError(`'${name}' names no variable`, { code: 'bad-config', hint: 'a name is section.variable or section.subsection.variable' });
  return equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
}

function parseConfigEnvironment(text: string, context: Context): readonly [string, string] {
  const equals = text.lastIndexOf('=');
  if (equals <= 0) throw new InvalidError(`'${text}' is not of the form <name>=<environment variable>`);
  const variable = text.slice(equals + 1);
  const value = context.env[variable];
  if (value === undefined) throw new InvalidError(`environment variable '${variable}' is not set`);
  return [text.slice(0, equals), value];
}

/** Hands the command line to the pager; undefined when there is none to use and output goes straight out. */
async function runPaged(context: Context, argv: readonly string[]): Promise<number | undefined> {
  const { program } = context.process;
  if (program === undefined) return undefined;
  const { openConfig, findPager, runInPager } = await import('./terminal.js');
  const pager = findPager(context, openConfig(context));
  return pager === undefined ? undefined : runInPager(context, pager, program, argv);
}

async function help(context: Context, names: readonly string[], asError: boolean): Promise<number> {
  const { command } = await import('./commands/help.js');
  const code = await command.run(context, parseArguments(command, names));
  context.stdout.flush();
  return asError ? 1 : code;
}

/** The text behind `-h`: usage lines and one line per option. */
export function formatUsage(command: Command): string {
  const lines = command.usage.map((line, at) => `${at === 0 ? 'usage:' : '   or:'} cairn ${line}`);
  const shown = command.options.filter((option) => !option.hidden);
  if (shown.length > 0) lines.push('');
  for (const option of shown) {
    const negatable = option.negatable && !option.name.startsWith('no-') ? '[no-]' : '';
    const spellings = [
      ...(option.short === undefined ? [] : [`-${option.short}`]),
      option.name.length === 1 ? `-${option.name}` : `--${negatable}${option.name}`,
    ];
    const value = option.value === undefined ? '' : option.valueOptional ? `[=<${option.value}>]` : option.valueOptionalAtEnd ? ` [<${option.value}>]` : ` <${option.value}>`;
    const left = `    ${spellings.join(', ')}${value}`;
    lines.push(left.length > 27 ? `${left}\n${' '.repeat(28)}${option.help}` : left.padEnd(28) + option.help);
  }
  return lines.join('\n') + '\n\n';
}

function nearestHint(typed: string): string {
  return didYouMean(typed, [...Object.keys(plumbingCommands), ...Object.keys(porcelainCommands)], { prefixes: true }) ?? "see 'cairn help' for the list of commands";
}

/** The full help page of one command, laid out by yargs for the terminal's width. */
export async function formatHelpPage(command: Command, columns: number): Promise<string> {
  const { default: yargs } = await import('yargs/yargs');
  let page = yargs([]).scriptName('cairn').help(false).version(false)
    .wrap(Math.min(columns, 100))
    .usage(`cairn ${command.name} - ${command.summary}\n\n${command.usage.map((line) => `  cairn ${line}`).join('\n')}`)
    .epilogue(`The manual page cairn-${command.name}(1) says more.`);
  for (const option of command.options) {
    if (option.hidden) continue;
    page = page.option(option.name, {
      describe: option.help,
      type: option.value === undefined ? 'boolean' : 'string',
      ...(option.short === undefined ? {} : { alias: option.short }),
    });
  }
  return (await page.getHelp()) + '\n';
}
