// stash beside stock git: what is set aside and brought back, and that both read each other's entries.
import test from 'ava';
import { cairn, cairnOutput } from '../../helpers/cairn.js';
import { bothFormats, makeRepository } from '../../helpers/differential.js';
import { compareScript } from '../../helpers/side-by-side.js';
import { git, gitOutput, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `seq 20 > f; echo g > g; mkdir d; echo h > d/h; echo '*.o' > .gitignore; git add .; git commit -qm 'first thing'; seq 21 > f; git commit -qam second`;

const scripts: Readonly<Record<string, string>> = {
  'changes are set aside and come back': `
    sed -i 3s/.*/X/ f; echo y >> g; git add g; echo un > un; echo o > x.o; mkdir -p e/f; echo q > e/f/g
    $ stash push -u -m 'a message'
    $ stash list
    $ stash show
    $ stash show -u --name-status
    $ stash show --only-untracked -p
    $ stash pop --index
    $ stash push -a
    $ stash pop -q
    $ stash push -k -- g
    $ stash push f
    $ stash list --stat
    $ stash pop 1
    $ stash drop 4
    $ stash pop
    $ stash
    $ stash branch other
    $ stash push nonexistent
    $ stash save one two
    $ stash clear`,
  'what is in the way keeps an entry from being dropped': `
    sed -i 3s/.*/X/ f; echo un > un
    $ stash -u
    sed -i 3s/.*/Y/ f
    $ stash pop
    git commit -qam conflict; echo other > un
    $ stash pop
    $ stash
    $ stash list
    git checkout -q -f; rm un
    $ stash apply --index`,
  'only what is staged can be set aside': `
    echo a >> f; sed -i 2s/.*/two/ f; git add f; echo b >> g; sed -i 15s/.*/fifteen/ f
    $ stash push --staged -m st
    $ status -s
    $ stash show -p
    $ stash pop
    $ stash push -S -u
    git reset -q --hard
    $ stash push --staged`,
  'entries are made, stored and named by hand': `
    $ stash create
    $ stash store
    echo a >> f; git update-ref refs/made $(git stash create 'some text')
    $ stash store -m hello refs/made
    $ stash store refs/nothing
    $ stash list --format=%gd:%gs
    $ -c stash.showPatch=true stash show
    $ stash show --exit-code
    $ stash show HEAD
    $ stash drop HEAD
    $ stash bogus
    $ stash clear x
    git rm -q --cached g; rm d/h; mv f h; git add h
    $ stash
    $ stash pop --index`,
};

for (const [name, script] of Object.entries(scripts)) {
  for (const format of name.startsWith('changes') ? bothFormats : ['sha1'] as const) {
    test(`${name} (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      await compareScript(t, format, fixture, script);
    });
  }
}

test('git brings back what cairn set aside, and the other way round', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', `${fixture}; echo mine >> f; echo u > u`);
  await cairnOutput(['stash', '-u'], { cwd });
  t.is(gitOutput(['status', '-s'], { cwd }), '');
  gitOutput(['stash', 'pop'], { cwd });
  t.is(gitOutput(['status', '-s'], { cwd }), ' M f\n?? u');
  gitOutput(['stash', '-u'], { cwd });
  t.is((await cairn(['stash', 'pop', '--index'], { cwd })).code, 0);
  t.is(gitOutput(['status', '-s'], { cwd }), ' M f\n?? u');
});

test('nothing is set aside before the first commit', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', 'echo a > a; git add a');
  t.is((await cairn(['stash'], { cwd })).code, git(['stash'], { cwd }).code);
  t.is(runProgram('cat', ['a'], { cwd }).stdout, 'a\n');
});
