// Numbers as options give them: digits, read as strtol(3) reads them, and with k, m or g behind them where sizes are meant. Pure; what is
// none is a UsageError that names the option.
import { UsageError } from '../pack/errors.js';
import { parseConfigInteger } from './config.js';

/** A whole number, perhaps negative. */
export function parseCount(name: string, text: string): number {
  if (!/^\s*[+-]?[0-9]+$/.test(text)) throw new UsageError(`option '${name}' expects a numerical value`);
  return Number(text);
}

/** A size or another number of at least 0, perhaps with a unit. */
export function parseMagnitude(name: string, text: string): number {
  const value = parseConfigInteger(text);
  if (value === undefined || value < 0) throw new UsageError(`option '${name}' expects a non-negative integer value with an optional k/m/g suffix`);
  return value;
}
