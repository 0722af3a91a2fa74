// A disk that fails at a chosen step: with an error, as a bad disk does, or for good, as when the process is killed there.
import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, realDisk, useDisk } from '../../pack/disk.js';

/** Thrown by every step from the one the process died at: nothing that runs afterwards can touch the disk. */
export class ProcessDied extends Error {}

/** 'died': that step and every later one does not happen. Otherwise that one step fails with this error of the operating system. */
export type Failure = 'died' | 'EIO' | 'ENOSPC' | 'EACCES';

const names = ['open', 'write', 'truncate', 'fsync', 'close', 'fsyncDirectory', 'rename', 'link', 'unlink', 'mkdir', 'rmdir', 'symlink', 'chmod', 'utimes', 'cloneFile', 'removeTree'] as const;

/** Makes what this process left in a repository that of a process that is no more: locks and journals. */
export function bury(directory: string): void {
  const holder = join(directory, '.git/cairn/maintenance');
  if (existsSync(holder)) writeFileSync(holder, readFileSync(holder, 'utf8').replace(/"pid":\d+/, `"pid":${2 ** 22 + 1}`));
  for (const drawer of ['locks', 'ref-journal']) {
    const path = join(directory, '.git/cairn', drawer);
    // No process has a number this large.
    for (const name of existsSync(path) ? readdirSync(path) : []) renameSync(join(path, name), join(path, name.replace(/^\d+_/, `${2 ** 22 + 1}_`)));
  }
}

/** Runs `work` (synchronous, since the disk is everybody's) on the real disk with step number `failAt` (from 1; 0 for none) failing; the steps that were asked for, by name. */
export function withFailingDisk(failAt: number, failure: Failure, work: () => void): { steps: string[]; error: unknown } {
  const steps: string[] = [];
  const disk = Object.fromEntries(names.map((name) => [name, (...args: unknown[]): unknown => {
    steps.push(name);
    if (failAt > 0 && (steps.length === failAt || (failure === 'died' && steps.length > failAt))) {
      // A descriptor that could not be closed would only be lost to the test.
      if (name === 'close') realDisk.close(args[0] as number);
      if (failure === 'died') throw new ProcessDied(`died at step ${failAt} (${name})`);
      throw Object.assign(new Error(`${failure}: made to fail, ${name}`), { code: failure, syscall: name, errno: -5 });
    }
    return (realDisk[name] as (...all: unknown[]) => unknown)(...args);
  }])) as unknown as Disk;
  const restore = useDisk(disk);
  try {
    work();
    return { steps, error: undefined };
  } catch (error) {
    return { steps, error };
  } finally {
    restore();
  }
}
