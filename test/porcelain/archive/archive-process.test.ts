// cairn archive as a process that is told to stop, or killed: what is private is removed when that can be, and whatever is left, there is the
// old pair, none, or the new one, and the same command goes through.
import test from 'ava';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn, cairnProgram } from '../../helpers/cairn.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { cleanEnvironment } from '../../helpers/stock-git.js';
import { canKill } from '../../crash/kill-lab.js';

test.serial('a signal ends it soon, and nothing private is left', async (t) => {
  const top = makeSandbox(t, { inMemory: true });
  mkdirSync(join(top, 'input'));
  mkdirSync(join(top, 'scratch'));
  // Enough for seconds of work.
  const text = randomBytes(1_500_000).toString('base64');
  for (let file = 0; file < 40; file += 1) writeFileSync(join(top, `input/${file}`), `${file} ${text}`);
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]] as const) {
    const child = spawn(cairnProgram, ['archive', 'create', 'x', '--input', 'input', '--scratch-root', 'scratch'], {
      cwd: top, env: { ...cleanEnvironment, PATH: process.env['PATH'] ?? '' }, stdio: 'ignore',
    });
    const exit = once(child, 'exit');
    // Begun, and not done.
    while (readdirSync(join(top, 'scratch')).length === 0 && child.exitCode === null) await new Promise((resolve) => { setTimeout(resolve, 5); });
    child.kill(signal);
    const [status] = await exit as [number | null];
    t.is(status, code, signal);
    t.deepEqual(readdirSync(join(top, 'scratch')), []);
    t.deepEqual(readdirSync(top).sort(), ['input', 'scratch']);
  }
});

test.serial('killed at any step, it leaves the old pair, none, or the new one, and goes through when it is run again', async (t) => {
  if (!canKill()) {
    t.log('there is no strace: nothing was killed');
    t.pass();
    return;
  }
  const top = makeSandbox(t, { inMemory: true });
  for (const name of ['old', 'new', 'former']) mkdirSync(join(top, name));
  writeFileSync(join(top, 'old/a'), 'one');
  writeFileSync(join(top, 'new/a'), 'two');
  const argv = (input: string, path: string, ...more: readonly string[]): string[] => ['archive', 'create', path, '--input', input, '--scratch-root', 'scratch', ...more];
  mkdirSync(join(top, 'scratch'));
  t.is((await cairn(argv('old', 'former/x'), { cwd: top })).code, 0);
  const headOf = async (path: string): Promise<string> => {
    if (!existsSync(join(top, path)) || !existsSync(join(top, `${path}.info.json`))) return 'none';
    const { code, stdout, stderr } = await cairn(['archive', 'verify', '--json', path], { cwd: top });
    if (code !== 0) throw new Error(stderr);
    return (JSON.parse(stdout) as { heads: { id: string }[] }).heads[0]!.id;
  };
  const former = await headOf('former/x');
  const seen = new Map<string, number>();
  let kills = 0;
  for (const call of ['link', 'rename', 'unlink', 'fsync']) {
    for (let nth = 1; nth <= 12; nth += 1) {
      rmSync(join(top, 'out'), { recursive: true, force: true });
      cpSync(join(top, 'former'), join(top, 'out'), { recursive: true });
      const result = spawnSync('strace', [
        '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${nth}`, cairnProgram, ...argv('new', 'out/x', '--force'),
      ], { cwd: top, env: { ...cleanEnvironment, PATH: process.env['PATH'] ?? '' } });
      if (result.signal !== 'SIGKILL') break;
      kills += 1;
      const found = await headOf('out/x');
      const kind = found === former ? 'old' : found === 'none' ? 'none' : 'new';
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      const again = await cairn(argv('new', 'out/x', '--force'), { cwd: top });
      t.is(again.code, 0, `${call} ${nth}: ${again.stderr}`);
      t.not(await headOf('out/x'), former, `${call} ${nth}`);
    }
  }
  t.true(kills > 10 && seen.has('old'), [...seen].join(' '));
  t.log(`${kills} kills: ${[...seen].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
});
