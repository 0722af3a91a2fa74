// rev-list: objects behind commits, filtered, missing, measured; and commits that halve a list.
import test from 'ava';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { richHistory } from '../../helpers/rich-history.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const readsOnly = true;
const revisions = [['main'], ['--all'], ['main', '^topic'], ['topic...main'], ['main', '^v0', '^o1']];

const listings: readonly (readonly string[])[] = [
  ['--objects'], ['--objects-edge'], ['--objects-edge-aggressive'], ['--objects', '--no-object-names'], ['--objects', '--in-commit-order'], ['--objects', '--count'], ['--objects', '--disk-usage'],
  ['--objects', '--filter=blob:none'], ['--objects', '--filter=blob:limit=10'], ['--objects', '--filter=tree:1'], ['--objects', '--filter=tree:0', '--filter-provided-objects'],
  ['--objects', '--filter=object:type=blob'], ['--objects', '--filter=object:type=commit', '--filter-provided-objects'], ['--objects', '--filter=combine:blob:none+tree:2'],
  ['--objects', '--filter=blob:none', '--filter=tree:1'], ['--objects', '--filter=blob:none', '--no-filter'], ['--objects', '--filter=blob:none', '--filter-print-omitted'],
  ['--objects', '--filter=tree:1', '--filter-print-omitted'], ['--objects', '--filter=combine:blob:limit=20+tree:2', '--filter-print-omitted'], ['--objects', '--filter=blob:none', '--count'],
  ['--objects', '--filter=bad'], ['--filter=blob:none'], ['--objects', '--filter=object:type=tag', '--in-commit-order'], ['--objects', '--boundary'], ['--objects', '--use-bitmap-index', '--count'],
  ['--disk-usage=human'], ['--disk-usage=bad'], ['--no-notes', '--pretty'], ['--notes', '--pretty'], ['--header'], ['--format=%h %d %D'], ['--oneline', '--no-abbrev-commit'], ['--no-abbrev-commit', '--oneline'],
  ['--count', '--left-right', '--cherry-mark'], ['--progress=x'],
];

const halves: readonly (readonly string[])[] = [
  ['--bisect'], ['--bisect-vars'], ['--bisect-all'], ['--bisect-vars', '--bisect-all'], ['--bisect', '--first-parent'], ['--bisect-all', '--first-parent'], ['--bisect', '--count'],
  ['--bisect-all', '--oneline', '--graph'], ['--bisect-all', '--format=%h%d'], ['--bisect-all', '--timestamp', '--parents'],
];

/** A history some of whose trees and files are gone. */
const gaps = `t=1112911993; for i in 1 2 3 4 5 6 7; do t=$((t+60)); mkdir -p d$i; echo $i >f$i; echo x$i >d$i/g; git add .
GIT_AUTHOR_DATE="$t +0000" GIT_COMMITTER_DATE="$t +0000" git commit -qm $i; done
for o in HEAD:f3 HEAD:d2 HEAD:d4/g HEAD~2:f5 HEAD:f7; do id=$(git rev-parse $o); rm -f .git/objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-); done`;

for (const format of bothFormats) {
  test(`objects are listed and filtered as git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, richHistory);
    await compareWithGit(t, repository, [
      ...listings.flatMap((options) => revisions.map((words): Case => ({ argv: ['rev-list', ...options, ...words], readsOnly }))),
      ...[['main'], ['main', '^topic']].flatMap((words) => [['src'], ['docs', 'o1.txt'], ['nothere']].flatMap((paths) => [['--objects'], ['--objects-edge']]
        .map((options): Case => ({ argv: ['rev-list', ...options, ...words, '--', ...paths], readsOnly })))),
      { argv: ['rev-list', '--objects', 'treetag', 'blobtag', 'vv', '^v1'], readsOnly }, { argv: ['rev-list', '--objects', '--filter=blob:none', 'blobtag'], readsOnly },
    ]);
  });

  test(`what is missing is told as git tells it (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, gaps);
    const options = [[], ['--missing=print'], ['--missing=allow-any'], ['--missing=error'], ['--missing=print', '--filter=blob:none'], ['--missing=print', '--in-commit-order', '--count'],
      ['--missing=print', '--filter=tree:1', '--filter-print-omitted'], ['--missing=allow-any', '--disk-usage']];
    const cases = options.flatMap((each) => [['HEAD'], ['HEAD~2..HEAD']].map((words): Case => ({ argv: ['rev-list', '--objects', ...each, ...words], readsOnly })));
    await compareWithGit(t, repository, cases);
  });

  test(`the commit in the middle is the one git finds (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `${richHistory}
git update-ref refs/bisect/bad main~1; git update-ref refs/bisect/good-1 v0; git update-ref refs/bisect/good-2 side`);
    const ranges = [...revisions, ['main', '^main'], ['main', '--', 'src'], ['main', '^v1', '--', 'src/main.c'], ['main', '^v1']];
    await compareWithGit(t, repository, [
      ...halves.flatMap((options) => ranges.map((words): Case => ({ argv: ['rev-list', ...options, ...words], readsOnly }))),
      { argv: ['rev-list', '--bisect'], readsOnly }, { argv: ['rev-list', '--bisect', '--bisect-vars'], readsOnly }, { argv: ['log', '--bisect', '--format=%s'], readsOnly },
    ]);
  });
}
