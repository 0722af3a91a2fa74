// Looking at files and directories that may not be there, which is an answer and no error: others create and remove them beside us.
// Any other failure (no permission, a bad disk) is thrown as the system says it. Nothing is written.
import { readFileSync, readdirSync } from 'node:fs';
import type { DiskPath } from './disk.js';
import { isSystemError, withPath } from './errors.js';

/** The whole content; undefined when there is no such file, or a file where a directory on the way should be. */
export function findFile(path: DiskPath): Buffer | undefined {
  return unlessMissing(path, () => readFileSync(path));
}

/** Names in a directory, in no order that means anything; none when it is not there. */
export function listDirectory(path: string): string[] {
  return unlessMissing(path, () => readdirSync(path)) ?? [];
}

function unlessMissing<Value>(path: DiskPath, look: () => Value): Value | undefined {
  try {
    return look();
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw withPath(error, path);
  }
}
