// describe, name-rev, cherry and patch-id, compared with stock git.
import test from 'ava';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { richHistory } from '../../helpers/rich-history.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const readsOnly = true;

const describeOptions: readonly (readonly string[])[] = [
  [], ['--tags'], ['--all'], ['--long'], ['--abbrev=4'], ['--abbrev=0'], ['--no-abbrev'], ['--always'], ['--exact-match'], ['--tags', '--candidates=1'],
  ['--candidates=0'], ['--first-parent'], ['--match', 'v*', '--exclude', 'v2'], ['--tags', '--exclude', 'v*'], ['--contains'], ['--contains', '--all'],
  ['--contains', '--match', 'v2', '--always'], ['--all', '--match', 'feature/*'], ['--all', '--long'], ['--tags', '--match', 'nothing', '--always'],
];
const described: readonly (readonly string[])[] = [['HEAD~1', 'topic'], ['main~3', 'o1'], ['v1'], ['vv'], ['side'], ['nope'], ['HEAD:tool.sh'], ['HEAD^{tree}'], ['main~5']];

const nameOptions: readonly (readonly string[])[] = [
  [], ['--tags'], ['--name-only'], ['--tags', '--name-only'], ['--refs=main'], ['--refs=heads/*'], ['--refs=v*'], ['--exclude=*/t*', '--exclude=main'],
  ['--no-undefined'], ['--always', '--no-undefined'], ['--refs=o*', '--name-only'], ['--peel-tag'], ['--refs=origin/*'],
];
const named: readonly (readonly string[])[] = [['HEAD', 'topic', 'side', 'v1', 'vv', 'v0', 'main~4', 'main~6', 'conflict~1'], ['o1', 'o2^', 'o3~1'], ['nope', 'treetag'], []];

for (const format of bothFormats) {
  test(`commits are described by the tags git chooses (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, richHistory);
    await compareWithGit(t, repository, describeOptions.flatMap((options) => described.map((words): Case => ({ argv: ['describe', ...options, ...words], readsOnly }))));
  });

  test(`what the work tree is like is told behind a description (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const clean = 'echo a >a; git add a; git commit -qm one; git tag -m t v1';
    const cases: readonly Case[] = [['--dirty'], ['--dirty=-x'], ['--broken'], ['--dirty', 'HEAD'], ['--dirty', '--long']].map((options) => ({ argv: ['describe', ...options], readsOnly }));
    await compareWithGit(t, makeRepository(t, format, clean), cases);
    await compareWithGit(t, makeRepository(t, format, `${clean}; echo b >a`), cases);
  });

  test(`formats describe commits, and tell that they are not signed (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, richHistory);
    const formats = ['%(describe)', '%(describe:tags)', '%(describe:tags=true,abbrev=0)', '%(describe:match=v0,tags)', '%(describe:exclude=v*)', '%(describe:bad)', '%G?|%GG|%GS|%GK|%GF|%GP|%GT'];
    await compareWithGit(t, repository, [
      ...formats.flatMap((each): Case[] => [{ argv: ['log', `--format=${each}`, '--all'], readsOnly }, { argv: ['rev-list', `--format=${each}`, 'side', 'topic'], readsOnly }]),
      // Notes that are shown are looked into.
      { argv: ['log', '-E', '--grep=o(c|t)'], readsOnly }, { argv: ['log', '-E', '--grep=o(c|t)', '--oneline'], readsOnly }, { argv: ['log', '--grep=A note', '--no-notes'], readsOnly },
    ]);
  });

  test(`commits are named by the refs git chooses (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, richHistory);
    const text = gitOutput(['log', '--all', '--format=x %H and %T %H%nf%H %p'], { cwd: repository });
    await compareWithGit(t, repository, [
      ...nameOptions.flatMap((options) => named.map((words): Case => ({ argv: ['name-rev', ...options, ...words], readsOnly }))),
      ...[[], ['--tags'], ['--name-only']].map((options): Case => ({ argv: ['name-rev', '--annotate-stdin', ...options], stdin: text, readsOnly })),
      { argv: ['name-rev', '--all', 'HEAD'], readsOnly },
    ]);
  });

  test(`changes that are upstream already are told apart (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `${richHistory}
git checkout -q -b picked main~8; echo p >p; git add p; git commit -qm p; git cherry-pick topic~1 >/dev/null; git checkout -q main`);
    const words = [[], ['main', 'picked'], ['topic', 'picked'], ['topic', 'picked', 'main~8'], ['picked', 'topic'], ['side', 'main'], ['nope'], ['main', 'main'], ['a', 'b', 'c', 'd']];
    await compareWithGit(t, repository, [[], ['-v'], ['--abbrev'], ['--abbrev=5', '-v']].flatMap((options) => words.map((each): Case => ({ argv: ['cherry', ...options, ...each], readsOnly }))));
  });

  test(`patches have the ids git gives them (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, richHistory);
    const texts = [['log', '-p', 'main'], ['log', '-p', '--binary', '--full-index'], ['format-patch', '--stdout', 'HEAD~6..HEAD'], ['diff', 'HEAD~8', 'HEAD'], ['log', '-p', '-U0', '--no-prefix', '--stat', '-M']]
      .map((argv) => Buffer.from(gitOutput(argv, { cwd: repository }), 'latin1'));
    await compareWithGit(t, repository, [[], ['--stable'], ['--unstable'], ['--verbatim']].flatMap((options) => texts.map((stdin): Case => ({ argv: ['patch-id', ...options], stdin, readsOnly }))));
  });
}
