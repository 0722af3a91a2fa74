import test from 'ava';
import type { ExecutionContext } from 'ava';
import { chmodSync, copyFileSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn, makeContext } from '../../helpers/cairn.js';
import { Fsck } from '../../../plumbing/objects/fsck.js';
import { Repository } from '../../../plumbing/repository.js';
import { bothFormats, makeRepository, recordCase } from '../../helpers/differential.js';
import { type Finished, git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

/** Answers come in no particular order; the two lines of a broken link belong together. */
function answers(finished: Finished): string[] {
  return finished.stdout.replaceAll('\n              to', ' ->').split('\n').filter((line) => line !== '').sort();
}

/** "error in tree <id>: <message>" and its like, without the words. */
function messages(finished: Finished): string[] {
  return [...finished.stderr.matchAll(/^(error|warning) in (\w+) ([0-9a-f]+)[^:]*: (\w+):/gm)].map(([, ...parts]) => parts.join(' ')).sort();
}

async function compare(t: ExecutionContext, repository: string, ...lines: readonly (readonly string[])[]): Promise<void> {
  for (const argv of lines) {
    const theirs = git(argv, { cwd: repository });
    const ours = await cairn(argv, { cwd: repository });
    const label = argv.join(' ');
    recordCase(argv);
    t.deepEqual(answers(ours), answers(theirs), `${label}\n${theirs.stderr}\n${ours.stderr}`);
    t.deepEqual(messages(ours), messages(theirs), `${label}: messages`);
    t.is(ours.code, theirs.code, `${label}: exit code\n${theirs.stderr}\n${ours.stderr}`);
  }
}

const plain = [['fsck'], ['fsck', '--full', '--strict'], ['fsck', '--unreachable'], ['fsck', '--no-dangling'], ['fsck', '--root', '--tags'],
  ['fsck', '--no-reflogs'], ['fsck', '--connectivity-only'], ['fsck', 'HEAD~1'], ['fsck', '--cache', 'HEAD~1'], ['fsck', 'none'],
  ['fsck', '--connectivity-only', '--unreachable', '--no-reflogs'], ['fsck', '--verbose', '--no-progress'], ['fsck', '--dangling', '--reflogs'], ['fsck', '--nonsense']];

const history = `
mkdir dir; for i in 1 2 3; do echo $i > file; seq 1 $i > dir/more; git add .; git commit -qm "change $i"; done
git tag -am tag v1; git tag -am nested v2 v1; git branch side HEAD~1
echo dangling | git hash-object -w --stdin; git commit-tree -m lost HEAD^{tree}; printf '' | git mktree
git commit -q --amend -m amended; echo staged > staged; git add staged; git tag -d v2
`;

for (const format of bothFormats) {
  for (const [how, more] of [['loose', ''], ['packed', 'git repack -q -a -d'], ['with a commit-graph and a multi-pack-index', 'git repack -q -a -d; git commit-graph write --reachable; git multi-pack-index write']] as const) {
    test(`a healthy repository (${format}, ${how})`, async (t) => {
      if (skipWithoutGit(t)) return;
      // Without packs stock git takes reflog entries that are packed for broken.
      await compare(t, makeRepository(t, format, `${history}\n${more}`), ...plain, ...(more === '' ? [['fsck', '--no-full']] : []));
    });
  }

  test(`objects that are missing (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    for (const lost of ['HEAD:file', 'HEAD:dir', 'HEAD^{tree}', 'HEAD~1', 'HEAD', 'v1', ':staged']) {
      const repository = makeRepository(t, format, history);
      const id = gitOutput(['rev-parse', lost], { cwd: repository });
      rmSync(join(repository, '.git/objects', id.slice(0, 2), id.slice(2)));
      await compare(t, repository, ['fsck'], ['fsck', '--connectivity-only'], ['fsck', '--no-reflogs']);
    }
  });

  test(`loose objects that are damaged (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, history);
    const pathOf = (name: string): string => {
      const id = gitOutput(['rev-parse', name], { cwd: repository });
      return join(repository, '.git/objects', id.slice(0, 2), id.slice(2));
    };
    const [path, other] = [pathOf('HEAD:file'), pathOf('HEAD:dir/more')];
    const good = readFileSync(path);
    chmodSync(path, 0o644);
    for (const damage of [Buffer.alloc(0), good.subarray(0, -4), Buffer.from('nonsense'), Buffer.concat([good, Buffer.from('x')]), readFileSync(other)]) {
      writeFileSync(path, damage);
      await compare(t, repository, ['fsck']);
    }
  });
}

