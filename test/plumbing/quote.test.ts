import test from 'ava';
import { InvalidError } from '../../pack/errors.js';
import { cUnquote, quotePath, shellQuote, unquotePath } from '../../plumbing/quote.js';
import { seededRandom } from '../helpers/sandbox.js';
import { runProgram } from '../helpers/stock-git.js';

test('paths are quoted only when a byte needs it', (t) => {
  const table: readonly (readonly [path: string, quoted: string, unlessHigh: string])[] = [
    ['plain/name.txt', 'plain/name.txt', 'plain/name.txt'], ['with space', 'with space', 'with space'],
    ['tab\there', '"tab\\there"', '"tab\\there"'], ['a"b\\c', '"a\\"b\\\\c"', '"a\\"b\\\\c"'], ['\x01\x7f', '"\\001\\177"', '"\\001\\177"'],
    ['caf\xc3\xa9', '"caf\\303\\251"', 'caf\xc3\xa9'], ['\x07\b\n\v\f\r', '"\\a\\b\\n\\v\\f\\r"', '"\\a\\b\\n\\v\\f\\r"'],
  ];
  for (const [path, quoted, unlessHigh] of table) {
    t.is(quotePath(path), quoted);
    t.is(quotePath(path, { quotePath: false }), unlessHigh);
    t.is(unquotePath(quoted), path);
  }
});

test('any bytes come back from quoting, and malformed quoting is refused', (t) => {
  const random = seededRandom(12);
  for (let round = 0; round < 500; round += 1) {
    const path = String.fromCharCode(...Array.from({ length: 1 + Math.floor(random() * 20) }, () => Math.floor(random() * 256)));
    if (!path.startsWith('"')) t.is(unquotePath(quotePath(path)), path);
    const noise = `"${path}`;
    try {
      t.is(typeof cUnquote(noise).value, 'string');
    } catch (error) {
      t.true(error instanceof InvalidError);
    }
  }
  for (const text of ['"', '"a', '"a\\', '"\\x41"', '"\\9"', '"\\777"', '"a"b']) t.throws(() => unquotePath(text), { instanceOf: InvalidError }, text);
  t.deepEqual(cUnquote('"a\\tb" rest'), { value: 'a\tb', end: 6 });
});

test('a shell reads what was quoted for it as one word', (t) => {
  for (const text of ['', 'plain', "it's", '!history', 'a b$c`d"e\\f\ng', "'''"]) {
    t.is(runProgram('sh', ['-c', `printf %s ${shellQuote(text)}`], { cwd: '/' }).stdout, text);
  }
  t.is(shellQuote("it's!"), "'it'\\''s'\\!''");
});
