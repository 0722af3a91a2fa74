import test from 'ava';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runHook } from '../../plumbing/hooks.js';
import { Repository } from '../../plumbing/repository.js';
import { makeContext } from '../helpers/cairn.js';
import { makeSandbox, writeFiles } from '../helpers/sandbox.js';

const teller = (log: string): string => `#!/bin/sh
{ echo "args $*"; echo "cwd $PWD"; echo "dir $GIT_DIR"; echo "tree $GIT_WORK_TREE"; echo "prefix $GIT_PREFIX"; echo "index $GIT_INDEX_FILE"; echo "extra $EXTRA"; echo "config $GIT_CONFIG_PARAMETERS"; cat; } >'${log}'
echo to stdout; echo to stderr >&2; exit 3
`;

test('a hook gets its arguments, input, environment and place, and what it prints goes to stderr', (t) => {
  const base = makeSandbox(t);
  const { repository } = Repository.init(makeContext({ cwd: base }).context, { directory: base });
  mkdirSync(join(base, 'sub'));
  const log = join(base, 'log');
  writeFiles(repository.gitDirectory, { 'hooks/teller': { executable: teller(log) } });
  const { context, stdout, stderr } = makeContext({ cwd: join(base, 'sub'), env: { GIT_INDEX_FILE: 'idx' } });
  const inside = Repository.open({ ...context, configOverrides: [['a.b', "it's"], ['c.d', undefined]] });
  t.deepEqual(runHook(inside, 'teller', { args: ['one', '-two'], stdin: 'input\n', env: { EXTRA: 'more' } }), { ran: true, exitCode: 3 });
  t.deepEqual(readFileSync(log, 'utf8').split('\n'), [
    'args one -two', `cwd ${base}`, `dir ${base}/.cairn`, `tree ${base}`, 'prefix sub/', `index ${base}/idx`, 'extra more', "config 'a.b'='it'\\''s' 'c.d'=", 'input', '',
  ]);
  t.is(stdout.bytes.toString(), '');
  t.is(stderr.bytes.toString(), 'to stdout\nto stderr\n');
});

test('a missing hook is no failure; one that is not executable is passed over with a hint that can be silenced', (t) => {
  const base = makeSandbox(t);
  const { context, stderr } = makeContext({ cwd: base });
  const { repository } = Repository.init(context, { directory: base });
  t.deepEqual(runHook(repository, 'none'), { ran: false, exitCode: 0 });
  writeFiles(repository.gitDirectory, { 'hooks/plain': '#!/bin/sh\nexit 1\n' });
  t.deepEqual(runHook(repository, 'plain'), { ran: false, exitCode: 0 });
  t.regex(stderr.bytes.toString(), /ignored because it's not set as executable/);
  const quiet = makeContext({ cwd: base });
  const silent = Repository.open({ ...quiet.context, configOverrides: [['advice.ignoredHook', 'false']] });
  t.deepEqual(runHook(silent, 'plain'), { ran: false, exitCode: 0 });
  t.is(quiet.stderr.bytes.length, 0);
});

test('core.hooksPath says where hooks are, relative to the work tree', (t) => {
  const base = makeSandbox(t);
  const { context } = makeContext({ cwd: base });
  Repository.init(context, { directory: base });
  writeFiles(base, { 'my/hooks/x': { executable: '#!/bin/sh\nexit 7\n' } });
  mkdirSync(join(base, 'sub'));
  const repository = Repository.open({ ...context, cwd: join(base, 'sub'), configOverrides: [['core.hooksPath', 'my/hooks']] });
  t.is(runHook(repository, 'x').exitCode, 7);
});

test('a hook that dies by a signal, or cannot be started, does not count as a yes', (t) => {
  const base = makeSandbox(t);
  const { repository } = Repository.init(makeContext({ cwd: base }).context, { directory: base });
  writeFiles(repository.gitDirectory, { 'hooks/dies': { executable: '#!/bin/sh\nkill -TERM $$\n' }, 'hooks/strange': { executable: '#!/no/such/interpreter\n' }, 'hooks/deaf': { executable: '#!/bin/sh\nexit 0\n' } });
  t.is(runHook(repository, 'dies').exitCode, 128 + 15);
  t.throws(() => runHook(repository, 'strange'), { code: 'hook-failed' });
  // A hook that does not read its input is fine, however much of it there is.
  t.is(runHook(repository, 'deaf', { stdin: Buffer.alloc(1 << 20) }).exitCode, 0);
});

test("hooks of somebody else's repository are not run", (t) => {
  const base = makeSandbox(t);
  const { context, stderr } = makeContext({ cwd: base, env: { GIT_DIR: join(base, '.cairn') } });
  Repository.init(makeContext({ cwd: base }).context, { directory: base });
  writeFiles(base, { '.cairn/hooks/x': { executable: `#!/bin/sh\ntouch '${base}/ran'\n` } });
  const repository = Repository.open({ ...context, process: { ...context.process, uid: 54321 } });
  t.deepEqual(runHook(repository, 'x'), { ran: false, exitCode: 0 });
  t.regex(stderr.bytes.toString(), /belongs to another user/);
  t.throws(() => readFileSync(join(base, 'ran')));
});
