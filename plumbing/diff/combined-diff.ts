// The difference of a merge from all its parents at once: a column of signs per parent, and only what no parent has as it is.
//
// A file is shown when it differs from every parent. 'dense' leaves out hunks that are equal to one of them. Lines lost from several
// parents are shown once, with a sign for each. Specified by "COMBINED DIFF FORMAT" of git-diff(1).
import { InvalidError } from '../../pack/errors.js';
import type { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId } from '../../pack/oid.js';
import { formatMode } from '../../pack/tree.js';
import { readSide } from './diff-content.js';
import { type DiffEntry, type DiffSide, diffTrees, statusOf } from './diff.js';
import { type DiffColors, type DiffFormatOptions, DiffWriter, type Sink } from './diff-format.js';
import type { DiffRequest } from './diff-options.js';
import type { Pathspec } from '../pathspec.js';
import { quotePath } from '../quote.js';
import type { Repository } from '../repository.js';
import { type Lines, diffLines, isBinary, splitLines } from './text-diff.js';

export interface CombinedOptions {
  /** Only hunks that differ from all parents. */
  readonly dense: boolean;
  readonly format: DiffFormatOptions;
  readonly request: DiffRequest;
  readonly pathspec?: Pathspec;
  readonly colors?: DiffColors;
}

/** A path that differs from every parent. */
export interface CombinedPath {
  readonly path: string;
  readonly parents: readonly DiffSide[];
  readonly result: DiffSide;
  readonly statuses: readonly string[];
  /** Where it was in each parent, when that was asked for. */
  readonly parentPaths?: readonly string[];
}

/** The paths of `tree` that differ from every tree of `parents`, after filters and renames when the request has some. */
export function listCombined(store: ObjectStore, tree: ObjectId, parents: readonly ObjectId[], options: Pick<CombinedOptions, 'pathspec' | 'request' | 'format'>): CombinedPath[] {
  const { pathspec, request, format } = options;
  const isFiltered = !request.isReversed && (request.filter !== undefined || request.pickaxe !== undefined || request.renames !== undefined);
  const lists = parents.map((parent) => {
    const entries = diffTrees(store, parent, tree, { recursive: true, ...(pathspec === undefined ? {} : { pathspec }) });
    return new Map((isFiltered ? request.finish(entries) : entries).map((entry) => [entry.path as string, entry]));
  });
  const [first, ...others] = lists;
  if (first === undefined) return [];
  const result: CombinedPath[] = [];
  for (const [path, entry] of first) {
    const entries = [entry, ...others.map((list) => list.get(path))];
    if (!entries.every((each): each is DiffEntry => each !== undefined)) continue;
    const statuses = entries.map(({ old, new: now, status }) => (isFiltered ? status : statusOf(old, now)));
    result.push({
      path, parents: entries.map(({ old }) => old), result: entry.new, statuses,
      ...(format.allPaths ? { parentPaths: entries.map(({ oldPath }) => oldPath ?? path) } : {}),
    });
  }
  return result;
}

function refuseLinePatterns({ format }: CombinedOptions): void {
  if ((format.text?.ignoreLines?.length ?? 0) > 0) throw new InvalidError("combined diff and '--ignore-matching-lines' cannot be used together", { code: 'bad-options' });
}

/** Everything the format asks for, of a merge. */
export function formatCombined(repository: Repository, tree: ObjectId, parents: readonly ObjectId[], options: CombinedOptions): string {
  const store = repository.objects;
  const { format } = options;
  refuseLinePatterns(options);
  const paths = listCombined(store, tree, parents, options);
  let text = formatRawCombined(store, paths, options);
  let sections = text === '' ? 0 : 1;
  if (format.stat || format.numstat || format.shortstat || format.summary) {
    const entries = options.request.finish(diffTrees(store, parents[0], tree, { recursive: true, ...(options.pathspec === undefined ? {} : { pathspec: options.pathspec }) }));
    new DiffWriter(store, { ...format, raw: false, nameOnly: false, nameStatus: false, patch: false }, (piece) => { text += piece; }).write(entries);
    if (entries.length > 0) sections += 1;
  }
  if (format.patch) {
    const patches = paths.map((each) => formatCombinedPath(store, each, options)).join('');
    if (patches !== '') text += (sections > 0 ? '\n' : '') + patches;
  }
  return withPrefix(text, format);
}

