// cairn gc: packs what is needed into one pack and removes what nobody has needed for long enough (man/cairn-gc.1).
import { LockedError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { runHook } from '../../plumbing/hooks.js';
import { packRefs } from '../../plumbing/refs/ref-packing.js';
import { readPackSettings } from '../../plumbing/objects/pack-settings.js';
import { Repository } from '../../plumbing/repository.js';
import { resolveRevision } from '../../plumbing/history/revision.js';
import { type GcOptions, type GcPlan, type GcReport, type Tally, applyGc, configuredGraceMs, isNothingToDo, keptKinds, planGc } from '../gc.js';
import { markWholeGc, needsGc, needsWholeGc } from '../gc-need.js';
import { parseGrace } from '../grace.js';
import { type Explanation, explainObject } from '../gc-explain.js';
import { MaintenanceLock } from '../leases.js';
import { undoLastSweep } from '../sweep.js';
import { removeLeftovers } from '../release-recovery.js';
import { repack } from '../repack.js';
import { PhaseProgress } from '../phase-progress.js';
import { formatSize } from '../terminal.js';
import { escapeControls } from '../../plumbing/quote.js';
import { noteArrivals } from '../retention/arrivals.js';
import { readPolicies } from '../retention/policy.js';

export const command: Command = {
  name: 'gc',
  family: 'cairn',
  summary: 'pack what is needed and remove what nobody has needed for long',
  usage: [
    'gc [--grace <duration>] [--dry-run] [--auto] [--json] [-q]',
    'gc --explain <object> [--grace <duration>] [--json]',
    'gc --undo [--json] [-q]',
  ],
  options: [
    { name: 'grace', value: 'duration', help: "keep unreachable objects that are younger than this ('2w', '36h', '0'; default gc.pruneExpire or 2w)" },
    { name: 'dry-run', short: 'n', help: 'print what would be done and do nothing' },
    { name: 'auto', help: 'do nothing unless so much has piled up that it is worth while' },
    { name: 'explain', value: 'object', help: 'say what keeps an object, or when it may go' },
    { name: 'undo', help: 'bring back what the last gc put into quarantine' },
    { name: 'json', help: 'print the report as JSON' },
    { name: 'quiet', short: 'q', help: 'print nothing but errors' },
  ],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError(`unexpected argument '${args.positionals[0]}'`);
    const repository = Repository.open(context);
    if (args.has('undo')) {
      for (const name of ['grace', 'dry-run', 'auto', 'explain']) if (args.has(name)) throw new UsageError(`options 'undo' and '${name}' cannot be used together`);
      undo(repository, context, args);
      return 0;
    }
    const typed = args.value('grace');
    const graceMs = typed === undefined ? configuredGraceMs(repository) : parseGrace(typed, context.clock);
    const object = args.value('explain');
    if (object !== undefined) {
      if (args.has('dry-run') || args.has('auto')) throw new UsageError("option 'explain' goes with neither 'dry-run' nor 'auto'");
      printExplanation(context, args, explainObject(repository, resolveRevision(repository, object), graceMs), graceMs);
      return 0;
    }
    if (args.has('auto') && !needsGc(repository)) return 0;
    if (args.has('dry-run')) {
      printPlan(context, args, planGc(repository, { graceMs }), graceMs);
      return 0;
    }
    if (args.has('auto') && runHook(repository, 'pre-auto-gc').exitCode !== 0) return 0;
    try {
      if (args.has('auto') && !needsWholeGc(repository)) consolidate(repository, context, args);
      else collect(repository, context, args, graceMs);
    } catch (error) {
      // Somebody is at it already.
      if (!(args.has('auto') && error instanceof LockedError)) throw error;
    }
    return 0;
  },
};

function undo(repository: Repository, context: Context, args: Arguments): void {
  using lock = MaintenanceLock.acquire(repository);
  const { objects, bytes, atMs } = undoLastSweep(repository, lock);
  const sweptAt = new Date(atMs).toISOString();
  if (args.has('json')) printJson(context, { restored: { objects, bytes }, sweptAt });
  else if (!args.has('quiet')) context.stdout.write(`brought back ${describe({ objects, bytes })}, put into quarantine ${sweptAt}\n`);
}

function collect(repository: Repository, context: Context, args: Arguments, graceMs: number): void {
  using lock = MaintenanceLock.acquire(repository);
  removeLeftovers(repository);
  using progress = new PhaseProgress(context, args.has('quiet') || args.has('json'));
  const options: GcOptions = {
    graceMs,
    onProgress: (phase, done, total) => {
      lock.beat();
      progress.update(phase, done, total);
    },
  };
  const plan = planGc(repository, options);
  packRefs(repository, { all: true, prune: true });
  const report = applyGc(repository, plan, lock, options);
  markWholeGc(repository);
  runHook(repository, 'post-gc');
  progress[Symbol.dispose]();
  printReport(context, args, plan, report, graceMs);
  noteArrivals(repository, readPolicies(repository));
}

