import test from 'ava';
import { createHash } from 'node:crypto';
import { CollisionGuard } from '../../pack/collision-guard.js';
import { PlainSha1 } from '../../pack/kernels/plain-sha1.js';
import { Sha1Batch, Sha1Kernel, Sha1Scanner } from '../../pack/kernels/sha1-kernel.js';
import { hashObject } from '../../pack/oid.js';
import { WorkerPool } from '../../pack/workers.js';
import { useKernels } from '../../pack/zlib.js';
import { seededRandom } from '../helpers/sandbox.js';

// The beginnings of two files that Stevens, Bursztein, Karpman, Albertini and Markov published in 2017 (shattered.io): another content, one SHA-1.
const common = '255044462d312e330a25e2e3cfd30a0a0a312030206f626a0a3c3c2f57696474682032203020522f4865696768742033203020522f547970652034203020522f'
  + '537562747970652035203020522f46696c7465722036203020522f436f6c6f7253706163652037203020522f4c656e6774682038203020522f42697473506572'
  + '436f6d706f6e656e7420383e3e0a73747265616d0affd8fffe00245348412d3120697320646561642121212121852fec092339759c39b1a1c63c4c97e1fffe01';
const first = '7f46dc93a6b67e013b029aaa1db2560b45ca67d688c7f84b8c4c791fe02b3df614f86db1690901c56b45c1530afedfb76038e972722fe7ad728f0e4904e046c2'
  + '30570fe9d41398abe12ef5bc942be33542a4802d98b5d70f2a332ec37fac3514e74ddc0f2cc1a874cd0c78305a21566461309789606bd0bf3f98cda8044629a1';
const second = '7346dc9166b67e118f029ab621b2560ff9ca67cca8c7f85ba84c79030c2b3de218f86db3a90901d5df45c14f26fedfb3dc38e96ac22fe7bd728f0e45bce046d2'
  + '3c570feb141398bb552ef5a0a82be331fea48037b8b5d71f0e332edf93ac3500eb4ddc0decc1a864790c782c76215660dd309791d06bd0af3f98cda4bc4629b1';
const colliding = [first, second].map((end) => Buffer.from(common + end, 'hex'));

function noise(sizeBytes: number, seed: number): Buffer {
  const random = seededRandom(seed);
  return Buffer.from(Array.from({ length: sizeBytes }, () => Math.floor(random() * 256)));
}

const makers: readonly [string, () => Sha1Kernel | PlainSha1 | undefined][] = [['the kernel', () => Sha1Kernel.open()], ['the plain way', () => new PlainSha1()]];

for (const [name, make] of makers) {
  test(`${name} finds both sides of a published collision, alone and with more behind it`, (t) => {
    const sha1 = make();
    if (sha1 === undefined) {
    t.pass('no kernels here');
    return;
  }
    t.false(colliding[0]!.equals(colliding[1]!));
    for (const content of colliding) {
      for (const bytes of [content, Buffer.concat([content, noise(5000, 1)])]) {
        sha1.start();
        // In uneven pieces.
        for (let at = 0; at < bytes.length; at += 77) sha1.update(bytes.subarray(at, at + 77));
        t.is(sha1.digest(), createHash('sha1').update(bytes).digest('hex'));
        t.true(sha1.isSuspicious);
      }
    }
    sha1.start();
    sha1.update(colliding[0]!);
    t.is(sha1.digest(), 'f92d74e3874587aaf443d1db961d4e26dde13e9c');
    // The same blocks elsewhere collide with nothing, and neither do they after a changed bit.
    for (const bytes of [colliding[0]!.subarray(0, 256), colliding[0]!.subarray(64), Buffer.concat([Buffer.from('x'), colliding[0]!])]) {
      sha1.start();
      sha1.update(bytes);
      t.is(sha1.digest(), createHash('sha1').update(bytes).digest('hex'));
      t.false(sha1.isSuspicious);
    }
  });

  test(`${name} gives the digest of the standard for any length, and no alarm`, (t) => {
    const sha1 = make();
    if (sha1 === undefined) {
    t.pass('no kernels here');
    return;
  }
    const bytes = noise(70_000, 2);
    for (const length of [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000, 65535, 65536, 65537, 70_000]) {
      sha1.start();
      sha1.update(bytes.subarray(0, length));
      t.is(sha1.digest(), createHash('sha1').update(bytes.subarray(0, length)).digest('hex'));
      t.false(sha1.isSuspicious);
    }
  });
}