function withPrefix(text: string, { linePrefix }: DiffFormatOptions): string {
  return linePrefix === undefined ? text : text.replace(/[^\n]*\n/g, (line) => linePrefix() + line);
}

/** Paths compared one by one with several sides: a raw line or a patch for each. */
export function formatCombinedEntries(store: ObjectStore, paths: readonly CombinedPath[], options: CombinedOptions, sink: Sink): void {
  refuseLinePatterns(options);
  for (const path of paths) {
    const raw = formatRawCombined(store, [path], options);
    sink(withPrefix(raw !== '' || !options.format.patch ? raw : formatCombinedPath(store, path, options), options.format));
  }
}

/** Lines of modes, ids and statuses, or of names; '' when the format asks for none. */
function formatRawCombined(store: ObjectStore, paths: readonly CombinedPath[], options: CombinedOptions): string {
  const { format } = options;
  if (!format.raw && !format.nameOnly && !format.nameStatus) return '';
  const quote = (path: string): string => (format.nul ? path : quotePath(path, { quotePath: format.quotePath ?? true }));
  const end = format.nul ? '\0' : '\n';
  const short = (id: ObjectId): string => {
    const digits = format.rawAbbreviation;
    if (digits === undefined) return id;
    return /^0+$/.test(id) ? id.slice(0, digits) : store.abbreviate(id, digits);
  };
  let text = '';
  for (const { path, parents, result, statuses, parentPaths } of paths) {
    const sides = [...parents, result];
    if (format.raw) text += `${':'.repeat(parents.length)}${sides.map(({ mode }) => formatMode(mode)).join(' ')} ${sides.map(({ id }) => short(id)).join(' ')} `;
    if (format.raw || format.nameStatus) text += `${statuses.join('')}${format.nul ? '\0' : '\t'}`;
    if (parentPaths !== undefined && (format.raw || format.nameStatus)) text += parentPaths.map((each) => quote(each) + (format.nul ? '\0' : '\t')).join('');
    text += `${quote(path)}${end}`;
  }
  return text;
}

const isLinkOrFile = (mode: number): boolean => mode === 0 || (mode & 0o170000) !== 0o040000;

/** A line of the result, and the lines lost before it. */
interface CombinedLine {
  /** Bit per parent that does not have this line. */
  added: number;
  lost: LostLine[];
  isInteresting: boolean;
}

interface LostLine { readonly text: string; mask: number }

/** The patch of one path; '' when nothing of it is to be shown. */
export function formatCombinedPath(store: ObjectStore, each: CombinedPath, options: CombinedOptions): string {
  const { format, dense, colors } = options;
  if (![each.result, ...each.parents].every(({ mode }) => isLinkOrFile(mode))) return '';
  const { programs } = format;
  const read = (side: DiffSide): Buffer => programs?.read(each.path, side) ?? readSide(store, side);
  const contents = each.parents.map(read);
  const result = read(each.result);
  const isBin = !format.allText && !programs?.converts(each.path, each.result) && [result, ...contents].some(isBinary);
  const modeDiffers = each.parents.some(({ mode }) => mode !== each.result.mode);
  let body = '';
  if (!isBin) {
    body = hunks(contents.map(splitLines), splitLines(result), options, each.parents);
    // Of a file of the work tree at least the names are shown.
    if (body === '' && !modeDiffers && each.result.content === undefined) return '';
  }
  const paint = (line: string): string => (colors === undefined ? `${line}\n` : `${colors.meta}${line}${colors.reset}\n`);
  const quote = (path: string): string => quotePath(path, { quotePath: format.quotePath ?? true });
  const short = (id: ObjectId): string => {
    const digits = format.indexAbbreviation;
    return digits === undefined ? id : /^0+$/.test(id) ? id.slice(0, digits) : store.abbreviate(id, digits);
  };
  let text = paint(`diff --${dense ? 'cc' : 'combined'} ${quote(each.path)}`);
  text += paint(`index ${each.parents.map(({ id }) => short(id)).join(',')}..${short(each.result.id)}`);
  const isNew = each.parents.every(({ mode }) => mode === 0);
  if (modeDiffers) {
    if (isNew) text += paint(`new file mode ${formatMode(each.result.mode)}`);
    else {
      const isGone = each.result.mode === 0;
      text += paint(`${isGone ? 'deleted file ' : ''}mode ${each.parents.map(({ mode }) => formatMode(mode)).join(',')}${isGone ? '' : `..${formatMode(each.result.mode)}`}`);
    }
  }
  if (isBin) return `${text}Binary files differ\n`;
  if (body === '' && each.result.content === undefined) return text;
  // Swapping old and new means nothing here.
  const [before, after] = options.request.isReversed ? [format.newPrefix, format.oldPrefix] : [format.oldPrefix, format.newPrefix];
  if (each.parentPaths === undefined) text += paint(`--- ${isNew ? '/dev/null' : quote(before + each.path)}`);
  else for (const [at, name] of each.parentPaths.entries()) text += paint(`--- ${each.parents[at]!.mode === 0 ? '/dev/null' : quote(before + name)}`);
  text += paint(`+++ ${each.result.mode === 0 ? '/dev/null' : quote(after + each.path)}`);
  return text + body;
}

