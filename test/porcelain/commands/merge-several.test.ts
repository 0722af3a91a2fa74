// merge of several branches, and options of the strategy, beside stock git.
import test from 'ava';
import { bothFormats } from '../../helpers/differential.js';
import { compareScript } from '../../helpers/side-by-side.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `seq 20 > f; seq 30 > long; printf 'a b\\nc d\\n' > spaces; git add .; git commit -qm base
for b in a b c; do git checkout -q -b $b main; echo $b > $b; git add .; git commit -qm "on $b"; done
git checkout -q -b x main; sed -i 's/^3$/x/' f; git commit -qam x; git checkout -q -b y a; sed -i 's/^3$/y/' f; git commit -qam y
git checkout -q -b low main; sed -i 's/^18$/low/' f; git commit -qam low
git checkout -q -b moved main; git mv long longer; sed -i 's/^2$/two/' longer; git commit -qam moved
git checkout -q -b spaced main; printf 'a  b\\nc d\\nsp\\n' > spaces; git commit -qam spaced
git checkout -q main; git branch start; git tag -a -m 'plain tag' ta a; echo m > m; sed -i 's/^20$/last/' long; printf 'a b \\nc d\\n' > spaces; git add .; git commit -qm m; git branch side`;

const scripts: Readonly<Record<string, string>> = {
  'several branches become parents of one commit': `
    $ merge a b c
    $ log --format=%P%n%B -1
    $ log -g --format=%gs -2
    $ merge a b
    $ reset -q --hard side
    $ merge a a y low
    $ log --format=%P%n%B -1
    $ reset -q --hard side
    $ merge start a
    $ reset -q --hard side
    $ merge -m 'my words' --no-stat ta b
    $ reset -q --hard side
    $ merge -q -s octopus a b
    $ reset -q --hard side
    $ merge -s ours a b c
    $ log --format=%P -1`,
  'HEAD is no parent where it is behind': `
    git checkout -q --detach start
    $ merge a b c
    $ log --format=%P%n%B -1
    $ reset -q --hard start
    $ merge --no-ff a b
    $ log --format=%P -1
    $ reset -q --hard start
    $ merge --no-commit a b
    $ commit -q -m mine
    $ log --format=%P%n%B -1
    $ reset -q --hard start
    $ merge --squash a b c`,
  'several are left to be committed, or refused': `
    $ merge --no-commit a b
    $ commit -q -m mine
    $ log --format=%P%n%B -1
    $ reset -q --hard side
    $ merge --squash a b
    $ reset -q --hard side
    $ merge -s ort a b
    $ merge x low
    sed -i 's/^3$/z/' f; git commit -qam z
    $ merge x a`,
  'a tag is what MERGE_HEAD names': `
    $ merge --no-commit ta
    $ commit -q -m mine
    $ log --format=%P%n%B -1
    $ reset -q --hard side
    $ merge --no-commit ta b`,
  'options of the strategy': `
    $ merge -X ignore-space-change spaced
    $ reset -q --hard side
    $ merge -X ignore-all-space -X patience spaced
    $ reset -q --hard side
    $ merge -X ignore-space-at-eol spaced
    $ reset -q --hard side
    $ merge -X find-renames=99% moved
    $ reset -q --hard side
    $ merge -X rename-threshold=40 -X diff-algorithm=myers moved`,
};

for (const [name, script] of Object.entries(scripts)) {
  for (const format of bothFormats) {
    test(`${name} (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      await compareScript(t, format, fixture, script);
    });
  }
}
