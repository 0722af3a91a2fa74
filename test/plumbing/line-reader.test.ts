import test from 'ava';
import type { Input } from '../../plumbing/command.js';
import { listLines, readInput } from '../../plumbing/line-reader.js';
import { isUtf8, repairUtf8 } from '../../plumbing/utf8.js';

function inputOf(...chunks: readonly string[]): Input {
  const pending = chunks.map((chunk) => Buffer.from(chunk, 'latin1'));
  return { isTerminal: false, readChunk: () => pending.shift() };
}

test('lines are the same however the input is cut into pieces', (t) => {
  const text = 'one\n\ntwo\xe9\nthree';
  for (let first = 0; first <= text.length; first += 1) {
    for (let second = first; second <= text.length; second += 1) {
      const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
      t.deepEqual([...listLines(inputOf(...pieces))], ['one', '', 'two\xe9', 'three']);
      t.is(readInput(inputOf(...pieces)).toString('latin1'), text);
    }
  }
  t.deepEqual([...listLines(inputOf(''))], []);
  t.deepEqual([...listLines(inputOf('a\n'))], ['a']);
  t.deepEqual([...listLines(inputOf('a\nb\0c'), '\0')], ['a\nb', 'c']);
});

test('a line is given as soon as it is complete', (t) => {
  const chunks = ['one\ntw', 'o\n'];
  const seen: string[] = [];
  const input: Input = { isTerminal: false, readChunk: () => { const chunk = chunks.shift(); seen.push(`read ${chunk?.length}`); return chunk === undefined ? undefined : Buffer.from(chunk); } };
  for (const line of listLines(input)) seen.push(line);
  t.deepEqual(seen, ['read 6', 'one', 'read 2', 'two', 'read undefined']);
});

test('UTF-8 is told from what is not, which is taken for Latin-1', (t) => {
  for (const good of ['', 'plain', 'é', '\u{1F600}', '\uFFFD']) t.true(isUtf8(Buffer.from(good)), good);
  for (const bad of ['\xe9', '\xc3', '\xc0\x80', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xef\xbf\xbe', '\xef\xb7\x90', '\x80', '\xff']) {
    t.false(isUtf8(Buffer.from(bad, 'latin1')), bad);
    const repaired = repairUtf8(Buffer.from(`a${bad}b`, 'latin1'));
    t.true(isUtf8(repaired));
    t.is(repaired.toString(), `a${bad}b`);
  }
  t.deepEqual(repairUtf8(Buffer.from('é\xe9', 'latin1')).toString(), 'é\xe9');
});
