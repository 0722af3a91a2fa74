// What prune removes is what git's removes, and says it in the same words.
import test from 'ava';
import { cpSync, readdirSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { bothFormats, makeRepository, recordCase } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, gitOutput, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

const month = 30 * 24 * 3600;
const fixture = `
  for i in 1 2 3; do echo $i >file; git add file; git commit -qm $i; done
  git repack -q
  git checkout -q -b side HEAD~1; echo side >side; git add side; git commit -qm side; git checkout -q main
  git reflog expire --expire=all --all; git branch -qD side
  echo staged >staged; git add staged; echo lost | git hash-object -w --stdin
`;

function age(repository: string, id: string, seconds: number): void {
  const when = Date.now() / 1000 - seconds;
  utimesSync(join(repository, '.git/objects', id.slice(0, 2), id.slice(2)), when, when);
}

function files(repository: string): string[] {
  return runProgram('find', ['.git/objects', '-type', 'f'], { cwd: repository }).stdout.split('\n').sort();
}

const requests: readonly { readonly argv: readonly string[]; readonly before?: string }[] = [
  { argv: [] }, { argv: ['-n'] }, { argv: ['-v'] }, { argv: ['-v', '--expire=1.week.ago'] }, { argv: ['-n', '--expire=never'] }, { argv: ['-v', '--expire=now'] },
  { argv: ['-v'], before: 'git rm -q --cached staged' }, { argv: ['-v'], before: 'git update-ref -d refs/heads/main; rm -rf .git/logs .git/index' },
  { argv: ['-v', '--expire=1.week.ago'], before: 'git update-ref -d refs/heads/main; rm -rf .git/logs .git/index' }, { argv: ['nosuch'] }, { argv: ['-x'] },
  { argv: ['-n', 'HEAD~1'] }, { argv: ['--progress'] }, { argv: ['--expire=now', '--no-expire'] },
];

for (const format of bothFormats) {
  test(`the same objects go, and the same lines are printed (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, fixture);
    const lost = gitOutput(['hash-object', '--stdin'], { cwd: repository, stdin: 'lost\n' });
    age(repository, gitOutput(['rev-parse', ':staged'], { cwd: repository }), month);
    writeFileSync(join(repository, '.git/objects/tmp_obj_left'), 'left');
    const base = makeSandbox(t);
    for (const [number, { argv, before }] of [...requests, { argv: ['-n', lost] }].entries()) {
      const [theirs, ours] = [join(base, `${number}a`), join(base, `${number}b`)];
      for (const copy of [theirs, ours]) {
        cpSync(repository, copy, { recursive: true, preserveTimestamps: true });
        if (before !== undefined) runProgram('sh', ['-c', before], { cwd: copy });
      }
      const label = `${before ?? ''} prune ${argv.join(' ')}`;
      const expected = git(['prune', ...argv], { cwd: theirs });
      const actual = await cairn(['prune', ...argv], { cwd: ours, nowMs: Date.now() });
      recordCase(['prune', ...argv]);
      t.is(actual.code, expected.code, label);
      if (expected.code === 129) continue;
      t.deepEqual(actual.stdout.split('\n').sort(), expected.stdout.split('\n').sort(), label);
      t.deepEqual(files(ours), files(theirs), label);
    }
  });
}

test('nothing goes while something that is needed is missing', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'mkdir d; echo x >d/x; git add d; git commit -qm x');
  const tree = gitOutput(['rev-parse', 'HEAD:d'], { cwd: repository });
  const objects = join(repository, '.git/objects');
  unlinkSync(join(objects, tree.slice(0, 2), tree.slice(2)));
  runProgram('rm', ['.git/index'], { cwd: repository });
  const before = files(repository);
  const result = await cairn(['prune'], { cwd: repository, nowMs: Date.now() });
  t.is(result.code, 128);
  t.regex(result.stderr, /is needed and missing/);
  t.deepEqual(files(repository), before);
  t.true(readdirSync(objects).length > 2);
});
