import test from 'ava';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { makeRepository, stateOf } from '../../helpers/differential.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

/** Three trees read into the index: something of every case merge-one-file knows. */
const unmerged = `
  seq 1 20 > clean; seq 1 20 > conflict; echo gone > gone-ours; echo gone > gone-theirs; echo both > gone-both; echo kept > changed-gone; echo x > modes
  git hash-object -w --stdin </dev/null >/dev/null; git add -A; git commit -qm base; git tag base
  sed -i 's/^2$/two/' clean; sed -i 's/^2$/ours/' conflict; git rm -q gone-ours gone-both; echo changed >> changed-gone; echo a > added-ours; echo same > added-same; echo one > added-both; chmod +x modes
  git add -A; git commit -qm ours; git tag ours; git checkout -q -b side base
  sed -i 's/^15$/fifteen/' clean; sed -i 's/^2$/theirs/' conflict; git rm -q gone-theirs gone-both changed-gone; echo b > added-theirs; echo same > added-same; echo two > added-both; echo y >> modes
  git add -A; git commit -qm theirs; git checkout -q main; git read-tree -m -i base ours side
`;

test('merge-index runs a program for every unmerged file, and stops where it fails', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', `${unmerged}\nprintf '#!/bin/sh\\necho "$@"; test "$4" != conflict\\n' > ../show; chmod +x ../show`);
  const program = join(cwd, '../show');
  for (const argv of [['-a'], ['clean'], ['--', 'clean', 'conflict'], ['none'], ['-x'], []]) {
    for (const options of [[], ['-o'], ['-q'], ['-o', '-q']]) {
      const [expected, actual] = [git(['merge-index', ...options, program, ...argv], { cwd }), await cairn(['merge-index', ...options, program, ...argv], { cwd })];
      t.is(actual.code, expected.code, [...options, ...argv].join(' '));
      t.is(actual.stdout, expected.stdout, [...options, ...argv].join(' '));
    }
  }
});

test('merge-one-file does what the script does, file by file', async (t) => {
  if (skipWithoutGit(t)) return;
  const [theirs, ours] = [makeRepository(t, 'sha1', unmerged), makeRepository(t, 'sha1', unmerged)];
  const argv = ['merge-index', '-o', 'git-merge-one-file', '-a'];
  const [expected, actual] = [git(argv, { cwd: theirs }), await cairn(argv, { cwd: ours })];
  t.is(actual.code, expected.code);
  t.is(actual.stdout, expected.stdout);
  t.is(stateOf(ours).index, stateOf(theirs).index);
  const marked = (cwd: string, name: string): string => readFileSync(join(cwd, name), 'utf8').replace(/(<<<<<<<|>>>>>>>) .*/g, '$1');
  for (const name of ['clean', 'conflict', 'added-both', 'modes', 'changed-gone']) t.is(marked(ours, name), marked(theirs, name), name);
  t.is(git(['status', '--porcelain'], { cwd: ours }).stdout, git(['status', '--porcelain'], { cwd: theirs }).stdout);
  const blob = git(['rev-parse', 'side:added-theirs'], { cwd: ours }).stdout.trim();
  for (const words of [['', '', blob, 'sub/fresh', '', '', '100644'], ['', '', blob, 'clean', '', '', '100644'], ['', blob, blob, 'twice', '', '100644', '100755'], ['', blob, '', 'mine', '', '100755', '']]) {
    const direct = ['merge-one-file', ...words];
    const [one, two] = [git(direct, { cwd: theirs }), await cairn(direct, { cwd: ours })];
    t.is(two.code, one.code, words.join(' '));
    t.is(two.stdout, one.stdout, words.join(' '));
  }
  t.is(stateOf(ours).index, stateOf(theirs).index);
  t.is((await cairn(['merge-one-file', 'a'], { cwd: ours })).code, 1);
});
