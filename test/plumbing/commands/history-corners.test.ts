// Corners where options, odd clocks, shallow histories and odd names meet, across the commands that show history; compared with stock git.
import test from 'ava';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

/** A clock that goes back, a merge done by hand, a root merged in, notes, a link, and a work tree with changes. */
const story = `
t=1112911993; c() { t=$((t+\${2:-60})); GIT_AUTHOR_DATE="$t +0200" GIT_COMMITTER_DATE="$t -0700" git commit -q --allow-empty -m "$1"; }
seq 1 20 > a; echo b > 'with space'; ln -s a link; echo plain > copy; git add .; c one; git tag -a -m v1 v1
git branch side; sed -i 's/^5$/five/' a; git add .; c two; git checkout -q side; sed -i 's/^5$/FIVE/' a; printf 'bad \\n' > bad; git add .; c 'side way'
git checkout -q main; git merge -q side >/dev/null || true; seq 1 20 | sed 's/^5$/both/' > a; echo evil > evil; git add .; c 'merge by hand'
git checkout -q --orphan root; git rm -rqf .; echo r > r; git add .; c root; git checkout -q main; git merge -q --no-edit --allow-unrelated-histories root
c 'clock went back' -5000000; git tag back; c 'and on' 6000000; sed -i 's/b/c/' 'with space'; git add .; c 'side way'; GIT_COMMITTER_DATE="$t +0000" git tag -a -m v2 v2
printf '\\344\\n' > .git/msg; git checkout -q -b latin; git -c i18n.commitEncoding=iso-8859-1 commit -q --allow-empty -F .git/msg; git checkout -q main
git notes add -m 'a note' HEAD~1; git notes --ref=other add -m 'other note' HEAD~1
rm copy; ln -s a copy; git update-ref refs/remotes/origin/main main~1
`;

const lines = [
  'for-each-ref --contains=v1', 'for-each-ref --contains=back refs/heads', 'for-each-ref --no-contains=v1', 'name-rev --tags main~3 root',
  'diff --raw -M v1', 'diff-index -M v1', 'diff-index -C --raw v1', 'diff-tree --color -p v1 main', 'diff --color v1 main', 'diff-tree -z --pretty=oneline --stat main', 'diff-tree -z --oneline -r main',
  'diff-tree main^{tree}', 'diff-tree main:a', 'diff-tree --merge-base main', 'diff-tree --merge-base v1 side', 'diff-tree --merge-base main side', 'diff-tree --merge-base main root^{tree}',
  'diff-index --merge-base side', 'diff-index --merge-base v1', 'diff --merge-base --cached v1', 'diff --merge-base --cached side', 'diff --merge-base main side root', 'diff main:a side', 'diff v1 main..side',
  'diff-tree --combined-all-paths main~4', 'log --combined-all-paths', 'log --combined-all-paths -c --raw main~4', 'diff-files --combined-all-paths', 'diff-index --combined-all-paths HEAD',
  'log -c -p -Ifive main~4', 'show --oneline main~4', 'diff-tree --cc -Ifive main~4', 'diff-tree -r --diff-filter=* v1 main', 'diff-tree -r --diff-filter=A* v1 main', 'log --oneline --diff-filter=d', 'log --oneline --diff-filter=d -p',
  'diff-tree --diff-merges=on main~4', 'diff-tree --diff-merges=first-parent main~4', 'diff-tree --diff-merges=cc main~4', 'diff-tree --diff-merges=c main~4', 'diff-tree -m --no-diff-merges main~4', 'diff-tree --diff-merges=nonsense main~4',
  'log --diff-merges=nonsense', 'diff-tree --notes --pretty main~1', 'diff-tree --notes=other -v main~1', 'diff-tree --no-notes -v main~1', 'diff-tree --show-notes=other -v main~1', 'diff-tree --standard-notes --notes=other -v main~1',
  'diff-tree --format=%d%n%D%n%N --notes v2', 'diff-tree --no-commit-id --format=%h v2', 'diff-tree --color --pretty v2', 'log --notes=other -2', 'log --show-notes=other -2', 'log --standard-notes -2', 'log --no-standard-notes --notes -2',
  'log --log-size -3', 'log --log-size --oneline -3', 'log --log-size --graph -3', 'log --show-linear-break', 'log --show-linear-break --oneline', 'log --show-linear-break=XX -p', 'log --reverse --show-linear-break --oneline',
  'log --graph --show-linear-break', 'log --line-prefix=>> --oneline', 'log --line-prefix=>>', 'log --line-prefix=>> -p -2', 'log --line-prefix=>> --format=%h%n -2', 'log --no-show-signature -1',
  'log --check --oneline', 'show --check --oneline --branches', 'log --exit-code --oneline -2', 'log --exit-code -p -1', 'log --exit-code --oneline -1 back', 'show --exit-code --oneline --branches', 'log --quiet -p -1', 'log --rotate-to=zzz -p -2', 'diff --rotate-to=zzz v1 main',
  'rev-list --parents --oneline --abbrev-commit main', 'rev-list --children --abbrev-commit main', 'describe --no-exact-match main~1', 'describe --no-exact-match v1',
  'rev-list :/side', 'rev-list :/nonesuch', 'rev-list HEAD :/a', 'rev-list HEAD :/nonesuch', 'log --oneline -P --grep=(?i)SIDE', 'log --oneline --color-words -1', 'log --word-diff=color -1',
  'log -g origin/main -1', 'log -g --oneline heads/main -1', 'fast-export --anonymize --all', 'fast-export --no-reencode main', 'fast-export --no-reencode latin', 'fast-export --no-signed-tags --no-tag-of-filtered-object main', 'fast-export main -- a', 'fast-export main -- nonesuch',
  'diff -c main~4 main~4^1 main~4^2', 'diff --line-prefix=>> main~4 main~4^1 main~4^2', 'log --line-prefix=>> --cc -p main~4', 'log --pretty=reference --date=iso -2', 'rev-list --pretty=reference --date=iso -2 main',
  'log --diff-merges=on --diff-filter=A main~4', 'log --diff-merges=on --full-diff main~4', 'log --diff-merges=on -Sboth', 'log --diff-merges=on -t main~4', 'show --diff-filter=A main~4', 'log -c --diff-filter=A --oneline',
  'log -c -Sboth', 'log -m -p main', 'log -m -p -- evil', 'log -m --oneline main -- a', 'log --diff-merges=first-parent --oneline -- evil', 'log -m -c --oneline -- r', 'log -m --no-diff-merges --oneline -- r',
  'log -m --raw --format=%h main~3', 'diff main~3 side...root', 'diff main:a', 'diff main..side root', 'diff -w --exit-code --stat main~1 main', 'diff -w --quiet root^{tree} main~4^{tree} -- none', 'diff --ignore-blank-lines --exit-code --numstat v1 main', 'diff-tree -w --exit-code -r -p -M v1 main -- link', 'log --source --oneline --tags=v*', 'log --source --oneline --branches=s*', 'log --source --oneline --remotes=or*', 'log --source --oneline --glob=heads/s*', 'diff -1 v1', 'diff --base HEAD', 'diff --base', 'diff -2 --raw', 'diff --theirs', 'diff -c', 'diff --cc --stat', 'diff -0', 'diff -1', 'diff -3', 'diff --ours',
];

