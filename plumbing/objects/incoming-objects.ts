// What is asked of objects that come from elsewhere before they are taken in (git-index-pack(1), git-unpack-objects(1)): that none has the
// id of an object that is here with other content, and where wanted that each is well formed and everything it names is there.
//
// Nothing is written. Memory: with links checked, the ids named by objects seen so far.
import { CorruptError, RefusedError } from '../../pack/errors.js';
import type { ObjectStore } from '../../pack/object-store.js';
import { Hasher, type ObjectFormat, type ObjectId, type ObjectType } from '../../pack/oid.js';
import type { IndexedObject, PackIndexer } from '../../pack/pack-indexer.js';
import { decodeCommit } from '../../pack/commit.js';
import { decodeTag } from '../../pack/tag.js';
import { checkGitmodules } from './gitmodules-check.js';
import { type Finding, type MessageId, type Severity, checkObject, isGitmodulesName, listRawEntries, readSeverities, severities } from './object-check.js';

export interface IncomingChecks {
  /** Where objects are that are here already; undefined outside of a repository. */
  readonly store: ObjectStore | undefined;
  readonly format: ObjectFormat;
  /** How bad each fault of an object is; undefined: objects are not checked. */
  readonly severityOf?: (id: MessageId) => Severity;
  /** Whether what objects name must be there. */
  readonly links?: boolean;
  readonly warn: (line: string) => void;
}

/** Severities as `--strict=<msg-id>=<severity>,...` gives them; InvalidError for a message or severity nobody knows. */
export function parseSeverities(text: string): (id: MessageId) => Severity {
  const given = new Map<string, string>();
  const known = new Set(Object.keys(severities).map((id) => id.toLowerCase()));
  for (const word of text.split(/[ ,|]+/).filter((part) => part !== '')) {
    const [name = '', severity = ''] = word.split(/[=:]/, 2);
    if (!known.has(name.toLowerCase())) throw new RefusedError(`there is no check '${name}'`, { code: 'bad-severity' });
    given.set(name.toLowerCase(), severity);
  }
  const severityOf = readSeverities({ get: (name) => given.get(name.slice('fsck.'.length).toLowerCase()) }, { strict: true });
  for (const id of Object.keys(severities) as MessageId[]) if (given.has(id.toLowerCase())) severityOf(id);
  return severityOf;
}

/** A --max-input-size: as git reads it, what is no number is no limit, and neither is 0. */
export function parseMostBytes(text: string | undefined): number | undefined {
  const mostBytes = Number.parseInt(text ?? '', 10);
  return mostBytes > 0 ? mostBytes : undefined;
}

export class IncomingObjects {
  readonly #checks: IncomingChecks;
  /** Objects named and not seen so far, and what they must be. */
  readonly #wanted = new Map<ObjectId, ObjectType>();
  readonly #seen = new Map<ObjectId, ObjectType>();
  #twin: ObjectId | undefined;
  readonly #gitmodules = new Set<ObjectId>();
  readonly #checkedGitmodules = new Set<ObjectId>();
  /** Large ones, compared with what is here once they can be read again. */
  readonly #postponed: number[] = [];
  #faults = 0;

