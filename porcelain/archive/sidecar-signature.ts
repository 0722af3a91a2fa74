// A detached signature of an archive's sidecar, and through its digest of the archive: '<file>.info.json.sig', which ssh-keygen -Y verify
// checks without cairn. Specified in cairn-archive(5), "THE SIGNATURE".
//
// Works outside of a repository: who may sign is the user's configuration. A signature proves who made an archive, never that it is whole.
import { CorruptError, RefusedError, isSystemError } from '../../pack/errors.js';
import type { Context } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import { type SignatureReport, checkSignature } from '../../plumbing/signature/signature-check.js';
import { Signer } from '../../plumbing/signature/signer.js';
import { readSmallFile } from './named-file.js';
import { type Sidecar, signaturePath } from './sidecar.js';

/** What an SSH signature is made for, so that none made for anything else is taken. */
const signatureNamespace = 'cairn-archive';
const mostSignatureBytes = 1024 * 1024;

/** Signs for an archive with the key that was typed ('' for none), else the configured one. */
export function signSidecar(context: Context, sidecar: Buffer, key: string): Buffer {
  return new Signer(placeOf(context), key).sign(sidecar, signatureNamespace);
}

/** The configuration is the repository's where the command stands in one, else the user's. */
function placeOf(context: Context): Repository {
  return Repository.find(context) ?? Repository.outside(context);
}

/** The report on a good signature; RefusedError when there is none, or nobody who is trusted made it; CorruptError when it is of something else. */
export function requireSignature(context: Context, archive: string, { sidecar, sidecarBytes }: { readonly sidecar: Sidecar; readonly sidecarBytes: Buffer }): SignatureReport {
  const path = signaturePath(archive);
  const report = checkSignature(placeOf(context), { payload: sidecarBytes, signature: readSignature(archive) }, { namespace: signatureNamespace, atMs: sidecar.writtenAtMs });
  if (report.isGood) return report;
  const words = Buffer.from(report.output, 'latin1').toString().trim();
  const said = words === '' ? '' : `: ${words.replace(/\s*\n\s*/g, '; ')}`;
  if (report.verdict === 'B') throw new CorruptError(`signature '${path}' is not one of this sidecar${said}`, { code: 'bad-signature', hint: 'use another copy of the archive' });
  throw new RefusedError(`signature '${path}' is not by anybody who is trusted${said}`, {
    code: 'untrusted-signature', hint: 'gpg.ssh.allowedSignersFile names the file that says who is',
  });
}

function readSignature(archive: string): Buffer {
  const path = signaturePath(archive);
  try {
    return readSmallFile(path, mostSignatureBytes);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    throw new RefusedError(`'${archive}' is not signed: there is no '${path}'`, { code: 'not-signed', cause: error });
  }
}
