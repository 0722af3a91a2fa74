import test from 'ava';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { cairn, cairnOutput, cairnProgram } from '../../helpers/cairn.js';
import { makeSandbox, writeFiles } from '../../helpers/sandbox.js';
import { cleanEnvironment, git, gitOutput, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

const changed = `
mkdir dir
printf 'one\\ntwo\\nthree\\n' > file; printf 'x\\n' > dir/deep; printf 'gone\\n' > gone; ln -s file link
git add . && git commit -qm 'first'
printf 'one\\n2\\nthree\\nfour\\n' > file; rm gone; printf 'y\\n' > dir/deep; printf 'new\\n' > new
`;

for (const format of bothFormats) {
  test(`what is committed, under which message, and what is told about it, is as git has it (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, changed);
    await compareWithGit(t, repository, [
      { argv: ['commit', '-am', 'changed', '-m', 'and a second paragraph'] },
      { argv: ['commit', '--allow-empty', '-qm', 'nothing in it'] },
      { argv: ['commit', '--amend', '--no-edit', '--author', 'Some One <one@example.com>', '--date', '2001-02-03T04:05:06+0100', '--allow-empty'] },
      { argv: ['commit', '--amend', '-m', 'reset', '--reset-author', '--allow-empty'] },
      { argv: ['commit', '--allow-empty', '-C', 'HEAD~2'] },
      { argv: ['commit', '--allow-empty', '-s', '--trailer', 'Reviewed-by=X <x@y>', '-m', 'signed'] },
      { argv: ['commit', '--allow-empty', '-F', '-'], stdin: '\n\n  from standard input  \n\n\n# kept\n\n' },
      { argv: ['commit', '--allow-empty', '--cleanup=strip', '-m', 'strip\n\n# dropped\nkept'] },
      { argv: ['commit', '--allow-empty', '--cleanup=verbatim', '-m', '\n verbatim  \n\n\n'] },
      { argv: ['commit', '--allow-empty', '--allow-empty-message', '-m', ''] },
      { argv: ['commit', '--allow-empty', '--fixup=HEAD~3'] },
      { argv: ['commit', '--allow-empty', '--squash=HEAD~3', '-m', 'more'] },
      { argv: ['commit', '--allow-empty', '-m', 'a subject\nin two lines'] },
      { argv: ['symbolic-ref', 'HEAD', 'refs/heads/br\u00e4nch'] },
      { argv: ['commit', '-m', 'caf\u00e9 \u2603', '--author', 'J\u00fcrgen <j@example.com>', '--trailer', 'Key=w\u00e9rt'] },
    ]);
  });

  test(`a first commit, renames, modes and odd names are told as git tells them (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const lines = Array.from({ length: 30 }, (_, at) => `line ${at}`).join('\\n');
    const repository = makeRepository(t, format, `
mkdir -p a/b; printf '${lines}\\n' > a/b/c; printf 'tool\\n' > tool; printf 'bin\\0ary' > binary; printf 'x\\n' > "$(printf 'caf\\303\\251')"
git add .`);
    await compareWithGit(t, repository, [{ argv: ['commit', '-m', 'root'] }]);
    const moved = makeRepository(t, format, `
mkdir -p a/b; printf '${lines}\\n' > a/b/c; printf 'tool\\n' > tool; printf 'was\\n' > file
git add .; git commit -qm root
mkdir a/z; git mv a/b/c a/z/c; chmod +x tool; rm file; ln -s tool file; git add .`);
    await compareWithGit(t, moved, [{ argv: ['commit', '-m', 'moved'] }]);
  });
}

test('the empty tree is stored when a commit or the index names it', async (t) => {
  const root = makeSandbox(t);
  const options = { cwd: root, env: { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@x', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@x' } };
  await cairnOutput(['init', '-q'], options);
  t.is((await cairn(['commit', '-m', 'nothing yet'], options)).code, 1);
  t.is((await cairn(['fsck'], options)).code, 0);
  await cairnOutput(['commit', '--allow-empty', '-m', 'nothing'], options);
  t.regex(await cairnOutput(['count-objects'], options), /^2 objects/);
  t.is((await cairn(['fsck', '--full'], options)).code, 0);
});

test('a damaged HEAD or index never becomes a new beginning', async (t) => {
  const root = makeSandbox(t);
  const options = { cwd: root, env: { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@x', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@x' } };
  await cairnOutput(['init', '-q'], options);
  writeFiles(root, { file: 'x\n' });
  await cairnOutput(['commit', '-A', '-m', 'first'], options);
  const head = readFileSync(join(root, '.cairn/HEAD'));
  const index = readFileSync(join(root, '.cairn/index'));
  writeFiles(root, { '.cairn/HEAD': 'ref: refs/(eads/main\n', new: 'y\n' });
  const lost = await cairn(['commit', '-A', '-m', 'second'], options);
  t.is(lost.code, 6);
  t.regex(lost.stderr, /^fatal: 'HEAD' names 'refs\/\(eads\/main', which is no branch/);
  t.is(readFileSync(join(root, '.cairn/HEAD'), 'utf8'), 'ref: refs/(eads/main\n');
  writeFiles(root, { '.cairn/HEAD': head, '.cairn/index': '' });
  const emptied = await cairn(['add', 'new'], options);
  t.is(emptied.code, 6);
  t.regex(emptied.stderr, /^fatal: index '.*\.cairn\/index' is damaged/);
  writeFiles(root, { '.cairn/index': index });
  t.is((await cairn(['commit', '-A', '-m', 'second'], options)).code, 0);
});

test('only the named paths are committed, or also them; the index keeps the rest', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `${changed}\ngit add new`);
  await compareWithGit(t, repository, [
    { argv: ['commit', '-m', 'only the file', 'file'], ignoreObjects: true },
    { argv: ['commit', '-m', 'the directory and what was added', '-i', 'dir'], ignoreObjects: true },
    { argv: ['commit', '-m', 'what is gone', '--', 'gone'], ignoreObjects: true },
    { argv: ['add', '-A'], ignoreObjects: true, ignoreOutput: true },
    { argv: ['commit', '--amend', '-o', '-m', 'only another message'], ignoreObjects: true },
  ]);
  t.is((await cairn(['commit', '-m', 'x', 'no such path'], { cwd: repository })).code, 2);
  t.is((await cairn(['commit', '-a', '-m', 'x', 'file'], { cwd: repository })).code, 129);
});

