// Signatures by SSH keys: made by cairn and checked by stock git, made by git and checked by cairn, in the same words.
import test from 'ava';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { signatureStart, splitCommit, splitTag } from '../../plumbing/signature/signed-object.js';
import { cairn } from '../helpers/cairn.js';
import { caseLines } from '../helpers/case-lines.js';
import { bothFormats, compareWithGit, makeRepository } from '../helpers/differential.js';
import { git, gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

const hasKeys = existsSync('/usr/bin/ssh-keygen');

/** Keys, and files that say who may sign, in the work tree of a repository whose history git has signed. */
const signedHistory = `
ssh-keygen -q -t ed25519 -N '' -C mine -f mine
ssh-keygen -q -t ed25519 -N '' -C other -f other
echo "*.pub\nmine\nother\nallowed\nnobody\nexpired" > .git/info/exclude
echo "me@example.com $(cat mine.pub)" > allowed
echo "you@example.com $(cat other.pub)" > nobody
echo "me@example.com valid-before=\"20200101\" $(cat mine.pub)" > expired
git config user.name Me && git config user.email me@example.com
git config gpg.format ssh && git config user.signingKey "$PWD/mine.pub" && git config gpg.ssh.allowedSignersFile "$PWD/allowed"
echo one > file && git add file && git commit -q -S -m signed
git commit -q --allow-empty -m unsigned
git tag -s -m 'a signed tag' v1 && git tag -a -m 'a plain tag' v2
git checkout -q -b side HEAD~1 && echo two > other-file && git add other-file && git commit -q -S -m side && git tag -s -m 'side tag' v3
git checkout -q main && git merge -q --no-ff -S -m merged v3
git update-ref refs/heads/forged $(git cat-file commit side | sed 's/^side$/forged/' | git hash-object -t commit -w --stdin)`;

const checks = `
verify-commit HEAD
verify-commit -v HEAD~1 HEAD side
verify-commit --raw side forged
verify-commit v2
verify-commit nothing side
verify-tag v1 v3
verify-tag -v v1
verify-tag -v v2
verify-tag --raw v1
verify-tag --format='%(tag) %(objecttype)' v1 v2
verify-tag HEAD
tag -v v1
tag -v --format='%(tag)' v1 v2 nothing
log --all --format='%s|%G?|%GS|%GK|%GF|%GP|%GT|%GG'
log --all --show-signature
log --oneline --graph --show-signature
log --no-show-signature -1
show -s --show-signature v1
for-each-ref --format='%(refname) %(contents:signature)' refs/tags`;

test('signatures are checked, and told of, as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  if (!hasKeys) return void t.log('skipped: there is no ssh-keygen');
  for (const format of bothFormats) {
    const repository = makeRepository(t, format, signedHistory);
    for (const allowed of ['allowed', 'nobody', 'expired']) {
      git(['config', 'gpg.ssh.allowedSignersFile', join(repository, allowed)], { cwd: repository });
      await compareWithGit(t, repository, caseLines(checks, { readsOnly: true, compareStderr: true }));
      if (format === 'sha256') break;
    }
  }
});

test('what cairn signs, git verifies', async (t) => {
  if (skipWithoutGit(t)) return;
  if (!hasKeys) return void t.log('skipped: there is no ssh-keygen');
  for (const format of bothFormats) {
    const cwd = makeRepository(t, format, signedHistory);
    for (const argv of [
      ['commit', '-q', '--allow-empty', '-S', '-m', 'by commit'], ['-c', 'commit.gpgSign=true', 'commit', '-q', '--allow-empty', '-m', 'by configuration'],
      ['commit', '-q', '--amend', '--allow-empty', `-S${join(cwd, 'mine')}`, '-m', 'amended'], ['tag', '-s', '-m', 'text', 's1'], ['tag', '-u', join(cwd, 'mine'), '-m', 'text', 's2'],
      ['-c', 'tag.gpgSign=true', 'tag', '-m', 'text', 's3'], ['checkout', '-q', '-b', 'more', 'HEAD~1'], ['commit', '-q', '--allow-empty', '-m', 'unsigned'],
      ['merge', '-q', '--no-ff', '-S', '-m', 'merge', 's1'],
    ]) {
      const result = await cairn(argv, { cwd });
      t.is(result.code, 0, `${argv.join(' ')}: ${result.stderr}`);
    }
    const tree = gitOutput(['rev-parse', 'HEAD^{tree}'], { cwd }).trim();
    const made = await cairn(['commit-tree', '-S', '-m', 'by plumbing', tree], { cwd });
    for (const commit of ['HEAD', 'main', 'main~1', made.stdout.trim()]) t.is(git(['verify-commit', commit], { cwd }).code, 0, commit);
    t.is(git(['verify-commit', 'HEAD~1'], { cwd }).code, 1);
    for (const tag of ['s1', 's2', 's3']) t.is(git(['verify-tag', tag], { cwd }).code, 0, tag);
    t.regex(gitOutput(['log', '-1', '--show-signature'], { cwd }), /merged tag 's1'\nGood "git" signature/);
    t.is(git(['fsck', '--strict'], { cwd }).code, 0);
  }
});

test('nothing is stored when it cannot be signed', async (t) => {
  if (skipWithoutGit(t)) return;
  if (!hasKeys) return void t.log('skipped: there is no ssh-keygen');
  const cwd = makeRepository(t, 'sha1', signedHistory);
  const head = gitOutput(['rev-parse', 'HEAD'], { cwd });
  for (const [config, code] of [['user.signingKey=/nowhere/key', 'signing-failed'], ['gpg.ssh.program=/nowhere/program', 'no-signing-program'],
    ['gpg.format=wax', 'bad-config-value'], ['gpg.ssh.program=false', 'signing-failed']] as const) {
    const result = await cairn(['-c', config, 'commit', '--json', '--allow-empty', '-S', '-m', 'never'], { cwd });
    t.not(result.code, 0);
    t.is(JSON.parse(result.stderr).code, code);
    const tagged = await cairn(['-c', config, 'tag', '-s', '-m', 'never', 'never'], { cwd });
    t.not(tagged.code, 0);
  }
  t.is(gitOutput(['rev-parse', 'HEAD'], { cwd }), head);
  t.is(git(['rev-parse', '-q', '--verify', 'refs/tags/never'], { cwd }).code, 1);
});

test('a signature is taken off where it stands, and the rest is what was signed', (t) => {
  const tree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
  const person = 'A <a@b> 1 +0000';
  const head = `tree ${tree}\nauthor ${person}\ncommitter ${person}\n`;
  const own = 'gpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\n';
  const other = own.replace('gpgsig', 'gpgsig-sha256');
  const commit = Buffer.from(`${head}${own}encoding x\n${other}\ngpgsig in the message\n`);
  t.deepEqual(splitCommit(commit, 'sha1'), {
    payload: Buffer.from(`${head}encoding x\n\ngpgsig in the message\n`), signature: Buffer.from('-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n'),
  });
  t.is(splitCommit(Buffer.from(`${head}\ngpgsig x\n`), 'sha1'), undefined);
  const armour = '-----BEGIN PGP SIGNATURE-----\n\nAA\n-----END PGP SIGNATURE-----\n';
  t.is(signatureStart(`text\n${armour}more\n${armour}`), `text\n${armour}more\n`.length);
  t.is(splitTag(Buffer.from('object x\n\nno signature -----BEGIN PGP SIGNATURE-----\n')), undefined);
});
