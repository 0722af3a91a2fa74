// Strict checks of one object's content, with the message ids and severities of git-fsck(1) ("fsck.<msg-id>"). Pure: what is
// wrong with these bytes, whatever the repository holds. Reading an object is more tolerant than this (see pack/).
import { CorruptError, InvalidError } from '../../pack/errors.js';
import { type ObjectFormat, type ObjectId, type ObjectType, hexSize, isZeroId, rawSize } from '../../pack/oid.js';
import { isObjectType } from '../../pack/object.js';
import { TreeScanner, compareTreeNames, isTreeMode } from '../../pack/tree.js';
import { isRefName } from '../refs/ref-name.js';

/** 'fatal' ends the checks of this object; 'info' is shown as a warning; 'ignore' is silent unless configured otherwise. */
export type Severity = 'fatal' | 'error' | 'warn' | 'info' | 'ignore';

/** Every message an object's content can cause, and how bad it is by default. */
export const severities = {
  nulInHeader: 'fatal', unterminatedHeader: 'fatal',
  badDate: 'error', badDateOverflow: 'error', badEmail: 'error', badName: 'error', badObjectSha1: 'error', badParentSha1: 'error',
  badTimezone: 'error', badTree: 'error', badTreeSha1: 'error', badType: 'error', duplicateEntries: 'error',
  missingAuthor: 'error', missingCommitter: 'error', missingEmail: 'error', missingNameBeforeEmail: 'error', missingObject: 'error',
  missingSpaceBeforeDate: 'error', missingSpaceBeforeEmail: 'error', missingTag: 'error', missingTagEntry: 'error', missingTree: 'error',
  missingType: 'error', missingTypeEntry: 'error', multipleAuthors: 'error', treeNotSorted: 'error', unknownType: 'error',
  zeroPaddedDate: 'error', gitmodulesSymlink: 'error', gitmodulesBlob: 'error', gitmodulesMissing: 'error', gitmodulesName: 'error',
  gitmodulesUrl: 'error', gitmodulesPath: 'error', gitmodulesUpdate: 'error', gitmodulesLarge: 'error',
  fullPathname: 'warn', hasDot: 'warn', hasDotdot: 'warn', hasDotgit: 'warn', nullSha1: 'warn', zeroPaddedFilemode: 'warn',
  nulInCommit: 'warn', emptyName: 'warn',
  badFilemode: 'info', badTagName: 'info', missingTaggerEntry: 'info', gitignoreSymlink: 'info', gitattributesSymlink: 'info',
  mailmapSymlink: 'info', gitmodulesParse: 'info',
  extraHeaderEntry: 'ignore',
} as const satisfies Readonly<Record<string, Severity>>;

export type MessageId = keyof typeof severities;

/** Every message there is. */
export const messageIds = Object.keys(severities) as MessageId[];

/** Refuses fsck.<id> for an id no message has. */
export function checkSeverityNames(entries: readonly { readonly name: string }[]): void {
  const known = new Set(messageIds.map((id) => id.toLowerCase()));
  for (const { name } of entries) {
    const id = /^fsck\.([^.]+)$/.exec(name)?.[1];
    if (id !== undefined && id !== 'skiplist' && !known.has(id)) throw new InvalidError(`unhandled message id: ${id}`, { code: 'bad-message-id' });
  }
}

/** One thing wrong with an object. */
export interface Finding {
  readonly id: MessageId;
  readonly text: string;
}

export interface CheckOptions {
  readonly format: ObjectFormat;
  /** Old group-writable file modes count as bad. */
  readonly strict?: boolean;
}

/** What is wrong with an object's content, in the order found; empty when it is as git would write it. */
export function checkObject(type: ObjectType, bytes: Buffer, options: CheckOptions): Finding[] {
  switch (type) {
    case 'blob': return [];
    case 'tree': return checkTree(bytes, options);
    case 'commit': return checkCommit(bytes, options.format);
    case 'tag': return checkTag(bytes, options.format);
  }
}

