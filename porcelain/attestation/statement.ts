// An in-toto statement (version 1) with SLSA provenance (version 1): which files a snapshot has, by the SHA-256 of their content, and where they are
// from. Specified by cairn-attestation(5), "THE STATEMENT".
//
// Invariant: a statement is a function of the objects in the repository and of the configuration; nothing in it is the moment it was made.
import { CorruptError, InvalidError, NotFoundError } from '../../pack/errors.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { Hasher, type ObjectFormat, type ObjectId, type ObjectType, isObjectId } from '../../pack/oid.js';
import { type RepoPath, executableMode, gitlinkMode, pathFromUtf8, pathToUtf8, repoPath, symlinkMode } from '../../pack/tree.js';
import { type JsonValue, formatCanonicalJson } from '../canonical-json.js';
import { listTreeFiles } from '../tree-listing.js';
import { damaged, isRecord, parseJson } from './envelope.js';

export const payloadType = 'application/vnd.in-toto+json';
const statementType = 'https://in-toto.io/Statement/v1';
const predicateType = 'https://slsa.dev/provenance/v1';
const buildType = 'https://cairn.invalid/attestation/snapshot/v1';

/** A file of the snapshot, and what its content is. */
export interface Subject {
  readonly name: string;
  /** Of a file 'sha256', of another repository's commit 'gitCommit'; in hexadecimal. */
  readonly digest: Readonly<Record<string, string>>;
  /** Octal, of what is no plain file. */
  readonly mode: string | undefined;
}

/** Where a snapshot is from. */
export interface Origin {
  readonly commit: ObjectId;
  readonly tree: ObjectId;
  readonly repository: string | undefined;
  readonly release: { readonly channel: string; readonly number: number; readonly kind: string; readonly receipt: ObjectId } | undefined;
  readonly run: string | undefined;
  /** What the trailers 'Input' say it was made from: an object's id, and the name of a file. */
  readonly inputs: readonly { readonly id: ObjectId; readonly type: ObjectType; readonly name: string | undefined }[];
  readonly finishedSeconds: number;
  /** Who built it, a URI. */
  readonly builder: string;
  readonly version: string;
}

/** What a reader needs of a statement. */
export interface Statement {
  readonly subjects: readonly Subject[];
  /** What was attested, as the statement says: to be compared with what was asked about. */
  readonly commit: ObjectId;
  readonly receipt: ObjectId | undefined;
  readonly builder: string;
}

/** Part of a snapshot: a tree, and its path inside the commit ('' for all). */
export interface SnapshotPart {
  readonly tree: ObjectId;
  readonly path: RepoPath | '';
}

/** The files of a snapshot in the order of their paths, each read in pieces; CorruptError when one is not what its id says. */
export function* listSubjects(store: ObjectStore, parts: readonly SnapshotPart[]): Generator<Subject> {
  const files = parts.flatMap(({ tree, path }) => listTreeFiles(store, tree, { protectNtfs: false, protectHfs: false })
    .map((file) => ({ ...file, full: path === '' ? file.path : repoPath(`${path}/${file.path}`) })));
  files.sort((one, two) => (one.full < two.full ? -1 : one.full > two.full ? 1 : 0));
  for (const [at, { full, id, mode }] of files.entries()) {
    if (files[at - 1]?.full === full) continue;
    const name = pathToUtf8(full);
    if (pathFromUtf8(name) !== full) throw new InvalidError(`the name '${name}' is not UTF-8, so no statement can say it`, { code: 'bad-subject-name' });
    const digest = mode === gitlinkMode ? { gitCommit: id } : { sha256: hashContent(store, id) };
    const isSpecial = mode === gitlinkMode || mode === symlinkMode || mode === executableMode;
    yield { name, digest, mode: isSpecial ? mode.toString(8) : undefined };
  }
}

function hashContent(store: ObjectStore, id: ObjectId): string {
  const hasher = new Hasher('sha256');
  try {
    for (const chunk of store.openStream(id).chunks) hasher.update(chunk);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    throw new CorruptError(`snapshot is not complete: ${error.message}`, { code: 'object-missing', hint: 'run cairn fsck; restore the object from another copy', cause: error });
  }
  return hasher.digestId();
}

const digestNames = { commit: 'gitCommit', tree: 'gitTree', blob: 'gitBlob', tag: 'gitTag' } as const;

