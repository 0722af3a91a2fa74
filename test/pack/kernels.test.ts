import test from 'ava';
import * as zlib from 'node:zlib';
import { adler32 } from '../../pack/kernels/adler32.js';
import { DeflateKernel, DeflateStreamKernel } from '../../pack/kernels/deflate-kernel.js';
import { DeltaKernel } from '../../pack/kernels/delta-kernel.js';
import { InflateKernel, InflateStreamKernel } from '../../pack/kernels/inflate-kernel.js';
import { describeDamage, inflateDone, inflateNeedsInput } from '../../pack/kernels/inflate-status.js';
import { hasKernels, useKernels } from '../../pack/kernels/kernel.js';
import { applyPlainDelta, PlainDeltaIndex } from '../../pack/kernels/plain-delta.js';
import { PlainInflate } from '../../pack/kernels/plain-inflate.js';
import { SampleContent, testSeed } from '../helpers/sample-content.js';

const inflater = InflateKernel.open()!;

/** Runs a decoder of chunks over the whole input: how it ends, and what came out. */
function decode(engine: PlainInflate | InflateStreamKernel, input: Buffer): { status: number; used: number; bytes: Buffer } {
  const pieces: Buffer[] = [];
  for (let used = 0; ;) {
    const step = engine.run(input.subarray(used));
    used += step.used;
    pieces.push(step.output);
    if (step.status <= inflateDone || step.status === inflateNeedsInput) return { status: step.status, used, bytes: Buffer.concat(pieces) };
  }
}

test('switched off, no kernel is given', (t) => {
  useKernels(false);
  try {
    t.false(hasKernels());
    t.is(InflateKernel.open(), undefined);
    t.is(DeflateKernel.open(), undefined);
    t.is(DeltaKernel.open(), undefined);
  } finally {
    useKernels(true);
  }
  t.true(hasKernels());
});

test('the kernel and the plain decoder give the same bytes and name the same damage', (t) => {
  const seen = new Set<number>();
  for (let i = 0; i < 3000; i++) {
    const sample = new SampleContent(testSeed + i);
    const content = sample.content([30, 2000, 40_000][i % 3]!);
    const stream = zlib.deflateSync(content, { level: sample.below(10), strategy: [0, 0, 2, 4][sample.below(4)]!, memLevel: 1 + sample.below(9) });
    const input = i % 10 === 0 ? stream : sample.damaged(stream);
    const kernel = InflateStreamKernel.open(10_000)!;
    const ours = decode(kernel, input);
    kernel.close();
    const plain = decode(new PlainInflate(10_000), input);
    if (ours.status !== plain.status) t.fail(`seed ${testSeed + i}: ${ours.status} and ${plain.status}`);
    if (ours.status >= 0) {
      if (!ours.bytes.equals(plain.bytes)) t.fail(`seed ${testSeed + i}: other bytes`);
      if (ours.used !== plain.used) t.fail(`seed ${testSeed + i}: ${ours.used} and ${plain.used} bytes used`);
    }
    const whole = inflater.run(input, 0, content.length, content.length, true);
    if (whole === inflateDone ? ours.status !== inflateDone : ours.status === inflateDone && ours.bytes.length <= content.length) {
      t.fail(`seed ${testSeed + i}: whole ${whole}, in chunks ${ours.status}`);
    }
    seen.add(ours.status);
  }
  for (const status of [0, 1, -1, -2, -3, -4, -5, -6, -7]) t.true(seen.has(status), `no case of ${status}: ${describeDamage(status)}`);
});

test('codes that RFC 1951 forbids are refused, and lone codes accepted, as node:zlib does', (t) => {
  for (let i = 0; i < 4000; i++) {
    const sample = new SampleContent(testSeed + i);
    // A dynamic block with made-up code lengths and noise behind it.
    const input = Buffer.from([0x78, 0x01, 0x05 | (sample.below(32) << 3), ...Array.from({ length: 120 }, () => sample.below(256))]);
    input[3]! &= sample.below(2) === 0 ? 0xff : 0x1f;
    const expected = nodeAccepts(input);
    const kernel = InflateStreamKernel.open(10_000)!;
    const ours = decode(kernel, input);
    kernel.close();
    const plain = decode(new PlainInflate(10_000), input);
    if (ours.status !== plain.status) t.fail(`seed ${testSeed + i}: ${ours.status} and ${plain.status}`);
    if ((ours.status < 0) === expected) t.fail(`seed ${testSeed + i}: node:zlib ${expected ? 'accepts' : 'refuses'}, here ${ours.status}`);
  }
  t.pass();
});

