// History as a stream that fast-import reads: every commit after its parents and its files, then the refs and tags
// (git-fast-export(1)).
//
// Objects are passed on in pieces; what is held is a mark for each object told of. Text is latin1.
import { InvalidError, RefusedError } from '../../pack/errors.js';
import { type ObjectId, type ObjectType, zeroId } from '../../pack/oid.js';
import { formatMode, gitlinkMode } from '../../pack/tree.js';
import type { Anonymity } from './anonymity.js';
import { type DiffEntry, diffTrees } from '../diff/diff.js';
import { reencode } from '../history/format.js';
import { flag } from '../history/walk-flag.js';
import type { CommitNode } from '../history/history.js';
import type { Marks } from './marks.js';
import type { Pathspec } from '../pathspec.js';
import { quotePath } from '../quote.js';
import type { RenameOptions } from '../diff/rename.js';
import type { Repository } from '../repository.js';
import { RevWalk, type WalkOptions } from '../history/walk.js';
import type { NamedTip } from '../history/revision-set.js';

export type SignedTags = 'verbatim' | 'warn' | 'warn-strip' | 'strip' | 'abort';
export type FilteredTags = 'abort' | 'drop' | 'rewrite';
export type Reencoding = 'yes' | 'no' | 'abort';

export interface ExportOptions {
  /** Tell after every so many objects how many there were. */
  readonly progress: number | undefined;
  readonly signedTags: SignedTags;
  readonly filteredTags: FilteredTags;
  readonly reencoding: Reencoding;
  readonly renames: RenameOptions | undefined;
  readonly fakeTagger: boolean;
  readonly markTags: boolean;
  readonly noData: boolean;
  readonly fullTree: boolean;
  readonly useDone: boolean;
  readonly referToExcluded: boolean;
  readonly originalIds: boolean;
  readonly anonymity: Anonymity | undefined;
  /** The name a ref gets in the stream. */
  readonly mapRef: (name: string) => string;
  /** Refs the stream deletes. */
  readonly deletions: readonly string[];
}

/** Where the stream goes, and what is said beside it. */
export interface ExportOutput {
  readonly write: (data: string | Uint8Array) => void;
  readonly warn: (message: string) => void;
}

/** A ref to be set or a tag to be told of once its commit was. */
interface LateRef {
  readonly name: string;
  readonly id: ObjectId;
  readonly type: ObjectType;
}

const signatureStart = '\n-----BEGIN PGP SIGNATURE-----\n';

export class FastExport {
  readonly #repository: Repository;
  readonly #options: ExportOptions;
  readonly #output: ExportOutput;
  readonly #marks = new Map<ObjectId, number>();
  /** Commits and tags, by mark; what is kept for the next time. */
  readonly exported: Marks = new Map();
  /** Told of in an earlier stream. */
  readonly #earlier = new Set<ObjectId>();
  /** Refs that commits were told under. */
  readonly #toldNames = new Set<string>();
  #lastMark = 0;
  #shown = 0;
  #firstMark = 0;

  constructor(repository: Repository, options: ExportOptions, output: ExportOutput) {
    this.#repository = repository;
    this.#options = options;
    this.#output = output;
  }

