import test from 'ava';
import { InvalidError, UsageError } from '../../../pack/errors.js';
import { LineExpression, LinePattern } from '../../../plumbing/search/line-pattern.js';

const plain = { kind: 'extended', ignoreCase: false, words: false } as const;

test('of alternatives the longest counts, wherever it stands', (t) => {
  t.deepEqual(new LinePattern('foo|foobar|fo', plain).find('a foobar', 0), { start: 2, end: 8 });
  t.deepEqual(new LinePattern('[|]|x', plain).find('a|', 0), { start: 1, end: 2 });
});

test('a word is looked for again where the first match is none', (t) => {
  t.deepEqual(new LinePattern('foo', { ...plain, words: true }).find('foobar xfoo foo', 0), { start: 12, end: 15 });
  t.is(new LinePattern('foo', { ...plain, words: true }).find('foo_', 0), undefined);
});

test('what would mean something else in a Perl-like expression is refused', (t) => {
  for (const text of ['\\Qa', 'a++', '(?>a)', '\\h', '(?<!a)(?R)', '[[:alpha:]]']) t.throws(() => new LinePattern(text, { ...plain, kind: 'perl' }), { instanceOf: UsageError }, text);
  t.deepEqual(new LinePattern('a(?=b)', { ...plain, kind: 'perl' }).find('ac ab', 0), { start: 3, end: 4 });
});

test('expressions that are none are refused', (t) => {
  const pattern = { kind: 'pattern', text: 'a' } as const;
  for (const words of [[{ kind: 'open' }], [pattern, { kind: 'and' }], [{ kind: 'not' }], [pattern, { kind: 'close' }]] as const) {
    t.throws(() => new LineExpression(words, plain), { instanceOf: InvalidError });
  }
});
