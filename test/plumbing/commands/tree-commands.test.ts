import test from 'ava';
import { cairn } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const files = `
mkdir -p a/b/c dir d.x; echo 1 > a/one; echo 2 > a/b/two; echo 3 > a/b/c/three; echo 4 > dir/four; echo 5 > dir.x; echo 6 > d.x/six
echo x > run; chmod +x run; ln -s run link; printf x > "$(printf 'caf\\303\\251')"; printf x > "$(printf 'tab\\there')"; printf x > '*'
git add .; git update-index --add --cacheinfo 160000,$(git hash-object -t commit --literally --stdin < /dev/null),module
git commit -qm x; git tag -am t v1
`;

for (const format of bothFormats) {
  test(`ls-tree lists as git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, files);
    const options = [[], ['-r'], ['-t'], ['-r', '-t'], ['-d'], ['-d', '-r'], ['-l'], ['-r', '-l'], ['-z'], ['--name-only'], ['--name-status', '-r'], ['--object-only'],
      ['--abbrev'], ['--abbrev=4', '-r'], ['--abbrev=100'], ['--full-name'], ['--full-tree', '-r'], ['-rz', '--name-only'],
      ['--format=%(objectmode)|%(objecttype)|%(objectname)|%(objectsize)|%(objectsize:padded)|%(path)|%%|%x41%x00'], ['-r', '--format=>%(path)', '-z'], ['--format=%(path)%n']];
    const paths = [[], ['a'], ['a/'], ['a/b'], ['a/b/', 'dir/four'], ['a/b/c/three'], ['dir'], ['none'], ['*'], ['run/'], ['.'], ['a/../dir/'], [':/a'], ['a/b/two', 'a']];
    const cases: Case[] = [
      ...options.map((option) => ({ argv: ['ls-tree', ...option, 'HEAD'] })),
      ...paths.flatMap((path) => [['ls-tree', 'HEAD', ...path], ['ls-tree', '-r', 'HEAD', ...path], ['ls-tree', '-t', 'v1', ...path], ['ls-tree', '-d', 'HEAD^{tree}', ...path]].map((argv) => ({ argv }))),
      ...[[], ['--full-name'], ['--full-tree'], ['-r'], ['-t'], ['-d']].flatMap((option) => [[], ['b'], ['..'], ['../dir/'], ['.'], ['b/c/', '../run']].map((path) => ({ argv: ['ls-tree', ...option, 'HEAD', ...path], subdirectory: 'a' }))),
      { argv: ['-c', 'core.quotePath=false', 'ls-tree', 'HEAD'] },
      { argv: ['-c', 'core.abbrev=9', 'ls-tree', '--abbrev', 'HEAD'] },
      { argv: ['ls-tree', 'HEAD', '../..'] },
      { argv: ['ls-tree'] }, { argv: ['ls-tree', 'none'] }, { argv: ['ls-tree', 'HEAD:run'] }, { argv: ['ls-tree', '--format=%(x)', 'HEAD'] },
      { argv: ['ls-tree', '--format=%path', 'HEAD'] }, { argv: ['ls-tree', '-l', '--name-only', 'HEAD'] }, { argv: ['ls-tree', '-l', '--format=x', 'HEAD'] },
      { argv: ['ls-tree', '--abbrev=x', 'HEAD'] },
    ];
    await compareWithGit(t, repository, cases.map((one) => ({ ...one, readsOnly: true })));
  });

  test(`mktree makes the trees git makes (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, files);
    const listing = git(['ls-tree', 'HEAD'], { cwd: repository }).stdoutBytes;
    const blob = gitOutput(['rev-parse', 'HEAD:run'], { cwd: repository });
    const tree = gitOutput(['rev-parse', 'HEAD:a'], { cwd: repository });
    const none = '1'.repeat(blob.length);
    await compareWithGit(t, repository, [
      { argv: ['mktree'], stdin: listing },
      { argv: ['mktree', '-z'], stdin: git(['ls-tree', '-z', 'HEAD'], { cwd: repository }).stdoutBytes },
      { argv: ['mktree'], stdin: '' },
      { argv: ['mktree'], stdin: `100644 blob ${blob}\tb\n040000 tree ${tree}\ta-b\n40000 tree ${tree}\ta\n100755 blob ${blob}\ta.c\n` },
      { argv: ['mktree'], stdin: `100644 blob ${blob}\tno line end` },
      { argv: ['mktree', '--batch'], stdin: `100644 blob ${blob}\tb\n\n100644 blob ${blob}\tc\n` },
      { argv: ['mktree', '--batch'], stdin: `100644 blob ${blob}\tb\n\n\n100644 blob ${blob}\tc\n\n` },
      { argv: ['mktree', '--batch'], stdin: '' },
      { argv: ['mktree'], stdin: `100644 blob ${blob}\tb\n\n` },
      { argv: ['mktree', '--missing'], stdin: `100644 blob ${none}\tb\n` },
      { argv: ['mktree'], stdin: `100644 blob ${none}\tb\n` },
      { argv: ['mktree'], stdin: `160000 commit ${none}\tmodule\n` },
      { argv: ['mktree'], stdin: `100644 tree ${tree}\tb\n` },
      { argv: ['mktree', '--missing'], stdin: `100644 blob ${tree}\tb\n` },
      { argv: ['mktree'], stdin: `100644 blob ${blob}\ta/b\n` },
      { argv: ['mktree'], stdin: `100644 blob ${blob} b\n` },
      { argv: ['mktree'], stdin: `100644 blob ${blob}\t"a\\tb"\n` },
      { argv: ['mktree'], stdin: `100644 blob ${blob}\t"a\n` },
      { argv: ['mktree', '-z'], stdin: `100644 blob ${blob}\t"a\0` },
      { argv: ['mktree'], stdin: `100664 blob ${blob}\told\n` },
      { argv: ['mktree'], stdin: `100644 strange ${blob}\tb\n` },
      { argv: ['mktree', 'x'] },
    ]);
    const twice = await cairn(['mktree'], { cwd: repository, stdin: `100644 blob ${blob}\tb\n100644 blob ${blob}\tb\n` });
    t.is(twice.code, 128, 'unlike git, mktree refuses a tree with two entries of one name');
  });

  test(`commit-tree makes the commits git makes (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `${files}\nprintf 'no line end' > message; printf 'caf\\351' > latin1`);
    const tree = gitOutput(['rev-parse', 'HEAD^{tree}'], { cwd: repository });
    await compareWithGit(t, repository, [
      { argv: ['commit-tree', tree], stdin: 'message\n' },
      { argv: ['commit-tree', tree], stdin: '' },
      { argv: ['commit-tree', 'HEAD^{tree}', '-p', 'HEAD'], stdin: 'no line end' },
      { argv: ['commit-tree', '-p', 'HEAD', '-p', 'HEAD', '-m', 'one', '-m', 'two', tree] },
      { argv: ['commit-tree', '-m', '', tree], stdin: 'from stdin' },
      { argv: ['commit-tree', '-m', 'one\n', '-F', 'message', '-m', 'two', tree] },
      { argv: ['commit-tree', '-F', 'message', tree] },
      { argv: ['commit-tree', '-F', '-', tree], stdin: 'x' },
      { argv: ['commit-tree', '-F', 'none', tree] },
      { argv: ['commit-tree', '-F', 'latin1', tree] },
      { argv: ['-c', 'i18n.commitEncoding=ISO-8859-1', 'commit-tree', '-F', 'latin1', tree] },
      { argv: ['commit-tree', tree], stdin: 'with\0nul' },
      { argv: ['commit-tree', 'HEAD'], stdin: 'x' },
      { argv: ['commit-tree', tree, '-p', tree], stdin: 'x' },
      { argv: ['commit-tree', tree, '-p', 'v1'], stdin: 'x' },
      { argv: ['commit-tree', tree, '-p', 'none'], stdin: 'x' },
      { argv: ['commit-tree', 'none'], stdin: 'x' },
      { argv: ['commit-tree'], stdin: 'x' },
      { argv: ['commit-tree', tree, tree], stdin: 'x' },
      { argv: ['commit-tree', tree], stdin: 'x', env: { GIT_AUTHOR_NAME: ' ,Strange.\n<Name> ', GIT_AUTHOR_EMAIL: '<odd>', GIT_AUTHOR_DATE: '2005-04-07T22:13:13+0200' } },
      { argv: ['commit-tree', tree], stdin: 'x', env: { GIT_AUTHOR_NAME: '' } },
      { argv: ['commit-tree', tree], stdin: 'x', env: { GIT_COMMITTER_DATE: 'nonsense' } },
      { argv: ['commit-tree', tree], stdin: 'é café \u{1F600}\n' },
    ]);
  });

  test(`mktag accepts and refuses what git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, files);
    const id = gitOutput(['rev-parse', 'HEAD'], { cwd: repository });
    const tagger = 'tagger T <t@example.com> 1112911993 +0100';
    const good = `object ${id}\ntype commit\ntag v2\n${tagger}\n\nmessage\n`;
    const inputs = [
      good, good.replace('\nmessage\n', ''), good.replace('message', 'mess\0age'), good.replace(id, id.slice(1)), good.replace(id, '1'.repeat(id.length)),
      good.replace('type commit', 'type tree'), good.replace('type commit', 'type strange'), good.replace('type commit\n', ''), good.replace('tag v2', 'tag  v2'),
      good.replace('tag v2', 'tag v2..x'), good.replace('tag v2\n', ''), good.replace(`${tagger}\n`, ''), good.replace(' <t@', '<t@'), good.replace('T <t@', '<t@'),
      good.replace('<t@example.com>', 't@example.com'), good.replace('<t@example.com>', '<t@exam<ple.com>'), good.replace('> 1112911993', '>1112911993'),
      good.replace('1112911993', '01112911993'), good.replace('1112911993', '99999999999999999999'), good.replace('1112911993', 'x'), good.replace('+0100', '0100'),
      good.replace('+0100', '+01000'), good.replace('+0100\n', '+0100\nextra header\n'), good.replace('object', 'objekt'), '', '\n', good.toUpperCase(), good.replace(' +0100', ''),
      good.replace('tagger T', 'tagger T>'), good.replace('type commit', 'type'), good.replace(/\n\nmessage\n/, ''),
    ];
    await compareWithGit(t, repository, inputs.flatMap((stdin) => [{ argv: ['mktag'], stdin, readsOnly: true }, { argv: ['mktag', '--no-strict'], stdin, readsOnly: true }]));
  });
}
