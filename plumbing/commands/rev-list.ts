// rev-list: the ids of commits that can be reached, and with --objects of all else. See git-rev-list(1).
import { statSync } from 'node:fs';
import { RefusedError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import type { Arguments, Command, Context } from '../command.js';
import { parseDateMode } from '../date.js';
import { CommitFormat, defaultAbbreviation, parsePrettyFormat } from '../format.js';
import { HistoryGraph } from '../graph.js';
import type { CommitNode } from '../history.js';
import { commitMark } from '../commit-mark.js';
import { type ListedObject, ObjectLister } from '../object-walk.js';
import { NodeView } from '../node-view.js';
import { OutputPage } from '../output-page.js';
import { patchKeyOf } from '../patch-key.js';
import { Repository } from '../repository.js';
import { RevWalk } from '../walk.js';
import { flag } from '../walk-flag.js';
import { parseWalk, walkOptions } from '../walk-options.js';
import { listReflogCommits } from '../reflog-walk.js';

interface Printing {
  readonly repository: Repository;
  readonly args: Arguments;
  readonly format: CommitFormat | undefined;
  readonly graph: HistoryGraph | undefined;
  readonly digits: number | undefined;
  readonly walk: RevWalk | undefined;
}

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
    { name: 'encoding', value: 'name', help: 'encoding of messages' },
    { name: 'quiet', help: 'print nothing; only the exit code counts' },
    { name: 'disk-usage', value: 'kind', valueOptional: true, help: 'print only how many bytes they take on disk' },
    { name: 'use-bitmap-index', help: 'accepted; the result is the same without' },
    { name: 'filter', value: 'spec', help: 'not supported', hidden: true },
  ],
  run(context: Context, args: Arguments): number {
    if (args.has('filter')) throw new RefusedError('--filter is not supported', { code: 'no-filter' });
    const repository = Repository.open(context);
    const request = parseWalk(repository, args);
    if (!request.set.isGiven && !args.has('stdin')) throw new UsageError('no revision is given');
    const wantsObjects = args.has('objects') || args.has('objects-edge');
    const format = formatOf(repository, args);
    const options = {
      ...request.options, keep: format === undefined ? undefined : 'contents' as const,
      ...(request.options.cherry === undefined ? {} : { patchKey: patchKeyOf(repository) }),
    };
    const printing = { repository, args, format, digits: digitsOf(repository, args) };
    if (request.isReflogWalk) {
      for (const { node } of listReflogCommits(repository, request, undefined)) context.stdout.write(latin1(`${formatCommit(node, { ...printing, graph: undefined, walk: undefined })}`));
      return 0;
    }
    const walk = new RevWalk(repository, request.set.commits, options);
    const graph = request.isGraph ? new HistoryGraph({
      isShown: (node) => walk.willShow(node), mark: (node) => commitMark(node, { graph: true, leftRight: args.has('left-right'), cherryMark: args.has('cherry-mark') }),
      firstParent: args.has('first-parent'), colors: [], reset: '',
    }) : undefined;
    if (args.has('count')) return printCount(context, walk, args);
    if (wantsObjects || args.has('disk-usage')) return listAll(context, walk, request.set.tips, { ...printing, graph, walk });
    const isQuiet = args.has('quiet');
    const whole = { ...printing, graph, walk };
    const isPlain = format === undefined && graph === undefined && printing.digits === undefined && !decorating.some((name) => args.has(name));
    const page = new OutputPage(context.stdout);
    for (const node of walk) {
      if (isQuiet) continue;
      if (isPlain && (node.flags & marked) === 0) {
        node.putId(page);
        page.byte(0x0a);
      } else {
        page.text(formatCommit(node, whole));
      }
    }
    page.flush();
    return 0;
  },
};

/** Options that put something beside the ids. */
const decorating = ['timestamp', 'parents', 'children', 'header', 'left-right', 'cherry-mark', 'cherry'];
/** Commits with these have a mark in any case. */
const marked = flag.boundary | flag.uninteresting | flag.patchSame;

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

function digitsOf(repository: Repository, args: Arguments): number | undefined {
  if (!(args.flag('abbrev-commit') ?? args.has('oneline')) || args.flag('abbrev') === false) return undefined;
  const typed = args.value('abbrev');
  return typed === undefined ? defaultAbbreviation(repository) : Math.max(Number.parseInt(typed, 10) || 0, 4);
}

function formatOf(repository: Repository, args: Arguments): CommitFormat | undefined {
  let text: string | undefined;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'pretty' || token.name === 'format') text = token.value ?? 'medium';
    if (token.name === 'oneline') text = 'oneline';
  }
  if (text === undefined) return undefined;
  const encoding = args.value('encoding') ?? repository.config.get('i18n.logoutputencoding');
  return new CommitFormat(parsePrettyFormat(text, repository.config), {
    repository, clock: repository.context.clock, expandTabs: 0, dateMode: parseDateMode(args.value('date') ?? 'default'),
    abbreviation: digitsOf(repository, args) ?? defaultAbbreviation(repository), ...(encoding === undefined ? {} : { encoding }),
  });
}

function printCount(context: Context, walk: RevWalk, args: Arguments): number {
  let [left, right, same] = [0, 0, 0];
  const known = args.has('left-right') || args.has('cherry-mark') ? undefined : walk.findCount();
  if (known !== undefined) {
    right = known;
  } else {
    for (const { flags } of walk) {
      if (args.has('cherry-mark') && flags & flag.patchSame) same += 1;
      else if (args.has('left-right') && flags & flag.left) left += 1;
      else right += 1;
    }
  }
  const counts = args.has('left-right') ? [left, right] : [right];
  if (args.has('cherry-mark')) counts.push(same);
  context.stdout.write(`${counts.join('\t')}\n`);
  return 0;
}

