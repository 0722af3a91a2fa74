// What verify-commit, verify-tag and `tag --verify` have in common: an object is named, its signature is checked, and what the
// signing program says is passed on (git-verify-commit(1), git-verify-tag(1)).
import type { ObjectId } from '../../pack/oid.js';
import type { OptionSpec } from '../command.js';
import { findRevision } from '../history/revision.js';
import type { Repository } from '../repository.js';
import { checkSignature } from './signature-check.js';
import { type SignedObject, splitCommit, splitTag } from './signed-object.js';

export const verificationOptions: readonly OptionSpec[] = [
  { name: 'verbose', short: 'v', negatable: true, help: 'print what was signed' },
  { name: 'raw', negatable: true, help: 'print what the signing program says to programs, not to people' },
];

export interface VerificationRequest {
  readonly type: 'commit' | 'tag';
  /** Print what was signed. */
  readonly verbose: boolean;
  readonly raw: boolean;
  /** Say nothing of what was found. */
  readonly quiet?: boolean;
}

/** The object `name` stands for; undefined, after saying so, when there is none. */
export function findNamed(repository: Repository, name: string, type: 'commit' | 'tag'): ObjectId | undefined {
  const id = findRevision(repository, name);
  if (id === undefined) repository.context.stderr.write(`error: ${type} '${name}' not found.\n`);
  return id;
}

/** Checks one object, prints what was asked for, and says whether its signature is good. */
export function verifyObject(repository: Repository, name: string, id: ObjectId, { type, verbose, raw, quiet }: VerificationRequest): boolean {
  const { stdout, stderr } = repository.context;
  const object = repository.objects.read(id);
  if (object.type !== type) {
    stderr.write(`error: ${name}: cannot verify a non-${type} object of type ${object.type}.\n`);
    return false;
  }
  const signed = split(repository, type, object.bytes);
  const report = checkSignature(repository, signed);
  // Of a commit that is not signed there is nothing to print.
  if (verbose && (signed !== undefined || type === 'tag')) stdout.write(signed?.payload ?? object.bytes);
  if (signed === undefined && type === 'tag') stderr.write('error: no signature found\n');
  if (!quiet) stderr.write(Buffer.from(raw ? report.status : report.output, 'latin1'));
  return report.isGood;
}

function split({ format }: Repository, type: 'commit' | 'tag', bytes: Buffer): SignedObject | undefined {
  return type === 'commit' ? splitCommit(bytes, format) : splitTag(bytes);
}
