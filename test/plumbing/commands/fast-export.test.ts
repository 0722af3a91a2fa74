import test from 'ava';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { cleanEnvironment, git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

/** Branches, merges, renames, nested tags, a tag of a tree and of a blob, odd names, another encoding. */
const story = `
for i in 1 2 3; do echo $i > f$i; mkdir -p d; seq $i 40 > "d/s p$i"; git add .; git commit -qm "c$i"; git tag l$i; done
git tag -am ann v1; git tag -am nested v2 v1; git tag blob HEAD:f2; git tag -am 'of a blob' vblob HEAD:f2; git tag -am 'of a tree' tree HEAD^{tree}
git checkout -qb side HEAD~1; git mv f1 g1; cp "d/s p2" copy; echo x >> f2; printf '\\n' > "$(printf 'caf\\303\\251')"; git add .; git commit -qm side
git checkout -q main; git merge -q --no-edit side; git branch dup; git symbolic-ref refs/heads/alias refs/heads/main
rm -r d; echo file > d; ln -s f3 link; git add -A; git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),module; git commit -qm 'a file now'
printf 'object %s\\ntype commit\\ntag old\\n\\nno tagger\\n' $(git rev-parse HEAD) | git hash-object -t tag -w --stdin > .git/old; git update-ref refs/tags/old $(cat .git/old)
printf 'object %s\\ntype commit\\ntag signed\\ntagger T <t@x> 1 +0000\\n\\nsigned\\n-----BEGIN PGP SIGNATURE-----\\nxx\\n-----END PGP SIGNATURE-----\\n' $(git rev-parse HEAD) | git hash-object -t tag -w --stdin > .git/signed
git update-ref refs/keep/signed $(cat .git/signed)
printf '\\344\\n' > .git/msg; git checkout -q --orphan latin; git -c i18n.commitEncoding=iso-8859-1 commit -qF .git/msg; git checkout -q main
`;
const drop = '--tag-of-filtered-object=drop';

const lines = [
  '--branches', 'main', '--all', `--all ${drop}`, `--all ${drop} --signed-tags=strip`, `--all ${drop} --signed-tags=strip --reencode=yes`, `--all ${drop} --signed-tags=warn --reencode=no`,
  `--all ${drop} --signed-tags=warn-strip --reencode=no`, `--all ${drop} --signed-tags=verbatim --reencode=no`, `--all ${drop} --signed-tags=abort`, '--signed-tags=nonsense main',
  '--reencode=abort latin', '--reencode=nonsense main', '--tags --tag-of-filtered-object=rewrite', '--tags --tag-of-filtered-object=rewrite --mark-tags', `--tags ${drop} --mark-tags`,
  'v2', `v2 ${drop}`, 'tree', 'blob', `vblob ${drop}`, 'vblob', 'old --fake-missing-tagger', 'old', 'main~1', 'HEAD', 'main HEAD', 'main HEAD^0', 'alias', 'dup main', 'side dup main',
  'main~1..main', 'main~2..main --reference-excluded-parents', '^main main', 'l2 ^main', '^l2 l2 main', 'v1 ^l3', `v1 ^l3 ${drop}`, `--branches --tags ^l2 ${drop}`, 'main --full-tree', 'main --no-data',
  'main --show-original-ids', 'main --use-done-feature', 'main -M', 'main -C', 'main -C --find-copies-harder', 'main -M90', 'main -M -C --full-tree', 'main --progress=2', '--progress=x main',
  'main side -- g1', 'l1 main -- f3', 'main -- link', '--refspec=refs/heads/*:refs/heads/x/* --refspec=:refs/heads/gone main side', 'main --anonymize', `--tags --anonymize ${drop}`,
  'main --anonymize --anonymize-map=main:trunk --anonymize-map=f1', 'main~1..main --anonymize --no-data --reference-excluded-parents', '--anonymize-map=x main', '-1 main', 'main --first-parent', '--no-merges main',
  '--author=Thor main', '--date-order main', 'main --export-marks=out', 'main --import-marks=out', 'main~2 --export-marks=part', 'main --import-marks=part', 'main --import-marks=part -- f3',
  'main --import-marks=part --export-marks=part', '--import-marks=none main', '--import-marks-if-exists=none main', 'nosuch', '--nosuch',
];

for (const format of bothFormats) {
  test(`fast-export prints the stream git prints (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cases = lines.map((line): Case => ({ argv: ['fast-export', ...line.split(' ')], readsOnly: true }));
    // Where it ends in an error, how much was printed before is of no use to anybody.
    const failing = /^--all$|abort|nonsense|^v2$|^vblob$|\^l3$|rewrite$|=none main|^nosuch|--nosuch|progress=x|map=x|warn|latin/;
    await compareWithGit(t, makeRepository(t, format, story), cases.map((one, index) => (failing.test(lines[index]!) ? { ...one, ignoreOutput: true } : one)));
  });

  test(`what cairn exports, git imports to the same ids, and the other way round (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, story);
    const options = ['--branches', 'v1', 'l1', '--signed-tags=verbatim', '--reencode=no'];
    const refs = gitOutput(['for-each-ref', 'refs/heads/[d-z]*', 'refs/tags/v1', 'refs/tags/l1'], { cwd: repository });
    for (const [exporter, importer] of [['cairn', 'git'], ['git', 'cairn'], ['cairn', 'cairn']] as const) {
      const stream = exporter === 'git' ? git(['fast-export', ...options], { cwd: repository }) : await cairn(['fast-export', ...options], { cwd: repository });
      t.is(stream.code, 0, stream.stderr);
      const target = join(makeSandbox(t), 'target');
      execFileSync('git', ['init', '-q', '-b', 'main', `--object-format=${format}`, target], { env: cleanEnvironment });
      const command = ['fast-import', '--quiet'];
      const result = importer === 'git' ? git(command, { cwd: target, stdin: stream.stdoutBytes }) : await cairn(command, { cwd: target, stdin: stream.stdoutBytes });
      t.is(result.code, 0, result.stderr);
      t.is(gitOutput(['for-each-ref'], { cwd: target }), refs, `${exporter} | ${importer}`);
      t.is(git(['fsck', '--strict', '--full'], { cwd: target }).code, 0);
    }
  });
}

