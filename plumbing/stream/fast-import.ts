// Carries out a fast-import stream: blobs, commits, tags and branch moves in, objects and refs out (git-fast-import(1)).
//
// Invariants: refs move only at a checkpoint and at the end, after everything they name is stored and durable, and only forwards unless
// forced; a stream that ends badly moves none. Marks are written after the refs they go with.
// If the power fails: refs are as at the last checkpoint; what was written since is for gc.
import { join, resolve } from 'node:path';
import { disk, replaceFile } from '../../pack/disk.js';
import { InvalidError, RefusedError } from '../../pack/errors.js';
import { isObjectId, isZeroId, type ObjectId, type ObjectType } from '../../pack/oid.js';
import { decodeCommit } from '../../pack/commit.js';
import { decodeTag } from '../../pack/tag.js';
import { executableMode, fileMode, formatMode, gitlinkMode, isTreeMode, symlinkMode, typeOfMode } from '../../pack/tree.js';
import type { Output } from '../command.js';
import { type Branch, ImportBranches } from './import-branches.js';
import { type ImportOptions, type MarksFile, isDateFormat, isTuning, marksPath, parseTuning, tuningOf } from './import-options.js';
import type { ImportPack } from './import-pack.js';
import type { ImportStream } from './import-stream.js';
import { ImportTree, directoryMode } from './import-tree.js';
import { parseImportIdent, parsePathBefore, parseWholePath } from './import-words.js';
import { type Marks, findMarks, readMarks, writeMarks } from './marks.js';
import { NoteTree } from './note-tree.js';
import { type PathProtection, readPathProtection } from '../path-safety.js';
import { quotePath } from '../quote.js';
import { decodeRefName } from '../refs/ref-name.js';
import type { Repository } from '../repository.js';
import { findRevision } from '../history/revision.js';

/** The modes a stream may give a path, as git writes them. */
const entryModes: ReadonlyMap<number, number> = new Map([
  [0o644, fileMode], [0o100644, fileMode], [0o755, executableMode], [0o100755, executableMode],
  [0o120000, symlinkMode], [0o160000, gitlinkMode], [0o40000, directoryMode],
]);

export class FastImport {
  readonly #repository: Repository;
  readonly #stream: ImportStream;
  readonly #pack: ImportPack;
  /** Where answers go: get-mark, cat-blob, ls. */
  readonly #answers: Output;
  readonly #progress: Output;
  readonly #warn: (message: string) => void;
  readonly #protection: PathProtection;
  #options: ImportOptions;
  /** Given on the command line, these are not changed by the stream. */
  readonly #fixed: ReadonlySet<string>;
  readonly #marks: Marks = new Map();
  readonly #branches: ImportBranches;
  #hasData = false;
  #streamImportsMarks = false;
  #hasFailed = false;

  constructor(repository: Repository, stream: ImportStream, pack: ImportPack, options: ImportOptions, outputs: {
    readonly answers: Output; readonly progress: Output; readonly warn: (message: string) => void; readonly fixed: ReadonlySet<string>;
  }) {
    this.#repository = repository;
    this.#branches = new ImportBranches(repository);
    this.#protection = readPathProtection(repository.config);
    this.#stream = stream;
    this.#pack = pack;
    this.#options = options;
    this.#answers = outputs.answers;
    this.#progress = outputs.progress;
    this.#warn = outputs.warn;
    this.#fixed = outputs.fixed;
  }