  /** True once something was given a mark that earlier streams did not. */
  get hasNewMarks(): boolean { return this.#lastMark > this.#firstMark; }

  /** Takes the marks of earlier streams: what they name is not told of again. */
  importMarks(marks: Marks): void {
    for (const [mark, text] of marks) {
      const id = text as ObjectId;
      this.#lastMark = Math.max(this.#lastMark, mark);
      const type = this.#repository.objects.findHeader(id)?.type;
      if (type === undefined) throw new InvalidError(`object not found: ${id}`, { code: 'object-missing' });
      if (type !== 'commit' && !(type === 'tag' && this.#options.markTags)) continue;
      this.#marks.set(id, mark);
      this.exported.set(mark, id);
      this.#earlier.add(id);
    }
    this.#firstMark = this.#lastMark;
  }

  /** Writes the stream of what the tips reach. */
  run(tips: readonly NamedTip[], walkOptions: WalkOptions): void {
    if (this.#options.useDone) this.#print('feature done\n');
    const { sources, refs, tags } = this.#sortTips(tips);
    const commits = tips.filter(({ type }) => type === 'commit' || type === 'tag').filter(({ id }) => this.#typeOf(id) === 'commit');
    const walk = new RevWalk(this.#repository, commits.map((tip) => ({ ...tip, name: sources.get(tip.id) ?? tip.name })), {
      ...walkOptions, order: (walkOptions.order ?? 'default') === 'default' ? 'topo' : walkOptions.order!, reverse: true, rewriteParents: true, wantSource: true,
    });
    for (const node of walk) {
      if (!this.#earlier.has(node.id)) this.#commit(node, walkOptions.pathspec);
    }
    for (const ref of refs.reverse()) if (!this.#toldNames.has(ref.name)) this.#lateRef(ref, walk);
    for (const tag of tags.reverse()) this.#tag(tag, walk);
    for (const name of this.#options.deletions) this.#reset(name, zeroId(this.#repository.format));
    if (this.#options.useDone) this.#print('done\n');
  }

  #typeOf(id: ObjectId): ObjectType | undefined {
    return this.#repository.objects.findHeader(id)?.type;
  }

  #print(text: string): void {
    this.#output.write(Buffer.from(text, 'latin1'));
  }

  /** Which ref each commit is told under, the refs to commits, in order, and the tags. */
  #sortTips(tips: readonly NamedTip[]): { sources: Map<ObjectId, string>; refs: LateRef[]; tags: LateRef[] } {
    const sources = new Map<ObjectId, string>();
    const refs = new Map<string, LateRef>();
    const tags: LateRef[] = [];
    for (const tip of tips) {
      if (tip.isExcluded) continue;
      const full = this.#fullName(tip.name);
      if (full === undefined) continue;
      const name = this.#options.mapRef(full);
      let { object: id, type } = tip;
      if (type !== 'commit' && type !== 'tag') {
        this.#output.warn(`warning: ${tip.name}: unexpected object of type ${type}, skipping`);
        continue;
      }
      for (; type === 'tag'; type = this.#typeOf(id)!) {
        tags.push({ name, id, type });
        id = this.#repository.objects.readTag(id).object;
      }
      if (type === 'blob') {
        this.#blob(id);
      } else if (type !== 'commit') {
        this.#output.warn(`warning: tag points to object of unexpected type ${type}, skipping`);
      } else {
        if (tip.type === 'commit') refs.set(name, { name, id, type });
        if (!sources.has(id)) sources.set(id, name);
      }
    }
    return { sources, refs: [...refs.values()].sort((one, two) => (one.name < two.name ? -1 : 1)), tags };
  }

  /** The ref a word on the command line means; undefined when it is an expression, or means several. */
  #fullName(word: string): string | undefined {
    const { refs } = this.#repository;
    const names = [...refs.listExpansions(word)];
    if (names.length !== 1) return undefined;
    return refs.resolve(names[0]!).name;
  }

  // ---- objects

  #mark(id: ObjectId): number {
    this.#lastMark += 1;
    this.#marks.set(id, this.#lastMark);
    return this.#lastMark;
  }

  #originalId(id: ObjectId): string {
    return this.#options.originalIds ? `original-oid ${id}\n` : '';
  }

  #progress(): void {
    const { progress } = this.#options;
    this.#shown += 1;
    if (progress !== undefined && this.#shown % progress === 0) this.#print(`progress ${this.#shown} objects\n`);
  }

  #blob(id: ObjectId): void {
    if (this.#options.noData || this.#marks.has(id)) return;
    const { anonymity } = this.#options;
    const stream = this.#repository.objects.openStream(id);
    if (stream.type !== 'blob') throw new InvalidError(`object '${id}' is a ${stream.type}, not a blob`, { code: 'type-mismatch' });
    const replacement = anonymity?.blob(id);
    const head = `blob\nmark :${this.#mark(id)}\n${this.#originalId(id)}data ${replacement?.length ?? stream.sizeBytes}\n`;
    this.#print(head);
    if (replacement !== undefined) this.#output.write(replacement);
    else for (const piece of stream.chunks) this.#output.write(piece);
    this.#print('\n');
    this.#progress();
  }

  #commit(node: CommitNode, pathspec: Pathspec | undefined): void {
    const { fullTree, referToExcluded, anonymity, originalIds } = this.#options;
    const { objects } = this.#repository;
    const { id } = node;
    const parents = node.parentIds;
    const [first] = parents;
    const base = first !== undefined && !fullTree && (this.#marks.has(first) || referToExcluded) ? objects.readCommit(first).tree : undefined;
    const entries = diffTrees(objects, base, node.tree, {
      recursive: true, ...(pathspec === undefined ? {} : { pathspec }), ...(this.#options.renames === undefined ? {} : { renames: this.#options.renames }),
    });
    for (const { new: now } of entries) if (now.mode !== 0 && now.mode !== gitlinkMode) this.#blob(now.id);
    const source = node.source ?? id;
    this.#toldNames.add(source);
    const name = anonymity?.refName(source) ?? source;
    const { author, committer, encoding, message } = this.#texts(id, node.bytes.toString('latin1'));
    const mark = this.#mark(id);
    this.exported.set(mark, id);
    let text = parents.length === 0 ? `reset ${name}\n` : '';
    text += `commit ${name}\nmark :${mark}\n${originalIds ? this.#originalId(id) : ''}${author}\n${committer}\n${encoding === undefined ? '' : `encoding ${encoding}\n`}`;
    text += `data ${message.length}\n${message}${this.#parentLines(parents)}`;
    if (fullTree) text += 'deleteall\n';
    this.#print(`${text}${this.#fileLines(entries)}\n`);
    this.#progress();
  }

  /** The lines and the message of a commit as the stream tells them. */
  #texts(id: ObjectId, bytes: string): { author: string; committer: string; encoding: string | undefined; message: string } {
    const end = bytes.indexOf('\n\n');
    const header = end < 0 ? bytes : bytes.slice(0, end);
    const line = (key: string): string | undefined => new RegExp(`\\n${key} ([^\\n]*)`).exec(header)?.[1];
    const [author, committer] = [line('author'), line('committer')];
    if (author === undefined || committer === undefined) throw new InvalidError(`commit '${id}' has no author or committer`, { code: 'bad-commit' });
    let encoding = line('encoding');
    let message = end < 0 ? '' : bytes.slice(end + 2);
    if (encoding !== undefined && this.#options.anonymity === undefined && this.#options.reencoding === 'abort') {
      throw new RefusedError(`commit '${id}' is in the encoding ${encoding}`, { code: 'encoded-commit', hint: 'say with --reencode=yes or --reencode=no what to do with it' });
    }
    if (encoding !== undefined && this.#options.reencoding === 'yes') {
      const converted = reencode(message, encoding, 'UTF-8');
      if (converted !== undefined) {
        message = converted;
        encoding = undefined;
      }
    }
    const { anonymity } = this.#options;
    if (anonymity === undefined) return { author: `author ${author}`, committer: `committer ${committer}`, encoding, message };
    // The committer gets a name first, as with git.
    const anonymousCommitter = anonymity.ident(committer);
    return { author: `author ${anonymity.ident(author)}`, committer: `committer ${anonymousCommitter}`, encoding: undefined, message: anonymity.message() };
  }

  #parentLines(parents: readonly ObjectId[]): string {
    let text = '';
    for (const parent of parents) {
      const mark = this.#marks.get(parent);
      if (mark === undefined && !this.#options.referToExcluded) continue;
      text += `${text === '' ? 'from' : 'merge'} ${mark === undefined ? this.#options.anonymity?.id(parent) ?? parent : `:${mark}`}\n`;
    }
    return text;
  }

  /** One line per change, deeper paths before those they are below of; but a file goes before a directory takes its place. */
  #fileLines(entries: readonly DiffEntry[]): string {
    const made = new Set(entries.filter(({ status }) => status !== 'D').flatMap(({ path }) => directoriesOf(path)));
    const sorted = entries.map((entry) => ({ entry, key: entry.oldPath ?? entry.path, isInTheWay: entry.status === 'D' && made.has(entry.path) }))
      .sort((one, two) => Number(two.isInTheWay) - Number(one.isInTheWay) || compareDeepFirst(one.key, two.key) || Number(one.entry.status === 'R') - Number(two.entry.status === 'R'));
    // What was written to before holds something else by then than what the comparison saw.
    const changed = new Set<string>();
    let text = '';
    for (const { entry: { path, oldPath, status, old, new: now } } of sorted) {
      if (status === 'D') {
        text += `D ${this.#path(path)}\n`;
        changed.add(path);
        continue;
      }
      if (oldPath !== undefined && !changed.has(oldPath)) {
        text += `${status} ${this.#path(oldPath)} ${this.#path(path)}\n`;
        changed.add(path);
        if (old.id === now.id && old.mode === now.mode) continue;
      }
      text += `M ${formatMode(now.mode)} ${this.#reference(now.mode, now.id)} ${this.#path(path)}\n`;
      changed.add(path);
    }
    return text;
  }

  #reference(mode: number, id: ObjectId): string {
    return this.#options.noData || mode === gitlinkMode ? this.#options.anonymity?.id(id) ?? id : `:${this.#marks.get(id)}`;
  }