test('objects that are not as they should be are reported with the message ids git uses', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'echo x > file; git add .; git commit -qm x');
  const blob = gitOutput(['rev-parse', 'HEAD:file'], { cwd: repository });
  const tree = gitOutput(['rev-parse', 'HEAD^{tree}'], { cwd: repository });
  const head = gitOutput(['rev-parse', 'HEAD'], { cwd: repository });
  const raw = Buffer.from(blob, 'hex');
  const entry = (mode: string, name: string, id = raw): Buffer => Buffer.concat([Buffer.from(`${mode} ${name}\0`, 'latin1'), id]);
  const trees = [
    [entry('100644', 'b'), entry('100644', 'a')], [entry('100644', 'a'), entry('100644', 'a')], [entry('0100644', 'a')], [entry('100664', 'a')], [entry('100777', 'a')],
    [entry('100644', '.git')], [entry('100644', '.GIT')], [entry('100644', 'git~1')], [entry('100644', '.git. ')], [entry('100644', '.g\xe2\x80\x8cit')], [entry('100644', '.')],
    [entry('100644', '..')], [entry('100644', 'a/b')], [entry('100644', 'a', Buffer.alloc(20))], [entry('120000', '.gitmodules')], [entry('120000', '.gitattributes')],
    [entry('120000', '.gitignore')], [entry('120000', '.mailmap')], [entry('100644', 'a'), entry('40000', 'a', Buffer.from(tree, 'hex'))], [entry('100644', '')],
    [entry('40000', 'a', Buffer.from(tree, 'hex')), entry('100644', 'a.b')], [entry('100644', 'a'), entry('100644', 'a-b'), entry('40000', 'a', Buffer.from(tree, 'hex'))],
  ].map((entries) => Buffer.concat(entries));
  const person = 'A <a@b> 1112911993 +0100';
  const commit = `tree ${tree}\nparent ${head}\nauthor ${person}\ncommitter ${person}\n\nmessage\n`;
  const commits = [
    commit.replace(`tree ${tree}\n`, ''), commit.replace(tree, tree.slice(1)), commit.replace(head, head.slice(1)), commit.replace(/author.*\n/, ''), commit.replace(/committer.*\n/, ''),
    commit.replace(/(author.*\n)/, '$1$1'), commit.replace('A <', 'A<'), commit.replace('A <', '<'), commit.replace('<a@b>', 'a@b'), commit.replace('<a@b>', '<a@b'), commit.replace('> 111', '>111'),
    commit.replace('1112911993', '01112911993'), commit.replace('1112911993', '99999999999999999999'), commit.replace('+0100', '+01000'), commit.replace('+0100', 'CEST'),
    commit.replace('message', 'mes\0sage'), commit.replace('author', 'aut\0hor'), commit.replace(/\n\nmessage\n/, ''), commit.replace('A <a', 'A> <a'), commit.replace('1112911993', 'x'),
    commit.replace('\nparent', '\nencoding x\nparent'), 'nonsense', '',
  ];
  const tag = `object ${head}\ntype commit\ntag x\ntagger ${person}\n\nmessage\n`;
  const tags = [
    tag.replace(/tagger.*\n/, ''), tag.replace('tag x', 'tag x..y'), tag.replace('type commit', 'type x'), tag.replace(`object ${head}\n`, ''), tag.replace(head, head.slice(2)), tag.replace('type commit\n', ''),
    tag.replace('tag x\n', ''), tag.replace('+0100\n', '+0100\nextra x\n'), tag.replace('A <', 'A<'), tag.replace('\n\nmessage\n', ''),
  ];
  for (const [type, contents] of [['tree', trees], ['commit', commits], ['tag', tags]] as const) {
    for (const stdin of contents) gitOutput(['hash-object', '-t', type, '--literally', '-w', '--stdin'], { cwd: repository, stdin: stdin as string | Buffer });
  }
  const theirs = git(['fsck', '--no-dangling'], { cwd: repository });
  const ours = await cairn(['fsck', '--no-dangling'], { cwd: repository });
  t.deepEqual(messages(ours), messages(theirs));
  t.true(messages(ours).length >= 38, `${messages(ours).length} messages`);
  t.is(ours.code & 1, 1);
  const configured = ['-c', 'fsck.zeroPaddedFilemode=ignore', '-c', 'fsck.badTimezone=warn', '-c', 'fsck.missingTaggerEntry=error', 'fsck', '--strict', '--no-dangling'];
  t.deepEqual(messages(await cairn(configured, { cwd: repository })), messages(git(configured, { cwd: repository })));
});

test('refs, HEAD, reflogs and submodule files that are wrong', async (t) => {
  if (skipWithoutGit(t)) return;
  const none = '1'.repeat(40);
  const damages = [
    `echo ${none} > .git/refs/heads/gone`, 'git rev-parse HEAD:file > .git/refs/heads/blob', 'git rev-parse HEAD:file > .git/refs/tags/blob', 'git symbolic-ref HEAD refs/heads/unborn',
    'git symbolic-ref HEAD refs/tags/v1', 'git checkout -q --detach', `echo "${none} $(git rev-parse HEAD) A <a@b> 1 +0000\tx" >> .git/logs/refs/heads/side`,
    "printf '[submodule \"../x\"]\\n\\tpath = -p\\n\\turl = -u\\n\\tupdate = !cmd\\n' > .gitmodules; git add .gitmodules; git commit -qm x", "printf '[broken' > .gitmodules; git add .gitmodules; git commit -qm x",
    'git worktree add -q ../other side', 'rm -rf .git/refs/heads .git/logs .git/packed-refs .git/refs/tags; mkdir .git/refs/heads',
  ];
  for (const damage of damages) {
    const repository = makeRepository(t, 'sha1', `${history}\n${damage}`);
    await compare(t, repository, ['fsck'], ['fsck', '--no-reflogs', '--unreachable']);
  }
});

