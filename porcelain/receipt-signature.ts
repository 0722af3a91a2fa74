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
