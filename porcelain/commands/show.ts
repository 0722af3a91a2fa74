// show: objects in full: commits with what they changed, tags with what they name, trees as lists, files as they are.
// See git-show(1) and cairn-show(1).
import { UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { isTreeMode } from '../../pack/tree.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { TextConversion } from '../../plumbing/content/text-conversion.js';
import { diffOptions } from '../../plumbing/diff/diff-options.js';
import { patchKeyOf } from '../../plumbing/diff/patch-key.js';
import { Repository } from '../../plumbing/repository.js';
import type { NamedTip } from '../../plumbing/history/revision-set.js';
import { listReflogCommits } from '../../plumbing/history/reflog-walk.js';
import { RevWalk, type WalkOptions } from '../../plumbing/history/walk.js';
import { parseWalk, walkOptions } from '../../plumbing/history/walk-options.js';
import { HistoryView, findMailmap, lateOptions, viewOptions } from '../history-view.js';

const taken = new Set([...walkOptions, ...viewOptions].map(({ name }) => name));

export const command: Command = {
  name: 'show',
  family: 'git',
  summary: 'show commits, tags, trees and files',
  usage: ['show [<options>] [<object>...] [[--] <path>...]'],
  numeric: true,
  paged: true,
  options: [
    ...walkOptions, ...viewOptions, ...diffOptions.filter(({ name }) => !taken.has(name)),
  ],
  run(context: Context, args: Arguments): number {
    const repository = Repository.open(context);
    const mailmap = findMailmap(repository, args);
    const request = parseWalk(repository, args, { start: 'HEAD', noWalk: 'unsorted', late: lateOptions, mailmap });
    const options: WalkOptions = {
      ...request.options, keep: 'contents', wantSource: HistoryView.needsSource(args),
      ...(request.options.cherry === undefined ? {} : { patchKey: patchKeyOf(repository) }),
    };
    const walk = options.noWalk === undefined ? new RevWalk(repository, request.set.commits, options) : undefined;
    const view = new HistoryView(context, repository, args, {
      showsPatches: true, denseMerges: true, paths: request.paths, graph: request.isGraph, mailmap, ...(walk === undefined ? {} : { walk }),
    });
    return view.run(() => {
      if (walk !== undefined && request.isReflogWalk) {
        for (const { node, reflog } of listReflogCommits(repository, { ...request, options }, args.has('date') ? view.dateMode : undefined)) view.show(node, reflog);
      } else if (walk !== undefined) for (const node of walk) view.show(node);
      else new ObjectShow(context, repository, view, options, args).show(request.set.tips);
    });
  },
};

/** Shows what is named, in the order it is named; a commit once. */
class ObjectShow {
  readonly #context: Context;
  readonly #repository: Repository;
  readonly #view: HistoryView;
  readonly #options: WalkOptions;
  readonly #isJson: boolean;
  readonly #isReflogWalk: boolean;
  readonly #texts: TextConversion | undefined;
  readonly #shown = new Set<ObjectId>();
  #skip: number;

  constructor(context: Context, repository: Repository, view: HistoryView, options: WalkOptions, args: Arguments) {
    this.#context = context;
    this.#repository = repository;
    this.#view = view;
    this.#options = { ...options, skip: 0 };
    this.#skip = options.skip ?? 0;
    this.#isJson = args.has('json');
    this.#isReflogWalk = args.has('walk-reflogs');
    this.#texts = args.has('textconv') ? new TextConversion(repository) : undefined;
  }

  show(tips: readonly NamedTip[]): void {
    for (const tip of tips) {
      this.#showTip(tip);
      // Git shows no more after a difference that --check or --exit-code objects to.
      if (this.#view.code !== 0) return;
    }
  }

  /** A tag is shown first, then what it names. */
  #showTip(tip: NamedTip): void {
    const { objects } = this.#repository;
    for (let id = tip.object; ;) {
      const { type } = objects.readHeader(id);
      if (this.#isJson && (type === 'blob' || type === 'tree')) throw new UsageError(`--json shows commits, and '${tip.name}' is a ${type}`);
      switch (type) {
        case 'commit': this.#showCommit({ ...tip, id }); return;
        case 'blob': this.#showBlob(id, tip.path); return;
        case 'tree': this.#showTree(tip.name, id); return;
        default: {
          const tag = objects.readTag(id);
          if (!this.#isJson) this.#view.showTag(tag);
          id = tag.object;
        }
      }
    }
  }

  #showCommit(tip: NamedTip): void {
    // Only a walk goes through reflogs; as in git, the commits that are named are not shown then.
    if (this.#isReflogWalk || this.#shown.has(tip.id)) return;
    this.#shown.add(tip.id);
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    for (const node of new RevWalk(this.#repository, [tip], this.#options)) this.#view.show(node);
  }

  #showTree(name: string, id: ObjectId): void {
    const view = this.#view;
    view.printer.beginOther();
    view.sink(`${view.paintHeader(`tree ${Buffer.from(name).toString('latin1')}`)}\n\n`);
    for (const entry of this.#repository.objects.readTree(id)) view.sink(`${entry.name}${isTreeMode(entry.mode) ? '/' : ''}\n`);
  }

  #showBlob(id: ObjectId, path: string | undefined): void {
    this.#view.flush();
    const text = path === undefined ? undefined : this.#texts?.find(path, () => this.#repository.objects.read(id).bytes);
    if (text !== undefined) {
      this.#context.stdout.write(text);
      return;
    }
    for (const piece of this.#repository.objects.openStream(id).chunks) this.#context.stdout.write(piece);
  }
}
