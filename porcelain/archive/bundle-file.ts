// The bytes of an archive: a bundle whose pack depends on nothing but its contents. Specified in cairn-archive(5), "THE BUNDLE".
//
// Constant memory beside the plan. Where the bytes go is the caller's affair.
import type { DeltaLimits } from '../../pack/delta-window.js';
import { Hasher, type ObjectFormat } from '../../pack/oid.js';
import { PackEmitter } from '../../pack/pack-emitter.js';
import { PackPlan, type PackPlanOptions } from '../../pack/pack-plan.js';
import type { Steps } from '../../plumbing/interruption.js';
import type { Repository } from '../../plumbing/repository.js';
import { encodeRefName } from '../../plumbing/refs/ref-name.js';
import { encodeBundleHeader } from '../../plumbing/wire/bundle.js';
import type { Bounds, Contents } from './archive-contents.js';
import type { FileDigest } from './sidecar.js';

/** Part of the rules: never changed without another number for them. */
const limits: DeltaLimits = { window: 4, depth: 24, memoryBytes: 24 * 1024 * 1024 };
const mostDeltaBytes = 4 * 1024 * 1024;
/** What builds on an object follows it: little has to be kept for reading an archive. */
export const keptBytes = 24 * 1024 * 1024;

/** What comes before the pack. */
export function encodeHeader({ heads, prerequisites }: Bounds, format: ObjectFormat): Buffer {
  return encodeBundleHeader({
    version: format === 'sha1' ? 2 : 3, format, filter: undefined,
    prerequisites: prerequisites.map((id) => ({ id, comment: '' })),
    refs: heads.map(({ name, id }) => ({ name: encodeRefName(name), id })),
  });
}

/** Hands on the whole archive; CorruptError or NotFoundError that names an object that is damaged or missing. */
export function* writeBundle(repository: Repository, contents: Contents, write: (bytes: Uint8Array) => void, onProgress?: PackPlanOptions['onProgress']): Steps<FileDigest> {
  const { format } = repository;
  const hasher = new Hasher('sha256');
  let sizeBytes = 0;
  const put = (bytes: Uint8Array): void => {
    hasher.update(bytes);
    sizeBytes += bytes.length;
    write(bytes);
  };
  put(encodeHeader(contents, format));
  const plan = new PackPlan(contents.list, {
    store: repository.objects, limits, level: 'fixed', largeBytes: mostDeltaBytes, reuseDeltas: false, reuseObjects: false, usesOffsets: true,
    keepsGroupsApart: true, ...(onProgress === undefined ? {} : { onProgress }),
  });
  yield* plan.preparing();
  const emitter = new PackEmitter(format, contents.list.count, put);
  yield* plan.writing(emitter);
  emitter.finish();
  return { sha256: hasher.digestId(), sizeBytes };
}
