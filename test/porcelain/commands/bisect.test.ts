import test from 'ava';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { caseLines } from '../../helpers/case-lines.js';
import { compareWithGit, makeRepository } from '../../helpers/differential.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

const history = `
export GIT_AUTHOR_DATE='1112911993 +0000' GIT_COMMITTER_DATE='1112911993 +0000'
t=1112911993
c() { t=$((t+60)); GIT_AUTHOR_DATE="$t +0000" GIT_COMMITTER_DATE="$t +0000" git commit -q "$@"; }
i=1; while [ $i -le 20 ]; do echo $i >> f; [ $((i%3)) = 0 ] && echo $i >> g; [ $i -ge 13 ] && echo bug > bug; git add .; c -m "commit $i"; git tag t$i; i=$((i+1)); done
git checkout -q -b side t8; for j in 1 2 3 4; do echo $j > s; git add .; c -m "side $j"; git tag s$j; done
git checkout -q main; t=$((t+60)); GIT_COMMITTER_DATE="$t +0000" git merge -q -m 'merge side' side; git tag m
for j in 1 2 3; do echo x$j > x; git add .; c -m "last $j"; done
printf '#!/bin/sh\\ntest ! -f bug\\n' > test.sh; chmod +x test.sh; echo test.sh > .git/info/exclude
`;

/** Each from the beginning. */
const sessions: readonly string[] = [
  `bisect
bisect bogus
bisect log
bisect reset
bisect good
bisect next
bisect terms
bisect start
bisect log
bisect terms
bisect bad
bisect terms
bisect good t1
bisect log
bisect good
bisect bad
bisect skip
bisect skip
bisect good nosuch
bisect bad t1 t2
bisect old
bisect log
bisect next
bisect reset`,
  `bisect start HEAD t1
bisect good
bisect bad
bisect bad
bisect good
bisect bad
bisect log
bisect terms --term-good
bisect terms --term-new
bisect terms --bogus
bisect reset t3
bisect log`,
  `bisect start HEAD t1 -- g
bisect good
bisect bad
bisect good
bisect bad
bisect log
bisect start t20 t12
bisect bad
bisect bad
bisect bad
bisect log
bisect reset`,
  `bisect start HEAD t1 g
bisect bad
bisect reset
bisect start --term-new=broken --term-old fine HEAD t1
bisect broken
bisect good
bisect fine
bisect terms
bisect log
bisect reset
bisect start --bogus
bisect start nosuch --
bisect start nosuch
bisect reset
bisect start
bisect new
bisect old t2
bisect bad
bisect new
bisect reset`,
  `bisect start --no-checkout HEAD t1
bisect good
bisect bad t12
bisect reset
bisect start --first-parent HEAD t1
bisect good
bisect bad
bisect good
bisect reset`,
  `bisect start s4 t12
bisect good
bisect good
bisect bad
bisect log
bisect reset
bisect start t8 s1
bisect start s4 t12
bisect bad
bisect reset
bisect start t3 t9
bisect reset`,
  `bisect start HEAD t1
bisect skip t5 t6 t7 t8 t9 t10 t11 t12 t13 t14 t15
bisect skip
bisect good
bisect skip t16 t17 t18
bisect bad t14
bisect good t12
bisect log
bisect skip t13
bisect reset`,
  `bisect start t15 t12
bisect skip t13 t14
bisect log
bisect bad t12
bisect log
bisect reset`,
  `bisect start HEAD t1
bisect run ./test.sh
bisect log
bisect reset`,
  `bisect start HEAD t1
bisect run sh -c 'exit 125'
bisect reset
bisect start HEAD t1
bisect run sh -c 'exit 200'
bisect run
bisect run /nosuch
bisect reset
bisect run true`,
  `bisect start HEAD t1
bisect good
bisect bad
bisect log
bisect replay nosuch
bisect replay
bisect reset
bisect reset
bisect start HEAD~3 HEAD~10
bisect good
bisect reset
status --porcelain`,
  `bisect start main t1
bisect reset
rev-parse HEAD
bisect start t5 t5
bisect reset`,
];

for (const [at, lines] of sessions.entries()) {
  test(`commits are tested in the order git tests them: ${at + 1}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, at % 3 === 2 ? 'sha256' : 'sha1', history);
    await compareWithGit(t, repository, caseLines(lines));
  });
}

test('a bisection goes on with the other program, and can be replayed from its log', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const options = { cwd: repository };
  t.is(git(['bisect', 'start', 'HEAD', 't1'], options).code, 0);
  t.is((await cairn(['bisect', 'good'], options)).code, 0);
  t.is(git(['bisect', 'bad'], options).code, 0);
  const log = (await cairn(['bisect', 'log'], options)).stdout;
  t.is(log, readFileSync(join(repository, '.git/BISECT_LOG'), 'latin1'));
  t.is((await cairn(['bisect', 'reset'], options)).code, 0);
  t.is(git(['bisect', 'log'], options).code, 1);
  writeFileSync(join(repository, '.git/log'), log);
  const replayed = git(['bisect', 'replay', '.git/log'], options);
  t.is(git(['bisect', 'reset'], options).code, 0);
  t.is((await cairn(['bisect', 'replay', '.git/log'], options)).stdout, replayed.stdout);
});
