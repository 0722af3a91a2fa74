// cherry: which commits have not been applied upstream, by the changes they make. See git-cherry(1).
import { NotFoundError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { abbreviateId } from '../objects/abbreviation.js';
import type { Arguments, Command, Context } from '../command.js';
import { messageOf, subjectOf } from '../history/format.js';
import { patchKeyOf } from '../diff/patch-key.js';
import { Repository } from '../repository.js';
import { findRevision, peel } from '../history/revision.js';
import { findUpstream } from '../refs/upstream.js';
import { RevWalk } from '../history/walk.js';

export const command: Command = {
  name: 'cherry',
  family: 'git',
  summary: 'find commits that are not upstream yet',
  usage: ['cherry [-v] [<upstream> [<head> [<limit>]]]'],
  options: [
    { name: 'abbrev', value: 'n', valueOptional: true, negatable: true, help: 'abbreviate ids' },
    { name: 'verbose', short: 'v', negatable: true, help: 'print the subjects, too' },
  ],
  run(context: Context, args: Arguments): number {
    const repository = Repository.open(context);
    for (const digits of args.values('abbrev')) if (!/^[0-9]+$/.test(digits)) throw new UsageError(`option 'abbrev' expects a numerical value`);
    const words = args.positionals;
    const [upstreamName, headName = 'HEAD', limitName] = words.length >= 1 && words.length <= 3 ? words : [trackedBranch(repository)];
    const head = commitOf(repository, headName);
    const upstream = commitOf(repository, upstreamName!);
    if (head === upstream) return 0;
    const keyOf = patchKeyOf(repository);
    const applied = new Set<string | undefined>();
    const walkOptions = { maxParents: 1 };
    for (const node of new RevWalk(repository, [{ id: upstream }, { id: head, isExcluded: true }], walkOptions)) applied.add(keyOf(node));
    const limits = [upstream, ...(limitName === undefined ? [] : [commitOf(repository, limitName)])];
    const walk = new RevWalk(repository, [{ id: head }, ...limits.map((id) => ({ id, isExcluded: true }))], walkOptions);
    for (const node of [...walk].reverse()) {
      const subject = args.has('verbose') ? ` ${subjectOf(messageOf(node.commit, repository.config.get('i18n.logoutputencoding')))}` : '';
      context.stdout.write(Buffer.from(`${applied.has(keyOf(node)) ? '-' : '+'} ${shown(repository, args, node.id)}${subject}\n`, 'latin1'));
    }
    return 0;
  },
};

function shown(repository: Repository, args: Arguments, id: ObjectId): string {
  if (!args.has('abbrev')) return id;
  const digits = args.value('abbrev');
  if (digits === undefined) return abbreviateId(repository, id);
  return Number(digits) === 0 ? id : abbreviateId(repository, id, Number(digits));
}

function commitOf(repository: Repository, name: string): ObjectId {
  const id = findRevision(repository, name, 'committish');
  const commit = id === undefined ? undefined : peel(repository, id, 'commit');
  if (commit === undefined) throw new NotFoundError(`unknown commit ${name}`, { code: 'bad-revision' });
  return commit;
}

/** What the current branch follows; without that the command line is too short. */
function trackedBranch(repository: Repository): string {
  const branch = repository.refs.headBranch();
  if (branch === undefined || repository.config.get(`branch.${branch.slice('refs/heads/'.length)}.merge`) === undefined) {
    throw new UsageError('the current branch tracks no remote branch: name the upstream');
  }
  return findUpstream(repository, branch);
}
