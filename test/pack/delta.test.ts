import test from 'ava';
import { DeltaIndex, applyDelta, applyDeltaInPieces, createDelta, readDeltaSizes } from '../../pack/delta.js';
import { CorruptError } from '../../pack/errors.js';
import { useKernels } from '../../pack/kernels/kernel.js';
import { digest, encodeObjectId, hashObject } from '../../pack/oid.js';
import { deflate } from '../../pack/zlib.js';
import { SampleContent, testSeed } from '../helpers/sample-content.js';
import { makeSandbox } from '../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

function bothWays(body: (way: string) => void): void {
  try {
    useKernels(true);
    body('with kernels');
    useKernels(false);
    body('without kernels');
  } finally {
    useKernels(true);
  }
}

/** What `read` gives, or undefined when it finds damage; anything else thrown fails the test. */
function orDamaged<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CorruptError && error.code === 'bad-delta') return undefined;
    throw error;
  }
}

test('a delta makes its target again, in both ways, whichever way made it', (t) => {
  for (let i = 0; i < 700; i++) {
    const sample = new SampleContent(testSeed + i);
    const mostBytes = [100, 3000, 60_000, 300_000][i % 4]!;
    const base = sample.content(mostBytes);
    const target = sample.below(5) === 0 ? sample.content(mostBytes) : sample.edited(base);
    bothWays((maker) => {
      const delta = createDelta(base, target, Infinity);
      if (delta === undefined) return t.fail(`seed ${testSeed + i}: no delta ${maker}`);
      t.deepEqual(readDeltaSizes(delta), { baseBytes: base.length, resultBytes: target.length });
      bothWays((reader) => {
        if (!applyDelta(base, delta).equals(target)) t.fail(`seed ${testSeed + i}: made ${maker}, applied ${reader}`);
      });
      useKernels(maker === 'with kernels');
    });
  }
});

test('a delta is as small as what was changed', (t) => {
  const sample = new SampleContent(testSeed);
  const base = Buffer.from(Array.from({ length: 100_000 }, () => sample.below(256)));
  const changed = Buffer.from(base);
  for (const at of [0, 5000, 50_000, 99_999]) changed[at]! ^= 1;
  const moved = Buffer.concat([base.subarray(60_000), Buffer.from('between'), base.subarray(0, 60_000)]);
  bothWays((way) => {
    t.true(createDelta(base, base)!.length < 20, way);
    t.true(createDelta(base, changed)!.length < 200, way);
    t.true(createDelta(base, moved)!.length < 60, way);
    t.true(createDelta(base, Buffer.concat([base, base, base]))!.length < 60, way);
  });
});

test('a delta longer than allowed is none', (t) => {
  const sample = new SampleContent(testSeed);
  const base = Buffer.from(Array.from({ length: 5000 }, () => sample.below(256)));
  const other = Buffer.from(Array.from({ length: 5000 }, () => sample.below(256)));
  bothWays((way) => {
    t.is(createDelta(base, other), undefined, way);
    t.is(createDelta(base, other, 100), undefined, way);
    t.is(createDelta(base, base, 2), undefined, way);
    for (let i = 0; i < 200; i++) {
      const target = sample.edited(base);
      const whole = createDelta(base, target, Infinity)!;
      t.deepEqual(createDelta(base, target, whole.length + 1000), whole, way);
      t.is(createDelta(base, target, whole.length - 1), undefined, way);
    }
  });
});

test('many prepared bases serve in any order, also after being forgotten', (t) => {
  const sample = new SampleContent(testSeed);
  bothWays((way) => {
    const bases = Array.from({ length: 40 }, (_, i) => Buffer.concat([Buffer.from(`base ${i}`), sample.content(3_000_000)]));
    const indexes = bases.map((base) => new DeltaIndex(base));
    for (let i = 0; i < 60; i++) {
      const chosen = sample.below(bases.length);
      const target = sample.edited(bases[chosen]!.subarray(0, 20_000));
      const delta = indexes[chosen]!.create(target, Infinity)!;
      if (!applyDelta(bases[chosen]!, delta).equals(target)) t.fail(`base ${chosen} ${way}`);
    }
    t.pass();
  });
});

test('empty bases and targets are values', (t) => {
  const some = Buffer.from('some content, longer than one block of the index');
  const none = Buffer.alloc(0);
  bothWays((way) => {
    for (const [base, target] of [[none, none], [none, some], [some, none]] as const) {
      t.deepEqual(applyDelta(base, createDelta(base, target, 1000)!), target, way);
    }
  });
});

test('instructions with gaps in their offsets and sizes are read as documented', (t) => {
  const base = Buffer.alloc(0x12000, 'abcdefg');
  // Base and target sizes; a copy without size bytes is 64 KiB; a copy with only the second bytes given; an insert.
  const header = [0x80, 0xc0, 0x04, 0x83, 0x84, 0x04];
  const delta = Buffer.from([...header, 0x80, 0xa2, 0x01, 0x02, 0x03, 0x78, 0x79, 0x7a]);
  const expected = Buffer.concat([base.subarray(0, 0x10000), base.subarray(0x100, 0x300), Buffer.from('xyz')]);
  bothWays((way) => {
    t.deepEqual(readDeltaSizes(delta), { baseBytes: 0x12000, resultBytes: expected.length });
    t.true(applyDelta(base, delta).equals(expected), way);
  });
});

