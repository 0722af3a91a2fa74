// What the configuration says of a branch (branch.<name>.*, git-config(1)), when the branch gets another name or is copied.
//
// Doing a move or copy twice is doing it once, so that a change of refs that was interrupted can be finished (refs/ref-recovery.ts).
// If the power fails: the file is the old one or the new one.
import { join } from 'node:path';
import { editConfigFile, parseConfigKey, renameInConfig, setInConfig } from './config-file.js';
import type { Repository } from './repository.js';

/** Short names of branches. */
export interface SettingsMove {
  readonly from: string;
  readonly to: string;
  /** The first branch keeps its settings. */
  readonly copies: boolean;
}

/** Edits the repository's configuration, and has it read again. */
export function editRepositoryConfig(repository: Repository, edit: (text: string, path: string) => string): void {
  const path = join(repository.commonDirectory, 'config');
  editConfigFile(path, (text) => edit(text, path), repository.lockHolder);
  repository.config.refresh();
}

/** True when any configuration file has settings of the branch. */
export function hasBranchSettings(repository: Repository, name: string): boolean {
  return repository.config.subsections('branch').includes(name);
}

/** Takes away what the repository's own file says of a branch. */
export function removeBranchSettings(repository: Repository, name: string): void {
  if (!hasBranchSettings(repository, name)) return;
  editRepositoryConfig(repository, (text, path) => (hasSection(text, name) ? renameInConfig(text, `branch.${name}`, undefined, path) : text));
}

/** The settings of one branch become, or are added to, those of another. */
export function moveBranchSettings(repository: Repository, { from, to, copies }: SettingsMove): void {
  if (copies) copySettings(repository, from, to);
  else if (hasBranchSettings(repository, from)) editRepositoryConfig(repository, (text, path) => renameSettings(text, path, from, to));
}

function renameSettings(text: string, path: string, from: string, to: string): string {
  if (!hasSection(text, from)) return text;
  const cleared = hasSection(text, to) ? renameInConfig(text, `branch.${to}`, undefined, path) : text;
  return renameInConfig(cleared, `branch.${from}`, `branch.${to}`, path);
}

function copySettings(repository: Repository, from: string, to: string): void {
  const listOf = (name: string): { readonly variable: string; readonly raw: string | undefined }[] => {
    const prefix = `branch.${name}.`;
    return repository.config.list().filter((entry) => entry.scope === 'local' && entry.name.startsWith(prefix))
      .map((entry) => ({ variable: entry.name.slice(prefix.length), raw: entry.raw }));
  };
  const there = new Set(listOf(to).map(({ variable, raw }) => `${variable}=${raw ?? 'true'}`));
  const added = listOf(from).filter(({ variable, raw }) => !there.has(`${variable}=${raw ?? 'true'}`));
  if (added.length === 0) return;
  editRepositoryConfig(repository, (text, path) => added.reduce((before, { variable, raw }) =>
    setInConfig(before, parseConfigKey(`branch.${to}.${variable}`), raw ?? 'true', path, { add: true }), text));
}

/** True when this very file (and not one it includes) has settings of the branch. */
function hasSection(text: string, name: string): boolean {
  return text.includes(`"${Buffer.from(name).toString('latin1').replace(/["\\]/g, '\\$&')}"`);
}
