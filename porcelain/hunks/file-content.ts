// What a file holds, and what becomes of it when parts of a patch are brought in: by who chooses hunks, and by stash, which takes what it
// set aside out of files that hold more.
import type { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId } from '../../pack/oid.js';
import { gitlinkMode, type RepoPath } from '../../pack/tree.js';
import { parseArguments } from '../../plumbing/command.js';
import { readWorkTreeSide } from '../../plumbing/diff/diff-index.js';
import { readSide } from '../../plumbing/diff/diff-content.js';
import { DiffRequest, diffOptions } from '../../plumbing/diff/diff-options.js';
import { changesKind, splitChange } from '../../plumbing/diff/diff-patch.js';
import { type DiffEntry, type DiffSide, diffTrees } from '../../plumbing/diff/diff.js';
import type { Index } from '../../plumbing/index/index-file.js';
import { WorkTree } from '../../plumbing/index/work-tree.js';
import type { Repository } from '../../plumbing/repository.js';
import { type FilePatch, type Hunk, parseFilePatch } from './file-patch.js';
import { applyHunks } from './hunk-application.js';

/** A file as it is or is to be; mode 0: none. */
export interface Content {
  readonly mode: number;
  /** latin1 */
  readonly text: string;
}

/** The parts of a patch that are wanted. */
export interface Choice {
  readonly mode: boolean;
  /** The file is to come, or to go, as a whole. */
  readonly whole: boolean;
  readonly hunks: readonly Hunk[];
}

/** The patches of entries that have something to show; a file that became something of another kind goes first, and then comes. */
export function listFilePatches(store: ObjectStore, diff: DiffRequest, entries: readonly DiffEntry[]): FilePatch[] {
  return entries.flatMap((entry) => (entry.status !== 'U' && changesKind(entry) ? splitChange(entry, store) : [entry])).flatMap((entry): FilePatch[] => {
    let text = '';
    diff.write([entry], (piece) => { text += piece; });
    return text === '' ? [] : [parseFilePatch(entry, text)];
  });
}

/** One side of a difference. */
export function readContent(store: ObjectStore, side: DiffSide): Content {
  if (side.mode === 0) return { mode: 0, text: '' };
  if (side.mode === gitlinkMode) return { mode: side.mode, text: `Subproject commit ${side.id}\n` };
  return { mode: side.mode, text: readSide(store, side).toString('latin1') };
}

/** What comes of a content; undefined when the choice does not fit it. */
export function changeContent(store: ObjectStore, content: Content, patch: FilePatch, choice: Choice, direction: 'forward' | 'back'): Content | undefined {
  const [before, after] = direction === 'forward' ? [patch.entry.old, patch.entry.new] : [patch.entry.new, patch.entry.old];
  if ((content.mode === 0) !== (before.mode === 0)) return undefined;
  if ((patch.deletion !== undefined || patch.isBinary) && choice.whole) return content.text === readContent(store, before).text ? readContent(store, after) : undefined;
  const text = applyHunks(content.text, choice.hunks, direction);
  if (text === undefined) return undefined;
  if (after.mode === 0) return text === '' ? { mode: 0, text } : undefined;
  return { mode: choice.mode || content.mode === 0 ? after.mode : content.mode, text };
}

/** The id of the content, stored. */
export function storeContent(store: ObjectStore, { mode, text }: Content): ObjectId {
  if (mode === gitlinkMode) return text.slice('Subproject commit '.length).trim() as ObjectId;
  return store.write('blob', Buffer.from(text, 'latin1'));
}

/** Puts it in the place of the file; nested repositories are left alone. */
export function writeContent(store: ObjectStore, workTree: WorkTree, path: RepoPath, content: Content): void {
  if (content.mode === 0) workTree.remove(path);
  else if (content.mode !== gitlinkMode) workTree.checkout({ path, mode: content.mode, id: storeContent(store, content) }, { force: true });
}

/** Takes what changed between two trees out of the work tree, whatever else its files hold; false, with nothing changed, where that does not fit. */
export function takeOutOfFiles(repository: Repository, index: Index, from: ObjectId, to: ObjectId): boolean {
  const { objects } = repository;
  const diff = new DiffRequest(repository, parseArguments({ options: diffOptions }, ['-p']), { porcelain: false, format: 'patch', columns: 80 });
  const wanted: { readonly path: RepoPath; readonly content: Content }[] = [];
  const gone = new Set<RepoPath>();
  for (const patch of listFilePatches(objects, diff, diffTrees(objects, from, to, { recursive: true })).reverse()) {
    const { path } = patch.entry;
    // Last first: what became something of another kind comes back where the other thing is taken away.
    const current = gone.has(path) ? { mode: 0, text: '' } : readContent(objects, readWorkTreeSide(repository, path));
    const content = changeContent(objects, current, patch, { mode: true, whole: true, hunks: patch.hunks }, 'back');
    if (content === undefined) return false;
    if (content.mode === 0) gone.add(path);
    wanted.push({ path, content });
  }
  const workTree = new WorkTree(repository, index);
  for (const { path, content } of wanted) writeContent(objects, workTree, path, content);
  return true;
}