test('what breaks the format is refused', (t) => {
  const base = Buffer.from('0123456789');
  const filler = Array.from({ length: 300 }, () => [0x01, 0x2e]).flat();
  const cases: readonly (readonly [string, number[]])[] = [
    ['nothing at all', []],
    ['no result size', [10]],
    ['a size that does not end', Array.from({ length: 12 }, () => 0xff)],
    ['a size of 2^60', [10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['a size no instruction could make', [10, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x90, 10]],
    ['another base', [11, 1, 0x01, 0x61]],
    ['the reserved instruction', [10, 1, 0x00]],
    ['a copy from behind the base', [10, 2, 0x91, 9, 2]],
    ['a copy of 64 KiB from ten bytes', [10, 0x80, 0x80, 0x04, 0x80]],
    ['a copy cut short', [10, 2, 0x91, 0]],
    ['an insert cut short', [10, 2, 0x02, 0x61]],
    ['more than declared', [10, 1, 0x02, 0x61, 0x62]],
    ['fewer than declared', [10, 3, 0x02, 0x61, 0x62]],
  ];
  bothWays((way) => {
    for (const [what, bytes] of cases) {
      t.is(orDamaged(() => applyDelta(base, Buffer.from(bytes))), undefined, `${what} ${way}`);
      // The same behind so many instructions that the kernel does it.
      const [size = 0, result = 0, ...rest] = bytes;
      if (bytes.length < 3 || size !== 10 || result >= 128) continue;
      const total = result + 300;
      const long = Buffer.from([10, (total & 127) | 128, total >> 7, ...filler, ...rest]);
      t.is(orDamaged(() => applyDelta(base, long)), undefined, `long, ${what} ${way}`);
    }
  });
});

test('a damaged delta gives a value or an error that says so, the same in both ways', (t) => {
  let damaged = 0;
  for (let i = 0; i < 2000; i++) {
    const sample = new SampleContent(testSeed + i);
    const base = sample.content(3000);
    const delta = sample.damaged(createDelta(base, sample.edited(base), Infinity)!);
    const results: (Buffer | undefined)[] = [];
    bothWays(() => results.push(orDamaged(() => applyDelta(base, delta))));
    if (results[0] === undefined) damaged++;
    t.deepEqual(results[0], results[1], `seed ${testSeed + i}`);
  }
  t.true(damaged > 500);
});

test('stock git applies the deltas made here', (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeSandbox(t);
  gitOutput(['init', '-q', '--bare', '--object-format=sha1'], { cwd: repository });
  const targets = new Map<string, Buffer>();
  const entries: Buffer[] = [];
  bothWays(() => {
    for (let i = 0; i < 40; i++) {
      const sample = new SampleContent(testSeed + i);
      const base = Buffer.concat([Buffer.from(`base ${entries.length} `), sample.content([200, 5000, 150_000][i % 3]!)]);
      const target = Buffer.concat([sample.edited(base), Buffer.from(`target ${entries.length}`)]);
      entries.push(packEntry(3, base, base));
      entries.push(packEntry(7, createDelta(base, target, Infinity)!, base));
      targets.set(hashObject('blob', target, 'sha1'), target);
    }
  });
  const header = Buffer.from('PACK\0\0\0\x02\0\0\0\0');
  header.writeUInt32BE(entries.length, 8);
  const content = Buffer.concat([header, ...entries]);
  const made = git(['index-pack', '--stdin', '--strict'], { cwd: repository, stdin: Buffer.concat([content, digest(content, 'sha1')]) });
  t.is(made.code, 0, made.stderr);
  for (const [id, target] of targets) {
    if (!git(['cat-file', 'blob', id], { cwd: repository }).stdoutBytes.equals(target)) t.fail(id);
  }
});

/** One entry of a pack: 3 is a blob, 7 a delta against the blob `base`. */
function packEntry(kind: number, bytes: Buffer, base: Buffer): Buffer {
  const header: number[] = [];
  let left = Math.floor(bytes.length / 16);
  header.push((kind << 4) | (bytes.length & 15) | (left > 0 ? 128 : 0));
  for (; left > 0; left = Math.floor(left / 128)) header.push((left & 127) | (left > 127 ? 128 : 0));
  const reference = kind === 7 ? encodeObjectId(hashObject('blob', base, 'sha1')) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from(header), reference, deflate(bytes)]);
}

test('a result in pieces is the whole result, and the same deltas are damaged', (t) => {
  for (let i = 0; i < 400; i++) {
    const sample = new SampleContent(testSeed + i);
    const base = sample.content(5000);
    const delta = Buffer.from(createDelta(base, sample.edited(base), 20_000)!);
    if (i % 2 === 1) delta[sample.below(delta.length)]! ^= 1 << sample.below(8);
    const whole = orDamaged(() => applyDelta(base, delta));
    const pieces = orDamaged(() => Buffer.concat([...applyDeltaInPieces(base, delta)]));
    t.deepEqual(pieces, whole, `${testSeed + i}`);
  }
});
