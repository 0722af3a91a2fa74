// Mailmaps: which name and mail somebody is known by, whatever a commit says. Lines are "Proper Name <mail>", "<proper> <mail>",
// "Proper Name <proper> <mail>" and "Proper Name <proper> Name <mail>"; all text is latin1.
//
// What is looked for compares without regard to case in ASCII. A line that is none is passed over. Specified by gitmailmap(5).
import { lstatSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InvalidError, NotFoundError, isSystemError } from '../../pack/errors.js';
import type { Context } from '../command.js';
import type { Repository } from '../repository.js';
import { findRevision } from './revision.js';

/** A name and a mail, as far as they are known. */
export interface Person {
  readonly name: string;
  readonly email: string;
}

interface Replacement {
  readonly name: string | undefined;
  readonly email: string | undefined;
}

interface Entry {
  /** For whoever has the mail and none of the names below. */
  own: Replacement;
  readonly byName: Map<string, Replacement>;
}

/** Lower case in ASCII alone. */
const fold = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Who is who. */
export class Mailmap {
  readonly #byEmail = new Map<string, Entry>();

  /** The maps that count: `.mailmap` at the top of the work tree, mailmap.blob (in a bare repository HEAD:.mailmap), mailmap.file. */
  static read(repository: Repository): Mailmap {
    const mailmap = new Mailmap();
    const { config, context } = repository;
    const top = repository.workTree ?? context.cwd;
    if (!repository.isBare) mailmap.#addFile(join(top, '.mailmap'), true);
    mailmap.#addBlob(repository, config.get('mailmap.blob') ?? (repository.isBare ? 'HEAD:.mailmap' : undefined));
    const file = config.getPath('mailmap.file');
    if (file !== undefined && file !== '') mailmap.#addFile(resolve(top, file), false);
    return mailmap;
  }

  /** The map of the current directory, for text that is read outside of a repository. */
  static readHere(context: Context): Mailmap {
    const mailmap = new Mailmap();
    mailmap.#addFile(join(context.cwd, '.mailmap'), true);
    return mailmap;
  }

  get isEmpty(): boolean {
    return this.#byEmail.size === 0;
  }

  /** Adds the lines of a map to those there are; later ones win. */
  addLines(text: string): void {
    for (const line of text.split('\n')) if (!line.startsWith('#')) this.#addLine(line);
  }

  /** Who that is. */
  map(person: Person): Person {
    const entry = this.#byEmail.get(fold(person.email));
    if (entry === undefined) return person;
    const { name, email } = entry.byName.get(fold(person.name)) ?? entry.own;
    return { ...person, name: name ?? person.name, email: email ?? person.email };
  }

  /** A commit or tag with the people of its header as they are known; the same bytes when nobody is known otherwise. */
  mapHeader(bytes: Buffer): Buffer {
    const text = bytes.toString('latin1');
    const end = text.indexOf('\n\n');
    const header = end < 0 ? text : text.slice(0, end);
    const mapped = header.replace(/^((?:author|committer|tagger) )([^<\n]*?) ?<([^>\n]*)>/gm, (_whole, role: string, name: string, email: string) => {
      const person = this.map({ name, email });
      return `${role}${person.name} <${person.email}>`;
    });
    return mapped === header ? bytes : Buffer.concat([Buffer.from(mapped, 'latin1'), bytes.subarray(header.length)]);
  }

  #addLine(line: string): void {
    const first = readPart(line, 0, false);
    if (first === undefined) return;
    const second = first.end < line.length ? readPart(line, first.end, true) : undefined;
    const known = second?.email ?? first.email;
    const entry = this.#entryOf(known);
    const replacement = { name: first.name, email: second === undefined ? undefined : first.email };
    if (second?.name !== undefined) entry.byName.set(fold(second.name), replacement);
    else entry.own = { name: replacement.name ?? entry.own.name, email: replacement.email ?? entry.own.email };
  }

  #entryOf(email: string): Entry {
    const key = fold(email);
    let entry = this.#byEmail.get(key);
    if (entry === undefined) this.#byEmail.set(key, entry = { own: { name: undefined, email: undefined }, byName: new Map() });
    return entry;
  }

  /** A symbolic link is not followed where the work tree, which is somebody else's, says where it leads. */
  #addFile(path: string, isTracked: boolean): void {
    try {
      if (isTracked && lstatSync(path).isSymbolicLink()) return;
      this.addLines(readFileSync(path, 'latin1'));
    } catch (error) {
      if (!isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw error;
    }
  }

  #addBlob(repository: Repository, name: string | undefined): void {
    const id = name === undefined || name === '' ? undefined : findQuietly(repository, name);
    const found = id === undefined ? undefined : repository.objects.find(id);
    if (found?.type === 'blob') this.addLines(found.bytes.toString('latin1'));
  }
}

/** HEAD may have no commit yet. */
function findQuietly(repository: Repository, name: string): ReturnType<typeof findRevision> {
  try {
    return findRevision(repository, name);
  } catch (error) {
    if (error instanceof InvalidError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** One "name <mail>" from `at` on; undefined when there is none. */
function readPart(line: string, at: number, isEmptyAllowed: boolean): { name: string | undefined; email: string; end: number } | undefined {
  const open = line.indexOf('<', at);
  const close = open < 0 ? -1 : line.indexOf('>', open + 1);
  if (close < 0 || (close === open + 1 && !isEmptyAllowed)) return undefined;
  const name = line.slice(at, open).replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
  return { name: name === '' ? undefined : name, email: line.slice(open + 1, close), end: close + 1 };
}

/** The person in "Name <mail> anything"; undefined where there is no mail. The name may be empty. */
export function findPerson(text: string): Person | undefined {
  const open = text.indexOf('<');
  const close = open < 0 ? -1 : text.indexOf('>', open);
  return close < 0 ? undefined : { name: text.slice(0, open).replace(/[ \t\r\n]+$/, ''), email: text.slice(open + 1, close) };
}