  get wantsStats(): boolean { return this.#options.stats; }
  get markCount(): number { return this.#marks.size; }
  get branchCount(): number { return this.#branches.count; }

  /** Carries out the whole stream; true when every ref could be moved. */
  run(): boolean {
    try {
      if (this.#options.importMarks.length > 0) this.#importMarks(this.#options.importMarks);
      this.#readStream();
      this.#checkpoint();
      return !this.#hasFailed;
    } catch (error) {
      if (error instanceof InvalidError) this.#reportCrash(error);
      throw error;
    } finally {
      this.#pack.abort();
    }
  }

  #readStream(): void {
    for (let line = this.#stream.nextCommand(); line !== undefined; line = this.#stream.nextCommand()) {
      if (line === 'done') return;
      const space = line.indexOf(' ');
      const verb = space < 0 ? line : line.slice(0, space);
      const rest = space < 0 ? '' : line.slice(space + 1);
      if (verb === 'feature') {
        this.#requireFeature(rest);
        continue;
      }
      if (verb === 'option') {
        // Options of other version control systems are not for us.
        if (rest.startsWith('git ')) this.#takeOption(rest.slice(4));
        continue;
      }
      this.#hasData = true;
      this.#carryOut(verb, rest, line);
    }
    if (this.#options.needsDone) throw new InvalidError('the stream ends early: there is no done command', { code: 'bad-stream' });
  }

  #carryOut(verb: string, rest: string, line: string): void {
    switch (verb) {
      case 'blob': if (rest === '') return this.#blob(); break;
      case 'commit': return this.#commit(rest);
      case 'tag': return this.#tag(rest);
      case 'reset': return this.#reset(rest);
      case 'alias': if (rest === '') return this.#alias(); break;
      case 'checkpoint': if (rest === '') {
        this.#stream.skipNewline();
        return this.#checkpoint();
      } break;
      case 'progress':
        this.#progress.write(Buffer.from(`${line}\n`, 'latin1'));
        this.#progress.flush();
        return this.#stream.skipNewline();
      case 'ls': return this.#list(rest, undefined);
      case 'cat-blob': return this.#printBlob(rest);
      case 'get-mark': return this.#answer(`${this.#marked(rest)}\n`);
      default:
    }
    throw new InvalidError(`unsupported command: ${line}`, { code: 'bad-stream' });
  }

  // ---- objects

  #blob(): void {
    this.#stream.nextCommand();
    const mark = this.#takeMark();
    this.#passOriginalId();
    const id = this.#storeData();
    if (mark !== undefined) this.#marks.set(mark, id);
  }

  /** The content of the `data` command just read becomes a blob. */
  #storeData(): ObjectId {
    const extent = this.#stream.dataExtent();
    if (!('sizeBytes' in extent) || !this.#pack.isBig(extent.sizeBytes)) return this.#pack.writeBlob(this.#stream.readData(extent));
    const id = this.#pack.writeBig(extent.sizeBytes, this.#stream.listPieces(extent.sizeBytes));
    this.#stream.skipNewline();
    return id;
  }

  #commit(name: string): void {
    const branch = this.#branches.open(name);
    this.#stream.nextCommand();
    const mark = this.#takeMark();
    this.#passOriginalId();
    const author = this.#takeIdent('author');
    const committer = this.#takeIdent('committer');
    if (committer === undefined) throw new InvalidError("expected 'committer' but did not get it", { code: 'bad-stream' });
    const encoding = this.#takeValue('encoding');
    const message = this.#stream.readData(this.#stream.dataExtent());
    this.#stream.nextCommand();
    this.#takeFrom(branch);
    const merged: ObjectId[] = [];
    for (let value = this.#takeValue('merge'); value !== undefined; value = this.#takeValue('merge')) merged.push(this.#commitId(value));
    this.#branches.activate(branch, this.#options.activeBranches);
    this.#changeFiles(branch);
    branch.notes?.settle();
    const tree = this.#treeOf(branch).write();
    const parents = [...(branch.tip === undefined ? [] : [branch.tip]), ...merged];
    const header = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${author ?? committer}`, `committer ${committer}`,
      ...(encoding === undefined ? [] : [`encoding ${encoding}`])].join('\n');
    branch.tip = this.#pack.write('commit', Buffer.concat([Buffer.from(`${header}\n\n`, 'latin1'), message]));
    branch.treeId = tree;
    branch.isMoved = true;
    branch.isDeleted = false;
    if (mark !== undefined) this.#marks.set(mark, branch.tip);
  }

  #changeFiles(branch: Branch): void {
    for (let line = this.#stream.line; line !== undefined && line !== ''; line = this.#stream.nextCommand()) {
      const tree = this.#treeOf(branch);
      if (line.startsWith('M ')) this.#modify(tree, line.slice(2));
      else if (line.startsWith('D ')) tree.remove(parseWholePath(line.slice(2), this.#protection));
      else if (line.startsWith('R ')) this.#copy(tree, line.slice(2), true);
      else if (line.startsWith('C ')) this.#copy(tree, line.slice(2), false);
      else if (line.startsWith('N ')) this.#note(branch, line.slice(2));
      else if (line === 'deleteall') this.#empty(branch);
      else if (line.startsWith('ls ')) this.#list(line.slice(3), tree);
      else if (line.startsWith('cat-blob ')) this.#printBlob(line.slice(9));
      else return this.#stream.putBack();
    }
  }

  #empty(branch: Branch): void {
    this.#treeOf(branch).remove('');
    branch.notes = undefined;
  }

  #modify(tree: ImportTree, text: string): void {
    const [, digits, reference, rest] = /^([0-7]{1,7}) (\S+) (.*)$/s.exec(text) ?? [];
    const mode = digits === undefined ? undefined : entryModes.get(parseInt(digits, 8));
    if (mode === undefined) throw new InvalidError(`corrupt mode: M ${text}`, { code: 'bad-stream' });
    const path = parseWholePath(rest!, this.#protection);
    let id: ObjectId;
    if (reference === 'inline') {
      if (mode === gitlinkMode) throw new InvalidError(`git links cannot be specified 'inline': M ${text}`, { code: 'bad-stream' });
      if (mode === directoryMode) throw new InvalidError(`directories cannot be specified 'inline': M ${text}`, { code: 'bad-stream' });
      id = this.#inlineData();
    } else if (mode === gitlinkMode) {
      id = this.#submodule(reference!);
    } else {
      id = this.#typed(reference!, typeOfMode(mode));
    }
    if (isTreeMode(mode) && path !== '' && this.#pack.readTree(id).length === 0) tree.remove(path);
    else tree.set(path, mode, id);
  }

  /** The blob that follows, answers to `cat-blob` before it. */
  #inlineData(): ObjectId {
    for (;;) {
      const line = this.#stream.nextCommand();
      if (line === undefined || !line.startsWith('cat-blob ')) return this.#storeData();
      this.#printBlob(line.slice(9));
    }
  }

  #submodule(reference: string): ObjectId {
    if (reference.startsWith(':')) return this.#typed(reference, 'commit');
    const id = this.#options.submodules.get(reference) ?? reference;
    if (!isObjectId(id, this.#repository.format)) throw new InvalidError(`invalid dataref: ${reference}`, { code: 'bad-stream' });
    return id;
  }

  /** The object `reference` (a mark or an id) names, which must be of the type. */
  #typed(reference: string, type: ObjectType): ObjectId {
    const id = this.#object(reference);
    const actual = this.#pack.findHeader(id)?.type;
    if (actual === undefined) throw new InvalidError(`${type} not found: ${reference}`, { code: 'object-missing' });
    if (actual !== type) throw new InvalidError(`not a ${type} (actually a ${actual}): ${reference}`, { code: 'type-mismatch' });
    return id;
  }

  /** What a mark or a full id names. */
  #object(reference: string): ObjectId {
    const id = reference.startsWith(':') ? this.#marked(reference) : reference;
    if (!isObjectId(id, this.#repository.format)) throw new InvalidError(`invalid dataref: ${reference}`, { code: 'bad-stream' });
    return id;
  }

  #copy(tree: ImportTree, text: string, thenRemove: boolean): void {
    const { path, rest } = parsePathBefore(text, this.#protection);
    tree.copy(path, parseWholePath(rest, this.#protection), thenRemove);
  }

  #note(branch: Branch, text: string): void {
    const space = text.indexOf(' ');
    if (space < 0) throw new InvalidError(`missing space after the reference: N ${text}`, { code: 'bad-stream' });
    const reference = text.slice(0, space);
    const target = text.slice(space + 1);
    const commit = this.#commitId(target);
    let id: ObjectId | undefined;
    if (reference === 'inline') id = this.#inlineData();
    else if (!isZeroId(reference as ObjectId)) id = this.#typed(reference, 'blob');
    branch.notes ??= new NoteTree(this.#treeOf(branch), this.#repository.format);
    branch.notes.set(commit, id);
  }

  #tag(name: string): void {
    this.#stream.nextCommand();
    const mark = this.#takeMark();
    const from = this.#takeValue('from');
    if (from === undefined) throw new InvalidError(`expected 'from' command, found: ${this.#stream.line ?? 'the end of the stream'}`, { code: 'bad-stream' });
    const target = this.#branches.find(from) !== undefined ? this.#tipOf(from) : from.startsWith(':') ? this.#marked(from) : this.#revision(from);
    const type = this.#pack.findHeader(target)?.type;
    if (type === undefined) throw new InvalidError(`'${from}' names no object`, { code: 'object-missing' });
    this.#passOriginalId();
    const tagger = this.#takeIdent('tagger');
    const message = this.#stream.readData(this.#stream.dataExtent());
    const header = [`object ${target}`, `type ${type}`, `tag ${name}`, ...(tagger === undefined ? [] : [`tagger ${tagger}`])].join('\n');
    const id = this.#pack.write('tag', Buffer.concat([Buffer.from(`${header}\n\n`, 'latin1'), message]));
    this.#branches.addTag(name, id);
    if (mark !== undefined) this.#marks.set(mark, id);
  }

  // ---- branches

  #reset(name: string): void {
    const branch = this.#branches.open(name);
    this.#branches.move(branch, undefined, undefined);
    this.#stream.nextCommand();
    this.#takeFrom(branch);
    // The empty line that may follow belongs to the command; anything else is the next one.
    if (this.#stream.line !== undefined && this.#stream.line !== '') this.#stream.putBack();
  }

  #takeFrom(branch: Branch): void {
    const from = this.#takeValue('from');
    if (from === undefined) return;
    if (from === branch.name) throw new InvalidError(`cannot create a branch from itself: ${from}`, { code: 'bad-stream' });
    const other = this.#branches.find(from);
    if (other !== undefined) return this.#branches.move(branch, other.tip, other.treeId);
    const id = from.startsWith(':') ? this.#commitId(from) : this.#revision(from);
    if (isZeroId(id)) {
      this.#branches.move(branch, undefined, undefined);
      branch.isDeleted = true;
      return;
    }
    const tip = this.#peelToCommit(id, from);
    this.#branches.move(branch, tip, this.#treeIdOf(tip));
  }

  #treeIdOf(commit: ObjectId): ObjectId {
    return decodeCommit(this.#pack.read(commit).bytes, this.#repository.format).tree;
  }

  #treeOf(branch: Branch): ImportTree {
    return (branch.tree ??= new ImportTree(this.#pack, branch.treeId));
  }

  #tipOf(name: string): ObjectId {
    const tip = this.#branches.find(name)?.tip;
    if (tip === undefined) throw new InvalidError(`cannot use a branch that has no commit: ${name}`, { code: 'bad-stream' });
    return tip;
  }

  /** What `from`, `merge` and notes name: a branch of this stream, a mark, or any revision. */
  #commitId(text: string): ObjectId {
    if (this.#branches.find(text) !== undefined) return this.#tipOf(text);
    if (!text.startsWith(':')) return this.#peelToCommit(this.#revision(text), text);
    const id = this.#marked(text);
    const type = this.#pack.findHeader(id)?.type;
    if (type !== 'commit') throw new InvalidError(`mark ${text} is not a commit but a ${type ?? 'missing object'}`, { code: 'type-mismatch' });
    return id;
  }

  #revision(text: string): ObjectId {
    if (isObjectId(text, this.#repository.format)) return text;
    const id = findRevision(this.#repository, decodeRefName(text));
    if (id === undefined) throw new InvalidError(`invalid ref name or object expression: ${text}`, { code: 'bad-revision' });
    return id;
  }

  #peelToCommit(id: ObjectId, text: string): ObjectId {
    let at = id;
    for (;;) {
      const type = this.#pack.findHeader(at)?.type;
      if (type === 'commit') return at;
      if (type !== 'tag') throw new InvalidError(`not a valid commit: ${text}`, { code: 'type-mismatch' });
      at = decodeTag(this.#pack.read(at).bytes, this.#repository.format).object;
    }
  }

  // ---- marks

  #alias(): void {
    this.#stream.nextCommand();
    const mark = this.#takeMark();
    if (mark === undefined) throw new InvalidError('expected a mark', { code: 'bad-stream' });
    const to = this.#takeValue('to');
    if (to === undefined) throw new InvalidError("expected 'to' command", { code: 'bad-stream' });
    this.#marks.set(mark, this.#commitId(to));
    this.#stream.skipNewline();
  }

  #marked(reference: string): ObjectId {
    const mark = /^:([1-9][0-9]{0,14})$/.exec(reference);
    const id = mark && this.#marks.get(Number(mark[1]));
    if (!mark) throw new InvalidError(`'${reference}' is not a mark`, { code: 'bad-stream' });
    if (!id) throw new InvalidError(`mark ${reference} not declared`, { code: 'mark-missing' });
    return id as ObjectId;
  }

  #importMarks(files: readonly MarksFile[]): void {
    for (const { path, mayBeMissing } of files) {
      for (const [mark, id] of (mayBeMissing ? findMarks(path) : readMarks(path)) ?? []) {
        if (!isObjectId(id, this.#repository.format) || this.#pack.findHeader(id) === undefined) throw new InvalidError(`object not found: ${id}`, { code: 'object-missing' });
        this.#marks.set(mark, id);
      }
    }
  }

  // ---- parts of commands: the line read last is looked at, and when it is taken the next one is read

  #takeValue(key: string): string | undefined {
    const line = this.#stream.line;
    if (line === undefined || !line.startsWith(`${key} `)) return undefined;
    this.#stream.nextCommand();
    return line.slice(key.length + 1);
  }

  #takeMark(): number | undefined {
    const line = this.#stream.line;
    const found = line === undefined ? null : /^mark :([0-9]{1,15})$/.exec(line);
    if (!found) return undefined;
    if (Number(found[1]) === 0) throw new InvalidError('mark 0 cannot be used', { code: 'bad-stream' });
    this.#stream.nextCommand();
    return Number(found[1]);
  }

  #passOriginalId(): void {
    this.#takeValue('original-oid');
  }

