// Refs in words: the %(field) language of git-for-each-ref(1), used by for-each-ref, branch and tag, and its fields as sort keys.
//
// A format is compiled once and applied to many refs; an object is read only when a field needs it, at most once per ref. All text is latin1, one
// character per byte. Colour is the caller's: without a `color` function there is none.
import { InvalidError, NotFoundError, UsageError } from '../../pack/errors.js';
import type { Ident } from '../../pack/ident.js';
import { parseIdentLoosely } from '../../pack/ident.js';
import type { ObjectHeader } from '../../pack/object.js';
import type { ObjectId } from '../../pack/oid.js';
import { abbreviateId, fewestDigits } from '../objects/abbreviation.js';
import { countAheadBehind } from '../history/commit-reach.js';
import { type DateMode, formatDate, parseDateMode } from '../date.js';
import { bodyOf, displayWidth, formatTrailers, subjectOf } from '../history/format.js';
import { readGrafts } from '../history/grafts.js';
import { type RefName, encodeRefName } from './ref-name.js';
import { peelTag } from './ref-transaction.js';
import type { Ref } from './refs.js';
import type { Repository } from '../repository.js';
import { signatureStart } from '../signature/signed-object.js';
import { shortenRef } from './short-ref.js';
import { deltaBase, storedSize } from '../objects/stored-object.js';
import { configuredPushRef, configuredUpstream, findPushTarget, findUpstream, pushRemote } from './upstream.js';
import { listWorkTrees } from '../work-trees.js';

/** How values are quoted for a script. */
export type QuoteStyle = 'shell' | 'perl' | 'python' | 'tcl';

export interface RefFormatOptions {
  readonly quote?: QuoteStyle;
  /** Escape sequence for git's colour words; absent: no colour. */
  readonly color?: (words: string) => string;
}

/** A field's value: its text, and for numbers what they sort by. */
interface Value {
  readonly text: string;
  readonly number?: number;
}

type Evaluate = (subject: RefSubject) => Value;

/** What formats know about the repository, kept for all refs of one listing. */
export class RefContext {
  readonly repository: Repository;
  readonly headBranch: RefName | undefined;
  #workTreePaths: ReadonlyMap<string, string> | undefined;

  /** `current`: the name that counts as HEAD's, where that is no branch. */
  constructor(repository: Repository, current = repository.refs.findSymbolic('HEAD')) {
    this.repository = repository;
    this.headBranch = current;
  }

  /** The work tree a branch is checked out in; '' when in none. */
  workTreePath(name: string): string {
    if (this.#workTreePaths === undefined) {
      const paths = new Map<string, string>();
      for (const place of listWorkTrees(this.repository)) if (place.branch !== undefined) paths.set(place.branch, place.path);
      this.#workTreePaths = paths;
    }
    return this.#workTreePaths.get(name) ?? '';
  }
}

/** One ref being shown or sorted. */
export class RefSubject {
  readonly context: RefContext;
  readonly ref: Ref;
  #values: Map<string, Value> | undefined;
  #object: ShownObject | undefined;
  #inner: ShownObject | undefined | 'none';

  constructor(context: RefContext, ref: Ref) {
    this.context = context;
    this.ref = ref;
  }

  get repository(): Repository {
    return this.context.repository;
  }

  /** The object the ref points at. */
  get object(): ShownObject {
    return this.#object ??= new ShownObject(this.repository, this.ref.id, this.ref.name);
  }

  /** What the tag the ref points at points at, one step; undefined when it is no tag. */
  get inner(): ShownObject | undefined {
    if (this.#inner === undefined) {
      const { object } = this;
      this.#inner = object.type === 'tag' ? new ShownObject(this.repository, this.repository.objects.readTag(object.id).object, this.ref.name) : 'none';
    }
    return this.#inner === 'none' ? undefined : this.#inner;
  }

