// Names that stand for others in an anonymized export: the same one for the same original, and telling nothing about it
// (git-fast-export(1), "Anonymizing"). Text is latin1.
import { hexSize, type ObjectFormat } from '../../pack/oid.js';

/** The part of a ref's name that may be told. */
const openPrefix = /^refs\/(?:(?:heads|tags|remotes)\/)?/;

export class Anonymity {
  readonly #format: ObjectFormat;
  /** What the user wants to be called so, for every kind of name. */
  readonly #given: ReadonlyMap<string, string>;
  readonly #names = new Map<string, Map<string, string>>();
  #messages = 0;

  constructor(format: ObjectFormat, given: ReadonlyMap<string, string>) {
    this.#format = format;
    this.#given = given;
  }

  refName(name: string): string {
    const prefix = openPrefix.exec(name)?.[0] ?? '';
    return prefix + this.#components('ref', name.slice(prefix.length));
  }

  path(path: string): string {
    return this.#components('path', path);
  }

  blob(content: string): Buffer {
    return Buffer.from(this.#name('blob', content, (count) => `anonymous blob ${count}`));
  }

  /** Every commit has a message of its own, even where the same one was given twice. */
  message(): string {
    return `subject ${this.#messages++}\n\nbody\n`;
  }

  tagMessage(message: string): string {
    return this.#name('tag message', message, (count) => `tag message ${count}`);
  }

  /** An identity with its date, which stays. */
  ident(line: string): string {
    const found = /^(.*?<[^>]*>)(.*)$/s.exec(line);
    return found ? this.#name('ident', found[1]!, (count) => `User ${count} <user${count}@example.com>`) + found[2] : line;
  }

  /** The id of a commit that is not in the stream. */
  id(id: string): string {
    return this.#name('id', id, (count) => (count + 1).toString(16).padStart(hexSize(this.#format), '0'));
  }

  #components(kind: string, text: string): string {
    return text.split('/').map((part) => this.#name(kind, part, (count) => `${kind}${count}`)).join('/');
  }

  #name(kind: string, original: string, make: (count: number) => string): string {
    const given = this.#given.get(original);
    if (given !== undefined && (kind === 'ref' || kind === 'path')) return given;
    let names = this.#names.get(kind);
    if (names === undefined) this.#names.set(kind, names = new Map());
    let name = names.get(original);
    if (name === undefined) names.set(original, name = make(names.size));
    return name;
  }
}
