// How many digits of an id people are shown: core.abbrev in git-config(1), or what git takes for a store of this size.
import { InvalidError } from '../../pack/errors.js';
import { type ObjectId, hexSize } from '../../pack/oid.js';
import { parseConfigBoolean } from '../config.js';
import type { Repository } from '../repository.js';

/** Fewer digits are never shown. */
export const fewestDigits = 4;

/** The least number of digits by default, before more are added to tell objects apart. */
export function abbreviationDigits(repository: Repository): number {
  const value = repository.config.get('core.abbrev');
  if (value === undefined || value.toLowerCase() === 'auto') return repository.objects.automaticDigits;
  if (parseConfigBoolean(value) === false && !/^[0-9]+$/.test(value)) return hexSize(repository.format);
  const digits = repository.config.getInteger('core.abbrev')!;
  if (digits < fewestDigits || digits > hexSize(repository.format)) throw new InvalidError(`abbrev length out of range: ${digits}`, { code: 'bad-config-value' });
  return digits;
}

/** The id cut to `digits` (default: as configured), or as many more as tell it from every other object. */
export function abbreviateId(repository: Repository, id: ObjectId, digits = abbreviationDigits(repository)): string {
  return digits >= id.length ? id : repository.objects.abbreviate(id, Math.max(digits, fewestDigits));
}
