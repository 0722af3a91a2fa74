// Loaded before the program (node --import): fs.writeSync takes only the first half of what it is given. CAIRN_TEST_SHORT says of which
// writes: 'all', or the number of one write to a file, after which that file gets ENOSPC. A run without so many writes says so at its end.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const wanted = process.env['CAIRN_TEST_SHORT']!;
const chosen = Number(wanted);
const original = fs.writeSync.bind(fs) as (fd: number, bytes: Uint8Array, from: number, length: number, position: number | null) => number;
let writes = 0;
let full: number | undefined;

function writeHalf(fd: number, bytes: Uint8Array | string, from?: number | null, length?: number | null, position?: number | null): number {
  if (typeof bytes === 'string') throw new Error('text is written by other means');
  const start = from ?? 0;
  const count = length ?? bytes.length - start;
  const half = Math.ceil(count / 2);
  if (wanted === 'all') return original(fd, bytes, start, half, position ?? null);
  if (fd <= 2) return original(fd, bytes, start, count, position ?? null);
  if (fd === full) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write', errno: -28 });
  writes += 1;
  if (writes !== chosen) return original(fd, bytes, start, count, position ?? null);
  full = fd;
  return half === count ? writeHalf(fd, bytes, start, count, position) : original(fd, bytes, start, half, position ?? null);
}

const close = fs.closeSync;
Object.assign(fs, {
  writeSync: writeHalf,
  closeSync: (fd: number): void => {
    if (fd === full) full = undefined;
    close(fd);
  },
});
syncBuiltinESMExports();
process.on('exit', () => { if (wanted !== 'all' && writes < chosen) fs.writeSync(2, Buffer.from('no such write\n')); });
