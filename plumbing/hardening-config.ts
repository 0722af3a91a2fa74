// core.fsync, core.fsyncMethod and core.fsyncObjectFiles (git-config(1)): which kinds of files are made durable. The default is all of
// them, where git leaves out loose objects, index and refs on most platforms: what a command acknowledges is on the disk.
//
// Invariant: a value nobody understands never switches anything off; it is said so on stderr, as git does.
import { type Hardening, hardenEverything, hardenNothing } from '../pack/hardening.js';
import { InvalidError } from '../pack/errors.js';
import type { Config } from './config.js';

type Kind = keyof Hardening;

const objects: readonly Kind[] = ['looseObject', 'pack'];
const everything = Object.keys(hardenEverything) as readonly Kind[];

/** What each name in core.fsync stands for. */
const components: ReadonlyMap<string, readonly Kind[]> = new Map([
  ['loose-object', ['looseObject']],
  ['pack', ['pack']],
  ['pack-metadata', ['packMetadata']],
  ['commit-graph', ['commitGraph']],
  ['index', ['index']],
  ['reference', ['reference']],
  ['objects', objects],
  ['derived-metadata', ['packMetadata', 'commitGraph']],
  ['committed', objects],
  ['added', [...objects, 'index']],
  ['all', everything],
]);

/**
 * Any of them is done the same way: loose objects written together share one flush before they get their names ('batch'), all else is
 * fsynced. 'writeout-only' cannot be had from Node; as git does where a system cannot, fsync takes its place.
 */
const methods: ReadonlySet<string> = new Set(['fsync', 'writeout-only', 'batch']);

/** What the config asks for; `warn` is told of what is not understood. InvalidError where git too refuses to go on. */
export function readHardening(config: Config, warn: (text: string) => void): Hardening {
  const method = requireValue(config, 'core.fsyncmethod');
  if (method !== undefined && !methods.has(method)) warn(`ignoring unknown core.fsyncMethod value '${method}'`);
  const wanted = parseHardening(requireValue(config, 'core.fsync') ?? '', warn);
  if (config.find('core.fsyncobjectfiles') === undefined) return wanted;
  warn('core.fsyncObjectFiles is deprecated; use core.fsync instead');
  return config.getBoolean('core.fsyncobjectfiles', false) ? { ...wanted, looseObject: true } : wanted;
}

/** A value of core.fsync: the default, or nothing after 'none', without what has a '-' in front and with the others. */
export function parseHardening(value: string, warn: (text: string) => void): Hardening {
  let start = hardenEverything;
  const added = new Set<Kind>();
  const removed = new Set<Kind>();
  for (const word of value.split(',').map((each) => each.trim()).filter((each) => each !== '')) {
    if (word === 'none') {
      start = hardenNothing;
      continue;
    }
    const kinds = components.get(word.replace(/^-/, ''));
    if (kinds === undefined) warn(`ignoring unknown core.fsync component '${word}'`);
    for (const kind of kinds ?? []) (word.startsWith('-') ? removed : added).add(kind);
  }
  const result = { ...start };
  for (const kind of everything) result[kind] = added.has(kind) || (start[kind] && !removed.has(kind));
  return result;
}

function requireValue(config: Config, name: string): string | undefined {
  const entry = config.find(name);
  if (entry === undefined || entry.value !== undefined) return entry?.value;
  throw new InvalidError(`missing value for '${name}'`, { code: 'bad-config-value' });
}
