import test from 'ava';
import { branchyHistory } from '../../helpers/branchy-history.js';
import { caseLines } from '../../helpers/case-lines.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

for (const format of bothFormats) {
  test(`for-each-ref colours, flags and field arguments as git does, ${format}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `${branchyHistory}\ngit pack-refs --all; git branch late; git update-ref refs/heads/side side~1`);
    await compareWithGit(t, repository, caseLines(`
      for-each-ref --color --format='%(color:red)%(refname)%(color:reset)'
      for-each-ref --color=always --format='%(color:bold red)%(refname)'
      for-each-ref --color=always --format='%(color:red)%(color:reset)%(refname)%(color:blue)'
      for-each-ref --color=never --format='%(color:red)%(refname)'
      for-each-ref --color=auto --format='%(color:red)%(refname)'
      for-each-ref --no-color --format='%(color:red)%(refname)'
      for-each-ref --color=often
      -c color.ui=always for-each-ref --format='%(color:red)%(refname)'
      for-each-ref --format='%(color:nosuch)'
      for-each-ref --format='%(color)'
      for-each-ref --format='%(flag) %(refname)'
      for-each-ref --format='%(flag:x)'
      for-each-ref --sort=flag --format='%(refname) %(flag)'
      for-each-ref --format='%(align:30,right)%(refname)%(end)|'
      for-each-ref --format='%(if:equals=refs/heads/main)%(refname)%(then)yes%(else)no%(end)'
    `, { readsOnly: true }));
  });
}
