// What scripts seldom ask, and what git then answers: several modes at once, options in odd places, magic a command does not know,
// boundaries of a shallow repository.
import test from 'ava';
import { caseLines } from '../../helpers/case-lines.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { richHistory } from '../../helpers/rich-history.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const unmerged = `
B1=$(echo base | git hash-object -w --stdin); B2=$(echo ours | git hash-object -w --stdin); B3=$(printf 'a\\r\\n' | git hash-object -w --stdin)
printf "100644 $B1 1\\tconf\\n100644 $B2 2\\tconf\\n100644 $B3 3\\tconf\\n100644 $B1 1\\tsrc/gone\\n100755 $B3 3\\tsrc/gone\\n" | git update-index --index-info
printf '*.o\\n' >.gitignore; echo o >x.o
`;

for (const format of bothFormats) {
  test(`modes that exclude one another are refused (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, richHistory), caseLines(`
      patch-id --stable --unstable
      patch-id --verbatim --verbatim
      ls-tree --name-only --name-status HEAD
      ls-tree --object-only --name-only HEAD
      ls-tree --name-status --name-status HEAD
      cat-file --batch-check --batch-all-objects --textconv
      cat-file --batch-check --textconv HEAD
      var -l -l
      check-ref-format refs/heads/x --normalize
      check-ref-format --normalize refs//heads/x
      check-ref-format --allow-onelevel --no-allow-onelevel x
      check-ref-format --refspec-pattern refs/heads/*
      verify-pack --object-format=bogus -v nope
      cherry --abbrev=x v0 v0
      ls-files --abbrev=x nothing
      multi-pack-index expire --no-bitmap
      checkout-index --stage=0 --stage=1 tool.sh
      merge-tree main topic --write-tree
      merge-tree --write-tree topic --messages
      merge-tree --stdin main
      show-ref --no-hash
      show-ref --hash --no-hash v1
      ls-files -u --format=%(path)
      ls-files -v -f --format=%(path) src
      ls-files -t --format=%(path)
      read-tree -u --exclude-per-directory=.ign --reset HEAD
    `, { readsOnly: true }));
  });

  test(`paths in conflict are told of as git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, richHistory + unmerged), caseLines(`
      ls-files --eol conf src/gone
      ls-files --format='%(eolinfo:index)|%(path)' conf src/gone
      ls-files --error-unmatch conf
      ls-files --error-unmatch conf src/gone
      ls-files --error-unmatch -s conf .
      ls-files --deduplicate -f conf
      ls-files --deduplicate -v conf
      ls-files --deduplicate -t conf
      ls-files --debug conf
      docs$ ls-files -o -i -X.gitignore :/
      merge-index -q false conf
      merge-index -o -q false -a
      merge-index no-such-program conf
      merge-index -q no-such-program conf
      merge-one-file
    `, { readsOnly: true }).map((one) => ({ ...one, ...(one.argv[0]!.startsWith('merge-') ? { ignoreOutput: true } : {}) })));
  });

  test(`check-ignore takes no magic but top, and answers all or nothing (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, richHistory + unmerged), [
      ...caseLines(`
        check-ignore x.o :/x.o :(top)x.o
        check-ignore x.o :(literal)x.o
        check-ignore x.o :!x.o
        check-ignore x.o :(attr:a)x.o
        check-ignore x.o ../y
        docs$ check-ignore -v ../x.o :/x.o
      `, { readsOnly: true }),
      ...['LITERAL', 'GLOB', 'ICASE', 'NOGLOB'].map((kind) => ({ argv: ['check-ignore', 'x.o'], env: { [`GIT_${kind}_PATHSPECS`]: '1' }, readsOnly: true })),
    ]);
  });

  test(`formats of refs are wrong only where something is shown, and the case of directories counts (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, richHistory), caseLines(`
      for-each-ref --format=%(then) refs/nothing
      for-each-ref --format=%(then) refs/heads
      for-each-ref --format=%(align:10)x refs/nothing
      for-each-ref --format=%(bogus) refs/nothing
      for-each-ref --ignore-case refs/Heads
      for-each-ref --ignore-case refs/Heads/MAIN
      for-each-ref --ignore-case refs/Heads/M*
      rev-list -g HEAD~2
      shortlog -s --author=author@ HEAD
    `, { readsOnly: true }));
  });

  test(`a ref that cannot be had now is an answer (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, richHistory), caseLines(`
      symbolic-ref refs/tags refs/heads/main
      symbolic-ref refs/heads/main/x refs/heads/main
      update-ref -d heads/topic
      update-ref -d refs/heads/topic v0
    `));
  });

  test(`a shallow repository is whole, whatever lies behind its boundaries (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `${richHistory}
      git clone -q --depth 3 "file://$PWD" shallow 2>/dev/null
    `);
    await compareWithGit(t, `${repository}/shallow`, caseLines(`
      fsck
      fsck --root --tags
      fsck --connectivity-only
      rev-list --all --count
    `, { readsOnly: true }));
  });
}

test('prune keeps everything while nothing may expire', async (t) => {
  if (skipWithoutGit(t)) return;
  await compareWithGit(t, makeRepository(t, 'sha1', `${richHistory} echo loose | git hash-object -w --stdin`), caseLines(`
    prune --expire=now --no-expire
    prune --expire=bogus --expire=never
    prune --no-expire -v
  `));
});
