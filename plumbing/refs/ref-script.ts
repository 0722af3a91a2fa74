// The language of `update-ref --stdin`: instructions that build, prepare, commit and abort ref transactions. Specified by git-update-ref(1).
// Input is read piece by piece and each answer is flushed, so that a program at the other end of a pipe can hold a transaction open.
import { InvalidError } from '../../pack/errors.js';
import { type ObjectId, isZeroId, zeroId } from '../../pack/oid.js';
import { listWholeLines } from '../line-reader.js';
import { cUnquote } from '../quote.js';
import { decodeRefName, isRefName } from './ref-name.js';
import { type RefEdit, RefTransaction } from './ref-transaction.js';
import type { Repository } from '../repository.js';
import { findRevision } from '../history/revision.js';

export interface RefScriptOptions {
  /** Instructions end with NUL and are not quoted (-z). */
  readonly nul: boolean;
  readonly noDeref: boolean;
  readonly createReflog: boolean;
  readonly message: string | undefined;
}

type Verb = 'update' | 'create' | 'delete' | 'verify' | 'option' | 'start' | 'prepare' | 'commit' | 'abort';

/** How many fields follow the first one with -z. */
const extraFields: Readonly<Record<Verb, number>> = { update: 2, create: 1, delete: 1, verify: 1, option: 0, start: 0, prepare: 0, commit: 0, abort: 0 };

/** Runs the instructions on standard input; whatever fails throws with the open transaction undone. */
export function runRefScript(repository: Repository, options: RefScriptOptions): void {
  new RefScript(repository, options).run();
}

class RefScript {
  readonly #repository: Repository;
  readonly #options: RefScriptOptions;
  #state: 'open' | 'started' | 'prepared' | 'closed' = 'open';
  #transaction: RefTransaction;
  #noDeref: boolean;

  constructor(repository: Repository, options: RefScriptOptions) {
    this.#repository = repository;
    this.#options = options;
    this.#transaction = new RefTransaction(repository);
    this.#noDeref = options.noDeref;
  }

  run(): void {
    try {
      const records = readRecords(this.#repository, this.#options.nul);
      for (let next = records.next(); !next.done; next = records.next()) this.#instruct(next.value, records);
      // Without an explicit start the end of input commits; with one it must have been said.
      if (this.#state === 'open') this.#transaction.commit();
    } finally {
      this.#transaction.abort();
    }
  }

  #instruct(record: string, records: Iterator<string, undefined>): void {
    const end = record.search(/[ \n]/);
    const word = end < 0 ? record : record.slice(0, end);
    if (record === '') throw new InvalidError('empty command in input', { code: 'bad-instruction' });
    if (word === '') throw new InvalidError(`whitespace before command: ${record}`, { code: 'bad-instruction' });
    if (!Object.hasOwn(extraFields, word) || (needsSpace(word as Verb) !== record.startsWith(`${word} `))) {
      throw new InvalidError(`unknown command: ${record}`, { code: 'bad-instruction' });
    }
    const verb = word as Verb;
    if (this.#state === 'prepared' && verb !== 'commit' && verb !== 'abort') {
      throw new InvalidError('prepared transactions can only be closed', { code: 'transaction-state' });
    }
    if (this.#state === 'closed' && verb !== 'start') throw new InvalidError('transaction is closed', { code: 'transaction-state' });
    const fields = new Fields(verb, record.slice(word.length + 1), records, this.#options.nul);
    switch (verb) {
      case 'option': return this.#option(fields);
      case 'start': return this.#start(fields);
      case 'prepare': return this.#prepare(fields);
      case 'commit': return this.#commit(fields);
      case 'abort': return this.#abort(fields);
      default: return this.#edit(verb, fields);
    }
  }

  #edit(verb: 'update' | 'create' | 'delete' | 'verify', fields: Fields): void {
    const name = fields.name();
    const none = zeroId(this.#repository.format);
    let target: RefEdit['target'] = verb === 'verify' ? 'verify' : 'delete';
    if (verb === 'update' || verb === 'create') {
      const id = this.#value(verb, name, '<newvalue>', fields.value());
      // With -z an empty new value is zero; without it must be there.
      if (id === 'missing' && !this.#options.nul) throw new InvalidError(`${verb} ${name}: missing <newvalue>`, { code: 'bad-instruction' });
      const newId = id === 'missing' ? none : id;
      if (verb === 'create' && isZeroId(newId)) throw new InvalidError(`create ${name}: zero <newvalue>`, { code: 'bad-instruction' });
      target = { id: newId };
    }
    let expected: ObjectId | 'absent' | undefined = verb === 'create' ? 'absent' : undefined;
    if (verb !== 'create') {
      const old = this.#value(verb, name, '<oldvalue>', fields.value());
      if (old !== 'missing') expected = isZeroId(old) ? 'absent' : old;
      else if (verb === 'verify') expected = 'absent';
      if (verb === 'delete' && expected === 'absent') throw new InvalidError(`delete ${name}: zero <oldvalue>`, { code: 'bad-instruction' });
    }
    fields.end(name);
    const { message, createReflog } = this.#options;
    this.#transaction.add({ name, target, expected, noDeref: this.#noDeref, createReflog, ...(message === undefined ? {} : { message }) });
    this.#noDeref = this.#options.noDeref;
  }

  #value(verb: string, name: string, what: string, text: string | undefined): ObjectId | 'missing' {
    if (text === undefined) return 'missing';
    if (text === '') return this.#options.nul ? 'missing' : zeroId(this.#repository.format);
    const id = findValue(this.#repository, text);
    if (id === undefined) throw new InvalidError(`${verb} ${name}: invalid ${what}: ${text}`, { code: 'bad-instruction' });
    return id;
  }

  #option(fields: Fields): void {
    const option = fields.rest();
    if (option !== 'no-deref') throw new InvalidError(`option unknown: ${option}`, { code: 'bad-instruction' });
    this.#noDeref = true;
  }

  #start(fields: Fields): void {
    fields.nothing();
    if (this.#state === 'started') throw new InvalidError('cannot restart ongoing transaction', { code: 'transaction-state' });
    if (this.#state === 'closed') this.#transaction = new RefTransaction(this.#repository);
    this.#state = 'started';
    this.#answer('start');
  }

  #prepare(fields: Fields): void {
    fields.nothing();
    this.#transaction.prepare();
    this.#state = 'prepared';
    this.#answer('prepare');
  }

  #commit(fields: Fields): void {
    fields.nothing();
    this.#transaction.commit();
    this.#state = 'closed';
    this.#answer('commit');
  }

  #abort(fields: Fields): void {
    fields.nothing();
    this.#transaction.abort();
    this.#state = 'closed';
    this.#answer('abort');
  }

  #answer(verb: Verb): void {
    const { stdout } = this.#repository.context;
    stdout.write(`${verb}: ok\n`);
    stdout.flush();
  }
}

