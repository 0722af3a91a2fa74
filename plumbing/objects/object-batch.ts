// Answering for many objects over one pair of pipes: cat-file --batch, --batch-check and --batch-command (git-cat-file(1),
// "BATCH OUTPUT"). Answers are written through before more input is waited for, so that a script can hold a conversation;
// with --buffer only at the end or when told to.
import { CairnError, InvalidError, NotFoundError } from '../../pack/errors.js';
import type { ObjectHeader } from '../../pack/object.js';
import { type ObjectId, hexSize, isObjectId } from '../../pack/oid.js';
import type { Input } from '../command.js';
import { listChunks, listRecords, nameOfLine } from '../line-reader.js';
import { followPath } from '../link-follow.js';
import { PackedAnswers, lineTemplate } from './packed-answers.js';
import { decodeRefName } from '../refs/ref-name.js';
import type { Repository } from '../repository.js';
import { findRevision, pathFromTop } from '../history/revision.js';
import { deltaBase, storedSize } from './stored-object.js';

export interface BatchOptions {
  /** Undefined: "%(objectname) %(objecttype) %(objectsize)". */
  readonly format: string | undefined;
  readonly all: boolean;
  /** Undefined: buffered only when all objects are asked for. */
  readonly buffered: boolean | undefined;
  readonly unordered: boolean;
  readonly terminator: '\n' | '\0';
  /** Shows the content of blobs differently, by the path that follows their name. */
  readonly convertBlob?: (path: string, bytes: Buffer) => Buffer;
  /** Shows commits and tags differently. */
  readonly convertHeader?: (bytes: Buffer) => Buffer;
  /** Symbolic links in 'rev:path' are followed. */
  readonly followLinks?: boolean;
}

/** What the parts of a format may ask about one object. */
interface Subject {
  readonly id: ObjectId;
  readonly header: ObjectHeader;
  readonly rest: string;
}

type Part = string | ((subject: Subject) => string);

/** Objects to be answered for at once, or one after the other, before it pays to prepare for many. */
const fewObjects = 20;
const usualFormat = '%(objectname) %(objecttype) %(objectsize)';

export class ObjectBatch {
  readonly #repository: Repository;
  readonly #mode: 'batch' | 'batch-check' | 'batch-command';
  readonly #options: BatchOptions;
  readonly #buffered: boolean;
  readonly #parts: readonly Part[] | undefined;
  readonly #splitsRest: boolean;
  /** Of the lines that can be answered the quick way; undefined where they ask for more than type and size. */
  readonly #template: Uint8Array | undefined;
  #quick: PackedAnswers | undefined;
  #answered = 0;
  #isRefused = false;

  constructor(repository: Repository, mode: 'batch' | 'batch-check' | 'batch-command', options: BatchOptions) {
    this.#repository = repository;
    this.#mode = mode;
    this.#options = options;
    this.#buffered = options.buffered ?? options.all;
    this.#parts = options.format === undefined ? undefined : this.#parse(options.format);
    this.#splitsRest = mode !== 'batch-command' && (options.format?.includes('%(rest)') === true || options.convertBlob !== undefined);
    const isConverted = options.convertBlob !== undefined || options.convertHeader !== undefined;
    this.#template = isConverted || (mode === 'batch' && options.format !== undefined) ? undefined : lineTemplate(options.format ?? usualFormat);
  }

  /** Answers until the input ends; returns the exit code. */
  run(): number {
    if (this.#options.all) this.#answerAll();
    else if (this.#mode === 'batch-command') this.#obey();
    else this.#answerLines();
    this.#quick?.flush();
    return 0;
  }

  /** Standard input; whoever waits for answers gets them before more is read. */
  #input(): Input {
    const { stdin, stdout } = this.#repository.context;
    return {
      isTerminal: stdin.isTerminal,
      readChunk: () => {
        if (!this.#buffered) {
          this.#quick?.flush();
          stdout.flush();
        }
        return stdin.readChunk();
      },
    };
  }

  /** Full ids are looked up as they stand in the input; all other lines become text first. */
  #answerLines(): void {
    const withContent = this.#mode === 'batch';
    const isNul = this.#options.terminator === '\0';
    const terminator = isNul ? 0 : 0x0a;
    const digits = hexSize(this.#repository.format);
    const answerText = (line: string): void => this.#answerLine(isNul ? line : nameOfLine(line), withContent);
    let begun: Buffer[] = [];
    for (const chunk of listChunks(this.#input())) {
      let start = 0;
      while (start < chunk.length) {
        if (begun.length === 0 && !withContent && this.#quick !== undefined) {
          start = this.#quick.addLines(chunk, start, terminator);
          if (start === chunk.length) break;
        }
        if (begun.length === 0 && chunk[start + digits] === terminator && this.#answerQuickly(chunk, start, withContent)) {
          start += digits + 1;
          continue;
        }
        const end = chunk.indexOf(terminator, start);
        begun.push(chunk.subarray(start, end < 0 ? chunk.length : end));
        if (end < 0) break;
        answerText(Buffer.concat(begun).toString('latin1'));
        begun = [];
        start = end + 1;
      }
    }
    if (begun.length > 0) answerText(Buffer.concat(begun).toString('latin1'));
  }

  /** False when the object whose id is at `at` has to be answered for in the usual way. */
  #answerQuickly(text: Uint8Array, at: number, withContent: boolean): boolean {
    const quick = this.#openQuick(text.length - at);
    if (quick === undefined || !quick.cursor.findHex(text, at)) return false;
    return withContent ? quick.addContent() : this.#addLine(quick);
  }

  #addLine(quick: PackedAnswers): boolean {
    const { position } = quick.cursor;
    quick.addRange(position + 1);
    return quick.cursor.position > position;
  }

