// Retention policies as the config holds them: [retention "<pattern>"] with a key for each rule (cairn-retention(7), "POLICIES").
//
// Invariant: what is not understood (an unknown key, a number that is none) is an error, so that a slip of the pen never lets go of more than
// was meant. Changing a policy replaces the config file as a whole: after a power cut it is the old one or the new one.
import { join } from 'node:path';
import { InvalidError, NotFoundError } from '../../pack/errors.js';
import { parseConfig, parseConfigBoolean } from '../../plumbing/config.js';
import { editConfigFile, parseConfigKey, renameInConfig, setInConfig } from '../../plumbing/config-file.js';
import { isText } from '../../plumbing/refs/ref-name.js';
import type { Repository } from '../../plumbing/repository.js';
import { compileWildmatch } from '../../plumbing/wildmatch.js';
import type { Rules } from './verdict.js';

/** The rules for the refs whose names match a pattern. */
export interface Policy {
  /** Begins with 'refs/'; '*' matches '/' as well. */
  readonly pattern: string;
  readonly rules: Rules;
  /** Values as the config has them, by key, in the order of `policyKeys`. */
  readonly values: readonly (readonly [key: PolicyKey, value: string])[];
}

/** Keys of a policy in the config; as options they are written with dashes: --keep-last. */
export const policyKeys = ['keepLast', 'keepHourly', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly', 'keepWithin', 'keepTagged'] as const;
export type PolicyKey = (typeof policyKeys)[number];

const configTimeoutMs = 1000;
const unitsMs: Readonly<Record<string, number>> = { min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, mo: 31 * 86_400_000, y: 366 * 86_400_000 };

/** Milliseconds of '30d', '36h', '1y6mo'; a month counts 31 days and a year 366. InvalidError for anything else. */
export function parseWithin(text: string): number {
  const parts = [...text.matchAll(/([0-9]{1,6})(min|mo|[hdwy])/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) {
    throw new InvalidError(`'${text}' is not a duration`, { code: 'bad-duration', hint: "say '30d', '36h', '90min', '6mo' or '1y6mo'" });
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * unitsMs[unit!]!, 0);
}

function parseCount(text: string): number {
  if (text === 'unlimited') return Infinity;
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidError(`'${text}' is not a number to keep`, { code: 'bad-count', hint: "say a number from 1, or 'unlimited'" });
  return Number(text);
}

/** A policy of these values; InvalidError when one of them, or the pattern, makes no sense, or when there is no rule. */
export function makePolicy(pattern: string, given: ReadonlyMap<PolicyKey, string>): Policy {
  if (!/^refs\/[^\u0000-\u001f]+$/.test(pattern) || !isText(pattern)) {
    throw new InvalidError(`'${pattern}' is not a pattern of refs`, { code: 'bad-pattern', hint: "patterns begin with 'refs/': 'refs/runs/*', 'refs/releases/prod'" });
  }
  if (!mayCover(pattern)) throw new InvalidError(`'${pattern}' cannot be given a policy: such refs mean something by being there`, { code: 'bad-pattern' });
  const count = (key: PolicyKey): number | undefined => {
    const value = given.get(key);
    return value === undefined ? undefined : parseCount(value);
  };
  const within = given.get('keepWithin');
  const tagged = given.get('keepTagged');
  const isTagged = tagged === undefined ? false : parseConfigBoolean(tagged);
  if (isTagged === undefined) throw new InvalidError(`'${tagged}' is neither true nor false`, { code: 'bad-config-value' });
  const rules: Rules = {
    last: count('keepLast'), hourly: count('keepHourly'), daily: count('keepDaily'), weekly: count('keepWeekly'), monthly: count('keepMonthly'), yearly: count('keepYearly'),
    withinMs: within === undefined ? undefined : parseWithin(within), tagged: isTagged,
  };
  if (!isTagged && Object.values(rules).every((rule) => rule === undefined || rule === false)) {
    throw new InvalidError(`policy '${pattern}' has no rule, so it would keep nothing`, { code: 'empty-policy', hint: 'give at least one, such as keepLast' });
  }
  return { pattern, rules, values: policyKeys.flatMap((key) => (given.has(key) ? [[key, given.get(key)!] as const] : [])) };
}

/** Every policy, by pattern; InvalidError names the one that is not understood. */
export function readPolicies(repository: Repository): Policy[] {
  const { config } = repository;
  return config.subsections('retention').sort().map((pattern) => {
    const prefix = `retention.${pattern}.`;
    const given = new Map<PolicyKey, string>();
    for (const { name, value, origin } of config.list()) {
      if (!name.startsWith(prefix)) continue;
      const typed = name.slice(prefix.length);
      const key = policyKeys.find((known) => known.toLowerCase() === typed);
      if (key === undefined) throw new InvalidError(`'${name}' (${origin}) is no rule of a retention policy`, { code: 'bad-config-value', hint: 'nothing was judged; see cairn-retention(7)' });
      given.set(key, value ?? 'true');
    }
    return makePolicy(pattern, given);
  });
}

/** Writes a policy into the repository's config, in place of the one its pattern had. */
export function setPolicy(repository: Repository, { pattern, values }: Policy): void {
  editPolicy(repository, pattern, (text, path) => values.reduce(
    (edited, [key, value]) => setInConfig(edited, parseConfigKey(`retention.${pattern}.${key}`), Buffer.from(value).toString('latin1'), path, { all: true }), text));
}

/** Takes a policy out of the repository's config; NotFoundError when it has none for the pattern. */
export function unsetPolicy(repository: Repository, pattern: string): void {
  const found = editPolicy(repository, pattern, (text) => text);
  if (!found) throw new NotFoundError(`there is no policy for '${pattern}' in this repository's config`, { code: 'no-policy', hint: 'cairn retain list shows what there is' });
}

/** Edits the config once the policy is out of it; true when there was one. */
function editPolicy(repository: Repository, pattern: string, edit: (text: string, path: string) => string): boolean {
  const path = join(repository.commonDirectory, 'config');
  let found = false;
  editConfigFile(path, (text) => {
    found = parseConfig(Buffer.from(text, 'latin1'), path).some(({ name }) => name.startsWith(`retention.${pattern}.`));
    return edit(found ? renameInConfig(text, `retention.${pattern}`, undefined, path) : text, path);
  }, repository.lockHolder, configTimeoutMs);
  repository.config.refresh();
  return found;
}

/** Says of ref names whether the policy covers them. */
export function compilePattern({ pattern }: Policy): (name: string) => boolean {
  const matches = compileWildmatch(Buffer.from(pattern).toString('latin1'));
  return (name) => mayCover(name) && matches(Buffer.from(name).toString('latin1'));
}

/** Refs that mean something by being there, whatever they name, are never judged. */
function mayCover(name: string): boolean {
  return !/^refs\/(?:holds|cairn|attestations|replace|notes|bisect|rewritten|worktree|stash)(?:\/|$)/.test(name);
}
