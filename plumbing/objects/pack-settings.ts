// How packs are written as far as configuration says: pack.*, core.compression, core.bigFileThreshold. See git-config(1).
import type { DeltaLimits } from '../../pack/delta-window.js';
import { InvalidError } from '../../pack/errors.js';
import { streamThresholdBytes } from '../../pack/object.js';
import type { Config } from '../config.js';

export interface PackSettings {
  readonly limits: DeltaLimits;
  /** zlib level. */
  readonly level: number;
  /** Larger objects are not made deltas. */
  readonly largeBytes: number;
  readonly indexVersion: 1 | 2;
  readonly hasReverseIndex: boolean;
  /** The most bytes one pack may have; undefined for no limit. */
  readonly mostBytes: number | undefined;
}

/** What chains are cut to, whatever is asked for. */
const longestChain = 4095;
const leastPackBytes = 1024 * 1024;

/** Reads them all; InvalidError for values out of range. */
export function readPackSettings(config: Config): PackSettings {
  const indexVersion = config.getInteger('pack.indexversion') ?? 2;
  if (indexVersion !== 1 && indexVersion !== 2) throw new InvalidError(`bad pack.indexVersion=${indexVersion}`, { code: 'bad-config' });
  return {
    limits: deltaLimits(config.getInteger('pack.window') ?? 10, config.getInteger('pack.depth') ?? 50, config.getInteger('pack.windowmemory') ?? 0),
    level: compressionLevel(config.getInteger('pack.compression') ?? config.getInteger('core.compression') ?? -1),
    largeBytes: config.getInteger('core.bigfilethreshold') ?? streamThresholdBytes,
    indexVersion,
    hasReverseIndex: config.getBoolean('pack.writereverseindex', false),
    mostBytes: packLimit(config.getInteger('pack.packsizelimit') ?? 0),
  };
}

/** Limits within what packs allow. */
export function deltaLimits(window: number, depth: number, memoryBytes: number): DeltaLimits {
  return { window: Math.max(0, window), depth: Math.min(longestChain, Math.max(0, depth)), memoryBytes };
}

/** A zlib level, where -1 is the default one: packs are written seldom and read often. */
export function compressionLevel(level: number): number {
  if (level < -1 || level > 9) throw new InvalidError(`bad pack compression level ${level}`, { code: 'bad-config' });
  return level === -1 ? 6 : level;
}

/** The limit a number stands for: 0 is none, and less than 1 MiB is 1 MiB. */
export function packLimit(bytes: number): number | undefined {
  return bytes <= 0 ? undefined : Math.max(leastPackBytes, bytes);
}