for (const format of bothFormats) {
  test(`corners of history are shown as git shows them (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, story);
    const ids = gitOutput(['rev-list', '--no-walk', 'main~4', 'main', 'side'], { cwd: repository });
    const cases = lines.map((line): Case => ({ argv: line.split(' '), readsOnly: true }));
    await compareWithGit(t, repository, [
      { argv: ['update-index', '-q', '--refresh'] }, ...cases,
      ...['--stdin -s', '--stdin --always -s main~4', '--stdin v1 main', '--stdin -m', '--stdin --merge-base'].map((line): Case => ({ argv: ['diff-tree', ...line.split(' ')], stdin: ids, readsOnly: true })),
      ...['main side\nnope main\n', 'main root\nmain main\n', 'main side\nv1 root\n'].map((stdin): Case => ({ argv: ['merge-tree', '--stdin'], stdin, ignoreObjects: true })),
    ]);
  });

  test(`files in conflict are compared with the stage that is asked for (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `${story}\ngit reset -q --hard; git checkout -q v1; git checkout -q -b again; sed -i 's/^5$/again/' a; git commit -qam again; git merge side >/dev/null || true`);
    const cases = ['--base', '-1', '-2', '--ours --raw', '--theirs --stat', '-3 -p', '-0', '-c', '--cc', '-c --stat', '--cc --raw', '-2 --cc'];
    await compareWithGit(t, repository, [{ argv: ['update-index', '-q', '--refresh'] }, ...cases.map((line): Case => ({ argv: ['diff', ...line.split(' ')], readsOnly: true }))]);
  });

  test(`where history is cut off, and where a commit graph tells of it, clocks that go back mislead nobody (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `${story}\ngit rev-parse main~1 > .git/shallow; rm -rf .git/objects/xx`);
    const search = [':/side', ':/nonesuch', 'main^{/one}', 'main^{/on}'];
    await compareWithGit(t, repository, search.map((name): Case => ({ argv: ['rev-parse', name], readsOnly: true })));
    const graphed = makeRepository(t, format, `${story}\ngit commit-graph write --reachable`);
    await compareWithGit(t, graphed, ['name-rev --tags main~3 root', 'name-rev main~2 side', 'for-each-ref --contains=v1', 'merge-base main side', 'describe --contains main~3']
      .map((line): Case => ({ argv: line.split(' '), readsOnly: true })));
  });
}
