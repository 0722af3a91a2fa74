// show: objects in full: commits with what they changed, tags with what they name, trees as lists, files as they are.
// See git-show(1) and cairn-show(1).
import { UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { isTreeMode } from '../../pack/tree.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { diffOptions } from '../../plumbing/diff-options.js';
import { patchKeyOf } from '../../plumbing/patch-key.js';
import { Repository } from '../../plumbing/repository.js';
import type { NamedTip } from '../../plumbing/revision-set.js';
import { RevWalk } from '../../plumbing/walk.js';
import { type WalkRequest, parseWalk, walkOptions } from '../../plumbing/walk-options.js';
import { HistoryView, viewOptions } from '../history-view.js';

const taken = new Set(walkOptions.map(({ name }) => name));

export const command: Command = {
  name: 'show',
  family: 'git',
  summary: 'show commits, tags, trees and files',
  usage: ['show [<options>] [<object>...] [[--] <path>...]'],
  numeric: true,
  paged: true,
  options: [
    ...walkOptions.filter(({ name }) => name !== 'walk-reflogs'), ...viewOptions,
    ...diffOptions.filter(({ name }) => !taken.has(name) && name !== 'quiet' && name !== 'exit-code'),
  ],
  run(context: Context, args: Arguments): number {
    const repository = Repository.open(context);
    const request = parseWalk(repository, args, { start: 'HEAD', noWalk: 'unsorted' });
    const shared = { showsPatches: true, denseMerges: true, paths: request.paths };
    if (request.options.noWalk === undefined) {
      const walk = walkFrom(repository, request, request.set.commits);
      const view = new HistoryView(context, repository, args, { ...shared, walk, graph: request.isGraph });
      for (const node of walk) view.show(node);
      view.flush();
      return 0;
    }
    const view = new HistoryView(context, repository, args, shared);
    for (const tip of request.set.tips) showTip(context, repository, request, view, tip, args.has('json'));
    view.flush();
    return 0;
  },
};

function walkFrom(repository: Repository, request: WalkRequest, tips: readonly NamedTip[]): RevWalk {
  const { options } = request;
  return new RevWalk(repository, tips, { ...options, keepContent: true, ...(options.cherry === undefined ? {} : { patchKey: patchKeyOf(repository) }) });
}

/** A tag is shown first, then what it names. */
function showTip(context: Context, repository: Repository, request: WalkRequest, view: HistoryView, tip: NamedTip, isJson: boolean): void {
  const { objects } = repository;
  for (let id = tip.object; ;) {
    const { type } = objects.readHeader(id);
    if (isJson && (type === 'blob' || type === 'tree')) throw new UsageError(`--json shows commits, and '${tip.name}' is a ${type}`);
    switch (type) {
      case 'commit':
        for (const node of walkFrom(repository, request, [{ ...tip, id }])) view.show(node);
        return;
      case 'blob': showBlob(context, repository, view, id); return;
      case 'tree': showTree(repository, view, tip.name, id); return;
      default: {
        const tag = objects.readTag(id);
        if (!isJson) view.showTag(tag);
        id = tag.object;
      }
    }
  }
}

function showTree(repository: Repository, view: HistoryView, name: string, id: ObjectId): void {
  view.printer.beginOther();
  let text = view.paintHeader(`tree ${Buffer.from(name).toString('latin1')}`) + '\n\n';
  for (const entry of repository.objects.readTree(id)) text += `${entry.name}${isTreeMode(entry.mode) ? '/' : ''}\n`;
  view.sink(text);
}

function showBlob(context: Context, repository: Repository, view: HistoryView, id: ObjectId): void {
  view.flush();
  for (const piece of repository.objects.openStream(id).chunks) context.stdout.write(piece);
}
