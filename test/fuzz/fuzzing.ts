// Feeds damaged input to a decoder: each must give a value or a CairnError, within a budget of processor time and memory.
import { CairnError } from '../../pack/errors.js';
import { seededRandom } from '../helpers/sandbox.js';
import { mutate } from './mutation.js';
import type { FuzzTarget } from './targets.js';

/** For one input of a few kilobytes. */
const mostCpuMs = 2000;
const mostBytes = 256 * 1024 * 1024;

export interface FuzzResult {
  readonly values: number;
  readonly refusals: number;
  /** One line each, with the seed that makes the input again. */
  readonly problems: readonly string[];
}

/** Tries `count` inputs, the first from `seed`, each from a seed of its own. */
export function fuzz(target: FuzzTarget, seed: number, count: number): FuzzResult {
  let values = 0;
  let refusals = 0;
  const problems: string[] = [];
  const restore = limitBuffers();
  try {
    for (let at = 0; at < count; at += 1) {
      const bytes = mutate(target.samples, seededRandom(seed + at), target.trailer);
      const before = process.cpuUsage();
      try {
        target.decode(bytes);
        values += 1;
      } catch (error) {
        if (error instanceof CairnError) refusals += 1;
        else problems.push(`${target.name}, seed ${seed + at}: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
      }
      const used = process.cpuUsage(before);
      const cpuMs = (used.user + used.system) / 1000;
      if (cpuMs > mostCpuMs) problems.push(`${target.name}, seed ${seed + at}: took ${Math.round(cpuMs)} ms for ${bytes.length} bytes`);
    }
  } finally {
    restore();
  }
  return { values, refusals, problems };
}

/** Makes a request for a huge buffer an error instead of a full memory; returns a function that takes the limit away. */
function limitBuffers(): () => void {
  const former = { alloc: Buffer.alloc, allocUnsafe: Buffer.allocUnsafe, allocUnsafeSlow: Buffer.allocUnsafeSlow };
  const limited = <Rest extends unknown[]>(allocate: (size: number, ...rest: Rest) => Buffer<ArrayBuffer>) => (size: number, ...rest: Rest): Buffer<ArrayBuffer> => {
    if (size > mostBytes) throw new Error(`asked for a buffer of ${size} bytes`);
    return allocate(size, ...rest);
  };
  Object.assign(Buffer, {
    alloc: limited(former.alloc.bind(Buffer)), allocUnsafe: limited(former.allocUnsafe.bind(Buffer)), allocUnsafeSlow: limited(former.allocUnsafeSlow.bind(Buffer)),
  });
  return () => { Object.assign(Buffer, former); };
}