/** Takes in what is new, at a cost that follows it: nothing leaves the store. */
function consolidate(repository: Repository, context: Context, args: Arguments): void {
  using lock = MaintenanceLock.acquire(repository);
  using progress = new PhaseProgress(context, args.has('quiet') || args.has('json'));
  const settings = readPackSettings(repository.config);
  const packs = repack(repository, {
    scope: 'geometric', factor: 2, removesOld: true, unneeded: 'kept', isLocal: true, reuseDeltas: true, reuseObjects: true, usesOffsets: true,
    settings, cruftSettings: settings, packsKept: false, keptPacks: new Set(), writesMultiPackIndex: false, updatesServerInfo: false,
    onProgress: (phase, done, total) => { progress.update(phase, done, total); },
  }, lock);
  progress[Symbol.dispose]();
  const packed: Tally = { objects: packs.reduce((sum, { objects }) => sum + objects, 0), bytes: packs.reduce((sum, { bytes }) => sum + bytes, 0) };
  if (args.has('json')) printJson(context, { dryRun: false, consolidated: packed });
  else if (!args.has('quiet')) context.stdout.write(`put ${describe(packed)} together\n`);
}

function printReport(context: Context, args: Arguments, plan: GcPlan, report: GcReport, graceMs: number): void {
  if (args.has('json')) {
    printJson(context, { dryRun: false, graceMs: finite(graceMs), kept: keptToJson(plan), ...report, quarantined: { ...report.quarantined, batch: report.quarantined.batch ?? null } });
    return;
  }
  if (args.has('quiet')) return;
  printKept(context, plan);
  const { stdout } = context;
  if (report.packed.objects > 0) stdout.write(`packed ${describe(report.packed)}\n`);
  if (report.cruft.objects > 0) stdout.write(`set aside ${describe(report.cruft)} until their grace ends\n`);
  stdout.write(`expired ${describe(report.expired)}\n`);
  if (report.rescued.objects > 0) stdout.write(`brought back ${count(report.rescued.objects, 'object')} from quarantine\n`);
  if (report.quarantined.batch !== undefined) stdout.write(`quarantined ${describe(report.quarantined)}\n`);
  if (report.discarded.batches > 0) stdout.write(`removed ${describe(report.discarded)} from quarantine for good\n`);
  const { packs, looseObjects, leftovers, bytes } = report.removed;
  stdout.write(`removed ${count(packs, 'pack')}, ${count(looseObjects, 'loose file')}, ${count(leftovers, 'leftover')}, ${formatSize(bytes)}\n`);
  const { spared } = report;
  if (spared.objects + spared.packs > 0) stdout.write(`spared ${count(spared.objects, 'object')} and ${count(spared.packs, 'pack')} that were needed or renewed meanwhile\n`);
}

function printPlan(context: Context, args: Arguments, plan: GcPlan, graceMs: number): void {
  const sizeOf = (ids: Iterable<ObjectId>): Tally => {
    let objects = 0;
    let bytes = 0;
    for (const id of ids) {
      objects += 1;
      bytes += plan.inventory.sizeOf(id);
    }
    return { objects, bytes };
  };
  const packed = sizeOf(plan.toPack.keys());
  const cruft = sizeOf(plan.toCruft.keys());
  const expired: Tally = { objects: plan.expired.size, bytes: [...plan.expired.values()].reduce((sum, { bytes }) => sum + bytes, 0) };
  if (args.has('json')) {
    printJson(context, {
      dryRun: true, graceMs: finite(graceMs), kept: keptToJson(plan), packed, cruft, expired,
      retiredPacks: plan.retired.map(({ reader }) => reader.name), looseObjects: plan.loose.length, leftovers: plan.leftovers.map(({ path }) => path),
      rescued: { objects: plan.rescued.length }, discarded: discardedOf(plan),
      expiredObjects: [...plan.expired].map(([id, { lastUsedMs, bytes }]) => ({ id, bytes, lastUsed: new Date(lastUsedMs).toISOString() })),
    });
    return;
  }
  if (args.has('quiet')) return;
  printKept(context, plan);
  const { stdout } = context;
  if (isNothingToDo(plan)) {
    stdout.write('nothing to do\n');
    return;
  }
  if (plan.rescued.length > 0) stdout.write(`would bring back ${count(plan.rescued.length, 'object')} from quarantine\n`);
  if (packed.objects > 0) stdout.write(`would pack ${describe(packed)}\n`);
  if (cruft.objects > 0) stdout.write(`would set aside ${describe(cruft)} until their grace ends\n`);
  stdout.write(`would expire ${describe(expired)}\n`);
  for (const [id, { lastUsedMs }] of plan.expired) stdout.write(`  ${id} last used ${new Date(lastUsedMs).toISOString()}\n`);
  for (const { reader } of plan.retired) stdout.write(`would remove ${reader.name}\n`);
  if (plan.loose.length > 0) stdout.write(`would remove ${count(plan.loose.length, 'loose file')}\n`);
  if (plan.discarded.length > 0) stdout.write(`would remove ${describe(discardedOf(plan))} from quarantine for good\n`);
  for (const { path } of plan.leftovers) stdout.write(`would remove leftover ${path}\n`);
}

