// What happens to content between the work tree and the repository, as gitattributes(5) says: filter drivers, working-tree-encoding, line
// endings and ident, in this order on the way in and the other way round on the way out. Unless somebody asks for it, bytes are never changed.
//
// Line endings alone are converted in pieces (see line-endings.ts); for everything else the content is held as a whole.
import { InvalidError, RefusedError } from '../../pack/errors.js';
import { type ObjectFormat, hashObject } from '../../pack/oid.js';
import { type AttributeValue, Attributes } from './attributes.js';
import type { Config } from '../config.js';
import { type FilterDriver, applyFilter, findFilterDriver } from './filter-driver.js';
import {
  type LineEndingDefaults, type LineEndings, convertsToWorkTree, countText, findLineEndings, readLineEndingDefaults, toCrlf, unchanged,
} from './line-endings.js';
import type { Repository } from '../repository.js';
import { decodeText, encodeText, findMarkFault, isUtf8Name } from './text-encoding.js';

export interface Conversion {
  readonly lineEndings: LineEndings;
  /** `$Id$` becomes the blob's id in the work tree. */
  readonly ident: boolean;
  /** How the text is encoded in the work tree; undefined for UTF-8 or whatever it is. */
  readonly encoding: string | undefined;
  readonly driver: FilterDriver | undefined;
}

/** Bytes stay as they are. */
export const noConversion: Conversion = { lineEndings: unchanged, ident: false, encoding: undefined, driver: undefined };

/** True when bytes stay as they are, whatever they are. */
export function isNoConversion(conversion: Conversion): boolean {
  return conversion.lineEndings.kind === 'none' && !needsWhole(conversion);
}

/** True when the content must be at hand as a whole. */
export function needsWhole({ ident, encoding, driver }: Conversion): boolean {
  return ident || encoding !== undefined || driver !== undefined;
}

/** What the attributes of `path` ask for. */
export function findConversion(path: string, attributes: Attributes, config: Config, defaults: LineEndingDefaults): Conversion {
  const directory = path.slice(0, path.lastIndexOf('/') + 1);
  if (attributes.isEmptyIn(directory)) return { ...noConversion, lineEndings: findLineEndings(undefined, defaults) };
  const found = attributes.find(path);
  const filter = found.get('filter');
  return {
    lineEndings: findLineEndings(found, defaults),
    ident: found.get('ident') === true,
    encoding: encodingOf(found.get('working-tree-encoding')),
    driver: typeof filter === 'string' ? findFilterDriver(config, filter) : undefined,
  };
}

function encodingOf(value: AttributeValue | undefined): string | undefined {
  if (value === true || value === false) throw new InvalidError('true/false are no valid working-tree-encodings', { code: 'bad-encoding' });
  return value === undefined || value === '' || isUtf8Name(value) ? undefined : value;
}

export interface InwardOptions {
  /** The content is to be stored: text that cannot be encoded is an error, else it passes with a complaint. */
  readonly strict: boolean;
  /** Converts line endings. */
  readonly toLf: (bytes: Buffer) => Buffer;
}

/** Content of the work tree as it is stored. */
export function convertInward(repository: Repository, conversion: Conversion, path: string, content: Buffer, options: InwardOptions): Buffer {
  const { driver, encoding, ident } = conversion;
  let bytes = content;
  if (driver !== undefined) bytes = applyFilter(repository, driver, 'clean', path, bytes);
  if (encoding !== undefined && bytes.length > 0) bytes = decodeStored(repository, path, bytes, encoding, options.strict);
  bytes = options.toLf(bytes);
  return ident ? foldIdent(bytes) : bytes;
}

/** Stored content as it is in the work tree. */
export function convertOutward(repository: Repository, conversion: Conversion, path: string, content: Buffer, toCrlf: (bytes: Buffer) => Buffer): Buffer {
  const { driver, encoding, ident } = conversion;
  let bytes = ident ? expandIdent(content, repository.format) : content;
  bytes = toCrlf(bytes);
  if (encoding !== undefined && bytes.length > 0) {
    const text = decodeText(bytes, 'utf-8');
    const encoded = text === undefined ? undefined : encodeText(text, encoding);
    if (encoded === undefined) complain(repository, `failed to encode '${shown(path)}' from UTF-8 to ${encoding}`);
    bytes = encoded ?? bytes;
  }
  return driver === undefined ? bytes : applyFilter(repository, driver, 'smudge', path, bytes);
}

/** Stored content as it would be at `path` of a work tree, where there is none: attributes are those of the repository itself unless others are given. */
export function contentForPath(repository: Repository, path: string, content: Buffer, attributes = Attributes.load(repository)): Buffer {
  const conversion = findConversion(path, attributes, repository.config, readLineEndingDefaults(repository.config));
  return convertOutward(repository, conversion, path, content, (bytes) =>
    convertsToWorkTree(conversion.lineEndings, countText([bytes])) ? Buffer.concat([...toCrlf([bytes])]) : bytes);
}

function decodeStored(repository: Repository, path: string, bytes: Buffer, encoding: string, strict: boolean): Buffer {
  const refuse = (message: string): Buffer => {
    if (strict) throw new RefusedError(message, { code: 'bad-encoding', hint: 'look at the attribute working-tree-encoding of the path' });
    complain(repository, message);
    return bytes;
  };
  const fault = findMarkFault(bytes, encoding);
  if (fault !== undefined) return refuse(`BOM is ${fault} in '${shown(path)}' if encoded as ${encoding}`);
  const text = decodeText(bytes, encoding);
  if (text === undefined) return refuse(`failed to encode '${shown(path)}' from ${encoding} to UTF-8`);
  if (strict && isCheckedBothWays(repository.config, encoding) && encodeText(text, encoding)?.equals(bytes) !== true) {
    return refuse(`encoding '${shown(path)}' from ${encoding} to UTF-8 and back is not the same`);
  }
  return Buffer.from(text, 'utf8');
}

/** core.checkRoundtripEncoding: encodings whose text is encoded back before it is believed. */
function isCheckedBothWays(config: Config, encoding: string): boolean {
  const names = (config.get('core.checkroundtripencoding') ?? 'SHIFT-JIS').toLowerCase().split(/[ ,]+/);
  return names.includes(encoding.toLowerCase());
}

function complain(repository: Repository, message: string): void {
  repository.context.stderr.write(`error: ${message}\n`);
}

function shown(path: string): string {
  return Buffer.from(path, 'latin1').toString();
}

/** `$Id: anything$` on one line becomes `$Id$`. */
function foldIdent(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  return text.includes('$Id:') ? Buffer.from(text.replace(/\$Id:[^$\n]*\$/g, '$Id$'), 'latin1') : bytes;
}

/** `$Id$` becomes `$Id: <id of the blob> $`; what another system put there, which has blanks inside, stays. */
function expandIdent(bytes: Buffer, format: ObjectFormat): Buffer {
  const text = bytes.toString('latin1');
  if (!/\$Id[:$]/.test(text)) return bytes;
  const expanded = `$Id: ${hashObject('blob', bytes, format)} $`;
  return Buffer.from(text.replace(/\$Id(?:\$|:([^$\n]*)\$)/g, (whole, inner: string | undefined) => {
    const isForeign = inner !== undefined && /^.[^ ]* ./s.test(inner);
    return isForeign ? whole : expanded;
  }), 'latin1');
}
