// A DSSE envelope: any payload with its type, and signatures over both. Specified by the DSSE protocol, version 1, and, for what a
// signature is, by cairn-attestation(5), "SIGNATURES".
//
// Pure but for nothing: decoding gives an envelope or CorruptError. What is signed is the encoding of type and payload, never the JSON
// around them, so that an envelope may be written in another form and stay signed. A key id is a hint and proves nothing.
import { CorruptError } from '../../pack/errors.js';
import { digest } from '../../pack/oid.js';

export interface EnvelopeSignature {
  /** '' when it is not told. */
  readonly keyId: string;
  readonly bytes: Buffer;
}

export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly EnvelopeSignature[];
}

/** What is signed: 'DSSEv1', then type and payload, each after its length, with spaces in between. */
export function authenticatedBytes({ payloadType, payload }: Pick<Envelope, 'payloadType' | 'payload'>): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `), payload]);
}

/** One line of JSON, with its end. */
export function encodeEnvelope({ payloadType, payload, signatures }: Envelope): Buffer {
  const value = {
    payload: payload.toString('base64'), payloadType,
    signatures: signatures.map(({ keyId, bytes }) => ({ keyid: keyId, sig: bytes.toString('base64') })),
  };
  return Buffer.from(`${JSON.stringify(value)}\n`);
}

/** Members that are not known are let through; both alphabets of base64 are read. */
export function decodeEnvelope(bytes: Buffer): Envelope {
  const value = parseJson(bytes);
  if (!isRecord(value) || typeof value['payloadType'] !== 'string' || !Array.isArray(value['signatures'])) throw damaged('it is no envelope');
  return {
    payloadType: value['payloadType'],
    payload: decodeBase64(value['payload']),
    signatures: value['signatures'].map((signature: unknown) => {
      if (!isRecord(signature)) throw damaged('a signature is no object');
      const keyId = signature['keyid'] ?? '';
      if (typeof keyId !== 'string') throw damaged("'keyid' is no string");
      return { keyId, bytes: decodeBase64(signature['sig']) };
    }),
  };
}

function decodeBase64(value: unknown): Buffer {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) throw damaged('something in it is not base64');
  return Buffer.from(value, 'base64');
}

/** Untrusted JSON in UTF-8; CorruptError for anything else. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) throw damaged('it is no JSON');
    throw error;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function damaged(what: string): CorruptError {
  return new CorruptError(`attestation is damaged: ${what}`, { code: 'bad-attestation' });
}

// ---- SSH signatures

const armourBegin = '-----BEGIN SSH SIGNATURE-----';
const armourEnd = '-----END SSH SIGNATURE-----';

/** The signature ssh-keygen made, without its armour, under the id of the key that is named in it. */
export function fromArmour(armoured: Buffer): EnvelopeSignature {
  const bytes = Buffer.from(armoured.toString('latin1').replace(/-----[A-Z ]+-----/g, ''), 'base64');
  return { keyId: fingerprintOf(bytes), bytes };
}

/** As ssh-keygen reads it. */
export function toArmour({ bytes }: EnvelopeSignature): Buffer {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return Buffer.from([armourBegin, ...lines, armourEnd, ''].join('\n'));
}

/** 'SHA256:…', as ssh-keygen -l prints it, of the public key an SSHSIG begins with; '' when it is none. */
function fingerprintOf(signature: Buffer): string {
  const keyAt = 'SSHSIG'.length + 8;
  if (signature.length < keyAt || signature.toString('latin1', 0, 6) !== 'SSHSIG') return '';
  const key = signature.subarray(keyAt, keyAt + signature.readUInt32BE(keyAt - 4));
  return `SHA256:${digest(key, 'sha256').toString('base64').replace(/=+$/, '')}`;
}
