// cairn rollback: publish an earlier release of a channel again.
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import { parseChannel } from '../channel.js';
import { findReceiptSigner, receiptSigningOption } from '../receipt-signature.js';
import { planRelease, planRollback, publish } from '../release.js';
import { settleReleases } from '../release-recovery.js';
import { formatDone, formatPlan, planToJson, receiptToJson } from '../release-report.js';

export const command: Command = {
  name: 'rollback',
  family: 'cairn',
  summary: 'publish an earlier release of a channel again',
  usage: ['rollback <channel> [<n> | <receipt>] [-m <message>] [--sign[=<key>]] [-n] [--json]'],
  options: [
    { name: 'message', short: 'm', value: 'message', help: 'say why; several become paragraphs' },
    receiptSigningOption,
    { name: 'dry-run', short: 'n', help: 'show what would be done and do nothing' },
    { name: 'json', help: 'print JSON' },
  ],
  run(context, args) {
    const { positionals } = args;
    if (positionals.length === 0) throw new UsageError('which channel to roll back is missing');
    if (positionals.length > 2) throw new UsageError('too many arguments');
    const channel = parseChannel(positionals[0]!);
    const repository = Repository.open(context);
    const json = args.has('json');
    const message = args.values('message').join('\n\n').trim();
    const dryRun = args.has('dry-run');
    if (!dryRun) settleReleases(repository);
    const request = planRollback(repository, channel, parseGoal(positionals[1]), message, findReceiptSigner(repository, args));
    if (dryRun) {
      const plan = planRelease(repository, request);
      context.stdout.write(json ? JSON.stringify(planToJson(repository, plan)) + '\n' : formatPlan(repository, plan));
      return 0;
    }
    const receipt = publish(repository, request);
    context.stdout.write(json ? JSON.stringify(receiptToJson(repository, receipt)) + '\n' : formatDone(receipt, request.restores));
    return 0;
  },
};

/** A short number counts releases back; anything else names a receipt. */
function parseGoal(text: string | undefined): number | string {
  if (text === undefined) return 1;
  if (!/^[0-9]{1,3}$/.test(text)) return text;
  const steps = Number(text);
  if (steps === 0) throw new UsageError("'0' releases back is the live one");
  return steps;
}