function discardedOf(plan: GcPlan): Tally & { readonly batches: number } {
  const sum = (of: (record: Tally) => number): number => plan.discarded.reduce((total, { record }) => total + of(record), 0);
  return { batches: plan.discarded.length, objects: sum(({ objects }) => objects), bytes: sum(({ bytes }) => bytes) };
}

function printKept(context: Context, plan: GcPlan): void {
  const parts = keptKinds.flatMap((kind) => {
    const tally = plan.kept.get(kind);
    return tally === undefined || tally.objects === 0 ? [] : [`${tally.objects} by ${keptWords[kind]}`];
  });
  context.stdout.write(`kept ${describe(totalOf(plan))}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}\n`);
}

const keptWords: Readonly<Record<(typeof keptKinds)[number], string>> = {
  ref: 'refs', release: 'releases', run: 'runs', hold: 'holds', index: 'indexes', reflog: 'reflogs', operation: 'operations in progress',
  young: 'age', 'keep-file': '.keep files',
};

function totalOf(plan: GcPlan): Tally {
  let objects = 0;
  let bytes = 0;
  for (const tally of plan.kept.values()) {
    objects += tally.objects;
    bytes += tally.bytes;
  }
  return { objects, bytes };
}

function keptToJson(plan: GcPlan): object {
  return { ...totalOf(plan), by: Object.fromEntries(keptKinds.map((kind) => [kind, plan.kept.get(kind) ?? { objects: 0, bytes: 0 }])) };
}

function printExplanation(context: Context, args: Arguments, explanation: Explanation, graceMs: number): void {
  const { id, keptBy, isInKeptPack, isLeased, youngestMs, youngReferrer, expiresAtMs, quarantine } = explanation;
  const time = (ms: number): string | null => (Number.isFinite(ms) ? new Date(ms).toISOString() : null);
  if (args.has('json')) {
    printJson(context, {
      id, graceMs: finite(graceMs), keptBy, isInKeptPack, lastUsed: youngestMs === undefined ? null : time(youngestMs),
      youngReferrer: youngReferrer ?? null, expiresAt: expiresAtMs === undefined ? null : time(expiresAtMs), isLeased,
      quarantine: quarantine === undefined ? null : { batch: quarantine.batch, until: time(quarantine.untilMs) },
    });
    return;
  }
  const { stdout } = context;
  if (quarantine !== undefined) {
    stdout.write(`in quarantine (${quarantine.batch}) ${Number.isFinite(quarantine.untilMs) ? `until ${time(quarantine.untilMs)}` : 'for ever'}; it comes back when something names it\n`);
    return;
  }
  if (isLeased) stdout.write('kept by a command at work, since it was written after that began\n');
  for (const { kind, source } of keptBy) stdout.write(kind === 'hold' ? `kept by hold ${escapeControls(source)}\n` : `kept by ${kind === 'operation' ? 'operation in progress' : kind} '${source}'\n`);
  if (isInKeptPack) stdout.write('kept by the .keep file of its pack\n');
  if (youngestMs === undefined) stdout.write('in an alternate, which gc does not touch\n');
  if (youngReferrer !== undefined) stdout.write(`kept by age of '${youngReferrer}', which names it\n`);
  if (expiresAtMs === undefined || youngestMs === undefined) return;
  const now = context.clock.nowMs();
  stdout.write(`unreachable, last used ${time(youngestMs)}; `
    + (expiresAtMs === Infinity ? 'never expires here' : expiresAtMs > now ? `kept by age until ${time(expiresAtMs)}` : 'the next gc removes it') + '\n');
}

function printJson(context: Context, value: object): void {
  context.stdout.write(`${JSON.stringify(value)}\n`);
}

/** JSON knows no infinity. */
function finite(milliseconds: number): number | null {
  return Number.isFinite(milliseconds) ? milliseconds : null;
}

function describe({ objects, bytes }: Tally): string {
  return `${count(objects, 'object')}, ${formatSize(bytes)}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
