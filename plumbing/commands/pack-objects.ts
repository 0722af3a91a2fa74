// cairn pack-objects: makes a pack of chosen objects (git-pack-objects(1)).
import { basename, dirname, resolve } from 'node:path';
import { InvalidError, UsageError } from '../../pack/errors.js';
import { encodePackMtimesOf } from '../../pack/pack-mtimes.js';
import { PackEmitter } from '../../pack/pack-emitter.js';
import { PackPlan } from '../../pack/pack-plan.js';
import { PackWriter, type PackWriterOptions } from '../../pack/pack-writer.js';
import { PackingList } from '../../pack/packing-list.js';
import { packingCaches } from '../../pack/verified-packs.js';
import type { ObjectId } from '../../pack/oid.js';
import type { Arguments, Command, Context } from '../command.js';
import { parseExpiry } from '../date.js';
import { listLines } from '../line-reader.js';
import { combineObjectFilters, parseObjectFilter } from '../history/object-filter.js';
import { parseCount, parseMagnitude } from '../option-number.js';
import { PackSelection } from '../objects/pack-selection.js';
import { type PackSettings, compressionLevel, deltaLimits, packLimit, readPackSettings } from '../objects/pack-settings.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'pack-objects',
  family: 'git',
  summary: 'make a pack of objects',
  usage: [
    'pack-objects --stdout [<options>] [< <ref-list> | < <object-list>]',
    'pack-objects [<options>] <base-name> [< <ref-list> | < <object-list>]',
  ],
  options: [
    { name: 'quiet', short: 'q', negatable: true, help: 'report nothing' },
    { name: 'progress', negatable: true, help: 'report what was packed, even when standard error is no terminal' },
    { name: 'all-progress', negatable: true, help: 'same as --progress' },
    { name: 'all-progress-implied', negatable: true, help: 'accepted; changes nothing' },
    { name: 'index-version', value: 'version', help: 'version of the index: 1 or 2' },
    { name: 'max-pack-size', value: 'n', negatable: true, help: 'split into packs of at most this many bytes' },
    { name: 'local', negatable: true, help: 'leave out what is in an alternate' },
    { name: 'incremental', negatable: true, help: 'leave out what is in a pack' },
    { name: 'window', value: 'n', negatable: true, help: 'how many objects are tried as base of a delta' },
    { name: 'window-memory', value: 'n', negatable: true, help: 'the most bytes these may have together' },
    { name: 'depth', value: 'n', negatable: true, help: 'how long a chain of deltas may become' },
    { name: 'reuse-delta', negatable: true, help: 'take stored deltas over (the default)' },
    { name: 'reuse-object', negatable: true, help: 'take stored objects over as they are compressed (the default)' },
    { name: 'delta-base-offset', negatable: true, help: 'name bases of deltas by their place in the pack' },
    { name: 'threads', value: 'n', negatable: true, help: 'accepted; the number of threads follows the machine' },
    { name: 'non-empty', negatable: true, help: 'make no pack of nothing' },
    { name: 'revs', negatable: true, help: 'read revisions instead of objects' },
    { name: 'unpacked', help: 'leave out commits that are in a pack' },
    { name: 'all', help: 'all that refs reach' },
    { name: 'reflog', help: 'all that reflogs reach' },
    { name: 'indexed-objects', help: 'all that is in the index' },
    { name: 'stdin-packs', negatable: true, help: 'read names of packs' },
    { name: 'stdout', negatable: true, help: 'write the pack to standard output' },
    { name: 'include-tag', negatable: true, help: 'add annotated tags of what is packed' },
    { name: 'keep-unreachable', negatable: true, help: 'add what is in packs of this repository' },
    { name: 'pack-loose-unreachable', negatable: true, help: 'add what is in loose files of this repository' },
    { name: 'unpack-unreachable', value: 'time', valueOptional: true, negatable: true, help: 'make loose what is packed and not reached, unless it is older' },
    { name: 'cruft', negatable: true, help: 'make a pack of what is not reached, each object with its age' },
    { name: 'cruft-expiration', value: 'time', valueOptional: true, negatable: true, help: 'as --cruft, and leave out what is older' },
    { name: 'sparse', negatable: true, help: 'accepted; no more objects are packed than are needed' },
    { name: 'thin', negatable: true, help: 'make deltas of what the excluded commits have' },
    { name: 'shallow', negatable: true, help: 'accepted; changes nothing' },
    { name: 'honor-pack-keep', negatable: true, help: 'leave out what is in a pack with a .keep file' },
    { name: 'keep-pack', value: 'name', negatable: true, help: 'leave out what is in this pack' },
    { name: 'compression', value: 'n', negatable: true, help: 'zlib level' },
    { name: 'keep-true-parents', negatable: true, help: 'pack parents that grafts hide, too' },
    { name: 'use-bitmap-index', negatable: true, help: 'accepted; the result is the same without' },
    { name: 'filter', value: 'spec', negatable: true, help: 'leave out some blobs or trees' },
    { name: 'missing', value: 'action', help: 'what to do about missing objects: error or allow-any' },
  ],
  run(context, args) {
    const base = checkUsage(args);
    const repository = Repository.open({ ...context, env: { ...context.env, GIT_NO_REPLACE_OBJECTS: '1' } });
    repository.useCaches(packingCaches());
    const settings = settingsOf(repository, args);
    const list = new PackingList();
    const ages = select(context, repository, args, list);
    if (list.count === 0 && args.has('non-empty')) return 0;
    const plan = new PackPlan(list, {
      store: repository.objects, limits: settings.limits, level: settings.level, largeBytes: settings.largeBytes,
      reuseDeltas: args.flag('reuse-delta') !== false, reuseObjects: args.flag('reuse-object') !== false, usesOffsets: args.has('delta-base-offset'),
    });
    plan.prepare();
    if (base === undefined) {
      const emitter = new PackEmitter(repository.format, list.count, (bytes) => { context.stdout.write(bytes); });
      plan.write(emitter);
      emitter.finish();
    } else {
      writeFiles(context, repository, resolve(context.cwd, base), plan, settings, ages);
    }
    report(context, args, plan);
    return 0;
  },
};

