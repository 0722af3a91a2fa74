// merge-tree: merges two branches without an index or a work tree. See git-merge-tree(1).
import { InvalidError, NotFoundError, RefusedError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { Arguments, Command, Context } from '../command.js';
import { formatMode } from '../../pack/tree.js';
import { DiffOutput } from '../diff/diff-report.js';
import { latin1 } from '../latin1.js';
import { listLines } from '../line-reader.js';
import { mergeBases } from '../history/merge-base.js';
import { type MergeResult, mergeCommits } from '../merge/merge.js';
import { quotePath } from '../quote.js';
import { Repository } from '../repository.js';
import { findRevision, peel, resolveTree } from '../history/revision.js';
import { showTrivialMerge } from '../merge/trivial-merge.js';
import { relativePath } from '../index/work-status.js';

export const command: Command = {
  name: 'merge-tree',
  family: 'git',
  summary: 'merge without touching the index or the work tree',
  usage: ['merge-tree [--write-tree] [<options>] <branch1> <branch2>', 'merge-tree [--trivial-merge] <base-tree> <branch1> <branch2>'],
  options: [
    { name: 'write-tree', help: 'write the merged tree (the default with two branches)' },
    { name: 'trivial-merge', help: 'tell what a merge of three trees would change' },
    { name: 'messages', negatable: true, help: 'tell what happened, also when nothing conflicts' },
    { name: 'z', help: 'NUL bytes between records, nothing quoted' },
    { name: 'name-only', help: 'only names of files in conflict' },
    { name: 'allow-unrelated-histories', help: 'merge branches that have nothing in common' },
    { name: 'stdin', help: 'read pairs of branches from standard input' },
  ],
  stopAtPositional: true,
  run(context: Context, args: Arguments): number {
    const repository = Repository.open(context);
    const words = args.positionals;
    const isTrivial = args.has('trivial-merge');
    if (isTrivial && args.has('write-tree')) throw new UsageError('--trivial-merge is incompatible with --write-tree');
    const output = new DiffOutput(context);
    if (args.has('stdin')) {
      if (isTrivial) throw new InvalidError('--trivial-merge is incompatible with all other options', { code: 'bad-options' });
      return mergeAll(context, repository, args, output);
    }
    if (isTrivial || (!args.has('write-tree') && words.length === 3)) {
      const others = ['messages', 'z', 'name-only', 'allow-unrelated-histories'].filter((name) => args.flag(name) !== undefined);
      if (others.length > 0) throw new InvalidError('--trivial-merge is incompatible with all other options', { code: 'bad-options' });
      if (words.length !== 3) throw new UsageError('three trees are needed');
      const [base, ours, theirs] = words.map((word) => resolveTree(repository, word)) as [ObjectId, ObjectId, ObjectId];
      showTrivialMerge(repository.objects, [base, ours, theirs], output.sink);
      output.end();
      return 0;
    }
    if (words.length !== 2) throw new UsageError('two branches are needed');
    const printer = new MergePrinter(repository, args, output, args.has('z'));
    const [ours, theirs] = words as [string, string];
    if (!areCommits(context, repository, [ours, theirs])) return 1;
    const result = merge(repository, args, ours, theirs);
    printer.print(result);
    output.end();
    return result.isClean ? 0 : 1;
  },
};

function findCommit(repository: Repository, name: string): ObjectId | undefined {
  const found = findRevision(repository, name);
  return found === undefined ? undefined : peel(repository, found, 'commit');
}

/** False, and told, when one is no commit. */
function areCommits(context: Context, repository: Repository, words: readonly string[]): boolean {
  const wrong = words.find((word) => findCommit(repository, word) === undefined);
  if (wrong !== undefined) context.stderr.write(`merge-tree: ${wrong} - not something we can merge\n`);
  return wrong === undefined;
}

function merge(repository: Repository, args: Arguments, ours: string, theirs: string): MergeResult {
  const [one, two] = [ours, theirs].map((name) => {
    const found = findCommit(repository, name);
    if (found === undefined) throw new NotFoundError(`'${name}' is not something we can merge`, { code: 'bad-revision' });
    return found;
  }) as [ObjectId, ObjectId];
  const bases = mergeBases(repository, one, [two]);
  if (bases.length === 0 && !args.has('allow-unrelated-histories')) {
    throw new RefusedError('refusing to merge unrelated histories', { code: 'unrelated-histories', hint: 'use --allow-unrelated-histories' });
  }
  return mergeCommits(repository, one, two, bases, { ours: latin1(ours), theirs: latin1(theirs) });
}

/** One merge for each line. */
function mergeAll(context: Context, repository: Repository, args: Arguments, output: DiffOutput): number {
  const printer = new MergePrinter(repository, args, output, true);
  try {
    for (const line of listLines(context.stdin)) {
      const words = Buffer.from(line, 'latin1').toString('utf8').split(' ');
      if (words.length !== 2) throw new InvalidError(`malformed input line: '${line}'`, { code: 'bad-input' });
      if (!areCommits(context, repository, words)) return 1;
      const result = merge(repository, args, words[0]!, words[1]!);
      output.sink(`${result.isClean ? 1 : 0}\0`);
      printer.print(result);
      output.sink('\0');
    }
    return 0;
  } finally {
    // What was merged before an error is told.
    output.end();
  }
}

class MergePrinter {
  readonly #repository: Repository;
  readonly #output: DiffOutput;
  readonly #nul: boolean;
  readonly #namesOnly: boolean;
  readonly #showsMessages: boolean | undefined;

  constructor(repository: Repository, args: Arguments, output: DiffOutput, nul: boolean) {
    this.#repository = repository;
    this.#output = output;
    this.#nul = nul;
    this.#namesOnly = args.has('name-only');
    this.#showsMessages = args.flag('messages');
  }

  print(result: MergeResult): void {
    const { sink } = this.#output;
    const end = this.#nul ? '\0' : '\n';
    const quotesAll = this.#repository.config.getBoolean('core.quotepath', true) ?? true;
    sink(`${result.tree}${end}`);
    let last: string | undefined;
    for (const { path, mode, id, stage } of result.isClean ? [] : result.conflicts) {
      if (this.#namesOnly && path === last) continue;
      last = path;
      const relative = relativePath(path, this.#repository.prefix);
      sink(`${this.#namesOnly ? '' : `${formatMode(mode)} ${id} ${stage}\t`}${this.#nul ? relative : quotePath(relative, { quotePath: quotesAll })}${end}`);
    }
    if (!(this.#showsMessages ?? !result.isClean)) return;
    sink(end);
    for (const { kind, paths, text } of result.messages) {
      if (this.#nul) sink(`${paths.length}\0${paths.map((path) => `${path}\0`).join('')}${kind}\0`);
      sink(`${text}\n${this.#nul ? '\0' : ''}`);
    }
  }
}
