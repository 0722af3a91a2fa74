// Checking signatures: what gpg, gpgsm or ssh-keygen say about one, in git's terms (git-verify-commit(1), git-log(1) "%G?",
// git-config(1) "gpg.*"). Nothing is believed that the program does not say; what cannot be checked is not good.
import { existsSync } from 'node:fs';
import { InvalidError } from '../../pack/errors.js';
import { type Commit, splitHeaders } from '../../pack/commit.js';
import { parseIdentLoosely } from '../../pack/ident.js';
import type { ObjectId } from '../../pack/oid.js';
import { HandedFile } from '../content/handed-file.js';
import type { Repository } from '../repository.js';
import { type SignedObject, isSignatureHeader, splitCommit } from './signed-object.js';
import { type ProgramResult, formatOfSignature, runSigningProgram } from './signing-program.js';

/** How far a key is trusted, from the least. */
export const trustLevels = ['undefined', 'never', 'marginal', 'fully', 'ultimate'] as const;
export type TrustLevel = typeof trustLevels[number];

/**
 * G good, B bad, U good by a key of unknown validity, X good but expired, Y good by an expired key, R good by a revoked key, E cannot
 * be checked (the key is missing), N no signature.
 */
export type SignatureVerdict = 'G' | 'B' | 'U' | 'X' | 'Y' | 'R' | 'E' | 'N';

/** What was found; texts are latin1. */
export interface SignatureReport {
  readonly verdict: SignatureVerdict;
  /** Good, by a key trusted as far as gpg.minTrustLevel asks. */
  readonly isGood: boolean;
  readonly signer: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly primaryFingerprint: string;
  readonly trust: TrustLevel;
  /** What the program says to people, and to programs. */
  readonly output: string;
  readonly status: string;
}

/** Of what is not signed. */
export const unsigned: SignatureReport = {
  verdict: 'N', isGood: false, signer: '', key: '', fingerprint: '', primaryFingerprint: '', trust: 'undefined', output: '', status: '',
};

interface Findings extends Partial<SignatureReport> {
  readonly verdict: SignatureVerdict;
  readonly trust: TrustLevel;
}

/** Checks the signature of a commit, which is only read again when it has one. */
export function checkCommit(repository: Repository, id: ObjectId, { extraHeaders }: Pick<Commit, 'extraHeaders'>): SignatureReport {
  if (!extraHeaders.some(({ key }) => isSignatureHeader(key))) return unsigned;
  return checkSignature(repository, splitCommit(repository.objects.read(id).bytes, repository.format));
}

/** What a signature must have been made for. */
export interface SignaturePurpose {
  /** Only SSH signatures have one. */
  readonly namespace: string;
  /** When it was made, in milliseconds since 1970, as far as what is signed tells: keys are valid for a time. */
  readonly atMs: number | undefined;
}

/** Checks a signature taken off an object, or, given its purpose, off anything else; `unsigned` when there is none. */
export function checkSignature(repository: Repository, signed: SignedObject | undefined, purpose?: SignaturePurpose): SignatureReport {
  if (signed === undefined) return unsigned;
  const format = formatOfSignature(signed.signature);
  if (format === undefined) return { ...unsigned, verdict: 'E' };
  using file = HandedFile.write(repository.context, 'signature', signed.signature);
  const findings = format === 'ssh' ? checkWithSsh(repository, signed.payload, file.path, purpose ?? objectPurpose(signed.payload)) : checkWithGpg(repository, format, signed.payload, file.path);
  const enough = trustLevels.indexOf(findings.trust) >= trustLevels.indexOf(leastTrust(repository));
  const isGood = findings.isGood === true && enough;
  const isDoubtful = findings.verdict === 'G' && (findings.trust === 'undefined' || findings.trust === 'never');
  return { ...unsigned, ...findings, isGood, verdict: isDoubtful ? 'U' : findings.verdict };
}

function leastTrust({ config }: Repository): TrustLevel {
  const level = config.get('gpg.mintrustlevel')?.toLowerCase() ?? 'undefined';
  const known = trustLevels.find((each) => each === level);
  if (known === undefined) throw new InvalidError(`invalid value for 'gpg.minTrustLevel': '${level}'`, { code: 'bad-config-value' });
  return known;
}

// ---- OpenPGP and X.509

const gpgVerdicts: readonly (readonly [string, SignatureVerdict])[] = [
  ['GOODSIG', 'G'], ['BADSIG', 'B'], ['EXPSIG', 'X'], ['EXPKEYSIG', 'Y'], ['REVKEYSIG', 'R'], ['ERRSIG', 'E'],
];

