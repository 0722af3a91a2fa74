// The index's "REUC" extension: what the stages of a path were before it was resolved, so that the resolution can be taken back
// (update-index --unresolve). Per path: its name, three octal modes, and the ids of the modes that are not zero; gitformat-index.
//
// The bytes are untrusted: a value or CorruptError. Nothing here touches a disk.
import { CorruptError } from '../../pack/errors.js';
import { type ObjectFormat, type ObjectId, decodeObjectId, encodeObjectId, rawSize } from '../../pack/oid.js';
import type { RepoPath } from '../../pack/tree.js';

/** What one stage of a path was. */
export interface ResolvedStage {
  readonly mode: number;
  readonly id: ObjectId;
}

/** Stages 1, 2 and 3; undefined where there was none. */
export type ResolvedStages = readonly (ResolvedStage | undefined)[];

/** Sorted by path when encoded. */
export type ResolveUndo = Map<RepoPath, ResolvedStages>;

export function decodeResolveUndo(bytes: Buffer, format: ObjectFormat): ResolveUndo {
  const found: ResolveUndo = new Map();
  let at = 0;
  const text = (): string => {
    const end = bytes.indexOf(0, at);
    if (end < 0) throw damaged();
    const word = bytes.toString('latin1', at, end);
    at = end + 1;
    return word;
  };
  while (at < bytes.length) {
    const path = text() as RepoPath;
    const modes = [text(), text(), text()].map((word) => {
      if (!/^[0-7]{1,7}$/.test(word)) throw damaged();
      return Number.parseInt(word, 8);
    });
    found.set(path, modes.map((mode) => {
      if (mode === 0) return undefined;
      if (at + rawSize(format) > bytes.length) throw damaged();
      const id = decodeObjectId(bytes, at, format);
      at += rawSize(format);
      return { mode, id };
    }));
  }
  return found;
}

function damaged(): CorruptError {
  return new CorruptError('the index is damaged: its record of resolved paths is cut short', { code: 'bad-index' });
}

export function encodeResolveUndo(resolved: ResolveUndo): Buffer {
  const paths = [...resolved.keys()].sort();
  return Buffer.concat(paths.flatMap((path) => {
    const stages = resolved.get(path)!;
    const modes = stages.map((stage) => `${(stage?.mode ?? 0).toString(8)}\0`).join('');
    return [Buffer.from(`${path}\0${modes}`, 'latin1'), ...stages.flatMap((stage) => (stage === undefined ? [] : [encodeObjectId(stage.id)]))];
  }));
}
