import test from 'ava';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { cairn } from '../../helpers/cairn.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';
import { branchyHistory } from '../../helpers/branchy-history.js';

const words = (line: string): string[] => line.split(' ');

const names = [
  'HEAD main side~1 v1 v1^{} v1^{tree} v1^{commit} v1^{tag} v1^0 HEAD^2 HEAD~2^2~1', 'HEAD^{/second} :/topic :/!-first HEAD^{/nosuch}', 'HEAD:a.txt HEAD:dir HEAD: :a.txt :0:a.txt HEAD:dir/sub/y',
  'main..side main...side ^main side^@ HEAD^! HEAD^- HEAD^-2 HEAD..', 'HEAD^-3', '@ @{0} HEAD@{1} main@{2} @{-1} @{u} main@{upstream} @{push}', 'side@{u}', 'main@{100}',
  'nonsense', '--verify nonsense', '-q --verify nonsense', '--verify HEAD main', '--verify', '--verify --default HEAD', '--default main --revs-only foo',
  '--short HEAD', '--short=4 HEAD', '--short=10 HEAD', '--short=4 HEAD v1', '--symbolic HEAD v1 ^main main..side', '--symbolic-full-name HEAD v1 side HEAD~1 @{u} @{-1}',
  '--abbrev-ref HEAD v1 side @{u}', '--abbrev-ref=strict HEAD', '--abbrev-ref=loose side', '--abbrev-ref=odd HEAD', '--all', '--branches', '--tags', '--remotes', '--branches=s*', '--glob=heads/*', '--glob=tags',
  '--exclude=refs/tags/* --all', '--exclude=v* --tags', '--symbolic --branches', '--symbolic --all', '--abbrev-ref --all', 'blobtag^{} treetag:a.txt', 'v0-3-gHEAD', 'HEAD@{2005-04-08} main@{1112911993}', 'HEAD:./a.txt', 'heads/main tags/v1 origin origin/main',
  '..', 'main^{blob}', 'main^{odd}', 'HEAD:nosuch', '--disambiguate=', '--not HEAD ^main', ':/nosuch', ':/a.txt', ':!a.txt', ':!nosuch', 'HEAD:/a.txt', 'HEAD:dir//', 'HEAD:dir/', '--parseopt',
];

const questions = [
  '--git-dir --git-common-dir --show-prefix --show-cdup', '--is-inside-git-dir --is-inside-work-tree --is-bare-repository --is-shallow-repository --show-object-format',
  '--git-path HEAD --git-path objects/aa --git-path index', '--path-format=relative --git-dir --show-toplevel --git-common-dir', '--local-env-vars', '--since=2005-04-07T22:13:13 --until=1112911993',
  '--flags --foo -b HEAD', '--no-flags --foo -b HEAD', '--revs-only --foo -n 3 --max-count=3 HEAD a.txt', '--no-revs --foo --max-count=3 HEAD a.txt', 'HEAD -- a.txt b', 'a.txt', 'HEAD nofile',
  '--sq HEAD main', '--sq-quote a it\'s b', '--resolve-git-dir .git', '--resolve-git-dir dir', '--foo --verify HEAD', '--prefix dir/ -- x', '--end-of-options HEAD', '',
];

