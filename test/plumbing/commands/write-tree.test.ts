import test from 'ava';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { cairnOutput } from '../../helpers/cairn.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  mkdir -p a/b/c d a-b; for f in a/b/c/x a/b/y a/z d/w a-b/q a.b top; do echo $f >$f; done; ln -s top link; chmod +x top; git add .; git commit -qm x
  echo 2 >a/b/y; git add a/b/y; echo later >later; git add -N later`;

for (const format of bothFormats) {
  test(`write-tree writes the trees git writes (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cases: Case[] = [
      { argv: ['write-tree'] },
      { argv: ['write-tree', '--prefix=a/b/'] },
      { argv: ['write-tree', '--prefix=a'] },
      { argv: ['write-tree', '--prefix=none'] },
      { argv: ['update-index', '--force-remove', 'a/b/c/x'] },
      { argv: ['write-tree'] },
      { argv: ['read-tree', 'HEAD'] },
      { argv: ['write-tree'] },
    ];
    await compareWithGit(t, makeRepository(t, format, fixture), cases);
  });
}

test('a tree the index remembers but the store lost is written again', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', fixture);
  const tree = await cairnOutput(['write-tree'], { cwd: directory });
  const path = gitOutput(['rev-parse', '--git-path', `objects/${tree.slice(0, 2)}/${tree.slice(2)}`], { cwd: directory });
  const { rmSync } = await import('node:fs');
  const { join } = await import('node:path');
  rmSync(join(directory, path));
  t.is(await cairnOutput(['write-tree'], { cwd: directory }), tree);
  t.is(gitOutput(['cat-file', '-t', tree], { cwd: directory }), 'tree');
});

test('more than a few new trees become one pack', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha256', 'for i in $(seq 40); do mkdir d$i; echo $i >d$i/f; done; git add .');
  t.is(await cairnOutput(['write-tree'], { cwd: directory }), gitOutput(['write-tree'], { cwd: directory }));
  t.regex(gitOutput(['count-objects', '-v'], { cwd: directory }), /packs: 1\n/);
});
