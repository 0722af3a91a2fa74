// Commands about history in all kinds of repositories: empty, bare, shallow, with replaced and grafted commits, with a commit-graph.
import test from 'ava';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const history = `t=1112911993; c() { t=$((t+60)); GIT_AUTHOR_DATE="$t +0000" GIT_COMMITTER_DATE="$t +0000" git commit -q "$@"; }
mkdir -p sub; for i in 1 2 3 4; do echo $i >a; echo f$i >sub/f; git add .; c -m "commit $i"; done; git tag -m t v1 HEAD~2; git tag light HEAD~1
git checkout -q -b br HEAD~2; echo b >b; git add .; c -m 'on br'; git checkout -q main
t=$((t+60)); GIT_AUTHOR_DATE="$t +0000" GIT_COMMITTER_DATE="$t +0000" git merge -q -m merge br; echo 9 >a; c -am last;`;

const places: Readonly<Record<string, string>> = {
  'an empty repository': 'true',
  'an unborn branch': `${history} git checkout -q --orphan unborn`,
  'a bare repository': `${history} git clone -q --bare . .git/bare; mv .git/bare bare; rm -rf .git a b sub; mv bare/* .; rmdir bare`,
  'a shallow repository': `${history} git clone -q --depth 3 file://$PWD shallow; rm -rf .git; mv shallow/.git .git; rm -rf shallow`,
  'a repository with replaced commits': `${history} git replace HEAD~1 $(git commit-tree -p v1^0 -m replaced HEAD^{tree}); git replace --graft HEAD~3`,
  'a repository with grafts': `${history} mkdir -p .git/info; echo "$(git rev-parse HEAD~1) $(git rev-parse v1^0)" >.git/info/grafts`,
  'a repository with a commit-graph': `${history} git commit-graph write --reachable; git pack-refs --all; git repack -qad; echo z >z; git add z; c -m z`,
};

const lines: readonly string[] = [
  'describe', 'describe --always', 'describe --all --long', 'describe --contains HEAD', 'describe --dirty --always', 'describe --broken --always --tags', 'name-rev HEAD', 'name-rev --tags HEAD~1',
  'cherry HEAD', 'cherry -v HEAD~1', 'shortlog HEAD', 'shortlog -s --all', 'check-mailmap A<a@b>', 'merge-base HEAD HEAD~1', 'merge-base --independent HEAD HEAD~1', 'merge-base --fork-point HEAD',
  'rev-list HEAD', 'rev-list --all', 'rev-list --objects --all', 'rev-list --objects', 'rev-list --bisect-vars HEAD', 'rev-list --bisect-all HEAD', 'rev-list --count --all',
  'rev-list --simplify-by-decoration --all', 'rev-list --simplify-merges HEAD -- a', 'rev-list --topo-order --boundary HEAD~1..HEAD', 'rev-list --parents HEAD', 'rev-list --children HEAD',
  'rev-list --reflog', 'rev-list --indexed-objects --objects', 'rev-list -g HEAD', 'rev-list --max-parents=0 HEAD', 'rev-list --format=%P%d HEAD', 'rev-list --ancestry-path HEAD~2..HEAD',
  'rev-list HEAD -- sub', 'rev-list --left-right --count HEAD~1...HEAD', 'rev-list HEAD^@', 'rev-parse HEAD~4', 'rev-parse HEAD^2', 'for-each-ref --merged HEAD', 'for-each-ref --no-contains HEAD~1', 'log --format=%h%d%P',
];

for (const format of bothFormats) {
  for (const [place, script] of Object.entries(places)) {
    test(`history is what git sees in ${place} (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      await compareWithGit(t, makeRepository(t, format, script), lines.map((line): Case => ({ argv: line.split(' '), readsOnly: true })));
    });
  }
}