function hunks(parents: readonly Lines[], result: Lines, options: CombinedOptions, sides: readonly DiffSide[]): string {
  const lines: CombinedLine[] = [];
  for (let at = 0; at <= result.count; at += 1) lines.push({ added: 0, lost: [], isInteresting: false });
  const plain = (from: Lines, at: number): string => from.bytes.toString('latin1', from.starts[at]!, from.starts[at + 1]!).replace(/\n$/, '');
  /** For each parent, the number of its line at each line of the result. */
  const places = parents.map(() => new Int32Array(result.count + 2));
  for (const [index, parent] of parents.entries()) {
    const twin = sides.findIndex((side, other) => other < index && side.id === sides[index]!.id && side.mode === sides[index]!.mode);
    const bit = 1 << index;
    for (const change of diffLines(parent, result, options.format.text)) {
      const lost: string[] = [];
      for (let at = 0; at < change.oldCount; at += 1) lost.push(plain(parent, change.oldAt + at));
      const line = lines[change.newAt]!;
      if (lost.length > 0) {
        if (twin >= 0) for (const each of line.lost) each.mask |= (each.mask >> twin) & 1 ? bit : 0;
        else line.lost = mergeLost(line.lost, lost, bit);
      }
      for (let at = 0; at < change.newCount; at += 1) lines[change.newAt + at]!.added |= bit;
    }
    let number = 1;
    for (let at = 0; at <= result.count; at += 1) {
      places[index]![at] = number;
      for (const { mask } of lines[at]!.lost) if (mask & bit) number += 1;
      if (at < result.count && !(lines[at]!.added & bit)) number += 1;
    }
    places[index]![result.count + 1] = number;
  }
  mark(lines, result.count, parents.length, options);
  return print(lines, result, places, parents.length, options, plain);
}

/** Joins the lines one more parent lost with those known, by their longest common subsequence. */
function mergeLost(known: readonly LostLine[], more: readonly string[], bit: number): LostLine[] {
  const rows = known.length;
  const columns = more.length;
  const best: number[][] = Array.from({ length: rows + 1 }, () => new Array<number>(columns + 1).fill(0));
  for (let row = 1; row <= rows; row += 1) {
    for (let column = 1; column <= columns; column += 1) {
      best[row]![column] = known[row - 1]!.text === more[column - 1]
        ? best[row - 1]![column - 1]! + 1 : Math.max(best[row - 1]![column]!, best[row]![column - 1]!);
    }
  }
  const merged: LostLine[] = [];
  let [row, column] = [rows, columns];
  while (row > 0 || column > 0) {
    if (row > 0 && column > 0 && known[row - 1]!.text === more[column - 1]) {
      merged.push({ text: known[row - 1]!.text, mask: known[row - 1]!.mask | bit });
      row -= 1;
      column -= 1;
    } else if (column > 0 && (row === 0 || best[row]![column - 1]! >= best[row - 1]![column]!)) {
      merged.push({ text: more[column - 1]!, mask: bit });
      column -= 1;
    } else {
      merged.push(known[row - 1]!);
      row -= 1;
    }
  }
  return merged.reverse();
}

