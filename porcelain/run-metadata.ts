// What somebody wants to be known of a run: a JSON document, and the schema it was held against. Both are kept by a tree (meta.json, schema.json) that
// refs/cairn/meta/<run> names, made in one transaction with the run's own ref, and that the commit's trailer 'Meta' tells. Specified by
// cairn-commit(1), "RUNS".
//
// Invariant: metadata was valid when the run was recorded, and what it was valid by stays readable as long as the run does.
import { resolve } from 'node:path';
import { CorruptError, InvalidError } from '../pack/errors.js';
import { type ObjectId, hashObject } from '../pack/oid.js';
import { type TreeEntry, encodeTree, pathFromUtf8 } from '../pack/tree.js';
import type { RefName } from '../plumbing/refs/ref-name.js';
import type { Repository } from '../plumbing/repository.js';
import { readSmallFile } from './archive/named-file.js';
import { type RegisteredSchema, checkDocument, parseDocument, readSchema } from './metadata-schema.js';

export const metadataKey = 'cairn.metaschema';
const mostBytes = 16 * 1024 * 1024;

export interface RunMetadata {
  readonly bytes: Buffer;
  /** What it was held against; undefined when nobody named a schema. */
  readonly schema: RegisteredSchema | undefined;
  /** Of the tree both will be in. */
  readonly tree: ObjectId;
}

/** The ref that keeps a run's metadata. */
export function metadataRef(run: string): RefName {
  return `refs/cairn/meta/${run}` as RefName;
}

/** Reads a document and holds it against the schema of that name, else the one cairn.metaSchema names; InvalidError when it does not fit. Writes nothing. */
export function checkMetadata(repository: Repository, file: string, schemaName: string | undefined): RunMetadata {
  const bytes = readSmallFile(resolve(repository.context.cwd, file), mostBytes);
  const value = parseDocument(bytes, `'${file}'`);
  const name = schemaName ?? repository.config.get(metadataKey);
  const schema = name === undefined || name === '' ? undefined : readSchema(repository, name);
  if (schema !== undefined) checkDocument(schema, value, `'${file}'`);
  const { format } = repository;
  return { bytes, schema, tree: hashObject('tree', encodeTree(entriesOf(hashObject('blob', bytes, format), schema), format), format) };
}

function entriesOf(document: ObjectId, schema: RegisteredSchema | undefined): TreeEntry[] {
  return [
    { mode: 0o100644, name: pathFromUtf8('meta.json'), id: document },
    ...(schema === undefined ? [] : [{ mode: 0o100644, name: pathFromUtf8('schema.json'), id: schema.id } as const]),
  ];
}

/** Stores document and tree; the caller names the tree, with the schema still there. */
export function writeMetadata({ objects, format }: Repository, { bytes, schema, tree }: RunMetadata): ObjectId {
  if (schema !== undefined) objects.readHeader(schema.id);
  const written = objects.write('tree', encodeTree(entriesOf(objects.write('blob', bytes), schema), format));
  if (written !== tree) throw new InvalidError('the metadata changed while it was recorded', { code: 'file-changed' });
  return written;
}

/** What was recorded with a run; undefined when nothing was. */
export function findMetadata({ objects, refs }: Repository, run: string): { readonly value: unknown; readonly schema: ObjectId | undefined } | undefined {
  const id = refs.find(metadataRef(run))?.id;
  if (id === undefined) return undefined;
  const entries = objects.readTree(id);
  const document = entries.find(({ name }) => name === 'meta.json');
  if (document === undefined) throw new CorruptError(`'${metadataRef(run)}' names a tree without 'meta.json'`, { code: 'bad-metadata' });
  return { value: parseDocument(objects.read(document.id).bytes, `metadata of run '${run}'`), schema: entries.find(({ name }) => name === 'schema.json')?.id };
}
