// rev-list: the ids of commits that can be reached, and with --objects of all else. See git-rev-list(1).
import { InvalidError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { type Bisection, estimateSteps } from '../history/bisection.js';
import type { Arguments, Command, Context } from '../command.js';
import { CommitLines } from '../history/commit-lines.js';
import { Decorations } from '../history/decorations.js';
import type { CommitNode } from '../history/history.js';
import { type ObjectFilter, combineObjectFilters, parseObjectFilter } from '../history/object-filter.js';
import { type ListedItem, ObjectListing, type ObjectListingOptions } from '../history/object-listing.js';
import { OutputPage } from '../output-page.js';
import { patchKeyOf } from '../diff/patch-key.js';
import { listReflogCommits } from '../history/reflog-walk.js';
import { Repository } from '../repository.js';
import { storedSize } from '../objects/stored-object.js';
import { RevWalk } from '../history/walk.js';
import { flag } from '../history/walk-flag.js';
import { type WalkRequest, parseWalk, walkOptions } from '../history/walk-options.js';

export const command: Command = {
  name: 'rev-list',
  family: 'git',
  summary: 'list commits that can be reached, newest first',
  usage: ['rev-list [<options>] <commit>... [--] [<path>...]'],
  numeric: true,
  options: [
    ...walkOptions,
    { name: 'count', help: 'print only how many there are' },
    { name: 'objects', help: 'list trees and blobs too' },
    { name: 'objects-edge', help: 'like --objects, with the excluded commits at the border, marked -' },
    { name: 'objects-edge-aggressive', help: 'like --objects-edge, with all excluded commits that were named' },
    { name: 'verify-objects', help: 'like --objects, every object read and verified' },
    { name: 'no-object-names', help: 'with --objects: no paths' },
    { name: 'object-names', help: 'with --objects: paths (the default)' },
    { name: 'in-commit-order', help: 'with --objects: trees and blobs after the first commit that has them' },
    { name: 'timestamp', help: 'print the time before each id' },
    { name: 'header', help: 'print the commits themselves, with NUL between them' },
    { name: 'pretty', value: 'format', valueOptional: true, help: 'print the commits in a format' },
    { name: 'format', value: 'format', help: 'same as --pretty' },
    { name: 'commit-header', negatable: true, help: 'print a line with the id before a format (the default)' },
    { name: 'oneline', help: 'one line for each commit, ids abbreviated' },
    { name: 'abbrev-commit', negatable: true, help: 'abbreviate ids' },
    { name: 'abbrev', value: 'n', valueOptional: true, negatable: true, help: 'digits of abbreviated ids' },
    { name: 'date', value: 'mode', help: 'how dates are shown' },
    { name: 'relative-date', help: 'same as --date=relative' },
    { name: 'encoding', value: 'name', help: 'encoding of messages' },
    { name: 'color', value: 'when', valueOptional: true, negatable: true, help: 'colours in formats: always, never or auto' },
    { name: 'z', short: 'z', help: 'accepted; lines end as they do without' },
    { name: 'show-linear-break', value: 'bar', valueOptional: true, help: 'accepted; no bars are shown' },
    { name: 'quiet', help: 'print nothing; only the exit code counts' },
    { name: 'disk-usage', value: 'kind', valueOptional: true, help: 'print only how many bytes they take on disk' },
    { name: 'use-bitmap-index', help: 'accepted; the result is the same without' },
    { name: 'filter', value: 'spec', valueOptional: true, negatable: true, help: 'with --objects: leave out blob:none, blob:limit=n, tree:depth, all but object:type=t, or combine: several' },
    { name: 'filter-provided-objects', help: 'filter what was named, too' },
    { name: 'filter-print-omitted', help: 'print what the filter left out, marked ~' },
    { name: 'missing', value: 'action', help: 'with --objects: error, allow-any or print (marked ?) what is not there' },
    { name: 'bisect-vars', help: 'print the commit that halves the others, and numbers, for a shell to read' },
    { name: 'bisect-all', help: 'print all commits, those nearest to the middle first' },
    { name: 'expand-tabs', value: 'columns', valueOptional: true, negatable: true, help: 'accepted; tabs are always shown as they are' },
    { name: 'show-signature', negatable: true, help: 'accepted; signatures are not shown' },
    { name: 'notes', value: 'ref', valueOptional: true, negatable: true, help: 'only as --no-notes: notes are not shown' },
    { name: 'progress', value: 'title', help: 'accepted; nothing is shown on the way' },
  ],
  run(context: Context, args: Arguments): number {
    const repository = Repository.open(context);
    checkCombinations(args);
    const request = parseWalk(repository, args, { late: new Set() });
    if (!request.set.isGiven && !args.has('stdin') && !wantsObjects(args)) throw new UsageError('no revision is given');
    const page = new OutputPage(context.stdout);
    try {
      return run(repository, args, request, page);
    } finally {
      // What was found before an error is told, too.
      page.flush();
    }
  },
};

function run(repository: Repository, args: Arguments, request: WalkRequest, page: OutputPage): number {
  const decorations = new Decorations(repository, { include: [], exclude: [], everything: true });
  const isBisected = args.has('bisect') || args.has('bisect-vars') || args.has('bisect-all');
  const report = new Report(repository, args, page);
  if (request.isReflogWalk) {
    if (args.has('objects') || args.has('objects-edge')) throw new InvalidError('cannot combine --walk-reflogs with --objects', { code: 'bad-options' });
    const lines = new CommitLines(repository, args, decorations);
    for (const { node, reflog } of listReflogCommits(repository, request, undefined)) report.add(node, () => lines.format(node, reflog));
  } else {
    const walk = new RevWalk(repository, request.set.commits, {
      ...request.options, ...(isBisected ? { limited: true } : {}), keep: CommitLines.needsContent(args) ? 'contents' : undefined,
      ...(request.options.cherry === undefined ? {} : { patchKey: patchKeyOf(repository, request.options.pathspec) }),
    });
    const found = isBisected ? walk.bisect({ all: args.has('bisect-all') }) : undefined;
    for (const [commit, distance] of found?.distances ?? []) decorations.addName(walk.history.nodeOf(commit).id, `dist=${distance}`);
    if (args.has('bisect-vars') && found === undefined) return 1;
    if (found !== undefined && args.has('bisect-vars') && !args.has('bisect-all')) page.text(bisectionVariables(walk, found));
    else list(repository, request, args, walk, report, new CommitLines(repository, args, decorations, walk), page);
    if (found !== undefined && args.has('bisect-vars') && args.has('bisect-all')) page.text(`------\n${bisectionVariables(walk, found)}`);
  }
  report.finish();
  return 0;
}

function checkCombinations(args: Arguments): void {
  if (args.flag('notes') === true) throw new InvalidError('rev-list does not support display of notes', { code: 'bad-options' });
  if (args.has('filter') && !wantsObjects(args)) throw new InvalidError('object filtering requires --objects', { code: 'bad-options' });
  const usage = args.value('disk-usage');
  if (usage !== undefined && usage !== 'human') throw new InvalidError(`invalid value for '--disk-usage=<format>': '${usage}', the only allowed format is 'human'`, { code: 'bad-options' });
}

function wantsObjects(args: Arguments): boolean {
  return args.has('objects') || args.has('verify-objects') || args.has('objects-edge') || args.has('objects-edge-aggressive');
}

/** What is counted, measured or written of commits and objects. */
class Report {
  readonly #repository: Repository;
  readonly #page: OutputPage;
  readonly #args: Arguments;
  readonly #measures: boolean;
  readonly #counts: boolean;
  readonly #isQuiet: boolean;
  #bytes = 0;
  #left = 0;
  #right = 0;
  #same = 0;

  constructor(repository: Repository, args: Arguments, page: OutputPage) {
    this.#repository = repository;
    this.#args = args;
    this.#page = page;
    this.#measures = args.has('disk-usage');
    this.#counts = args.has('count');
    this.#isQuiet = this.#measures || args.has('quiet');
  }

  /** What is written need not be made when nothing is. */
  get isSilent(): boolean {
    return this.#isQuiet || this.#counts;
  }

  add(node: CommitNode, text: () => string): void {
    if (this.#measures) this.#measure(node.id);
    if (this.#isQuiet) return;
    if (!this.#counts) this.#page.text(text());
    else if (node.flags & flag.patchSame) this.#same += 1;
    else if (node.flags & flag.left) this.#left += 1;
    else this.#right += 1;
  }

  addObject(id: ObjectId, text: string): void {
    if (this.#measures) this.#measure(id);
    if (this.#isQuiet) return;
    if (this.#counts) this.#right += 1;
    else this.#page.text(text);
  }

  /** Of everything the walk would give, when that is known without walking. */
  addCount(count: number): void {
    this.#right += count;
  }

  finish(): void {
    const args = this.#args;
    if (this.#measures) this.#page.text(args.value('disk-usage') === 'human' ? `${humanSize(this.#bytes)}\n` : `${this.#bytes}\n`);
    if (!this.#counts) return;
    const sides = args.has('left-right') ? [this.#left, this.#right] : [this.#left + this.#right];
    const isSame = args.has('cherry-mark') || args.has('cherry');
    if (!isSame) sides[sides.length - 1]! += this.#same;
    this.#page.text(`${[...sides, ...(isSame ? [this.#same] : [])].join('\t')}\n`);
  }

  #measure(id: ObjectId): void {
    if (this.#repository.objects.locate(id) !== undefined) this.#bytes += storedSize(this.#repository, id);
  }
}

function list(repository: Repository, request: WalkRequest, args: Arguments, walk: RevWalk, report: Report, lines: CommitLines, page: OutputPage): void {
  if (wantsObjects(args)) {
    listObjects(repository, request, args, walk, report, lines, page);
    return;
  }
  const known = args.has('count') && !args.has('disk-usage') && !args.has('quiet') && !args.has('left-right') ? walk.findCount() : undefined;
  if (known !== undefined) {
    report.addCount(known);
    return;
  }
  if (!report.isSilent && lines.isBare && walk.printLines({ terminator: 0x0a, write: (bytes) => page.bytes(bytes) })) return;
  for (const node of walk) {
    if (report.isSilent || !lines.isPlain(node)) {
      report.add(node, () => lines.format(node));
    } else {
      node.putId(page);
      page.byte(0x0a);
    }
  }
}

function listObjects(repository: Repository, request: WalkRequest, args: Arguments, walk: RevWalk, report: Report, lines: CommitLines, page: OutputPage): void {
  const listing = new ObjectListing(repository, walk, request.set.tips, listingOptions(request, args));
  const showsNames = args.lastOf('object-names', 'no-object-names') !== 'no-object-names';
  const verifies = args.has('verify-objects');
  const show = (item: ListedItem): void => {
    if (verifies && item.kind !== 'edge') repository.objects.read(item.kind === 'commit' ? item.node.id : item.id);
    if (item.kind === 'commit') report.add(item.node, () => lines.format(item.node));
    else if (item.kind === 'object') report.addObject(item.id, showsNames ? `${item.id} ${item.path.replace(/\n[^]*$/, '')}\n` : `${item.id}\n`);
    else page.text(`-${item.id}\n`);
  };
  const printsAll = !verifies && !report.isSilent && lines.isBare && showsNames && listing.printAll({ terminator: 0x0a, write: (bytes) => page.bytes(bytes) }, show);
  if (!printsAll) for (const item of listing.list()) show(item);
  if (args.has('filter-print-omitted')) for (const id of listing.omitted()) page.text(`~${id}\n`);
  for (const id of listing.missing()) page.text(`?${id}\n`);
}

/** Of several filters all count; --no-filter forgets those before it. */
function filterOf(args: Arguments): ObjectFilter | undefined {
  if (args.flag('filter') === true && args.value('filter') === undefined) throw new InvalidError('--filter needs a specification', { code: 'bad-filter' });
  return combineObjectFilters(args.values('filter').map(parseObjectFilter));
}

function listingOptions({ options }: WalkRequest, args: Arguments): ObjectListingOptions {
  const missing = args.value('missing');
  if (missing === 'allow-promisor') throw new UsageError('--missing=allow-promisor is not supported');
  return {
    filter: filterOf(args), filtersNamed: args.has('filter-provided-objects'), recordsOmitted: args.has('filter-print-omitted'),
    missing: missing === 'allow-any' ? 'allow' : missing === 'print' ? 'record' : 'error',
    edges: args.has('objects-edge-aggressive') ? 'all' : args.has('objects-edge') ? 'bordering' : 'none',
    inCommitOrder: args.has('in-commit-order'), pathspec: options.pathspec,
  };
}

/** What --bisect-vars prints, to be read by a shell. */
function bisectionVariables(walk: RevWalk, { commits, reaches, total }: Bisection): string {
  const left = Math.max(reaches, total - reaches);
  return [
    `bisect_rev='${walk.history.nodeOf(commits[0]!).id}'`, `bisect_nr=${left - 1}`, `bisect_good=${total - reaches - 1}`, `bisect_bad=${reaches - 1}`,
    `bisect_all=${total}`, `bisect_steps=${estimateSteps(total)}`,
  ].map((line) => `${line}\n`).join('');
}

function humanSize(bytes: number): string {
  const units: readonly (readonly [number, string])[] = [[2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']];
  for (const [size, name] of units) if (bytes > size) return `${(bytes / size).toFixed(2)} ${name}`;
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}
