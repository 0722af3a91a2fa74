// -S: the option by which commands that make commits are told to sign them, and the configuration that stands in for it.
import { type Commit } from '../../pack/commit.js';
import type { Arguments, OptionSpec } from '../command.js';
import type { Repository } from '../repository.js';
import { signedCommit } from './signed-object.js';
import { Signer } from './signer.js';

export const signingOption: OptionSpec = {
  name: 'gpg-sign', short: 'S', value: 'key', valueOptional: true, negatable: true, help: 'sign the commit, with this key or the configured one',
};

/** Signs commits for one repository. */
export type CommitSigner = (commit: Commit) => Commit;

/** What -S asks for, else commit.gpgSign where the command heeds it; undefined to leave commits unsigned. */
export function findCommitSigner(repository: Repository, args?: Arguments, options: { readonly heedsConfig: boolean } = { heedsConfig: true }): CommitSigner | undefined {
  const wanted = args?.flag('gpg-sign') ?? (options.heedsConfig && repository.config.getBoolean('commit.gpgsign') === true);
  if (!wanted) return undefined;
  const signer = new Signer(repository, args?.value('gpg-sign'));
  return (commit) => signedCommit(commit, repository.format, (payload) => signer.sign(payload));
}
