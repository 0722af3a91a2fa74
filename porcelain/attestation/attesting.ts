// Attestations: made of a commit or a release, kept as blobs under refs/attestations/<commit or receipt>/<blob>, and checked against the objects.
// Specified by cairn-attest(1) and cairn-attestation(5).
//
// Invariant: an attestation is never changed or replaced, only added. It is durable before its ref names it; if the power fails in between, an
// unreferenced blob waits for gc.
import { CorruptError, InvalidError, NotFoundError, RefusedError } from '../../pack/errors.js';
import { type ObjectId, isObjectId } from '../../pack/oid.js';
import { peel } from '../../plumbing/history/revision.js';
import { whileNaming } from '../../plumbing/refs/announcement.js';
import type { RefName } from '../../plumbing/refs/ref-name.js';
import { updateRef } from '../../plumbing/refs/ref-transaction.js';
import type { Repository } from '../../plumbing/repository.js';
import { type SignatureReport, checkSignature, unsigned } from '../../plumbing/signature/signature-check.js';
import { Signer } from '../../plumbing/signature/signer.js';
import { configuredFormat } from '../../plumbing/signature/signing-program.js';
import { parseTrailers } from '../../plumbing/trailers.js';
import { findRepositoryId } from '../archive/creation.js';
import { findNamedSnapshot } from '../named-snapshot.js';
import { type StoredReceipt, findReceipt } from '../receipt.js';
import { type Envelope, type EnvelopeSignature, authenticatedBytes, damaged, decodeEnvelope, encodeEnvelope, fromArmour, toArmour } from './envelope.js';
import {
  type Origin, type SnapshotPart, type Statement, type Subject, type SubjectDifference, compareSubjects, decodeStatement, encodeStatement, listSubjects, payloadType,
} from './statement.js';

export const attestationsPrefix = 'refs/attestations/';
const namespace = 'cairn-attestation';
const defaultBuilder = 'https://cairn.invalid/local';
const mostEnvelopeBytes = 1024 * 1024 * 1024;

/** What is, or is to be, attested. */
export interface Attested {
  /** The receipt of a release, else the commit. */
  readonly id: ObjectId;
  readonly commit: ObjectId;
  readonly receipt: StoredReceipt | undefined;
  readonly named: string;
}

/** The commit or release somebody named; NotFoundError when it is neither. */
export function findAttested(repository: Repository, what: string): Attested {
  const { object, type, named } = findNamedSnapshot(repository, what, 'nothing-to-attest');
  const receipt = type === 'tag' ? findReceipt(repository, object) : undefined;
  if (receipt !== undefined) return { id: receipt.id, commit: receipt.commit, receipt, named };
  const commit = peel(repository, object, 'commit');
  if (commit === undefined) throw new InvalidError(`'${what}' is no commit and no release`, { code: 'nothing-to-attest' });
  return { id: commit, commit, receipt: undefined, named };
}

/** An attestation as it is kept. */
export interface Attestation {
  /** Of the blob. */
  readonly id: ObjectId;
  readonly ref: RefName;
  readonly envelope: Envelope;
  readonly statement: Statement;
}

/** How to sign: with the typed key ('' for the configured one), or, undefined, not at all. */
export type SigningWish = { readonly key: string } | undefined;

/** Attests; an attestation of the same bytes that is there already is given back as it is. */
export function attest(repository: Repository, attested: Attested, signing: SigningWish, version: string): Attestation & { readonly isNew: boolean } {
  const { objects } = repository;
  const subjects = [...listSubjects(objects, partsOf(repository, attested))];
  if (subjects.length === 0) throw new InvalidError(`'${attested.named}' has no files that could be attested`, { code: 'empty-snapshot' });
  const unsignedEnvelope = { payloadType, payload: encodeStatement(subjects, originOf(repository, attested, version)), signatures: [] };
  // A key may ask for its passphrase, so this comes before anything is held.
  const envelope: Envelope = signing === undefined ? unsignedEnvelope : { ...unsignedEnvelope, signatures: [sign(repository, unsignedEnvelope, signing.key)] };
  const bytes = encodeEnvelope(envelope);
  return whileNaming(repository, () => {
    objects.readHeader(attested.id);
    objects.rescue();
    const id = objects.write('blob', bytes);
    const ref = `${attestationsPrefix}${attested.id}/${id}` as RefName;
    const isNew = repository.refs.find(ref) === undefined;
    if (isNew) updateRef(repository, { name: ref, expected: 'absent', target: { id } });
    return { id, ref, envelope, statement: decodeStatement(envelope.payload, repository.format), isNew };
  });
}

function sign(repository: Repository, envelope: Envelope, key: string): EnvelopeSignature {
  if (configuredFormat(repository) !== 'ssh') {
    throw new RefusedError('attestations are signed with SSH keys only', { code: 'not-ssh', hint: "set gpg.format to 'ssh' and user.signingKey to a key, or say --no-sign" });
  }
  return fromArmour(new Signer(repository, key).sign(authenticatedBytes(envelope), namespace));
}

