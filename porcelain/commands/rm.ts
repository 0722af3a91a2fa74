// cairn rm: take files out of the index, and out of the work tree unless --cached. What would be lost for good (content that is
// neither in HEAD nor in the file, or only in the file) is refused unless forced.
import { ConflictError, InvalidError, NotFoundError, RefusedError } from '../../pack/errors.js';
import { gitlinkMode, pathToUtf8, type RepoPath } from '../../pack/tree.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import type { Index, IndexEntry } from '../../plumbing/index/index-file.js';
import { lockIndex } from '../../plumbing/index/index-lock.js';
import { Pathspec, pathspecContext } from '../../plumbing/pathspec.js';
import { readPathspecs } from '../../plumbing/pathspec-file.js';
import { Repository } from '../../plumbing/repository.js';
import { findInTree, findRevision } from '../../plumbing/history/revision.js';
import { compareEntry } from '../../plumbing/index/work-status.js';
import { WorkTree } from '../../plumbing/index/work-tree.js';

export const command: Command = {
  name: 'rm',
  family: 'cairn',
  summary: 'remove files from the work tree and from the index',
  usage: ['rm [-f] [-n] [-r] [--cached] [--ignore-unmatch] [-q] [--] [<pathspec>...]'],
  options: [
    { name: 'dry-run', short: 'n', negatable: true, help: 'only say what would be removed' },
    { name: 'quiet', short: 'q', negatable: true, help: 'do not list what is removed' },
    { name: 'cached', negatable: true, help: 'only from the index' },
    { name: 'force', short: 'f', negatable: true, help: 'also what would be lost for good' },
    { name: 'recursive', short: 'r', help: 'take directories with all that is in them' },
    { name: 'ignore-unmatch', negatable: true, help: 'succeed when nothing matches' },
    { name: 'pathspec-from-file', value: 'file', help: 'read pathspecs from this file; - is standard input' },
    { name: 'pathspec-file-nul', negatable: true, help: 'they end in NUL' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    if (!args.has('cached')) repository.requireWorkTree();
    const words = readPathspecs(context, args);
    if (words.length === 0) throw new InvalidError('no pathspec was given; which files should I remove?', { code: 'no-pathspec' });
    using lock = lockIndex(repository);
    const { index } = lock;
    const paths = findPaths(repository, index, words, args);
    const workTree = repository.workTree === undefined ? undefined : new WorkTree(repository, index);
    if (!args.has('force')) checkLosses(repository, index, paths, workTree, args);
    if (!args.has('quiet')) for (const path of paths) context.stdout.write(Buffer.from(`rm '${path}'\n`, 'latin1'));
    if (args.has('dry-run')) return 0;
    for (const path of paths) index.remove(path);
    if (!args.has('cached')) removeFiles(context, workTree!, paths);
    if (index.isChanged) lock.write();
    return 0;
  },
};

/** The paths meant, each once, in index order; NotFoundError for a pathspec nothing matches, RefusedError for a directory without -r. */
function findPaths(repository: Repository, index: Index, words: readonly string[], args: Arguments): RepoPath[] {
  const pathspec = Pathspec.parse(words, pathspecContext(repository));
  const paths: RepoPath[] = [];
  for (let at = 0; at < index.count; at += 1) {
    const path = index.pathAt(at);
    if (path !== paths.at(-1) && pathspec.matches(path)) paths.push(path);
  }
  const [missing] = args.has('ignore-unmatch') ? [] : pathspec.listUnmatched();
  if (missing !== undefined) throw new NotFoundError(`pathspec '${missing}' did not match any files`, { code: 'no-match' });
  if (args.has('recursive')) return paths;
  for (const item of pathspec.items) {
    if (item.exclude || item.literalLength < item.match.length) continue;
    const directory = item.match.replace(/\/$/, '');
    if (directory !== '' && index.find(directory) !== undefined) continue;
    if (paths.some((path) => directory === '' || path.startsWith(`${directory}/`))) {
      throw new RefusedError(`not removing '${item.original}' recursively without -r`, { code: 'needs-recursive' });
    }
  }
  return paths;
}

/** RefusedError 'would-lose' naming the first paths whose staged or local content is nowhere else. */
function checkLosses(repository: Repository, index: Index, paths: readonly RepoPath[], workTree: WorkTree | undefined, args: Arguments): void {
  const head = findRevision(repository, 'HEAD', 'tree');
  const tree = head === undefined ? undefined : findRevision(repository, 'HEAD^{tree}');
  const cached = args.has('cached');
  const problems = new Map<string, RepoPath[]>();
  for (const path of paths) {
    const entry = index.find(path);
    if (entry === undefined || workTree === undefined) continue;
    const status = workTree.findOwnStatus(path);
    if (status === undefined || (status.isDirectory() && entry.mode !== gitlinkMode)) continue;
    const isLocal = compareEntry(workTree, index, { ...entry, assumeValid: false, skipWorktree: false }) !== undefined;
    const isStaged = tree === undefined || !isInTree(repository, tree, entry);
    if (entry.intentToAdd && cached) continue;
    const problem = isLocal && isStaged && !entry.intentToAdd ? 'staged content different from both the file and the HEAD'
      : cached ? undefined : isStaged ? 'changes staged in the index' : isLocal ? 'local modifications' : undefined;
    if (problem !== undefined) problems.set(problem, [...problems.get(problem) ?? [], path]);
  }
  for (const [problem, found] of problems) {
    const names = found.slice(0, 5).map((path) => `'${pathToUtf8(path)}'`).join(', ');
    throw new RefusedError(`${found.length === 1 ? 'a file has' : `${found.length} files have`} ${problem}: ${names}`, {
      code: 'would-lose', hint: problem.startsWith('staged') ? 'use -f to force removal' : 'use --cached to keep the file, or -f to force removal',
    });
  }
}

function isInTree(repository: Repository, tree: NonNullable<ReturnType<typeof findRevision>>, entry: IndexEntry): boolean {
  const found = findInTree(repository, tree, entry.path);
  return found !== undefined && found.id === entry.id && found.mode === entry.mode;
}

/** A directory that is not empty (a nested repository) stays, and that is told. */
function removeFiles(context: Context, workTree: WorkTree, paths: readonly RepoPath[]): void {
  for (const path of paths) {
    try {
      workTree.remove(path);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      context.stderr.write(`warning: '${pathToUtf8(path)}' was kept: ${error.message}\n`);
    }
  }
}
