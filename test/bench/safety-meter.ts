// Loaded before the program (node --import): adds up the time it spends making things durable (fsync, sync) and announcing itself to a sweep
// (what it does with <gitdir>/cairn/leases and the sweep flag), and writes it to the file CAIRN_METER names when it ends.
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { performance } from 'node:perf_hooks';

const spent = { durableMs: 0, announcedMs: 0, fsyncs: 0 };
const isAnnouncing = (path: unknown): boolean => typeof path === 'string' && /\/cairn\/(?:leases|sweep)/.test(path);
const leases = new Set<number>();

type Call = (...args: never[]) => unknown;

function timed(name: keyof typeof fs, kind: (args: readonly unknown[]) => 'durableMs' | 'announcedMs' | undefined): void {
  const original = fs[name] as Call;
  Object.assign(fs, {
    [name]: (...args: never[]): unknown => {
      const counted = kind(args);
      if (counted === undefined) return original(...args);
      const startMs = performance.now();
      try {
        const result = original(...args);
        if (name === 'openSync') leases.add(result as number);
        return result;
      } finally {
        spent[counted] += performance.now() - startMs;
      }
    },
  });
}

timed('fsyncSync', () => {
  spent.fsyncs += 1;
  return 'durableMs';
});
for (const name of ['openSync', 'statSync', 'lstatSync', 'existsSync', 'unlinkSync', 'readdirSync', 'mkdirSync'] as const) timed(name, ([path]) => (isAnnouncing(path) ? 'announcedMs' : undefined));
timed('closeSync', ([fd]) => (leases.delete(fd as number) ? 'announcedMs' : undefined));
const spawnSync = childProcess.spawnSync as Call;
Object.assign(childProcess, {
  spawnSync: (...args: never[]): unknown => {
    const startMs = performance.now();
    const result = spawnSync(...args);
    if (String(args[0]).endsWith('/sync')) spent.durableMs += performance.now() - startMs;
    return result;
  },
});
syncBuiltinESMExports();
process.on('exit', () => { fs.writeFileSync(process.env['CAIRN_METER']!, JSON.stringify(spent)); });