  #path(path: string): string {
    const told = this.#options.anonymity?.path(path) ?? path;
    const quoted = quotePath(told, { quotePath: this.#repository.config.getBoolean('core.quotepath', true) });
    return quoted === told && told.includes(' ') ? `"${told}"` : quoted;
  }

  // ---- refs and tags

  #reset(name: string, to: string): void {
    this.#print(`reset ${this.#options.anonymity?.refName(name) ?? name}\nfrom ${to}\n\n`);
  }

  /** A ref to a commit that was told under another name. */
  #lateRef({ name, id }: LateRef, walk: RevWalk): void {
    const told = this.#toldAncestor(walk, id);
    const mark = told === undefined ? undefined : this.#marks.get(told);
    if (mark !== undefined) {
      this.#reset(name, `:${mark}`);
      this.#progress();
    } else {
      this.#reset(name, told !== undefined && this.#options.referToExcluded ? told : zeroId(this.#repository.format));
    }
  }

  /** The commit itself, or for one that the paths leave out, the nearest before it that they do not; undefined when there is none. */
  #toldAncestor(walk: RevWalk, id: ObjectId): ObjectId | undefined {
    let node = walk.history.node(id);
    while (node.isLoaded && !this.#marks.has(node.id) && (node.flags & flag.treeSame) !== 0 && (node.flags & flag.uninteresting) === 0 && node.parents.length < 2) {
      const [parent] = node.parents;
      if (parent === undefined) return undefined;
      node = parent;
    }
    return node.id;
  }

  #tag({ name, id }: LateRef, walk: RevWalk): void {
    if (this.#earlier.has(id)) return;
    const { objects } = this.#repository;
    const { anonymity, markTags, fakeTagger } = this.#options;
    let { object: target, type } = objects.readTag(id);
    let [innermost, innermostType] = [target, type];
    while (innermostType === 'tag') ({ object: innermost, type: innermostType } = objects.readTag(innermost));
    if (innermostType === 'tree') {
      this.#output.warn(`warning: omitting tag ${id}, since tags of trees (or tags of tags of trees, etc.) are not supported`);
      return;
    }
    const bytes = objects.read(id).bytes.toString('latin1');
    const end = bytes.indexOf('\n\n');
    let tagger = /\ntagger [^\n]*/.exec(end < 0 ? bytes : bytes.slice(0, end))?.[0].slice(1);
    if (tagger !== undefined && anonymity !== undefined) tagger = `tagger ${anonymity.ident(tagger.slice(7))}`;
    if (tagger === undefined && fakeTagger) tagger = 'tagger Unspecified Tagger <unspecified-tagger> 0 +0000';
    let message = end < 0 ? '' : bytes.slice(end + 2);
    if (anonymity === undefined) message = this.#withoutSignature(id, message);
    else message = anonymity.tagMessage(message);
    let mark = this.#marks.get(target);
    if (mark === undefined) {
      switch (this.#options.filteredTags) {
        case 'abort':
          throw new RefusedError(`tag '${id}' tags an object that is not exported`, { code: 'tag-of-unexported', hint: 'say with --tag-of-filtered-object=<mode> what to do with it' });
        case 'drop': return;
        case 'rewrite':
          if (type === 'tag' && !markTags) throw new RefusedError('cannot export nested tags unless --mark-tags is specified', { code: 'nested-tag' });
          if (type === 'commit') {
            const told = this.#toldAncestor(walk, target);
            if (told === undefined) return this.#reset(name, zeroId(this.#repository.format));
            target = told;
            mark = this.#marks.get(told);
          }
      }
    }
    if (type === 'tag') this.#reset(name, zeroId(this.#repository.format));
    const short = (anonymity?.refName(name) ?? name).replace(/^refs\/tags\//, '');
    let text = `tag ${short}\n`;
    if (markTags) {
      const own = this.#mark(id);
      this.exported.set(own, id);
      text += `mark :${own}\n`;
    }
    text += `from ${mark === undefined ? target : `:${mark}`}\n${this.#originalId(id)}${tagger === undefined ? '' : `${tagger}\n`}data ${message.length}\n${message}\n`;
    this.#print(text);
  }

  #withoutSignature(id: ObjectId, message: string): string {
    const at = message.indexOf(signatureStart);
    if (at < 0) return message;
    switch (this.#options.signedTags) {
      case 'abort': throw new RefusedError(`tag '${id}' is signed`, { code: 'signed-tag', hint: 'say with --signed-tags=<mode> what to do with it' });
      case 'warn': this.#output.warn(`warning: exporting signed tag '${id}'`); return message;
      case 'verbatim': return message;
      case 'warn-strip': this.#output.warn(`warning: stripping signature from tag '${id}'`); return message.slice(0, at + 1);
      case 'strip': return message.slice(0, at + 1);
    }
  }
}

function directoriesOf(path: string): string[] {
  const found: string[] = [];
  for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) found.push(path.slice(0, end));
  return found;
}

/** By bytes, but what is below a path comes before it. */
function compareDeepFirst(one: string, two: string): number {
  const length = Math.min(one.length, two.length);
  const [left, right] = [one.slice(0, length), two.slice(0, length)];
  return left < right ? -1 : left > right ? 1 : two.length - one.length;
}