for (const format of bothFormats) {
  test(`names and questions are answered as git answers them (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, branchyHistory);
    const cases = [...names, ...questions].filter((_line, at) => format === 'sha1' || at % 3 === 0).map((line) => ({ argv: ['rev-parse', ...(line === '' ? [] : words(line))], readsOnly: true }));
    await compareWithGit(t, repository, [...cases, {
      argv: words('rev-parse --show-prefix --show-cdup --git-common-dir --git-path HEAD --path-format=relative --git-dir --show-toplevel'), subdirectory: 'dir/sub', readsOnly: true,
    }]);
    t.is((await cairn(['rev-parse', '--absolute-git-dir', '--show-toplevel'], { cwd: repository })).stdout, `${repository}/.git\n${repository}\n`);
    t.is((await cairn(['rev-parse', '--git-dir'], { cwd: `${repository}/dir` })).stdout, `${repository}/.git\n`);
  });
}

test('an abbreviation several objects share is refused, unless only one of them fits', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'for i in $(seq 1 900); do echo "blob $i" > f$i; done; git add .; git commit -qm x');
  const ids = gitOutput(['cat-file', '--batch-all-objects', '--batch-check=%(objectname)'], { cwd: repository }).split('\n');
  const shared = ids.map((id) => id.slice(0, 4)).find((prefix, at, all) => all.indexOf(prefix) !== at);
  t.truthy(shared, 'the fixture has two objects with the same first four digits');
  const result = await cairn(['rev-parse', shared!], { cwd: repository });
  t.is(result.code, 128);
  t.regex(result.stderr, /ambiguous/);
  await compareWithGit(t, repository, [{ argv: ['rev-parse', `--disambiguate=${shared}`], readsOnly: true }]);
});

test('an option table given by a script normalises its arguments', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'true');
  const stdin = 'tool [<options>] <file>\n\ndoes things\n--\nh,help    show the help\nfoo       some nifty option\nbar=      some cool option\nb,baz=arg another\nC?        optional\n\nMore\nq,quiet!  less\n';
  const lines = ['--foo --bar=x rest', '--foo=x', '--no-foo file -q', '-b val --quiet', '--ba', '--bar', '-Cv x', '--', '-x', '--no-quiet', '--fo a b', 'a --foo'];
  await compareWithGit(t, repository, [
    ...lines.map((line) => ({ argv: ['rev-parse', '--parseopt', '--', ...words(line)], stdin, readsOnly: true })),
    { argv: ['rev-parse', '--parseopt', '--nonsense', '--', 'a'], stdin, readsOnly: true },
    { argv: ['rev-parse', '--parseopt', '--stuck-long', '--', '-b', 'val', '--foo', 'x'], stdin, readsOnly: true },
    { argv: ['rev-parse', '--parseopt', '--stop-at-non-option', '--', 'a', '--foo'], stdin, readsOnly: true },
    { argv: ['rev-parse', '--parseopt', '--keep-dashdash', '--', '--foo', '--', 'x'], stdin, readsOnly: true },
  ]);
});

test('a name that two refs share is told as git tells it', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'for i in 1 2 3; do git commit -q --allow-empty -m $i; done; git tag main HEAD~1; git tag HEAD');
  const lines = ['main', 'main@{1} main@{0}', 'tags/main', '--symbolic-full-name main heads/main', '--abbrev-ref main tags/main HEAD', '--symbolic main'];
  await compareWithGit(t, repository, [
    ...lines.map((line) => ({ argv: ['rev-parse', ...words(line)], readsOnly: true })),
    { argv: ['reflog', 'show', 'main'], readsOnly: true },
    { argv: ['merge-base', '--fork-point', 'main'], readsOnly: true },
  ]);
});

test('variables that name places are read where git reads them', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'mkdir dir; echo a >dir/a; git add .; git commit -qm one; printf "100644 $(git rev-parse HEAD:dir/a) 0\\todd-\\377\\0" | git update-index -z --index-info; git commit -qm two');
  const asked = ['rev-parse', '--git-common-dir', '--git-path', 'index', '--git-path', 'objects'];
  const subdirectory = 'dir';
  await compareWithGit(t, repository, [
    { argv: asked, env: { GIT_INDEX_FILE: 'other' }, subdirectory },
    { argv: ['update-index', '--add', 'a'], env: { GIT_INDEX_FILE: 'other' }, subdirectory },
    { argv: ['ls-files', '-s', '--full-name'], env: { GIT_INDEX_FILE: '../other' }, subdirectory },
    { argv: ['ls-files', '-s', '--full-name'], env: { GIT_INDEX_FILE: 'other' }, subdirectory },
    { argv: ['rev-parse', '--git-dir'], env: { GIT_DIR: '' } },
    { argv: ['--git-dir=../.git', '--work-tree=..', '-C', '.', 'rev-parse', '--show-prefix'], subdirectory },
    { argv: ['--git-dir=../.git', 'rev-parse', '--git-dir', '--git-common-dir'], subdirectory },
    { argv: ['-c', 'nodot', 'rev-parse', 'HEAD'] },
    { argv: ['--config-env=a.b=UNSET_VARIABLE', 'rev-parse', 'HEAD'] },
    { argv: ['rev-parse', '--git-dir', '--is-inside-work-tree'], env: { GIT_DIR: '../.git', GIT_WORK_TREE: '..' }, subdirectory, ignoreOutput: true },
    { argv: ['rev-parse', 'HEAD:./a'], env: { GIT_DIR: '.git', GIT_WORK_TREE: 'dir' } },
    { argv: ['cat-file', '--batch'], stdin: Buffer.from('HEAD:odd-\xff\n:odd-\xff\n', 'latin1') },
  ]);
});