  /** The commit it leads to through tags; undefined when it leads to something else. */
  get commitId(): ObjectId | undefined {
    const id = peelTag(this.repository, this.ref.id) ?? this.ref.id;
    return this.repository.objects.findHeader(id)?.type === 'commit' ? id : undefined;
  }

  /** A field's value for showing. */
  evaluate(atom: Atom): Value {
    return this.#values?.get(atom.text) ?? atom.evaluate(this);
  }

  /** A field's value for sorting, which asks for it many times. */
  evaluateOnce(atom: Atom): Value {
    this.#values ??= new Map();
    let value = this.#values.get(atom.text);
    if (value === undefined) this.#values.set(atom.text, value = atom.evaluate(this));
    return value;
  }
}

/** An object's header fields and message, read when asked for. */
class ShownObject {
  readonly repository: Repository;
  readonly id: ObjectId;
  readonly #refName: string;
  #header: ObjectHeader | undefined;
  #text: { readonly bytes: string; readonly fields: ReadonlyMap<string, readonly string[]>; readonly message: string } | undefined;

  constructor(repository: Repository, id: ObjectId, refName: string) {
    this.repository = repository;
    this.id = id;
    this.#refName = refName;
  }

  get header(): ObjectHeader {
    this.#header ??= this.repository.objects.findHeader(this.id);
    if (this.#header === undefined) throw new NotFoundError(`missing object ${this.id} for ${this.#refName}`, { code: 'object-missing' });
    return this.#header;
  }

  get type(): string {
    return this.header.type;
  }

  get bytes(): string {
    return this.#read().bytes;
  }

  /** Values of a header line ('parent'), in order; empty for objects without header lines. */
  fields(name: string): readonly string[] {
    return this.#read().fields.get(name) ?? [];
  }

  /** The first value of a header line; '' when there is none. */
  field(name: string): string {
    return this.fields(name)[0] ?? '';
  }

  /** Without the blank lines it begins with; '' for blobs and trees. */
  get message(): string {
    return this.#read().message;
  }

  #read(): { bytes: string; fields: ReadonlyMap<string, readonly string[]>; message: string } {
    if (this.#text !== undefined) return this.#text;
    const { type } = this.header;
    const bytes = this.repository.objects.read(this.id).bytes.toString('latin1');
    const fields = new Map<string, string[]>();
    let message = '';
    if (type === 'commit' || type === 'tag') {
      let at = 0;
      while (at < bytes.length && bytes[at] !== '\n') {
        const end = lineEnd(bytes, at);
        const space = bytes.indexOf(' ', at);
        if (space > at && space < end) {
          const name = bytes.slice(at, space);
          const same = fields.get(name);
          if (same === undefined) fields.set(name, [bytes.slice(space + 1, end)]);
          else same.push(bytes.slice(space + 1, end));
        }
        at = end + 1;
      }
      message = bytes.slice(at).replace(/^\n+/, '');
    }
    return this.#text = { bytes, fields, message };
  }
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

/** One %(field), compiled. */
export interface Atom {
  /** As written between the parentheses; latin1. */
  readonly text: string;
  /** The name without '*' and arguments. */
  readonly name: string;
  readonly isNumeric: boolean;
  readonly evaluate: Evaluate;
}

type Piece =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'atom'; readonly atom: Atom }
  | { readonly kind: 'align'; readonly width: number; readonly position: 'left' | 'right' | 'middle' }
  | { readonly kind: 'if'; readonly compare: { readonly equal: boolean; readonly text: string } | undefined }
  | { readonly kind: 'then' | 'else' | 'end' };

/** A compiled format. */
export class RefFormat {
  #isChecked = false;
  readonly #pieces: readonly Piece[];
  readonly #options: RefFormatOptions;
  readonly #usesColor: boolean;

  private constructor(pieces: readonly Piece[], options: RefFormatOptions, usesColor: boolean) {
    this.#pieces = pieces;
    this.#options = options;
    this.#usesColor = usesColor;
  }