/** Goes through the lines of a header; the findings of one object are gathered here. */
class HeaderLines {
  readonly findings: Finding[] = [];
  readonly #bytes: Buffer;
  readonly #format: ObjectFormat;
  #at = 0;

  constructor(bytes: Buffer, format: ObjectFormat) {
    this.#bytes = bytes;
    this.#format = format;
  }

  report(id: MessageId, text: string): void {
    this.findings.push({ id, text });
  }

  /** False when the header holds a NUL or does not end in a line end. */
  isWellFormed(): boolean {
    const end = this.#bytes.indexOf('\n\n');
    const nul = this.#bytes.indexOf(0);
    if (nul >= 0 && (end < 0 || nul < end)) {
      this.report('nulInHeader', `unterminated header: NUL at offset ${nul}`);
      return false;
    }
    if (end >= 0 || this.#bytes.at(-1) === 0x0a) return true;
    this.report('unterminatedHeader', 'unterminated header');
    return false;
  }

  /** The rest of this line when it begins with `key` and a space, which is then passed. */
  take(key: string): string | undefined {
    if (!this.#bytes.subarray(this.#at, this.#at + key.length + 1).equals(Buffer.from(`${key} `))) return undefined;
    const from = this.#at + key.length + 1;
    const newline = this.#bytes.indexOf(0x0a, from);
    this.#at = newline < 0 ? this.#bytes.length : newline + 1;
    return this.#bytes.toString('latin1', from, newline < 0 ? this.#bytes.length : newline);
  }

  /** True when the header's empty line, or the end, comes next. */
  get ended(): boolean {
    return this.#at >= this.#bytes.length || this.#bytes[this.#at] === 0x0a;
  }

  isId(text: string): boolean {
    return text.length === hexSize(this.#format) && /^[0-9a-fA-F]+$/.test(text);
  }

  checkIdent(ident: string): void {
    const fault = findIdentFault(ident);
    if (fault) this.report(fault[0], `invalid author/committer line - ${fault[1]}`);
  }
}

const latestSeconds = 2n ** 64n - 1n;

/** The first thing wrong with "Name <mail> seconds offset". */
function findIdentFault(line: string): readonly [MessageId, string] | undefined {
  if (line.startsWith('<')) return ['missingNameBeforeEmail', 'missing space before email'];
  const open = line.search(/[<>]/);
  if (open >= 0 && line[open] === '>') return ['badName', 'bad name'];
  if (open < 0) return ['missingEmail', 'missing email'];
  if (line[open - 1] !== ' ') return ['missingSpaceBeforeEmail', 'missing space before email'];
  const mailLength = line.slice(open + 1).search(/[<>]/);
  if (mailLength < 0 || line[open + 1 + mailLength] !== '>') return ['badEmail', 'bad email'];
  const date = line.slice(open + mailLength + 2);
  if (!date.startsWith(' ')) return ['missingSpaceBeforeDate', 'missing space before date'];
  const digits = /^\s*[0-9]*/.exec(date.slice(1))![0];
  if (digits.startsWith('0') && date[2] !== ' ') return ['zeroPaddedDate', 'zero-padded date'];
  if (digits !== '' && BigInt(digits.trim() || '0') > latestSeconds / 2n) return ['badDateOverflow', 'date causes integer overflow'];
  const zone = date.slice(1 + digits.length);
  if (digits.trim() === '' || !zone.startsWith(' ')) return ['badDate', 'bad date'];
  return /^ [+-][0-9]{4}$/.test(zone) ? undefined : ['badTimezone', 'bad time zone'];
}

function checkCommit(bytes: Buffer, format: ObjectFormat): Finding[] {
  const lines = new HeaderLines(bytes, format);
  if (!lines.isWellFormed()) return lines.findings;
  const tree = lines.take('tree');
  if (tree === undefined) {
    lines.report('missingTree', "invalid format - expected 'tree' line");
    return lines.findings;
  }
  if (!lines.isId(tree)) {
    lines.report('badTreeSha1', "invalid 'tree' line format - bad sha1");
    return lines.findings;
  }
  for (let parent = lines.take('parent'); parent !== undefined; parent = lines.take('parent')) {
    if (lines.isId(parent)) continue;
    lines.report('badParentSha1', "invalid 'parent' line format - bad sha1");
    return lines.findings;
  }
  let authors = 0;
  for (let author = lines.take('author'); author !== undefined; author = lines.take('author')) {
    authors += 1;
    lines.checkIdent(author);
  }
  if (authors === 0) lines.report('missingAuthor', "invalid format - expected 'author' line");
  if (authors > 1) lines.report('multipleAuthors', "invalid format - multiple 'author' lines");
  if (authors === 0) return lines.findings;
  const committer = lines.take('committer');
  if (committer === undefined) {
    lines.report('missingCommitter', "invalid format - expected 'committer' line");
    return lines.findings;
  }
  lines.checkIdent(committer);
  if (bytes.includes(0)) lines.report('nulInCommit', 'NUL byte in the commit object body');
  return lines.findings;
}

function checkTag(bytes: Buffer, format: ObjectFormat): Finding[] {
  const lines = new HeaderLines(bytes, format);
  const stop = (id: MessageId, text: string): Finding[] => {
    lines.report(id, text);
    return lines.findings;
  };
  if (!lines.isWellFormed()) return lines.findings;
  const object = lines.take('object');
  if (object === undefined) return stop('missingObject', "invalid format - expected 'object' line");
  if (!lines.isId(object)) return stop('badObjectSha1', "invalid 'object' line format - bad sha1");
  const type = lines.take('type');
  if (type === undefined) return stop('missingTypeEntry', "invalid format - expected 'type' line");
  if (!isObjectType(type)) return stop('badType', "invalid 'type' value");
  const name = lines.take('tag');
  if (name === undefined) return stop('missingTagEntry', "invalid format - expected 'tag' line");
  if (!isRefName(`refs/tags/${name}`)) lines.report('badTagName', `invalid 'tag' name: ${name}`);
  const tagger = lines.take('tagger');
  if (tagger === undefined) lines.report('missingTaggerEntry', "invalid format - expected 'tagger' line");
  else lines.checkIdent(tagger);
  if (!lines.ended) lines.report('extraHeaderEntry', "invalid format - extra header(s) after 'tagger'");
  return lines.findings;
}

/** An entry exactly as stored. */
export interface RawTreeEntry {
  readonly mode: number;
  /** Octal digits as stored. */
  readonly modeText: string;
  readonly name: string;
  readonly id: ObjectId;
}

/** The entries of a tree with nothing made canonical; CorruptError where it cannot be parsed. */
export function* listRawEntries(bytes: Buffer, format: ObjectFormat): Generator<RawTreeEntry> {
  const idSize = rawSize(format);
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const nul = space < 0 ? -1 : bytes.indexOf(0, space);
    const modeText = space < 0 ? '' : bytes.toString('latin1', at, Math.min(space, at + 12));
    if (nul < 0 || nul + 1 + idSize > bytes.length || nul === space + 1 || !/^[0-7]{1,11}$/.test(modeText)) {
      throw new CorruptError('tree cannot be parsed', { code: 'bad-tree' });
    }
    yield {
      mode: parseInt(modeText, 8), modeText,
      name: bytes.toString('latin1', space + 1, nul),
      id: bytes.toString('hex', nul + 1, nul + 1 + idSize) as ObjectId,
    };
    at = nul + 1 + idSize;
  }
}

const goodModes: ReadonlySet<number> = new Set([0o100644, 0o100755, 0o120000, 0o040000, 0o160000]);
const symlinkMode = 0o120000;

/** What each fault of an entry is called, in the order git reports them. */
const treeMessages: readonly (readonly [MessageId, string])[] = [
  ['nullSha1', 'contains entries pointing to null sha1'], ['fullPathname', 'contains full pathnames'],
  ['emptyName', 'contains empty pathname'], ['hasDot', "contains '.'"], ['hasDotdot', "contains '..'"], ['hasDotgit', "contains '.git'"],
  ['zeroPaddedFilemode', 'contains zero-padded file modes'], ['badFilemode', 'contains bad file modes'],
  ['duplicateEntries', 'contains duplicate file entries'], ['treeNotSorted', 'not properly sorted'],
];

/** As nearly all trees are; told without making anything of their entries. False where a closer look is needed. */
function isPlainTree(bytes: Buffer, format: ObjectFormat): boolean {
  const entry = new TreeScanner(format);
  let formerStart = 0;
  let formerEnd = 0;
  let formerEnding = 0;
  for (let at = 0; at < bytes.length;) {
    const start = at;
    at = entry.scan(bytes, at, bytes.length);
    const { mode, nameStart, nameEnd, idAt } = entry;
    if (bytes[start] === 0x30 || !goodModes.has(mode) || (bytes[idAt] === 0 && bytes[idAt + 1] === 0)) return false;
    if (mayBeSpecialName(bytes, nameStart, nameEnd)) {
      const name = bytes.toString('latin1', nameStart, nameEnd);
      if (name === '.' || name === '..' || name.includes('/') || mode === symlinkMode || isDotGit(name)) return false;
    }
    // In order means less than the one before, with '/' behind a tree's name.
    const ending = isTreeMode(mode) ? 0x2f : 0;
    let same = 0;
    while (formerStart + same < formerEnd && nameStart + same < nameEnd && bytes[formerStart + same] === bytes[nameStart + same]) same += 1;
    const before = formerStart + same < formerEnd ? bytes[formerStart + same]! : formerEnding;
    const here = nameStart + same < nameEnd ? bytes[nameStart + same]! : ending;
    if (formerEnd > 0 && before >= here) return false;
    // A file of the same name may be further up: all between begin with that name.
    if (formerEnd > 0 && ending !== 0 && nameStart + same === nameEnd) return false;
    formerStart = nameStart;
    formerEnd = nameEnd;
    formerEnding = ending;
  }
  return true;
}

function checkTree(bytes: Buffer, { format, strict }: CheckOptions): Finding[] {
  try {
    if (isPlainTree(bytes, format)) return [];
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    return [{ id: 'badTree', text: 'cannot be parsed as a tree' }];
  }
  return checkEntries(bytes, format, strict);
}

/** Of a tree that can be parsed. */
function checkEntries(bytes: Buffer, format: ObjectFormat, strict: boolean | undefined): Finding[] {
  const faults = new Set<MessageId>();
  const links: Finding[] = [];
  const names = new Set<string>();
  let former: { name: string; isTree: boolean } | undefined;
  for (const { mode, modeText, name, id } of listRawEntries(bytes, format)) {
    const isTree = isTreeMode(mode);
    if (isZeroId(id)) faults.add('nullSha1');
    if (name.includes('/')) faults.add('fullPathname');
    if (name === '.') faults.add('hasDot');
    if (name === '..') faults.add('hasDotdot');
    if (isDotGit(name)) faults.add('hasDotgit');
    if (modeText.startsWith('0')) faults.add('zeroPaddedFilemode');
    if (!goodModes.has(mode) && (strict || mode !== 0o100664)) faults.add('badFilemode');
    if (mode === symlinkMode) links.push(...findSpecialLink(name));
    if (names.has(name)) faults.add('duplicateEntries');
    else if (former && compareTreeNames(former.name, former.isTree, name, isTree) > 0) faults.add('treeNotSorted');
    names.add(name);
    former = { name, isTree };
  }
  return [...links, ...treeMessages.filter(([id]) => faults.has(id)).map(([id, text]) => ({ id, text }))];
}

/** What any such name begins with or contains; nearly all names do not. */
const mayBeSpecial = /^[.gGmM\xe2\xef]|\\/;

/** False for names that no file system takes for another: those neither begin with a dot, or what HFS+ may ignore before it, nor have '/', '\\' or '~' in them. */
export function mayBeSpecialName(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start];
  if (first === 0x2e || first === 0xe2 || first === 0xef) return true;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at];
    if (byte === 0x2f || byte === 0x5c || byte === 0x7e) return true;
  }
  return false;
}