/** What was published of a release, all of a commit. */
function partsOf(repository: Repository, { commit, receipt }: Attested): SnapshotPart[] {
  if (receipt !== undefined) return receipt.outputs.map(({ tree, path }) => ({ tree, path: path ?? '' }));
  return [{ tree: repository.objects.readCommit(commit).tree, path: '' }];
}

function originOf(repository: Repository, { commit, receipt }: Attested, version: string): Origin {
  const { objects, config, format } = repository;
  const { tree, committer, message } = objects.readCommit(commit);
  const trailers = parseTrailers(message.toString('latin1')).map(({ key, value }) => ({ key: key.toLowerCase(), value: Buffer.from(value, 'latin1').toString() }));
  return {
    commit, tree, version,
    repository: findRepositoryId(repository),
    release: receipt && { channel: receipt.channel, number: receipt.number, kind: receipt.kind, receipt: receipt.id },
    run: trailers.find(({ key }) => key === 'run')?.value,
    inputs: trailers.flatMap(({ key, value }) => {
      const [, id = '', name] = /^(\S+)(?: (.*))?$/s.exec(value) ?? [];
      if (key !== 'input' || !isObjectId(id, format)) return [];
      return [{ id, name, type: name === undefined ? objects.findHeader(id)?.type ?? 'blob' : 'blob' } as const];
    }),
    finishedSeconds: receipt?.tagger.seconds ?? committer.seconds,
    builder: config.get('attest.builderid') || defaultBuilder,
  };
}

/** Every attestation of a commit or release, in the order of their ids; CorruptError when one is damaged. */
export function* listAttestations(repository: Repository, { id: attested }: Attested): Generator<Attestation> {
  for (const { name, id } of repository.refs.list(`${attestationsPrefix}${attested}/`)) yield readAttestation(repository, name, id);
}

function readAttestation({ objects, format }: Repository, ref: RefName, id: ObjectId): Attestation {
  const { type, sizeBytes } = objects.readHeader(id);
  if (type !== 'blob' || sizeBytes > mostEnvelopeBytes) throw new CorruptError(`'${ref}' names no attestation`, { code: 'bad-attestation' });
  try {
    const envelope = decodeEnvelope(objects.read(id).bytes);
    if (envelope.payloadType !== payloadType) throw damaged(`its payload is '${envelope.payloadType}', not an in-toto statement`);
    return { id, ref, envelope, statement: decodeStatement(envelope.payload, format) };
  } catch (error) {
    if (!(error instanceof CorruptError) || error.code !== 'bad-attestation') throw error;
    throw new CorruptError(`'${id}': ${error.message}`, { code: 'bad-attestation', cause: error });
  }
}

/** What was found out about one attestation. */
export interface AttestationCheck {
  readonly attestation: Attestation;
  /** Empty when every subject is as it was attested. */
  readonly differences: readonly SubjectDifference[];
  /** It is about another commit or release than the ref says. */
  readonly isOfAnother: boolean;
  /** The best of its signatures. */
  readonly signature: SignatureReport;
}

/** Checks all attestations of a commit or release against the objects; NotFoundError when there is none. */
export function checkAttestations(repository: Repository, attested: Attested): AttestationCheck[] {
  const attestations = [...listAttestations(repository, attested)];
  if (attestations.length === 0) throw new NotFoundError(`'${attested.named}' was never attested`, { code: 'not-attested', hint: `cairn attest ${attested.named}` });
  const found: Subject[] = [...listSubjects(repository.objects, partsOf(repository, attested))];
  return attestations.map((attestation) => {
    const { statement, envelope } = attestation;
    return {
      attestation,
      differences: compareSubjects(statement.subjects, found),
      isOfAnother: statement.commit !== attested.commit || statement.receipt !== attested.receipt?.id,
      signature: checkSignatures(repository, envelope),
    };
  });
}

function checkSignatures(repository: Repository, envelope: Envelope): SignatureReport {
  const reports = envelope.signatures.map((signature) => checkSignature(
    repository, { payload: authenticatedBytes(envelope), signature: toArmour(signature) }, { namespace, atMs: undefined },
  ));
  return reports.find(({ isGood }) => isGood) ?? reports.find(({ verdict }) => verdict === 'B') ?? reports[0] ?? unsigned;
}

/**
 * Whether the checks amount to a yes. Without a required signature each attestation must match, and none may be badly signed; with it, at
 * least one must be signed by somebody trusted, each such one must match, and the others, which anybody may have added, do not count.
 */
export function isAttested(checks: readonly AttestationCheck[], requiresSignature: boolean): boolean {
  const counted = requiresSignature ? checks.filter(({ signature }) => signature.isGood) : checks;
  return counted.length > 0 && counted.every(({ differences, isOfAnother, signature }) => differences.length === 0 && !isOfAnother && signature.verdict !== 'B');
}
