// Schemas that a run's metadata is held against: JSON Schemas, kept as blobs under refs/cairn/schemas/<name>. Specified by cairn-meta(1).
//
// Invariant: what is registered compiles, refers to nothing outside of itself, and was durable before its ref named it. Nothing is ever loaded
// from elsewhere. The validator is loaded when a schema is first used.
import { InvalidError, NotFoundError, RefusedError } from '../pack/errors.js';
import { lazyModule } from '../pack/lazy-module.js';
import type { ObjectId } from '../pack/oid.js';
import { whileNaming } from '../plumbing/refs/announcement.js';
import { type RefName, isRefName } from '../plumbing/refs/ref-name.js';
import { updateRef } from '../plumbing/refs/ref-transaction.js';
import type { Repository } from '../plumbing/repository.js';

const schemasPrefix = 'refs/cairn/schemas/';

interface Validator {
  (value: unknown): unknown;
  readonly errors?: readonly { readonly instancePath: string; readonly message?: string }[] | null;
}
interface Compiler { compile(schema: object): Validator }
interface CompilerModule { readonly default: new (options: object) => Compiler }

/** By the draft of JSON Schema that '$schema' names. */
const compilers: readonly (readonly [draft: RegExp, load: () => CompilerModule])[] = [
  [/^http:\/\/json-schema\.org\/draft-07\/schema#?$/, lazyModule<CompilerModule>('ajv')],
  [/^https:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, lazyModule<CompilerModule>('ajv/dist/2019.js')],
  [/^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, lazyModule<CompilerModule>('ajv/dist/2020.js')],
];
const newestDraft = 'https://json-schema.org/draft/2020-12/schema';

export interface RegisteredSchema {
  readonly name: string;
  /** Of the blob. */
  readonly id: ObjectId;
}

function schemaRef(name: string): RefName {
  const ref = `${schemasPrefix}${name}`;
  if (isRefName(ref) && !name.startsWith('-')) return ref;
  throw new InvalidError(`'${name}' cannot be the name of a schema`, { code: 'bad-schema-name', hint: 'see cairn check-ref-format for the rules' });
}

/** Every schema, in the order of names. */
export function listSchemas(repository: Repository): RegisteredSchema[] {
  return [...repository.refs.list(schemasPrefix)].map(({ name, id }) => ({ name: name.slice(schemasPrefix.length), id }));
}

/** NotFoundError when none is registered under the name. */
export function readSchema(repository: Repository, name: string): RegisteredSchema & { readonly bytes: Buffer } {
  const id = repository.refs.find(schemaRef(name))?.id;
  if (id === undefined) throw new NotFoundError(`no schema '${name}' is registered`, { code: 'no-schema', hint: "'cairn meta schema list' lists them" });
  const { type, bytes } = repository.objects.read(id);
  if (type !== 'blob') throw new InvalidError(`'${schemasPrefix}${name}' is a ${type}, not a schema`, { code: 'bad-schema' });
  return { name, id, bytes };
}

/** Registers a schema; RefusedError when the name is taken by another one and that is not to be replaced, InvalidError when it is no schema. */
export function addSchema(repository: Repository, name: string, bytes: Buffer, options: { readonly force: boolean }): RegisteredSchema {
  const ref = schemaRef(name);
  compile(name, bytes);
  return whileNaming(repository, () => {
    const id = repository.objects.write('blob', bytes);
    const former = repository.refs.find(ref)?.id;
    if (former !== undefined && former !== id && !options.force) {
      throw new RefusedError(`a schema '${name}' is registered already`, { code: 'schema-exists', hint: 'choose another name, or replace it with --force' });
    }
    if (former !== id) updateRef(repository, { name: ref, expected: former ?? 'absent', target: { id } });
    return { name, id };
  });
}

/** Takes a schema out of the register; runs that were held against it keep it. */
export function removeSchema(repository: Repository, name: string): RegisteredSchema {
  const { id } = readSchema(repository, name);
  updateRef(repository, { name: schemaRef(name), expected: id, target: 'delete' });
  return { name, id };
}

function compile(name: string, bytes: Buffer): Validator {
  const schema = parseDocument(bytes, `schema '${name}'`);
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) throw new InvalidError(`schema '${name}' is no JSON object`, { code: 'bad-schema' });
  const draft = (schema as { readonly $schema?: unknown }).$schema ?? newestDraft;
  const load = compilers.find(([pattern]) => typeof draft === 'string' && pattern.test(draft))?.[1];
  if (load === undefined) throw new InvalidError(`schema '${name}' is of a draft that is not known: '${String(draft)}'`, { code: 'bad-schema', hint: 'draft-07, 2019-09 and 2020-12 are' });
  try {
    // Formats are notes in these drafts; what is not a keyword is an error, for it would be ignored.
    return new (load().default)({ allErrors: true, strict: true, strictTypes: false, strictTuples: false, strictRequired: false, validateFormats: false, logger: false }).compile(schema);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new InvalidError(`schema '${name}' cannot be used: ${error.message}`, { code: 'bad-schema', cause: error });
  }
}

const mostFindings = 8;

/** Holds a document against a schema; InvalidError says where it does not fit. */
export function checkDocument(schema: { readonly name: string; readonly bytes: Buffer }, value: unknown, what: string): void {
  const validate = compile(schema.name, schema.bytes);
  if (validate(value) === true) return;
  const findings = (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath === '' ? 'the document' : `'${instancePath}'`} ${message ?? 'does not fit'}`);
  const more = findings.length > mostFindings ? `; and ${findings.length - mostFindings} more` : '';
  throw new InvalidError(`${what} does not fit schema '${schema.name}': ${findings.slice(0, mostFindings).join('; ')}${more}`, { code: 'metadata-invalid' });
}

/** UTF-8 JSON; InvalidError for anything else. */
export function parseDocument(bytes: Buffer, what: string): unknown {
  const text = bytes.toString();
  if (!Buffer.from(text).equals(bytes)) throw new InvalidError(`${what} is not UTF-8`, { code: 'bad-json' });
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof RangeError)) throw error;
    throw new InvalidError(`${what} is not JSON: ${error.message}`, { code: 'bad-json', cause: error });
  }
}
