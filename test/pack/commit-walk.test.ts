import test from 'ava';
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommitGraph, type GraphTables } from '../../pack/commit-graph.js';
import { CommitWalk } from '../../pack/commit-walk.js';
import { CairnError, CorruptError } from '../../pack/errors.js';
import { UnpackKernel } from '../../pack/kernels/unpack-kernel.js';
import { ObjectStore } from '../../pack/object-store.js';
import type { ObjectFormat, ObjectId } from '../../pack/oid.js';
import { bothFormats, makeRepository } from '../helpers/differential.js';
import { seededRandom } from '../helpers/sandbox.js';
import { gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

/** Many packs and loose commits, merges of many, equal times, subjects that are not plain, and an annotated tag. */
const scattered = `
export GIT_COMMITTER_DATE='1700000000 +0000'
for i in 1 2 3; do git commit -q --allow-empty -m "first $i"; done
git repack -adq
for b in a b c d; do git checkout -q -b $b; git commit -q --allow-empty -m "on $b"; GIT_COMMITTER_DATE='1700000100 +0100' git commit -q --allow-empty -m "later on $b"; done
git repack -dq
git checkout -q -b other HEAD~3
for i in 1 2 3 4; do GIT_COMMITTER_DATE="170000005$i +0000" git commit -q --allow-empty -m "side $i"; done
tree=$(git rev-parse HEAD^{tree})
octopus=$(git commit-tree -p a -p b -p c -p other -p d -m 'many parents' $tree)
git reset -q --hard $octopus
git repack -dq
git commit -q --allow-empty -m 'two lines
of subject'
git commit -q --allow-empty --allow-empty-message -m ''
git commit -q --allow-empty -m 'Grüße'
git -c i18n.commitEncoding=latin1 commit -q --allow-empty -m "$(printf 'Gr\\374\\337e')"
git commit -q --allow-empty -m 'last, and loose'`;

function open(directory: string, format: ObjectFormat): ObjectStore {
  return ObjectStore.open(join(directory, '.git/objects'), format);
}

/** What the kernel cannot read is read as History does. */
function walkOf(store: ObjectStore): CommitWalk {
  return new CommitWalk(store, store.openCursor()!, (ids, at) => store.read(ids.subarray(at, at + (store.format === 'sha1' ? 20 : 32)).reduce((hex, byte) => hex + byte.toString(16).padStart(2, '0'), '') as ObjectId).bytes);
}

/** Lines with ids; what is odd has one of dashes. */
function linesOf(store: ObjectStore, tips: readonly ObjectId[], options: { readonly digits?: number; readonly firstParent?: boolean; readonly maxCount?: number; readonly subjects?: boolean; readonly graph?: GraphTables | undefined } = {}): string {
  let text = '';
  const { digits, subjects, ...rest } = options;
  const count = walkOf(store).run(tips, {
    ...rest, lines: {
      ...(digits === undefined ? {} : { digits }), ...(subjects ? { subjects: { isUtf8: true } } : {}), terminator: 0x0a,
      write: (lines) => { text += lines.toString('latin1'); }, writeOdd: () => { text += '--\n'; },
    },
  });
  return `${count}\n${text}`;
}

for (const format of bothFormats) {
  test(`commits come in git's order wherever they are, with ids no longer than needed (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, format, scattered);
    const cwd = directory;
    const list = (...words: string[]): string => {
      const lines = gitOutput(words, { cwd });
      return `${lines.split('\n').length}\n${lines}\n`;
    };
    for (const packing of ['as it is', 'packed'] as const) {
      if (packing === 'packed') gitOutput(['gc', '-q'], { cwd });
      const store = open(directory, format);
      const tips = gitOutput(['rev-parse', 'HEAD', 'd', 'other~2'], { cwd }).split('\n') as ObjectId[];
      t.is(linesOf(store, tips), list('rev-list', 'HEAD', 'd', 'other~2'), packing);
      t.is(linesOf(store, gitOutput(['rev-parse', 'HEAD', 'HEAD~1', 'HEAD~3'], { cwd }).split('\n') as ObjectId[]), list('rev-list', 'HEAD', 'HEAD~1', 'HEAD~3'), packing);
      t.is(linesOf(store, [...tips, ...tips]), list('rev-list', 'HEAD', 'd', 'other~2'), packing);
      t.is(linesOf(store, tips.slice(0, 1), { firstParent: true }), list('rev-list', '--first-parent', 'HEAD'), packing);
      t.is(linesOf(store, tips.slice(0, 1), { maxCount: 7 }), list('rev-list', '-7', 'HEAD'), packing);
      t.is(linesOf(store, tips.slice(0, 1), { digits: 4 }), list('rev-list', '--abbrev-commit', '--abbrev=4', 'HEAD'), packing);
      const shown = list('log', '--format=%H %s', 'HEAD').replace(/^.*(?:two lines of subject|[0-9a-f] )$/gm, '--').split('\n');
      // Of the two alike the newer one is encoded otherwise.
      shown[shown.findIndex((line) => line.endsWith(` ${Buffer.from('Grüße').toString('latin1')}`))] = '--';
      t.is(linesOf(store, tips.slice(0, 1), { subjects: true }), shown.join('\n'), packing);
      t.is(walkOf(store).run(tips, {}), Number(gitOutput(['rev-list', '--count', 'HEAD'], { cwd })), packing);
      store.close();
    }
  });

  test(`a commit that is not what its id says, or makes no sense, ends the walk in words (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, format, `${scattered}\ngit gc -q`);
    const [tip, tree] = gitOutput(['rev-parse', 'HEAD', 'HEAD^{tree}'], { cwd: directory }).split('\n') as [ObjectId, ObjectId];
    const write = (content: string): ObjectId => gitOutput(['hash-object', '-t', 'commit', '--literally', '-w', '--stdin'], { cwd: directory, stdin: content }) as ObjectId;
    const whole = open(directory, format);
    const right = linesOf(whole, [tip]);
    whole.close();
    for (const content of [`tree ${tree.slice(1)}\n`, `tree ${tree}\nparent ${tip.slice(2)}\n`, `tree ${tree}\nparents\n`, `tree ${tree}\nparent ${tip}`, 'x']) {
      const bad = write(content);
      const store = open(directory, format);
      t.throws(() => linesOf(store, [bad]), { instanceOf: CorruptError, message: `commit '${bad}' is damaged` }, content);
      const child = write(`tree ${tree}\nparent ${bad}\ncommitter x <x> 1 +0000\n\nx\n`);
      t.throws(() => linesOf(store, [child]), { message: `commit '${bad}' is damaged` }, content);
      store.close();
    }
    const packs = join(directory, '.git/objects/pack');
    const path = join(packs, readdirSync(packs).find((name) => name.endsWith('.pack'))!);
    const bytes = readFileSync(path);
    chmodSync(path, 0o644);
    const random = seededRandom(11);
    for (let round = 0; round < 60; round += 1) {
      const damage = Buffer.from(bytes);
      damage[12 + Math.floor(random() * (bytes.length - 12))]! ^= 1 << Math.floor(random() * 8);
      writeFileSync(path, damage);
      const store = open(directory, format);
      try {
        t.is(linesOf(store, [tip]), right);
      } catch (error) {
        t.true(error instanceof CairnError, String(error));
      }
      store.close();
    }
  });
}

