import test from 'ava';
import { wildmatch } from '../../plumbing/wildmatch.js';

/** pattern, text, matches with slashes special, matches without, matches folded (only where it differs from the first). */
const table: readonly (readonly [pattern: string, text: string, pathname: boolean, plain: boolean, folded?: boolean])[] = [
  ['foo', 'foo', true, true], ['foo', 'Foo', false, false], ['Foo', 'foo', false, false, true], ['', '', true, true], ['???', 'foo', true, true], ['??', 'foo', false, false],
  ['*', 'foo', true, true], ['f*', 'foo', true, true], ['*f', 'foo', false, false], ['*foo*', 'foo', true, true], ['*ob*a*r*', 'foobar', true, true],
  ['*ab', 'aaaaaaabababab', true, true], ['foo\\*', 'foo*', true, true], ['foo\\*bar', 'foobar', false, false], ['f\\\\oo', 'f\\oo', true, true],
  ['*[al]?', 'ball', true, true], ['[ten]', 'ten', false, false], ['**[!te]', 'ten', true, true], ['**[!ten]', 'ten', false, false], ['t[a-g]n', 'ten', true, true],
  ['t[!a-g]n', 'ten', false, false], ['t[^a-g]n', 'ton', true, true], ['a[]]b', 'a]b', true, true], ['a[]-]b', 'a-b', true, true], ['a[]a-]b', 'aab', true, true],
  [']', ']', true, true], ['foo*bar', 'foo/baz/bar', false, true], ['foo**bar', 'foo/baz/bar', false, true], ['foo**bar', 'foobazbar', true, true],
  ['foo/**/bar', 'foo/baz/bar', true, true], ['foo/**/**/bar', 'foo/baz/bar', true, false], ['foo/**/bar', 'foo/b/a/z/bar', true, true], ['foo/**/bar', 'foo/bar', true, false],
  ['foo/**/**/bar', 'foo/bar', true, false], ['foo?bar', 'foo/bar', false, true], ['foo[/]bar', 'foo/bar', false, true], ['f[^eiu][^eiu][^eiu][^eiu][^eiu]r', 'foo/bar', false, true],
  ['**/foo', 'foo', true, false], ['**/foo', 'XXX/foo', true, true], ['**/foo', 'bar/baz/foo', true, true], ['*/foo', 'bar/baz/foo', false, true], ['**/bar*', 'foo/bar/baz', false, true],
  ['**/bar/*', 'deep/foo/bar/baz', true, true], ['**/bar/**', 'deep/foo/bar/baz/', true, true], ['**/bar/*', 'deep/foo/bar', false, false], ['*/bar/**', 'foo/bar/baz/x', true, true],
  ['[a-c]b*', 'abc', true, true], ['[a-y]*[^c]', 'abd', true, true], ['a*b', 'a', false, false], ['**/*a*b*g*n*t', 'abcd/abcdefg/abcdefghijk/abcdefghijklmnop.txt', true, true],
  ['*/*/*', 'foo/bar', false, false], ['*/*/*', 'foo/bb/aa/rr', false, true], ['**/**/**', 'foo/bb/aa/rr', true, true], ['-*-*-*-*-*-*-12-*-*-*-m-*-*-*', '-adobe-courier-bold-o-normal--12-120-75-75-m-70-iso8859-1', true, true],
  ['[[:alpha:]][[:digit:]][[:upper:]]', 'a1B', true, true], ['[[:digit:][:upper:][:space:]]', 'a', false, false, true], ['[[:digit:][:upper:][:spaci:]]', '1', false, false],
  ['[[:xdigit:]]', 'f', true, true], ['[a-c[:digit:]x-z]', '5', true, true], ['[a-c[:digit:]x-z]', 'q', false, false], ['[\\-_]', '-', true, true], ['[\\]]', ']', true, true],
  ['[\\\\-^]', ']', true, true], ['[\\a-\\d]', 'b', true, true], ['a[', 'a[', false, false], ['[', '[', false, false], ['\\', '\\', false, false], ['[!]a-]', 'b', true, true],
  ['[,-.]', '-', true, true], ['[A-Z]', 'a', false, false, true], ['[a-z]', 'A', false, false, true], ['[A]', 'a', false, false], ['[B-Za]', 'A', false, false, true],
];

for (const [pattern, text, pathname, plain, folded] of table) {
  test(`'${pattern}' and '${text}'`, (t) => {
    t.is(wildmatch(pattern, text, { pathname: true }), pathname, 'with slashes special');
    t.is(wildmatch(pattern, text), plain, 'without');
    if (folded !== undefined) t.is(wildmatch(pattern, text, { caseFold: true }), folded, 'in either case');
  });
}

test('hostile patterns take no exponential time', (t) => {
  const text = 'a'.repeat(2000);
  t.false(wildmatch(`${'*a'.repeat(200)}b`, text, { pathname: true }));
  t.false(wildmatch(`${'**/a*'.repeat(100)}b`, 'a/'.repeat(1000), { pathname: true }));
  t.false(wildmatch(`${'*?'.repeat(300)}[`, text));
});