/** Canonical JSON, so that equal statements have equal bytes. */
export function encodeStatement(subjects: readonly Subject[], origin: Origin): Buffer {
  const { commit, tree, repository, release, run, inputs, finishedSeconds, builder, version } = origin;
  const value: JsonValue = {
    _type: statementType,
    subject: subjects.map(({ name, digest, mode }) => ({ name, digest: { ...digest }, ...(mode === undefined ? {} : { annotations: { mode } }) })),
    predicateType,
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: {
          commit,
          ...(repository === undefined ? {} : { repository }),
          ...(release === undefined ? {} : { release: { ...release } }),
          ...(run === undefined ? {} : { run }),
        },
        internalParameters: {},
        resolvedDependencies: [
          { name: 'snapshot', digest: { gitCommit: commit, gitTree: tree } },
          ...inputs.map(({ id, type, name }) => ({ ...(name === undefined ? {} : { name }), digest: { [digestNames[type]]: id } })),
        ],
      },
      runDetails: {
        builder: { id: builder, version: { cairn: version } },
        metadata: {
          invocationId: run ?? (release === undefined ? commit : `${release.channel}/${release.number}`),
          finishedOn: new Date(finishedSeconds * 1000).toISOString().replace(/\.[0-9]+Z$/, 'Z'),
        },
      },
    },
  };
  return Buffer.from(formatCanonicalJson(value));
}

/** A statement of ours out of untrusted bytes; CorruptError for anything else. */
export function decodeStatement(bytes: Buffer, format: ObjectFormat): Statement {
  const value = parseJson(bytes);
  if (!isRecord(value) || value['_type'] !== statementType) throw damaged('it is no in-toto statement of version 1');
  if (value['predicateType'] !== predicateType) throw damaged('its predicate is not SLSA provenance of version 1');
  const definition = memberOf(memberOf(value, 'predicate'), 'buildDefinition');
  if (definition['buildType'] !== buildType) throw damaged('it is not about a snapshot');
  const parameters = memberOf(definition, 'externalParameters');
  const builder = memberOf(memberOf(memberOf(value, 'predicate'), 'runDetails'), 'builder')['id'];
  if (typeof builder !== 'string') throw damaged("'builder' has no id");
  const subject = value['subject'];
  if (!Array.isArray(subject) || subject.length === 0) throw damaged('it has no subjects');
  return {
    subjects: subject.map(decodeSubject),
    commit: idOf(parameters['commit'], format),
    receipt: parameters['release'] === undefined ? undefined : idOf(memberOf(parameters, 'release')['receipt'], format),
    builder,
  };
}

function decodeSubject(value: unknown): Subject {
  if (!isRecord(value) || typeof value['name'] !== 'string') throw damaged('a subject has no name');
  const digest = memberOf(value, 'digest');
  const found: Record<string, string> = {};
  for (const [name, hex] of Object.entries(digest)) {
    if (typeof hex !== 'string') throw damaged(`a digest of '${value['name']}' is no string`);
    found[name] = hex;
  }
  const annotations = value['annotations'];
  const mode = isRecord(annotations) ? annotations['mode'] : undefined;
  return { name: value['name'], digest: found, mode: typeof mode === 'string' ? mode : undefined };
}

function memberOf(value: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const member = value[name];
  if (!isRecord(member)) throw damaged(`'${name}' is missing`);
  return member;
}

function idOf(value: unknown, format: ObjectFormat): ObjectId {
  if (typeof value !== 'string' || !isObjectId(value, format)) throw damaged('it names no commit or receipt');
  return value;
}

/** A subject that one side has otherwise, or not at all. */
export interface SubjectDifference {
  readonly name: string;
  readonly kind: 'differs' | 'missing' | 'extra' | 'mode';
}

/** Compares what a statement says with what is there, in the order of what is there; 'missing' is there no more, 'extra' was never attested. */
export function compareSubjects(stated: readonly Subject[], found: readonly Subject[]): SubjectDifference[] {
  const left = new Map(stated.map((subject) => [subject.name, subject]));
  const differences: SubjectDifference[] = [];
  if (left.size !== stated.length) throw damaged('it has two subjects of one name');
  for (const { name, digest, mode } of found) {
    const one = left.get(name);
    left.delete(name);
    if (one === undefined) differences.push({ name, kind: 'extra' });
    else if (Object.entries(digest).some(([kind, hex]) => one.digest[kind] !== hex)) differences.push({ name, kind: 'differs' });
    else if (one.mode !== mode) differences.push({ name, kind: 'mode' });
  }
  for (const name of left.keys()) differences.push({ name, kind: 'missing' });
  return differences;
}