/** Decides which lines are shown: changed ones, in dense mode only of hunks no parent has as they are; and context around them. */
function mark(lines: CombinedLine[], count: number, parents: number, options: CombinedOptions): void {
  const all = (1 << parents) - 1;
  for (const line of lines) line.isInteresting = (line.added & all) !== 0 || line.lost.length > 0;
  const { context } = options.format;
  if (options.dense) {
    let at = 0;
    while (at <= count) {
      while (at <= count && !lines[at]!.isInteresting) at += 1;
      if (at > count) break;
      const begin = at;
      // Changes this near to each other are one hunk.
      let end = at + 1;
      for (let place = at + 1, quiet = 0; place <= count; place += 1) {
        if (lines[place]!.isInteresting) {
          end = place + 1;
          quiet = 0;
        } else if ((quiet += 1) > context * 2) break;
      }
      let same: number | undefined;
      let differs = false;
      const look = (mask: number): void => {
        if (mask === 0 || differs) return;
        if (same === undefined) same = mask;
        else if (same !== mask) differs = true;
      };
      for (let place = begin; place < end; place += 1) {
        look(lines[place]!.added & all);
        for (const { mask } of lines[place]!.lost) look(mask);
      }
      // All its changes are from the same parents, and there is another parent that agrees with the result.
      if (!differs && same !== all) for (let place = begin; place < end; place += 1) lines[place]!.isInteresting = false;
      at = end;
    }
  }
  const shown = lines.map(({ isInteresting }) => isInteresting);
  for (let at = 0; at <= count; at += 1) {
    if (!shown[at]) continue;
    // Context after lines that were only lost begins one line earlier.
    const after = (lines[at]!.added & all) === 0 && lines[at]!.lost.length > 0 ? context - 1 : context;
    for (let place = Math.max(at - context, 0); place <= Math.min(at + Math.max(after, 0), count); place += 1) lines[place]!.isInteresting = true;
  }
}

function print(
  lines: readonly CombinedLine[], result: Lines, places: readonly Int32Array[], parents: number, options: CombinedOptions, plain: (from: Lines, at: number) => string,
): string {
  const { colors } = options;
  const paint = (color: string | undefined, text: string): string => (colors === undefined ? `${text}\n` : `${color ?? ''}${text}${colors.reset}\n`);
  let text = '';
  const count = result.count;
  let at = 0;
  for (;;) {
    const skippedFrom = at;
    while (at <= count && !lines[at]!.isInteresting) at += 1;
    if (at > count) break;
    let end = at + 1;
    while (end <= count && lines[end]!.isInteresting) end += 1;
    const resultLines = Math.min(end, count) - at;
    const marks = '@'.repeat(parents + 1);
    let header = marks;
    for (let index = 0; index < parents; index += 1) {
      const from = places[index]![at]!;
      header += ` -${from},${places[index]![end > count ? count + 1 : end]! - from}`;
    }
    header += ` +${at + 1},${resultLines} ${marks}`;
    text += paintHeading(header, heading(result, skippedFrom, at, plain), colors);
    for (; at < end; at += 1) {
      const line = lines[at]!;
      for (const lost of line.lost) {
        let signs = '';
        for (let index = 0; index < parents; index += 1) signs += lost.mask & (1 << index) ? '-' : ' ';
        text += paint(colors?.old, signs + lost.text);
      }
      if (at >= count) continue;
      let signs = '';
      for (let index = 0; index < parents; index += 1) signs += line.added & (1 << index) ? '+' : ' ';
      text += paint(line.added === 0 ? colors?.context : colors?.new, signs + plain(result, at));
    }
  }
  return text;
}

function paintHeading(header: string, name: string, colors: DiffColors | undefined): string {
  if (colors === undefined) return `${header}${name === '' ? '' : ` ${name}`}\n`;
  return `${colors.frag}${header}${colors.reset}${name === '' ? '' : `${colors.context} ${colors.reset}${colors.func}${name}${colors.reset}`}\n`;
}

/** The last of the lines left out that begins like a definition; as git prints it here, without its last character. */
function heading(result: Lines, from: number, before: number, plain: (from: Lines, at: number) => string): string {
  for (let at = Math.min(before, result.count) - 1; at >= from; at -= 1) {
    const line = plain(result, at);
    if (/^[A-Za-z_$]/.test(line)) return line.slice(0, 40).trimEnd().slice(0, -1);
  }
  return '';
}
