// The event log: records come back in order, and what a crash tore or somebody damaged is passed over, never more than that.
import test from 'ava';
import { appendFileSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pack } from 'msgpackr';
import { crc32 } from '../../pack/zlib.js';
import { type Event, appendEvent, decodeEvents, encodeEvent, listEvents, listEventsBackwards } from '../../porcelain/events.js';
import { seededRandom } from '../helpers/sandbox.js';
import { makeRepository, reopen } from '../helpers/snapshots.js';

const event = (number: number): Event => ({ kind: 'release', atMs: 1112911993000 + number, actor: 'A <a@b>', data: { number, list: ['é', null, true] } });

test('records come back as they were written', (t) => {
  const bytes = Buffer.concat([encodeEvent(event(1)), encodeEvent(event(2)), encodeEvent(event(3))]);
  t.deepEqual([...decodeEvents(bytes)], [event(1), event(2), event(3)]);
});

test('cutting or damaging a record loses that record only', (t) => {
  const records = [encodeEvent(event(1)), encodeEvent(event(2)), encodeEvent(event(3))];
  const middle = records[1]!;
  for (let cut = 0; cut < middle.length; cut += 1) {
    const torn = Buffer.concat([records[0]!, middle.subarray(0, cut), records[2]!]);
    t.deepEqual([...decodeEvents(torn)], [event(1), event(3)], `cut at ${cut}`);
    const flipped = Buffer.from(middle);
    flipped[cut]! ^= 0x40;
    t.deepEqual([...decodeEvents(Buffer.concat([records[0]!, flipped, records[2]!]))], [event(1), event(3)], `flipped at ${cut}`);
    const zeroed = Buffer.concat([records[0]!, middle.subarray(0, cut), Buffer.alloc(middle.length - cut), records[2]!]);
    t.deepEqual([...decodeEvents(zeroed)].at(-1), event(3), `zeroed from ${cut}`);
  }
});

test('records of another version or shape are passed over', (t) => {
  const record = (value: unknown): Buffer => {
    const payload = pack(value);
    const header = Buffer.from('CEv1\0\0\0\0\0\0\0\0', 'latin1');
    header.writeUInt32BE(payload.length, 4);
    header.writeUInt32BE(crc32(payload), 8);
    return Buffer.concat([header, payload]);
  };
  const shapes = [{ v: 2, kind: 'x', atMs: 1, actor: '', data: {} }, [1, 2], 'text', null, { v: 1 }, { v: 1, kind: 1, atMs: 1, actor: '', data: {} }, { v: 1, kind: 'x', atMs: 1, actor: '', data: [] }];
  t.deepEqual([...decodeEvents(Buffer.concat([...shapes.map(record), encodeEvent(event(1))]))], [event(1)]);
});

test('nonsense never throws', (t) => {
  const random = seededRandom(7);
  for (let round = 0; round < 500; round += 1) {
    const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 80) }, () => Math.floor(random() * 256)));
    t.true([...decodeEvents(Buffer.concat([bytes, Buffer.from('CEv1'), bytes, encodeEvent(event(round))]))].some(({ data }) => data['number'] === round));
  }
});

test('a log is kept by month, survives a torn end, and reads both ways', (t) => {
  const repository = makeRepository(t, { nowMs: Date.UTC(2005, 3, 30) });
  appendEvent(repository, 'one', { a: 1 });
  const directory = join(repository.gitDirectory, 'cairn/events');
  const file = join(directory, '2005-04.log');
  const whole = readFileSync(file);
  appendEvent(repository, 'lost', {});
  truncateSync(file, whole.length + 9);
  appendEvent(repository, 'two', { b: [] });
  const later = reopen(repository.workTree!, { nowMs: Date.UTC(2005, 4, 1) });
  appendEvent(later, 'three', {});
  writeFileSync(join(directory, 'README'), 'not a log');
  t.deepEqual(readdirSync(directory).sort(), ['2005-04.log', '2005-05.log', 'README']);
  t.deepEqual([...listEvents(later)].map(({ kind, actor }) => [kind, actor]), ['one', 'two', 'three'].map((kind) => [kind, 'C O Mitter <committer@example.com>']));
  t.deepEqual([...listEventsBackwards(later)].map(({ kind }) => kind), ['three', 'two', 'one']);
  appendFileSync(file, 'CEv1');
  t.is([...listEvents(later)].length, 3);
});
