// The only file that changes a ref. A transaction takes all its locks, checks every expectation, makes the new values durable in their lock files
// and only then lets any of them appear. Specified by git-update-ref(1) and, for locks and files, gitrepository-layout(5).
//
// Invariants: objects are durable before a ref names them (flush comes first), and there until it does (cairn-safety(7), "Beside running writers"); what fails at `prepare` leaves every ref as it was; each ref's
// rename is that ref's commit; its reflog entry is written before. Old values are compared while the lock is held.
// If the power fails: each ref is old or new, and a transaction over several refs changes all of them or none: a journal (ref-journal.ts) says
// what is going to change, and whoever comes next finishes it.
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { type DirectoryOptions, type DiskPath, disk, makeDirectories, removeIfPresent, syncTogether, temporaryName } from '../../pack/disk.js';
import { ConflictError, CorruptError, InvalidError, LockedError, NotFoundError, RefusedError, isSystemError } from '../../pack/errors.js';
import type { Ident } from '../../pack/ident.js';
import { type ObjectId, type ObjectType, isObjectId, isZeroId, zeroId } from '../../pack/oid.js';
import { Announcement, whileNaming } from './announcement.js';
import { runHook } from '../hooks.js';
import { reflogIdent } from '../identity.js';
import { LockFile, type LockOptions } from '../lockfile.js';
import { type PackedRef, type PackedRefs, encodePackedRefs } from './packed-refs.js';
import { type RefName, encodeRefName, isRefName, isRootRefName, isSafeRefName, isText, parseRefName } from './ref-name.js';
import type { SettingsMove } from '../branch-settings.js';
import {
  type Unsynced, appendReflog, encodeReflogEntry, formatReflogMessage, readReflogText, removeEmptyDirectories, removeEmptyParents, removeReflogs, replaceReflog,
} from './reflog.js';
import { type RefChange, type RefContent, RefJournal, contentOf, nameEverywhere } from './ref-journal.js';
import type { RawRef } from './refs.js';
import type { Repository } from '../repository.js';

/** One wish about one ref. */
export interface RefEdit {
  readonly name: string;
  /** What the ref must hold now: an id, or nothing; undefined does not care. A symbolic ref is compared by what it leads to. */
  readonly expected?: ObjectId | 'absent' | undefined;
  readonly target: { readonly id: ObjectId } | { readonly symbolic: RefName } | 'delete' | 'verify';
  /** Change the named ref itself even when it is symbolic. */
  readonly noDeref?: boolean;
  /** For the reflog; UTF-8 text. */
  readonly message?: string;
  /** Make a reflog even where core.logAllRefUpdates would not. */
  readonly createReflog?: boolean;
  /** The ref goes on where another ended: the reflog (latin1) it has before this entry, instead of its own. */
  readonly formerLog?: string;
  /** No entry in the reflog: this is a step on the way to something that will have one. */
  readonly isUnlogged?: boolean;
}

/** The settings of a branch, which change with its name: all of both, or none. */
export interface SettingsChange {
  readonly move: SettingsMove;
  readonly apply: () => void;
}

/** An edit on its way: what is changed, and what is only written down. */
interface Step {
  readonly name: RefName;
  readonly edit: RefEdit;
  /** The ref is a symbolic one in front of the ref that moves (or HEAD, when its branch moves): only its reflog gets the entry. */
  readonly logOnly: boolean;
  /** For a symbolic ref that is followed: where it pointed when that was decided, which must still hold once it is locked. */
  readonly next: RefName | undefined;

  lock: LockFile | undefined;
  /** What the name leads to before. */
  oldId: ObjectId | undefined;
  raw: RawRef | undefined;
  /** A directory has the name: refs are below it, or it is empty. */
  isDirectory: boolean;
  /** The ref already holds what is wanted. */
  isUnchanged: boolean;
}

/** Git's defaults when core.filesRefLockTimeout and core.packedRefsTimeout are not set. */
const refLockTimeoutMs = 100;
const packedLockTimeoutMs = 1000;