test('what the index of another work tree needs is not dangling', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'git commit -q --allow-empty -m x; git worktree add -q ../other; echo z > ../other/z; git -C ../other add z');
  const { stdout, code } = await cairn(['fsck'], { cwd: repository });
  t.is(stdout, '');
  t.is(code, 0);
});

test('packs and indexes that are damaged', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha256', `${history}\ngit repack -q -a -d`);
  const packs = join(repository, '.git/objects/pack');
  for (const suffix of ['.pack', '.idx']) {
    const path = join(packs, readdirSync(packs).find((name) => name.endsWith(suffix))!);
    copyFileSync(path, `${path}.good`);
    const good = readFileSync(path);
    for (const at of [3, 20, Math.floor(good.length / 2), good.length - 5]) {
      const bytes = Buffer.from(good);
      bytes[at] = bytes[at]! ^ 0x55;
      rmSync(path);
      writeFileSync(path, bytes);
      const ours = await cairn(['fsck'], { cwd: repository });
      t.true((ours.code & 6) !== 0, `${suffix} byte ${at}: ${ours.stderr}`);
      t.regex(ours.stderr, /pack-/);
      t.not(git(['fsck'], { cwd: repository }).code, 0);
    }
    writeFileSync(path, good);
  }
  t.is((await cairn(['fsck'], { cwd: repository })).code, git(['fsck'], { cwd: repository }).code);
});

test('dangling objects are written to lost-found, as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', history);
  const lost = join(repository, '.git/lost-found');
  const read = (): Record<string, string> => Object.fromEntries(['commit', 'other'].flatMap((folder) => (
    existsSync(join(lost, folder)) ? readdirSync(join(lost, folder)).map((name) => [`${folder}/${name}`, readFileSync(join(lost, folder, name), 'latin1')]) : [])));
  gitOutput(['fsck', '--lost-found'], { cwd: repository });
  const expected = read();
  t.true(Object.keys(expected).length >= 3);
  rmSync(lost, { recursive: true });
  t.is((await cairn(['fsck', '--lost-found'], { cwd: repository })).code, 0);
  recordCase(['fsck', '--lost-found']);
  t.deepEqual(read(), expected);
});

test('objects are named by the way that leads to them', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'for i in 1 2 3 4; do mkdir -p d; echo $i > d/f; git add .; git commit -qm $i; done; rm -rf .git/logs .git/index');
  const id = gitOutput(['rev-parse', 'HEAD~3:d/f'], { cwd: repository });
  rmSync(join(repository, '.git/objects', id.slice(0, 2), id.slice(2)));
  await compare(t, repository, ['fsck', '--name-objects']);
});

/** Runs fsck while something happens between its looks at the loose objects and at the packs, then at the first pack. */
function fsckBeside(cwd: string, happens: { readonly afterLoose?: () => void; readonly beforePack?: () => void }): { code: number; said: string } {
  const { context, stdout, stderr } = makeContext({ cwd });
  const repository = Repository.open(context);
  const { objects } = repository;
  const checkLoose = objects.checkLoose.bind(objects);
  objects.checkLoose = function* (isWanted) {
    yield* checkLoose(isWanted);
    happens.afterLoose?.();
  };
  const listPacks = objects.listPacks.bind(objects);
  let isFirst = true;
  objects.listPacks = () => {
    const packs = listPacks();
    if (isFirst) happens.beforePack?.();
    isFirst = false;
    return packs;
  };
  const code = new Fsck(repository, {
    progress: false, names: [], index: false, full: true, strict: true, connectivityOnly: false, unreachable: false, dangling: false,
    roots: false, tags: false, reflogs: true, lostFound: false, nameObjects: false, verbose: false,
  }).run();
  return { code, said: stdout.bytes.toString('latin1') + stderr.bytes.toString('latin1') };
}

test('what others write or pack while fsck looks is not taken for missing', (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', history);
  const afterLoose = (): void => {
    writeFileSync(join(cwd, 'new'), 'new');
    gitOutput(['add', 'new'], { cwd });
    gitOutput(['commit', '-qm', 'new'], { cwd });
    writeFileSync(join(cwd, 'staged'), 'anew');
    gitOutput(['add', 'staged'], { cwd });
  };
  t.deepEqual(fsckBeside(cwd, { afterLoose }), { code: 0, said: '' });
  gitOutput(['repack', '-dq'], { cwd });
  const drawer = join(cwd, '.git/objects/pack');
  const name = readdirSync(drawer).find((each) => each.endsWith('.pack'))!.slice(0, -'.pack'.length);
  const beforePack = (): void => {
    for (const suffix of ['.pack', '.idx']) copyFileSync(join(drawer, name + suffix), join(drawer, `pack-${'a'.repeat(40)}${suffix}`));
    for (const each of readdirSync(drawer)) if (each.startsWith(name)) rmSync(join(drawer, each));
  };
  t.deepEqual(fsckBeside(cwd, { beforePack }), { code: 0, said: '' });
});