test('the whole work tree goes into one commit, and stock git sees nothing left to do', async (t) => {
  if (skipWithoutGit(t)) return;
  for (const format of bothFormats) {
    const directory = makeRepository(t, format, 'git commit -q --allow-empty -m base');
    writeFiles(directory, {
      'empty': '', 'dir/text': 'text\n', 'dir/tool': { executable: '#!/bin/sh\n' }, 'link': { link: 'dir/text' }, 'dangling': { link: 'nowhere' },
      '-dash': '-', 'with space': ' ', '.gitignore': '*.tmp\n/build/\n', 'a.tmp': 'ignored', 'build/x': 'ignored', 'dir/.gitignore': '!keep.tmp\n',
      'dir/keep.tmp': 'kept', 'crlf.txt': 'a\r\nb\r\n', '.gitattributes': 'crlf.txt text\n',
    });
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0x6e, 0xff, 0xe9])]), 'a name that is no UTF-8');
    gitOutput(['init', '-q', `--object-format=${format}`, join(directory, 'nested')], { cwd: directory });
    gitOutput(['commit', '-q', '--allow-empty', '-m', 'nested'], { cwd: join(directory, 'nested') });
    const reference = join(makeSandbox(t), 'copy');
    runProgram('cp', ['-a', directory, reference], { cwd: '/' });
    gitOutput(['add', '-A'], { cwd: reference });
    const result = await cairn(['commit', '-A', '-qm', 'all'], { cwd: directory });
    t.is(result.code, 0, result.stderr);
    t.is(gitOutput(['rev-parse', 'HEAD^{tree}'], { cwd: directory }), gitOutput(['write-tree'], { cwd: reference }));
    t.is(gitOutput(['status', '--porcelain'], { cwd: directory }), '');
    t.is(git(['fsck', '--strict'], { cwd: directory }).code, 0);
    rmSync(join(directory, 'dir'), { recursive: true });
    rmSync(join(directory, 'link'));
    symlinkSync('elsewhere', join(directory, 'dir'));
    writeFileSync(join(directory, 'link'), 'a file now');
    chmodSync(join(directory, 'empty'), 0o755);
    t.is((await cairn(['commit', '-A', '-qm', 'changed'], { cwd: directory })).code, 0);
    t.is(gitOutput(['status', '--porcelain'], { cwd: directory }), '');
    t.is(gitOutput(['ls-tree', '-r', '--name-only', 'HEAD', 'dir', 'link', 'empty'], { cwd: directory }), 'dir\nempty\nlink');
  }
});

