// Mailmaps: check-mailmap, and everything that shows or looks for people by them; shortlog.
import test from 'ava';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { richHistory } from '../../helpers/rich-history.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const readsOnly = true;

const people = `
printf 'Proper Author <proper@x> <author@example.com>\\n# comment <two@x>\\n<new@two> <two@x>\\nSpecial <sp@x> Other <two@x>\\nOnly Name <only@mail>\\n<mail@only> <three@x>\\n bad line\\nProper Committer <committer@example.com>\\nNo <> <x@y>\\n' >.mailmap
printf 'Blob Name <blob@x>\\n' >bm; printf 'File Name <q@q>\\n' >fm; mkdir sub; touch sub/f
git add .; git commit -qm one; git config mailmap.file fm; git config mailmap.blob HEAD:bm
GIT_AUTHOR_NAME=Other GIT_AUTHOR_EMAIL=TWO@x git commit -qm two --allow-empty
GIT_AUTHOR_NAME=Third GIT_AUTHOR_EMAIL=three@x GIT_COMMITTER_EMAIL=only@mail git commit -qm three --allow-empty; git tag -m 't' tagged
`;

const shortlogOptions: readonly (readonly string[])[] = [
  [], ['-s'], ['-n'], ['-sne'], ['-e'], ['-c'], ['-w'], ['-w40,2,4'], ['-w0,3,3'], ['-w10,20'], ['-wx'], ['--group=committer', '-s'], ['--group=trailer:reviewed-by', '-e'],
  ['--group=author', '--group=trailer:reviewed-by', '-s'], ['--group=format:%as', '-s'], ['--group=%cd', '--date=short', '-s'], ['--group=bad'], ['--format=%h %s'],
  ['--format=oneline'], ['--no-merges'], ['-c', '-s', '--group=author'], ['--group=author', '--no-group', '--group=committer', '-s'],
];

for (const format of bothFormats) {
  test(`people are called what the mailmaps say (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cases: Case[] = [
      ['A U Thor <author@example.com>', '<AUTHOR@example.com>'], ['X <two@x>', 'Other <two@x>', 'other <TWO@X>'], ['nothing'], [], ['Name <none@none>', '<a@b> trailing'], ['  lead <lead@x>'],
      ['X <only@mail>', 'B <blob@x>', 'Q <q@q>', 'N <x@y>'],
    ].map((words) => ({ argv: ['check-mailmap', ...words], readsOnly }));
    cases.push({ argv: ['check-mailmap', '--stdin', 'A <two@x>'], stdin: 'A <two@x>\n<three@x>\nQ <q@q>\nbad', readsOnly }, { argv: ['check-mailmap', 'Q <q@q>'], subdirectory: 'sub', readsOnly });
    for (const argv of [
      ['log'], ['log', '--no-mailmap'], ['log', '--format=%an %aN %ae %aE %al %aL %cn %cN %ce %cE'], ['log', '--mailmap', '--pretty=fuller'], ['log', '--pretty=raw'], ['log', '--author=Proper'],
      ['log', '--author=A U'], ['log', '--no-use-mailmap', '--author=Proper', '--oneline'], ['show', 'tagged'], ['rev-list', '--pretty', 'HEAD'], ['rev-list', '--format=%aN %aE %an', 'HEAD'],
      ['rev-list', '--author=Proper', 'HEAD'], ['shortlog', '-se', 'HEAD'], ['-c', 'log.mailmap=false', 'log'], ['log', '--committer=Proper', '--format=%h %cn'], ['reflog', '--format=%gN %gE %gn %ge'],
    ]) cases.push({ argv, readsOnly });
    await compareWithGit(t, makeRepository(t, format, people), cases);
  });

  test(`a short log is the one git writes (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, richHistory);
    const revisions = [['HEAD'], ['main', '^topic'], ['--all'], ['-5', 'HEAD', '--', 'src']];
    const texts = [['log', '--all'], ['log', '--pretty=short'], ['log', '--pretty=fuller'], ['log', '--pretty=raw']].map((argv) => Buffer.from(gitOutput(argv, { cwd: repository }), 'latin1'));
    await compareWithGit(t, repository, [
      ...shortlogOptions.flatMap((options) => revisions.map((words): Case => ({ argv: ['shortlog', ...options, ...words], readsOnly }))),
      ...[[], ['-s'], ['-ne'], ['-c'], ['--group=trailer:x'], ['-c', '--group=author'], ['-w30']].flatMap((options) => texts.map((stdin): Case => ({ argv: ['shortlog', ...options], stdin, readsOnly }))),
    ]);
  });
}