test('much text, zeros and noise cause no alarm', (t) => {
  const sha1 = Sha1Kernel.open();
  if (sha1 === undefined) {
    t.pass('no kernels here');
    return;
  }
  for (const bytes of [noise(4_000_000, 3), Buffer.alloc(2_000_000), Buffer.alloc(2_000_000, 0xff), Buffer.alloc(2_000_000, 'some text or other\n')]) {
    sha1.start();
    sha1.update(bytes);
    t.is(sha1.digest(), createHash('sha1').update(bytes).digest('hex'));
    t.false(sha1.isSuspicious);
  }
});

test('a scanner names the one message that collides, among many of all sizes', (t) => {
  const bytes = noise(300_000, 4);
  for (let round = 0; round < 8; round += 1) {
    const scanner = Sha1Scanner.open();
    if (scanner === undefined) {
      t.pass('no kernels here');
      return;
    }
    const batch = new Sha1Batch();
    for (let at = 0; at < 400; at += 1) {
      const size = (at * at * 7 + round) % (at % 50 === 0 ? 100_000 : 900);
      batch.add(bytes.subarray(at, at + 20), bytes.subarray(0, size));
      if (round > 0 && at === 50 * round) batch.add(colliding[round % 2]!.subarray(0, round * 9), Buffer.concat([colliding[round % 2]!.subarray(round * 9), bytes.subarray(0, round * 500)]));
    }
    t.is(scanner.findSuspect(batch), round === 0 ? -1 : 50 * round + 1, `round ${round}`);
  }
});

for (const threads of [0, 1]) {
  test(`a message that collides is named from batch to batch, ${threads} other threads`, (t) => {
    if (Sha1Scanner.open() === undefined) {
      t.pass('no kernels here');
      return;
    }
    using pool = new WorkerPool({ threads });
    const bytes = noise(2000, 8);
    for (const [end, expected] of [[first, 2], ['', -1], [second, 2]] as const) {
      const batch = new Sha1Batch();
      for (const content of [bytes, bytes.subarray(900), Buffer.from(common + end, 'hex'), bytes.subarray(1)]) batch.add(content.subarray(0, 20), content.subarray(20));
      pool.submit({ kind: 'collisions', messages: { bytes: batch.bytes, blocks: batch.blocks } });
      const result = pool.take()?.result;
      t.is(result?.kind === 'collisions' && result.suspect, expected);
    }
  });
}

test('a guard lets megabytes of objects pass, and may be done at any time', (t) => {
  const bytes = noise(300_000, 7);
  for (const count of [3, 20, 90]) {
    const guard = new CollisionGuard();
    for (let at = 0; at < count; at += 1) guard.look(hashObject('blob', bytes.subarray(at), 'sha1'), 'blob', bytes.subarray(at));
    t.notThrows(() => guard.finish());
  }
});

test.serial('a guard lets ordinary objects pass, and hands on what it looks at', (t) => {
  const bytes = noise(3000, 4);
  for (const kernels of [true, false]) {
    useKernels(kernels);
    try {
      const guard = new CollisionGuard();
      for (let at = 0; at < 40; at += 1) guard.look(hashObject('blob', bytes.subarray(at), 'sha1'), 'blob', bytes.subarray(at));
      const pieces = [bytes.subarray(0, 10), bytes.subarray(10)];
      t.deepEqual([...guard.passing('blob', bytes.length, pieces)], pieces);
      t.notThrows(() => guard.finish());
    } finally {
      useKernels(true);
    }
  }
});

test('an alarm lasts to the end of a digest and is forgotten with the next', (t) => {
  const sha1 = Sha1Kernel.open() ?? new PlainSha1();
  sha1.start();
  sha1.update(colliding[1]!);
  sha1.update(noise(100_000, 5));
  sha1.digest();
  t.true(sha1.isSuspicious);
  sha1.start();
  sha1.update(noise(100, 6));
  sha1.digest();
  t.false(sha1.isSuspicious);
});