export class RefTransaction {
  readonly #repository: Repository;
  readonly #isRecovery: boolean;
  readonly #edits: RefEdit[] = [];
  #steps: Step[] = [];
  #packedLock: LockFile | undefined;
  /** The next packed-refs, complete and durable, under a name of its own. */
  #newPacked: string | undefined;
  /** Directories made for refs, whose names are not durable yet. */
  readonly #newDirectories = new Set<DiskPath>();
  /** While several refs change. */
  #journal: { readonly file: RefJournal; readonly changes: readonly RefChange[]; readonly formerLogs: ReadonlyMap<RefName, string> } | undefined;
  readonly #settings: SettingsChange | undefined;
  /** Stands from before the new objects are looked at until the refs name them: no sweep takes them away meanwhile. */
  #announcement: Announcement | undefined;
  #state: 'open' | 'prepared' | 'closed' = 'open';

  /** `isRecovery`: this is part of finishing, or taking back, another one. `settings` change after the refs. */
  constructor(repository: Repository, options: { readonly isRecovery?: boolean; readonly settings?: SettingsChange | undefined } = {}) {
    this.#repository = repository;
    this.#isRecovery = options.isRecovery ?? false;
    this.#settings = options.settings;
  }

  /** Adds a wish; InvalidError when the name may not be written. Nothing is looked at before `prepare`. */
  add(edit: RefEdit): this {
    this.#requireState('open');
    if (edit.target !== 'verify' && !isWritable(edit)) {
      throw new InvalidError(`refusing to update ref with bad name '${edit.name}'`, { code: 'bad-ref-name', hint: 'see cairn check-ref-format for the rules' });
    }
    if (!isRefName(edit.name, { oneLevel: true })) throw new InvalidError(`invalid ref format: '${edit.name}'`, { code: 'bad-ref-name' });
    if (typeof edit.target === 'object' && 'id' in edit.target && isZeroId(edit.target.id)) {
      this.#edits.push({ ...edit, target: 'delete' });
    } else {
      this.#edits.push(edit);
    }
    return this;
  }

  get isEmpty(): boolean {
    return this.#edits.length === 0;
  }

