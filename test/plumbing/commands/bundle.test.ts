import test from 'ava';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareFinished, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, gitOutput, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

const story = `
for i in 1 2 3; do seq $i 90 > f$i; mkdir -p d; seq $i 40 > "d/p$i"; git add .; git commit -qm "c$i"; git tag l$i; done
git tag -am ann v1; git tag -am nested v2 v1; git tag blob HEAD:f2; git tag -am 'of a tree' tree HEAD^{tree}
git checkout -qb side HEAD~1; echo x >> f2; git commit -qam side; git checkout -q main; git merge -q --no-edit side; git branch dup
`;

/** The lines before the pack, and how many objects it has. */
function shape(path: string): { header: string; objects: number } {
  const bytes = readFileSync(path);
  const end = bytes.indexOf('\n\n') + 2;
  return { header: bytes.toString('latin1', 0, end), objects: bytes.readUInt32BE(end + 8) };
}

const created = [
  'F main', '-q F HEAD main --tags', 'F l1..main', 'F --all ^l2', '--version=3 F main', 'F v1..v2', 'F -1 main', 'F --filter=blob:none main', 'F main~1..main~2 dup', 'F blob', 'F tree',
  'F main dup main', 'F --since=2040-01-01 main v1', 'F --all', 'F --branches --not l1', 'F v1', 'F l2..v1', 'F --max-count=2 main side', 'F main -- f2', '--progress F main', '--all-progress --all-progress-implied F main',
  'F --first-parent l1..main', 'F refs/heads/main heads/dup',
];
const refused = ['', 'create', 'create F', 'create F main ^main', 'create --version=4 F main', 'create --version=2x F main', 'create F nosuch', 'create none/F main', 'create --bogus F main', 'bogus', 'list-heads', 'list-heads nosuch', 'verify nosuch', 'verify f1',
  'create F -g main', 'create F -g --grep-reflog=x main', 'create F --right-only main ^main', 'create F --cherry main ^main', 'unbundle nosuch', 'verify', 'verify --version=2 F', 'unbundle'];

for (const format of bothFormats) {
  test(`bundle create writes git's header before the objects git packs, and git takes them (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, story);
    for (const line of created) {
      const [theirs, ours] = ['theirs', 'ours'].map((name) => join(repository, name));
      const argv = (file: string): string[] => ['bundle', 'create', ...line.split(' ').map((word) => (word === 'F' ? file : word))];
      compareFinished(t, ['bundle', 'create', ...line.split(' ')].join(' '), git(argv(theirs!), { cwd: repository }), await cairn(argv(ours!), { cwd: repository }));
      t.deepEqual(shape(ours!), shape(theirs!), line);
      t.is(git(['bundle', 'verify', ours!], { cwd: repository }).code, 0, line);
      for (const action of [['verify'], ['verify', '-q'], ['list-heads']]) {
        compareFinished(t, ['bundle', ...action, 'F'].join(' '), git(['bundle', ...action, theirs!], { cwd: repository }), await cairn(['bundle', ...action, theirs!], { cwd: repository }));
      }
    }
  });

  test(`what is no bundle, or cannot become one, is refused as git refuses it (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, story), refused.map((line): Case => ({ argv: ['bundle', ...line.split(' ')].filter((word) => word !== ''), ignoreOutput: true })));
  });

  test(`bundles go from cairn to git and from git to cairn, whole and in steps (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, story);
    const [whole, step] = ['whole', 'step'].map((name) => join(repository, name)) as [string, string];
    for (const writer of ['git', 'cairn']) {
      const create = async (...argv: string[]): Promise<number> => (writer === 'git' ? git(['bundle', 'create', ...argv], { cwd: repository }) : await cairn(['bundle', 'create', ...argv], { cwd: repository })).code;
      t.is(await create(whole, 'l2'), 0);
      t.is(await create(step, 'l2..main', 'side', 'v2'), 0);
      const target = join(makeSandbox(t), 'target');
      t.is(runProgram('git', ['init', '-q', `--object-format=${format}`, target], { cwd: '/' }).code, 0);
      const early = await cairn(['bundle', 'unbundle', step], { cwd: target });
      t.is(early.code, 1, 'the step needs the whole');
      t.regex(early.stderr, new RegExp(`error: ${gitOutput(['rev-parse', 'l2'], { cwd: repository }).trim()}`));
      t.is((await cairn(['bundle', 'verify', step], { cwd: target })).code, 1);
      for (const file of [whole, step]) {
        const result = await cairn(['bundle', 'unbundle', file], { cwd: target });
        t.is(result.code, 0, result.stderr);
        t.is(result.stdout, git(['bundle', 'list-heads', file], { cwd: repository }).stdout);
        for (const line of result.stdout.trimEnd().split('\n')) t.is(git(['update-ref', line.split(' ')[1]!, line.split(' ')[0]!], { cwd: target }).code, 0);
      }
      t.is(git(['fsck', '--full', '--strict'], { cwd: target }).code, 0);
      t.is(gitOutput(['rev-list', '--objects', 'refs/heads/main'], { cwd: target }), gitOutput(['rev-list', '--objects', 'main'], { cwd: repository }));
    }
    const clone = join(makeSandbox(t), 'clone');
    t.is((await cairn(['bundle', 'create', whole, '--all'], { cwd: repository })).code, 0);
    const cloned = runProgram('git', ['clone', '-q', whole, clone], { cwd: '/' });
    t.is(cloned.code, 0, cloned.stderr);
    t.is((await cairn(['bundle', 'unbundle', whole, 'refs/heads/dup'], { cwd: clone })).stdout, `${gitOutput(['rev-parse', 'dup'], { cwd: repository }).trim()} refs/heads/dup\n`);
  });
}

test('a damaged bundle is an error, and nothing of it is taken in', async (t) => {
  const repository = makeSandbox(t);
  const run = async (...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> => cairn(argv, { cwd: repository, stdin: 'content' });
  await run('init', '-q');
  writeFileSync(join(repository, 'file'), 'content\n');
  t.is((await run('commit', '-A', '-q', '-m', 'first')).code, 0);
  t.is((await run('bundle', 'create', 'good', '--all')).code, 0);
  const good = readFileSync(join(repository, 'good'));
  const target = makeSandbox(t);
  t.is((await cairn(['init', '-q'], { cwd: target })).code, 0);
  const end = good.indexOf('\n\n') + 2;
  const flipped = (at: number): Buffer => Buffer.from(good.map((byte, index) => (index === at ? byte ^ 0x21 : byte)));
  const refusedWhole = async (bad: Buffer, about: string): Promise<void> => {
    writeFileSync(join(target, 'bad'), bad);
    const result = await cairn(['bundle', 'unbundle', 'bad'], { cwd: target });
    t.true([1, 128].includes(result.code), `${about}: ${result.code} ${result.stderr}`);
    t.regex((await cairn(['count-objects', '-v'], { cwd: target })).stdout, /in-pack: 0\n(.*\n)*garbage: 0\n/, about);
  };
  for (let at = end; at < good.length; at += 1) await refusedWhole(flipped(at), `byte ${at}`);
  for (let length = 0; length < good.length; length += 3) await refusedWhole(good.subarray(0, length), `cut at ${length}`);
  // The names in the header are covered by no checksum: they are what they are, or no header.
  for (let at = 0; at < end; at += 1) {
    writeFileSync(join(target, 'bad'), flipped(at));
    const result = await cairn(['bundle', 'list-heads', 'bad'], { cwd: target });
    t.true([0, 1].includes(result.code), `header byte ${at}: ${result.code} ${result.stderr}`);
  }
});