  /** What is left of the input at hand tells how many will be asked for at least. */
  #openQuick(inputBytes: number): PackedAnswers | undefined {
    if (this.#quick !== undefined || this.#template === undefined) return this.#quick;
    this.#answered += 1;
    const isMany = inputBytes > fewObjects * (hexSize(this.#repository.format) + 1) || this.#answered > fewObjects;
    if (isMany && !this.#isRefused) {
      this.#quick = PackedAnswers.open(this.#repository, this.#template);
      this.#isRefused = this.#quick === undefined;
    }
    return this.#quick;
  }

  #answerAll(): void {
    const { objects } = this.#repository;
    const withContent = this.#mode === 'batch';
    const quick = this.#quick = this.#template && PackedAnswers.open(this.#repository, this.#template);
    if (quick !== undefined) {
      const { cursor } = quick;
      for (const _ of this.#options.unordered ? objects.visitUnordered(cursor) : objects.visit(cursor)) this.#answerPlace(quick, withContent);
      return;
    }
    const ids = this.#options.unordered ? objects.listIdsUnordered() : objects.listIds();
    for (const id of ids) this.#answer(id, id, '', withContent);
  }

  /** Answers for all objects of the place the cursor is at. */
  #answerPlace(quick: PackedAnswers, withContent: boolean): void {
    const { cursor } = quick;
    if (cursor.pack === undefined) return this.#answer(cursor.id, cursor.id, '', withContent);
    for (; cursor.position < cursor.until; cursor.position += 1) {
      if (!withContent) quick.addRange(cursor.until);
      if (cursor.position < cursor.until && !(withContent && quick.addContent())) this.#answer(cursor.id, cursor.id, '', withContent);
    }
  }

  #obey(): void {
    let waiting: (() => void)[] = [];
    const flush = (): void => {
      for (const act of waiting) act();
      waiting = [];
      this.#repository.context.stdout.flush();
    };
    for (const line of listRecords(this.#input(), this.#options.terminator === '\0')) {
      if (line === '') throw new InvalidError('empty command in input', { code: 'bad-input' });
      if (/^\s/.test(line)) throw new InvalidError(`whitespace before command: '${line}'`, { code: 'bad-input' });
      const match = /^(contents|info) (.*)$/s.exec(line);
      if (match) {
        const act = (): void => this.#answerLine(match[2]!, match[1] === 'contents');
        if (this.#buffered) waiting.push(act);
        else act();
      } else if (line === 'flush') {
        if (!this.#buffered) throw new InvalidError('flush is only for --buffer mode', { code: 'bad-input' });
        flush();
      } else {
        throw badCommand(line);
      }
    }
    flush();
  }

  #answerLine(line: string, withContent: boolean): void {
    const split = this.#splitsRest ? /^([^ \t]*)[ \t]+(.*)$/s.exec(line) : null;
    const name = split ? split[1]! : line;
    if (this.#options.followLinks && this.#followed(name, split?.[2] ?? '', withContent)) return;
    const id = this.#findId(name);
    if (typeof id !== 'object') this.#answer(name, id, split?.[2] ?? '', withContent);
    else this.#write(`${name} ${id.fault}\n`);
  }

  /** False for names that are not of the form 'rev:path'. */
  #followed(name: string, rest: string, withContent: boolean): boolean {
    const found = /^([^:][^]*?):([^]+)$/.exec(name);
    if (found === null) return false;
    const tree = this.#findId(`${found[1]!}^{tree}`);
    if (typeof tree === 'object') return false;
    const end = followPath(this.#repository, tree, pathFromTop(this.#repository, found[2]!));
    switch (end.kind) {
      case 'found': this.#answer(name, end.id, rest, withContent); break;
      case 'missing': this.#write(`${name} missing\n`); break;
      case 'outside': this.#write(`symlink ${end.path.length}\n${end.path}\n`); break;
      case 'dangling': case 'loop': this.#write(`${end.kind} ${name.length}\n${name}\n`); break;
      case 'not-a-directory': this.#write(`notdir ${name.length}\n${name}\n`); break;
    }
    return true;
  }

  /** True for an object that is shown differently; what is said of it before stays as it is. */
  #showConverted(id: ObjectId, rest: string, begin: (header: ObjectHeader) => void): boolean {
    const { convertBlob, convertHeader } = this.#options;
    const { objects, context: { stdout } } = this.#repository;
    const header = objects.findHeader(id);
    if (header?.type === 'blob' && convertBlob !== undefined) {
      begin(header);
      if (rest === '') throw new InvalidError(`missing path for '${id}'`, { code: 'path-required' });
      stdout.write(convertBlob(rest, objects.read(id).bytes));
    } else {
      if ((header?.type !== 'commit' && header?.type !== 'tag') || convertHeader === undefined) return false;
      begin(header);
      stdout.write(convertHeader(objects.read(id).bytes));
    }
    stdout.write('\n');
    return true;
  }

  #findId(name: string): ObjectId | { readonly fault: 'missing' | 'ambiguous' } {
    if (isObjectId(name, this.#repository.format)) return name;
    try {
      return findRevision(this.#repository, decodeRefName(name)) ?? { fault: 'missing' };
    } catch (error) {
      if (error instanceof CairnError && error.code === 'ambiguous-id') return { fault: 'ambiguous' };
      if (error instanceof NotFoundError || error instanceof InvalidError) return { fault: 'missing' };
      throw error;
    }
  }

  #answer(name: string, id: ObjectId, rest: string, withContent: boolean): void {
    const { objects, context: { stdout } } = this.#repository;
    this.#quick?.flush();
    if (!withContent) {
      const header = objects.findHeader(id);
      if (header === undefined) this.#write(`${name} missing\n`);
      else if (this.#parts === undefined) stdout.write(describe(id, header));
      else this.#write(`${this.#describe({ id, header, rest }, this.#parts)}\n`);
      return;
    }
    const begin = (header: ObjectHeader): void => (
      this.#parts === undefined ? stdout.write(describe(id, header)) : this.#write(`${this.#describe({ id, header, rest }, this.#parts)}\n`)
    );
    if (this.#showConverted(id, rest, begin)) return;
    if (objects.pass(id, begin, (piece) => stdout.write(piece))) stdout.write('\n');
    else this.#write(`${name} missing\n`);
  }

  #write(line: string): void {
    const { stdout } = this.#repository.context;
    this.#quick?.flush();
    // Only what was typed, and what stands in a format, can be other than ASCII.
    stdout.write(/[\x80-\xff]/.test(line) ? Buffer.from(line, 'latin1') : line);
  }

  #describe(subject: Subject, parts: readonly Part[]): string {
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : part(subject);
    return text;
  }

  #parse(format: string): Part[] {
    const fields: Readonly<Record<string, (subject: Subject) => string>> = {
      objectname: ({ id }) => id,
      objecttype: ({ header }) => header.type,
      objectsize: ({ header }) => String(header.sizeBytes),
      'objectsize:disk': ({ id }) => String(storedSize(this.#repository, id)),
      deltabase: ({ id }) => deltaBase(this.#repository, id),
      rest: ({ rest }) => rest,
    };
    const text = Buffer.from(format).toString('latin1');
    const parts: Part[] = [];
    for (let at = 0; at < text.length;) {
      const percent = text.indexOf('%', at);
      if (percent < 0) return [...parts, text.slice(at)];
      parts.push(text.slice(at, percent));
      const match = /^%(?:%|\(([^)]*)\))/.exec(text.slice(percent));
      if (match === null && text[percent + 1] === '(') throw new InvalidError(`format element '${text.slice(percent + 1)}' does not end in ')'`, { code: 'bad-format' });
      const field = match?.[1] === undefined ? undefined : fields[match[1]];
      if (match?.[1] !== undefined && field === undefined) throw new InvalidError(`unknown format element: ${match[1]}`, { code: 'bad-format' });
      parts.push(field ?? '%');
      at = percent + (match?.[0].length ?? 1);
    }
    return parts;
  }
}

/** The line of an object where no format is given. */
function describe(id: ObjectId, header: ObjectHeader): string {
  return `${id} ${header.type} ${header.sizeBytes}\n`;
}

function badCommand(line: string): InvalidError {
  const word = line.split(' ')[0]!;
  if (word === 'flush') return new InvalidError('flush takes no arguments', { code: 'bad-input' });
  if (word === 'contents' || word === 'info') return new InvalidError(`${word} requires arguments`, { code: 'bad-input' });
  return new InvalidError(`unknown command: '${line}'`, { code: 'bad-input' });
}