/** Names a file system may take for '.git': HFS+ ignores some code points, NTFS has short names and trailing dots. */
function isDotGit(name: string): boolean {
  return mayBeSpecial.test(name)
    && (isHfsName(name, '.git') || name.split('\\').some((part) => /^(?:\.git|git~1)[ .]*(?::|$)/i.test(part)));
}

const hfsIgnored = /\xe2\x80[\x8c-\x8f\xaa-\xae]|\xe2\x81[\xaa-\xaf]|\xef\xbb\xbf/g;

function isHfsName(name: string, wanted: string): boolean {
  return name.replace(hfsIgnored, '').toLowerCase() === wanted;
}

/** `shortNames` are the two stems NTFS may shorten the name to. */
function isSpecialName(name: string, wanted: string, shortNames: string): boolean {
  if (!mayBeSpecial.test(name)) return false;
  if (isHfsName(name, wanted)) return true;
  const stem = name.replace(/[ .]*(?::.*)?$/, '').toLowerCase();
  return stem === wanted || new RegExp(`^(?:${shortNames})~[1-9]$`).test(stem);
}

/** True for what some file system takes for '.gitmodules'. */
export function isGitmodulesName(name: string): boolean {
  return isSpecialName(name, '.gitmodules', 'gitmod|gi7eba');
}