function needsSpace(verb: Verb): boolean {
  return verb !== 'start' && verb !== 'prepare' && verb !== 'commit' && verb !== 'abort';
}

/** An id given in full, or any revision. */
function findValue(repository: Repository, text: string): ObjectId | undefined {
  return findRevision(repository, decodeRefName(text));
}

/** The fields of one instruction, taken in order. */
class Fields {
  readonly #verb: Verb;
  readonly #text: string;
  readonly #records: Iterator<string, undefined>;
  readonly #nul: boolean;
  #at = 0;
  #left: number;

  constructor(verb: Verb, text: string, records: Iterator<string, undefined>, nul: boolean) {
    this.#verb = verb;
    this.#text = text;
    this.#records = records;
    this.#nul = nul;
    this.#left = extraFields[verb];
  }

  name(): string {
    const latin1 = this.#nul ? this.#text : this.#argument();
    this.#at = this.#nul ? this.#text.length : this.#at;
    if (latin1 === '') throw new InvalidError(`${this.#verb}: missing <ref>`, { code: 'bad-instruction' });
    const name = decodeRefName(latin1);
    if (!isRefName(name, { oneLevel: true })) throw new InvalidError(`invalid ref format: ${name}`, { code: 'bad-ref-name' });
    return name;
  }

  /** The next value; undefined when it is left out (never with -z, where it is empty instead). */
  value(): string | undefined {
    if (this.#nul) {
      this.#left -= 1;
      const next = this.#records.next();
      if (next.done) throw new InvalidError(`${this.#verb}: unexpected end of input when reading a value`, { code: 'bad-instruction' });
      return next.value;
    }
    if (this.#at >= this.#text.length) return undefined;
    if (this.#text[this.#at] !== ' ') throw new InvalidError(`${this.#verb}: expected SP but got: ${this.#text.slice(this.#at)}`, { code: 'bad-instruction' });
    this.#at += 1;
    return this.#argument();
  }

  /** Everything left, as it is. */
  rest(): string {
    return this.#text.slice(this.#at);
  }

  end(name: string): void {
    if (!this.#nul && this.#at < this.#text.length) throw new InvalidError(`${this.#verb} ${name}: extra input: ${this.#text.slice(this.#at)}`, { code: 'bad-instruction' });
  }

  nothing(): void {
    if (this.#text !== '') throw new InvalidError(`${this.#verb}: extra input: ${this.#text}`, { code: 'bad-instruction' });
  }

  #argument(): string {
    if (this.#text[this.#at] === '"') {
      const quoted = cUnquote(this.#text.slice(this.#at));
      const end = this.#at + quoted.end;
      if (end < this.#text.length && this.#text[end] !== ' ') throw new InvalidError(`unexpected character after quoted argument: ${this.#text}`, { code: 'bad-instruction' });
      this.#at = end;
      return quoted.value;
    }
    const space = this.#text.indexOf(' ', this.#at);
    const end = space < 0 ? this.#text.length : space;
    const value = this.#text.slice(this.#at, end);
    this.#at = end;
    return value;
  }
}

/** Standard input cut at LF or NUL, as latin1, each piece as soon as it is complete. */
function* readRecords(repository: Repository, nul: boolean): Generator<string, undefined> {
  const { stdin } = repository.context;
  const terminator = nul ? '\0' : '\n';
  for (const record of listWholeLines(stdin, terminator)) {
    const isWhole = record.endsWith(terminator);
    if (!isWhole && !nul) throw new InvalidError(`unexpected end of input: ${record}`, { code: 'bad-instruction' });
    yield isWhole ? record.slice(0, -1) : record;
  }
  return undefined;
}
