// Where the signature of a commit or of a tag stands, and the bytes it is about: a commit carries it in the header 'gpgsig'
// (SHA-256: 'gpgsig-sha256'), a tag at the end of its message. Specified by gitformat-signature(5).
//
// What is signed is the object's bytes without the signature; of a commit, without those of other formats as well.
import { type Commit, encodeCommit } from '../../pack/commit.js';
import type { ObjectFormat } from '../../pack/oid.js';

/** An object taken apart. */
export interface SignedObject {
  readonly payload: Buffer;
  /** ASCII armoured. */
  readonly signature: Buffer;
}

const signatureBegin = /^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SIGNED MESSAGE|SSH SIGNATURE)-----/gm;

/** Where the signature at the end of a text (latin1) begins; the text's length when it has none. */
export function signatureStart(text: string): number {
  let start = text.length;
  for (const found of text.matchAll(signatureBegin)) start = found.index;
  return start;
}

/** The header a commit of this format keeps its signature in. */
export function signatureHeader(format: ObjectFormat): 'gpgsig' | 'gpgsig-sha256' {
  return format === 'sha1' ? 'gpgsig' : 'gpgsig-sha256';
}

/** True for a header that holds a signature, of whichever format. */
export function isSignatureHeader(key: string): boolean {
  return key === 'gpgsig' || key === 'gpgsig-sha256';
}

/** Takes a commit's bytes apart; undefined when it is not signed. */
export function splitCommit(bytes: Buffer, format: ObjectFormat): SignedObject | undefined {
  const wanted = signatureHeader(format);
  const payload: Buffer[] = [];
  const signature: Buffer[] = [];
  let inside: 'own' | 'other' | undefined;
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0x0a) {
    const newline = bytes.indexOf(0x0a, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (bytes[at] !== 0x20) {
      const key = bytes.toString('latin1', at, end).replace(/[ \n][^]*/, '');
      inside = key === wanted ? 'own' : isSignatureHeader(key) ? 'other' : undefined;
      if (inside === 'own') signature.push(bytes.subarray(at + key.length + 1, end));
    } else if (inside === 'own') {
      signature.push(bytes.subarray(at + 1, end));
    }
    if (inside === undefined) payload.push(bytes.subarray(at, end));
    at = end;
  }
  if (signature.length === 0) return undefined;
  payload.push(bytes.subarray(at));
  return { payload: Buffer.concat(payload), signature: Buffer.concat(signature) };
}

/** Takes a tag's bytes apart; undefined when it is not signed. */
export function splitTag(bytes: Buffer): SignedObject | undefined {
  const start = signatureStart(bytes.toString('latin1'));
  return start === bytes.length ? undefined : { payload: bytes.subarray(0, start), signature: bytes.subarray(start) };
}

/** The commit with a signature made by `sign`, which is given its bytes. */
export function signedCommit(commit: Commit, format: ObjectFormat, sign: (payload: Buffer) => Buffer): Commit {
  const value = sign(encodeCommit(commit)).toString('latin1').replace(/\n$/, '');
  return { ...commit, extraHeaders: [...commit.extraHeaders, { key: signatureHeader(format), value }] };
}