  /** Locks every ref, checks every expectation and makes the new values durable; throws with everything undone when one does not hold. */
  prepare(): void {
    this.#requireState('open');
    if (!this.#isRecovery) this.#repository.finishRefTransactions();
    try {
      this.#repository.objects.flush();
      this.#plan();
      if (this.#steps.some(({ edit }) => typeof edit.target === 'object' && 'id' in edit.target)) this.#announcement = Announcement.make(this.#repository);
      const steps = [...this.#steps].sort((a, b) => (a.name < b.name ? -1 : 1));
      this.#checkObjects(steps);
      this.#lock(steps);
      this.#compareAll(steps);
      // What the new values lead to and only quarantine has comes back before anything names it.
      if (this.#announcement !== undefined) this.#repository.objects.rescue();
      this.#agreeOnOldIds();
      this.#checkNames();
      this.#lockPacked();
      this.#seal();
      this.#state = 'prepared';
      this.#runHook('prepared');
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /** Lets the new values appear; prepares first when that was not done. */
  commit(): void {
    if (this.#state === 'open') this.prepare();
    this.#requireState('prepared');
    try {
      this.#publish();
    } catch (error) {
      this.#state = 'closed';
      this.#release();
      this.#takeBack();
      throw error;
    }
    this.#state = 'closed';
    this.#release();
    this.#runHook('committed');
  }

  /** Gives up; every ref stays as it was. Harmless after commit. */
  abort(): void {
    if (this.#state === 'closed') return;
    const wasPrepared = this.#state === 'prepared';
    this.#state = 'closed';
    this.#release();
    if (wasPrepared) this.#runHook('aborted');
  }

  [Symbol.dispose](): void {
    this.abort();
  }

  #requireState(state: 'open' | 'prepared'): void {
    if (this.#state !== state) throw new ConflictError(`reference transaction is ${this.#state}, not ${state}`, { code: 'transaction-state' });
  }

  /** Turns edits into steps: symbolic refs are followed, HEAD's reflog follows HEAD's branch. */
  #plan(): void {
    const { refs } = this.#repository;
    const packed = refs.packed();
    const steps: Step[] = [];
    const derived: Step[] = [];
    const add = (list: Step[], name: RefName, edit: RefEdit, logOnly: boolean, next?: RefName): void => {
      list.push({ name, edit, logOnly, next, lock: undefined, oldId: undefined, raw: undefined, isDirectory: false, isUnchanged: false });
    };
    for (const edit of this.#edits) {
      const first = parseRefName(edit.name);
      const follow = edit.noDeref !== true && !(typeof edit.target === 'object' && 'symbolic' in edit.target);
      const target = follow ? this.#findTarget(first, edit, packed) : undefined;
      if (target === undefined) {
        add(steps, first, edit, false);
        continue;
      }
      add(steps, first, edit, true, target);
      let name = target;
      for (let next = refs.findSymbolic(name), depth = 0; next !== undefined; next = refs.findSymbolic(name), depth += 1) {
        if (depth >= 5) throw new CorruptError(`too many symbolic refs follow '${first}'`, { code: 'ref-damaged' });
        add(derived, name, edit, true, next);
        name = next;
      }
      add(derived, name, edit, false);
    }
    const head = refs.findSymbolic('HEAD');
    const all = [...steps, ...derived];
    const moved = head === undefined ? undefined : all.find((step) => step.name === head && !step.logOnly && isIdChange(step.edit));
    if (moved !== undefined && !all.some((step) => step.name === 'HEAD')) add(all, 'HEAD' as RefName, moved.edit, true, moved.name);
    const seen = new Set<string>();
    for (const { name } of all) {
      if (seen.has(name)) throw new InvalidError(`multiple updates for ref '${name}' not allowed`, { code: 'ref-twice' });
      seen.add(name);
    }
    this.#steps = all;
  }

  /** Where a ref points, one step; a damaged one points nowhere when nobody cares what it held. */
  #findTarget(name: RefName, edit: RefEdit, packed: PackedRefs): RefName | undefined {
    const { loose } = this.#readLoose(name, edit, packed);
    return loose?.kind === 'symbolic' ? loose.target : undefined;
  }

  /** What a ref's own file says, a damaged one nothing where nobody cares what it held; or that a directory has its name. */
  #readLoose(name: RefName, edit: RefEdit, packed: PackedRefs): { readonly loose?: RawRef | undefined; readonly isDirectory?: boolean } {
    const { refs } = this.#repository;
    const look = (): fs.Stats | undefined => findStatus(refs.filePath(name));
    // Where there should be no file, looking for one costs less than failing to open it.
    if (edit.expected === 'absent' || refs.findPacked(name, packed) !== undefined) {
      const status = look();
      if (status === undefined || status.isDirectory()) return { isDirectory: status !== undefined };
    }
    try {
      const loose = refs.readLoose(name);
      return loose === undefined ? { isDirectory: look()?.isDirectory() === true } : { loose };
    } catch (error) {
      if (isReplaceable(error, name, edit)) return {};
      throw error;
    }
  }

  #lock(steps: readonly Step[]): void {
    const { refs, config, lockHolder, hardening } = this.#repository;
    const options: LockOptions = { timeoutMs: config.getInteger('core.filesreflocktimeout') ?? refLockTimeoutMs, holder: lockHolder, durable: hardening.reference };
    for (const step of steps) {
      const { name, logOnly, edit: { target } } = step;
      step.lock = acquire(String(refs.filePath(name)), name, options, () => this.#conflictBelow(name), this.#newDirectories);
      if (typeof target === 'object' && !logOnly) step.lock.write('id' in target ? `${target.id}\n` : `ref: ${target.symbolic}\n`);
      step.lock.close();
    }
  }

  /** Compares what the refs hold, now that all are locked: packed-refs, read after the last lock was taken, says what the loose files do not. */
  #compareAll(steps: readonly Step[]): void {
    const packed = this.#repository.refs.packed();
    for (const step of steps) this.#compareLocked(step, packed);
  }

  #compareLocked(step: Step, packed: PackedRefs): void {
    const { edit, name } = step;
    const { loose, isDirectory = false } = this.#readLoose(name, edit, packed);
    step.isDirectory = isDirectory;
    step.raw = loose ?? this.#repository.refs.findPacked(name, packed);
    step.oldId = step.raw?.kind === 'id' ? step.raw.id : step.raw === undefined ? undefined : this.#resolveTarget(step.raw.target, edit);
    if (step.next !== undefined && (step.raw?.kind !== 'symbolic' || step.raw.target !== step.next)) {
      throw new ConflictError(`cannot lock ref '${edit.name}': '${name}' was pointed elsewhere meanwhile`, { code: 'ref-moved', hint: 'look at what it holds now, then retry' });
    }
    if (!step.logOnly || edit.name === name) this.#compare(step);
    step.isUnchanged = !step.logOnly && step.raw?.kind === 'id' && typeof edit.target === 'object' && 'id' in edit.target && step.raw.id === edit.target.id;
  }

  #resolveTarget(target: RefName, edit: RefEdit): ObjectId | undefined {
    try {
      return this.#repository.refs.find(target)?.id;
    } catch (error) {
      if (error instanceof CorruptError && edit.expected === undefined) return undefined;
      throw error;
    }
  }

  #compare({ edit, name, oldId }: Step): void {
    const { expected } = edit;
    const wanted = edit.target === 'verify' && expected === undefined ? undefined : expected;
    if (wanted === undefined) return;
    const shown = edit.name;
    if (wanted === 'absent' || isZeroId(wanted)) {
      if (oldId !== undefined) throw new ConflictError(`cannot lock ref '${shown}': reference already exists`, { code: 'ref-moved', hint: 'look at what it holds now, then retry' });
    } else if (oldId === undefined) {
      throw new ConflictError(`cannot lock ref '${shown}': unable to resolve reference '${name}'`, { code: 'ref-moved', hint: 'it does not exist any more' });
    } else if (oldId !== wanted) {
      throw new ConflictError(`cannot lock ref '${shown}': is at ${oldId} but expected ${wanted}`, { code: 'ref-moved', hint: 'look at what it holds now, then retry' });
    }
  }

  /** New objects are there; a branch points at a commit. */
  #checkObjects(steps: readonly Step[]): void {
    const types = new Map<ObjectId, ObjectType | undefined>();
    for (const { edit, name, logOnly } of steps) {
      if (!isSafeRefName(name)) throw new InvalidError(`refusing to update ref with bad name '${name}'`, { code: 'bad-ref-name' });
      if (logOnly || typeof edit.target !== 'object' || !('id' in edit.target)) continue;
      const { id } = edit.target;
      if (!types.has(id)) types.set(id, this.#repository.objects.findHeader(id)?.type);
      this.#checkObject(edit, name, id, types.get(id));
    }
  }

  #checkObject(edit: RefEdit, name: RefName, id: ObjectId, type: ObjectType | undefined): void {
    if (type === undefined) {
      throw new NotFoundError(`cannot update ref '${edit.name}': trying to write ref '${name}' with nonexistent object ${id}`, { code: 'object-missing' });
    }
    if (type !== 'commit' && (name.startsWith('refs/heads/') || name === 'HEAD')) {
      throw new InvalidError(`cannot update ref '${edit.name}': trying to write non-commit object ${id} to branch '${name}'`, { code: 'not-a-commit' });
    }
  }

