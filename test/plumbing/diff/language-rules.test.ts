// Functions and words of the languages git knows, line by line against stock git.
import test from 'ava';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn, projectRoot } from '../../helpers/cairn.js';
import { makeSandbox, seededRandom } from '../../helpers/sandbox.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';
import { languageRules } from '../../../plumbing/diff/language-rules.js';

interface Pair { readonly language: string; readonly old: string; readonly now: string }

/** What both programs print for every pair, file by file: the lines from the first hunk on. */
async function compare(pairs: readonly Pair[], directory: string, flags: readonly string[]): Promise<[git: Map<string, string>, cairn: Map<string, string>]> {
  mkdirSync(join(directory, 'a'));
  mkdirSync(join(directory, 'b'));
  writeFileSync(join(directory, 'attributes'), Object.keys(languageRules).map((language) => `*.${language} diff=${language}\n`).join(''));
  for (const [at, { language, old, now }] of pairs.entries()) {
    writeFileSync(join(directory, 'a', `${10000 + at}.${language}`), old);
    writeFileSync(join(directory, 'b', `${10000 + at}.${language}`), now);
  }
  const argv = ['-c', `core.attributesfile=${join(directory, 'attributes')}`, 'diff', '--no-index', ...flags, 'a', 'b'];
  const hunks = (text: string): Map<string, string> => new Map(text.split(/^diff --git a\/a\//m).slice(1).map((part) => [part.split(' ', 1)[0]!, part.slice(part.search(/^@@/m))]));
  return [hunks(git(argv, { cwd: directory }).stdout), hunks((await cairn(argv, { cwd: directory })).stdout)];
}

test('lines are taken for functions as git takes them', async (t) => {
  if (skipWithoutGit(t)) return;
  const pairs: Pair[] = [];
  let language = '';
  for (const line of readFileSync(join(projectRoot, 'test/fixtures/function-lines.txt'), 'utf8').split('\n')) {
    if (line.startsWith('@') && Object.hasOwn(languageRules, line.slice(1))) language = line.slice(1);
    else if (line !== '') pairs.push({ language, old: `${line}\n\n\n\n1\n`, now: `${line}\n\n\n\n2\n` });
  }
  t.is(new Set(pairs.map((pair) => pair.language)).size, Object.keys(languageRules).length);
  const [expected, actual] = await compare(pairs, makeSandbox(t), ['-U1']);
  t.is(expected.size, pairs.length);
  t.deepEqual(actual, expected);
});

/** Of some languages git has odd ideas about numbers and operators that do not follow from the grammar. */
const ownWords = new Set(['ada', 'elixir', 'fortran', 'kotlin', 'perl', 'rust']);
const pieces = ('a foo foo_bar Foo2 _x 1 12 0x1F 1.5 1e5 10L 2.0f 1_000 12u -1 +2 + - * / = == != < > <= >= << >> && || & | ^ ~ ! : :: ; , . .. ... -> => := += -= ++ -- ** <- '
  + '=== =~ >>> <<= @foo $x # #fff \\foo ( ) [ ] { } "s" a-b é ü &^ .and. </h1> a="b" .* ~= 1i 3j').split(' ');

test('lines are taken apart into words as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const seed = 20050408;
  t.log(`seed ${seed}`);
  const random = seededRandom(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  const pairs = Object.keys(languageRules).filter((language) => !ownWords.has(language)).flatMap((language) => Array.from({ length: 40 }, (): Pair => {
    const parts = Array.from({ length: 1 + pick(3) }, () => pieces[pick(pieces.length)]!);
    const others = [...parts];
    others[pick(parts.length)] = pieces[pick(pieces.length)]!;
    const glue = (list: readonly string[]): string => list.map((part) => part + (pick(3) === 0 ? ' ' : '')).join('').trim();
    return { language, old: `${glue(parts)}\n`, now: `${glue(others)}\n` };
  }));
  const [expected, actual] = await compare(pairs, makeSandbox(t), ['--word-diff']);
  t.true(expected.size > pairs.length / 2);
  t.deepEqual(actual, expected);
});
