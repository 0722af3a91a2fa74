import test from 'ava';
import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import { CorruptError } from '../../pack/errors.js';
import { hasKernels } from '../../pack/kernels/kernel.js';
import { encodeObjectHeader, hashFramed } from '../../pack/oid.js';
import {
  BulkDeflater, Deflater, Inflater, crc32, crc32ByTable, deflate, inflate, inflateContent, inflatePrefix,
  useKernels, zlibHeader, zlibTrailer,
  type ZlibSync,
} from '../../pack/zlib.js';
import { SampleContent, testSeed } from '../helpers/sample-content.js';
import { makeSandbox, writeFiles } from '../helpers/sandbox.js';
import { git, skipWithoutGit } from '../helpers/stock-git.js';

/** Runs `body` with the kernels and without. */
function bothWays(body: (way: string) => void): void {
  try {
    useKernels(true);
    if (!hasKernels()) throw new Error('this Node has no WebAssembly');
    // So many calls that the kernel is loaded.
    const stream = zlib.deflateSync(Buffer.alloc(1));
    for (let i = 0; i < 101; i++) inflate(stream, 0, 1);
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
    if (error instanceof CorruptError && (error.code === 'bad-zlib' || error.code === 'short-zlib')) return undefined;
    throw error;
  }
}

const strategies = [0, zlib.constants.Z_FILTERED, zlib.constants.Z_HUFFMAN_ONLY, zlib.constants.Z_RLE, zlib.constants.Z_FIXED];

/** `count` contents, small ones more often, each with a stream of node:zlib with any of its settings. */
function* samples(count: number, mostBytes: number): Iterable<{ sample: SampleContent; content: Buffer; stream: Buffer; label: string }> {
  for (let i = 0; i < count; i++) {
    const seed = testSeed + i;
    const sample = new SampleContent(seed);
    const content = sample.content([20, 300, 5000, mostBytes][i % 4]!);
    const stream = zlib.deflateSync(content, { level: sample.below(10), strategy: strategies[sample.below(5)]!, memLevel: 1 + sample.below(9) });
    yield { sample, content, stream, label: `seed ${seed}, ${content.length} bytes` };
  }
}

test('every level writes streams that node:zlib reads back, with kernels and without', (t) => {
  bothWays((way) => {
    let cases = 0;
    for (const { sample, content, label } of samples(400, 120_000)) {
      const level = cases % 3 === 0 ? sample.below(10) : 1;
      const stream = deflate(content, level);
      if (!zlib.inflateSync(stream).equals(content)) t.fail(`level ${level} ${way}, ${label}`);
      cases++;
    }
    t.is(cases, 400);
  });
});

test('what node:zlib writes inflates to the byte, with its length, whatever follows', (t) => {
  bothWays((way) => {
    for (const { sample, content, stream, label } of samples(500, 120_000)) {
      const before = sample.below(20);
      const input = Buffer.concat([Buffer.alloc(before, 0xaa), stream, Buffer.alloc(sample.below(3) * 50, 0x55)]);
      const { bytes, consumed } = inflate(input, before, content.length);
      if (!bytes.equals(content) || consumed !== stream.length) t.fail(`${way}, ${label}`);
      if (!inflateContent(input, before, content.length).equals(content)) t.fail(`content only, ${way}, ${label}`);
    }
    t.pass();
  });
});

test('more or fewer bytes than declared are damage', (t) => {
  bothWays((way) => {
    for (const content of [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(500, 'abc'), Buffer.alloc(100_000, 'lines of text\n')]) {
      const stream = zlib.deflateSync(content);
      for (const size of [content.length - 1, content.length + 1, content.length + 70_000]) {
        if (size < 0) continue;
        t.is(orDamaged(() => inflate(stream, 0, size)), undefined, `${content.length} as ${size} ${way}`);
        t.is(orDamaged(() => inflateContent(stream, 0, size)), undefined, `${content.length} as ${size} ${way}`);
      }
    }
  });
});

