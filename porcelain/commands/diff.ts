// diff: what changed between commits, the index and the work tree. See git-diff(1) and cairn-diff(1).
import { isAbsolute, normalize } from 'node:path';
import { InvalidError, NotFoundError, UsageError } from '../../pack/errors.js';
import { type ObjectId, emptyTreeId } from '../../pack/oid.js';
import { terminalColumns } from '../../plumbing/columns.js';
import { formatCombined } from '../../plumbing/diff/combined-diff.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { type DiffEntry, diffTrees, statusOf } from '../../plumbing/diff/diff.js';
import { DiffRequest, diffOptions, typedColor } from '../../plumbing/diff/diff-options.js';
import { type IndexDiff, diffIndexToWorkTree, diffTreeToWorkTree, readWorkTreeSide } from '../../plumbing/diff/diff-index.js';
import { diffFiles, findMissing } from '../../plumbing/diff/file-diff.js';
import { DiffOutput, reportDiff } from '../../plumbing/diff/diff-report.js';
import { readIndex } from '../../plumbing/index/index-file.js';
import { parseMergeStyle } from '../../plumbing/merge/merge-style.js';
import { type Pathspec, normalisePath, parseLimits } from '../../plumbing/pathspec.js';
import { readInput } from '../../plumbing/line-reader.js';
import { Repository } from '../../plumbing/repository.js';
import { findRevision, peel, resolveCommit } from '../../plumbing/history/revision.js';
import { type NamedTip, RevisionSet, checkCommits, checkOptionsFirst, mergeBaseTree, splitSymmetric, takeRevisions, treeOfTip } from '../../plumbing/history/revision-set.js';
import { listStagedChanges } from '../../plumbing/index/staged-changes.js';
import { fileRecord } from '../history-view.js';
import { wantsColor } from '../terminal.js';

export const command: Command = {
  name: 'diff',
  family: 'git',
  summary: 'show what changed between commits, the index and the work tree',
  usage: [
    'diff [<options>] [<commit>] [--] [<path>...]', 'diff [<options>] --cached [<commit>] [--] [<path>...]',
    'diff [<options>] <commit> <commit> [--] [<path>...]', 'diff [<options>] <commit>...<commit> [--] [<path>...]', 'diff [<options>] --no-index [--] <path> <path>',
  ],
  paged: true,
  options: [
    { name: 'cached', help: 'compare a commit (HEAD) with the index' },
    { name: 'staged', help: 'same as --cached' },
    { name: 'merge-base', help: 'compare with the merge base instead' },
    { name: 'not', help: 'leave out what follows, until the next --not: the difference begins there' },
    { name: 'no-index', help: 'compare two files or directories that need not be tracked; exits with 1 when they differ' },
    { name: 'base', help: 'compare unmerged files with the base (-1)' },
    { name: 'ours', help: 'compare unmerged files with our side (-2)' },
    { name: 'theirs', help: 'compare unmerged files with their side (-3)' },
    { name: '0', help: 'only tell that unmerged files are' },
    { name: '1', help: 'same as --base' },
    { name: '2', help: 'same as --ours' },
    { name: '3', help: 'same as --theirs' },
    { name: 'c', help: 'show unmerged files, and more than two trees, as one difference' },
    { name: 'cc', help: 'like -c, only hunks that differ from all (the default)' },
    ...diffOptions,
    { name: 'r', short: 'r', hidden: true, help: 'go into directories (always)' },
    { name: 't', hidden: true, help: 'between trees: show directories too' },
    { name: 'json', help: 'one JSON object per line' },
  ],
  run(context: Context, args: Arguments): number {
    const found = Repository.find(context);
    const repository = found ?? Repository.outside(context);
    const isUntracked = args.has('no-index') || found === undefined || leavesWorkTree(found, args);
    if (isUntracked) checkUntracked(args);
    parseMergeStyle(args);
    const { config } = repository;
    const typed = typedColor(args);
    const isColored = !args.has('json') && wantsColor(context, config, 'color.diff', typed);
    const comparison = isUntracked ? untracked(context, repository, args) : planOf(repository, args);
    const request = new DiffRequest(repository, args, {
      porcelain: true, format: 'patch', columns: terminalColumns(context), isColored, comparesFiles: isUntracked, usesPrograms: true,
      ...(comparison.mnemonics === undefined ? {} : { mnemonics: comparison.mnemonics }),
    });
    const missing = isUntracked ? findMissing(context.cwd, args.positionals) : undefined;
    if (missing !== undefined) {
      context.stderr.write(`error: could not access '${missing}'\n`);
      return 1;
    }
    if (comparison.combined !== undefined) {
      if (args.has('json')) throw new UsageError('--json shows two trees only');
      const text = comparison.combined(request);
      context.stdout.write(Buffer.from(text, 'latin1'));
      return request.exitCode && text !== '' ? 1 : 0;
    }
    const differences = comparison.list(request);
    if (!args.has('json')) {
      const code = reportDiff(context, repository, differences, request, { dense: isDense(args) });
      return request.exitCode && differences.combined.length > 0 ? 1 : code;
    }
    const output = new DiffOutput(context);
    const entries = request.finish(differences.entries);
    for (const file of request.writer(output.sink).countLines(entries)) output.sink(Buffer.from(`${JSON.stringify(fileRecord(file))}\n`).toString('latin1'));
    output.flush();
    return request.exitCode && entries.length > 0 ? 1 : 0;
  },
};

