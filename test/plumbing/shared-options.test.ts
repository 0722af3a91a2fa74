// The options many commands share, one by one with each of them: a table that is right for one command can still be wired wrongly in another.
import test from 'ava';
import { caseLines } from '../helpers/case-lines.js';
import { bothFormats, compareWithGit, makeRepository } from '../helpers/differential.js';
import { skipWithoutGit } from '../helpers/stock-git.js';

const story = `
printf 'one\\ntwo\\nthree\\n\\tfour\\nfive  \\nsix\\nseven\\n' > text; seq 40 > numbers; printf 'a\\0b' > bytes; mkdir -p dir/deep; seq 9 > dir/inner; seq 80 > dir/deep/long; echo gone > removed; ln -s text link
git add .; git commit -qm 'first commit'; git tag v1
for i in 1 2 3; do echo $i >> numbers; git commit -qam "change $i" --author="Person $i <p$i@example.com>"; done
git checkout -qb side HEAD~2; seq 12 > dir/inner; git commit -qam 'on side'; git checkout -q main; git merge -q --no-edit side; git tag -am annotated v2
git update-ref refs/remotes/origin/main HEAD~1; echo note | git hash-object -w --stdin > /dev/null
printf 'one\\ntwo words\\nthree \\n  four\\nfive\\nsix\\n' > text; seq 2 41 > numbers; printf 'a\\0c' > bytes; mv dir/deep/long dir/deep/moved; cp dir/inner copy; rm removed; chmod +x dir/inner; rm link; echo file > link
git add -A; git reset -q -- numbers text; echo staged > added; git add added; git add -N dir; echo intended > intent; git add -N intent
printf 'order\\ndir/*\\n' > .git/order
`;

const diffOptions = `
-p
-u
-s
-U1
--unified=0
-W
--raw
--stat
--stat=60,20,2
--stat-width=50 --stat
--stat-name-width=10 --stat
--stat-graph-width=5 --stat
--stat-count=1 --stat
--numstat
--shortstat
--dirstat
-X lines
--dirstat=files,10,cumulative
--cumulative
--dirstat-by-file
--summary
--compact-summary
--patch-with-stat
--patch-with-raw
--name-only
--name-status
--check
-z
-z --numstat
-M -p
-M90
--no-renames -p
--no-rename-empty -M
--rename-empty -M
-C
--find-copies-harder -C --name-status
-B
--break-rewrites=10/20 -p
-D -p
-l1 -M
--diff-filter=M
--diff-filter=ad
-S three
-S three --pickaxe-all
-G t.o
-S 't[hw]' --pickaxe-regex
--find-object=v1:text
-O.git/order
--rotate-to=numbers
--skip-to=numbers
-R
-R -p
--relative=dir
--relative
--no-relative
-a -p
-w -p
-b -p
--ignore-space-at-eol -p
--ignore-cr-at-eol -p
--ignore-blank-lines -p
-I '^[0-9]' -p
--inter-hunk-context=3 -p
--minimal -p
--patience -p
--histogram -p
--anchored=three -p
--diff-algorithm=myers -p
--diff-algorithm=patience -p
--indent-heuristic -p
--no-indent-heuristic -p
--word-diff
--word-diff=porcelain
--word-diff-regex=[a-z]+
--color-words
--color -p
--color=never -p
--no-color -p
--color --ws-error-highlight=all -p
--output-indicator-new=> -p
--output-indicator-old=< -p
--output-indicator-context=. -p
--full-index -p
--abbrev
--abbrev=10
--abbrev=6 -p
--src-prefix=x/ -p
--dst-prefix=y/ -p
--no-prefix -p
--line-prefix=: -p
--combined-all-paths -c
--submodule=short -p
--ignore-submodules
--ignore-submodules=dirty
--ita-invisible-in-index
--ita-visible-in-index
--output=.git/out -p
--exit-code
--quiet
--no-ext-diff -p
--ext-diff --name-only
--no-textconv -p
--textconv --stat
--binary --stat
--color-moved=no -p
-r
-t
--no-patch
`;

/** Where the commands take them. */
const comparisons = ['diff-files', 'diff-index HEAD', 'diff-index --cached HEAD', 'diff-tree -r v1 HEAD'];

for (const format of bothFormats) {
  for (const command of comparisons) {
    test(`${command} takes every option of differences (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      const [name, ...rest] = command.split(' ');
      const lines = diffOptions.trim().split('\n').filter((line) => !(name === 'diff-files' && (line === '-r' || line === '-t')));
      // Copied files look changed until they are looked at again.
      const refresh = { argv: ['update-index', '-q', '--refresh'] };
      await compareWithGit(t, makeRepository(t, format, story), [refresh, ...caseLines(lines.map((line) => `${name} ${line} ${rest.join(' ')}`).join('\n'), { readsOnly: true })]);
    });
  }
}

const walkOptions = `
-n 2 main
--max-count=1 main
-1 main
--skip=1 main
--since=2000-01-01 main
--after=2000-01-01 main
--since-as-filter=2000-01-01 main
--until=2035-01-01 main
--before=2035-01-01 main
--max-age=100 main
--min-age=4000000000 main
--author=Person main
--committer=Mitter main
--grep=change main
-g --grep-reflog=commit main
--grep=change --grep=2 --all-match main
--grep=change --invert-grep main
-i --grep=CHANGE main
--basic-regexp --grep=change main
-E --grep=change|side main
-F --grep=change main
-P --grep=change main
--merges main
--no-merges main
--min-parents=1 main
--max-parents=1 main
--no-min-parents main
--first-parent main
--exclude-first-parent-only main ^side
main --not v1
--all
--branches
--branches=s*
--tags=v2
--remotes
--glob=heads
--exclude=refs/remotes/* --all
--exclude-hidden=receive --branches
--alternate-refs main
--indexed-objects main
--single-worktree --branches
--ignore-missing main
--default main
--cherry-mark main...side
--cherry-pick main...side
--left-only main...side
--right-only main...side
--cherry main...side
-g main
--boundary v1..main
--full-history main -- dir
--dense main -- dir
--sparse main -- dir
--show-pulls main -- dir
--remove-empty main -- removed
--simplify-merges main -- dir
--simplify-by-decoration main
--ancestry-path v1..main
--unpacked main
--date-order main
--author-date-order main
--topo-order main
--reverse main
--no-walk main
--do-walk main
--parents main
--children main
--left-right main...side
--bisect main
--merge
--graph main
`;

/** Who takes them, and the options that have no meaning there, which everybody refuses in words of his own. */
const walkers: Readonly<Record<string, RegExp>> = {
  'rev-list': /^$/,
  'rev-list --objects': /^-g/,
  'fast-export --signed-tags=strip --tag-of-filtered-object=drop': /^-g|^--children|^--default/,
  'shortlog -s -e': /^-n |^--committer|^--single-worktree|^-g/,
  'bundle create .git/bundle': /^-g|^--right-only|^--cherry main|^--exclude-hidden/,
};

for (const format of bothFormats) {
  for (const [command, unfit] of Object.entries(walkers)) {
    test(`${command} takes every option of walks (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      const lines = walkOptions.trim().split('\n').filter((line) => !unfit.test(line)).map((line) => `${command} ${line}`);
      const repository = makeRepository(t, format, `${story}\ngit reset -q --hard`);
      await compareWithGit(t, repository, [...caseLines(lines.join('\n'), { readsOnly: true }), { argv: [...command.split(' '), '--stdin'], stdin: 'main\n^v1\n', readsOnly: true }]);
    });
  }
}
