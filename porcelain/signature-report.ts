// What was found out about a signature, in a few words and as JSON. Pure.
import type { SignatureReport } from '../plumbing/signature/signature-check.js';

const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString();

/** A report as JSON; null for what is not signed. */
export function signatureToJson({ verdict, isGood, signer, key, fingerprint, trust }: SignatureReport): Record<string, unknown> | null {
  if (verdict === 'N') return null;
  return { verdict, good: isGood, signer: utf8(signer) || null, key: utf8(key) || null, fingerprint: fingerprint || null, trust };
}

/** A report in a few words. */
export function describeSignature({ verdict, isGood, signer, fingerprint }: SignatureReport): string {
  if (verdict === 'N') return 'not signed';
  const by = `${signer === '' ? '' : ` of ${utf8(signer)}`}${fingerprint === '' ? '' : `, ${fingerprint}`}`;
  if (isGood) return `good signature${by}`;
  const words = { B: 'bad signature', E: 'signature that cannot be checked', X: 'expired signature', Y: 'signature by an expired key', R: 'signature by a revoked key' } as const;
  return `${verdict === 'G' || verdict === 'U' ? 'signature by a key that is not trusted' : words[verdict]}${by}`;
}
