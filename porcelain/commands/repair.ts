// cairn repair: restore what is damaged or missing from copies elsewhere.
import { resolve } from 'node:path';
import { UsageError } from '../../pack/errors.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import { findingToJson, formatFinding } from '../integrity/finding.js';
import { type RepairPlan, type RepairReport, adviceFor, applyRepair, planRepair } from '../integrity/repair.js';
import { type RepairSource, openRepairSource, quarantineSources } from '../integrity/repair-source.js';
import { MaintenanceLock } from '../leases.js';

export const command: Command = {
  name: 'repair',
  family: 'cairn',
  summary: 'restore what is damaged or missing from copies elsewhere',
  usage: ['repair [--from <repository|bundle>]... [-n] [--json] [-q]'],
  options: [
    { name: 'from', value: 'repository|bundle', help: 'take objects from there; may be given several times' },
    { name: 'dry-run', short: 'n', help: 'show what would be done and do nothing' },
    { name: 'json', help: 'print the report as JSON' },
    { name: 'quiet', short: 'q', help: 'print only what cannot be mended' },
  ],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError('no arguments are taken; copies are named with --from');
    const repository = Repository.open(context);
    const isDry = args.has('dry-run');
    using lock = isDry ? undefined : MaintenanceLock.acquire(repository);
    const sources: RepairSource[] = quarantineSources(repository);
    try {
      for (const shown of args.values('from')) sources.push(openRepairSource(repository, resolve(context.cwd, shown), shown, sources));
      using plan = planRepair(repository, sources);
      if (lock === undefined) return printPlan(context, args, plan);
      return printReport(context, args, applyRepair(repository, plan, lock));
    } finally {
      for (const source of sources) source.close();
    }
  },
};

function printPlan(context: Context, args: Arguments, plan: RepairPlan): number {
  const { restorable, lost, loose, packs, derived } = plan;
  const damaged = [...loose.map(({ path }) => path), ...packs, ...derived];
  if (args.has('json')) {
    context.stdout.write(`${JSON.stringify({
      dryRun: true, restorable: restorable.map(({ id, type, source }) => ({ object: id, type, from: source.name })), lost, damaged,
    })}\n`);
  } else {
    if (!args.has('quiet')) {
      for (const { id, type, source } of restorable) context.stdout.write(`would restore ${type} ${id} from ${source.name}\n`);
      for (const path of damaged) context.stdout.write(`would replace ${path}\n`);
    }
    for (const id of lost) context.stdout.write(`no good copy of ${id} is known\n`);
  }
  return lost.length === 0 ? 0 : 6;
}

function printReport(context: Context, args: Arguments, { restored, setAside, drawer, after }: RepairReport): number {
  const left = after.findings.filter(({ severity }) => severity === 'error');
  if (args.has('json')) {
    context.stdout.write(`${JSON.stringify({
      dryRun: false, ok: left.length === 0, restored: restored.map(({ id, type, from }) => ({ object: id, type, from })),
      setAside, drawer: drawer ?? null, left: left.map(findingToJson),
    })}\n`);
    return left.length === 0 ? 0 : 6;
  }
  if (!args.has('quiet')) {
    for (const { id, type, from } of restored) context.stdout.write(`restored ${type} ${id} from ${from}\n`);
    for (const path of setAside) context.stdout.write(`set aside ${path}\n`);
    if (drawer !== undefined) context.stdout.write(`what was damaged is kept in ${drawer}\n`);
  }
  for (const finding of left) context.stdout.write(formatFinding(finding));
  if (left.length > 0) {
    for (const advice of new Set(left.map(adviceFor))) if (advice !== undefined) context.stderr.write(`hint: ${advice}\n`);
    return 6;
  }
  if (!args.has('quiet')) context.stdout.write(restored.length + setAside.length === 0 ? 'nothing was damaged or missing\n' : 'nothing is damaged or missing any more\n');
  return 0;
}
