import test from 'ava';
import { cairn } from '../../helpers/cairn.js';
import { type Case, bothFormats, makeRepository, recordCase } from '../../helpers/differential.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const script = `
tick() { n=$((n+60)); export GIT_COMMITTER_DATE="$((1112911993+n)) +0200" GIT_AUTHOR_DATE="$((1112911000+n)) -0330"; }
n=0; tick
echo one >f; git add f; git commit -q -m 'first subject
second line of subject

body text

Signed-off-by: A <a@example.com>
Reviewed-by: B
 folded <b@example.com>'
git tag v1.0; tick
echo two >f; git commit -qam 'second: with, (odd) chars...! v2'
git branch topic; tick
git tag -a -m 'tag subject

tag body
-----BEGIN PGP SIGNATURE-----

abc
-----END PGP SIGNATURE-----' v1.10; tick
git tag -a -m nested nested v1.10; git tag v1.9 HEAD~1; git tag v1.10-rc1; git tag v1.02; git tag v01.3
git checkout -q topic; tick; git commit -q --allow-empty -m side; tick
git checkout -q main; git commit -q --allow-empty -m third; git merge -q -m merged topic; tick
git branch ahead; git branch behind HEAD~1; git branch -q Upper HEAD~2
git tag blob $(git rev-parse HEAD:f); git tag tree HEAD^{tree}; git tag -a -m 'of a tree' treetag HEAD^{tree}
git update-ref refs/remotes/origin/main main~1; git update-ref refs/remotes/origin/topic topic; git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main
git config remote.origin.url x; git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
for b in main topic behind; do git config branch.$b.remote origin; git config branch.$b.merge refs/heads/$b; done
git config branch.ahead.remote .; git config branch.ahead.merge refs/heads/behind
git config branch.behind.merge refs/heads/main
git branch main-dir/x; git update-ref refs/heads/v1.0 topic
printf '\\303\\274' >name; git branch "uni-$(cat name)"
git pack-refs; git worktree add -q ../linked topic`;

const formats: readonly string[] = [
  '%(refname)', '%(refname:short)', '%(refname:lstrip=1) %(refname:strip=2) %(refname:rstrip=1) %(refname:lstrip=-1) %(refname:rstrip=-2) %(refname:lstrip=9) %(refname:rstrip=-9)',
  '%(objectname) %(objectname:short) %(objectname:short=10) %(objectname:short=1) %(objecttype) %(objectsize)', '%(*objectname) %(*objecttype) %(*objectsize) %(*refname)',
  '%(tree) %(tree:short) %(parent) %(parent:short=6) %(numparent)', '%(object) %(type) %(tag)', '%(author)|%(authorname)|%(authoremail)|%(authoremail:trim)|%(authoremail:localpart)|%(authordate)',
  '%(committer)|%(committername)|%(committeremail)|%(committerdate:iso)|%(committerdate:unix)|%(committerdate:raw)|%(committerdate:short)|%(committerdate:rfc2822)|%(committerdate:iso-strict)|%(committerdate:format:%Y.%m)|%(committerdate:local)',
  '%(tagger)|%(taggername)|%(taggeremail)|%(taggerdate)|%(creator)|%(creatordate:raw)|%(*authordate)|%(*taggerdate)',
  '%(subject)|%(subject:sanitize)|%(contents:subject)', '%(body)', '%(contents)', '%(contents:body)', '%(contents:signature)', '%(contents:size)', '%(contents:lines=1)|%(contents:lines=3)',
  '%(trailers)|%(trailers:only)|%(trailers:key=reviewed-by,unfold,valueonly)|%(contents:trailers:only,separator=%x2C)', '%(trailers:unfold)|%(trailers:key=helped-by,only=no)|%(trailers:key_value_separator=%x3D)',
  '%(creatordate:auto:iso)|%(creatordate:auto:nope)', '%(raw:size)', '%(raw)', '%(*raw:size)',
  '%(upstream)|%(upstream:short)|%(upstream:track)|%(upstream:trackshort)|%(upstream:track,nobracket)|%(upstream:remotename)|%(upstream:remoteref)|%(upstream:lstrip=2)',
  '%(push)|%(push:short)|%(push:track)|%(push:remotename)|%(push:remoteref)', '%(HEAD) %(symref) %(symref:short) %(symref:lstrip=-1)',
  '%(align:20)%(refname:short)%(end)|', '%(align:30,right)%(refname:short)%(end)|%(align:width=25,position=middle)%(refname:short)%(end)|', '%(align:right,40)%(if)%(HEAD)%(then)* %(end)%(refname:short)%(end)|',
  '%(if)%(HEAD)%(then)yes%(else)no%(end)', '%(if:equals=main)%(refname:short)%(then)main%(else)%(refname:short)%(end)', '%(if:notequals=commit)%(objecttype)%(then)N %(refname)%(end)', '%(if)%(upstream)%(then)%(if)%(push)%(then)both%(else)one%(end)%(end)',
  '%00%41%%%zz%(refname)%0a', '%(color:red)%(refname)%(color:reset)', '%(deltabase)', '',
  '%(unknown)', '%(refname:nope)', '%(objectname:short=x)', '%(align)x%(end)', '%(align:5)x', '%(if)x%(end)', '%(then)', '%(else)', '%(end)', '%(if)x%(then)y', '%(if)%(then)%(then)%(end)', '%(if)%(then)%(else)%(else)%(end)', '%(refname', '%()', '%(contents:nope)', '%(body:x)', '%(authordate:nope)', '%(authoremail:x)', '%(color)', '%(align:x)a%(end)',
];

const listings: readonly (readonly string[])[] = [
  [], ['--count=3'], ['--count=0'], ['--count=-1'], ['--count=x'], ['refs/heads'], ['refs/heads/'], ['refs/heads/ma*'], ['refs/heads/main'], ['refs/heads/main-dir'], ['refs/*/main'], ['refs/tags/v1.[09]', 'refs/heads/topic'], ['refs/**/main'], ['refs/h*'],
  ['main'], ['refs'], ['refs/nothing'], ['refs/heads/MAIN'], ['--ignore-case', 'refs/heads/UPPER'], ['refs/heads', 'refs/heads/main'],
  ...['refname', '-refname', 'objectsize', '-committerdate', 'creatordate', 'authorname', 'objecttype', 'version:refname', '-v:refname', 'v:refname:short', 'subject', '*objecttype', 'numparent', 'upstream', 'contents:size', 'taggerdate', 'nonsense', '-nonsense'].map((key) => [`--sort=${key}`]),
  ['--sort=refname', '--sort=objecttype'], ['--sort=-objecttype', '--sort=-refname'], ['--sort=refname', '--ignore-case'], ['--sort=-refname', '--no-sort'],
  ['--points-at=main'], ['--points-at=v1.10^{}'], ['--points-at=v1.10', '--points-at=HEAD'], ['--points-at=nothing'],
  ['--contains'], ['--contains=topic'], ['--contains=v1.0', 'refs/tags'], ['--no-contains=topic'], ['--contains=topic~1', '--no-contains=topic'], ['--contains=tree'], ['--contains=nothing'],
  ['--merged'], ['--merged', 'topic'], ['--contains', 'topic', 'refs/heads'], ['--no-merged', 'topic', '--no-contains', 'v1.0'], ['--merged', 'nothing'], ['--merged=topic'], ['--no-merged=topic'], ['--merged=main', '--no-merged=topic'], ['--merged=tree'], ['--merged=v1.10'],
];

for (const format of bothFormats) {
  test(`for-each-ref prints every field as git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cwd = makeRepository(t, format, script);
    const differences: string[] = [];
    for (const text of formats) await agree(differences, cwd, ['for-each-ref', `--format=${text}`]);
    for (const text of ['%(contents)', '%(refname) it\'s "$x" [y] {z} \\', '%(if)%(HEAD)%(then)%(subject)%(end)%(subject)', '%(raw)']) {
      for (const style of ['--shell', '--perl', '--python', '--tcl']) await agree(differences, cwd, ['for-each-ref', style, `--format=${text}`]);
    }
    await agree(differences, cwd, ['for-each-ref', '--shell', '--perl']);
    await agree(differences, cwd, ['for-each-ref', '--format=%(worktreepath)|%(refname)']);
    t.deepEqual(differences, []);
  });

  test(`for-each-ref chooses and sorts as git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cwd = makeRepository(t, format, script);
    const differences: string[] = [];
    gitOutput(['config', '--add', 'versionsort.suffix', '-rc'], { cwd });
    for (const argv of listings) await agree(differences, cwd, ['for-each-ref', ...argv]);
    t.deepEqual(differences, []);
  });
}

/** Runs both; a difference is noted rather than ending the test, so that all are seen at once. */
async function agree(differences: string[], cwd: string, argv: readonly string[]): Promise<void> {
  const theirs = git(argv, { cwd });
  const ours = await cairn(argv, { cwd });
  recordCase(argv);
  if (ours.code === theirs.code && (theirs.code !== 0 || ours.stdout === theirs.stdout)) return;
  differences.push(`${argv.join(' ')}: exit ${theirs.code} ${ours.code}\n${theirs.stderr}${ours.stderr}\n--- git\n${theirs.stdout}\n--- cairn\n${ours.stdout}`);
}

const damage: readonly Case[] = [{ argv: ['for-each-ref'] }, { argv: ['for-each-ref', '--format=%(refname) %(objectname)'] }, { argv: ['show-ref'] }, { argv: ['for-each-ref', '--format=%(subject)'] }];

test('a broken ref is passed over with a warning, a missing object is an error only where it is needed', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', `git commit -q --allow-empty -m x; : >.git/refs/heads/empty; echo garbage >.git/refs/heads/garbage; git symbolic-ref refs/heads/dangling refs/heads/none
printf '%040d\\n' 1 >.git/refs/heads/missing`);
  const differences: string[] = [];
  for (const { argv } of damage) await agree(differences, cwd, argv);
  t.deepEqual(differences, []);
});