test('many files become one pack, few become single objects', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha256', '');
  writeFiles(directory, Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`d${at % 10}/f${at}`, `content ${at % 290}\n`])));
  t.is((await cairn(['commit', '-A', '-qm', 'many'], { cwd: directory })).code, 0);
  // Blobs and trees are in the pack, the commit is not.
  t.regex(gitOutput(['count-objects', '-v'], { cwd: directory }), /^count: 1\n(?:.*\n)*in-pack: 301\npacks: 1\n(?:.*\n)*garbage: 0\n/);
  t.is(gitOutput(['status', '--porcelain'], { cwd: directory }), '');
  writeFiles(directory, { 'd1/f1': 'changed\n' });
  t.is((await cairn(['commit', '-A', '-qm', 'one'], { cwd: directory })).code, 0);
  t.regex(gitOutput(['count-objects', '-v'], { cwd: directory }), /^count: 5\n(?:.*\n)*packs: 1\n/);
  t.is(git(['fsck', '--strict', '--full'], { cwd: directory }).code, 0);
});

test('an unchanged tree is refused with exit 1 unless it is asked for or a run is recorded', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', changed);
  const head = (): string => gitOutput(['rev-parse', 'HEAD'], { cwd: directory });
  const before = head();
  await compareWithGit(t, directory, [{ argv: ['commit', '-m', 'x'] }, { argv: ['commit', '-qam', 'x'] }, { argv: ['commit', '-am', 'x'] }]);
  const nothingAdded = await cairn(['commit', '-m', 'x'], { cwd: directory });
  t.is(nothingAdded.code, 1);
  t.regex(nothingAdded.stdout, /no changes added to commit/);
  await cairnOutput(['commit', '-A', '-m', 'all'], { cwd: directory });
  const clean = await cairn(['commit', '-A', '-m', 'again'], { cwd: directory });
  t.is(clean.code, 1);
  t.regex(clean.stdout, /nothing to commit, working tree clean/);
  t.is((await cairn(['commit', '--amend', '-m', 'x', '--', 'file'], { cwd: directory })).code, 0);
  t.not(head(), before);
  t.is((await cairn(['commit', '-A', '-m', 'run', '--run', 'nightly/1'], { cwd: directory })).code, 0);
  t.is(gitOutput(['rev-parse', 'refs/runs/nightly/1'], { cwd: directory }), head());
  t.is(gitOutput(['log', '-1', '--format=%(trailers:key=Run,valueonly)'], { cwd: directory }).trim(), 'nightly/1');
});

test('a run id names one run for ever', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', changed);
  t.is((await cairn(['commit', '-Am', 'one', '--run', 'r1'], { cwd: directory })).code, 0);
  const again = await cairn(['commit', '-Am', 'two', '--run', 'r1', '--json'], { cwd: directory });
  t.is(again.code, 3);
  t.is(JSON.parse(again.stderr).code, 'run-exists');
  t.is((await cairn(['commit', '-Am', 'x', '--run', 'bad..name'], { cwd: directory })).code, 2);
  const auto = JSON.parse((await cairn(['commit', '-m', 'two', '--run', 'auto', '--input', 'file', '--json'], { cwd: directory })).stdout);
  t.regex(auto.run, /^refs\/runs\/\d{8}T\d{12}Z-[0-9a-f]{8}$/);
  t.is(gitOutput(['log', '-1', '--format=%(trailers:key=Input,valueonly)'], { cwd: directory }).trim(), `${gitOutput(['hash-object', 'file'], { cwd: directory })} file`);
});

const hook = (body: string): { readonly executable: string } => ({ executable: `#!/bin/sh\n${body}\n` });

test('a branch that moved meanwhile is left alone: exit 4, the commit is named, a run is kept', async (t) => {
  if (skipWithoutGit(t)) return;
  for (const run of [[], ['--run', 'race']]) {
    const directory = makeRepository(t, 'sha1', changed);
    // While the message is being checked, somebody else commits.
    writeFiles(directory, { '.git/hooks/commit-msg': hook('git update-ref HEAD $(git commit-tree -p HEAD -m other HEAD^{tree})') });
    const result = await cairn(['commit', '-m', 'mine', '-a', ...run, '--json'], { cwd: directory });
    t.is(result.code, 4, result.stderr);
    t.is(gitOutput(['log', '--format=%s'], { cwd: directory }), 'other\nfirst');
    const { message, code } = JSON.parse(result.stderr);
    t.is(code, 'head-moved');
    const id = /\b([0-9a-f]{40})\b/.exec(message)![1]!;
    t.is(gitOutput(['log', '-1', '--format=%s', id], { cwd: directory }), 'mine');
    if (run.length > 0) t.is(gitOutput(['rev-parse', 'refs/runs/race'], { cwd: directory }), id);
    t.false(existsSync(join(directory, '.git/index.lock')));
  }
});

