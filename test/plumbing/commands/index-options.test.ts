import test from 'ava';
import { caseLines } from '../../helpers/case-lines.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  mkdir -p dir/sub; printf 'a\\n' > a.txt; printf 'b\\0' > b.bin; echo y > dir/sub/y; echo z > dir/z; ln -s a.txt link; printf '*.txt text eol=lf\\n*.bin -text diff=hex\\n' > .gitattributes
  git add .; git commit -qm one; git rm -qr dir/sub; echo more >> a.txt; git add .; git commit -qm two; git branch two; git commit -qm three --allow-empty
  git update-index --refresh; rm dir/z; echo new > new.txt`;

for (const format of bothFormats) {
  test(`ls-files lists with rarer options as git does, ${format}`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, fixture), caseLines(`
      ls-files --with-tree=HEAD~2 -t
      ls-files --with-tree=HEAD~2 -c dir
      ls-files --recurse-submodules -s
      ls-files --recurse-submodules -o
      ls-files --recurse-submodules --error-unmatch a.txt
      ls-files --sparse
      ls-files --no-sparse -s
      ls-files -cdmokut
      ls-files -u -d
      ls-files --resolve-undo
      ls-files ':(attr:text)'
      ls-files ':(attr:-text)'
      ls-files ':(attr:!text)'
      ls-files ':(attr:text eol=lf)'
      ls-files ':(attr:diff=hex)' link
      ls-files ':(exclude,attr:text)'
      ls-files ':(attr:text=)'
      ls-files ':(attr:)'
      ls-files ':(attr:-a=b)'
      ls-files ':(attr:a=$)'
      ls-files ':(attr:a=b\\c)'
      ls-files ':(attr:a=b\\)'
      ls-files ':(attr:text,attr:eol)'
      ls-files ':(attr:text,icase)*.TXT'
      ls-files -o ':(attr:text)'
      ls-files ':(prefix:0)dir'
      ls-files ':(prefix:3,icase)dir/Z'
      ls-files ':(prefix:3,icase)DIR/Z'
      ls-files ':(prefix:x)dir'
      dir/..$ ls-files ':(attr:text)'
      rm -r -n ':(attr:text)'
      status --porcelain ':(attr:text)'
      diff-tree -r HEAD~1 -- ':(attr:text)'
    `, { readsOnly: true }));
  });

  test(`update-index, checkout-index and read-tree take rarer options as git does, ${format}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const id = '1'.repeat(format === 'sha1' ? 40 : 64);
    const cases: Case[] = [
      ...caseLines(`
        update-index --no-split-index
        update-index --untracked-cache
        update-index --no-untracked-cache
        update-index --force-untracked-cache
        update-index --no-fsmonitor
        update-index --fsmonitor-valid a.txt
        update-index --fsmonitor-valid nosuch
        update-index --no-fsmonitor-valid a.txt
        update-index --add --cacheinfo 100644,1234,x
        update-index --add --cacheinfo 100644,${id},x
        update-index --force-remove x
        update-index --skip-worktree dir/z
        checkout-index dir/z
        checkout-index -a -f
        checkout-index --ignore-skip-worktree-bits dir/z
        checkout-index --no-ignore-skip-worktree-bits -f dir/z
        update-index --no-skip-worktree dir/z
        checkout-index --stage=all a.txt
        checkout-index --stage=all nosuch
        checkout-index --stage=all -a
        checkout-index -f -u -a
        read-tree -q -m HEAD~2 HEAD HEAD~1
        read-tree --exclude-per-directory=.gitignore -m HEAD
        read-tree --exclude-per-directory=.gitignore -m -u HEAD
        read-tree -m -u --exclude-per-directory=.gitignore HEAD
        read-tree -m -u --exclude-per-directory=a --exclude-per-directory=b HEAD
        read-tree -u --prefix=a.txt/ HEAD~2:dir
        read-tree --prefix= HEAD~2:dir
        read-tree -m -u HEAD
      `),
      // Stage 0 may lie beside others.
      { argv: ['ls-files', '-s'] },
    ];
    await compareWithGit(t, makeRepository(t, format, fixture), cases);
  });
}

test('read-tree that needs a work tree is refused in a bare repository', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `${fixture}; cp -r .git ../bare.git; git -C ../bare.git config core.bare true; rm -f ../bare.git/index`);
  await compareWithGit(t, `${repository.slice(0, -'/repo'.length)}/bare.git`, caseLines(`
    read-tree HEAD
    read-tree -m HEAD
    read-tree -m HEAD HEAD~2
    read-tree -i -m HEAD HEAD~2
    read-tree --reset HEAD
    read-tree --prefix=x/ HEAD
    read-tree -m -u HEAD
    checkout-index -a
  `));
});

test('pathspecs with attributes limit histories, trees and comparisons as with git', async (t) => {
  if (skipWithoutGit(t)) return;
  await compareWithGit(t, makeRepository(t, 'sha256', fixture), caseLines(`
    rev-list HEAD -- ':(attr:text)'
    rev-list HEAD -- ':(attr:-text)'
    rev-list HEAD -- ':(attr:!text)' ':(exclude)dir/z'
    diff-tree -r --name-status HEAD~2 HEAD -- ':(attr:text)*.txt'
    diff-tree --name-status HEAD~2 HEAD -- ':(attr:!text)'
    diff-tree -r --name-status HEAD~2 HEAD -- ':(attr:!text)dir'
    diff-files --name-status ':(attr:!text)'
    diff-index --cached --name-status HEAD~2 ':(attr:text)'
    ls-tree -r HEAD ':(attr:text)'
    ls-tree -r HEAD ':(prefix:0)dir'
    ls-tree -r HEAD ':!dir'
    ls-tree -r HEAD ':^dir'
  `, { readsOnly: true }));
});