  /** InvalidError for unknown fields and arguments. `text` is UTF-8 text as typed. */
  static parse(text: string, repository: Repository, options: RefFormatOptions = {}): RefFormat {
    const latin1 = Buffer.from(text).toString('latin1');
    const pieces: Piece[] = [];
    let literal = '';
    let usesColor = false;
    const flush = (): void => {
      if (literal !== '') pieces.push({ kind: 'literal', text: literal });
      literal = '';
    };
    for (let at = 0; at < latin1.length;) {
      const percent = latin1.indexOf('%', at);
      if (percent < 0) {
        literal += latin1.slice(at);
        break;
      }
      literal += latin1.slice(at, percent);
      at = percent + 1;
      if (latin1[at] === '(') {
        const close = latin1.indexOf(')', at);
        if (close < 0) throw new UsageError(`malformed format string ${latin1.slice(percent)}`);
        flush();
        const field = latin1.slice(at + 1, close);
        // Whoever ends on another colour gets a reset behind the line.
        if (field.startsWith('color:')) usesColor = field !== 'color:reset';
        pieces.push(parsePiece(field, repository, options));
        at = close + 1;
      } else if (latin1[at] === '%') {
        literal += '%';
        at += 1;
      } else if (/^[0-9a-fA-F]{2}/.test(latin1.slice(at, at + 2))) {
        literal += String.fromCharCode(parseInt(latin1.slice(at, at + 2), 16));
        at += 2;
      } else {
        literal += '%';
      }
    }
    flush();
    if (options.quote !== undefined && options.quote !== 'perl' && pieces.some((piece) => piece.kind === 'atom' && piece.atom.name === 'raw' && !piece.atom.isNumeric)) {
      throw new InvalidError(`--format=%(raw) cannot be used with --${options.quote}`, { code: 'bad-format' });
    }
    return new RefFormat(pieces, options, usesColor);
  }