interface Comparison {
  /** The letters of what is compared, for diff.mnemonicPrefix: commit, index, work tree, object; 1 and 2 for files. */
  readonly mnemonics?: readonly [old: string, now: string];
  readonly list: (request: DiffRequest) => IndexDiff;
  /** The text, where more than two trees are compared. */
  readonly combined?: (request: DiffRequest) => string;
}

/** Two words and nothing else, of which one leads out of the work tree, are files. */
function leavesWorkTree(repository: Repository, args: Arguments): boolean {
  const { before, after, dashes } = args.split();
  const names = dashes ? after : before;
  return names.length === 2 && !(dashes && before.length > 0) && names.some((name) => isOutside(repository, name));
}

/** Goes by the words alone: `../here/file` leads out of `here`, and comes back. */
function isOutside({ workTree, prefix }: Repository, name: string): boolean {
  if (isAbsolute(name)) return workTree === undefined || !`${normalize(name)}/`.startsWith(`${workTree}/`);
  return /^\.\.(?:\/|$)/.test(normalize(`./${prefix}${name}`));
}

/** Where files are compared, what is asked of commits and the index is not known. */
function checkUntracked(args: Arguments): void {
  const name = args.lastOf('cached', 'staged', 'merge-base', 'base', 'ours', 'theirs', '0', '1', '2', '3', 'c', 'cc');
  if (name !== undefined) throw new UsageError(`unknown option '${name}'`);
}

/** Two files or directories, wherever they are. */
function untracked(context: Context, repository: Repository, args: Arguments): Comparison {
  const names = args.positionals.map((name) => Buffer.from(name).toString('latin1'));
  const [one, two] = names;
  if (one === undefined || two === undefined || names.length > 2) throw new UsageError('--no-index takes two paths');
  const places = { directory: context.cwd, format: repository.format, prefix: repository.prefix, readInput: () => readInput(context.stdin) };
  return { mnemonics: ['1/', '2/'], list: () => plain(diffFiles(one, two, places)) };
}

/** Only differences of one side from one other. */
function plain(entries: DiffEntry[]): IndexDiff {
  return { entries, combined: [] };
}

/** What git has not may stand anywhere. */
const lateOptions = new Set(['json']);

const stages = { 0: 0, 1: 1, 2: 2, 3: 3, base: 1, ours: 2, theirs: 3 } as const;

function isDense(args: Arguments): boolean {
  return args.lastOf('c', 'cc') !== 'c';
}

