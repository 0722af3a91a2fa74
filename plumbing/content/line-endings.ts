// Line endings between the work tree and the repository: what gitattributes(5) says of `text` and `eol`, and git-config(1) of
// core.autocrlf and core.eol. Unless somebody asks for it, bytes are never changed.
// Content passes in pieces, so that memory does not grow with the file. What else may happen to it: conversion.ts.
import type { AttributeValue } from './attributes.js';
import type { Config } from '../config.js';

/** What happens to a path's line endings. 'none': nothing, ever. 'text': always; 'auto': when the content looks like text. */
export interface LineEndings {
  readonly kind: 'none' | 'text' | 'auto';
  /** What lines end in, in the work tree. */
  readonly workTree: 'lf' | 'crlf';
}

/** Bytes stay as they are. */
export const unchanged: LineEndings = { kind: 'none', workTree: 'lf' };

/** What the configuration says where attributes say nothing. */
export interface LineEndingDefaults {
  readonly autocrlf: 'true' | 'false' | 'input';
  readonly eol: 'lf' | 'crlf' | undefined;
}

export function readLineEndingDefaults(config: Config): LineEndingDefaults {
  const autocrlf = config.get('core.autocrlf');
  const eol = config.get('core.eol')?.toLowerCase();
  return {
    autocrlf: autocrlf?.toLowerCase() === 'input' ? 'input' : config.getBoolean('core.autocrlf') === true ? 'true' : 'false',
    eol: eol === 'lf' || eol === 'crlf' ? eol : undefined,
  };
}

/** The rule for a path with these attributes. */
export function findLineEndings(found: ReadonlyMap<string, AttributeValue> | undefined, defaults: LineEndingDefaults): LineEndings {
  return decide(found?.get('text') ?? found?.get('crlf'), found?.get('eol'), defaults);
}

function decide(text: AttributeValue | undefined, eol: AttributeValue | undefined, defaults: LineEndingDefaults): LineEndings {
  const configured = defaults.autocrlf === 'true' ? 'crlf' : defaults.autocrlf === 'input' ? 'lf' : defaults.eol ?? 'lf';
  if (text === false) return unchanged;
  const wanted = eol === 'lf' || eol === 'crlf' ? eol : undefined;
  if (text === 'auto') return { kind: 'auto', workTree: wanted ?? configured };
  if (wanted !== undefined) return { kind: 'text', workTree: wanted };
  if (text === 'input') return { kind: 'text', workTree: 'lf' };
  if (text === true) return { kind: 'text', workTree: configured };
  if (defaults.autocrlf === 'true') return { kind: 'auto', workTree: 'crlf' };
  if (defaults.autocrlf === 'input') return { kind: 'auto', workTree: 'lf' };
  return unchanged;
}

/** What a content is made of; counted in pieces. */
export class TextCount {
  nul = 0;
  loneCr = 0;
  loneLf = 0;
  crlf = 0;
  #printable = 0;
  #other = 0;
  #previous = -1;
  sizeBytes = 0;

  update(bytes: Uint8Array): void {
    let previous = this.#previous;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at]!;
      if (previous === 13) {
        if (byte === 10) this.crlf += 1;
        else this.loneCr += 1;
      } else if (byte === 10) this.loneLf += 1;
      previous = byte;
      if (byte === 13 || byte === 10) continue;
      if (byte >= 32 && byte !== 127) this.#printable += 1;
      else if (byte === 8 || byte === 9 || byte === 12 || byte === 27) this.#printable += 1;
      else {
        this.#other += 1;
        if (byte === 0) this.nul += 1;
      }
    }
    this.#previous = previous;
    this.sizeBytes += bytes.length;
  }

  /** Call once, after the last piece. */
  finish(): this {
    if (this.#previous === 13) this.loneCr += 1;
    // A DOS end-of-file mark at the very end is no sign of binary content.
    if (this.#previous === 26) this.#other -= 1;
    this.#previous = -1;
    return this;
  }

  get looksBinary(): boolean {
    return this.loneCr > 0 || this.nul > 0 || Math.floor(this.#printable / 128) < this.#other;
  }
}

/** What `content` is made of. */
export function countText(content: Iterable<Uint8Array>): TextCount {
  const count = new TextCount();
  for (const piece of content) count.update(piece);
  return count.finish();
}

/** True when content with these counts loses its CRs on the way into the repository. `storedHasCrlf` is asked only when it matters. */
export function convertsToRepository(rule: LineEndings, count: TextCount, storedHasCrlf: () => boolean): boolean {
  if (rule.kind === 'none' || count.crlf === 0) return false;
  return rule.kind === 'text' || (!count.looksBinary && !storedHasCrlf());
}

/** True when content with these counts gets CRs on the way into the work tree. */
export function convertsToWorkTree(rule: LineEndings, count: TextCount): boolean {
  if (rule.kind === 'none' || rule.workTree !== 'crlf' || count.loneLf === 0) return false;
  return rule.kind === 'text' || (count.loneCr === 0 && count.crlf === 0 && !count.looksBinary);
}

/** Each CRLF becomes LF; other CRs stay. */
export function* toLf(content: Iterable<Uint8Array>): Iterable<Buffer> {
  let pendingCr = false;
  for (const piece of content) {
    const output = Buffer.allocUnsafe(piece.length + 1);
    let to = 0;
    for (const byte of piece) {
      if (pendingCr && byte !== 10) output[to++] = 13;
      pendingCr = byte === 13;
      if (!pendingCr) output[to++] = byte;
    }
    yield output.subarray(0, to);
  }
  if (pendingCr) yield Buffer.from([13]);
}

/** Each LF without a CR before it gets one. */
export function* toCrlf(content: Iterable<Uint8Array>): Iterable<Buffer> {
  let previous = -1;
  for (const piece of content) {
    const output = Buffer.allocUnsafe(piece.length * 2);
    let to = 0;
    for (const byte of piece) {
      if (byte === 10 && previous !== 13) output[to++] = 13;
      output[to++] = byte;
      previous = byte;
    }
    yield output.subarray(0, to);
  }
}

/** The line endings of a content in one word: '-text', 'none', 'lf', 'crlf' or 'mixed' (ls-files --eol). */
export function describeText(content: Iterable<Uint8Array>): string {
  const count = countText(content);
  if (count.looksBinary) return '-text';
  if (count.crlf > 0) return count.loneLf > 0 ? 'mixed' : 'crlf';
  return count.loneLf > 0 ? 'lf' : 'none';
}

/** What a path's attributes say of its line endings, in the words of ls-files --eol; '' when nothing. */
export function describeLineEndings(attributes: ReadonlyMap<string, AttributeValue>): string {
  const text = attributes.get('text') ?? attributes.get('crlf');
  const eol = attributes.get('eol');
  if (text === false) return '-text';
  const suffix = eol === 'lf' || eol === 'crlf' ? ` eol=${eol}` : '';
  if (text === 'auto') return `text=auto${suffix}`;
  if (suffix !== '') return `text${suffix}`;
  return text === true ? 'text' : text === 'input' ? 'text eol=lf' : '';
}
