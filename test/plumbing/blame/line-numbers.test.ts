import test from 'ava';
import { LineNumbers } from '../../../plumbing/blame/line-numbers.js';
import { diffLines, trimCommonTail } from '../../../plumbing/diff/text-diff.js';
import { seededRandom } from '../../helpers/sandbox.js';
import { testSeed } from '../../helpers/sample-content.js';

test('lines numbered beside a version much like theirs are those of the text, and equal ones have equal numbers', (t) => {
  const random = seededRandom(testSeed);
  const below = (end: number): number => Math.floor(random() * end);
  const numbers = new LineNumbers({});
  const known = new Map<number, string>();
  let text = '';
  let near = numbers.number(Buffer.alloc(0));
  for (let step = 0; step < 400; step += 1) {
    const from = below(text.length + 1);
    const word = ['a\n', '\n', 'b', 'long line\n', 'a', `${below(50)}\n`, 'x'.repeat(below(6000))][below(7)]!;
    text = text.slice(0, from) + word + text.slice(from + below(8));
    const now = numbers.number(Buffer.from(text), near);
    const lines = text.split(/(?<=\n)/).filter((line) => line !== '');
    t.is(now.lines.count, lines.length);
    for (const [at, line] of lines.entries()) {
      const { bytes, starts } = now.lines;
      if (bytes.toString('latin1', starts[at], starts[at + 1]) !== line) t.fail(`line ${at} of ${JSON.stringify(text)}`);
      const number = now.numbers[at]!;
      if ((known.get(number) ?? line) !== line) t.fail(`number ${number} stands for two lines`);
      known.set(number, line);
    }
    t.deepEqual(numbers.diff(near, now), diffLines(...trimCommonTail(near.lines.bytes, Buffer.from(text))));
    near = now;
  }
});

test('with white space ignored, lines that differ in nothing else are one', (t) => {
  const numbers = new LineNumbers({ ignoreAllSpace: true });
  const { numbers: found } = numbers.number(Buffer.from('a b\nab\n a b \nc\n'));
  t.deepEqual([...found], [0, 0, 0, 1]);
});