function planOf(repository: Repository, args: Arguments): Comparison {
  const { before, after, dashes } = args.split();
  const isCached = args.has('cached') || args.has('staged');
  const bases: { one: ObjectId; two: ObjectId; bases: ObjectId[] }[] = [];
  const words: string[] = [];
  let rest: string[] = [...before];
  // 'a...b' starts at the merge base; whatever else comes is taken as it stands.
  while (rest.length > 0 && /\.\.\./.test(rest[0]!)) {
    const found = trySymmetric(repository, rest[0]!);
    if (found === undefined) break;
    bases.push(found);
    rest = rest.slice(1);
  }
  const set = new RevisionSet(repository);
  const paths = args.has('not') ? takeNegated(repository, set, args) : takeRevisions(repository, set, rest, dashes, after);
  if (rest.slice(0, rest.length - paths.length + (dashes ? after.length : 0)).some((word) => word.includes('...') && trySymmetric(repository, word) !== undefined)) {
    throw new UsageError('a symmetric difference stands alone');
  }
  words.push(...paths);
  checkOptionsFirst(args, paths, lateOptions);
  const limits = parseLimits(repository, words);
  const treeOf = (tip: NamedTip): ObjectId => treeOfTip(repository, tip);
  const between = (one: ObjectId, two: ObjectId): Comparison => ({
    list: (request) => plain(diffTrees(repository.objects, one, two, { recursive: true, showTrees: args.has('t'), unchanged: request.wantsUnchanged, ...limits })),
  });
  const { tips } = set;
  if (bases.length > 0) {
    if (bases.length > 1 || tips.length > 0 || isCached) throw new UsageError('a symmetric difference stands alone');
    const [only] = bases;
    const base = only!.bases[0];
    if (base === undefined) throw new NotFoundError('the commits have no merge base', { code: 'no-merge-base' });
    return between(peel(repository, base, 'tree')!, peel(repository, only!.two, 'tree')!);
  }
  if (args.has('merge-base')) {
    if (tips.length > 2) throw new UsageError('--merge-base takes one or two commits');
    if (tips.length === 0 && !isCached) throw new UsageError('--merge-base needs a commit');
    checkCommits(tips);
  }
  const blobs = tips.filter(({ type }) => type === 'blob').length;
  if (blobs === 2 && tips.length === 2 && words.length === 0) return betweenBlobs(tips[0]!, tips[1]!);
  if (blobs === 1 && tips.length === 1 && words.length === 1) return blobAndFile(repository, tips[0]!, words[0]!);
  if (blobs > 0) throw new UsageError('files are compared with files, trees with trees');
  if (tips.length > 2 && tips.some((tip, at) => tip.isExcluded && rest.includes(`${tip.name}..${tips[at + 1]?.name ?? ''}`))) {
    throw new UsageError('a range stands alone');
  }
  if (isCached) {
    if (tips.length > 1) throw new UsageError('--cached takes one commit');
    const index = readIndex(repository);
    const start = tips[0] === undefined ? startOf(repository) : treeOf(tips[0]);
    const tree = args.has('merge-base') ? mergeBaseTree(repository, tips[0]?.name ?? 'HEAD', 'HEAD') : start;
    return { mnemonics: ['c/', 'i/'], list: (request) => plain(listStagedChanges(repository.objects, tree, index, { ...limits, unchanged: request.wantsUnchanged })) };
  }
  if (tips.length > 0 && ['base', 'ours', 'theirs'].some((name) => args.has(name))) throw new UsageError('stages are compared with files only');
  if (tips.length === 0) {
    const stage = args.lastOf(...Object.keys(stages)) as keyof typeof stages | undefined;
    const combines = args.has('c') || args.has('cc');
    const index = readIndex(repository);
    return {
      mnemonics: ['i/', 'w/'],
      list: (request) => diffIndexToWorkTree(repository, index, {
        ...limits, unchanged: request.wantsUnchanged, unmergedStage: stage === undefined ? 2 : stages[stage],
        combines: combines || (stage === undefined && request.format.patch === true && !args.has('json')),
      }),
    };
  }
  if (tips.length === 1) {
    const [tip] = tips;
    if (args.lastOf('0', '1', '2', '3') !== undefined) throw new UsageError('stages are compared with files only');
    const tree = args.has('merge-base') ? mergeBaseTree(repository, tip!.name, 'HEAD') : treeOf(tip!);
    return { mnemonics: ['c/', 'w/'], list: (request) => diffTreeToWorkTree(repository, tree, readIndex(repository), { ...limits, unchanged: request.wantsUnchanged }) };
  }
  if (tips.length > 2) return asMerge(repository, tips.map(treeOf), limits, isDense(args));
  const [one, two] = tips[1]!.isExcluded ? [tips[1]!, tips[0]!] : [tips[0]!, tips[1]!];
  return between(args.has('merge-base') ? mergeBaseTree(repository, one.name, two.name) : treeOf(one), treeOf(two));
}

