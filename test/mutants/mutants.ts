// What is taken out of the sources, one thing at a time, to see whether the tests notice: every fsync there is, found by looking for it, and by
// name the order of renames, the looks before something is named or removed, and the comparisons with an id or a checksum.
//
// A suite is a compiled test file, or 'crash: <case>; ...' for power cuts of those cases, or 'rot' for damaged files.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Mutant {
  readonly name: string;
  /** The source that is changed. */
  readonly file: string;
  /** Each text stands there exactly once, unless `at` says where. */
  readonly edits: readonly { readonly find: string; readonly put: string; readonly at?: number }[];
  /** Tried in turn until one fails. */
  readonly suites: readonly string[];
  /** The suites start the program: it is built from the changed source. */
  readonly isProgram?: boolean;
  /** Why no suite need notice. */
  readonly harmless?: string;
}

const one = (find: string, put: string): Mutant['edits'] => [{ find, put }];

/** Which suites are about the fsyncs of a source. */
const suitesOf: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^pack\/loose\.ts$/, ['pack/loose.test', 'crash: hash-object; hash-object of several files; unpack-objects']],
  [/^pack\/disk\.ts$/, ['crash/crash.test', 'pack/disk.test', 'crash: update-ref of several refs; unpack-objects; release']],
  [/^pack\/pack-writer\.ts$/, ['crash: fast-import; repack; gc']],
  [/^pack\/pack-intake\.ts$/, ['crash: index-pack; bundle unbundle']],
  [/^pack\/quarantine\.ts$/, ['pack/quarantine.test', 'crash: gc with grace 0; gc --undo']],
  [/^plumbing\/lockfile\.ts$/, ['crash: update-ref; update-index; config; update-ref of several refs']],
  [/^plumbing\/refs\/ref-journal\.ts$/, ['plumbing/refs/ref-journal.test', 'crash: update-ref of several refs; update-ref of several refs, forth and back; update-ref of several refs, packed ones too']],
  [/^plumbing\/refs\/ref-packing\.ts$/, ['crash: pack-refs; pack-refs, then update-ref -d']],
  [/^plumbing\/refs\/ref-transaction\.ts$/, ['crash: update-ref; update-ref -d of a packed ref; update-ref of several refs; update-ref of several refs, packed ones too; symbolic-ref']],
  [/^plumbing\/refs\/reflog\.ts$/, ['crash: update-ref; reflog expire']],
  [/^plumbing\/refs\/sweep-flag\.ts$/, ['porcelain/quarantine.test', 'crash: gc with grace 0; gc --undo']],
  [/^plumbing\/history\/commit-graphing\.ts$/, ['crash: commit-graph; commit-graph in layers']],
  [/^porcelain\/release.*\.ts$/, ['porcelain/release-crash.test', 'crash: release']],
  [/^porcelain\/events\.ts$/, ['crash: release']],
  [/^porcelain\/commit\.ts$/, ['crash: commit with a hook']],
  [/^porcelain\/sweep\.ts$/, ['porcelain/sweep-order.test', 'porcelain/quarantine.test', 'crash: gc with grace 0; gc --undo']],
  [/^porcelain\/archive\//, ['porcelain/archive/archive.test', 'porcelain/archive/archive-outcomes.test', 'crash: archive; archive restore']],
  [/^porcelain\/integrity\//, ['crash: repair of what cannot be read; repair']],
];

/** Why some fsyncs are not missed by any test, by file and how the source goes on from there. */
const harmless: readonly (readonly [file: string, text: string, why: string])[] = [
  ['plumbing/objects/fsck.ts', 'disk().fsync(fd)', 'a copy for people in lost-found, of an object that is there'],
  ['pack/pack-writer.ts', 'disk().fsync(fd);\n    const checksum = digest();', 'it only has the disk begin while the digest is made; the one below it makes the pack durable'],
  ['plumbing/history/commit-graphing.ts', 'disk().fsyncDirectory(this.#chainDirectory)', 'the list of layers, in the same directory, is made durable after it; one that names a layer which is not there is not used'],
  ['plumbing/refs/sweep-flag.ts', 'disk().fsyncDirectory(dirname(path));\n    return', 'a flag that a power cut takes away leaves an open batch, which readers look into and the next gc puts back'],
  ['plumbing/refs/sweep-flag.ts', 'disk().fsyncDirectory(dirname(this.#path));', 'a flag that comes back is of an earlier start of the machine, and taken for dead'],
  ['plumbing/commands/merge-file.ts', 'disk().fsync(file)', 'a file of the work tree, which nothing relies on'],
];

/** One mutant for each call that makes something durable. */
export function listFsyncMutants(root: string): Mutant[] {
  return ['pack', 'plumbing', 'porcelain'].flatMap((top) => readdirSync(join(root, top), { recursive: true, encoding: 'utf8' }).map((name) => `${top}/${name}`))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.generated.ts') && !file.includes('/assembly/')).sort()
    .flatMap((file) => {
      const source = readFileSync(join(root, file), 'utf8');
      const calls = [...source.matchAll(/(?:disk\(\)\.fsync(?:Directory)?|(?<!function )syncTogether|this\.#sync)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)(?=;)/g)];
      return calls.map((call): Mutant => {
        const line = source.slice(0, call.index).split('\n').length;
        const why = harmless.find(([at, text]) => at === file && source.startsWith(text, call.index))?.[2];
        return {
          name: `${file}:${line} without ${call[0].replace(/\s+/g, ' ')}`, file, edits: [{ find: call[0], put: 'void 0', at: call.index }],
          suites: suitesOf.find(([pattern]) => pattern.test(file))?.[1] ?? [], ...(why === undefined ? {} : { harmless: why }),
        };
      });
    });
}

const beside = ['porcelain/quarantine.test', 'porcelain/gc-beside-writers.test'];
const retaining = ['porcelain/retention/retention.test'];

export const namedMutants: readonly Mutant[] = [
  // The order of things.
  {
    name: 'an object is written under its own name', file: 'pack/loose.ts',
    edits: one("const temporary = temporaryName(directory, 'tmp_obj_');\n      this.#fill(", 'const temporary = this.#ownPath(id);\n      this.#fill('), suites: ['pack/loose.test', 'crash: hash-object'],
  },
  {
    name: 'objects held together get their names before they are durable', file: 'pack/loose.ts',
    edits: [
      { find: 'if (this.#durable) syncTogether(this.directory, [...held.values()], []);', put: '' },
      { find: '        left.delete(id);\n      }\n', put: '        left.delete(id);\n      }\n      if (this.#durable) syncTogether(this.directory, [...held.keys()].map((id) => this.#ownPath(id)), []);\n' },
    ],
    suites: ['pack/loose.test'],
  },
  {
    name: 'the index of a pack appears before the pack', file: 'pack/pack-writer.ts',
    edits: [
      { find: 'disk().rename(this.#temporary, `${base}.pack`);', put: 'disk().rename(temporaryIndex, `${base}.idx`);' },
      { find: 'disk().rename(temporaryIndex, `${base}.idx`);\n      this.#leftovers', put: 'disk().rename(this.#temporary, `${base}.pack`);\n      this.#leftovers' },
    ],
    suites: ['pack/pack-writer.test', 'crash: fast-import; repack'],
  },
  {
    name: 'a pack goes before its index', file: 'pack/object-store.ts',
    edits: one("for (const suffix of ['.idx', '.rev', '.bitmap', '.mtimes', '.promisor', '.keep', '.pack']) removeIfPresent", "for (const suffix of ['.pack', '.idx', '.rev', '.bitmap', '.mtimes', '.promisor', '.keep']) removeIfPresent"),
    suites: ['pack/object-store.test', 'crash: repack; gc'],
  },
  { name: 'a ref moves before the names of new objects are durable', file: 'plumbing/refs/ref-transaction.ts', edits: one('      this.#repository.objects.flush();\n', ''), suites: ['crash: commit; tag'] },
  { name: 'an index is written before the names of its objects are durable', file: 'plumbing/repository.ts', edits: one('    this.#objects?.flush();\n', ''), suites: ['crash: add; update-index'] },
  {
    name: 'several refs change without a journal', file: 'plumbing/refs/ref-transaction.ts',
    edits: one('if (changes.length > 1) this.#journal =', 'if (changes.length > 99) this.#journal ='), suites: ['crash: update-ref of several refs'],
  },
  {
    name: 'the journal goes before the refs have changed', file: 'plumbing/refs/ref-transaction.ts',
    edits: [{ find: '    this.#change();\n    this.#journal?.file.remove();\n', put: '    this.#journal?.file.remove();\n    this.#change();\n' }], suites: ['crash: update-ref of several refs'],
  },
  // What policy must not touch.
  { name: 'a plan is done although something was held while its refs were being locked', file: 'porcelain/retention/plan.ts', edits: one('    requirePlan(repository, id);\n    for', '    for'), suites: retaining },
  { name: 'policy lets go of what is held', file: 'porcelain/retention/candidates.ts', edits: one('    if (hold !== undefined) guards.push', '    if (hold === null) guards.push'), suites: retaining },
  { name: 'policy lets go of branches in use', file: 'porcelain/retention/candidates.ts', edits: one('      if (place !== undefined) guards.push', '      if (place === null) guards.push'), suites: retaining },
  { name: 'policy lets go of the live release', file: 'porcelain/retention/candidates.ts', edits: one('      if (subjects.length === 0) guards.push', '      if (subjects.length < 0) guards.push'), suites: retaining },
  { name: 'a wrong clock lets go of more', file: 'porcelain/retention/verdict.ts', edits: one('two.atMs - one.atMs), lift(groups).reverse(), lowered];', 'two.atMs - one.atMs)];'), suites: ['porcelain/retention/verdict.test'] },
  // Looks before something is named or removed.
  { name: 'a writer does not look for a sweep', file: 'plumbing/refs/announcement.ts', edits: one('      if (sweep === undefined) {', '      if (sweep !== null) {'), suites: beside, isProgram: true },
  {
    name: 'a sweep does not wait for writers', file: 'porcelain/removal-phase.ts',
    edits: one("let waited = listAnnounced(repository).filter(({ kind }) => kind === 'naming');", 'let waited: ReturnType<typeof listAnnounced> = [];'), suites: beside, isProgram: true,
  },
  { name: 'a sweep does not read the roots again', file: 'porcelain/sweep.ts', edits: one('      this.#extendMark([]);\n', ''), suites: ['porcelain/sweep-order.test', ...beside], isProgram: true },
  { name: 'a sweep does not mend the store when it is done', file: 'porcelain/sweep.ts', edits: one('if (hasTaken) this.#extendMark(', 'if (hasTaken && Date.now() < 0) this.#extendMark('), suites: beside, isProgram: true },
  { name: 'a sweep does not look whether a file was touched before it takes it away', file: 'porcelain/sweep.ts', edits: one('if (own !== undefined && isUnchanged(path, mtimeMs)) {', 'if (own !== undefined) {'), suites: ['porcelain/sweep-order.test', ...beside], isProgram: true },
  { name: 'a sweep does not look whether a file was touched while it took it away', file: 'porcelain/sweep.ts', edits: one('if (isUnchanged(own.held, mtimeMs)) return true;', 'return true;'), suites: beside, isProgram: true },
  { name: 'what is needed by now is taken away nevertheless', file: 'porcelain/sweep.ts', edits: one('new Set([...expired.keys()].filter((id) => marked.has(id)))', 'new Set<ObjectId>()'), suites: beside, isProgram: true },
  {
    name: 'commands at work do not keep what they wrote', file: 'porcelain/gc.ts',
    edits: one('const cutoffMs = Math.min(nowMs - options.graceMs, oldestLeaseMs(repository));', 'const cutoffMs = nowMs - options.graceMs;'), suites: ['porcelain/gc.test', ...beside],
  },
  { name: 'an announcement that was taken for abandoned still counts', file: 'plumbing/refs/ref-transaction.ts', edits: one('if (this.#announcement?.isStanding === false) {', 'if (this.#announcement === null) {'), suites: beside, isProgram: true },
  { name: 'a sweep that died is not undone', file: 'plumbing/refs/sweep-flag.ts', edits: one('export function undoDeadSweep(repository: Repository): void {', 'export function undoDeadSweep(repository: Repository): void {\n  if (Date.now() > 0) { removeIfPresent(join(repository.commonDirectory, "cairn/sweep")); return; }'), suites: beside, isProgram: true },
  { name: 'what is named does not come back from quarantine', file: 'plumbing/refs/announcement.ts', edits: one('  repository.objects.rescue();\n  return value;', '  return value;'), suites: beside },
  { name: 'what a ref names does not come back from quarantine', file: 'plumbing/refs/ref-transaction.ts', edits: one('if (this.#announcement !== undefined) this.#repository.objects.rescue();', ''), suites: beside },
  { name: 'a removal phase does not look whether the lock is still its own', file: 'porcelain/removal-phase.ts', edits: one('    lock.check();\n', ''), suites: ['porcelain/sweep-order.test', ...beside] },
  { name: 'a lock of a living process is taken over', file: 'plumbing/lockfile.ts', edits: one("findOut(found, identity, found.claim, found.uid, holder.uid) !== 'dead') return", "findOut(found, identity, found.claim, found.uid, holder.uid) === undefined) return"), suites: ['plumbing/lockfile.test'] },
  { name: 'a ref that moved meanwhile is overwritten', file: 'plumbing/refs/ref-transaction.ts', edits: one('} else if (oldId !== wanted) {', '} else if (oldId === null) {'), suites: ['plumbing/refs/refs.test', 'plumbing/commands/update-ref.test'] },
  { name: 'a ref may name what is not there', file: 'plumbing/refs/ref-transaction.ts', edits: one('    if (type === undefined) {\n      throw new NotFoundError(`cannot update', '    if (type === null) {\n      throw new NotFoundError(`cannot update'), suites: ['plumbing/refs/refs.test', 'plumbing/commands/update-ref.test', ...beside] },
  // Comparisons with an id or a checksum.
  { name: 'a loose object is not hashed', file: 'pack/loose.ts', edits: one('if (hashFramed(framed, this.#format) !== id) throw mismatchError(id, path);', ''), suites: ['pack/loose.test', 'pack/object-store.test', 'rot'] },
  { name: 'a loose object is not hashed when read in pieces', file: 'pack/loose.ts', edits: one(' || hasher.digestId() !== id) throw mismatchError(id, path);', ') throw mismatchError(id, path);'), suites: ['pack/loose.test', 'pack/object-store.test'] },
  { name: 'a packed object is not hashed', file: 'pack/pack-reader.ts', edits: one('if (hashObject(object.type, object.bytes, this.format) !== id) throw mismatchError(id, this.path);', ''), suites: ['pack/pack-reader.test', 'pack/object-store.test', 'rot'] },
  { name: 'a packed object that is passed on is not hashed', file: 'pack/pack-reader.ts', edits: one('if (!isHashOf(this.index.bytes, this.index.idOffset(position), framed, this.format)) throw', 'if (framed.length < 0) throw'), suites: ['pack/pack-reader.test', 'pack/pack-cursor.test', 'pack/object-store.test', 'rot'] },
  { name: 'a packed object is not hashed when read in pieces', file: 'pack/pack-reader.ts', edits: one('if (left !== 0 || hasher.digestId() !== id) throw mismatchError(id, this.path);', 'if (left !== 0) throw mismatchError(id, this.path);'), suites: ['pack/pack-reader.test', 'pack/object-store.test'] },
  { name: 'a loose file that is there is taken for good', file: 'pack/object-store.ts', edits: one('return isGood(() => drain(loose.openStream(id))) && this.#touch(path);', 'return this.#touch(path);'), suites: ['pack/object-store.test'] },
  { name: 'a packed copy that is there is taken for good', file: 'pack/object-store.ts', edits: one('if (isGood(() => drain(pack.openStreamAt(position))) && this.#touch(pack.path)) return true;', 'if (this.#touch(pack.path)) return true;'), suites: ['pack/object-store.test'] },
  { name: 'a new pack is not read back', file: 'pack/verified-packs.ts', edits: one('if (!reader.isGoodAt(position)) bad.push(reader.idAt(position));', ''), suites: ['porcelain/sweep-order.test', 'porcelain/gc.test', 'pack/pack-plan.test'] },
  { name: 'the checksum of an index is not compared', file: 'plumbing/index/index-file.ts', edits: one('if (!digest(file.subarray(0, end), format).equals(file.subarray(end))) {', 'if (file.length < 0) {'), suites: ['plumbing/index/index-file.test', 'rot'] },
  { name: 'the checksum of a pack that comes in is not compared', file: 'pack/pack-stream.ts', edits: one('if (!trailer.equals(digest)) throw', 'if (trailer.length < 0) throw'), suites: ['pack/pack-stream.test', 'pack/pack-indexer.test', 'rot'] },
  { name: 'what a release wrote is not hashed', file: 'porcelain/file-writer.ts', edits: one('if (found?.id === id) return found;', 'if (found !== undefined) return found;'), suites: ['porcelain/release.test', 'porcelain/release-crash.test'] },
  { name: 'repair believes what it is given', file: 'porcelain/integrity/repair.ts', edits: one('hashPieces(stream.type, stream.sizeBytes, stream.chunks, store.format) === id', 'hashPieces(stream.type, stream.sizeBytes, stream.chunks, store.format) !== null'), suites: ['porcelain/commands/repair.test'] },
];
