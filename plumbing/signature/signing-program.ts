// The programs that make and check signatures: gpg for 'openpgp', gpgsm for 'x509', ssh-keygen for 'ssh', or what gpg.program and
// gpg.<format>.program name (git-config(1)). They are started directly, never by a shell, and those a repository of somebody
// else's configures are not started at all.
import { InvalidError, RefusedError } from '../../pack/errors.js';
import { lazyModule } from '../../pack/lazy-module.js';
import type { Repository } from '../repository.js';

const childProcess = lazyModule<typeof import('node:child_process')>('node:child_process');

export type SignatureFormat = 'openpgp' | 'x509' | 'ssh';

const standardPrograms: Readonly<Record<SignatureFormat, string>> = { openpgp: 'gpg', x509: 'gpgsm', ssh: 'ssh-keygen' };

/** What gpg.format says; InvalidError for what is no format. */
export function configuredFormat({ config }: Repository): SignatureFormat {
  const format = config.get('gpg.format') ?? 'openpgp';
  if (format === 'openpgp' || format === 'x509' || format === 'ssh') return format;
  throw new InvalidError(`invalid value for 'gpg.format': '${format}'`, { code: 'bad-config-value', hint: 'it is one of openpgp, x509, ssh' });
}

/** The format an armoured signature is in; undefined for what is no signature. */
export function formatOfSignature(signature: Buffer): SignatureFormat | undefined {
  const [, kind] = /^-----BEGIN ([A-Z ]+)-----/.exec(signature.toString('latin1', 0, 64)) ?? [];
  if (kind === 'PGP SIGNATURE' || kind === 'PGP MESSAGE') return 'openpgp';
  return kind === 'SIGNED MESSAGE' ? 'x509' : kind === 'SSH SIGNATURE' ? 'ssh' : undefined;
}

export interface ProgramResult {
  readonly isSuccess: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Far more than these programs ever say. */
const mostBytes = 64 * 1024 * 1024;

/** Runs the program of a format; both outputs are latin1. RefusedError when it cannot be started. */
export function runSigningProgram(repository: Repository, format: SignatureFormat, args: readonly string[], input: Buffer): ProgramResult {
  const { config, context } = repository;
  const configured = config.getPath(`gpg.${format}.program`) ?? (format === 'openpgp' ? config.getPath('gpg.program') : undefined);
  if (configured !== undefined && !repository.isTrusted) {
    throw new RefusedError(`'${configured}' is not run: the repository belongs to another user`, { code: 'unsafe-repository' });
  }
  const program = configured ?? standardPrograms[format];
  context.stdout.flush();
  const result = childProcess().spawnSync(program, [...args], {
    input, stdio: ['pipe', 'pipe', 'pipe'], maxBuffer: mostBytes, cwd: context.cwd, env: { ...context.env },
  });
  // A program need not read all it is given.
  if (result.error !== undefined && (result.error as NodeJS.ErrnoException).code !== 'EPIPE') {
    throw new RefusedError(`cannot run '${program}': ${result.error.message}`, {
      code: 'no-signing-program', hint: `install it, or name another with gpg.${format}.program`, cause: result.error,
    });
  }
  return { isSuccess: result.status === 0, stdout: result.stdout.toString('latin1'), stderr: result.stderr.toString('latin1') };
}
