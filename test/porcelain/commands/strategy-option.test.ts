// -X of cherry-pick, revert and rebase beside stock git, also where they stop and go on later.
import test from 'ava';
import { bothFormats } from '../../helpers/differential.js';
import { compareScript } from '../../helpers/side-by-side.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `seq 9 > f; printf 'a b\\nc d\\n' > spaces; git add .; git commit -qm base; git checkout -q -b side
printf 'a  b\\nc d\\nmore\\n' > spaces; git commit -qam spaced; sed -i 's/^5$/side/' f; git commit -qam five; echo 10 >> f; git commit -qam ten
git checkout -q main; printf 'a b \\nc d\\n' > spaces; git commit -qam trailing; sed -i 's/^5$/main/' f; git commit -qam 'main five'; git branch start`;

const scripts: Readonly<Record<string, string>> = {
  'cherry-pick and revert': `
    $ cherry-pick -X ignore-space-change side~2
    $ cherry-pick -X ignore-all-space -X patience side~1 side
    echo resolved > f; git add f
    $ cherry-pick --continue --no-edit
    $ reset -q --hard start
    $ cherry-pick -X theirs -X histogram side~1
    $ revert --no-edit -X ours -X ignore-space-at-eol HEAD`,
  'rebase': `
    git checkout -q side
    $ rebase -q -X ignore-space-change -X find-renames=60 main
    echo resolved > f; git add f
    $ -c core.editor=: rebase --continue
    $ log --format=%s`,
};

for (const [name, script] of Object.entries(scripts)) {
  for (const format of bothFormats) {
    test(`${name} heed options of the strategy (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      await compareScript(t, format, fixture, script);
    });
  }
}