/** Options that make git read revisions. */
const walking = ['revs', 'unpacked', 'all', 'reflog', 'indexed-objects', 'thin', 'unpack-unreachable', 'keep-unreachable', 'pack-loose-unreachable'];

/** The base name, undefined with --stdout. */
function checkUsage(args: Arguments): string | undefined {
  const [base, ...more] = args.positionals;
  const toStdout = args.has('stdout');
  if (more.length > 0 || toStdout === (base !== undefined)) throw new UsageError(toStdout ? 'a base name goes not with --stdout' : 'a base name is required');
  const refuse = (message: string): never => { throw new InvalidError(message, { code: 'bad-options' }); };
  const isWalk = walking.some((name) => args.has(name));
  if (toStdout && args.has('max-pack-size') && packLimit(magnitude(args, 'max-pack-size') ?? 0) !== undefined) refuse('--max-pack-size cannot be used to build a pack for transfer');
  if (!toStdout && args.has('thin')) refuse('--thin cannot be used to build an indexable pack');
  if (args.has('keep-unreachable') && args.has('unpack-unreachable')) refuse("options '--keep-unreachable' and '--unpack-unreachable' cannot be used together");
  if (args.has('filter') && !toStdout) refuse('cannot use --filter without --stdout');
  if (args.has('filter') && args.has('stdin-packs')) refuse('cannot use --filter with --stdin-packs');
  if (args.has('stdin-packs') && walking.some((name) => name !== 'unpacked' && args.has(name))) refuse('cannot use internal rev list with --stdin-packs');
  if (makesCruft(args)) {
    if (isWalk) refuse('cannot use internal rev list with --cruft');
    if (args.has('stdin-packs')) refuse('cannot use --stdin-packs with --cruft');
    if (args.has('max-pack-size')) refuse('cannot use --max-pack-size with --cruft');
  }
  return base;
}

function settingsOf({ config }: Repository, args: Arguments): PackSettings {
  const configured = readPackSettings(config);
  const { window, depth, memoryBytes = 0 } = configured.limits;
  integer(args, 'threads');
  const level = integer(args, 'compression');
  const most = magnitude(args, 'max-pack-size');
  return {
    ...configured,
    limits: deltaLimits(integer(args, 'window') ?? window, integer(args, 'depth') ?? depth, magnitude(args, 'window-memory') ?? memoryBytes),
    level: level === undefined ? configured.level : compressionLevel(level),
    indexVersion: indexVersion(args) ?? configured.indexVersion,
    mostBytes: makesCruft(args) ? undefined : most === undefined ? configured.mostBytes : packLimit(most),
  };
}

function integer(args: Arguments, name: string): number | undefined {
  const text = args.flag(name) === false ? '0' : args.value(name);
  return text === undefined ? undefined : parseCount(name, text);
}

function magnitude(args: Arguments, name: string): number | undefined {
  const text = args.flag(name) === false ? '0' : args.value(name);
  return text === undefined ? undefined : parseMagnitude(name, text);
}

function indexVersion(args: Arguments): 1 | 2 | undefined {
  const text = args.value('index-version');
  if (text === undefined) return undefined;
  const match = /^([0-9]+)(?:,(0x[0-9a-fA-F]+|[0-9]+))?$/.exec(text);
  if (match === null) throw new InvalidError(`bad index version '${text}'`, { code: 'bad-index-version' });
  const version = Number(match[1]);
  if (version > 2) throw new InvalidError(`unsupported index version ${match[1]}`, { code: 'bad-index-version' });
  if (match[2] !== undefined) throw new UsageError("an offset in option 'index-version' is not supported");
  return version === 1 ? 1 : 2;
}

