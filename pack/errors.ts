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

/**
 * Every error carries its kind under this key. Each command is bundled with a copy of this file of its own, so an error thrown
 * there is recognised here by its kind, not by the identity of its class.
 */
const kindKey = Symbol.for('cairn.error-kind');

export abstract class CairnError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly [kindKey]: string;
  constructor(kind: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this[kindKey] = kind;
    this.code = details.code ?? kind;
    this.hint = details.hint;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null || !(kindKey in value)) return false;
    if (this === CairnError) return true;
    const own = Object.getOwnPropertyDescriptor(this, 'kind')?.value as unknown;
    return own === undefined ? Function.prototype[Symbol.hasInstance].call(this, value) : own === value[kindKey];
  }
}

/** The command line is wrong: fix the command line. */
export class UsageError extends CairnError {
  static readonly kind: string = 'usage';
  constructor(message: string, details?: ErrorDetails) { super(UsageError.kind, message, details); }
}

/** A value given by the caller is wrong: correct the input. */
export class InvalidError extends CairnError {
  static readonly kind: string = 'invalid';
  constructor(message: string, details?: ErrorDetails) { super(InvalidError.kind, message, details); }
}

/** What was named is not there: name another. */
export class NotFoundError extends CairnError {
  static readonly kind: string = 'not-found';
  constructor(message: string, details?: ErrorDetails) { super(NotFoundError.kind, message, details); }
}

/** Policy says no: change the policy or force. */
export class RefusedError extends CairnError {
  static readonly kind: string = 'refused';
  constructor(message: string, details?: ErrorDetails) { super(RefusedError.kind, message, details); }
}

/** The world moved between look and act: look again, then retry. */
export class ConflictError extends CairnError {
  static readonly kind: string = 'conflict';
  constructor(message: string, details?: ErrorDetails) { super(ConflictError.kind, message, details); }
}

/** Somebody else holds the lock: wait. */
export class LockedError extends CairnError {
  static readonly kind: string = 'locked';
  constructor(message: string, details?: ErrorDetails) { super(LockedError.kind, message, details); }
}

/** The other side failed: retry later, nothing was lost. */
export class RemoteError extends CairnError {
  static readonly kind: string = 'remote';
  constructor(message: string, details?: ErrorDetails) { super(RemoteError.kind, message, details); }
}

/** Bytes are not what they should be: fsck, repair, fetch again. */
export class CorruptError extends CairnError {
  static readonly kind: string = 'corrupt';
  constructor(message: string, details?: ErrorDetails) { super(CorruptError.kind, message, details); }
}

/** True for an error of the operating system with one of these codes ('ENOENT', 'EEXIST', ...); with any when none is named. */
export function isSystemError(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error
    && (codes.length === 0 || codes.includes(String(error.code)));
}
