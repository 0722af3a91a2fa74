// Trees nested deeper than any path can be: walked as far as a file system goes, refused beyond, never the end of the stack; and trees of trees
// that name more files than memory holds.
import test, { type ExecutionContext } from 'ava';
import { encodeTree } from '../../pack/tree.js';
import { Index } from '../../plumbing/index/index-file.js';
import { Repository } from '../../plumbing/repository.js';
import { fullProtection } from '../../plumbing/path-safety.js';
import { planTreeMerge } from '../../plumbing/index/tree-merge.js';
import { listTreeFiles } from '../../porcelain/tree-listing.js';
import { cairn, cairnOutput, makeContext } from '../helpers/cairn.js';
import { makeSandbox } from '../helpers/sandbox.js';

const env = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@x', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@x' };

/** A repository whose HEAD has one file below `depth` directories. */
async function makeDeepCommit(t: ExecutionContext, depth: number): Promise<{ readonly cwd: string; readonly env: typeof env }> {
  const options = { cwd: makeSandbox(t, { inMemory: true }), env };
  await cairnOutput(['init', '-q'], options);
  const { objects } = Repository.open(makeContext(options).context);
  const writer = objects.bulk();
  let id = writer.add('tree', encodeTree([{ mode: 0o100644, name: 'f', id: objects.write('blob', Buffer.from('deep\n')) }], objects.format));
  for (let level = 0; level < depth; level += 1) id = writer.add('tree', encodeTree([{ mode: 0o040000, name: 'd', id }], objects.format));
  writer.finish();
  const commit = await cairnOutput(['commit-tree', '-m', 'deep', id], options);
  await cairnOutput(['update-ref', 'refs/heads/main', commit], options);
  return options;
}

const walks: readonly (readonly string[])[] = [
  ['ls-tree', '-r', 'HEAD'], ['rev-list', '--objects', 'HEAD'], ['log', '--stat'], ['diff-tree', '-r', '--root', 'HEAD'],
  ['read-tree', 'HEAD'], ['diff', '--stat', '--cached', 'HEAD'], ['ls-files', '--with-tree=HEAD'],
];

test('a tree as deep as a file system goes is walked by every command', async (t) => {
  const options = await makeDeepCommit(t, 2047);
  for (const argv of walks) t.deepEqual([argv[0], (await cairn(argv, options)).code], [argv[0], 0]);
});

test('a deeper tree is refused by name', async (t) => {
  const options = await makeDeepCommit(t, 6000);
  for (const argv of walks) {
    const { code, stderr } = await cairn(argv, options);
    t.deepEqual([argv[0], code], [argv[0], 128]);
    t.regex(stderr, /^fatal: tree '[0-9a-f]{64}' is nested more than 2048 deep/, argv[0]);
  }
  t.is((await cairn(['release', 'deep', '--to', '../deep'], options)).code, 3);
  t.is((await cairn(['fsck', '--full'], options)).code, 0);
});

test('a small tree of trees that names more files than memory holds is refused where all of them would be kept', (t) => {
  const cwd = makeSandbox(t, { inMemory: true });
  const { context } = makeContext({ cwd });
  Repository.init(context, { directory: cwd });
  const { objects } = Repository.open(context);
  let id = objects.write('blob', Buffer.from('x'));
  for (let level = 0; level < 10; level += 1) {
    id = objects.write('tree', encodeTree(Array.from({ length: 10 }, (_, at) => ({ mode: level === 0 ? 0o100644 : 0o040000, name: `e${at}`, id })), objects.format));
  }
  t.throws(() => planTreeMerge(objects, new Index(objects.format), [id], { kind: 'overlay', mostEntries: 1000 }),
    { code: 'tree-too-large', message: 'the index would get more than 1000 entries' });
  t.throws(() => listTreeFiles(objects, id, fullProtection, 1000), { code: 'tree-too-large' });
});