for (const format of bothFormats) {
  test(`the commit-graph gives the same walk, also where newer commits are not in it, and damage of it is bounded (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, format, `${scattered}\ngit gc -q\ngit reset -q --hard HEAD~2\ngit commit-graph write --reachable\ngit reset -q --hard ORIG_HEAD`);
    const cwd = directory;
    const tips = gitOutput(['rev-parse', 'HEAD', 'a', 'HEAD~1'], { cwd }).split('\n') as ObjectId[];
    const store = open(directory, format);
    const graph = CommitGraph.find(store.directory, format)!;
    const right = linesOf(store, tips);
    t.is(linesOf(store, tips, { graph: graph.tables }), right);
    t.is(linesOf(store, tips.slice(0, 1), { graph: graph.tables, firstParent: true }), linesOf(store, tips.slice(0, 1), { firstParent: true }));
    t.is(linesOf(store, tips, { graph: graph.tables, subjects: true }), linesOf(store, tips, { subjects: true }));
    const { bytes } = graph.tables!;
    const random = seededRandom(13);
    for (let round = 0; round < 300; round += 1) {
      const damage = Buffer.from(bytes);
      damage[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
      try {
        linesOf(store, tips, { graph: CommitGraph.decode([{ path: 'graph', bytes: damage }], format).tables });
      } catch (error) {
        t.true(error instanceof CairnError, String(error));
      }
    }
    store.close();
  });
}

/** Lines of the commit, of the trees and of the blobs. */
function objectsOf(store: ObjectStore, tip: ObjectId): string {
  let text = '';
  const write = (lines: Buffer): void => { text += lines.toString('latin1'); };
  const walk = walkOf(store);
  walk.run([tip], { lines: { terminator: 0x0a, write }, keepsTrees: true });
  walk.printObjects(write);
  return text;
}

for (const format of bothFormats) {
  test(`trees and blobs come in git's order, each once, wherever they are (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, format, `
      mkdir -p a/b/c d; for i in 1 2 3; do echo $i > a/b/c/$i; seq $i 500 > d/numbers; cp a/b/c/$i d/same; git add .; git commit -qm $i; git repack -dq; done
      printf x > 'a name
with two lines'; ln -s target link; git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),module; git add .; git commit -qm odd
      git rm -rq a; git commit -qm removed; mkdir e; mv d/numbers e; git add .; git commit -qm moved`);
    const cwd = directory;
    const tip = gitOutput(['rev-parse', 'HEAD'], { cwd }) as ObjectId;
    const right = `${gitOutput(['rev-list', '--objects', 'HEAD'], { cwd })}\n`;
    for (const packing of ['as it is', 'packed'] as const) {
      if (packing === 'packed') gitOutput(['repack', '-adfq', '--depth=50'], { cwd });
      const store = open(directory, format);
      t.is(objectsOf(store, tip), right, packing);
      t.is(objectsOf(store, tip), right, packing);
      store.close();
    }
  });

  test(`trees with long paths are listed, and those that are none, lack something or lie too deep end it in words (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const store = open(makeRepository(t, format, ''), format);
    const commit = (tree: ObjectId): ObjectId => store.write('commit', Buffer.from(`tree ${tree}\nauthor x <x> 1 +0000\ncommitter x <x> 1 +0000\n\nx\n`));
    const holding = (mode: string, name: string, id: ObjectId): ObjectId => store.write('tree', Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]));
    const blob = store.write('blob', Buffer.from('x'));
    let tree = holding('100644', 'file', blob);
    const ids = [tree];
    for (let level = 0; level < 300; level += 1) ids.push(tree = holding('40000', 'x'.repeat(250), tree));
    const tip = commit(tree);
    const expected = [tip, ...ids.reverse().map((id, depth) => `${id} ${Array.from({ length: depth }, () => 'x'.repeat(250)).join('/')}`), `${blob} ${'x'.repeat(250)}/`.concat(`${'x'.repeat(250)}/`.repeat(299), 'file')];
    t.is(objectsOf(store, tip), `${expected.join('\n')}\n`);
    for (const [text, message] of [['100644 cut', /ends inside an entry/], ['9 x\0', /not octal/], ['100644', /mode is missing/], [`100644 \0${'x'.repeat(40)}`, /name is empty/]] as const) {
      t.throws(() => objectsOf(store, commit(store.write('tree', Buffer.from(text)))), { instanceOf: CorruptError, message });
    }
    const absent = 'ab'.repeat(format === 'sha1' ? 20 : 32) as ObjectId;
    t.throws(() => objectsOf(store, commit(holding('100644', 'x', absent))), { message: /missing blob object/ });
    t.throws(() => objectsOf(store, commit(holding('40000', 'x', absent))), { message: /is missing|does not exist|not found/ });
    t.throws(() => objectsOf(store, commit(holding('40000', 'x', blob))), { instanceOf: CorruptError, message: /is a blob, not a tree/ });
    for (let level = 0; level < 2060; level += 1) tree = holding('40000', `${level}`, tree);
    t.throws(() => objectsOf(store, commit(tree)), { message: /nested more than/ });
    store.close();
  });
}

test('the kernel hashes as the runtime does', (t) => {
  const kernel = UnpackKernel.open({ provide: () => {}, offsetOf: () => -1, walk: undefined }, 0)!;
  const random = seededRandom(12);
  const at = kernel.reserve(4096);
  const { exports } = kernel;
  for (let size = 0; size < 400; size += 1) {
    const message = Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
    for (const name of ['sha1', 'sha256']) {
      const id = createHash(name).update(message).digest();
      const check = (): boolean => {
        kernel.bytes.set(message, at);
        kernel.bytes.set(id, exports.checkedIdAt());
        return exports.isFrameOf(id.length, at, size) !== 0;
      };
      t.true(check(), `${name} ${size}`);
      id[Math.floor(random() * id.length)]! ^= 1;
      t.false(check(), `${name} ${size}`);
    }
  }
});
