// Making signatures with somebody's key (git-config(1), "user.signingKey" and "gpg.*"). The key itself is never read by us: gpg and
// ssh-keygen do the signing. A signature that could not be made is an error, and nothing is stored without it.
import { resolve } from 'node:path';
import { InvalidError, RefusedError } from '../../pack/errors.js';
import { HandedFile } from '../content/handed-file.js';
import { runShell } from '../content/filter-driver.js';
import { committerIdent } from '../identity.js';
import { expandHome } from '../config.js';
import type { Repository } from '../repository.js';
import { type SignatureFormat, configuredFormat, runSigningProgram } from './signing-program.js';

/** Signs for one repository, with one key. */
export class Signer {
  readonly #repository: Repository;
  readonly #format: SignatureFormat;
  readonly #typedKey: string | undefined;

  /** `key` as typed ('' for none); else the one that is configured, else the committer's. */
  constructor(repository: Repository, key?: string) {
    this.#repository = repository;
    this.#format = configuredFormat(repository);
    this.#typedKey = key || undefined;
  }

  /** An armoured detached signature, ending in a newline. For SSH it is made for `namespace`, which is git's for objects. */
  sign(payload: Buffer, namespace = 'git'): Buffer {
    const text = this.#format === 'ssh' ? this.#signWithSsh(payload, namespace) : this.#signWithGpg(payload);
    return Buffer.from(text.replaceAll('\r\n', '\n').replace(/\n*$/, '\n'), 'latin1');
  }

  get #configuredKey(): string | undefined {
    return this.#typedKey ?? (this.#repository.config.get('user.signingkey') || undefined);
  }

  #signWithGpg(payload: Buffer): string {
    const { name, email } = committerIdent(this.#repository);
    const key = this.#configuredKey ?? Buffer.from(`${name} <${email}>`, 'latin1').toString();
    const { isSuccess, stdout, stderr } = runSigningProgram(this.#repository, this.#format, ['--status-fd=2', '-bsau', key], payload);
    if (isSuccess && stderr.includes('[GNUPG:] SIG_CREATED ')) return stdout;
    throw failed(stderr.replace(/^\[GNUPG:\].*\n/gm, ''));
  }

  #signWithSsh(payload: Buffer, namespace: string): string {
    const { context } = this.#repository;
    const key = this.#configuredKey ?? this.#defaultKey();
    const literal = key.startsWith('key::') ? key.slice('key::'.length) : key.startsWith('ssh-') ? key : undefined;
    using file = literal === undefined ? undefined : HandedFile.write(context, 'signing-key.pub', Buffer.from(`${literal}\n`));
    const path = file?.path ?? resolve(context.cwd, expandHome(key, context));
    const { isSuccess, stdout, stderr } = runSigningProgram(this.#repository, 'ssh', ['-Y', 'sign', '-n', namespace, '-f', path], payload);
    if (isSuccess) return stdout;
    throw failed(stderr);
  }

  /** The first key gpg.ssh.defaultKeyCommand tells. */
  #defaultKey(): string {
    const command = this.#repository.config.get('gpg.ssh.defaultkeycommand');
    if (command === undefined) {
      throw new InvalidError('either user.signingKey or gpg.ssh.defaultKeyCommand needs to be configured', { code: 'no-signing-key' });
    }
    const { code, stdout } = runShell(this.#repository, command, Buffer.alloc(0));
    const [first = ''] = stdout.toString().split('\n');
    if (code === 0 && /^(?:key::|ssh-)/.test(first)) return first;
    throw new InvalidError(`gpg.ssh.defaultKeyCommand '${command}' gave no key`, { code: 'no-signing-key', hint: "its first line should be a public key, after 'key::'" });
  }
}

function failed(output: string): RefusedError {
  const words = Buffer.from(output, 'latin1').toString().trim();
  return new RefusedError(`the data could not be signed${words === '' ? '' : `: ${words}`}`, { code: 'signing-failed', hint: 'check user.signingKey and gpg.format' });
}