  /** The format applied to one ref: latin1, without a line end. InvalidError for %(if), %(then), ... in the wrong order. */
  format(subject: RefSubject): string {
    // As in git, wrong nesting is no matter while nothing is shown.
    if (!this.#isChecked) checkNesting(this.#pieces);
    this.#isChecked = true;
    const { quote } = this.#options;
    interface Level { readonly opener: Piece | undefined; text: string; condition: string | undefined; chosen: string | undefined }
    const stack: Level[] = [{ opener: undefined, text: '', condition: undefined, chosen: undefined }];
    for (const piece of this.#pieces) {
      const level = stack.at(-1)!;
      switch (piece.kind) {
        case 'literal': level.text += piece.text; break;
        case 'atom': {
          const { text } = subject.evaluate(piece.atom);
          level.text += quote !== undefined && stack.length === 1 ? quoteValue(text, quote) : text;
          break;
        }
        case 'align': case 'if':
          stack.push({ opener: piece, text: '', condition: undefined, chosen: undefined });
          break;
        case 'then':
          level.condition = level.text;
          level.text = '';
          break;
        case 'else':
          level.chosen = level.text;
          level.text = '';
          break;
        case 'end': {
          stack.pop();
          const result = close(level);
          const outer = stack.at(-1)!;
          outer.text += quote !== undefined && stack.length === 1 ? quoteValue(result, quote) : result;
          break;
        }
      }
    }
    const reset = this.#usesColor && this.#options.color !== undefined ? this.#options.color('reset') : '';
    return stack[0]!.text + reset;

    function close(level: Level): string {
      if (level.opener?.kind === 'align') return align(level.text, level.opener.width, level.opener.position);
      const compare = level.opener?.kind === 'if' ? level.opener.compare : undefined;
      const condition = level.condition ?? '';
      const holds = compare === undefined ? condition.trim() !== '' : (condition === compare.text) === compare.equal;
      if (level.chosen === undefined) return holds ? level.text : '';
      return holds ? level.chosen : level.text;
    }
  }
}

function checkNesting(pieces: readonly Piece[]): void {
  const open: { kind: 'align' | 'if'; seen: 'none' | 'then' | 'else' }[] = [];
  const wrong = (message: string): InvalidError => new InvalidError(`format: ${message}`, { code: 'bad-format' });
  for (const piece of pieces) {
    const top = open.at(-1);
    switch (piece.kind) {
      case 'align': case 'if':
        open.push({ kind: piece.kind, seen: 'none' });
        break;
      case 'then':
        if (top?.kind !== 'if') throw wrong('%(then) atom used without an %(if) atom');
        if (top.seen === 'then') throw wrong('%(then) atom used more than once');
        if (top.seen === 'else') throw wrong('%(then) atom used after %(else)');
        top.seen = 'then';
        break;
      case 'else':
        if (top?.kind !== 'if') throw wrong('%(else) atom used without an %(if) atom');
        if (top.seen === 'none') throw wrong('%(else) atom used without a %(then) atom');
        if (top.seen === 'else') throw wrong('%(else) atom used more than once');
        top.seen = 'else';
        break;
      case 'end':
        if (top === undefined) throw wrong('%(end) atom used without corresponding atom');
        if (top.kind === 'if' && top.seen === 'none') throw wrong('%(if) atom used without a %(then) atom');
        open.pop();
        break;
      default:
    }
  }
  if (open.length > 0) throw wrong('%(end) atom missing');
}

function align(text: string, width: number, position: 'left' | 'right' | 'middle'): string {
  const missing = width - displayWidth(text);
  if (missing <= 0) return text;
  const before = position === 'left' ? 0 : position === 'right' ? missing : Math.floor(missing / 2);
  return ' '.repeat(before) + text + ' '.repeat(missing - before);
}

function quoteValue(text: string, style: QuoteStyle): string {
  switch (style) {
    case 'shell': return `'${text.replace(/['!]/g, '\'\\$&\'')}'`;
    case 'perl': return `'${text.replace(/['\\]/g, '\\$&')}'`;
    case 'python': return `'${text.replace(/['\\]/g, '\\$&').replace(/\n/g, '\\n')}'`;
    case 'tcl': {
      const letters: Readonly<Record<string, string>> = { '\f': 'f', '\r': 'r', '\n': 'n', '\t': 't', '\v': 'v' };
      return `"${text.replace(/[[\]{}$\\"\f\r\n\t\v]/g, (character) => `\\${letters[character] ?? character}`)}"`;
    }
  }
}

function parsePiece(field: string, repository: Repository, options: RefFormatOptions): Piece {
  const colon = field.indexOf(':');
  const name = colon < 0 ? field : field.slice(0, colon);
  const argument = colon < 0 ? undefined : field.slice(colon + 1);
  switch (name) {
    case 'align': return parseAlign(argument);
    case 'if': return parseIf(argument);
    case 'then': case 'else': case 'end':
      if (argument !== undefined) throw new InvalidError(`%(${name}) does not take arguments`, { code: 'bad-format' });
      return { kind: name };
    case 'color': {
      if (argument === undefined) throw new InvalidError('expected format: %(color:<color>)', { code: 'bad-format' });
      const sequence = options.color?.(argument) ?? '';
      return { kind: 'atom', atom: { text: field, name, isNumeric: false, evaluate: () => ({ text: sequence }) } };
    }
    default: return { kind: 'atom', atom: parseAtom(field, repository) };
  }
}

function parseAlign(argument: string | undefined): Piece {
  if (argument === undefined) throw new InvalidError('expected format: %(align:<width>,<position>)', { code: 'bad-format' });
  let width: number | undefined;
  let position: 'left' | 'right' | 'middle' = 'left';
  for (const word of argument.split(',')) {
    const value = word.replace(/^(width|position)=/, '');
    const typed = word === value ? undefined : word.startsWith('width') ? 'width' : 'position';
    if (typed !== 'width' && (value === 'left' || value === 'right' || value === 'middle')) position = value;
    else if (typed === 'position') throw new InvalidError(`unrecognized position:${value}`, { code: 'bad-format' });
    else if (/^[0-9]+$/.test(value)) width = Number(value);
    else throw new InvalidError(typed === 'width' ? `unrecognized width:${value}` : `unrecognized %(align) argument: ${word}`, { code: 'bad-format' });
  }
  if (width === undefined || width > 1_000_000) throw new InvalidError('positive width expected with the %(align) atom', { code: 'bad-format' });
  return { kind: 'align', width, position };
}

function parseIf(argument: string | undefined): Piece {
  if (argument === undefined) return { kind: 'if', compare: undefined };
  const match = /^(equals|notequals)=([^]*)$/.exec(argument);
  if (match === null) throw new InvalidError(`unrecognized %(if) argument: ${argument}`, { code: 'bad-format' });
  return { kind: 'if', compare: { equal: match[1] === 'equals', text: match[2]! } };
}

const nothing: Value = { text: '' };
const plain = (text: string): Value => ({ text });

/** Compiles one field; InvalidError when it is unknown or its argument makes no sense. latin1. */
export function parseAtom(field: string, repository: Repository): Atom {
  const inner = field.startsWith('*');
  const body = inner ? field.slice(1) : field;
  const colon = body.indexOf(':');
  const name = colon < 0 ? body : body.slice(0, colon);
  const argument = colon < 0 ? undefined : body.slice(colon + 1);
  if (name === '') throw new InvalidError(`malformed field name: ${field}`, { code: 'bad-format' });
  const evaluate = Object.hasOwn(refFields, name)
    ? deref(refFields[name]!(argument, repository), inner)
    : Object.hasOwn(objectFields, name) ? ofObject(objectFields[name]!(argument, repository, name), inner) : undefined;
  if (evaluate === undefined) throw new InvalidError(`unknown field name: ${field}`, { code: 'bad-format' });
  const isNumeric = name === 'numparent' || name === 'objectsize' || name.endsWith('date') || (name === 'raw' && argument === 'size');
  return { text: field, name, isNumeric, evaluate };
}

function ofObject(read: (object: ShownObject) => Value, inner: boolean): Evaluate {
  return (subject) => {
    const object = inner ? subject.inner : subject.object;
    return object === undefined ? nothing : read(object);
  };
}

/** Git writes '^{}' behind names of refs asked for with '*'. */
function deref(read: Evaluate, inner: boolean): Evaluate {
  return inner ? (subject) => plain(`${read(subject).text}^{}`) : read;
}

function unknownArgument(name: string, argument: string): InvalidError {
  return new InvalidError(`unrecognized %(${name}) argument: ${argument}`, { code: 'bad-format' });
}

function takesNone(name: string, argument: string | undefined): void {
  if (argument !== undefined) throw new InvalidError(`%(${name}) does not take arguments`, { code: 'bad-format' });
}

/** Fields of the ref itself. */
const refFields: Readonly<Record<string, (argument: string | undefined, repository: Repository) => Evaluate>> = {
  refname: (argument) => {
    const shown = nameModifier('refname', argument);
    return (subject) => plain(shown(subject, subject.ref.name));
  },
  symref: (argument) => {
    const shown = nameModifier('symref', argument);
    return (subject) => {
      const { symbolicTarget } = subject.ref;
      return symbolicTarget === undefined ? nothing : plain(shown(subject, subject.repository.refs.resolve(subject.ref.name).name));
    };
  },
  flag: () => ({ repository, ref }) => {
    const raw = repository.refs.readRaw(ref.symbolicTarget === undefined ? ref.name : repository.refs.resolve(ref.name).name);
    return plain([...(ref.symbolicTarget === undefined ? [] : ['symref']), ...(raw?.kind === 'id' && raw.isPacked ? ['packed'] : [])].join(','));
  },
  HEAD: (argument) => {
    takesNone('HEAD', argument);
    return ({ ref, context }) => plain(ref.name === context.headBranch ? '*' : ' ');
  },
  worktreepath: (argument) => {
    takesNone('worktreepath', argument);
    return ({ ref, context }) => plain(Buffer.from(context.workTreePath(ref.name)).toString('latin1'));
  },
  upstream: (argument) => remoteField('upstream', argument),
  push: (argument) => remoteField('push', argument),
};

type ShowName = (subject: RefSubject, name: string) => string;

function nameModifier(field: string, argument: string | undefined): ShowName {
  if (argument === undefined) return (_subject, name) => encodeRefName(name);
  if (argument === 'short') return (subject, name) => encodeRefName(shortenRef(subject.repository, name, isStrict(subject.repository)));
  const match = /^(l?strip|rstrip)=(-?[0-9]+)$/.exec(argument);
  if (match === null) throw unknownArgument(field, argument);
  const count = Number(match[2]);
  const fromStart = match[1] !== 'rstrip';
  return (_subject, name) => {
    const parts = encodeRefName(name).split('/');
    const drop = count >= 0 ? count : Math.max(0, parts.length + count);
    return (drop >= parts.length ? [] : fromStart ? parts.slice(drop) : parts.slice(0, parts.length - drop)).join('/');
  };
}

function isStrict(repository: Repository): boolean {
  return repository.config.getBoolean('core.warnambiguousrefs', true);
}

/** %(upstream) and %(push) with their many arguments. */
function remoteField(field: 'upstream' | 'push', argument: string | undefined): Evaluate {
  let show: 'name' | 'track' | 'trackshort' | 'remotename' | 'remoteref' = 'name';
  let bracket = true;
  let shown = nameModifier(field, undefined);
  for (const word of argument === undefined ? [] : argument.split(',')) {
    if (word === 'nobracket') bracket = false;
    else if (word === 'track' || word === 'trackshort' || word === 'remotename' || word === 'remoteref') show = word;
    else {
      shown = nameModifier(field, word);
      show = 'name';
    }
  }
  const find = field === 'upstream' ? findUpstream : findPushTarget;
  return (subject) => {
    const { repository, ref } = subject;
    if (!ref.name.startsWith('refs/heads/')) return nothing;
    if (show === 'remotename' || show === 'remoteref') return plain(remoteText(repository, field, ref.name, show));
    const target = orNothing(() => find(repository, ref.name));
    if (target === undefined) return nothing;
    return plain(show === 'name' ? shown(subject, target) : trackText(repository, ref, target, show, bracket));
  };
}

function orNothing<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function remoteText(repository: Repository, field: 'upstream' | 'push', branch: string, show: 'remotename' | 'remoteref'): string {
  const upstream = configuredUpstream(repository, branch);
  if (field === 'upstream') return toBytes((show === 'remotename' ? upstream?.remote : upstream?.merge) ?? '');
  return toBytes((show === 'remotename' ? pushRemote(repository, branch) : configuredPushRef(repository, branch)) ?? '');
}

function trackText(repository: Repository, ref: Ref, target: string, show: 'track' | 'trackshort', bracket: boolean): string {
  const other = repository.refs.find(target);
  if (other === undefined) return show === 'track' ? (bracket ? '[gone]' : 'gone') : '';
  const { ahead, behind } = countAheadBehind(repository, ref.id, other.id);
  if (show === 'trackshort') return ahead === 0 ? (behind === 0 ? '=' : '<') : behind === 0 ? '>' : '<>';
  const words = [...(ahead > 0 ? [`ahead ${ahead}`] : []), ...(behind > 0 ? [`behind ${behind}`] : [])].join(', ');
  return words === '' || !bracket ? words : `[${words}]`;
}

function toBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

type ReadObject = (object: ShownObject) => Value;

/** Fields of the object a ref points at, or with '*' of what its tag points at. */
const objectFields: Readonly<Record<string, (argument: string | undefined, repository: Repository, name: string) => ReadObject>> = {
  objecttype: (argument) => {
    takesNone('objecttype', argument);
    return ({ type }) => plain(type);
  },
  objectsize: (argument) => {
    if (argument === undefined) return ({ header }) => ({ text: String(header.sizeBytes), number: header.sizeBytes });
    if (argument !== 'disk') throw unknownArgument('objectsize', argument);
    return ({ repository, id }) => {
      const size = storedSize(repository, id);
      return { text: String(size), number: size };
    };
  },
  deltabase: (argument) => {
    takesNone('deltabase', argument);
    return ({ repository, id }) => plain(deltaBase(repository, id));
  },
  objectname: (argument, repository) => {
    const shown = idModifier('objectname', argument, repository);
    return ({ id }) => plain(shown(id));
  },
  tree: (argument, repository) => idField('tree', argument, repository),
  parent: (argument, repository) => idField('parent', argument, repository),
  numparent: () => (object) => {
    if (object.type !== 'commit') return nothing;
    const count = parentsIn(object).length;
    return { text: String(count), number: count };
  },
  object: () => (object) => plain(object.type === 'tag' ? object.field('object') : ''),
  type: () => (object) => plain(object.type === 'tag' ? object.field('type') : ''),
  tag: () => (object) => plain(object.type === 'tag' ? object.field('tag') : ''),
  raw: (argument) => {
    if (argument === undefined) return ({ bytes }) => plain(bytes);
    if (argument !== 'size') throw unknownArgument('raw', argument);
    return ({ header }) => ({ text: String(header.sizeBytes), number: header.sizeBytes });
  },
  ...personFields('author'), ...personFields('committer'), ...personFields('tagger'), ...personFields('creator'),
  subject: (argument) => subjectField('subject', argument),
  body: (argument) => {
    takesNone('body', argument);
    return ({ message }) => plain(bodyPart(message));
  },
  contents: (argument) => contentsField(argument),
  trailers: (argument) => trailersField(argument),
};

function idModifier(field: string, argument: string | undefined, repository: Repository): (id: ObjectId) => string {
  if (argument === undefined) return (id) => id;
  if (argument === 'short') return (id) => abbreviateId(repository, id);
  const match = /^short=([0-9]+)$/.exec(argument);
  if (match === null) throw argument.startsWith('short=')
    ? new InvalidError(`positive value expected '${argument.slice(6)}' in %(${field})`, { code: 'bad-format' }) : unknownArgument(field, argument);
  if (Number(match[1]) === 0) throw new InvalidError(`positive value expected '0' in %(${field})`, { code: 'bad-format' });
  return (id) => abbreviateId(repository, id, Math.max(Number(match[1]), fewestDigits));
}

function idField(field: 'tree' | 'parent', argument: string | undefined, repository: Repository): ReadObject {
  const shown = idModifier(field, argument, repository);
  return (object) => {
    if (object.type !== 'commit') return nothing;
    return plain((field === 'parent' ? parentsIn(object) : object.fields(field)).map((id) => shown(id as ObjectId)).join(' '));
  };
}

/** The parents that count, where grafts say so others than those stored. */
function parentsIn(object: ShownObject): readonly string[] {
  return readGrafts(object.repository).get(object.id) ?? object.fields('parent');
}

/** author, authorname, authoremail, authordate and their like. */
function personFields(role: 'author' | 'committer' | 'tagger' | 'creator'): Record<string, (argument: string | undefined, repository: Repository) => ReadObject> {
  const line = (object: ShownObject): string => {
    if (role !== 'creator') return object.field(role);
    return object.type === 'commit' ? object.field('committer') : object.type === 'tag' ? object.field('tagger') : '';
  };
  const person = (object: ShownObject): Ident | undefined => {
    const text = line(object);
    return text === '' ? undefined : parseIdentLoosely(text);
  };
  const fields: Record<string, (argument: string | undefined, repository: Repository) => ReadObject> = {
    [role]: () => (object) => plain(line(object)),
    [`${role}date`]: (argument, repository) => {
      const { clock, stdout } = repository.context;
      const mode: DateMode = parseDateMode(argument ?? 'default', stdout.isTerminal);
      return (object) => {
        const ident = person(object);
        return ident === undefined || !/> *[0-9]/.test(line(object)) ? nothing : { text: toBytes(formatDate(ident.seconds, ident.offset, mode, clock)), number: ident.seconds };
      };
    },
  };
  if (role === 'creator') return fields;
  fields[`${role}name`] = (argument) => {
    takesNone(`${role}name`, argument);
    return (object) => plain(line(object).replace(/ *<[^]*$/, ''));
  };
  fields[`${role}email`] = (argument) => {
    if (argument !== undefined && argument !== 'trim' && argument !== 'localpart') throw unknownArgument(`${role}email`, argument);
    return (object) => {
      const bracketed = /<[^>]*>/.exec(line(object))?.[0] ?? '';
      if (argument === undefined) return plain(bracketed);
      const email = bracketed.slice(1, -1);
      const sign = email.indexOf('@');
      return plain(argument === 'localpart' && sign >= 0 ? email.slice(0, sign) : email);
    };
  };
  return fields;
}

function subjectField(field: string, argument: string | undefined): ReadObject {
  if (argument === undefined) return ({ message }) => plain(subjectPart(message));
  if (argument !== 'sanitize') throw unknownArgument(field, argument);
  return ({ message }) => plain(sanitize(subjectPart(message)));
}

/** As a file name: runs of other characters become one '-', runs of dots one dot. */
function sanitize(subject: string): string {
  let result = '';
  let space = false;
  for (const character of subject) {
    if (/[A-Za-z0-9._]/.test(character)) {
      if (space && result !== '') result += '-';
      space = false;
      if (character !== '.' || !result.endsWith('.')) result += character;
    } else {
      space = true;
    }
  }
  return result.replace(/[.-]+$/, '');
}

function subjectPart(message: string): string {
  return subjectOf(message.slice(0, signatureStart(message)));
}

function bodyPart(message: string): string {
  return bodyOf(message);
}

function contentsField(argument: string | undefined): ReadObject {
  if (argument === undefined) return ({ message }) => plain(message);
  const unsigned = (message: string): string => message.slice(0, signatureStart(message));
  switch (argument) {
    case 'body': return ({ message }) => plain(bodyPart(unsigned(message)));
    case 'signature': return ({ message }) => plain(message.slice(signatureStart(message)));
    case 'size': return (object) => isMessage(object) ? { text: String(object.message.length), number: object.message.length } : nothing;
    default:
  }
  if (argument === 'subject' || argument.startsWith('subject:')) return subjectField('contents', argument.slice('subject:'.length) || undefined);
  if (argument === 'trailers' || argument.startsWith('trailers:')) return trailersField(argument.slice('trailers:'.length) || undefined);
  const lines = /^lines=([0-9]+)$/.exec(argument);
  if (lines !== null) {
    const count = Number(lines[1]);
    return ({ message }) => plain(unsigned(message).replace(/\n$/, '').split('\n').slice(0, count).join('\n    '));
  }
  if (argument.startsWith('lines=')) throw new InvalidError(`positive value expected contents:lines=${argument.slice(6)}`, { code: 'bad-format' });
  throw unknownArgument('contents', argument);
}

function isMessage(object: ShownObject): boolean {
  return object.type === 'commit' || object.type === 'tag';
}

function trailersField(argument: string | undefined): ReadObject {
  const show = formatTrailers(argument);
  if (show === undefined) throw new InvalidError(`unknown %(trailers) argument: ${argument ?? ''}`, { code: 'bad-format' });
  return (object) => plain(isMessage(object) ? show(object.message) : '');
}