test('of many commits at once each is on the branch or refused with exit 4', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', changed);
  const env = { ...cleanEnvironment };
  const codes = await Promise.all(Array.from({ length: 6 }, (_, at) => new Promise<number | null>((resolve) => {
    spawn(cairnProgram, ['commit', '-q', '--allow-empty', '-m', `commit ${at}`], { cwd: directory, env, stdio: 'ignore' }).on('close', resolve);
  })));
  const subjects = gitOutput(['log', '--format=%s'], { cwd: directory }).split('\n');
  codes.forEach((code, at) => {
    t.is(subjects.filter((subject) => subject === `commit ${at}`).length, code === 0 ? 1 : 0, `commit ${at} exited with ${code}`);
    t.true(code === 0 || code === 4, `commit ${at} exited with ${code}`);
  });
  t.true(codes.includes(0));
  t.is(git(['fsck', '--strict'], { cwd: directory }).code, 0);
});

test('commits made at the same time keep their own messages while hooks look at them', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', changed);
  writeFiles(directory, { '.git/hooks/commit-msg': hook('sed -i "s/^/checked /" "$1"') });
  const env = { ...cleanEnvironment };
  const codes = await Promise.all(Array.from({ length: 6 }, (_, at) => new Promise<number | null>((resolve) => {
    spawn(cairnProgram, ['commit', '-q', '--allow-empty', '-m', `commit ${at}`], { cwd: directory, env, stdio: 'ignore' }).on('close', resolve);
  })));
  const subjects = gitOutput(['log', '--format=%s', 'HEAD'], { cwd: directory }).split('\n').slice(0, -1);
  t.deepEqual(subjects.sort(), codes.flatMap((code, at) => (code === 0 ? [`checked commit ${at}`] : [])));
});

test('hooks are run at git\'s moments with git\'s arguments', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', changed);
  const say = (name: string): string => `echo "${name} $# $2 $(basename "\${1:-}") $(basename "$GIT_INDEX_FILE") $GIT_EDITOR" >> trace`;
  writeFiles(directory, {
    '.git/hooks/pre-commit': hook(say('pre-commit')), '.git/hooks/prepare-commit-msg': hook(say('prepare-commit-msg')),
    '.git/hooks/commit-msg': hook(`${say('commit-msg')}; echo 'Added-by: hook' >> "$1"`),
    '.git/hooks/post-commit': hook('echo post-commit >> trace'), '.git/hooks/post-rewrite': hook('echo "post-rewrite $*" >> trace; cat > rewritten'),
    '.git/info/exclude': 'trace\nrewritten\n',
  });
  await compareWithGit(t, directory, [
    { argv: ['commit', '-qam', 'all'] },
    { argv: ['commit', '-q', '--allow-empty', '-m', 'index'] },
    { argv: ['commit', '-q', '--allow-empty', '--amend', '--no-edit', '-n'] },
    { argv: ['commit', '-q', '-m', 'path', '--allow-empty', '--', 'file'], ignoreObjects: true },
  ]);
  const trace: string[] = [];
  for (const program of ['git', 'cairn']) {
    const copy = join(makeSandbox(t), 'copy');
    runProgram('cp', ['-a', directory, copy], { cwd: '/' });
    for (const argv of [['commit', '-qam', 'all'], ['commit', '-q', '--amend', '--no-edit', '--allow-empty'], ['commit', '-q', '-n', '--allow-empty', '-C', 'HEAD']]) {
      const result = program === 'git' ? git(argv, { cwd: copy }) : await cairn(argv, { cwd: copy });
      t.is(result.code, 0, result.stderr);
    }
    trace.push(readFileSync(join(copy, 'trace'), 'utf8') + readFileSync(join(copy, 'rewritten'), 'utf8'));
  }
  t.is(trace[1], trace[0]);
});

