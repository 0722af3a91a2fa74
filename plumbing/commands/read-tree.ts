// cairn read-tree: trees into the index, alone or merged with what is there; with -u the work tree follows.
import { resolve } from 'node:path';
import { fillNamedFile } from '../../pack/disk.js';
import { ConflictError, InvalidError, RefusedError } from '../../pack/errors.js';
import { emptyTreeId } from '../../pack/oid.js';
import type { Arguments, Command, Context } from '../command.js';
import { existsSync } from 'node:fs';
import { IgnoreRules } from '../ignore.js';
import { lockIndex } from '../index/index-lock.js';
import { readPathProtection } from '../path-safety.js';
import { Repository } from '../repository.js';
import { resolveTree } from '../history/revision.js';
import { type TreeMergeKind, type TreeMergePlan, describeRejection, planTreeMerge, primeCacheTree } from '../index/tree-merge.js';
import { WorkTree } from '../index/work-tree.js';

/** As many trees as Git takes. */
const mostTrees = 8;

export const command: Command = {
  name: 'read-tree',
  family: 'git',
  summary: 'read trees into the index',
  usage: [
    'read-tree [(-m [--trivial] [--aggressive] | --reset | --prefix=<prefix>) [-u | -i]] [--index-output=<file>] (--empty | <tree-ish>...)',
  ],
  options: [
    { name: 'm', help: 'merge with the index' },
    { name: 'reset', negatable: true, help: 'as -m, giving up unmerged entries and local changes' },
    { name: 'prefix', value: 'prefix/', help: 'put the tree into this directory, keeping the index' },
    { name: 'u', help: 'update the work tree, too' },
    { name: 'i', help: 'do not look at the work tree' },
    { name: 'dry-run', short: 'n', negatable: true, help: 'only tell whether it would succeed' },
    { name: 'verbose', short: 'v', negatable: true, help: 'say how many files were updated' },
    { name: 'quiet', short: 'q', negatable: true, help: 'do not say what keeps it from succeeding' },
    { name: 'trivial', negatable: true, help: 'fail unless every path merges by itself' },
    { name: 'aggressive', negatable: true, help: 'also resolve deletions and equal additions' },
    { name: 'exclude-per-directory', value: 'file', help: 'given after -u: files ignored by these may be overwritten, as they may anyway' },
    { name: 'empty', negatable: true, help: 'empty the index' },
    { name: 'index-output', value: 'file', help: 'write the index into this file' },
    { name: 'no-sparse-checkout', negatable: true, help: 'disregard sparse checkout, which is never in use' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const { positionals } = args;
    const merges = ['m', 'reset', 'prefix'].filter((name) => args.has(name));
    checkOptions(args, merges, positionals);
    using lock = lockIndex(repository);
    const { index } = lock;
    const isNew = !existsSync(repository.indexPath);
    if (positionals.length === 0 && !args.has('empty') && merges.length === 0) {
      context.stderr.write('warning: read-tree: emptying the index with no arguments is deprecated; use --empty\n');
    }
    if (index.isUnmerged && (args.has('m') || args.has('prefix'))) {
      throw new ConflictError('you need to resolve your current index first', { code: 'unmerged-index' });
    }
    const trees = positionals.map((name) => resolveTree(repository, name));
    if (merges.length > 0 && trees.length === 0) throw new InvalidError('you must specify at least one tree to merge', { code: 'bad-options' });
    const prefix = args.value('prefix');
    const kind: TreeMergeKind = prefix !== undefined ? 'bind' : merges.length === 0 ? 'overlay'
      : trees.length === 1 ? 'one' : trees.length === 2 ? 'two' : 'three';
    if (kind === 'overlay') index.clear();
    const usesWorkTree = args.has('u');
    if (merges.length > 0 && !args.has('i')) repository.requireWorkTree();
    const looks = merges.length > 0 && !args.has('i');
    const workTree = looks ? new WorkTree(repository, index) : undefined;
    let rules: IgnoreRules | undefined;
    const plan = planTreeMerge(repository.objects, index, trees.length === 0 ? [emptyTreeId(repository.format)] : trees, {
      kind,
      reset: args.has('reset'),
      ...(workTree === undefined ? {} : usesWorkTree ? { workTree } : { verify: workTree }),
      aggressive: args.has('aggressive'),
      initial: isNew,
      ...(prefix === undefined ? {} : { prefix: Buffer.from(prefix).toString('latin1').replace(/\/+$/, '') }),
      rules: () => (rules ??= IgnoreRules.load(repository)),
      protection: readPathProtection(repository.config),
    });
    if (!report(context, plan, args)) return 128;
    if (args.has('dry-run')) return 0;
    plan.apply(index, usesWorkTree ? workTree : undefined);
    if (args.has('verbose') && usesWorkTree) context.stderr.write(`updated ${plan.updates.length} files, removed ${plan.deletions.length}\n`);
    if (trees.length === 1 && kind !== 'bind') primeCacheTree(index, repository.objects, trees[0]!);
    const output = args.value('index-output');
    if (output !== undefined) fillNamedFile(resolve(context.cwd, output), (append) => { append(index.encode()); });
    else lock.write(undefined, trees);
    return 0;
  },
};

function checkOptions(args: Arguments, merges: readonly string[], trees: readonly string[]): void {
  const fail = (message: string): never => { throw new InvalidError(message, { code: 'bad-options' }); };
  checkExcludes(args, fail);
  if (merges.length > 1) fail('which one? -m, --reset, or --prefix?');
  if (merges.length === 0 && (args.has('u') || args.has('i'))) fail(`${args.has('u') ? '-u' : '-i'} is meaningless without -m, --reset, or --prefix`);
  if (args.has('u') && args.has('i')) fail('-u and -i at the same time makes no sense');
  if (args.has('empty') && trees.length > 0) fail('passing trees as arguments contradicts --empty');
  if (trees.length > mostTrees) fail(`I cannot read more than ${mostTrees} trees`);
  if (args.has('prefix') && trees.length > 1) throw new RefusedError('--prefix takes one tree', { code: 'bad-options' });
}

/** Which files may be overwritten is decided when the work tree is updated: the option makes sense only behind -u. */
function checkExcludes(args: Arguments, fail: (message: string) => never): void {
  let isUpdating = false;
  let count = 0;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'u') isUpdating = true;
    if (token.name !== 'exclude-per-directory') continue;
    count += 1;
    if (!isUpdating) fail('--exclude-per-directory is meaningless unless -u');
    if (token.value !== '.gitignore') fail('--exclude-per-directory takes .gitignore');
    if (count > 1) fail('more than one --exclude-per-directory given');
  }
}

/** False when it was refused and nobody wants to know why. */
function report(context: Context, plan: TreeMergePlan, args: Arguments): boolean {
  if (!args.has('quiet')) for (const rejection of plan.rejections) context.stderr.write(`error: ${describeRejection(rejection)}\n`);
  if (plan.rejections.length > 0 && args.has('quiet')) return false;
  plan.requireClean();
  if (args.has('trivial') && plan.isNontrivial) throw new ConflictError('merge requires file-level merging', { code: 'nontrivial-merge' });
  return true;
}
