import test from 'ava';
import { cairn, cairnOutput } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { richHistory } from '../../helpers/rich-history.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const options: readonly (readonly string[])[] = [
  [], ['v1'], ['vv'], ['v2', 'treetag', 'blobtag'], ['treetag'], ['HEAD:tool.sh'], ['HEAD:bin2.dat'], ['HEAD:src'], ['HEAD:'],
  ['HEAD^{tree}', 'HEAD', 'v1:src/main.c'], ['HEAD~5', 'HEAD~6'], ['main~8'], ['797ff46'], ['--cc', 'main~4'], ['main~5'],
  ['-m', 'main~5'], ['-c', 'main~5'], ['--first-parent', 'main~5'], ['--diff-merges=off', 'main~5'],
  ['--diff-merges=separate', 'main~5', '--stat'], ['-s', 'v1'], ['--no-patch', 'v1'], ['-s', '--oneline', 'v1', 'v0', 'HEAD'],
  ['-s', '--format=%h', 'v1', 'HEAD'], ['-s', '--format=format:%h', 'v1', 'HEAD', 'v1:src'], ['--format=fuller', 'v1'],
  ['--format=full', 'v1'], ['--format=short', 'v1'], ['--format=raw', 'v1'], ['--format=reference', 'v1'],
  ['--pretty=oneline', 'v1'], ['--format=', 'v1'], ['--format=\'%an', '%s\'', 'v1', '--stat'], ['--oneline', 'v1:src', 'v1'],
  ['--stat', 'main~5'], ['--stat'], ['--shortstat', 'main~3'], ['--numstat', 'main~3'], ['--name-only', 'main~3'],
  ['--name-status', 'main~3'], ['--summary', 'main~3'], ['--raw', 'main~3'], ['--name-only', 'main~5'],
  ['--name-status', 'main~5'], ['--stat', '-p', 'main~3'], ['--oneline', '--name-only', 'main~3', 'main~4'], ['v0..v1'],
  ['v0..main', '--oneline', '-s'], ['^v0', 'v1', '-s'], ['--all', '-s'], ['--branches', '-s', '--oneline'],
  ['--tags', '-s', '--oneline'], ['--color=always', 'v1'], ['--color=always', 'treetag'], ['--color=always', 'main~5'],
  ['--color=always', '--oneline', 'main~3'], ['--decorate', 'v1'], ['--decorate=full', '-s'], ['--graph'],
  ['--graph', 'v0..main', '--oneline', '-s'], ['--reverse', 'v1', 'v0', '-s'],
  ['--no-walk=sorted', 'v0', 'main', '-s', '--oneline'], ['--do-walk', 'v1', '-s', '--oneline'], ['-2', '-s', '--oneline'],
  ['HEAD', '--', 'src'], ['main~4', '--', 'src'], ['main~3', '--', 'bin.dat'], ['main~4', '--', 'docs'], ['HEAD', 'nothing'],
  ['nothing'], ['nothing', '--'], ['HEAD:nothing'], ['HEAD:./tool.sh'], ['--', 'src'], ['src'], ['--root', 'v0'],
  ['v0', '--stat'], ['-z', 'v1'], ['-z', '--name-only', 'main~3', 'main~4'], ['-z', '--format=%s', '-s', 'main~3', 'main~4'],
  ['--date=iso', 'v1'], ['--date=short', 'v1'], ['--abbrev-commit', 'v1'], ['--abbrev=12', '--raw', 'main~3'],
  ['--parents', 'main~4'], ['--children', 'main~4', '-s'], ['--source', 'v1', '-s'],
  ['--left-right', 'topic...conflict', '-s', '--oneline'], ['--no-merges', '-s', 'HEAD', 'main~4', '--oneline'],
  ['-U0', 'main~4'], ['-w', 'main~4'], ['--text', 'main~3'], ['-R', 'main~3'], ['refs/stash'], ['stash@{0}'],
  ['stash', '--stat'], ['-m', '--stat', 'stash'], ['--quiet', 'HEAD'], ['-q', 'HEAD'], ['HEAD@{0}'], [':tool.sh'],
  [':0:tool.sh'], [':/Topic'], ['--expand-tabs=2', 'main~1', '-s'], ['--no-expand-tabs', 'main~1', '-s'], ['main~2'],
  ['main~1'], ['main'], ['--encoding=latin1', 'main'], ['--format=%B', 'main~1', '-s'], ['--pretty=medium', 'main~1'],
  ['--author=Ré', '--all', '-s', '--oneline'], ['--full-diff', 'main~4', '--', 'src'],
  ['--no-notes', 'HEAD'], ['--notes', 'HEAD'], ['--ignore-missing', 'nothing'],
  ['HEAD', 'HEAD', '-s'], ['v1', 'v0', 'vv', '-s', '--format=medium'], ['--notes=build', 'v1', '-s'], ['HEAD~2', '-s'],
];

for (const format of bothFormats) {
  test(`show prints what git prints (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cases: Case[] = options.map((words) => ({ argv: ['show', ...words], readsOnly: true }));
    await compareWithGit(t, makeRepository(t, format, richHistory), format === 'sha1' ? cases : cases.filter((_one, index) => index % 5 === 0));
  });
}

test('show works below the top, in a bare repository and in one without commits', async (t) => {
  if (skipWithoutGit(t)) return;
  const below = [['HEAD:./main.c'], ['HEAD:./'], ['main~4', 'main.c'], ['main~4', '--relative']];
  await compareWithGit(t, makeRepository(t, 'sha256', richHistory), below.map((words) => ({ argv: ['show', ...words], subdirectory: 'src', readsOnly: true })));
  const bare = makeRepository(t, 'sha1', `${richHistory}\ngit clone -q --bare --mirror . bare.git`);
  await compareWithGit(t, `${bare}/bare.git`, [[], ['HEAD:src'], ['v1']].map((words) => ({ argv: ['show', ...words], readsOnly: true })));
  await compareWithGit(t, makeRepository(t, 'sha1', ':'), [[], ['HEAD'], ['--all']].map((words) => ({ argv: ['show', ...words], readsOnly: true })));
});

test('show gives the bytes of a file as they are, however large', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', 'head -c 3000000 /dev/urandom >large; git add .; git commit -qm large');
  const { stdoutBytes } = await cairn(['show', 'HEAD:large'], { cwd });
  t.is(stdoutBytes.length, 3000000);
  t.is(gitOutput(['hash-object', '--stdin'], { cwd, stdin: stdoutBytes }), gitOutput(['rev-parse', 'HEAD:large'], { cwd }));
});

test('show --json tells of commits, also through tags, and refuses other objects', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', 'echo one >f; git add .; git commit -qm one; git tag -m tag v1');
  const record = JSON.parse(await cairnOutput(['show', '--json', 'v1'], { cwd })) as { id: string; subject: string };
  t.like(record, { id: gitOutput(['rev-parse', 'HEAD'], { cwd }), subject: 'one' });
  t.is((await cairn(['show', '--json', 'HEAD:f'], { cwd })).code, 129);
});
