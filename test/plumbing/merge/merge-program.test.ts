// Merges of contents by programs of the user's, as the attribute merge asks for them.
import test from 'ava';
import { caseLines } from '../../helpers/case-lines.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
printf '%s\\n' '*.ok merge=ok' '*.bad merge=bad' '*.die merge=die' '*.none merge=none' '*.u merge=union' '*.b merge=binary' '*.t merge' '*.x -merge' '*.rec merge=rec' > .gitattributes
git config merge.ok.driver 'cat %O %A %B > %A.new; echo "L=%L P=%P %% %X" >> %A.new; mv %A.new %A'
git config merge.bad.driver 'echo bad >> %A; echo out; exit 1'
git config merge.die.driver 'exit 200'
git config merge.rec.driver 'echo rec >> %A'
git config merge.rec.recursive binary
fill() { for f in a.ok b.bad d.die n.none u.u b.b t.t x.x plain r.rec 'sp ace.ok'; do printf "$1" > "$f"; done; }
fill '1\\n2\\n3\\n'; git add .; git commit -qm base; git branch side
fill '1\\nours\\n3\\n'; git commit -qam ours
git checkout -q side; fill '1\\ntheirs\\n3\\n'; git commit -qam theirs
git checkout -q -b x1 main; git merge -q -s ours side -m x1; git checkout -q -b x2 side; git merge -q -s ours main -m x2
for n in 1 2; do git checkout -q -b cross$n x$n; for f in *.*; do echo c$n >> "$f"; done; git commit -qam c$n; done; git checkout -q main
`;

for (const format of bothFormats) {
  test(`programs merge the contents whose attribute asks for them (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, fixture), caseLines(`
      merge-tree --write-tree main side
      merge-tree --write-tree cross1 cross2
      merge-tree main main side
      -c merge.default=ok merge-tree --write-tree main side
      -c merge.default=union merge-tree --write-tree main side
      -c merge.default=binary merge-tree --write-tree main side
      -c merge.default=none merge-tree --write-tree main side
      -c merge.none.name=nothing merge-tree --write-tree main side
      -c merge.none.driver= merge-tree --write-tree main side
      -c merge.none.driver=no-such-program merge-tree --write-tree main side
      -c merge.none.driver='rm %A' merge-tree --write-tree main side
      -c merge.text.driver=false merge-tree --write-tree main side
      -c merge.binary.driver=true merge-tree --write-tree main side
      -c merge.conflictstyle=diff3 merge-tree --write-tree main side
    `));
  });
}
