// cairn hold: what must stay whatever any policy says, why, and until when.
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import { listHolds } from '../retention/hold.js';
import { addHold, releaseHold } from '../retention/holding.js';
import { formatHold, holdToJson } from '../retention/report.js';

export const command: Command = {
  name: 'hold',
  family: 'cairn',
  summary: 'keep a commit or release whatever any policy says',
  usage: ['hold add <commit|release> --reason <text> [--until <date>] [--json]', 'hold list [--json]', 'hold release <id> [--json]'],
  options: [
    { name: 'reason', value: 'text', help: 'why it must stay' },
    { name: 'until', value: 'date', help: "when the hold ends: '2027-01-31', a date and time, or '90d'; without it, never" },
    { name: 'json', help: 'print JSON' },
  ],
  run(context, args) {
    const [action, what, ...rest] = args.positionals;
    if (action !== 'add' && action !== 'list' && action !== 'release') {
      throw new UsageError(action === undefined ? 'what to do is missing: add, list or release' : `unknown action '${action}'`);
    }
    if (action === 'list' ? what !== undefined : rest.length > 0) throw new UsageError('too many arguments');
    if (action !== 'list' && what === undefined) throw new UsageError(action === 'add' ? 'what to hold is missing' : 'which hold to release is missing');
    if (action !== 'add') for (const name of ['reason', 'until']) if (args.has(name)) throw new UsageError(`option '--${name}' goes with 'hold add' only`);
    const reason = args.value('reason');
    if (action === 'add' && reason === undefined) throw new UsageError("option '--reason' is missing");
    const repository = Repository.open(context);
    const nowMs = context.clock.nowMs();
    const { stdout } = context;
    const json = args.has('json');
    if (action === 'list') {
      const holds = listHolds(repository);
      stdout.write(json ? `${JSON.stringify({ holds: holds.map((hold) => holdToJson(hold, nowMs)) })}\n` : holds.map((hold) => formatHold(hold, nowMs)).join(''));
      return 0;
    }
    const hold = action === 'add' ? addHold(repository, { what: what!, reason: reason!, until: args.value('until') }) : releaseHold(repository, what!);
    stdout.write(json ? `${JSON.stringify(holdToJson(hold, nowMs))}\n` : formatHold(hold, nowMs));
    return 0;
  },
};