test('a file that becomes a directory is taken away before the directory is filled', async (t) => {
  const repository = makeSandbox(t);
  const run = async (stdin: string, ...argv: string[]): Promise<string> => (await cairn(argv, { cwd: repository, stdin })).stdout.trimEnd();
  await run('', 'init', '-q');
  const blob = await run('content', 'hash-object', '-w', '--stdin');
  for (const path of ['a', 'a/b/c', 'a']) {
    await run(`0 ${'0'.repeat(64)}\ta\n0 ${'0'.repeat(64)}\ta/b/c\n100644 ${blob}\t${path}\n`, 'update-index', '--index-info');
    await run('', 'commit', '-q', '-m', path);
  }
  const before = await run('', 'rev-parse', 'HEAD');
  const stream = await run('', 'fast-export', 'HEAD');
  t.regex(stream, /\nD a\nM 100644 :1 a\/b\/c\n/);
  await run(`${stream.replaceAll('refs/heads/', 'refs/copy/')}\n`, 'fast-import');
  t.regex(await run('', 'for-each-ref', 'refs/copy'), new RegExp(`^${before} `));
});

test('an anonymous stream tells no name and no content', async (t) => {
  const repository = makeSandbox(t);
  const run = async (...argv: string[]): Promise<string> => (await cairn(argv, { cwd: repository, stdin: 'secret content' })).stdout;
  await run('init', '-q');
  const blob = (await run('hash-object', '-w', '--stdin')).trim();
  await run('update-index', '--add', '--cacheinfo', `100644,${blob},secret/path`);
  await run('commit', '-q', '-m', 'a secret message');
  const stream = await run('fast-export', '--anonymize', '--all');
  t.regex(stream, /commit refs\/heads\/ref0/);
  t.notRegex(stream, /secret|Thor|Mitter|example\.com\/|main/);
});
