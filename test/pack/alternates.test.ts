import test from 'ava';
import { splitAlternates } from '../../pack/alternates.js';

test('a list of alternates may quote its paths and hold comments', (t) => {
  t.deepEqual(splitAlternates('a:b::c', ':'), ['a', 'b', 'c']);
  t.deepEqual(splitAlternates('"a:b":c:"d\\"e\\303\\274"', ':'), ['a:b', 'c', 'd"eü']);
  t.deepEqual(splitAlternates('# no\n/x\n\n"q\\tz"\n"unclosed\n', '\n'), ['/x', 'q\tz', '"unclosed']);
  t.deepEqual(splitAlternates('', ':'), []);
});
