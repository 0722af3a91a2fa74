// cairn retain: policies for what is kept of runs, releases and other refs, and doing what they say.
import { UsageError } from '../../pack/errors.js';
import type { Arguments, Command } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import { noteArrivals } from '../retention/arrivals.js';
import { type PolicyKey, makePolicy, policyKeys, readPolicies, setPolicy, unsetPolicy } from '../retention/policy.js';
import { formatPlan, formatPolicy, optionOf, planToJson, policyToJson } from '../retention/report.js';
import { applyRetention, measurePlan, planRetention } from '../retention/plan.js';

/** What follows each action. */
const actions: Readonly<Record<string, readonly string[]>> = { set: ['<pattern>'], list: [], unset: ['<pattern>'], plan: [], apply: ['<plan-id>'] };

export const command: Command = {
  name: 'retain',
  family: 'cairn',
  summary: 'say what to keep of runs, releases and other refs, and let the rest go',
  usage: [
    'retain plan [--json]',
    'retain apply <plan-id> [--json]',
    'retain set <pattern> [--keep-last <n>] [--keep-hourly <n>] [--keep-daily <n>] [--keep-weekly <n>]\n             [--keep-monthly <n>] [--keep-yearly <n>] [--keep-within <duration>] [--keep-tagged] [--json]',
    'retain list [--json]',
    'retain unset <pattern> [--json]',
  ],
  options: [
    { name: 'keep-last', value: 'n', help: 'keep the newest n' },
    { name: 'keep-hourly', value: 'n', help: 'keep the newest of each of the newest n hours that have one' },
    { name: 'keep-daily', value: 'n', help: 'the same for days' },
    { name: 'keep-weekly', value: 'n', help: 'the same for weeks' },
    { name: 'keep-monthly', value: 'n', help: 'the same for months' },
    { name: 'keep-yearly', value: 'n', help: 'the same for years' },
    { name: 'keep-within', value: 'duration', help: "keep what is at most so much older than the newest ('30d', '6mo')" },
    { name: 'keep-tagged', help: 'keep what a tag names' },
    { name: 'json', help: 'print JSON' },
  ],
  run(context, args) {
    const [action, ...rest] = args.positionals;
    const wanted = action === undefined || !Object.hasOwn(actions, action) ? undefined : actions[action];
    if (wanted === undefined) throw new UsageError(action === undefined ? 'what to do is missing: set, list, unset, plan or apply' : `unknown action '${action}'`);
    if (rest.length < wanted.length) throw new UsageError(`'retain ${action}' needs ${wanted[rest.length]}`);
    if (rest.length > wanted.length) throw new UsageError(`unexpected argument '${rest[wanted.length]}'`);
    const given = readRules(args);
    if (action !== 'set' && given.size > 0) throw new UsageError(`option '--${optionOf([...given.keys()][0]!)}' goes with 'retain set' only`);
    const repository = Repository.open(context);
    const print = (value: object, text: string): number => {
      context.stdout.write(args.has('json') ? `${JSON.stringify(value)}\n` : text);
      return 0;
    };
    const [what = ''] = rest;
    switch (action) {
      case 'set': {
        const policy = makePolicy(what, given);
        setPolicy(repository, policy);
        noteArrivals(repository, readPolicies(repository));
        return print(policyToJson(policy), formatPolicy(policy));
      }
      case 'unset':
        unsetPolicy(repository, what);
        return print({ pattern: what }, '');
      case 'list': {
        const policies = readPolicies(repository);
        return print({ policies: policies.map(policyToJson) }, policies.map(formatPolicy).join(''));
      }
      case 'apply': {
        const { plan, droppedRefs, removedDirectories } = applyRetention(repository, what);
        return print({ plan: plan.id, droppedRefs, removedDirectories },
          `dropped ${droppedRefs} ref${droppedRefs === 1 ? '' : 's'} and removed ${removedDirectories} release director${removedDirectories === 1 ? 'y' : 'ies'}; gc reclaims the space when the grace is over\n`);
      }
      default: {
        const plan = planRetention(repository);
        const freed = measurePlan(repository, plan);
        return print(planToJson(plan, freed), formatPlan(plan, freed));
      }
    }
  },
};

function readRules(args: Arguments): Map<PolicyKey, string> {
  const given = new Map<PolicyKey, string>();
  for (const key of policyKeys) {
    const option = optionOf(key);
    if (!args.has(option)) continue;
    given.set(key, key === 'keepTagged' ? 'true' : args.value(option)!);
  }
  return given;
}
