// Telling the status: which format, colours and parts the options and the configuration ask for. It looks without locking; what it
// learned of unchanged files goes into the index afterwards when nobody holds its lock. See git-status(1).
import { LockedError, UsageError, isSystemError } from '../pack/errors.js';
import type { Arguments } from '../plumbing/command.js';
import type { Config } from '../plumbing/config.js';
import { readIndex } from '../plumbing/index/index-file.js';
import { lockIndex } from '../plumbing/index/index-lock.js';
import { LookAhead } from '../plumbing/index/look-ahead.js';
import { Pathspec, pathspecContext } from '../plumbing/pathspec.js';
import type { Repository } from '../plumbing/repository.js';
import type { KnownDirectories } from '../plumbing/index/known-directories.js';
import type { Scan } from '../plumbing/index/work-status.js';
import { formatJson, formatLong, formatPorcelain2, formatShort, noColors, type StatusColors } from './status-format.js';
import { readStatus, type StatusOptions } from './status-report.js';
import { colorReset, formatColor, wantsColor } from './terminal.js';

/** Prints the status as the options of cairn-status(1) say; without any, as a person would see it. */
export function printStatus(repository: Repository, args: Arguments): void {
  const { context } = repository;
  const { config, prefix } = repository;
  using ahead = args.positionals.length === 0 ? LookAhead.start(repository) : undefined;
  const format = chooseFormat(args, config);
  const options = chooseOptions(args, repository, format);
  const index = readIndex(repository);
  const { report, scan, directories } = readStatus(repository, index, options, ahead);
  const forScripts = format === 'v1' || format === 'v2' || format === 'json';
  const isRelative = format !== 'v1' && !args.has('z') && config.getBoolean('status.relativepaths') !== false;
  const style = {
    repository, options,
    prefix: isRelative ? prefix : '',
    nul: args.has('z'),
    showsBranch: args.flag('branch') ?? (!forScripts && config.getBoolean('status.branch') === true),
    hints: config.getBoolean('advice.statushints') !== false,
    colors: forScripts || !wantsColor(context, config, 'color.status') ? noColors : readColors(config),
  };
  const formats = { long: formatLong, short: formatShort, v1: formatShort, v2: formatPorcelain2, json: formatJson };
  context.stdout.write(format === 'json' ? formatJson(report, style) : Buffer.from(formats[format](report, style), 'latin1'));
  context.stdout.flush();
  if (context.env['GIT_OPTIONAL_LOCKS'] !== '0') keepFindings(repository, scan, directories);
}

type Format = 'long' | 'short' | 'v1' | 'v2' | 'json';

function chooseFormat(args: Arguments, config: Config): Format {
  const last = args.lastOf('short', 'porcelain', 'long', 'json');
  if (last === 'porcelain') {
    const version = args.value('porcelain') ?? 'v1';
    if (version !== 'v1' && version !== '1' && version !== 'v2' && version !== '2') throw new UsageError(`unsupported porcelain version '${version}'`);
    return version.endsWith('2') ? 'v2' : 'v1';
  }
  if (last === 'long' && args.has('z')) throw new UsageError("options '--long' and '-z' cannot be used together");
  if (last !== undefined) return last === 'json' ? 'json' : last === 'short' ? 'short' : 'long';
  if (args.has('z')) return 'v1';
  return config.getBoolean('status.short') === true && args.flag('short') !== false ? 'short' : 'long';
}

function chooseOptions(args: Arguments, repository: Repository, format: Format): StatusOptions {
  const { config } = repository;
  const forScripts = format === 'v1' || format === 'v2';
  const untracked = args.flag('untracked-files') === true ? args.value('untracked-files') ?? 'all' : config.get('status.showuntrackedfiles') ?? 'normal';
  const ignored = args.flag('ignored') === true ? args.value('ignored') ?? 'traditional' : 'no';
  const nested = args.flag('ignore-submodules') === true ? args.value('ignore-submodules') ?? 'all' : 'dirty';
  if (untracked !== 'no' && untracked !== 'normal' && untracked !== 'all') throw new UsageError(`invalid untracked files mode '${untracked}'`);
  if (ignored !== 'no' && ignored !== 'traditional' && ignored !== 'matching') throw new UsageError(`invalid ignored mode '${ignored}'`);
  if (ignored === 'matching' && untracked === 'no') throw new UsageError('unsupported combination of ignored and untracked-files arguments');
  if (nested !== 'all' && nested !== 'dirty') {
    throw new UsageError(`--ignore-submodules=${nested} is not supported`, { hint: 'nested repositories are compared by their commit' });
  }
  return {
    untracked,
    ignored: untracked === 'no' ? 'no' : ignored,
    pathspec: Pathspec.parse(args.positionals, pathspecContext(repository)),
    renameScore: chooseRenames(args, config),
    countsAheadBehind: args.flag('ahead-behind') ?? (forScripts ? true : config.getBoolean('status.aheadbehind') !== false),
    showsStash: args.flag('show-stash') ?? (!forScripts && config.getBoolean('status.showstash') === true),
    ignoresNested: nested === 'all',
  };
}

function chooseRenames(args: Arguments, config: Config): number | undefined {
  const last = args.tokens.findLast((token) => token.kind === 'option' && (token.name === 'renames' || token.name === 'find-renames'));
  if (last?.kind === 'option') {
    if (last.name === 'renames') return last.negated ? undefined : 30000;
    const text = last.value ?? '50';
    if (!/^[0-9]+%?$/.test(text)) throw new UsageError(`invalid similarity '${text}'`);
    return Math.round(60000 * (text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(`0.${text}`)));
  }
  const words = config.get('status.renames') ?? config.get('diff.renames');
  return words !== undefined && /^(?:false|no|off|0)$/i.test(words) ? undefined : 30000;
}

function readColors(config: Config): StatusColors {
  const color = (slot: string, fallback: string): string => formatColor(config.get(`color.status.${slot}`) ?? fallback);
  return {
    added: color('added', 'green'), changed: color('changed', 'red'), untracked: color('untracked', 'red'), unmerged: color('unmerged', 'red'),
    nobranch: color('nobranch', 'red'), localBranch: color('localbranch', 'green'), remoteBranch: color('remotebranch', 'red'), reset: colorReset,
  };
}

/** Keeps what the scan learned, so that the next one is quicker; not worth failing or waiting for. */
function keepFindings(repository: Repository, scan: Scan, directories: KnownDirectories | undefined): void {
  try {
    if (directories?.isWorthWriting === true) directories.write();
    if (scan.refreshed.length === 0) return;
    using lock = lockIndex(repository);
    let changed = false;
    for (const entry of scan.refreshed) {
      const present = lock.index.find(entry.path);
      if (present === undefined || present.id !== entry.id || present.mode !== entry.mode) continue;
      lock.index.refresh({ ...present, stat: entry.stat });
      changed = true;
    }
    if (changed) lock.write();
  } catch (error) {
    if (!(error instanceof LockedError) && !isSystemError(error, 'EACCES', 'EROFS', 'EPERM', 'ENOSPC', 'EDQUOT')) throw error;
  }
}
