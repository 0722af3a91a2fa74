import test from 'ava';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSandbox, seededRandom } from '../../helpers/sandbox.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';
import { HunkPainter } from '../../../plumbing/diff/diff-patch.js';
import { type TextDiffOptions, diffLines, hunksOf, isBinary, splitLines, trimCommonTail } from '../../../plumbing/diff/text-diff.js';

const noColors = { meta: '', frag: '', func: '', old: '', new: '', context: '', whitespace: '', reset: '' };

function patch(old: string, now: string, context: number, options: TextDiffOptions): string {
  let [a, b] = [Buffer.from(old), Buffer.from(now)] as [Buffer, Buffer];
  if (context === 0) [a, b] = trimCommonTail(a, b);
  const [one, two] = [splitLines(a), splitLines(b)];
  const painter = new HunkPainter(one, two, { colors: noColors });
  return hunksOf(diffLines(one, two, options), one.count, two.count, context).map((hunk) => painter.paint(hunk)).join('');
}

/** Texts with few different lines, indentation and blank lines, and a second one edited from the first. */
function makePair(random: () => number): [string, string] {
  const pick = (count: number): number => Math.floor(random() * count);
  const vocabulary = [2, 4, 10, 50, 1000][pick(5)]!;
  const line = (): string => {
    const kind = pick(10);
    if (kind === 0) return '';
    return `${' '.repeat(pick(4) * 2)}${pick(5) === 0 ? '\t' : ''}w${pick(vocabulary)}${pick(6) === 0 ? ' x ' : ''}${kind === 1 ? ' ' : ''}`;
  };
  const old = Array.from({ length: [3, 20, 60, 300][pick(4)]! }, line);
  const now = [...old];
  for (let edits = 1 + pick([3, 10, old.length][pick(3)]!); edits > 0; edits -= 1) {
    const at = pick(now.length + 1);
    const kind = pick(4);
    if (kind === 0) now.splice(at, pick(4));
    else if (kind === 1) now.splice(at, 0, ...Array.from({ length: 1 + pick(4) }, line));
    else if (kind === 2) now.splice(at, 0, ...now.slice(at, at + 1 + pick(5)));
    else if (at < now.length) now[at] = now[at]!.replaceAll(' ', pick(2) ? '' : '  ');
  }
  return [old.join('\n') + (pick(5) ? '\n' : ''), now.join('\n') + (pick(5) ? '\n' : '')];
}

const variants: readonly (readonly [flags: readonly string[], context: number, options: TextDiffOptions])[] = [
  [[], 3, {}], [['-U0'], 0, {}], [['-U1'], 1, {}], [['-w'], 3, { ignoreAllSpace: true }], [['-b'], 3, { ignoreSpaceChange: true }],
  [['--ignore-space-at-eol'], 3, { ignoreSpaceAtEol: true }], [['--ignore-blank-lines'], 3, { ignoreBlankLines: true }],
  [['-w', '--ignore-blank-lines'], 3, { ignoreAllSpace: true, ignoreBlankLines: true }], [['--minimal'], 3, { minimal: true }],
  [['--no-indent-heuristic'], 3, { indentHeuristic: false }],
];

for (const [flags, context, options] of variants) {
  test(`hunks are those git prints: ${flags.join(' ') || 'as they come'}`, (t) => {
    if (skipWithoutGit(t)) return;
    const seed = 20050407;
    t.log(`seed ${seed}`);
    const random = seededRandom(seed);
    const directory = makeSandbox(t);
    mkdirSync(join(directory, 'a'));
    mkdirSync(join(directory, 'b'));
    const pairs = Array.from({ length: 300 }, () => makePair(random));
    for (const [at, [old, now]] of pairs.entries()) {
      writeFileSync(join(directory, 'a', String(1000 + at)), old);
      writeFileSync(join(directory, 'b', String(1000 + at)), now);
    }
    const expected = new Map<number, string>();
    for (const part of git(['diff', '--no-index', '--no-color', ...flags, 'a', 'b'], { cwd: directory }).stdout.split(/^diff --git /m).slice(1)) {
      const at = part.search(/^@@/m);
      expected.set(Number(/^a\/a\/(\d+)/.exec(part)![1]) - 1000, at < 0 ? '' : part.slice(at));
    }
    t.true(expected.size > 200);
    for (const [at, [old, now]] of pairs.entries()) t.is(patch(old, now, context, options), expected.get(at) ?? '', `pair ${at}`);
  });
}

test('large texts that have little in common are compared in bounded time', (t) => {
  const random = seededRandom(7);
  const text = (): Buffer => Buffer.from(Array.from({ length: 30000 }, () => `line ${Math.floor(random() * 2000)}\n`).join(''));
  const [one, two] = [text(), text()];
  const changes = diffLines(one, two);
  const [a, b] = [splitLines(one), splitLines(two)];
  let [oldAt, newAt] = [0, 0];
  for (const change of changes) {
    t.is(change.oldAt - oldAt, change.newAt - newAt);
    [oldAt, newAt] = [change.oldAt + change.oldCount, change.newAt + change.newCount];
  }
  t.is(a.count - oldAt, b.count - newAt);
});

test('a NUL among the first 8000 bytes makes content binary', (t) => {
  t.true(isBinary(Buffer.from('a\0b')));
  t.false(isBinary(Buffer.concat([Buffer.alloc(8000, 'a'), Buffer.from([0])])));
  t.false(isBinary(Buffer.alloc(0)));
});