  /** What a symbolic ref led to is what the ref at its end held when that was locked. */
  #agreeOnOldIds(): void {
    const atEnd = new Map<RefEdit, ObjectId | undefined>();
    for (const { logOnly, edit, oldId } of this.#steps) if (!logOnly) atEnd.set(edit, oldId);
    for (const step of this.#steps) if (step.logOnly) step.oldId = atEnd.get(step.edit);
  }

  /** 'a' and 'a/b' cannot both be refs; refs deleted in this very transaction do not count. */
  #checkNames(): void {
    const { refs } = this.#repository;
    const deleted = new Set<string>();
    const written = new Set<string>();
    /** Names above those that are written, each with one of these. */
    const above = new Map<string, RefName>();
    for (const { name, edit, logOnly } of this.#steps) {
      if (logOnly) continue;
      if (edit.target === 'delete') deleted.add(name);
      else if (edit.target !== 'verify') written.add(name);
      if (written.has(name) && name.startsWith('refs/')) for (const each of listAbove(name)) if (!above.has(each)) above.set(each, name);
    }
    for (const [name, below] of above) {
      if (written.has(name)) throw conflict(below, name, 'cannot process both at the same time');
      if (!deleted.has(name) && refs.readLoose(name as RefName) !== undefined) throw conflict(below, name, `'${name}' exists`);
    }
    // Nothing can be below a ref that is already there; even to say that one is not, its name must be one a ref could have.
    const absent = this.#steps.filter(({ raw, logOnly, name }) => !logOnly && raw === undefined && (!written.has(name) || name.startsWith('refs/')));
    for (const { name, isDirectory } of absent) if (isDirectory) checkNoneBelow(name, refs.listNames(`${name}/`), deleted);
    // What was packed since it was looked for as a file is in packed-refs now.
    const packed = refs.packed();
    for (const [name, below] of above) {
      if (!deleted.has(name) && refs.findPacked(name, packed) !== undefined) throw conflict(below, name, `'${name}' exists`);
    }
    for (const { name } of absent) checkNoneBelow(name, refs.listPackedNames(`${name}/`, packed), deleted);
  }