/** False when node:zlib finds fault with what is there; running out of input is none. */
function nodeAccepts(input: Buffer): boolean {
  try {
    zlib.inflateSync(input, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'Z_DATA_ERROR') return false;
    throw error;
  }
}

test('codes longer than the tables decode', (t) => {
  // Frequencies like Fibonacci numbers make the longest codes there are.
  const pieces: Buffer[] = [];
  for (let symbol = 0, count = 1, before = 1; symbol < 20; symbol++) {
    pieces.push(Buffer.alloc(count, symbol));
    [count, before] = [count + before, count];
  }
  const bytes = Buffer.concat(pieces);
  const sample = new SampleContent(testSeed);
  for (let i = bytes.length - 1; i > 0; i--) {
    const other = sample.below(i + 1);
    [bytes[i], bytes[other]] = [bytes[other]!, bytes[i]!];
  }
  const stream = zlib.deflateSync(bytes, { strategy: zlib.constants.Z_HUFFMAN_ONLY, memLevel: 9 });
  t.is(inflater.run(stream, 0, bytes.length, bytes.length, true), inflateDone);
  t.true(inflater.take(bytes.length).equals(bytes));
  t.true(decode(new PlainInflate(1000), stream).bytes.equals(bytes));
  const deflater = DeflateKernel.open()!;
  deflater.reserve(bytes.length).set(bytes);
  for (const mode of ['fast', 'small'] as const) t.true(zlib.inflateSync(deflater.deflate(0, bytes.length, mode)).equals(bytes));
});

test('Adler-32 agrees with the streams of node:zlib, also at its largest sums', (t) => {
  const deflater = DeflateKernel.open()!;
  for (const [size, value] of [[0, 0], [1, 255], [15, 255], [16, 1], [5552, 255], [5553, 255], [200_001, 255]] as const) {
    const bytes = Buffer.alloc(size, value);
    const stream = zlib.deflateSync(bytes);
    const expected = stream.readUInt32BE(stream.length - 4);
    t.is(adler32(bytes), expected);
    deflater.reserve(size).set(bytes);
    t.is(deflater.deflatePiece('fast').adler32, expected);
    t.is(adler32(bytes.subarray(size >> 1), adler32(bytes.subarray(0, size >> 1))), expected);
  }
});

test('the place for content keeps within what was reserved', (t) => {
  const deflater = DeflateKernel.open()!;
  t.is(deflater.reserve(100).length, 100);
  for (const [start, end] of [[-1, 5], [0, 101], [6, 5], [NaN, 5]] as const) t.throws(() => deflater.deflate(start, end, 'fast'), { instanceOf: RangeError });
  t.is(deflater.reserve(3_000_000).length, 3_000_000);
});

test('streams in chunks share nothing, whatever is open at the same time', (t) => {
  const sample = new SampleContent(testSeed);
  const contents = Array.from({ length: 6 }, () => Buffer.concat([sample.content(900_000), sample.content(900_000)]));
  const open = contents.map((content) => ({ content, kernel: DeflateStreamKernel.open()!, at: 0, pieces: [] as Buffer[] }));
  for (let busy = true; busy;) {
    busy = false;
    for (const stream of open) {
      if (stream.kernel.full) stream.pieces.push(stream.kernel.compress(false));
      stream.at += stream.kernel.fill(stream.content.subarray(0, stream.at + 70_001), stream.at);
      busy ||= stream.at < stream.content.length;
    }
  }
  for (const stream of open) {
    stream.pieces.push(stream.kernel.compress(true));
    stream.kernel.close();
    t.true(zlib.inflateSync(Buffer.concat(stream.pieces)).equals(stream.content));
  }
});

test('instructions of any kind end the same way in the kernel and in plain code', (t) => {
  const kernel = DeltaKernel.open()!;
  const seen = new Set<number>();
  for (let i = 0; i < 5000; i++) {
    const sample = new SampleContent(testSeed + i);
    const base = sample.content(300);
    const target = sample.edited(base);
    const out = Buffer.alloc(target.length * 2 + 50);
    const delta = out.subarray(0, new PlainDeltaIndex(base).create(target, out, 0));
    const input = i % 5 === 0 || delta.length === 0 ? delta : i % 5 === 1 ? Buffer.from(Array.from({ length: 20 }, () => sample.below(256))) : sample.damaged(delta);
    const ours = Buffer.alloc(target.length);
    const plain = Buffer.alloc(target.length);
    const status = kernel.apply(base, input, 0, ours);
    t.is(status, applyPlainDelta(base, input, 0, plain), `seed ${testSeed + i}`);
    if (status === 0) t.deepEqual(ours, plain);
    seen.add(status);
  }
  t.deepEqual([...seen].sort(), [-1, -2, -3, -4, -5, 0]);
});