  #takeIdent(key: string): string | undefined {
    const line = this.#stream.line;
    if (line === undefined || !line.startsWith(`${key} `)) return undefined;
    const ident = parseImportIdent(line.slice(key.length + 1), this.#options.dateFormat, this.#repository.context.clock);
    this.#stream.nextCommand();
    return ident;
  }

  // ---- answers

  #answer(line: string): void {
    this.#answers.write(Buffer.from(line, 'latin1'));
    this.#answers.flush();
  }

  #printBlob(reference: string): void {
    const id = this.#object(reference);
    const type = this.#pack.findHeader(id)?.type;
    if (type === undefined) return this.#answer(`${id} missing\n`);
    if (type !== 'blob') throw new InvalidError(`object ${id} is a ${type} but a blob was expected`, { code: 'type-mismatch' });
    const { bytes } = this.#pack.read(id);
    this.#answers.write(Buffer.from(`${id} blob ${bytes.length}\n`));
    this.#answers.write(bytes);
    this.#answer('\n');
  }

  #list(text: string, current: ImportTree | undefined): void {
    let tree = current;
    let path: string;
    if (text.startsWith('"')) {
      if (current === undefined) throw new InvalidError(`not in a commit: ls ${text}`, { code: 'bad-stream' });
      path = parseWholePath(text, this.#protection);
    } else {
      const space = text.indexOf(' ');
      if (space < 0) throw new InvalidError(`missing space after tree-ish: ls ${text}`, { code: 'bad-stream' });
      const reference = text.slice(0, space);
      path = parseWholePath(text.slice(space + 1), this.#protection);
      tree = new ImportTree(this.#pack, this.#peelToTree(reference));
    }
    const found = tree!.find(path);
    const shown = quotePath(path, { quotePath: this.#repository.config.getBoolean('core.quotepath') ?? true });
    this.#answer(found === undefined ? `missing ${shown}\n` : `${formatMode(found.mode)} ${typeOfMode(found.mode)} ${found.id}\t${shown}\n`);
  }

  #peelToTree(reference: string): ObjectId {
    let id = this.#object(reference);
    for (;;) {
      const type = this.#pack.findHeader(id)?.type;
      if (type === 'tree') return id;
      if (type === 'commit') return this.#treeIdOf(id);
      if (type !== 'tag') throw new InvalidError(`object is not a tree, commit or tag: ${reference}`, { code: 'type-mismatch' });
      id = decodeTag(this.#pack.read(id).bytes, this.#repository.format).object;
    }
  }

  // ---- options in the stream

  #requireFeature(text: string): void {
    if (this.#hasData) throw new InvalidError(`got feature command '${text}' after data command`, { code: 'bad-stream' });
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const value = equals < 0 ? undefined : text.slice(equals + 1);
    if (['import-marks', 'import-marks-if-exists', 'export-marks'].includes(name) && !this.#options.allowUnsafeFeatures) {
      throw new RefusedError(`feature '${name}' is forbidden in a stream without --allow-unsafe-features`, { code: 'unsafe-feature' });
    }
    const options = this.#options;
    switch (name) {
      case 'date-format':
        if (!isDateFormat(value)) break;
        if (!this.#fixed.has('date-format')) this.#options = { ...options, dateFormat: value };
        return;
      case 'import-marks':
      case 'import-marks-if-exists':
        if (value === undefined) break;
        if (this.#streamImportsMarks) throw new InvalidError('only one import-marks command is allowed per stream', { code: 'bad-stream' });
        this.#streamImportsMarks = true;
        if (!this.#fixed.has('import-marks')) this.#importMarks([{ path: this.#marksPath(value), mayBeMissing: name === 'import-marks-if-exists' }]);
        return;
      case 'export-marks':
        if (value === undefined) break;
        if (!this.#fixed.has('export-marks')) this.#options = { ...options, exportMarks: this.#marksPath(value) };
        return;
      case 'relative-marks': this.#options = { ...options, relativeMarks: true }; return;
      case 'no-relative-marks': this.#options = { ...options, relativeMarks: false }; return;
      case 'force': this.#options = { ...options, force: true }; return;
      case 'done': this.#options = { ...options, needsDone: true }; return;
      case 'alias': case 'get-mark': case 'cat-blob': case 'ls': case 'notes': return;
      default:
    }
    throw new InvalidError(`this version does not support feature '${text}'`, { code: 'unsupported-feature' });
  }

  #takeOption(text: string): void {
    if (this.#hasData) throw new InvalidError(`got option command '${text}' after data command`, { code: 'bad-stream' });
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const value = equals < 0 ? '' : text.slice(equals + 1);
    if (name === 'quiet' || name === 'stats') {
      if (!this.#fixed.has('stats')) this.#options = { ...this.#options, stats: name === 'stats' };
    } else if (name === 'export-pack-edges' && value !== '') {
      if (!this.#fixed.has(name)) this.#options = { ...this.#options, exportPackEdges: resolve(this.#repository.context.cwd, value) };
    } else if (isTuning(name)) {
      const amount = parseTuning(name, value);
      if (this.#fixed.has(name)) return;
      if (name === 'active-branches') this.#options = { ...this.#options, activeBranches: amount };
      else this.#pack.tune({ [tuningOf[name]]: amount });
    } else {
      throw new InvalidError(`this version does not support option '${text}'`, { code: 'unsupported-option' });
    }
  }

  #marksPath(path: string): string {
    return marksPath(this.#repository, path, this.#options.relativeMarks);
  }

  // ---- making it visible

  #checkpoint(): void {
    this.#exportEdges(this.#pack.finish());
    for (const refusal of this.#branches.publish(this.#options.force)) {
      this.#warn(`warning: ${refusal}`);
      this.#hasFailed = true;
    }
    if (this.#options.exportMarks !== undefined) writeMarks(this.#options.exportMarks, this.#marks);
  }

  #exportEdges(packId: string | undefined): void {
    if (this.#options.exportPackEdges === undefined || packId === undefined) return;
    const pack = join(this.#repository.objectsDirectory, 'pack', `pack-${packId}.pack`);
    const fd = disk().open(this.#options.exportPackEdges, 'a', 0o666);
    try {
      disk().write(fd, Buffer.from(`${[`${pack}:`, ...this.#branches.listNewTips()].join(' ')}\n`));
    } finally {
      disk().close(fd);
    }
  }

  /** Says in a file what had been read and done when the stream turned out wrong. */
  #reportCrash(error: InvalidError): void {
    const path = join(this.#repository.gitDirectory, `fast_import_crash_${this.#repository.context.process.pid}`);
    const lines = ['fast-import crash report:', `    process: ${this.#repository.context.process.pid}`, `    at ${new Date(this.#repository.context.clock.nowMs()).toISOString()}`,
      '', `fatal: ${error.message}`, '', 'Most Recent Commands Before Crash', '---------------------------------',
      ...this.#stream.recent.map((line, index) => `${index === this.#stream.recent.length - 1 ? '* ' : '  '}${line}`),
      '', 'Branches', '--------',
      ...[...this.#branches.list()].map(({ name, tip }) => `${name}: ${tip ?? 'no commit'}`), '', 'Marks', '-----',
      ...[...this.#marks].map(([mark, id]) => `:${mark} ${id}`), '', 'END OF CRASH REPORT', ''];
    replaceFile(path, Buffer.from(lines.join('\n'), 'latin1'));
    this.#pack.finish();
    if (this.#options.exportMarks !== undefined) writeMarks(this.#options.exportMarks, this.#marks);
    this.#warn(`fast-import: wrote a crash report to '${this.#repository.shownPath(path)}'`);
  }
}