test('a size that the input cannot hold is refused before memory is taken for it', (t) => {
  bothWays(() => {
    const stream = zlib.deflateSync(Buffer.alloc(1000));
    for (const size of [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      t.is(orDamaged(() => inflate(stream, 0, size)), undefined);
      t.is(orDamaged(() => inflateContent(stream, 0, size)), undefined);
    }
    t.is(orDamaged(() => inflate(Buffer.alloc(0), 0, 0)), undefined);
    // Large enough an input for a declared size no buffer could have.
    const followed = Buffer.concat([stream, Buffer.alloc(6_000_000)]);
    t.is(orDamaged(() => inflate(followed, 0, 6_000_000_000)), undefined);
  });
});

test('a stream that would grow without end stops at the bound', (t) => {
  const bomb = zlib.deflateSync(Buffer.alloc(30_000_000));
  bothWays(() => {
    t.is(orDamaged(() => inflate(bomb, 0, 100)), undefined);
    t.is(orDamaged(() => inflateContent(bomb, 0, 100)), undefined);
    t.deepEqual(inflatePrefix(bomb, 0, 5), Buffer.alloc(5));
    const inflater = new Inflater();
    const pieces = inflater.push(bomb)[Symbol.iterator]();
    const first = pieces.next();
    t.true(first.done !== true && first.value.length < 500_000);
    inflater.close();
  });
});

test('a prefix is the beginning of the content, even of a stream damaged behind it', (t) => {
  bothWays((way) => {
    for (const { sample, content, stream, label } of samples(400, 100_000)) {
      const want = sample.below(content.length + 20);
      if (!inflatePrefix(stream, 0, want).equals(content.subarray(0, want))) t.fail(`${want} of ${label} ${way}`);
    }
    const long = zlib.deflateSync(Buffer.from('tree 1234\0'.repeat(30_000)), { level: 0 });
    long.fill(0xff, long.length - 1000);
    t.is(inflatePrefix(long, 0, 9).toString(), 'tree 1234');
    t.is(orDamaged(() => inflatePrefix(long.subarray(0, 8), 0, 9)), undefined);
    t.is(orDamaged(() => inflatePrefix(Buffer.from('not a stream'), 0, 9)), undefined);
  });
});

test('a stream in chunks of any size gives its content and its length', (t) => {
  bothWays((way) => {
    for (const { sample, content, stream, label } of samples(200, 400_000)) {
      const input = Buffer.concat([stream, Buffer.alloc(10, 1)]);
      const inflater = new Inflater();
      const pieces: Buffer[] = [];
      const mostBytes = stream.length > 20_000 ? 100_000 : [1, 7, 3000][sample.below(3)]!;
      for (let at = 0; at < input.length;) {
        const chunk = Buffer.from(input.subarray(at, at + 1 + sample.below(mostBytes)));
        const fresh = inflater.push(chunk);
        at += chunk.length;
        // What is given out must not depend on the caller's buffer any more.
        const wasGiven = Buffer.from(chunk);
        chunk.fill(0);
        pieces.push(...fresh);
        if (wasGiven.length === 0) break;
      }
      inflater.close();
      if (!inflater.finished || inflater.consumed !== stream.length || !Buffer.concat(pieces).equals(content)) t.fail(`${way}, ${label}`);
    }
    t.pass();
  });
});

test('a stream cut anywhere never finishes', (t) => {
  bothWays((way) => {
    const content = Buffer.from('what was said once can be said again, and again, and again\n'.repeat(5));
    for (const level of [0, 1, 9]) {
      const stream = zlib.deflateSync(content, { level });
      for (let length = 0; length < stream.length; length++) {
        const cut = stream.subarray(0, length);
        const inflater = new Inflater();
        const bytes = Buffer.concat([...inflater.push(cut)]);
        inflater.close();
        if (inflater.finished || !content.subarray(0, bytes.length).equals(bytes)) t.fail(`cut at ${length} ${way}`);
        if (orDamaged(() => inflate(cut, 0, content.length)) !== undefined) t.fail(`whole, cut at ${length} ${way}`);
      }
    }
    t.pass();
  });
});

test('a damaged stream gives a value or an error that says so, and all ways agree with node:zlib', (t) => {
  let damaged = 0;
  let verdicts = 0;
  for (const { sample, content, stream, label } of samples(1500, 20_000)) {
    const input = sample.damaged(stream);
    const expected = readByNode(input, content.length);
    if (expected === undefined) damaged++;
    bothWays((way) => {
      const inflater = new Inflater();
      const ways = [
        orDamaged(() => inflate(input, 0, content.length).bytes),
        orDamaged(() => inflateContent(input, 0, content.length)),
        orDamaged(() => {
          const bytes = Buffer.concat([...inflater.push(input)]);
          return inflater.finished && bytes.length === content.length ? bytes : undefined;
        }),
      ];
      inflater.close();
      orDamaged(() => inflatePrefix(input, 0, 100));
      for (const [i, bytes] of ways.entries()) {
        verdicts++;
        if (expected === undefined ? bytes !== undefined : bytes === undefined || !bytes.equals(expected)) t.fail(`way ${i} ${way}, ${label}`);
      }
    });
  }
  t.is(verdicts, 1500 * 6);
  t.true(damaged > 1000);
});

function readByNode(input: Buffer, size: number): Buffer | undefined {
  try {
    const bytes = zlib.inflateSync(input, { maxOutputLength: size + 1 });
    return bytes.length === size ? bytes : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

test('a compressed stream does not depend on how it came, nor on what was compressed before', (t) => {
  bothWays((way) => {
    const sample = new SampleContent(testSeed);
    for (let i = 0; i < 12; i++) {
      const content = Buffer.concat([sample.content(400_000), sample.content(400_000), sample.content(900_000)]);
      const level = [1, 1, 6, 0][i % 4]!;
      const first = new Deflater(level);
      const second = new Deflater(level);
      const outputs: [Buffer[], Buffer[]] = [[], []];
      outputs[0].push(...first.push(content));
      for (let at = 0; at < content.length;) {
        const chunk = content.subarray(at, at + 1 + sample.below(200_000));
        outputs[1].push(...second.push(chunk));
        at += chunk.length;
      }
      outputs[1].push(...second.finish());
      outputs[0].push(...first.finish());
      first.close();
      second.close();
      const [whole, cut] = outputs.map((pieces) => Buffer.concat(pieces)) as [Buffer, Buffer];
      if (!whole.equals(cut)) t.fail(`case ${i} depends on its chunks ${way}`);
      if (!zlib.inflateSync(whole).equals(content)) t.fail(`case ${i} is not its content ${way}`);
      const again = deflate(content.subarray(0, 50_000));
      deflate(sample.content(30_000));
      if (!deflate(content.subarray(0, 50_000)).equals(again)) t.fail(`case ${i} depends on what was before ${way}`);
    }
    t.deepEqual(zlib.inflateSync(Buffer.concat(new Deflater(1).finish())), Buffer.alloc(0));
  });
});

test('noise grows by next to nothing, and text becomes about as small as with node:zlib', (t) => {
  const sample = new SampleContent(testSeed);
  const noise = Buffer.from(Array.from({ length: 300_000 }, () => sample.below(256)));
  const text = Buffer.from(Array.from({ length: 30_000 }, () => `${sample.below(90)} of ${'abcdefgh'.slice(sample.below(8))}\n`).join(''));
  bothWays((way) => {
    t.true(deflate(noise).length < noise.length * 1.001 + 20, way);
    t.true(deflate(text).length < zlib.deflateSync(text, { level: 1 }).length * 1.05, way);
    const bulk = new BulkDeflater();
    bulk.reserve(text.length).set(text);
    t.true(bulk.deflate(0, text.length, 'small').length < zlib.deflateSync(text, { level: 1 }).length * 1.02, way);
  });
});

test('content read in place, with room in front, compresses from any part of that place', (t) => {
  bothWays((way) => {
    const bulk = new BulkDeflater();
    for (const { sample, content, label } of samples(300, 300_000)) {
      const room = 32;
      const view = bulk.reserve(room + content.length);
      if (view.length !== room + content.length) t.fail(`view of ${view.length} bytes`);
      view.fill(7, 0, room);
      content.copy(view, room);
      const start = sample.below(room + 1);
      const stream = bulk.deflate(start, view.length, sample.below(2) === 0 ? 'fast' : 'small');
      if (!zlib.inflateSync(stream).equals(Buffer.concat([Buffer.alloc(room - start, 7), content]))) t.fail(`${way}, ${label}`);
      if (!content.equals(view.subarray(room))) t.fail(`the content changed ${way}, ${label}`);
    }
    t.pass();
  });
});

test('pieces compressed apart join into one stream', (t) => {
  bothWays((way) => {
    const bulk = new BulkDeflater();
    const sample = new SampleContent(testSeed);
    for (let i = 0; i < 20; i++) {
      const contents = Array.from({ length: sample.below(4) }, () => sample.content(200_000));
      const pieces = contents.map((content) => bulk.deflatePiece(content, [1, 6, 0][i % 3]!));
      const content = Buffer.concat(contents);
      for (const [at, piece] of pieces.entries()) t.is(piece.adler32, adlerByNode(contents[at]!));
      const stream = Buffer.concat([zlibHeader, ...pieces.map((piece) => piece.bytes), zlibTrailer(adlerByNode(content))]);
      t.deepEqual(zlib.inflateSync(stream), content, way);
    }
  });
});

/** The checksum at the end of a stream of node:zlib. */
function adlerByNode(content: Buffer): number {
  const stream = zlib.deflateSync(content, { level: 0 });
  return stream.readUInt32BE(stream.length - 4);
}

test('CRC-32 is that of RFC 1952, in one go, in parts, and by table', (t) => {
  t.is(crc32(Buffer.from('123456789')), 0xcbf43926);
  t.is(crc32ByTable(Buffer.from('123456789')), 0xcbf43926);
  t.is(crc32(Buffer.alloc(0)), 0);
  const sample = new SampleContent(testSeed);
  for (let i = 0; i < 50; i++) {
    const content = sample.content(3000);
    const half = sample.below(content.length + 1);
    t.is(crc32ByTable(content), crc32(content));
    t.is(crc32(content.subarray(half), crc32(content.subarray(0, half))), crc32(content));
    t.is(crc32ByTable(content.subarray(half), crc32ByTable(content.subarray(0, half))), crc32(content));
  }
});

test('zlib-sync reads what is written here', (t) => {
  let sync: ZlibSync;
  try {
    sync = createRequire(import.meta.url)('zlib-sync') as ZlibSync;
  } catch {
    t.log('skipped: zlib-sync is not built here');
    t.pass();
    return;
  }
  bothWays((way) => {
    for (const { content, label } of samples(150, 100_000)) {
      const inflater = new sync.Inflate({ chunkSize: content.length + 64 });
      inflater.push(deflate(content), sync.Z_FINISH);
      if (inflater.err !== sync.Z_STREAM_END || !content.equals(inflater.result as Buffer)) t.fail(`${way}, ${label}`);
    }
    t.pass();
  });
});

test('stock git reads loose objects compressed in every way', (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeSandbox(t);
  t.is(git(['init', '-q', '--bare', '--object-format=sha1'], { cwd: repository }).code, 0);
  const written = new Set<string>();
  bothWays(() => {
    const bulk = new BulkDeflater();
    for (const { content } of samples(40, 200_000)) {
      const framed = Buffer.concat([encodeObjectHeader('blob', content.length + 1), content, Buffer.from([written.size])]);
      bulk.reserve(framed.length).set(framed);
      const streamed = new Deflater(1);
      const ways = [
        () => deflate(framed, 1), () => deflate(framed, 6), () => bulk.deflate(0, framed.length, 'small'),
        () => Buffer.concat([...streamed.push(framed), ...streamed.finish()]),
      ];
      const id = hashFramed(framed, 'sha1');
      writeFiles(repository, { [`objects/${id.slice(0, 2)}/${id.slice(2)}`]: Buffer.from(ways[written.size % 4]!()) });
      streamed.close();
      written.add(id);
    }
  });
  const listed = git(['cat-file', '--batch-all-objects', '--batch-check=%(objectname)'], { cwd: repository });
  t.deepEqual(listed.stdout.trim().split('\n'), [...written].sort());
  const check = git(['fsck', '--strict', '--full', '--no-dangling'], { cwd: repository });
  t.is(check.code, 0, check.stderr);
});
