// The one hierarchy of errors. A class says what the caller can do about it; its `code` lasts across versions.
//
// Messages are lower case, without a full stop, with the subject in single quotes: "object 'ab12…' is missing".
// `hint`, when given, is one line saying what to do next. Catch a class only where you act on it.

/** What every error cairn raises on purpose carries. */
export interface ErrorDetails {
  /** A lasting name for this very error, in lower-case words joined by '-', e.g. 'object-missing'. */
  readonly code?: string;
  /** One line saying what the person can do next. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export abstract class CairnError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  constructor(kind: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code ?? kind;
    this.hint = details.hint;
  }
}

/** The command line is wrong: fix the command line. */
export class UsageError extends CairnError {
  constructor(message: string, details?: ErrorDetails) { super('usage', message, details); }
}

/** A value given by the caller is wrong: correct the input. */
export class InvalidError extends CairnError {
  constructor(message: string, details?: ErrorDetails) { super('invalid', message, details); }
}

/** What was named is not there: name another. */
export class NotFoundError extends CairnError {
  constructor(message: string, details?: ErrorDetails) { super('not-found', message, details); }
}

/** Policy says no: change the policy or force. */
export class RefusedError extends CairnError {
  constructor(message: string, details?: ErrorDetails) { super('refused', message, details); }
}

/** The world moved between look and act: look again, then retry. */
export class ConflictError extends CairnError {
  constructor(message: string, details?: ErrorDetails) { super('conflict', message, details); }
}

/** Somebody else holds the lock: wait. */
export class LockedError extends CairnError {
  constructor(message: string, details?: ErrorDetails) { super('locked', message, details); }
}

/** The other side failed: retry later, nothing was lost. */
export class RemoteError extends CairnError {
  constructor(message: string, details?: ErrorDetails) { super('remote', message, details); }
}

/** Bytes are not what they should be: fsck, repair, fetch again. */
export class CorruptError extends CairnError {
  constructor(message: string, details?: ErrorDetails) { super('corrupt', message, details); }
}

/** The process was told to stop, and what it had begun was cleaned up. */
export class InterruptedError extends CairnError {
  /** Number of the signal. */
  readonly signal: number;
  constructor(signal: number) {
    super('interrupted', 'interrupted', {});
    this.signal = signal;
  }
}

/** What a reader of objects makes of a bad sector, or of something that is no file: a damaged copy like any other. Other errors as they are. */
export function asDamage(error: unknown): unknown {
  return isSystemError(error, 'EIO', 'EISDIR') ? new CorruptError(`it cannot be read: ${error.message}`, { code: 'unreadable', cause: error }) : error;
}

/** The error with the file's name in it: the system names none when a read fails. */
export function withPath(error: unknown, path: string | Buffer): unknown {
  if (isSystemError(error) && error.path === undefined) {
    error.path = path.toString();
    error.message += ` '${error.path}'`;
  }
  return error;
}

/** True for an error of the operating system with one of these codes ('ENOENT', 'EEXIST', ...); with any when none is named. */
export function isSystemError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error
    && (codes.length === 0 || codes.includes(String(error.code)));
}
