// mv beside stock git: files and directories, what is refused, and what is told.
import test from 'ava';
import { bothFormats } from '../../helpers/differential.js';
import { compareScript } from '../../helpers/side-by-side.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `for f in a b c 'sp ace' ü; do echo "$f" > "$f"; done; mkdir -p d/e x emptydir; echo 1 > d/1; echo 2 > d/e/2; echo x > x/x; ln -s a l
  git add .; git commit -qm i; echo u > un; echo u2 > d/un`;

const moves = [
  'a z', '-v b x', 'a b x', 'a b nowhere', '-n c d', '-n d y', 'd y', '-v y x', 'd/1 .', 'nonexist q', 'un q', '-k un z x', '-f z c', 'z c', 'x/z c', 'x x/y', 'x x', 'c newdir/',
  'c newdir/c', '-k c newdir/c', '-v x/x x/x2', 'l l2', '-vf l2 c', 'emptydir q', "'sp ace' ü x", '-n x/ü u2', 'x', '-k x/b x/nope d', 'x/b x/b', 'x/ xx/', 'xx/ newx',
];

for (const format of bothFormats) {
  test(`mv moves what git moves, and refuses what git refuses (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareScript(t, format, fixture, moves.map((words) => `$ mv ${words}`).join('\n'));
  });
}