test('a hook that says no stops the commit and leaves everything as it was; pre-commit may change what is committed', async (t) => {
  if (skipWithoutGit(t)) return;
  for (const name of ['pre-commit', 'prepare-commit-msg', 'commit-msg']) {
    const directory = makeRepository(t, 'sha1', changed);
    const before = gitOutput(['status', '--porcelain'], { cwd: directory });
    writeFiles(directory, { [`.git/hooks/${name}`]: hook('echo no; exit 3') });
    const result = await cairn(['commit', '-Am', 'x'], { cwd: directory });
    t.is(result.code, 1);
    t.is(result.stderr, 'no\n');
    t.is(gitOutput(['status', '--porcelain'], { cwd: directory }), before);
    t.false(existsSync(join(directory, '.git/index.lock')));
    if (name !== 'prepare-commit-msg') t.is((await cairn(['commit', '-nAqm', 'x'], { cwd: directory })).code, 0);
  }
  const directory = makeRepository(t, 'sha1', changed);
  writeFiles(directory, { '.git/hooks/pre-commit': hook('echo more > made; git add made') });
  await compareWithGit(t, directory, [
    { argv: ['commit', '-qam', 'x'], ignoreObjects: true }, { argv: ['commit', '-q', '--allow-empty', '-m', 'y'], ignoreObjects: true },
  ]);
});

test('the message is edited, and a message nobody wrote stops the commit', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', changed);
  const editor = join(makeSandbox(t), 'editor');
  writeFiles(join(editor, '..'), { editor: { executable: '#!/bin/sh\nprintf "edited\\n# comment\\n" > "$1.new"; cat "$1" >> "$1.new"; mv "$1.new" "$1"\n' } });
  await compareWithGit(t, directory, [
    { argv: ['commit', '-qa'], env: { GIT_EDITOR: editor } },
    { argv: ['commit', '-q', '--amend'], env: { GIT_EDITOR: editor } },
    { argv: ['commit', '-q', '--allow-empty', '-m', 'given', '-e', '--cleanup=scissors'], env: { GIT_EDITOR: editor } },
    { argv: ['commit', '-q', '--allow-empty'], env: { GIT_EDITOR: ':' } },
    { argv: ['commit', '-q', '--allow-empty', '-m', ''] },
  ]);
});

test('a merge is concluded with its parents and message, and its traces are gone', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `${changed}\ngit commit -qam second; git checkout -q -b side HEAD~; echo s > side; git add side; git commit -qm side
git checkout -q main; git merge -q --no-commit side`);
  await compareWithGit(t, repository, [{ argv: ['commit', '--no-edit'] }, { argv: ['commit', '-m', 'nothing left'], ignoreOutput: true }]);
  const conflicted = makeRepository(t, 'sha1', `${changed}\ngit commit -qam second; git checkout -q -b side HEAD~; echo s > file; git commit -qam side
git checkout -q main; git merge -q side || true`);
  t.is((await cairn(['commit', '-m', 'x'], { cwd: conflicted })).code, 3);
  t.is((await cairn(['commit', '--amend', '-m', 'x'], { cwd: conflicted })).code, 3);
  writeFiles(conflicted, { file: 'resolved\n' });
  await compareWithGit(t, conflicted, [{ argv: ['commit', '-qam', 'resolved'] }]);
});

test('a message with a NUL byte is refused', async (t) => {
  const options = { cwd: makeSandbox(t), env: { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@x', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@x' } };
  await cairnOutput(['init', '-q'], options);
  const { code, stderr } = await cairn(['commit', '--allow-empty', '-F', '-'], { ...options, stdin: 'one\0two\n' });
  t.deepEqual([code, stderr], [2, 'fatal: a NUL byte in a commit message is not allowed\n']);
});

test('what cannot be done is refused, never ignored', async (t) => {
  if (skipWithoutGit(t)) return;
  const directory = makeRepository(t, 'sha1', changed);
  for (const argv of [['--dry-run'], ['-A', '-a'], ['-m', 'x', '-F', 'f'], ['-i'], ['--reset-author'], ['-u'], ['--porcelain']]) {
    t.true([3, 129].includes((await cairn(['commit', ...argv], { cwd: directory })).code), argv.join(' '));
  }
  t.is((await cairn(['commit', '-am', 'x', '--author', 'nobody'], { cwd: directory })).code, 2);
  t.is((await cairn(['commit', '-am', 'x', '--cleanup', 'nothing'], { cwd: directory })).code, 2);
  t.is((await cairn(['commit', '-am', 'x'], { cwd: directory, env: { GIT_AUTHOR_NAME: '', GIT_AUTHOR_EMAIL: '' } })).code, 2);
  t.is(gitOutput(['rev-list', '--count', 'HEAD'], { cwd: directory }), '1');
});