/** Files git reads from a work tree must not be links out of it. */
function findSpecialLink(name: string): Finding[] {
  if (isGitmodulesName(name)) return [{ id: 'gitmodulesSymlink', text: '.gitmodules is a symbolic link' }];
  if (isSpecialName(name, '.gitattributes', 'gitatt|gi7d29')) return [{ id: 'gitattributesSymlink', text: '.gitattributes is a symlink' }];
  if (isSpecialName(name, '.gitignore', 'gitign|gi250a')) return [{ id: 'gitignoreSymlink', text: '.gitignore is a symlink' }];
  if (isSpecialName(name, '.mailmap', 'mailma|maba30')) return [{ id: 'mailmapSymlink', text: '.mailmap is a symlink' }];
  return [];
}

/** Where `fsck.<msg-id>` and `fsck.skipList` are read. */
interface CheckConfig {
  get(name: string): string | undefined;
}

/** How bad each message is under this configuration; InvalidError for a severity nobody knows. */
export function readSeverities(config: CheckConfig, options: {
  /** Warnings are errors, except those the configuration asks for. */
  readonly strict?: boolean;
  /** In place of the usual severities. */
  readonly defaults?: ReadonlyMap<MessageId, Severity>;
} = {}): (id: MessageId) => Severity {
  return (id) => {
    const usual: Severity = options.defaults?.get(id) ?? severities[id];
    const configured = config.get(`fsck.${id}`)?.toLowerCase();
    if (configured === undefined) return usual === 'warn' && options.strict ? 'error' : usual;
    if (configured !== 'error' && configured !== 'warn' && configured !== 'ignore') {
      throw new InvalidError(`'${configured}' is not a severity for fsck.${id}`, { code: 'bad-severity', hint: 'use error, warn or ignore' });
    }
    if (usual === 'fatal' && configured !== 'error') throw new InvalidError(`cannot demote ${id} to ${configured}`, { code: 'bad-severity' });
    return configured;
  };
}
