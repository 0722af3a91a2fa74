import test from 'ava';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { type Case, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { seededRandom } from '../../helpers/sandbox.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
  mkdir -p sub/deep ign/in build; touch tracked.o x.o sub/x.o sub/keep.o ign/in/f build/f 'tr ' 'tr\\'; git add -f tracked.o; ln -s sub link
  printf '\\357\\273\\277*.o\\n!keep.o\\n/ign/\\nbuild/\\n!build/f\\n# no\\n\\\\#yes\\n\\\\!bang\\ntr\\\\ \\ntrailing   \\nwin\\r\\n**/any\\nsub/**/z\\na/**\\n' >.gitignore
  printf 'deep\\n!x.o\\n' >sub/.gitignore; echo excluded >.git/info/exclude`;

test('check-ignore answers and complains as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const names = ['x.o', 'tracked.o', 'sub/x.o', 'sub/keep.o', 'ign', 'ign/in/f', 'build/f', 'build', 'sub/deep', '#yes', '!bang', 'tr ', 'tr', 'trailing', 'win', 'q/any',
    'sub/z', 'sub/a/b/z', 'a', 'a/b', 'a/b/c', 'excluded', 'sub/excluded', 'nothing', '.'];
  const cases: Case[] = [
    { argv: ['check-ignore', ...names] },
    { argv: ['check-ignore', '-v', ...names] },
    { argv: ['check-ignore', '-v', '-n', ...names] },
    { argv: ['check-ignore', '--no-index', '-v', 'tracked.o'] },
    { argv: ['check-ignore', '-q', 'x.o'] },
    { argv: ['check-ignore', '-q', 'nothing'] },
    { argv: ['check-ignore', '-q', 'x.o', 'y.o'] },
    { argv: ['check-ignore'] },
    { argv: ['check-ignore', '-n', 'x.o'] },
    { argv: ['check-ignore', '-z', 'x.o'] },
    { argv: ['check-ignore', '--stdin', 'x.o'] },
    { argv: ['check-ignore', '--stdin', '-v'], stdin: 'x.o\n"sub/x.o"\n' },
    { argv: ['check-ignore', '-z', '--stdin', '-v', '-n'], stdin: 'x.o\0sub/x.o\0' },
    { argv: ['check-ignore', 'x.o', '../x.o', 'deep'], subdirectory: 'sub' },
    { argv: ['check-ignore', 'link/x.o'] },
    { argv: ['check-ignore', '../outside'] },
    { argv: ['check-ignore', ''] },
    { argv: ['check-ignore', '--stdin'], stdin: 'x.o\nsub/x.o\r\n' },
  ];
  await compareWithGit(t, makeRepository(t, 'sha1', fixture), cases);
});

test('random patterns ignore what git ignores', async (t) => {
  if (skipWithoutGit(t)) return;
  const seed = Number(process.env['SEED'] ?? 20261121);
  t.log(`seed ${seed}`);
  const random = seededRandom(seed);
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;
  const directory = makeRepository(t, 'sha1', ':');
  const names = ['a', 'b', 'ab', 'a.o', 'b.c', 'foo', 'FOO', 'x y', 'a]', 'dir', 'sub', '.hid', '\\e', 'f*', 'tr '];
  const atoms = ['a', 'b', 'ab', '*', '**', '?', '/', '/', '.o', '[ab]', '[!a]', '[a-c]', '[[:alpha:]]', '\\a', '\\*', 'foo', 'dir', 'sub', '**/', '/**', '.hid',
    '[]a]', '[^b]', '[a', 'x y', '\\ ', ' ', '[\\]]', '*.o', 'FOO', '***'];
  const paths = new Set<string>();
  for (let at = 0; at < 120; at += 1) paths.add(Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(names)).join('/'));
  for (const path of [...paths].sort()) {
    if ([...paths].some((other) => other.startsWith(`${path}/`))) continue;
    mkdirSync(join(directory, dirname(path)), { recursive: true });
    if (random() < 0.3) mkdirSync(join(directory, path));
    else writeFileSync(join(directory, path), '');
  }
  const pattern = (): string => {
    let text = (random() < 0.2 ? '!' : '') + (random() < 0.2 ? '/' : '');
    for (let left = 1 + Math.floor(random() * 4); left > 0; left -= 1) text += pick(atoms);
    return text + (random() < 0.2 ? '/' : '');
  };
  const patterns = (): string => Array.from({ length: 1 + Math.floor(random() * 6) }, pattern).join('\n') + (random() < 0.5 ? '\n' : '');
  const stdin = [...paths].map((path) => `${path}\0`).join('');
  for (let round = 0; round < 15; round += 1) {
    writeFileSync(join(directory, '.gitignore'), patterns());
    writeFileSync(join(directory, '.git/info/exclude'), patterns());
    mkdirSync(join(directory, 'dir'), { recursive: true });
    rmSync(join(directory, 'dir/.gitignore'), { force: true });
    if (random() < 0.5) writeFileSync(join(directory, 'dir/.gitignore'), patterns());
    const env = random() < 0.3 ? { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'core.ignoreCase', GIT_CONFIG_VALUE_0: 'true' } : {};
    for (const argv of [['check-ignore', '-v', '-n', '-z', '--no-index', '--stdin'], ['status', '-s', '--ignored', '-uall'], ['status', '-s', '--ignored'],
      ['status', '-s', '--ignored=matching'], ['ls-files', '-o', '--exclude-standard', '--directory']]) {
      const options = { cwd: directory, env, ...(argv.includes('--stdin') ? { stdin } : {}) };
      const expected = git(argv, options);
      const actual = await cairn(argv, options);
      t.is(actual.stdout, expected.stdout, `round ${round}: ${argv.join(' ')}`);
      t.is(actual.code, expected.code);
    }
  }
});
