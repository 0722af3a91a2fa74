// Comparing what lies at a channel's targets with the snapshot its newest receipt names, byte for byte. Finds, never repairs:
// publishing again does that.
import { join } from 'node:path';
import { readPathProtection } from '../plumbing/path-safety.js';
import type { Repository } from '../plumbing/repository.js';
import { targetNamed } from './channel.js';
import type { StoredReceipt } from './receipt.js';
import { type Drift, checkDirectory } from './release-directory.js';
import { isLive } from './release-report.js';
import { listTreeFiles } from './tree-listing.js';

export interface TargetDrift extends Drift {
  /** As in the receipt. */
  readonly target: string;
}

/** Every difference between the receipt's snapshot and what its targets hold; a target that points elsewhere is one difference. */
export function* checkRelease(repository: Repository, receipt: StoredReceipt): Generator<TargetDrift> {
  for (const output of receipt.outputs) {
    const { published, tree } = output;
    if (published === undefined) continue;
    if (!isLive(repository, output)) {
      yield { target: published.target, path: '', kind: 'target' };
      continue;
    }
    const files = listTreeFiles(repository.objects, tree, readPathProtection(repository.config));
    const directory = join(targetNamed(repository, published.target).container, published.directory);
    for (const drift of checkDirectory(directory, files, repository.format)) yield { target: published.target, ...drift };
  }
}
