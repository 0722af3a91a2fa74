// Keys to sign with in tests: made anew in a sandbox, with a file that says whose they are. Without ssh-keygen, the test says so and ends.
import type { ExecutionContext } from 'ava';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSandbox } from './sandbox.js';
import { runProgram } from './stock-git.js';

export interface SigningKeys {
  /** `-c` options that make SSH the format, `mine` the key, and me@example.com its owner. */
  readonly words: readonly string[];
  /** Public key files: one that is trusted, one that is not. */
  readonly mine: string;
  readonly other: string;
  readonly allowed: string;
}

/** Undefined, after saying so, where no key can be made. */
export function makeSigningKeys(t: ExecutionContext): SigningKeys | undefined {
  if (!existsSync('/usr/bin/ssh-keygen')) {
    t.log('skipped: there is no ssh-keygen');
    t.pass();
    return undefined;
  }
  const directory = makeSandbox(t, { inMemory: true });
  const [mine, other, allowed] = ['mine.pub', 'other.pub', 'allowed'].map((name) => join(directory, name)) as [string, string, string];
  for (const name of ['mine', 'other']) runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', name], { cwd: directory });
  writeFileSync(allowed, `me@example.com ${readFileSync(mine, 'utf8')}`);
  return { words: ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${mine}`, '-c', `gpg.ssh.allowedSignersFile=${allowed}`], mine, other, allowed };
}
