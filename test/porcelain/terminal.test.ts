import test from 'ava';
import { spawnSync } from 'node:child_process';
import { InvalidError } from '../../pack/errors.js';
import { escapeControls } from '../../plumbing/quote.js';
import { Progress, findPager, formatColor, formatSize, wantsColor } from '../../porcelain/terminal.js';
import { run } from '../../porcelain/main.js';
import { makeContext } from '../helpers/cairn.js';
import { makeSandbox, writeFiles } from '../helpers/sandbox.js';
import { git, skipWithoutGit } from '../helpers/stock-git.js';

const colours = ['red', 'bold red', 'red bold', 'green blue', '#ff0000', '#00ff00 #0000ff ul', 'normal red', '7', '12', '200 100', 'brightred',
  'brightblack brightwhite', 'nobold', 'no-ul reverse', 'dim italic strike', 'default', 'reset', 'reset red', 'black black'];

for (const words of colours) {
  test(`the colour '${words}' is the sequence git makes of it`, (t) => {
    if (skipWithoutGit(t)) return;
    const expected = git(['-c', `color.test=${words}`, 'config', '--type=color', 'color.test'], { cwd: '/' });
    t.is(formatColor(words), expected.stdout.replace(/\n$/, ''));
  });
}

test('words that are no colour are refused', (t) => {
  for (const words of ['crimson', 'red green blue', '256', '#ff00', 'brightnormal']) t.throws(() => formatColor(words), { instanceOf: InvalidError }, words);
});

test('colour is for terminals, unless it is asked for or forbidden', (t) => {
  const plain = makeContext({ cwd: '/' }).context;
  const terminal = makeContext({ cwd: '/', terminal: true, env: { TERM: 'xterm' } }).context;
  t.false(wantsColor(plain, undefined, undefined));
  t.true(wantsColor(plain, undefined, undefined, 'always'));
  t.true(wantsColor(plain, undefined, undefined, ''));
  t.true(wantsColor(terminal, undefined, undefined));
  t.false(wantsColor(terminal, undefined, undefined, 'never'));
  t.false(wantsColor(makeContext({ cwd: '/', terminal: true, env: { NO_COLOR: '1', TERM: 'xterm' } }).context, undefined, undefined));
  t.true(wantsColor(makeContext({ cwd: '/', terminal: true, env: { NO_COLOR: '1' } }).context, undefined, undefined, 'always'));
  t.false(wantsColor(makeContext({ cwd: '/', terminal: true, env: { TERM: 'dumb' } }).context, undefined, undefined));
  t.throws(() => wantsColor(plain, undefined, undefined, 'sometimes'), { instanceOf: InvalidError });
});

test('a pager is used on a terminal only, and named by the environment first', (t) => {
  const pagerIn = (env: Record<string, string>, terminal = true) => findPager(makeContext({ cwd: '/', terminal, env }).context, undefined);
  t.is(pagerIn({}), 'less');
  t.is(pagerIn({ PAGER: 'more' }), 'more');
  t.is(pagerIn({ PAGER: 'more', GIT_PAGER: 'most' }), 'most');
  t.is(pagerIn({ GIT_PAGER: '' }), undefined);
  t.is(pagerIn({ PAGER: 'cat' }), undefined);
  t.is(pagerIn({ GIT_PAGER_IN_USE: '1' }), undefined);
  t.is(pagerIn({}, false), undefined);
});

test('progress says nothing in the first second, nothing to a pipe, and ends its line', (t) => {
  const say = (terminal: boolean, seconds: number): string => {
    const { context, stderr } = makeContext({ cwd: '/', terminal });
    let now = 0;
    const moving = { ...context, clock: { ...context.clock, nowMs: () => now } };
    {
      using progress = new Progress(moving, 'Hashing files', 1000);
      for (let done = 64; done <= 960; done += 64) {
        now += seconds * 1000 / 15;
        progress.update(done);
      }
    }
    return stderr.bytes.toString();
  };
  t.is(say(true, 0.5), '');
  t.is(say(false, 10), '');
  const shown = say(true, 10);
  t.regex(shown, /Hashing files: {2}\d\d% \(\d+\/1000\), \d+\/s, \d+ s left/);
  t.regex(shown, /, done\.\u001b\[K\n$/);
});

test('long work in front of a person tells how far it is, and says nothing into a file', async (t) => {
  const cwd = makeSandbox(t);
  const env = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@b' };
  /** Every look at the clock finds it half a second later. */
  const runSlowly = async (argv: readonly string[], terminal: boolean): Promise<string> => {
    const { context, stderr } = makeContext({ cwd, env, terminal });
    let now = 1_112_911_993_000;
    const code = await run({ ...context, clock: { ...context.clock, nowMs: () => (now += 500) } }, ['--no-pager', ...argv]);
    t.is(code, 0, stderr.bytes.toString());
    return stderr.bytes.toString();
  };
  await runSlowly(['init', '-q', '-b', 'main'], false);
  await runSlowly(['commit', '-q', '--allow-empty', '-m', 'none'], false);
  writeFiles(cwd, Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`d/${at}`, `${at}`])));
  await runSlowly(['switch', '-q', '-c', 'full'], false);
  await runSlowly(['commit', '-q', '-A', '-m', 'many'], false);
  await runSlowly(['switch', '-q', 'main'], false);
  t.regex(await runSlowly(['switch', '-q', 'full'], true), /Updating files: +\d+% \(\d+\/300\), \d+\/s.*, done\./);
  t.regex(await runSlowly(['fsck'], true), /Checking objects: \d+, \d+\/s, done\./);
  t.false((await runSlowly(['fsck'], false)).includes('Checking'));
  await runSlowly(['switch', '-q', 'main'], false);
  t.false((await runSlowly(['switch', '-q', 'full'], false)).includes('Updating'));
});

test('sizes are told to people in units', (t) => {
  t.is(formatSize(0), '0 bytes');
  t.is(formatSize(1023), '1023 bytes');
  t.is(formatSize(1536), '1.50 KiB');
  t.is(formatSize(3 * 1024 ** 3), '3.00 GiB');
});

test('control characters are spelled out, tabs and line ends kept', (t) => {
  t.is(escapeControls('a\u001b[31m\tb\n\u009bc\u007f'), 'a\\x1b[31m\tb\n\\x9bc\\x7f');
});

test('what a pager shows is shown without it where it is not installed, and the exit code is the command\'s own', (t) => {
  const module = new URL('../../porcelain/terminal.js', import.meta.url).href;
  const program = `import { runInPager } from '${module}';
    const context = { cwd: '/', env: process.env, stdout: { columns: 80 } };
    process.exitCode = runInPager(context, process.argv[1], ['sh', '-c'], ['echo shown; exit 3']);`;
  for (const pager of ['no-such-pager-anywhere', 'cat', 'sed p\\;d']) {
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program, pager], { encoding: 'utf8' });
    t.deepEqual([pager, status, stdout], [pager, 3, 'shown\n']);
  }
});