/** --cruft or --cruft-expiration, which says it as well: the last word counts. */
function makesCruft(args: Arguments): boolean {
  const last = args.tokens.findLast((token) => token.kind === 'option' && (token.name === 'cruft' || token.name === 'cruft-expiration'));
  return last?.kind === 'option' && !last.negated;
}

/** Fills the list; the ages of its objects when it is to be a cruft pack. */
function select(context: Context, repository: Repository, args: Arguments, list: PackingList): ReadonlyMap<ObjectId, number> | undefined {
  const selection = new PackSelection(repository, list, {
    isLocal: args.has('local'), isIncremental: args.has('incremental'), honorsKeep: args.has('honor-pack-keep'),
    keptPacks: new Set(args.values('keep-pack').map((name) => basename(name).replace(/\.pack$/, ''))),
  });
  const lines = listLines(context.stdin);
  if (makesCruft(args)) return selection.addUnreachable(lines, expiryMs(context, args, 'cruft-expiration'));
  if (args.has('stdin-packs')) selection.addPacks(lines, args.has('unpacked'));
  else if (walking.some((name) => args.has(name))) selectReachable(context, args, selection, lines);
  else selection.addListed(lines);
  if (args.has('include-tag')) selection.addTagsOfSelected();
  return undefined;
}

function selectReachable(context: Context, args: Arguments, selection: PackSelection, lines: Iterable<string>): void {
  const missing = args.value('missing') ?? 'error';
  if (missing !== 'error' && missing !== 'allow-any') throw new InvalidError(`invalid value for '--missing': '${missing}'`, { code: 'bad-missing' });
  const filter = combineObjectFilters(args.values('filter').map(parseObjectFilter));
  // As with git, the negated --keep-true-parents says the same.
  selection.addReachable(utf8(lines), {
    all: args.has('all'), reflogs: args.has('reflog'), indexes: args.has('indexed-objects'), unpacked: args.has('unpacked'), thin: args.has('thin'),
    mayMiss: missing === 'allow-any', keepsTrueParents: args.flag('keep-true-parents') !== undefined, ...(filter === undefined ? {} : { filter }),
  });
  if (args.has('keep-unreachable')) selection.addAllOfOurs({ packed: true, loose: false });
  if (args.has('pack-loose-unreachable')) selection.addAllOfOurs({ packed: false, loose: true });
  if (args.has('unpack-unreachable')) selection.loosenUnused(expiryMs(context, args, 'unpack-unreachable'));
}

function* utf8(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield Buffer.from(line, 'latin1').toString('utf8');
}

/** Milliseconds since 1970; undefined where nothing expires. */
function expiryMs(context: Context, args: Arguments, name: string): number | undefined {
  const text = args.value(name);
  const seconds = text === undefined ? 0 : parseExpiry(text, context.clock);
  return seconds === 0 ? undefined : seconds * 1000;
}

function writeFiles(
  context: Context, repository: Repository, base: string, plan: PackPlan, settings: PackSettings, ages: ReadonlyMap<ObjectId, number> | undefined,
): void {
  const { format } = repository;
  const options: PackWriterOptions = {
    base, mayBeEmpty: true, indexVersion: settings.indexVersion, hasReverseIndex: settings.hasReverseIndex, hardening: repository.hardening,
    ...(ages === undefined ? {} : { companions: ({ packId }) => new Map([['mtimes', encodePackMtimesOf(ages, packId, format)]]) }),
  };
  const ids: string[] = [];
  let current = new PackWriter(dirname(base), format, options);
  const finish = (): void => {
    const pack = current.finish();
    if (pack !== undefined) ids.push(pack.packId);
  };
  try {
    plan.write(current, settings.mostBytes === undefined ? undefined : {
      mostBytes: settings.mostBytes,
      next: () => {
        finish();
        return current = new PackWriter(dirname(base), format, options);
      },
    });
    finish();
  } finally {
    current.abort();
  }
  for (const id of ids) context.stdout.write(`${id}\n`);
}

function report(context: Context, args: Arguments, plan: PackPlan): void {
  const isAsked = args.lastOf('quiet', 'progress', 'all-progress');
  if (isAsked === 'quiet' || (isAsked === undefined && !context.stderr.isTerminal)) return;
  const { objects, deltas, reused, reusedDeltas } = plan.statistics;
  context.stderr.write(`Total ${objects} (delta ${deltas}), reused ${reused} (delta ${reusedDeltas}), pack-reused 0\n`);
}
