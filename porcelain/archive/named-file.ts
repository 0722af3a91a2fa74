// Files a person named, opened as what they must be: a regular file, no symbolic link at the end of the path, no pipe that would block,
// no device. Reading only.
import * as fs from 'node:fs';
import { CorruptError, NotFoundError, RefusedError, isSystemError } from '../../pack/errors.js';

/** An open descriptor of a regular file, and its size; NotFoundError when there is none, RefusedError when something else is there. */
export function openRegularFile(path: string): { readonly fd: number; readonly sizeBytes: number } {
  let fd: number;
  try {
    fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) throw new NotFoundError(`'${path}' does not exist`, { code: 'no-such-file', cause: error });
    if (isSystemError(error, 'ELOOP', 'ENXIO')) throw notRegular(path);
    throw error;
  }
  try {
    const status = fs.fstatSync(fd);
    if (!status.isFile()) throw notRegular(path);
    return { fd, sizeBytes: status.size };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

export function notRegular(path: string): RefusedError {
  return new RefusedError(`'${path}' is not a regular file`, { code: 'not-a-file', hint: 'links, pipes, devices and directories are never followed, replaced or removed' });
}

const pieceBytes = 1024 * 1024;

/** The content from the beginning on, in one buffer that is used over and over. */
export function* readPieces(fd: number): Generator<Buffer> {
  const piece = Buffer.allocUnsafeSlow(pieceBytes);
  for (let at = 0; ;) {
    const got = fs.readSync(fd, piece, 0, pieceBytes, at);
    if (got === 0) return;
    at += got;
    yield piece.subarray(0, got);
  }
}

/** All of a regular file; the system's error when it cannot be opened, CorruptError when it is larger than any such file is. */
export function readSmallFile(path: string, mostBytes: number): Buffer {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  try {
    const status = fs.fstatSync(fd);
    if (!status.isFile()) throw notRegular(path);
    if (status.size > mostBytes) throw new CorruptError(`'${path}' is larger than ${mostBytes} bytes`, { code: 'file-too-large' });
    return fs.readFileSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
