// What retention says to people and to programs: plans, policies and holds as lines of text, and as JSON (cairn-retain(1), cairn-hold(1)).
// Names come from anybody, so what a terminal would obey is escaped.
import { escapeControls } from '../../plumbing/quote.js';
import type { Tally } from '../gc.js';
import { formatSize } from '../terminal.js';
import type { Candidate } from './candidates.js';
import type { Freed } from './freed.js';
import { type Hold, isOver } from './hold.js';
import type { Policy } from './policy.js';
import type { RetentionPlan } from './plan.js';

type Json = object;

/** A line for each ref and directory, what would be freed, and the plan's id as the last line. */
export function formatPlan(plan: RetentionPlan, { freed, later }: Freed): string {
  const lines = [
    ...plan.candidates.map((candidate) => `${candidate.verdict}  ${escapeControls(candidate.name)}  ${time(candidate.arrivedMs)}  ${formatReasons(candidate, plan.policies.length > 1)}`),
    ...plan.places.map(({ verdict, target, directory, reason, bytes }) => `${verdict}  ${escapeControls(`${target.name} (${target.containerName}/${directory})`)}  ${formatSize(bytes)}  ${escapeControls(reason)}`),
  ];
  const directories = plan.places.filter(({ verdict }) => verdict === 'drop');
  const dropped = plan.candidates.filter(({ verdict }) => verdict === 'drop').length;
  lines.push(`would drop ${count(dropped, 'ref')}, which frees ${describe(freed)}${later.objects > 0 ? `, and ${describe(later)} more once reflogs let go` : ''}`);
  if (directories.length > 0) lines.push(`would remove ${count(directories.length, 'release directory', 'release directories')}, ${formatSize(directories.reduce((sum, { bytes }) => sum + bytes, 0))}`);
  lines.push(`plan ${plan.id}`);
  return lines.map((line) => `${line}\n`).join('');
}

function formatReasons({ reasons }: Candidate, namesPolicies: boolean): string {
  return escapeControls(reasons.map(({ rule, detail, policy }) => `${rule} (${detail}${namesPolicies && policy !== undefined ? `; ${policy}` : ''})`).join(', '));
}

export function planToJson(plan: RetentionPlan, { freed, later, byRef }: Freed): Json {
  const directories = plan.places.filter(({ verdict }) => verdict === 'drop');
  return {
    plan: plan.id,
    policies: plan.policies.map(policyToJson),
    items: plan.candidates.map(({ kind, name, ref, id, arrivedMs, verdict, reasons }) => ({
      kind, name, ref, id, arrived: arrivedMs === undefined ? null : new Date(arrivedMs).toISOString(), verdict,
      reasons: reasons.map(({ rule, detail, policy }) => ({ rule, detail, policy: policy ?? null })),
      freed: byRef.get(ref) ?? { objects: 0, bytes: 0 },
    })),
    directories: plan.places.map(({ channel, target, directory, receipts, verdict, reason, bytes }) => ({
      channel, target: target.name, directory: `${target.containerName}/${directory}`, receipts, verdict, reason, bytes,
    })),
    freed, later, freedDirectories: { directories: directories.length, bytes: directories.reduce((sum, { bytes }) => sum + bytes, 0) },
  };
}

/** 'refs/runs/*  keep-last 3, keep-daily 7'. */
export function formatPolicy({ pattern, values }: Policy): string {
  return `${escapeControls(pattern)}  ${escapeControls(values.map(([key, value]) => (key === 'keepTagged' ? (value === 'true' ? 'keep-tagged' : '') : `${optionOf(key)} ${value}`)).filter(Boolean).join(', '))}\n`;
}

export function policyToJson({ pattern, values }: Policy): Json {
  return { pattern, ...Object.fromEntries(values) };
}

/** 'keep-last' of 'keepLast'. */
export function optionOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function formatHold(hold: Hold, nowMs: number): string {
  const until = hold.untilMs === undefined ? 'without end' : isOver(hold, nowMs) ? `over since ${time(hold.untilMs)}` : `until ${time(hold.untilMs)}`;
  const named = hold.named === undefined ? '' : ` (${escapeControls(hold.named)})`;
  return `${escapeControls(hold.id)}  ${hold.object}${named}  ${until}  ${escapeControls(hold.reason.split('\n', 1)[0]!)}\n`;
}

export function holdToJson(hold: Hold, nowMs: number): Json {
  return {
    id: hold.id, object: hold.object, named: hold.named ?? null, reason: hold.reason, by: hold.by ?? null, since: iso(hold.sinceMs), until: iso(hold.untilMs),
    over: isOver(hold, nowMs), record: hold.record,
  };
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function time(ms: number | undefined): string {
  return ms === undefined ? 'unrecorded' : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function describe({ objects, bytes }: Tally): string {
  return `${count(objects, 'object')}, ${formatSize(bytes)}`;
}

function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}
