// Hints: what somebody may have meant, what to do next, and that both can be silenced.
import test from 'ava';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearWords } from '../../plumbing/near-words.js';
import { cairn, cairnOutput } from '../helpers/cairn.js';
import { makeSandbox } from '../helpers/sandbox.js';

const env = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@b' };

test('near words are a few slips away, the nearest first', (t) => {
  t.deepEqual(nearWords('comit', ['commit', 'config', 'submit', 'omit']), ['commit', 'omit']);
  t.deepEqual(nearWords('sta', ['stash', 'status', 'start', 'tag'], { prefixes: true }), ['stash', 'status', 'start']);
  t.deepEqual(nearWords('topic', ['topic']), [], 'the word itself is no other word');
  t.deepEqual(nearWords('', ['a', 'commit']), ['a']);
});

test('a mistyped command, option or ref is answered with what was meant', async (t) => {
  const cwd = makeSandbox(t);
  await cairnOutput(['init', '-q', '-b', 'main'], { cwd });
  await cairnOutput(['commit', '-q', '--allow-empty', '-m', 'x'], { cwd, env });
  await cairnOutput(['branch', 'topic'], { cwd });
  for (const [argv, meant] of [
    [['comit'], 'commit'], [['commit', '--mesage', 'x'], '--message'], [['switch', 'topci'], 'topic'], [['log', 'topci'], 'topic'], [['merge', 'mian'], 'main'],
  ] as const) {
    const { stderr, code } = await cairn(argv, { cwd });
    t.not(code, 0);
    t.true(stderr.includes(`hint: did you mean '${meant}'?\n`), stderr);
    const silent = await cairn(['-c', 'advice.errorHints=false', ...argv], { cwd });
    t.is(silent.code, code);
    t.false(silent.stderr.includes('hint:'), silent.stderr);
  }
  t.false((await cairn(['switch', 'something-else'], { cwd })).stderr.includes('did you mean'));
});

test('one kind of hint is silenced by the code of its error', async (t) => {
  const cwd = makeSandbox(t);
  t.regex((await cairn(['status'], { cwd })).stderr, /^hint: /m);
  const { code } = JSON.parse((await cairn(['status', '--json'], { cwd })).stderr) as { readonly code: string };
  t.notRegex((await cairn(['-c', `advice.${code.replaceAll('-', '')}=false`, 'status'], { cwd })).stderr, /^hint: /m);
});

test('looking for a hint does not hide the error where the repository is damaged', async (t) => {
  const cwd = makeSandbox(t);
  await cairnOutput(['init', '-q'], { cwd });
  writeFileSync(join(cwd, '.cairn/packed-refs'), 'nonsense\n');
  const { stderr, code } = await cairn(['switch', 'main'], { cwd });
  t.true(code > 0 && code !== 70, stderr);
  t.regex(stderr, /^fatal: .*packed-refs/m);
});
