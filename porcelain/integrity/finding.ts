// What is wrong in a repository, or looks odd: one thing at one place. What verify prints and repair goes by.
//
// An error is damage, or something needed that is not there. A notice is what damage may have left, but people may have meant as well; it
// leaves the exit code alone.
import { CairnError, isSystemError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';

export interface Finding {
  readonly severity: 'error' | 'notice';
  /** What kind of thing it is about. */
  readonly kind: 'object' | 'pack' | 'derived' | 'ref' | 'index' | 'record';
  /** A file's path, a ref's name, or 'object <id>'. */
  readonly subject: string;
  /** The object that cannot be read from there, where it is one. */
  readonly id?: ObjectId;
  readonly message: string;
}

export function errorAt(kind: Finding['kind'], subject: string, message: string, id?: ObjectId): Finding {
  return { severity: 'error', kind, subject, message, ...(id === undefined ? {} : { id }) };
}

export function noticeAt(kind: Finding['kind'], subject: string, message: string): Finding {
  return { severity: 'notice', kind, subject, message };
}

/** What `read` finds wrong by throwing; what vanished meanwhile is nothing wrong. Bugs stay errors. */
export function* findingsOf(kind: Finding['kind'], subject: string, read: () => void): Generator<Finding> {
  try {
    read();
  } catch (error) {
    if (error instanceof CairnError) yield errorAt(kind, subject, error.message);
    else if (isSystemError(error, 'ENOENT')) return;
    else if (error instanceof Error && 'syscall' in error) yield errorAt(kind, subject, `it cannot be read: ${error.message}`);
    else throw error;
  }
}

/** The findings of a check that may itself be stopped by damage, which is one more. */
export function collected(kind: Finding['kind'], subject: string, check: Iterable<Finding>): Finding[] {
  const found: Finding[] = [];
  const stopped = [...findingsOf(kind, subject, () => { for (const finding of check) found.push(finding); })];
  return [...found, ...stopped];
}

/** One line, for people. */
export function formatFinding({ severity, subject, message }: Finding): string {
  return `${severity}: ${message.includes(subject) ? '' : `${subject}: `}${message}\n`;
}

/** The same for programs. */
export function findingToJson({ severity, kind, subject, id, message }: Finding): Readonly<Record<string, string | null>> {
  return { severity, kind, subject, object: id ?? null, message };
}