  /** The ref that stands where the lock's directory should be. */
  #conflictBelow(name: RefName): ConflictError | undefined {
    for (const above of listAbove(name)) {
      if (fs.lstatSync(this.#repository.refs.filePath(above), { throwIfNoEntry: false })?.isFile()) return conflict(name, above, `'${above}' exists`);
    }
    return undefined;
  }

  /**
   * A deletion keeps packed-refs locked until the loose file is gone too: otherwise somebody packing refs meanwhile could bring the ref
   * back. The new packed-refs, when it changes, is made beside the lock, which stays.
   */
  #lockPacked(): void {
    const { refs, config } = this.#repository;
    const gone = new Set(this.#steps.filter((step) => !step.logOnly && step.edit.target === 'delete').map((step) => encodeRefName(step.name)));
    if (gone.size === 0) return;
    this.#packedLock = LockFile.acquire(refs.packedPath, {
      timeoutMs: config.getInteger('core.packedrefstimeout') ?? packedLockTimeoutMs, holder: this.#repository.lockHolder,
    });
    const packed = refs.packed();
    if (![...gone].some((name) => packed.find(name) !== undefined)) return;
    const kept: PackedRef[] = [];
    for (const ref of packed.list()) if (!gone.has(ref.name)) kept.push(completePeeling(this.#repository, ref));
    this.#newPacked = temporaryName(dirname(refs.packedPath), 'tmp_packed-refs_');
    const fd = disk().open(this.#newPacked, 'wx', 0o666);
    try {
      disk().write(fd, encodePackedRefs(kept));
      disk().fsync(fd);
    } finally {
      disk().close(fd);
    }
  }

  /** Makes the new values in the locks durable: from here on only a rename can fail. */
  #seal(): void {
    const locks: LockFile[] = [];
    for (const { edit, logOnly, lock, name, isUnchanged, isDirectory } of this.#steps) {
      if (logOnly || isUnchanged || typeof edit.target !== 'object') continue;
      if (isDirectory && !removeEmptyDirectories(lock!.path)) {
        throw conflict(name, `${name}/`, `a directory '${lock!.path}' that is not empty is in the way`);
      }
      locks.push(lock!);
    }
    LockFile.sealTogether(locks, this.#repository.commonDirectory);
  }

  /** Reflogs, then values, and the reflogs of what is gone. */
  #publish(): void {
    if (this.#announcement?.isStanding === false) {
      throw new ConflictError('this process was stopped for so long that a sweep may have begun', { code: 'announcement-lost', hint: 'run the command again' });
    }
    this.#log(this.#steps.filter(({ edit, isUnchanged }) => typeof edit.target === 'object' && !isUnchanged && edit.formerLog === undefined));
    const changes = this.#listChanges();
    const takingOver = changes.filter(({ log }) => log !== undefined);
    if (changes.length > 1 || takingOver.length > 0 || this.#settings !== undefined) {
      const formerLogs = new Map(takingOver.map(({ name }) => [name, readReflogText(this.#repository, name)]));
      this.#journal = { file: RefJournal.write(this.#repository, changes, this.#settings?.move), changes, formerLogs };
    }
    for (const { name, log } of takingOver) replaceReflog(this.#repository, name, log!);
    this.#change();
    this.#settings?.apply();
    this.#journal?.file.remove();
    this.#journal = undefined;
    const deleted = this.#steps.filter(({ edit }) => edit.target === 'delete');
    this.#log(deleted.filter(({ logOnly }) => logOnly));
    removeReflogs(this.#repository, deleted.filter(({ logOnly }) => !logOnly).map(({ name }) => name));
  }

  /** After a failure: refs that changed get back what they held, unless somebody changed them again; then the journal goes. */
  #takeBack(): void {
    if (this.#journal === undefined) return;
    const { file, changes, formerLogs } = this.#journal;
    try {
      for (const { name, before, after } of changes) changeRefIfStill(this.#repository, { name, before: after, after: before });
      for (const { name, before } of changes) {
        const log = formerLogs.get(name);
        if (log !== undefined && contentOf(this.#repository.refs.readRaw(name)) === before) replaceReflog(this.#repository, name, log);
      }
      file.remove();
    } catch (error) {
      // The journal stays; whoever comes next does what it says.
      if (!isSystemError(error) && !(error instanceof LockedError) && !(error instanceof ConflictError)) throw error;
    }
  }

  /** What becomes of each ref whose file changes. */
  #listChanges(): RefChange[] {
    const changes: RefChange[] = [];
    for (const { name, edit, raw, logOnly, isUnchanged } of this.#steps) {
      if (logOnly || (isUnchanged && edit.formerLog === undefined) || edit.target === 'verify' || (edit.target === 'delete' && raw === undefined)) continue;
      const after = edit.target === 'delete' ? undefined : 'id' in edit.target ? edit.target.id : `ref: ${edit.target.symbolic}`;
      const log = edit.formerLog === undefined ? {} : { log: edit.formerLog + this.#continueLog(edit, name) };
      changes.push({ name: nameEverywhere(this.#repository, name), before: contentOf(raw), after, ...log });
    }
    return changes;
  }

  /** The entry after a reflog that was taken over: the value is the one the other ref had. */
  #continueLog(edit: RefEdit, name: RefName): string {
    const isLogged = edit.isUnlogged !== true && (edit.formerLog !== '' || edit.createReflog === true || shouldLog(this.#repository, name));
    if (!isLogged || typeof edit.target !== 'object' || !('id' in edit.target)) return '';
    const { id } = edit.target;
    return encodeReflogEntry({ oldId: id, newId: id, ident: reflogIdent(this.#repository), message: formatReflogMessage(edit.message ?? '') }).toString('latin1');
  }

  /** Values, durably; packed refs go before the loose ones that hide them. */
  #change(): void {
    const { refs } = this.#repository;
    const directories = this.#newDirectories;
    for (const { edit, lock, logOnly, isUnchanged } of this.#steps) {
      if (typeof edit.target !== 'object' || logOnly || isUnchanged) continue;
      lock!.commit({ directory: 'later' });
      directories.add(dirname(lock!.path));
    }
    this.#sync([], directories);
    if (this.#newPacked !== undefined) {
      disk().rename(this.#newPacked, refs.packedPath);
      this.#newPacked = undefined;
      disk().fsyncDirectory(dirname(refs.packedPath));
    }
    const emptied = new Set<DiskPath>();
    for (const { edit, logOnly, lock } of this.#steps) {
      if (edit.target !== 'delete' || logOnly) continue;
      if (isFile(lock!.path) && removeIfPresent(lock!.path)) emptied.add(dirname(lock!.path));
    }
    this.#sync([], emptied);
  }

  /** Makes what refs are kept in durable, unless the user does not want that. */
  #sync(files: readonly DiskPath[], directories: ReadonlySet<DiskPath>): void {
    const { commonDirectory, hardening } = this.#repository;
    if (hardening.reference) syncTogether(commonDirectory, files, [...directories]);
  }

  #log(steps: readonly Step[]): void {
    if (steps.length === 0) return;
    const ident = reflogIdent(this.#repository);
    const unsynced: Unsynced = { files: [], directories: new Set() };
    for (const step of steps) this.#append(step, ident, unsynced);
    this.#sync(unsynced.files, unsynced.directories);
  }

  #append({ edit, name, oldId }: Step, ident: Ident, unsynced: Unsynced): void {
    if (edit.isUnlogged === true) return;
    const create = edit.createReflog === true || shouldLog(this.#repository, name);
    const none = zeroId(this.#repository.format);
    const message = formatReflogMessage(edit.message ?? '');
    const successor = this.#findSuccessor(edit);
    if (successor !== undefined) {
      // As git tells it: its branch went away, here, and another one came.
      if (name === 'HEAD' && oldId !== undefined) appendReflog(this.#repository, name, { oldId, newId: none, ident, message }, create, unsynced);
      appendReflog(this.#repository, name, { oldId: none, newId: successor, ident, message }, create, unsynced);
      return;
    }
    let newId: ObjectId | undefined = none;
    if (typeof edit.target === 'object') {
      // A symbolic ref's move is logged only when it leads somewhere.
      newId = 'id' in edit.target ? edit.target.id : this.#repository.refs.find(edit.target.symbolic)?.id;
    }
    if (newId === undefined) return;
    appendReflog(this.#repository, name, { oldId: oldId ?? none, newId, ident, message }, create, unsynced);
  }

  /** What the branch will hold that a symbolic ref is to follow from now on, where it takes over from another in this very transaction. */
  #findSuccessor({ target }: RefEdit): ObjectId | undefined {
    if (typeof target !== 'object' || !('symbolic' in target)) return undefined;
    const taken = this.#steps.find(({ name, edit }) => name === target.symbolic && edit.formerLog !== undefined)?.edit.target;
    return typeof taken === 'object' && 'id' in taken ? taken.id : undefined;
  }

  #release(): void {
    const left: string[] = [];
    for (const { lock, name } of this.#steps) {
      lock?.rollback();
      if (lock?.isCommitted === false && name.startsWith('refs/')) left.push(lock.path);
    }
    removeEmptyParents(left, 'refs');
    if (this.#newPacked !== undefined) removeIfPresent(this.#newPacked);
    this.#newPacked = undefined;
    this.#packedLock?.rollback();
    this.#announcement?.withdraw();
    this.#announcement = undefined;
  }

  /** The reference-transaction hook may veto what is prepared, and is told how it ended. */
  #runHook(state: 'prepared' | 'committed' | 'aborted'): void {
    if (this.#steps.length === 0 || this.#isRecovery) return;
    const none = zeroId(this.#repository.format);
    const lines = this.#steps.flatMap(({ edit, name }) => {
      if (typeof edit.target === 'object' && 'symbolic' in edit.target) return [];
      const old = edit.expected === undefined || edit.expected === 'absent' ? none : edit.expected;
      const id = typeof edit.target === 'object' ? edit.target.id : none;
      return [`${old} ${id} ${name}\n`];
    });
    if (lines.length === 0) return;
    const { exitCode } = runHook(this.#repository, 'reference-transaction', { args: [state], stdin: lines.join('') });
    if (exitCode !== 0 && state === 'prepared') {
      throw new RefusedError('ref updates aborted by hook', { code: 'hook-refused', hint: 'the reference-transaction hook said no' });
    }
  }
}

/** One edit, all the way. */
export function updateRef(repository: Repository, edit: RefEdit): void {
  using transaction = new RefTransaction(repository);
  transaction.add(edit).commit();
}

/** A bad name may be deleted by nobody either: what git calls "safe" is all that is ever touched. */
function isWritable({ name }: RefEdit): boolean {
  return isSafeRefName(name) && isText(name);
}

function isIdChange({ target }: RefEdit): boolean {
  return target === 'delete' || (typeof target === 'object' && 'id' in target);
}

/** A damaged ref can still be deleted or overwritten by who does not care what it held; HEAD is too precious. */
function isReplaceable(error: unknown, name: string, edit: RefEdit): boolean {
  return error instanceof CorruptError && error.code === 'ref-damaged' && edit.expected === undefined && edit.target !== 'verify' && name !== 'HEAD';
}

/** Undefined where nothing is, or a file has the name of a directory above. */
function findStatus(path: string | Buffer): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isSystemError(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

function isFile(path: string): boolean {
  const status = fs.lstatSync(path, { throwIfNoEntry: false });
  return status !== undefined && !status.isDirectory();
}

/** The names above a ref's that could be refs, from below. */
function* listAbove(name: string): Generator<string> {
  for (let slash = name.lastIndexOf('/'); slash > 4; slash = name.lastIndexOf('/', slash - 1)) yield name.slice(0, slash);
}

function checkNoneBelow(name: string, names: Iterable<RefName>, deleted: ReadonlySet<string>): void {
  for (const below of names) if (!deleted.has(below)) throw conflict(name, below, `'${below}' exists`);
}

function conflict(name: string, other: string, what: string): ConflictError {
  return new ConflictError(`cannot lock ref '${name}': ${what}; cannot create '${name}'`, {
    code: 'ref-name-conflict', hint: `a ref cannot be both a name and a directory of names; rename or delete '${other}'`,
  });
}

/** By core.logAllRefUpdates; unset means true with a work tree. */
function shouldLog(repository: Repository, fullName: string): boolean {
  const name = fullName.replace(/^(?:main-worktree|worktrees\/[^/]+)\//, '');
  const value = repository.config.get('core.logallrefupdates');
  if (value?.toLowerCase() === 'always') return name === 'HEAD' || name.startsWith('refs/');
  const wanted = repository.config.getBoolean('core.logallrefupdates') ?? !repository.isBare;
  return wanted && (name === 'HEAD' || /^refs\/(heads|remotes|notes)\//.test(name));
}

/** A lock in a directory that may not exist yet, or that another process removes because it is empty. */
function acquire(
  path: string, name: RefName, options: LockOptions, findConflict: () => ConflictError | undefined, later?: Set<DiskPath>,
): LockFile {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return LockFile.acquire(path, options);
    } catch (error) {
      if (error instanceof LockedError) throw error;
      if (isSystemError(error, 'ENOTDIR', 'EEXIST')) throw findConflict() ?? error;
      if (!isSystemError(error, 'ENOENT') || attempt >= 5 || isRootRefName(name)) throw error;
      try {
        makeRefDirectories(path, name, { durable: options.durable !== false, later });
      } catch (inner) {
        if (isSystemError(inner, 'ENOTDIR', 'EEXIST')) throw findConflict() ?? inner;
        if (!isSystemError(inner, 'ENOENT')) throw inner;
      }
    }
  }
}

/** Makes the directories a ref's file needs; never through a symbolic link. */
function makeRefDirectories(path: string, name: string, options: DirectoryOptions): void {
  const base = path.slice(0, path.length - name.length);
  for (let slash = name.indexOf('/'); slash > 0; slash = name.indexOf('/', slash + 1)) {
    if (fs.lstatSync(base + name.slice(0, slash), { throwIfNoEntry: false })?.isSymbolicLink()) {
      throw new CorruptError(`'${base}${name.slice(0, slash)}' is a symbolic link`, { code: 'ref-damaged', hint: 'refs are never written through links' });
    }
  }
  makeDirectories(dirname(path), options);
}

/** The ref with its peeled value, found out when the old file did not know it. */
export function completePeeling(repository: Repository, ref: PackedRef): PackedRef {
  if (ref.isPeeled) return ref;
  return { ...ref, peeled: peelTag(repository, ref.id), isPeeled: true };
}

/** What a tag points at in the end; undefined when `id` is no tag or leads nowhere. */
export function peelTag(repository: Repository, id: ObjectId): ObjectId | undefined {
  let current = id;
  for (let depth = 0; depth < 1000; depth += 1) {
    const header = repository.objects.findHeader(current);
    if (header?.type !== 'tag') return current === id || header === undefined ? undefined : current;
    current = repository.objects.readTag(current).object;
  }
  throw new CorruptError(`tag '${id}' points at more than 1000 tags in turn`, { code: 'tag-chain' });
}

/**
 * Runs `action` while the ref itself (not what it points at) is locked; an id it gives becomes the ref's value, without an entry in the reflog,
 * which is what `action` works on.
 */
export function holdRef(repository: Repository, name: RefName, action: (current: ObjectId | undefined) => ObjectId | undefined): void {
  const path = String(repository.refs.filePath(name));
  const timeoutMs = repository.config.getInteger('core.filesreflocktimeout') ?? refLockTimeoutMs;
  using lock = acquire(path, name, { timeoutMs, holder: repository.lockHolder, durable: repository.hardening.reference }, () => undefined);
  const id = action(repository.refs.find(name)?.id);
  if (id === undefined) return;
  whileNaming(repository, () => {
    repository.objects.has(id);
    repository.objects.rescue();
    lock.write(`${id}\n`);
    lock.commit();
  });
}

/** Does one change of a transaction that was interrupted, unless the ref holds something else by now; its reflog has the entry already, or comes with it. */
export function changeRefIfStill(repository: Repository, { name, before, after, log }: RefChange): void {
  const { refs } = repository;
  if (contentOf(refs.readRaw(name)) !== before) return;
  if (after === undefined) {
    removeRef(repository, name, before);
    return;
  }
  const path = String(refs.filePath(name));
  const timeoutMs = repository.config.getInteger('core.filesreflocktimeout') ?? refLockTimeoutMs;
  using lock = acquire(path, name, { timeoutMs, holder: repository.lockHolder }, () => undefined);
  if (contentOf(refs.readRaw(name)) !== before) return;
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) removeEmptyDirectories(path);
  if (log !== undefined) replaceReflog(repository, name, log);
  lock.write(`${after}\n`);
  lock.commit();
}

function removeRef(repository: Repository, name: RefName, before: RefContent): void {
  const isId = before !== undefined && isObjectId(before, repository.format);
  using transaction = new RefTransaction(repository, { isRecovery: true });
  transaction.add({ name, target: 'delete', noDeref: true, expected: isId ? before : undefined }).commit();
}
