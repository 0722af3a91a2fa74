// cairn prune: removes loose objects that nothing needs (git-prune(1)).
import { relative } from 'node:path';
import { NotFoundError } from '../../pack/errors.js';
import type { Command } from '../../plumbing/command.js';
import { parseExpiry } from '../../plumbing/date.js';
import { listPackedLoose, removePackedLoose, shownLoosePath } from '../../plumbing/objects/packed-loose.js';
import { Repository } from '../../plumbing/repository.js';
import { findRevision } from '../../plumbing/history/revision.js';
import { MaintenanceLock } from '../leases.js';
import { applyPrune, planPrune } from '../prune.js';

export const command: Command = {
  name: 'prune',
  family: 'git',
  summary: 'remove loose objects that nothing needs',
  usage: ['prune [-n] [-v] [--progress] [--expire <time>] [--] [<head>...]'],
  options: [
    { name: 'dry-run', short: 'n', negatable: true, help: 'print what would be removed' },
    { name: 'verbose', short: 'v', negatable: true, help: 'print what is removed' },
    { name: 'progress', negatable: true, help: 'accepted; nothing is shown' },
    { name: 'expire', value: 'time', negatable: true, help: 'keep what is younger' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const heads = args.positionals.map((name) => {
      const id = findRevision(repository, name);
      if (id === undefined) throw new NotFoundError(`unrecognized argument: ${name}`, { code: 'bad-revision' });
      return id;
    });
    const isDry = args.has('dry-run');
    let expireMs = Infinity;
    for (const token of args.tokens) {
      if (token.kind === 'option' && token.name === 'expire') expireMs = parseExpiry(token.negated ? 'never' : token.value!, context.clock) * 1000;
    }
    using lock = isDry ? undefined : MaintenanceLock.acquire(repository);
    const plan = planPrune(repository, heads, expireMs);
    const { store } = plan;
    if (isDry || args.has('verbose')) {
      for (const { id } of plan.objects) context.stdout.write(`${id} ${store.findAnyHeader(id)?.type ?? 'unknown'}\n`);
      for (const path of plan.leftovers) context.stdout.write(`Removing stale temporary file ${relative(context.cwd, path)}\n`);
    }
    if (lock !== undefined) {
      applyPrune(repository, plan, lock, heads);
      removePackedLoose(store, { onRemoved: () => { lock.beat(); } });
    } else {
      for (const { id } of listPackedLoose(store)) context.stdout.write(`rm -f ${shownLoosePath(repository, id)}\n`);
    }
    if (isDry) for (const id of plan.shallow) context.stdout.write(`Removing ${id} from .git/shallow\n`);
    return 0;
  },
};
