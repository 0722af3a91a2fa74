import test from 'ava';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mergeTexts } from '../../../plumbing/merge/text-merge.js';
import { cairn } from '../../helpers/cairn.js';
import { compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox, seededRandom } from '../../helpers/sandbox.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

/** A base and two texts edited from it, with few different lines so that much is ambiguous. */
function makeTriple(random: () => number): readonly [ours: string, base: string, theirs: string] {
  const pick = (count: number): number => Math.floor(random() * count);
  const vocabulary = [2, 4, 10, 40][pick(4)]!;
  const line = (): string => ['', '}', '  {'][pick(20)] ?? `${' '.repeat(pick(3) * 2)}w${pick(vocabulary)}`;
  const edit = (lines: readonly string[]): string[] => {
    const edited = [...lines];
    for (let edits = 1 + pick(5); edits > 0; edits -= 1) edited.splice(pick(edited.length + 1), pick(4), ...Array.from({ length: pick(4) }, line));
    return edited;
  };
  const base = Array.from({ length: [2, 8, 20, 50][pick(4)]! }, line);
  const ours = edit(base);
  const theirs = edit(pick(3) === 0 ? ours : base);
  const end = pick(5) === 0 ? '\r\n' : '\n';
  const join = (lines: readonly string[]): string => {
    const text = lines.map((each) => each + end).join('');
    return pick(6) === 0 ? text.slice(0, Math.max(text.length - end.length, 0)) : text;
  };
  return [join(ours), join(base), join(theirs)];
}

test('texts are merged as git merges them, line for line', (t) => {
  if (skipWithoutGit(t)) return;
  const seed = 20050407;
  const random = seededRandom(seed);
  const cwd = makeSandbox(t);
  const styles = [[], [], ['--diff3'], ['--zdiff3'], ['--ours'], ['--theirs'], ['--union'], ['--marker-size=4']] as const;
  for (let round = 0; round < 120; round += 1) {
    const texts = makeTriple(random);
    for (const [at, name] of ['ours', 'base', 'theirs'].entries()) writeFileSync(join(cwd, name), texts[at]!);
    const [option = ''] = styles[round % styles.length]!;
    const expected = git(['merge-file', '-p', ...(option === '' ? [] : [option]), '-L', 'x', '-L', 'y', 'ours', 'base', 'theirs'], { cwd });
    const favor = ['--ours', '--theirs', '--union'].includes(option) ? option.slice(2) as 'ours' | 'theirs' | 'union' : undefined;
    const actual = mergeTexts(Buffer.from(texts[1]), Buffer.from(texts[0]), Buffer.from(texts[2]), {
      style: option === '--diff3' ? 'diff3' : option === '--zdiff3' ? 'zdiff3' : 'merge', joinsPunctuation: true, labels: { ours: 'x', base: 'y', theirs: 'theirs' },
      ...(favor === undefined ? {} : { favor }), ...(option === '--marker-size=4' ? { markerSize: 4 } : {}),
    });
    t.is(actual.bytes.toString('latin1'), expected.stdout, `seed ${seed}, round ${round}, ${option}`);
    t.is(actual.conflicts, expected.code, `seed ${seed}, round ${round}, ${option}: conflicts`);
  }
});

const files = `
  seq 1 20 > o; sed 's/^5$/five/; s/^15$/mine/' o > a; sed 's/^10$/ten/; s/^15$/yours/' o > b; printf 'x\\0y' > bin; : > empty; mkdir sub; cp a sub/a
`;

test('merge-file takes what git takes', async (t) => {
  if (skipWithoutGit(t)) return;
  await compareWithGit(t, makeRepository(t, 'sha1', files), [
    ['-p', 'a', 'o', 'b'], ['--stdout', '-q', 'a', 'o', 'b'], ['-p', '--diff3', 'a', 'o', 'b'], ['-p', '--zdiff3', 'a', 'o', 'b'], ['-p', '--ours', 'a', 'o', 'b'],
    ['-p', '--diff3', '--no-diff3', 'a', 'o', 'b'], ['-p', '--marker-size=x', '--marker-size=3', 'a', 'o', 'b'], ['-p', '--marker-size=x', 'a', 'o', 'b'], ['-p', '--theirs', 'a', 'o', 'b'], ['-p', '--union', 'a', 'o', 'b'], ['-p', '--marker-size=12', 'a', 'o', 'b'], ['-p', '-L', 'one', '-L', 'two', '-L', 'three', 'a', 'o', 'b'],
    ['-p', 'a', 'o', 'o'], ['-p', 'o', 'o', 'b'], ['-p', 'a', 'empty', 'b'], ['-p', 'a', 'o', 'bin'], ['-p', 'a', 'o', 'none'], ['-p', 'a', 'o'], ['-p', '--nonsense', 'a', 'o', 'b'],
  ].map((argv) => ({ argv: ['merge-file', ...argv], readsOnly: true })));
});

test('merge-file overwrites its first file, from a subdirectory and with the configured style, too', async (t) => {
  if (skipWithoutGit(t)) return;
  const [theirs, ours] = [makeRepository(t, 'sha1', `${files}\ngit config merge.conflictStyle diff3`), makeRepository(t, 'sha1', `${files}\ngit config merge.conflictStyle diff3`)];
  const argv = ['merge-file', 'a', '../o', '../b'];
  t.is((await cairn(argv, { cwd: join(ours, 'sub') })).code, git(argv, { cwd: join(theirs, 'sub') }).code);
  t.is(readFileSync(join(ours, 'sub/a'), 'utf8'), readFileSync(join(theirs, 'sub/a'), 'utf8'));
  t.regex(readFileSync(join(ours, 'sub/a'), 'utf8'), /\|{7} \.\.\/o/);
});