/** The lines of gpg's status output that say something about the signature. */
function checkWithGpg(repository: Repository, format: 'openpgp' | 'x509', payload: Buffer, signaturePath: string): Findings {
  const words = format === 'openpgp' ? ['--keyid-format=long'] : [];
  const { isSuccess, stdout: status, stderr: output } = runSigningProgram(repository, format, [...words, '--status-fd=1', '--verify', signaturePath, '-'], payload);
  let verdict: SignatureVerdict | undefined;
  let signer = '';
  let key = '';
  let fingerprint = '';
  let primaryFingerprint = '';
  let trust: TrustLevel = 'undefined';
  for (const line of status.split('\n')) {
    const [, keyword = '', rest = ''] = /^\[GNUPG:\] (\S+) ?(.*)$/.exec(line) ?? [];
    const found = gpgVerdicts.find(([name]) => name === keyword)?.[1];
    if (found !== undefined) {
      // More than one signature: which of them would one believe?
      if (verdict !== undefined) return { verdict: 'E', trust: 'undefined', output, status };
      verdict = found;
      const [first = '', ...others] = rest.split(' ');
      key = first;
      if (found !== 'E') signer = others.join(' ');
    } else if (keyword === 'VALIDSIG') {
      const fields = rest.split(' ');
      fingerprint = fields[0] ?? '';
      primaryFingerprint = fields[9] ?? '';
    } else if (keyword.startsWith('TRUST_')) {
      trust = trustLevels.find((each) => keyword === `TRUST_${each.toUpperCase()}`) ?? trust;
    }
  }
  return { verdict: verdict ?? 'E', isGood: isSuccess && verdict === 'G', signer, key, fingerprint, primaryFingerprint, trust, output, status };
}

// ---- SSH

/** Who may have signed is in gpg.ssh.allowedSignersFile (ssh-keygen(1), "ALLOWED SIGNERS"). */
function checkWithSsh(repository: Repository, payload: Buffer, signaturePath: string, { namespace, atMs }: SignaturePurpose): Findings {
  const { config, context } = repository;
  const allowed = config.getPath('gpg.ssh.allowedsignersfile');
  if (allowed === undefined || !existsSync(allowed)) {
    context.stderr.write('error: gpg.ssh.allowedSignersFile needs to be configured and exist for ssh signature verification\n');
    return { verdict: 'E', trust: 'undefined' };
  }
  const at = verifyTime(repository, atMs);
  const run = (args: readonly string[], input: Buffer): ProgramResult => runSigningProgram(repository, 'ssh', ['-Y', ...args, '-s', signaturePath], input);
  const principals = run(['find-principals', '-f', allowed, ...at], Buffer.alloc(0));
  const names = principals.isSuccess ? principals.stdout.split(/\r?\n/).filter((name) => name !== '') : [];
  if (names.length === 0) {
    const { stdout, stderr } = run(['check-novalidate', '-n', namespace, ...at], payload);
    return { ...readSshAnswer(stdout, principals.stderr + stripped(stderr)), isGood: false };
  }
  const revoked = config.getPath('gpg.ssh.revocationfile');
  const revocation = revoked === undefined ? [] : ['-r', revoked];
  let result: ProgramResult | undefined;
  for (const name of names) {
    result = run(['verify', '-n', namespace, '-f', allowed, '-I', name, ...at, ...revocation], payload);
    if (result.isSuccess && result.stdout.startsWith('Good')) break;
  }
  const findings = readSshAnswer(result!.stdout, stripped(result!.stderr));
  return { ...findings, isGood: result!.isSuccess && findings.verdict === 'G' };
}

function readSshAnswer(stdout: string, complaints: string): Findings {
  const output = stripped(stdout) + complaints;
  const found = /^Good "[^"]*" signature (?:for (.*) )?with \S+ key (\S+)$/m.exec(stdout.split('\n')[0] ?? '');
  if (found === null) return { verdict: 'B', trust: 'never', output, status: output };
  const [, signer, key = ''] = found;
  return { verdict: 'G', trust: signer === undefined ? 'undefined' : 'fully', signer: signer ?? '', key, fingerprint: key, output, status: output };
}

/** Without blanks at the ends of lines and empty lines at the end. */
function stripped(text: string): string {
  const lines = text.split(/[ \t\r]*\n/).join('\n').trim();
  return lines === '' ? '' : `${lines}\n`;
}

/** Of an object it counts when the object says it was made. */
function objectPurpose(payload: Buffer): SignaturePurpose {
  const header = splitHeaders(payload).headers.find(({ key }) => key === 'committer' || key === 'tagger');
  return { namespace: 'git', atMs: header === undefined ? undefined : parseIdentLoosely(header.value).seconds * 1000 };
}

function verifyTime({ context: { clock } }: Repository, atMs: number | undefined): string[] {
  if (atMs === undefined) return [];
  const local = new Date(atMs + clock.offsetMinutes(atMs) * 60_000);
  if (Number.isNaN(local.getTime())) return [];
  return [`-Overify-time=${local.toISOString().slice(0, 19).replace(/[-T:]/g, '')}`];
}
