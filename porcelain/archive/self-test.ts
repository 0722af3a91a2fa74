// The proof before an archive gets its name: it is read back from the disk into a repository of its own, every object is hashed, and what its
// own sidecar says it has is walked again and compared with what went in.
//
// Differences are lines, not errors; anything that keeps the test from being made is an error. Everything is written to scratch.
import { CorruptError, NotFoundError, RefusedError } from '../../pack/errors.js';
import { hardenNothing } from '../../pack/hardening.js';
import { encodeObjectId } from '../../pack/oid.js';
import { PackIntake } from '../../pack/pack-intake.js';
import type { Context } from '../../plumbing/command.js';
import type { Steps } from '../../plumbing/interruption.js';
import type { Repository } from '../../plumbing/repository.js';
import { BundleReader, encodeBundleHeader } from '../../plumbing/wire/bundle.js';
import { type Contents, listContents } from './archive-contents.js';
import { encodeHeader, keptBytes } from './bundle-file.js';
import { digestFile } from './checksums.js';
import type { Scratch } from './scratch.js';
import { type Sidecar, decodeSidecar, encodeSidecar } from './sidecar.js';

export interface SelfTest {
  readonly context: Context;
  /** The archive under its private name. */
  readonly path: string;
  /** As it will be published. */
  readonly sidecar: Sidecar;
  readonly contents: Contents;
  readonly scratch: Scratch;
  /** Objects directories with what the prerequisites reach; none for a complete archive. */
  readonly borrowed: readonly string[];
  readonly onProgress?: (done: number) => void;
}

/** Differences found, and the repository the archive made; nobody may use it once the scratch is gone. */
export function* testArchive({ context, path, sidecar, contents, scratch, borrowed, onProgress }: SelfTest): Steps<{ readonly differences: string[]; readonly repository: Repository | undefined }> {
  const record = decodeSidecar(encodeSidecar(sidecar), 'of the self-test');
  try {
    const digest = yield* digestFile(path);
    if (digest.sha256 !== record.archive?.sha256 || digest.sizeBytes !== record.archive.sizeBytes) {
      return { differences: ['archive read back is not what was written'], repository: undefined };
    }
    using bundle = BundleReader.open(path);
    if (!encodeBundleHeader(bundle.header).equals(encodeHeader(record, record.format))) return { differences: ['header of the bundle'], repository: undefined };
    const repository = scratch.makeRepository(context, 'self-test', record.format, borrowed);
    const directory = `${repository.objectsDirectory}/pack`;
    let seen = 0;
    using intake = yield* PackIntake.receiving(bundle.packPieces(), directory, record.format, { keptBytes, hardening: hardenNothing, onObject: () => { onProgress?.(seen += 1); } });
    if (intake.rest.length > 0) return { differences: ['something follows the pack'], repository: undefined };
    intake.place({ base: `${directory}/pack-${intake.checksum.toString('hex')}` });
    return { differences: yield* compareContents(repository, record, contents), repository };
  } catch (error) {
    if (error instanceof CorruptError || error instanceof NotFoundError || error instanceof RefusedError) return { differences: [`archive: ${error.message}`], repository: undefined };
    throw error;
  }
}

/** Walks what the archive has by its own record, and compares every id. */
function* compareContents(repository: Repository, record: Sidecar, contents: Contents): Steps<string[]> {
  const differences: string[] = [];
  const [pack] = repository.objects.listOwnPacks();
  if (pack === undefined || pack.index.count !== contents.list.count) differences.push('number of objects in the pack');
  const again = yield* listContents(repository, record);
  for (const [name, count] of Object.entries(again.counts)) {
    if (count !== record.counts[name as keyof typeof record.counts]) differences.push(`number of ${name}`);
  }
  for (const id of contents.list.ids) {
    if (!again.list.has(id)) differences.push(`missing ${id}`);
    // What came from elsewhere proves nothing.
    else if (pack === undefined || pack.position(encodeObjectId(id)) < 0) differences.push(`not packed ${id}`);
    yield;
  }
  for (const id of again.list.ids) if (!contents.list.has(id)) differences.push(`extra ${id}`);
  return differences;
}