/** As takeRevisions, where --not stands between the words: what follows one is excluded, what follows two is not. */
function takeNegated(repository: Repository, set: RevisionSet, args: Arguments): string[] {
  const paths: string[] = [];
  for (const token of args.tokens) {
    if (token.kind === 'option' && token.name === 'not') set.negate();
    if (token.kind !== 'positional') continue;
    if (paths.length > 0 || token.afterDashes) paths.push(token.value);
    else paths.push(...takeRevisions(repository, set, [token.value], args.dashes, []));
  }
  return paths;
}

/** The first tree as if it were a merge of the others. */
function asMerge(repository: Repository, trees: readonly ObjectId[], limits: { readonly pathspec?: Pathspec }, dense: boolean): Comparison {
  const [result, ...parents] = trees;
  return {
    list: () => plain([]),
    combined: (request) => formatCombined(repository, result!, parents, {
      dense, format: request.format, request, ...limits, ...(request.format.colors === undefined ? {} : { colors: request.format.colors }),
    }),
  };
}

function trySymmetric(repository: Repository, word: string): { one: ObjectId; two: ObjectId; bases: ObjectId[] } | undefined {
  const [from, to] = word.split('...', 2);
  if (findRevision(repository, from || 'HEAD') === undefined || findRevision(repository, to || 'HEAD') === undefined) return undefined;
  return splitSymmetric(repository, word);
}

/** HEAD's tree; the empty one on a branch without commits. */
function startOf(repository: Repository): ObjectId {
  const head = repository.refs.find('HEAD');
  return head === undefined ? emptyTreeId(repository.format) : peel(repository, resolveCommit(repository, 'HEAD'), 'tree')!;
}

/** What a file of the work tree has that a blob has not. */
function blobAndFile(repository: Repository, tip: NamedTip, word: string): Comparison {
  const typed = Buffer.from(word).toString('latin1');
  const path = normalisePath(typed, repository.prefix, repository.workTree) as DiffEntry['path'];
  const now = readWorkTreeSide(repository, path);
  if (now.mode === 0) throw new InvalidError(`'${word}': not a regular file or symlink`, { code: 'no-file' });
  const name = (tip.path ?? path) as DiffEntry['path'];
  const old = { mode: tip.mode ?? now.mode, id: tip.id };
  return { mnemonics: ['o/', 'w/'], list: () => plain([{ path, ...(name === path ? {} : { oldPath: name }), status: statusOf(old, now), old, new: now }]) };
}

function betweenBlobs(one: NamedTip, two: NamedTip): Comparison {
  const name = (tip: NamedTip): string => tip.path ?? Buffer.from(tip.name).toString('latin1');
  const side = (tip: NamedTip): DiffEntry['old'] => ({ mode: tip.mode ?? 0o100644, id: tip.id });
  const entry: DiffEntry = { path: name(two) as DiffEntry['path'], ...(name(one) === name(two) ? {} : { oldPath: name(one) as DiffEntry['path'] }), status: 'M', old: side(one), new: side(two) };
  return { list: () => plain(one.id === two.id ? [] : [entry]) };
}