/** All that is printed for one commit. */
function formatCommit(node: CommitNode, { repository, args, format, graph, digits, walk }: Printing): string {
  const kind = format?.pretty.kind;
  let text = '';
  if (graph !== undefined) {
    graph.update(node);
    text += graph.commitRows();
  }
  const mark = commitMark(node, { graph: false, leftRight: args.has('left-right'), cherryMark: args.has('cherry-mark') || args.has('cherry') });
  const shown = (id: ObjectId): string => (digits === undefined ? id : repository.objects.abbreviate(id, digits));
  const hasHeader = kind !== 'user' && kind !== 'reference' ? true : args.flag('commit-header') !== false;
  if (hasHeader) {
    if (args.has('timestamp')) text += `${node.seconds} `;
    if (format !== undefined && kind !== 'oneline') text += 'commit ';
    if (graph === undefined) text += mark;
    text += shown(node.id);
    if (args.has('parents')) text += node.parents.map(({ id }) => ` ${shown(id)}`).join('');
    if (args.has('children') && walk !== undefined) text += walk.childrenOf(node).map(({ id }) => ` ${shown(id)}`).join('');
    text += kind === 'oneline' ? ' ' : '\n';
  }
  if (format === undefined && !args.has('header')) {
    const rest = graph?.remainingRows() ?? '';
    return rest === '' ? text : `${text}${rest}\n`;
  }
  if (format === undefined) return `${text}${node.bytes.toString('latin1').trimEnd().replace(/\n\n([\s\S]*)$/, (_whole, message: string) => `\n\n${message.replace(/^(?=.)/gm, '    ')}`)}\n\0`;
  const message = format.format(new NodeView(node, mark === '' ? '>' : mark));
  node.letGo();
  if (message === '') {
    const rest = graph?.remainingRows() ?? '';
    return text + (rest === '' ? '' : `${rest}\n`) + (kind === 'oneline' ? '\n' : '');
  }
  if (graph === undefined) return `${text}${message}\n`;
  if (kind !== 'oneline') text += graph.nextRow();
  text += graph.message(message);
  if (message.endsWith('\n')) text += graph.paddingRow();
  return `${text}\n`;
}

interface Named { readonly id: ObjectId; readonly object: ObjectId; readonly type: string; readonly name: string; readonly path?: string; readonly isExcluded?: boolean }

function listAll(context: Context, walk: RevWalk, tips: readonly Named[], printing: Printing): number {
  const { repository, args } = printing;
  const store = repository.objects;
  const lister = new ObjectLister(store);
  const wantsObjects = args.has('objects') || args.has('objects-edge');
  const usage = args.has('disk-usage');
  let bytes = 0;
  const measure = (id: ObjectId): void => {
    const place = store.locate(id);
    if (place === undefined) return;
    bytes += place.kind === 'loose' ? statSync(place.path).size : place.pack.endAt(place.pack.offsetAt(place.position)) - place.pack.offsetAt(place.position);
  };
  const page = new OutputPage(context.stdout);
  const isQuiet = args.has('quiet');
  const isNamed = !args.has('no-object-names');
  const put = (text: string): void => { if (!isQuiet) page.text(text); };
  const show = ({ id, path }: Pick<ListedObject, 'id' | 'path'>): void => {
    if (usage) measure(id);
    else if (!isNamed) put(`${id}\n`);
    else put(`${id} ${path.includes('\n') ? path.slice(0, path.indexOf('\n')) : path}\n`);
  };
  const nodes = [...walk];
  for (const tip of tips) if (tip.isExcluded) for (const each of excludedObjects(repository, tip)) lister.exclude(each);
  if (wantsObjects) {
    lister.excludeEdges(nodes, (edge) => { if (args.has('objects-edge') && !usage) put(`-${edge.id}\n`); });
    for (const tip of tips) if (tip.isExcluded && tip.type === 'blob') lister.excludeBlob(tip.id);
  }
  const trees: ObjectId[] = [];
  for (const node of nodes) {
    if (usage) measure(node.id);
    else put(formatCommit(node, printing));
    if (!wantsObjects || node.flags & flag.uninteresting) continue;
    if (!args.has('in-commit-order')) {
      trees.push(node.tree);
      continue;
    }
    for (const found of lister.listTree(node.tree, '')) show(found);
  }
  if (!wantsObjects) return finish();
  const shownTags = new Set<ObjectId>();
  for (const tip of tips) {
    if (tip.isExcluded) continue;
    for (let at = tip.object; ;) {
      const header = store.readHeader(at);
      if (header.type !== 'tag' || shownTags.has(at)) break;
      shownTags.add(at);
      show({ id: at, path: store.readTag(at).name });
      at = store.readTag(at).object;
    }
    const type = store.readHeader(tip.id).type;
    if (type === 'tree') for (const found of lister.listTree(tip.id, tip.path ?? '')) show(found);
    if (type === 'blob') for (const found of lister.listBlob(tip.id, tip.path ?? '')) show(found);
  }
  for (const tree of trees) for (const found of lister.listTree(tree, '')) show(found);
  return finish();

  function finish(): number {
    if (usage) put(args.value('disk-usage') === 'human' ? `${humanSize(bytes)}\n` : `${bytes}\n`);
    page.flush();
    return 0;
  }
}

function excludedObjects(repository: Repository, tip: Named): ObjectId[] {
  return repository.objects.findHeader(tip.id)?.type === 'tree' ? [tip.id] : [];
}

function humanSize(bytes: number): string {
  const units: readonly (readonly [number, string])[] = [[2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']];
  for (const [size, name] of units) if (bytes > size) return `${(bytes / size).toFixed(2)} ${name}`;
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}
