import test from 'ava';
import { CairnError } from '../../pack/errors.js';
import { makeSandbox, seededRandom } from '../helpers/sandbox.js';
import { skipWithoutGit } from '../helpers/stock-git.js';
import { fuzz } from './fuzzing.js';
import { mutate } from './mutation.js';
import { makeTargets } from './targets.js';

// One at a time: the limit on buffers is one for the whole process.
test.serial('every decoder gives a value or a typed error for damaged input', (t) => {
  if (skipWithoutGit(t)) return;
  for (const target of makeTargets(makeSandbox(t))) {
    const { values, refusals, problems } = fuzz(target, 1, 60);
    t.deepEqual(problems, [], target.name);
    t.is(values + refusals, 60);
  }
});

test.serial('what is damaged for the decoders is sound before: each takes one of its samples at least', (t) => {
  if (skipWithoutGit(t)) return;
  for (const { name, samples, decode } of makeTargets(makeSandbox(t))) {
    t.true(samples.some((bytes) => {
      try {
        decode(Buffer.from(bytes));
        return true;
      } catch (error) {
        if (error instanceof CairnError) return false;
        throw error;
      }
    }), name);
  }
});

test.serial('the fuzzer finds what is no typed error, and a request for too much memory', (t) => {
  const samples = [Buffer.from('sample')];
  const wrong = fuzz({ name: 'wrong', samples, decode: () => { throw new TypeError('wrong'); } }, 1, 3);
  t.is(wrong.problems.length, 3);
  t.regex(wrong.problems[0]!, /^wrong, seed 1: TypeError: wrong/);
  const huge = fuzz({ name: 'huge', samples, decode: () => { Buffer.alloc(2 ** 30); } }, 1, 1);
  t.regex(huge.problems[0]!, /asked for a buffer of 1073741824 bytes/);
  t.is(Buffer.alloc(8).length, 8);
});

test('the same seed does the same damage', (t) => {
  const samples = [Buffer.from('one sample 123\n'), Buffer.from('another')];
  for (let seed = 0; seed < 50; seed += 1) t.deepEqual(mutate(samples, seededRandom(seed), 'sha1'), mutate(samples, seededRandom(seed), 'sha1'));
});
