// Signatures of receipts: a receipt is a tag, so it is signed as tags are and checked as they are (git-verify-tag(1)). Who asks for a
// signature is the command line, or release.sign. Specified by cairn-receipt(5), "SIGNATURE".
import { RefusedError } from '../pack/errors.js';
import type { Arguments, OptionSpec } from '../plumbing/command.js';
import type { Repository } from '../plumbing/repository.js';
import { type SignatureReport, checkSignature, unsigned } from '../plumbing/signature/signature-check.js';
import { splitTag } from '../plumbing/signature/signed-object.js';
import { Signer } from '../plumbing/signature/signer.js';
import type { StoredReceipt } from './receipt.js';

export const receiptSigningOption: OptionSpec = {
  name: 'sign', value: 'key', valueOptional: true, negatable: true, help: 'sign the receipt, with this key or the configured one',
};

/** What --sign asks for, else release.sign; undefined to leave the receipt unsigned. */
export function findReceiptSigner(repository: Repository, args: Arguments): Signer | undefined {
  const wanted = args.flag('sign') ?? repository.config.getBoolean('release.sign') === true;
  return wanted ? new Signer(repository, args.value('sign')) : undefined;
}

/** What is found out about a receipt's signature. Where the program that could tell is missing, that it cannot be checked. */
export function checkReceiptSignature(repository: Repository, { id, isSigned }: StoredReceipt): SignatureReport {
  if (!isSigned) return unsigned;
  try {
    return checkSignature(repository, splitTag(repository.objects.read(id).bytes));
  } catch (error) {
    if (!(error instanceof RefusedError) || error.code !== 'no-signing-program') throw error;
    return { ...unsigned, verdict: 'E', output: `${error.message}\n` };
  }
}

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
