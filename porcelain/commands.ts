// Every command by the name it is typed with. A command's module is loaded when the command is run; the CLI build turns each
// of these imports into a bundle of its own.
import type { Command } from '../plumbing/command.js';

export type LoadCommand = () => Promise<{ readonly command: Command }>;

/** Commands Git defines. */
export const plumbingCommands: Readonly<Record<string, LoadCommand>> = {
  bundle: () => import('../plumbing/commands/bundle.js'),
  'cat-file': () => import('../plumbing/commands/cat-file.js'),
  'check-attr': () => import('../plumbing/commands/check-attr.js'),
  'check-ignore': () => import('../plumbing/commands/check-ignore.js'),
  'check-mailmap': () => import('../plumbing/commands/check-mailmap.js'),
  'check-ref-format': () => import('../plumbing/commands/check-ref-format.js'),
  'checkout-index': () => import('../plumbing/commands/checkout-index.js'),
  cherry: () => import('../plumbing/commands/cherry.js'),
  column: () => import('../plumbing/commands/column.js'),
  'commit-graph': () => import('../plumbing/commands/commit-graph.js'),
  'commit-tree': () => import('../plumbing/commands/commit-tree.js'),
  'count-objects': () => import('../plumbing/commands/count-objects.js'),
  describe: () => import('../plumbing/commands/describe.js'),
  'diff-files': () => import('../plumbing/commands/diff-files.js'),
  'diff-index': () => import('../plumbing/commands/diff-index.js'),
  'diff-tree': () => import('../plumbing/commands/diff-tree.js'),
  'fast-export': () => import('../plumbing/commands/fast-export.js'),
  'fast-import': () => import('../plumbing/commands/fast-import.js'),
  'fmt-merge-msg': () => import('../plumbing/commands/fmt-merge-msg.js'),
  'get-tar-commit-id': () => import('../plumbing/commands/get-tar-commit-id.js'),
  'hash-object': () => import('../plumbing/commands/hash-object.js'),
  'index-pack': () => import('../plumbing/commands/index-pack.js'),
  'interpret-trailers': () => import('../plumbing/commands/interpret-trailers.js'),
  'ls-files': () => import('../plumbing/commands/ls-files.js'),
  'ls-tree': () => import('../plumbing/commands/ls-tree.js'),
  'merge-base': () => import('../plumbing/commands/merge-base.js'),
  'merge-file': () => import('../plumbing/commands/merge-file.js'),
  'merge-index': () => import('../plumbing/commands/merge-index.js'),
  'merge-one-file': () => import('../plumbing/commands/merge-one-file.js'),
  'merge-tree': () => import('../plumbing/commands/merge-tree.js'),
  mktag: () => import('../plumbing/commands/mktag.js'),
  mktree: () => import('../plumbing/commands/mktree.js'),
  'multi-pack-index': () => import('../plumbing/commands/multi-pack-index.js'),
  'name-rev': () => import('../plumbing/commands/name-rev.js'),
  'pack-objects': () => import('../plumbing/commands/pack-objects.js'),
  'pack-refs': () => import('../plumbing/commands/pack-refs.js'),
  'patch-id': () => import('../plumbing/commands/patch-id.js'),
  'prune-packed': () => import('../plumbing/commands/prune-packed.js'),
  'read-tree': () => import('../plumbing/commands/read-tree.js'),
  'rev-list': () => import('../plumbing/commands/rev-list.js'),
  'rev-parse': () => import('../plumbing/commands/rev-parse.js'),
  'show-index': () => import('../plumbing/commands/show-index.js'),
  'show-ref': () => import('../plumbing/commands/show-ref.js'),
  stripspace: () => import('../plumbing/commands/stripspace.js'),
  'symbolic-ref': () => import('../plumbing/commands/symbolic-ref.js'),
  'unpack-objects': () => import('../plumbing/commands/unpack-objects.js'),
  'update-index': () => import('../plumbing/commands/update-index.js'),
  'update-ref': () => import('../plumbing/commands/update-ref.js'),
  'update-server-info': () => import('../plumbing/commands/update-server-info.js'),
  'verify-commit': () => import('../plumbing/commands/verify-commit.js'),
  'verify-pack': () => import('../plumbing/commands/verify-pack.js'),
  'verify-tag': () => import('../plumbing/commands/verify-tag.js'),
  'write-tree': () => import('../plumbing/commands/write-tree.js'),
};

