// cairn repack: puts what is in several packs, or loose, into one (git-repack(1)).
import { InvalidError } from '../../pack/errors.js';
import type { Arguments, Command } from '../../plumbing/command.js';
import type { Config } from '../../plumbing/config.js';
import { parseExpiry } from '../../plumbing/date.js';
import { parseCount, parseMagnitude } from '../../plumbing/option-number.js';
import { type PackSettings, deltaLimits, packLimit, readPackSettings } from '../../plumbing/objects/pack-settings.js';
import { Repository } from '../../plumbing/repository.js';
import { MaintenanceLock } from '../leases.js';
import { type RepackRequest, expiryBase, packNameOf, repack } from '../repack.js';
import { PhaseProgress } from '../phase-progress.js';

export const command: Command = {
  name: 'repack',
  family: 'git',
  summary: 'put what is in several packs, or loose, into one',
  usage: ['repack [<options>]'],
  options: [
    { name: 'a', short: 'a', help: 'pack all that is needed into one pack' },
    { name: 'A', short: 'A', help: 'as -a; with -d, what is not needed becomes loose' },
    { name: 'cruft', negatable: true, help: 'as -a; what is not needed goes into a pack of its own' },
    { name: 'cruft-expiration', value: 'time', negatable: true, help: 'with --cruft: what is older goes for good' },
    { name: 'expire-to', value: 'path', negatable: true, help: 'with --cruft-expiration: pack what goes for good there' },
    { name: 'd', short: 'd', help: 'remove old packs and loose objects that are packed now' },
    { name: 'f', short: 'f', help: 'search deltas anew' },
    { name: 'F', short: 'F', help: 'compress everything anew' },
    { name: 'n', short: 'n', help: 'leave the lists for servers as they are' },
    { name: 'quiet', short: 'q', negatable: true, help: 'be quiet' },
    { name: 'local', short: 'l', negatable: true, help: 'leave out what is in an alternate' },
    { name: 'unpack-unreachable', value: 'time', negatable: true, help: 'with -A: what is older goes for good' },
    { name: 'keep-unreachable', short: 'k', negatable: true, help: 'with -a: pack what is not needed, too' },
    { name: 'window', value: 'n', negatable: true, help: 'how many objects are tried as base of a delta' },
    { name: 'window-memory', value: 'bytes', negatable: true, help: 'the most bytes these may have together' },
    { name: 'depth', value: 'n', negatable: true, help: 'how long a chain of deltas may become' },
    { name: 'threads', value: 'n', negatable: true, help: 'accepted; the number of threads follows the machine' },
    { name: 'max-pack-size', value: 'bytes', negatable: true, help: 'split into packs of at most this many bytes' },
    { name: 'pack-kept-objects', negatable: true, help: 'pack what is in packs with a .keep file, too' },
    { name: 'keep-pack', value: 'name', negatable: true, help: 'treat this pack as if it had a .keep file' },
    { name: 'geometric', short: 'g', value: 'n', negatable: true, help: 'put packs together that have less than n times the objects of smaller ones' },
    { name: 'no-write-bitmap-index', help: 'write no bitmaps, which is what happens anyway' },
    { name: 'write-midx', short: 'm', negatable: true, help: 'write a multi-pack-index' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const request = requestOf(repository, args);
    using lock = MaintenanceLock.acquire(repository);
    using progress = new PhaseProgress(context, args.has('quiet'));
    const packs = repack(repository, { ...request, onProgress: (phase, done, total) => { progress.update(phase, done, total); } }, lock);
    progress[Symbol.dispose]();
    if (packs.length === 0 && !args.has('quiet')) context.stdout.write('Nothing new to pack.\n');
    return 0;
  },
};

function requestOf(repository: Repository, args: Arguments): RepackRequest {
  const { config, context } = repository;
  const loosens = args.has('A');
  const unpacks = args.value('unpack-unreachable') !== undefined;
  const refuse = (one: string, two: string): never => { throw new InvalidError(`options '${one}' and '${two}' cannot be used together`, { code: 'bad-options' }); };
  if (args.has('keep-unreachable') && (loosens || unpacks)) refuse('--keep-unreachable', '-A');
  if (args.has('cruft') && (loosens || unpacks)) refuse('--cruft', '-A');
  if (args.has('cruft') && args.has('keep-unreachable')) refuse('--cruft', '-k');
  const factor = count(args, 'geometric') ?? 0;
  const isWhole = args.has('a') || loosens || args.has('cruft');
  if (factor !== 0 && isWhole) refuse('--geometric', '-A/-a');
  const settings = settingsOf(config, args);
  const expireTo = args.value('expire-to');
  const expire = args.value(args.has('cruft') ? 'cruft-expiration' : 'unpack-unreachable');
  const expireSeconds = expire === undefined ? 0 : parseExpiry(expire, context.clock);
  return {
    scope: isWhole ? 'all' : factor === 0 ? 'new' : 'geometric', factor,
    removesOld: args.has('d'),
    unneeded: args.has('cruft') ? 'cruft' : unpacks || loosens ? 'loose' : args.has('keep-unreachable') ? 'kept' : 'dropped',
    ...(expireSeconds === 0 ? {} : { expireMs: expireSeconds * 1000 }),
    ...(expireTo === undefined ? {} : { expireTo: expiryBase(expireTo, context.cwd) }),
    isLocal: args.has('local'),
    reuseDeltas: !args.has('f'), reuseObjects: !args.has('F'),
    usesOffsets: config.getBoolean('repack.usedeltabaseoffset', true),
    settings, cruftSettings: cruftSettingsOf(config, settings),
    packsKept: args.flag('pack-kept-objects') ?? config.getBoolean('repack.packkeptobjects', false),
    keptPacks: new Set(args.values('keep-pack').map(packNameOf)),
    writesMultiPackIndex: args.has('write-midx'),
    updatesServerInfo: !args.has('n') && config.getBoolean('repack.updateserverinfo', true),
  };
}

function settingsOf(config: Config, args: Arguments): PackSettings {
  const configured = readPackSettings(config);
  const { window, depth, memoryBytes = 0 } = configured.limits;
  const most = magnitude(args, 'max-pack-size');
  return {
    ...configured,
    limits: deltaLimits(count(args, 'window') ?? window, count(args, 'depth') ?? depth, magnitude(args, 'window-memory') ?? memoryBytes),
    mostBytes: most === undefined ? configured.mostBytes : packLimit(most),
  };
}

/** Settings of their own for cruft packs, where configuration has such. */
function cruftSettingsOf(config: Config, settings: PackSettings): PackSettings {
  const { window, depth, memoryBytes = 0 } = settings.limits;
  return {
    ...settings,
    limits: deltaLimits(
      config.getInteger('repack.cruftwindow') ?? window, config.getInteger('repack.cruftdepth') ?? depth, config.getInteger('repack.cruftwindowmemory') ?? memoryBytes),
  };
}

function count(args: Arguments, name: string): number | undefined {
  const text = args.value(name);
  return text === undefined ? undefined : parseCount(name, text);
}

function magnitude(args: Arguments, name: string): number | undefined {
  const text = args.value(name);
  return text === undefined ? undefined : parseMagnitude(name, text);
}
