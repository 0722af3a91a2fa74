// What lies in an objects directory but is no object, pack or part of one: left by crashes, or put there by somebody
// (git-count-objects(1), "garbage"). Nothing here is ever read as an object.
import { statSync } from 'node:fs';
import { listDirectory } from './file-lookup.js';
import { hexSize } from './oid.js';
import type { ObjectFormat } from './oid.js';

export interface Debris {
  readonly path: string;
  readonly sizeBytes: number;
  /** Why it counts: 'garbage found', 'no corresponding .idx', 'no corresponding .pack'. */
  readonly reason: string;
}

const companions = /^(pack-.*)\.(pack|idx|rev|bitmap|keep|promisor|mtimes)$/;

/** Files among the loose objects that are none. */
export function listLooseDebris(directory: string, format: ObjectFormat): Debris[] {
  const found: Debris[] = [];
  for (let byte = 0; byte < 256; byte += 1) {
    const folder = `${directory}/${byte.toString(16).padStart(2, '0')}`;
    for (const name of listDirectory(folder).sort()) {
      if (name.length !== hexSize(format) - 2 || !/^[0-9a-f]+$/.test(name)) add(found, `${folder}/${name}`, 'garbage found');
    }
  }
  return found;
}

/** Files among the packs that belong to none, and parts of packs whose other part is missing. */
export function listPackDebris(directory: string): Debris[] {
  const found: Debris[] = [];
  const folder = `${directory}/pack`;
  const names = listDirectory(folder).sort();
  const present = new Set(names);
  for (const name of names) {
    if (name === 'multi-pack-index' || name.startsWith('multi-pack-index-')) continue;
    const [, stem, suffix] = companions.exec(name) ?? [];
    const hasPack = present.has(`${stem}.pack`);
    const hasIndex = present.has(`${stem}.idx`);
    if (stem === undefined || suffix === undefined || (!hasPack && !hasIndex)) add(found, `${folder}/${name}`, 'garbage found');
    else if (!hasIndex) add(found, `${folder}/${name}`, 'no corresponding .idx');
    else if (!hasPack) add(found, `${folder}/${name}`, 'no corresponding .pack');
  }
  return found;
}

function add(found: Debris[], path: string, reason: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat) found.push({ path, sizeBytes: stat.size, reason });
}