/** Commands for people, and all that is ours. */
export const porcelainCommands: Readonly<Record<string, LoadCommand>> = {
  add: () => import('./commands/add.js'),
  annotate: () => import('./commands/annotate.js'),
  archive: () => import('./commands/archive.js'),
  attest: () => import('./commands/attest.js'),
  batch: () => import('./commands/batch.js'),
  bisect: () => import('./commands/bisect.js'),
  blame: () => import('./commands/blame.js'),
  branch: () => import('./commands/branch.js'),
  checkout: () => import('./commands/checkout.js'),
  'cherry-pick': () => import('./commands/cherry-pick.js'),
  clean: () => import('./commands/clean.js'),
  commit: () => import('./commands/commit.js'),
  completion: () => import('./commands/completion.js'),
  config: () => import('./commands/config.js'),
  diff: () => import('./commands/diff.js'),
  export: () => import('./commands/export.js'),
  'for-each-ref': () => import('./commands/for-each-ref.js'),
  fsck: () => import('./commands/fsck.js'),
  gc: () => import('./commands/gc.js'),
  grep: () => import('./commands/grep.js'),
  help: () => import('./commands/help.js'),
  hold: () => import('./commands/hold.js'),
  hook: () => import('./commands/hook.js'),
  import: () => import('./commands/import.js'),
  init: () => import('./commands/init.js'),
  log: () => import('./commands/log.js'),
  merge: () => import('./commands/merge.js'),
  meta: () => import('./commands/meta.js'),
  mv: () => import('./commands/mv.js'),
  notes: () => import('./commands/notes.js'),
  rebase: () => import('./commands/rebase.js'),
  reflog: () => import('./commands/reflog.js'),
  release: () => import('./commands/release.js'),
  repair: () => import('./commands/repair.js'),
  reset: () => import('./commands/reset.js'),
  restore: () => import('./commands/restore.js'),
  retain: () => import('./commands/retain.js'),
  revert: () => import('./commands/revert.js'),
  rm: () => import('./commands/rm.js'),
  rollback: () => import('./commands/rollback.js'),
  shortlog: () => import('./commands/shortlog.js'),
  show: () => import('./commands/show.js'),
  'show-branch': () => import('./commands/show-branch.js'),
  stash: () => import('./commands/stash.js'),
  status: () => import('./commands/status.js'),
  switch: () => import('./commands/switch.js'),
  tag: () => import('./commands/tag.js'),
  var: () => import('./commands/var.js'),
  worktree: () => import('./commands/worktree.js'),
  verify: () => import('./commands/verify.js'),
  'prune': () => import('./commands/prune.js'),
  'repack': () => import('./commands/repack.js'),
};

/** Those of porcelainCommands that are for scripts: what Git counts as plumbing and maintenance, but needs modules of the porcelain. */
export const porcelainForScripts: readonly string[] = ['batch', 'for-each-ref', 'prune', 'repack', 'show-branch', 'var'];

/** Those of Git's commands that can do something without a repository. */
export const worksAnywhere: ReadonlySet<string> = new Set([
  'bundle', 'check-ref-format', 'column', 'config', 'diff', 'get-tar-commit-id', 'grep', 'hash-object', 'index-pack', 'init', 'interpret-trailers',
  'merge-file', 'patch-id', 'rev-parse', 'shortlog', 'show-index', 'stripspace', 'var', 'verify-pack',
]);

/** The loader of a command; undefined when there is none of that name. */
export function findCommand(name: string): LoadCommand | undefined {
  if (Object.hasOwn(plumbingCommands, name)) return plumbingCommands[name];
  return Object.hasOwn(porcelainCommands, name) ? porcelainCommands[name] : undefined;
}
