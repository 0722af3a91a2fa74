// The merge of three versions of one file's content, as the attribute `merge` of its path says: as text, as something that cannot be
// merged, keeping both, or by a program. Specified by gitattributes(5), "Performing a three-way merge".
import { RefusedError } from '../../pack/errors.js';
import { Attributes } from '../content/attributes.js';
import type { Repository } from '../repository.js';
import { isBinary } from '../diff/text-diff.js';
import { mergeByProgram } from './merge-program.js';
import { type ConflictStyle, type TextMergeOptions, mergeTexts } from './text-merge.js';

export interface ContentVersions {
  readonly base: Buffer;
  readonly ours: Buffer;
  readonly theirs: Buffer;
}

export interface ContentMergeOptions {
  /** The path whose attributes count. */
  readonly path: string;
  readonly labels: NonNullable<TextMergeOptions['labels']>;
  /** Added to the length of conflict markers: what is merged may hold markers already. */
  readonly extraMarkerSize: number;
  /** The result is the base of another merge. */
  readonly isVirtualBase: boolean;
  readonly favor?: 'ours' | 'theirs';
  readonly algorithm?: TextMergeOptions['algorithm'];
  readonly text?: TextMergeOptions['text'];
}

export interface ContentMergeResult {
  readonly bytes: Buffer;
  /** 'binary': one side was taken as it is. */
  readonly outcome: 'clean' | 'conflict' | 'binary';
}

const defaultMarkerSize = 7;

/** Merges contents by the rules of a repository. */
export class ContentMerger {
  readonly #repository: Repository;
  readonly #style: ConflictStyle;
  #attributes: Attributes | undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
    const style = repository.config.get('merge.conflictstyle');
    this.#style = style === 'diff3' || style === 'zdiff3' ? style : 'merge';
  }

  merge(versions: ContentVersions, options: ContentMergeOptions): ContentMergeResult {
    const { path, labels, favor } = options;
    const { driver, program } = this.#driverOf(path, options.isVirtualBase);
    const { base, ours, theirs } = versions;
    const markerSize = this.#markerSizeOf(path) + options.extraMarkerSize;
    if (program !== undefined) return mergeByProgram(this.#repository, program, versions, path, markerSize);
    if (driver === 'binary' || [base, ours, theirs].some(isBinary)) {
      if (options.isVirtualBase) return { bytes: base, outcome: 'clean' };
      if (favor !== undefined) return { bytes: favor === 'ours' ? ours : theirs, outcome: 'clean' };
      return { bytes: ours, outcome: 'binary' };
    }
    const chosen = driver === 'union' ? 'union' as const : favor;
    const { bytes, conflicts } = mergeTexts(base, ours, theirs, {
      labels, style: this.#style, algorithm: options.algorithm ?? 'histogram', markerSize, ...(options.text === undefined ? {} : { text: options.text }),
      ...(chosen === undefined ? {} : { favor: chosen }),
    });
    return { bytes, outcome: conflicts > 0 ? 'conflict' : 'clean' };
  }

  #attribute(path: string, name: string): string | boolean | undefined {
    if (this.#repository.isBare) return undefined;
    this.#attributes ??= Attributes.load(this.#repository);
    return this.#attributes.find(path).get(name);
  }

  #driverOf(path: string, isVirtualBase: boolean): { readonly driver: 'text' | 'binary' | 'union'; readonly program?: string } {
    const { config } = this.#repository;
    const value = this.#attribute(path, 'merge') ?? config.get('merge.default') ?? true;
    if (typeof value === 'boolean') return { driver: value ? 'text' : 'binary' };
    const recursive = isVirtualBase ? config.get(`merge.${value}.recursive`) : undefined;
    const name = recursive ?? value;
    const program = config.get(`merge.${name}.driver`);
    if (program === '' || program === undefined && (config.get(`merge.${name}.name`) ?? config.get(`merge.${name}.recursive`)) !== undefined) {
      throw new RefusedError(`custom merge driver ${name} lacks command line`, { code: 'no-merge-program' });
    }
    return { driver: name === 'binary' || name === 'union' ? name : 'text', ...(program === undefined ? {} : { program }) };
  }

  #markerSizeOf(path: string): number {
    const size = this.#attribute(path, 'conflict-marker-size');
    const number = typeof size === 'string' ? Number.parseInt(size, 10) : 0;
    return number > 0 ? number : defaultMarkerSize;
  }
}
