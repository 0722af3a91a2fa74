import test from 'ava';
import { CommitTable } from '../../pack/commit-table.js';
import { CorruptError } from '../../pack/errors.js';
import { IdTable } from '../../pack/id-table.js';
import { type ObjectFormat, type ObjectId, hashObject, hexSize } from '../../pack/oid.js';
import { seededRandom } from '../helpers/sandbox.js';

const formats: readonly ObjectFormat[] = ['sha1', 'sha256'];

function idOf(number: number, format: ObjectFormat): ObjectId {
  return hashObject('blob', Buffer.from(`${number}`), format);
}

for (const format of formats) {
  test(`ids have the numbers they were given first, however many come (${format})`, (t) => {
    const table = new IdTable(format);
    const ids = Array.from({ length: 5000 }, (_, number) => idOf(number, format));
    for (const [number, id] of ids.entries()) {
      t.is(table.findId(id), -1);
      t.is(number % 3 === 0 ? table.addId(id) : number % 3 === 1 ? table.add(Buffer.from(`00${id}`, 'hex'), 1) : table.addHex(Buffer.from(`x${id}`), 1), number);
    }
    for (const [number, id] of ids.entries()) {
      t.is(table.addId(id), number);
      t.is(table.find(table.bytes, number * table.idSize), number);
      t.is(table.idAt(number), id);
    }
    t.is(table.count, ids.length);
  });

  test(`ids that begin alike are told apart, and what is no id has no number (${format})`, (t) => {
    const table = new IdTable(format);
    const size = hexSize(format);
    const alike = Array.from({ length: 600 }, (_, number) => `abcdef01${number.toString(16).padStart(size - 8, '0')}` as ObjectId);
    t.deepEqual(alike.map((id) => table.addId(id)), alike.map((_, number) => number));
    t.deepEqual(alike.map((id) => table.findId(id)), alike.map((_, number) => number));
    const id = idOf(1, format);
    for (const bad of [id.slice(1), id.toUpperCase(), `g${id.slice(1)}`, `${id.slice(0, -1)} `, '']) t.is(table.addHex(Buffer.from(bad), 0), -1, bad);
    t.is(table.count, alike.length);
  });

  test(`tree, parents and time are read from a commit (${format})`, (t) => {
    const table = new CommitTable(format);
    const [own, tree] = [idOf(0, format), idOf(1, format)];
    const parents = [2, 3, 4, 5, 6].map((number) => idOf(number, format));
    const header = `tree ${tree}\n${parents.map((id) => `parent ${id}\n`).join('')}author A <a> 5 +0000\ncommitter C <c> 1234567890 +0100\n`;
    const bytes = Buffer.from(`in front${header}\nparent ${own}\n`);
    const commit = table.number(own);
    t.false(table.isLoaded(commit));
    t.is(table.parentCount(commit), 0);
    t.is(table.decode(commit, bytes, 8, bytes.length, false), 8 + header.length);
    t.deepEqual(table.parentsOf(commit).map((parent) => table.ids.idAt(parent)), parents);
    t.is(table.treeAt(commit), tree);
    t.is(table.seconds[commit], 1234567890);
    table.setParents(commit, [commit]);
    t.deepEqual(table.parentsOf(commit), [commit]);
    table.decode(commit, bytes, 8, bytes.length, true);
    t.deepEqual(table.parentsOf(commit), []);
  });

  test(`a commit of nonsense is a CorruptError or has a tree (${format})`, (t) => {
    const random = seededRandom(7);
    const good = Buffer.from(`tree ${idOf(1, format)}\nparent ${idOf(2, format)}\nauthor A <a> 5 +0000\ncommitter C <c> 6 +0100\n\nmessage\n`);
    let errors = 0;
    for (let round = 0; round < 2000; round += 1) {
      const bytes = Buffer.from(good.subarray(0, random() < 0.3 ? Math.floor(random() * good.length) : good.length));
      for (let flips = Math.floor(random() * 3); flips > 0 && bytes.length > 0; flips -= 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      const table = new CommitTable(format);
      const commit = table.number(idOf(3, format));
      try {
        t.true(table.decode(commit, bytes, 0, bytes.length, false) <= bytes.length);
        t.true(Number.isSafeInteger(table.seconds[commit]!));
      } catch (error) {
        if (!(error instanceof CorruptError)) throw error;
        t.false(table.isLoaded(commit));
        errors += 1;
      }
    }
    t.true(errors > 100 && errors < 2000);
  });
}