  constructor(checks: IncomingChecks) { this.#checks = checks; }

  /** Looks at one object; RefusedError (code 'object-collision') when another has its id. */
  see(object: IndexedObject): void {
    const { id, type, bytes, number } = object;
    const { store, severityOf, links } = this.#checks;
    if (store?.hasProbably(id)) {
      if (bytes === undefined) this.#postponed.push(number);
      else this.#compare(store, id, type, bytes);
    }
    if (links) {
      this.#twin ??= this.#seen.has(id) ? id : undefined;
      this.#seen.set(id, type);
    }
    if (bytes === undefined || severityOf === undefined) return;
    this.#report(type, id, checkObject(type, bytes, { format: this.#checks.format, strict: true }));
    this.#collect(type, bytes, links === true);
    if (type === 'blob' && this.#gitmodules.has(id)) this.#checkGitmodules(id, bytes);
  }

  #compare(store: ObjectStore, id: ObjectId, type: ObjectType, bytes: Buffer): void {
    let known;
    try {
      known = store.find(id);
    } catch (error) {
      // A copy that cannot be read at all collides with nothing; a whole one of another content may have been made to.
      if (!(error instanceof CorruptError)) throw error;
      if (error.code === 'object-mismatch') throw collision(id, error);
      return;
    }
    if (known !== undefined && (known.type !== type || !known.bytes.equals(bytes))) throw collision(id);
  }

  #collect(type: ObjectType, bytes: Buffer, links: boolean): void {
    const { format } = this.#checks;
    const want = (id: ObjectId, as: ObjectType): void => {
      if (!links) return;
      const known = this.#wanted.get(id);
      if (known !== undefined && known !== as) throw new RefusedError(`object '${id}' is named as a ${known} and as a ${as}`, { code: 'object-wrong-type' });
      this.#wanted.set(id, as);
    };
    try {
      if (type === 'tree') {
        for (const { mode, name, id } of listRawEntries(bytes, format)) {
          const kind = mode & 0o170000;
          if (kind === 0o160000) continue;
          if (kind !== 0o120000 && isGitmodulesName(name)) this.#gitmodules.add(id);
          want(id, kind === 0o040000 ? 'tree' : 'blob');
        }
      } else if (type === 'commit') {
        const commit = decodeCommit(bytes, format);
        want(commit.tree, 'tree');
        for (const parent of commit.parents) want(parent, 'commit');
      } else if (type === 'tag') {
        const tag = decodeTag(bytes, format);
        want(tag.object, tag.type);
      }
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      this.#faults += 1;
      this.#checks.warn(`error: ${error.message}`);
    }
    if (this.#faults > 0) throw faulty();
  }

  #report(type: ObjectType, id: ObjectId, findings: readonly Finding[]): void {
    for (const { id: message, text } of findings) {
      const severity = this.#checks.severityOf!(message);
      if (severity === 'ignore') continue;
      const isError = severity === 'fatal' || severity === 'error';
      this.#checks.warn(`${isError ? 'error' : 'warning'} in ${type} ${id}: ${message}: ${text}`);
      if (isError) this.#faults += 1;
    }
    if (this.#faults > 0) throw faulty();
  }

  #checkGitmodules(id: ObjectId, bytes: Buffer): void {
    this.#checkedGitmodules.add(id);
    this.#report('blob', id, checkGitmodules(bytes));
  }

  /**
   * What can be said once all were seen. `foreign`: objects named that are not in the pack but here. `missingGitmodules`: .gitmodules
   * files that are neither. RefusedError when an object that is named is nowhere.
   */
  finish(indexer: PackIndexer): { readonly foreign: number; readonly missingGitmodules: readonly ObjectId[] } {
    const { store } = this.#checks;
    for (const number of this.#postponed) comparePieces(store!, indexer, number);
    return { foreign: this.#checkLinks(), missingGitmodules: this.#finishGitmodules(indexer) };
  }

  /** An object that came more than once; found only where links are followed. */
  get twin(): ObjectId | undefined { return this.#twin; }

  #checkLinks(): number {
    let foreign = 0;
    for (const [id, type] of this.#wanted) {
      const actual = this.#seen.get(id) ?? this.#checks.store?.findHeader(id)?.type;
      if (actual === undefined) throw new RefusedError(`object '${id}' is named, but was not received`, { code: 'object-missing' });
      if (actual !== type) throw new RefusedError(`object '${id}' is a ${actual}, not a ${type}`, { code: 'object-wrong-type' });
      if (!this.#seen.has(id)) foreign += 1;
    }
    return foreign;
  }

  /** Those that came before the trees that name them are read again. */
  #finishGitmodules(indexer: PackIndexer): ObjectId[] {
    const left = new Set([...this.#gitmodules].filter((id) => !this.#checkedGitmodules.has(id)));
    for (let number = 0; left.size > 0 && number < indexer.count; number += 1) {
      const id = indexer.idAt(number);
      if (!left.delete(id)) continue;
      const type = indexer.typeAt(number);
      if (type === 'blob') this.#checkGitmodules(id, Buffer.concat([...indexer.contentChunks(number)]));
      else this.#report(type, id, [{ id: 'gitmodulesBlob', text: 'non-blob found at .gitmodules' }]);
    }
    return [...left].filter((id) => !this.#checks.store?.has(id));
  }
}

/** As `#compare`, for contents too large to hold: by way of a digest stronger than an id that may have been made to collide. */
function comparePieces(store: ObjectStore, indexer: PackIndexer, number: number): void {
  const id = indexer.idAt(number);
  try {
    const known = store.openStream(id);
    const ours = digestOf(known.chunks);
    if (known.type !== indexer.typeAt(number) || !ours.equals(digestOf(indexer.contentChunks(number)))) throw collision(id);
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    if (error.code === 'object-mismatch') throw collision(id, error);
  }
}

function digestOf(chunks: Iterable<Buffer>): Buffer {
  const hasher = new Hasher('sha256');
  for (const chunk of chunks) hasher.update(chunk);
  return hasher.digestBytes();
}

function collision(id: ObjectId, cause?: unknown): RefusedError {
  return new RefusedError(`object '${id}' is here already with another content`, {
    code: 'object-collision', hint: 'one of the two was made to collide, or ours was tampered with: run cairn fsck', cause,
  });
}

function faulty(): RefusedError {
  return new RefusedError('the pack holds an object that is not well formed', { code: 'bad-object' });
}
