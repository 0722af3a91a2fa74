// Whether gc is worth while, asked after every commit, so it must cost next to nothing; and what kind of gc (cairn-gc(1), "--auto").
//
// A whole gc reads everything that is reachable. What is new is cheaper to take in: small packs and loose objects become one pack when they
// outweigh it, as digits carry over, and a whole gc follows once in a while.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { disk, replaceFile } from '../pack/disk.js';
import { isSystemError } from '../pack/errors.js';
import { listDirectory } from '../pack/file-lookup.js';
import { lazyModule } from '../pack/lazy-module.js';
import type { Repository } from '../plumbing/repository.js';

const childProcess = lazyModule<typeof import('node:child_process')>('node:child_process');

/** Between two whole collections that nobody asked for. */
const wholeEveryMs = 7 * 86_400_000;

/** Whether so much has piled up that gc is worth while (gc.auto, gc.autoPackLimit); looks at two directories only. */
export function needsGc(repository: Repository): boolean {
  const { config, format } = repository;
  const most = config.getInteger('gc.auto') ?? 6700;
  if (most <= 0) return false;
  const digits = format === 'sha1' ? 38 : 62;
  // One of 256 fan-out directories tells how full the others are.
  const sample = listDirectory(join(repository.objectsDirectory, '17')).filter((name) => name.length === digits).length;
  if (sample > Math.ceil(most / 256)) return true;
  const mostPacks = config.getInteger('gc.autopacklimit') ?? 50;
  if (mostPacks <= 0) return false;
  const names = new Set(listDirectory(join(repository.objectsDirectory, 'pack')));
  let packs = 0;
  for (const name of names) if (name.endsWith('.idx') && !names.has(name.replace(/\.idx$/, '.keep'))) packs += 1;
  return packs > mostPacks;
}

/** Whether it has been long since everything was collected, or never was. */
export function needsWholeGc(repository: Repository): boolean {
  const status = fs.statSync(markPath(repository), { throwIfNoEntry: false });
  const ageMs = status === undefined ? Infinity : repository.context.clock.nowMs() - status.mtimeMs;
  // A time in the future says nothing.
  return ageMs > wholeEveryMs || ageMs < 0;
}

/** Remembers that everything was collected now. */
export function markWholeGc(repository: Repository): void {
  const path = markPath(repository);
  const nowMs = repository.context.clock.nowMs();
  try {
    disk().utimes(path, nowMs, nowMs);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    replaceFile(path, '');
    disk().utimes(path, nowMs, nowMs);
  }
}

function markPath(repository: Repository): string {
  return join(repository.cairnDirectory(), 'collected');
}

/** Starts `gc --auto` beside us when it is worth while, and does not wait for it; gc.autoDetach=false waits. */
export function startGcIfNeeded(repository: Repository): void {
  const { process, cwd, env } = repository.context;
  const [node, ...script] = process.program ?? [];
  if (node === undefined || !needsGc(repository)) return;
  const argv = [...script, 'gc', '--auto', '-q'];
  if (repository.config.getBoolean('gc.autodetach', true)) {
    childProcess().spawn(node, argv, { cwd, env, detached: true, stdio: 'ignore' }).unref();
  } else {
    childProcess().spawnSync(node, argv, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
  }
}
