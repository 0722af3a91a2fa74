// rev-list: how paths and decorations simplify history, and where else than at refs it may begin.
import test from 'ava';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { richHistory } from '../../helpers/rich-history.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const readsOnly = true;
const revisions = [['main'], ['--all'], ['main', '^topic'], ['topic...main']];
const paths = [['src'], ['docs'], ['nothere'], ['o1.txt', 'o2.txt'], ['src/deep']];

const simplifications: readonly (readonly string[])[] = [
  [], ['--parents'], ['--full-history'], ['--full-history', '--parents'], ['--simplify-merges'], ['--simplify-merges', '--show-pulls'], ['--sparse', '--parents'], ['--sparse', '--dense'],
  ['--remove-empty', '--parents'], ['--show-pulls', '--parents'], ['--full-history', '--show-pulls'], ['--ancestry-path'], ['--children'], ['--boundary'], ['--simplify-by-decoration'],
  ['--first-parent'], ['--full-history', '--graph'], ['--simplify-merges', '--graph'], ['--full-history', '--merges'], ['--simplify-merges', '--children'],
];

const limits: readonly (readonly string[])[] = [
  ['--simplify-by-decoration', '--parents'], ['--ancestry-path=topic'], ['--ancestry-path=main~3', '--ancestry-path=o1'], ['--exclude-first-parent-only'], ['--unpacked'], ['--left-only'],
  ['--boundary', '--topo-order'], ['--reverse', '--boundary'], ['--min-parents=2', '--no-min-parents'], ['--children', '--parents'], ['--cherry-pick', '--cherry-mark'], ['--walk-reflogs'],
  ['--exclude-hidden=receive', '--all'], ['--exclude-hidden=receive', '--branches'], ['--exclude-hidden=fetch', '--all'], ['--single-worktree', '--reflog'], ['--merge'],
];

/** A merge under way, a bisection, another work tree, borrowed objects and hidden refs. */
const elsewhere = `
t=1112911993; commit() { t=$((t+60)); GIT_AUTHOR_DATE="$t +0000" GIT_COMMITTER_DATE="$t +0000" git commit -q "$@"; }
git config transfer.hideRefs refs/heads/o
echo a >a; echo b >b; git add .; commit -m base; git branch other; git branch o; git branch -q keep
echo ours >a; commit -am ours; git checkout -q other; echo theirs >a; echo more >b; commit -am theirs
echo b2 >b; commit -am 'only b'; git worktree add -q --detach ../wt keep; (cd ../wt; echo w >w; git add w; commit -m 'in the other work tree'; echo x >x; git add x)
git clone -q --bare . .git/lender; (cd .git/lender; git update-ref refs/heads/lent HEAD~1); echo ../lender/objects >.git/objects/info/alternates
git checkout -q main; git update-ref refs/bisect/bad other; git update-ref refs/bisect/good-1 other~2; git repack -qad; echo late >late; git add late; commit -m late
git merge -q other >/dev/null || true
`;

for (const format of bothFormats) {
  test(`paths simplify history as in git (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, richHistory);
    await compareWithGit(t, repository, simplifications.flatMap((options) => revisions.flatMap((from) => paths.map((each): Case => ({ argv: ['rev-list', ...options, ...from, '--', ...each], readsOnly })))));
  });

  test(`limits of a walk are those of git (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, richHistory);
    await compareWithGit(t, repository, limits.flatMap((options) => [...revisions, ['main', '^v0', '^o1'], ['o1...o2']].map((from): Case => ({ argv: ['rev-list', ...options, ...from], readsOnly }))));
  });

  test(`walks begin wherever a repository names objects (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, elsewhere);
    const cases: Case[] = [
      ['--all'], ['--single-worktree', '--all'], ['--all', '--single-worktree'], ['--reflog'], ['--single-worktree', '--reflog'], ['--merge', '--left-right'], ['--merge', '--', 'b'],
      ['--alternate-refs'], ['--indexed-objects', '--objects'], ['--indexed-objects', '--objects', '--single-worktree'], ['--unpacked', '--all'], ['--unpacked', '--objects', '--all'],
      ['--exclude-hidden=receive', '--all'], ['--exclude-hidden=uploadpack', '--glob=refs/heads'], ['--exclude-hidden=receive', '--exclude-hidden=receive', '--all'],
      ['--not', '--all', '--not', 'other'],
    ].map((argv) => ({ argv: ['rev-list', ...argv], readsOnly }));
    for (const stdin of ['main\n^other\n', 'main\n--\na\n', '--all\n', 'nope\n', '\nmain\n', 'main..other\n', 'main\n']) cases.push({ argv: ['rev-list', '--stdin'], stdin, readsOnly });
    cases.push({ argv: ['rev-list', '--stdin', '--stdin'], stdin: 'main\n', readsOnly }, { argv: ['rev-list', '--stdin', 'main', '--', 'b'], stdin: 'other\n--\na\n', readsOnly });
    for (const argv of [['log', '--alternate-refs', '--format=%s'], ['log', '-g', '--grep-reflog=clone', '--format=%gs'], ['log', '--grep-reflog=x'], ['log', '-g', '--format=%gd %s', '--', 'b'], ['rev-list', '-g', 'HEAD', '--', 'b'], ['rev-list', '-g', '--first-parent', 'HEAD', '--', 'a'], ['log', '--merge', '--format=%s'], ['log', '--bisect', '--format=%s'], ['log', '--simplify-by-decoration', '--format=%s', '--all'], ['log', '--show-pulls', '--format=%s', '--', 'b']]) cases.push({ argv, readsOnly });
    await compareWithGit(t, repository, cases);
  });
}
