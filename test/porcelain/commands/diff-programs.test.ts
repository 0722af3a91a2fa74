// Programs of the user's in differences: those that convert content, and those that show a difference themselves.
import test from 'ava';
import { caseLines } from '../../helpers/case-lines.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

/** Files that are converted (up), shown by a program (ext), both, or plain, in a history with renames, a change of kind and a merge. */
const fixture = `
printf '%s\\n' '*.up diff=up' '*.ext diff=ext' '*.both diff=both' '*.bin diff=up' '*.fail diff=fail' > .gitattributes
git config diff.up.textconv 'tr a-z A-Z <'
git config diff.ext.command 'echo EXT $GIT_DIFF_PATH_COUNTER of $GIT_DIFF_PATH_TOTAL: $# "$1" "$3" "$4" "$6" "$7" "$8" "$9"; cat "$2" "$5"; true'
git config diff.both.textconv 'sed s/^/T:/'
git config diff.both.command 'echo BOTH "$1"; true'
git config diff.fail.textconv false
printf 'one\\ntwo\\nthree\\n' > a.up; cp a.up a.ext; cp a.up a.both; cp a.up plain; printf 'x\\0y\\n' > x.bin; cp a.up gone.up; cp a.up mv.up
seq 30 > mv2.ext; cp a.up typ.up; cp a.up typ.ext; mkdir sub; cp a.up sub/s.up; cp a.up sub/s.ext; : > empty.up; cp a.up f.fail
git add .; git commit -qm one
sed -i s/two/deux/ a.up a.ext a.both plain sub/s.up sub/s.ext; printf 'x\\0z\\n' > x.bin; git rm -q gone.up; git mv mv.up mv.new.up; git mv mv2.ext mv3.ext
echo 31 >> mv3.ext; rm typ.up typ.ext; ln -s a typ.up; ln -s a typ.ext; cp a.up new.up; cp a.up new.ext; chmod +x a.ext
git add .; git commit -qm two
git checkout -q -b side HEAD~1; sed -i s/three/trois/ a.up a.ext; sed -i s/one/un/ plain; git commit -qam side; git checkout -q main
git merge -q side -m merged >/dev/null 2>&1 || true; sed -i '/^[<=>]/d' a.up a.ext plain; git commit -qam merged
sed -i s/one/eins/ a.up a.ext plain sub/s.up; echo changed >> a.both; rm new.ext; git add a.up
`;

for (const format of bothFormats) {
  test(`programs convert and show what changed where they may (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, fixture), caseLines(`
      update-index -q --refresh
      diff
      diff HEAD
      diff --cached
      diff HEAD~2 HEAD~1
      diff --no-ext-diff HEAD~2 HEAD~1
      diff --no-renames --no-textconv HEAD~2 HEAD~1
      diff -R --no-ext-diff --no-textconv HEAD~1 HEAD
      diff --stat -p HEAD
      diff --check
      diff --exit-code
      diff -w --exit-code plain a.ext
      diff -GONE HEAD~1 -- a.up sub
      diff -SDEUX HEAD~1 -- a.up sub
      diff -SDEUX --no-textconv HEAD~1
      diff --binary --no-ext-diff HEAD~2 HEAD~1
      diff --full-index --word-diff --no-ext-diff
      diff HEAD:a.up HEAD~1:a.up
      diff --no-index plain a.ext
      diff --line-prefix=| HEAD~1
      sub$ diff --relative HEAD~2 HEAD~1
      log -p -2
      log -p --ext-diff --all
      log -GONE --oneline -2
      log -GONE --oneline
      show HEAD
      show -m --ext-diff HEAD
      show --no-textconv HEAD
      show HEAD:a.up
      show --textconv HEAD:a.up
      show --textconv HEAD:x.bin
      diff-tree -p HEAD~2 HEAD~1
      diff-tree -p -M --ext-diff --textconv HEAD~2 HEAD~1
      diff-tree --cc --textconv HEAD
      diff-files -p
      diff-files -p --textconv
      diff-files -p --ext-diff
      diff-index -p --textconv HEAD
      diff-index -p --ext-diff HEAD
      -c diff.external='echo C;true' diff HEAD~2
      -c diff.external='echo C;cat' diff --no-ext-diff HEAD~2
      -c diff.external=false diff
      -c diff.external= diff
      -c diff.external=no-such-program diff
      -c diff.up.textconv=false diff
      -c diff.up.textconv= diff
      -c diff.up.textconv=cat diff
      -c diff.up.binary=true diff
      -c diff.up.binary=true diff --no-textconv
      -c diff.up.xfuncname=ONE diff -U0
    `, { readsOnly: true }).concat([
      { argv: ['diff', 'HEAD~2', 'HEAD~1'], env: { GIT_EXTERNAL_DIFF: 'echo $# $1;true' }, readsOnly: true },
      { argv: ['diff', '--no-ext-diff'], env: { GIT_EXTERNAL_DIFF: 'false' }, readsOnly: true },
      { argv: ['log', '-p', '-2'], env: { GIT_EXTERNAL_DIFF: 'false' }, readsOnly: true },
      { argv: ['diff-files', '-p'], env: { GIT_EXTERNAL_DIFF: 'false' }, readsOnly: true },
    ]));
  });
}
