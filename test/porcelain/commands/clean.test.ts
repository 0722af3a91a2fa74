// clean beside stock git: what goes, what stays, and how it is told.
import test from 'ava';
import { compareScript } from '../../helpers/side-by-side.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `echo '*.o' > .gitignore; echo ign/ >> .gitignore; mkdir t; echo 1 > t/x; git add .; git commit -qm i
  mkdir -p u/v/w e/f ign/q mix/in onlyo; echo 1 > u/1; echo 1 > u/v/2; echo o > u/v/z.o; echo 1 > mix/in/p; echo o > mix/k.o; echo n > new
  echo s > 'sp ace'; echo n > t/n; echo o > t/o.o; echo o > r.o; echo o > onlyo/a.o; echo u > ü
  git init -q nest; git -C nest commit -q --allow-empty -m x; mkdir u2; git init -q u2/in; git -C u2/in commit -q --allow-empty -m x; echo x > u2/f`;

test('clean names and removes what git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const shown = ['', '-n', '-nd', '-ndx', '-ndX', '-nX', '-nx', '-ndff', '-n u', "-n 'u/*'", '-n -e new', "-ndx -e '*.o'", '-ndX -e new', '-n nest u2', "-n -d '*.o' 'n*'"];
  await compareScript(t, 'sha1', fixture, `${shown.map((options) => `$ clean ${options}`).join('\n')}
    $ clean -f t new
    $ clean -fX
    $ clean -fdq mix
    $ clean -fd
    $ clean -fdx
    $ -c clean.requireForce=false clean -x
    $ clean -ffd`);
});
