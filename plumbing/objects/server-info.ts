// The two lists a server that knows nothing of git needs, so that others can fetch from its files: info/refs and objects/info/packs
// (git-update-server-info(1), gitrepository-layout(5)).
//
// Derived from what is there, replaced as a whole and only when it changed. If the power fails: the old list or the new one; either may be
// behind, which the next run mends.
import { join } from 'node:path';
import { makeDirectories, replaceFile } from '../../pack/disk.js';
import { findFile } from '../../pack/file-lookup.js';
import type { Repository } from '../repository.js';
import { peel } from '../history/revision.js';

/** Writes both lists; with `force` even when they are as they should be. */
export function updateServerInfo(repository: Repository, options: { readonly force?: boolean } = {}): void {
  const put = (directory: string, name: string, text: string): void => {
    const path = join(directory, name);
    const bytes = Buffer.from(text, 'latin1');
    if (options.force !== true && findFile(path)?.equals(bytes) === true) return;
    makeDirectories(directory);
    replaceFile(path, bytes);
  };
  put(join(repository.commonDirectory, 'info'), 'refs', listOfRefs(repository));
  const packs = join(repository.objectsDirectory, 'info');
  put(packs, 'packs', listOfPacks(repository, options.force === true ? '' : findFile(join(packs, 'packs'))?.toString('latin1') ?? ''));
}

function listOfRefs(repository: Repository): string {
  let text = '';
  for (const { name, id } of repository.refs.list('refs/')) {
    const shown = Buffer.from(name).toString('latin1');
    if (!repository.objects.has(id)) continue;
    text += `${id}\t${shown}\n`;
    const peeled = peel(repository, id, 'any');
    if (peeled !== undefined && peeled !== id) text += `${peeled}\t${shown}^{}\n`;
  }
  return text;
}

/** Packs the former list named keep their places. */
function listOfPacks(repository: Repository, former: string): string {
  const names = new Set(repository.objects.listOwnPacks().map(({ name }) => `${name}.pack`));
  const listed = [...former.matchAll(/^P (.+)$/gm)].map((match) => match[1]!).filter((name) => names.has(name));
  const all = new Set([...listed, ...[...names].sort()]);
  return `${[...all].map((name) => `P ${name}\n`).join('')}\n`;
}
