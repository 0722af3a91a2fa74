// What goes into a bundle: the refs that were named, the commits the receiver must have, and the pack of what lies between (git-bundle(1)).
import { RefusedError } from '../../pack/errors.js';
import { PackEmitter } from '../../pack/pack-emitter.js';
import { PackPlan } from '../../pack/pack-plan.js';
import { PackingList } from '../../pack/packing-list.js';
import type { ObjectId } from '../../pack/oid.js';
import { messageOf } from '../history/format.js';
import type { ObjectFilter } from '../history/object-filter.js';
import { PackSelection } from '../objects/pack-selection.js';
import { readPackSettings } from '../objects/pack-settings.js';
import type { Repository } from '../repository.js';
import type { NamedTip } from '../history/revision-set.js';
import { RevWalk, type WalkOptions } from '../history/walk.js';
import { flag } from '../history/walk-flag.js';
import type { BundlePrerequisite, BundleRef } from './bundle.js';

export interface BundleContents {
  readonly prerequisites: readonly BundlePrerequisite[];
  /** What the receiver has besides, because it was excluded by name. */
  readonly excluded: readonly ObjectId[];
  readonly refs: readonly BundleRef[];
}

/** Walks what was asked for; RefusedError when no ref is left. `warn` is told of refs the limits leave out. */
export function selectContents(repository: Repository, tips: readonly NamedTip[], options: WalkOptions, warn: (message: string) => void): BundleContents {
  const commits = tips.filter(({ id }) => repository.objects.findHeader(id)?.type === 'commit');
  const prerequisites: BundlePrerequisite[] = [];
  const shown = new Set<ObjectId>();
  for (const node of new RevWalk(repository, commits, { ...options, boundary: true })) {
    if ((node.flags & flag.boundary) === 0) shown.add(node.id);
    else prerequisites.push({ id: node.id, comment: messageOf(node.commit).replace(/\n\s*\n[\s\S]*$/, '').replace(/\s*\n\s*/g, ' ').trimEnd() });
  }
  const refs = new Map<string, BundleRef>();
  for (const tip of tips) {
    const ref = tip.isExcluded ? undefined : refOf(repository, tip);
    if (ref === undefined || refs.has(ref.name)) continue;
    if (tip.type === 'tag' && !isTagInRange(repository, tip.object, options)) continue;
    if (tip.type === 'commit' && !shown.has(tip.id)) warn(`warning: ref '${tip.name}' is excluded by the rev-list options`);
    else refs.set(ref.name, ref);
  }
  if (refs.size === 0) throw new RefusedError('refusing to create empty bundle', { code: 'empty-bundle' });
  return { prerequisites, excluded: tips.flatMap((tip) => (tip.isExcluded ? [tip.object] : [])), refs: [...refs.values()] };
}

/** The ref a word on the command line means, as a bundle names it; undefined for what is no ref, or several. */
function refOf(repository: Repository, tip: NamedTip): BundleRef | undefined {
  const names = [...repository.refs.listExpansions(tip.name)];
  const [name] = names;
  if (name === undefined || names.length > 1) return undefined;
  const ref = repository.refs.find(name);
  // The end of a range is the commit of a tag; the tag is what the ref names.
  if (ref === undefined) return undefined;
  const isSymbolic = repository.refs.resolve(name).name !== name;
  return { name: isSymbolic ? tip.name : name, id: ref.id };
}

function isTagInRange(repository: Repository, id: ObjectId, { since, until }: WalkOptions): boolean {
  if (since === undefined && until === undefined) return true;
  const { tagger } = repository.objects.readTag(id);
  if (tagger === undefined) return true;
  return (since === undefined || tagger.seconds >= since) && (until === undefined || tagger.seconds <= until);
}

/** Appends the pack: all that the refs reach and the prerequisites do not, as deltas also of what the receiver has. `repository` follows no replacements. */
export function writeBundlePack(repository: Repository, contents: BundleContents, filter: ObjectFilter | undefined, write: (bytes: Uint8Array) => void): number {
  const list = new PackingList();
  const has = [...contents.prerequisites.map(({ id }) => id), ...contents.excluded];
  const lines = [...contents.refs.map(({ id }) => id), ...has.map((id) => `^${id}`)];
  new PackSelection(repository, list, {}).addReachable(lines, { thin: true, ...(filter === undefined ? {} : { filter }) });
  const { limits, level, largeBytes } = readPackSettings(repository.config);
  const plan = new PackPlan(list, { store: repository.objects, limits, level, largeBytes, reuseDeltas: true, reuseObjects: true, usesOffsets: true });
  plan.prepare();
  const emitter = new PackEmitter(repository.format, list.count, write);
  plan.write(emitter);
  emitter.finish();
  return list.count;
}
