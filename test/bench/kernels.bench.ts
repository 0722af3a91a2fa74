// How the kernels measure against node:zlib and the plain ways: `node dist/lib/test/bench/kernels.bench.js [name ...]`.
//
// Cases are interleaved round by round; a line gives medians and their ratio to the first way (below 1 is faster). Contents are made
// from a seed or taken from the program's own sources, so that runs on one machine can be compared.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import * as zlib from 'node:zlib';
import { DeltaIndex, applyDelta, createDelta } from '../../pack/delta.js';
import { useKernels } from '../../pack/kernels/kernel.js';
import { BulkDeflater, deflate, inflate, inflateContent, inflatePrefix } from '../../pack/zlib.js';
import { projectRoot } from '../helpers/cairn.js';
import { seededRandom } from '../helpers/sandbox.js';

const rounds = 9;
const wanted = process.argv.slice(2);
const random = seededRandom(1);

interface Way {
  readonly name: string;
  readonly run: () => void;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function section(name: string, body: () => void): void {
  if (wanted.length > 0 && !wanted.includes(name)) return;
  print(`\n${name}`);
  body();
}

/** Runs the ways in turn and prints, for each, the median time of one of `units` and the ratio to the first way. */
function compare(label: string, units: number, bytes: number, ways: readonly Way[]): void {
  const times = ways.map(() => [] as number[]);
  for (const way of ways) way.run();
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < ways.length; turn++) {
      // Each way comes first in some rounds: who comes first also collects the garbage of who came last.
      const i = (turn + round) % ways.length;
      const start = performance.now();
      ways[i]!.run();
      times[i]!.push(performance.now() - start);
    }
  }
  const medians = times.map((list) => list.sort((a, b) => a - b)[rounds >> 1]!);
  const columns = ways.map((way, i) => {
    const micros = (medians[i]! * 1000) / units;
    const speed = bytes / 1e6 / medians[i]!;
    return `${way.name} ${micros.toFixed(micros < 100 ? 2 : 0)} us ${speed.toFixed(3)} GB/s (${(medians[i]! / medians[0]!).toFixed(2)})`;
  });
  print(`  ${label.padEnd(22)} ${columns.join(' | ')}`);
}

/** With the kernels off while it runs. */
function plainly(run: () => void): () => void {
  return () => {
    useKernels(false);
    try {
      run();
    } finally {
      useKernels(true);
    }
  };
}

/** Text: this program's own sources and pages. */
function readText(): Buffer {
  const pieces: Buffer[] = [];
  for (const name of readdirSync(projectRoot, { recursive: true, encoding: 'utf8' })) {
    if (/^(pack|plumbing|porcelain|test|man)\//.test(name) && /\.(ts|\d)$/.test(name)) pieces.push(readFileSync(join(projectRoot, name)));
  }
  return Buffer.concat(pieces);
}

function noise(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
}

function records(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 16 <= size; at += 16) {
    bytes.writeUInt32LE(at, at);
    bytes.writeInt32LE(Math.floor(random() * 1e9), at + 4);
    bytes.writeDoubleLE(Math.sin(at / 1e4) * 100, at + 8);
  }
  return bytes;
}

/** `count` parts of `size` bytes from all over `content`. */
function cut(content: Buffer, size: number, count: number): Buffer[] {
  return Array.from({ length: count }, () => {
    const start = Math.floor(random() * (content.length - size));
    return content.subarray(start, start + size);
  });
}

const text = readText();
const binary = readFileSync(process.execPath).subarray(10_000_000, 40_000_000);

section('inflate', () => {
  for (const [size, count] of [[200, 2000], [1000, 2000], [10_000, 300], [100_000, 40], [Math.min(1_000_000, text.length - 1), 5]] as const) {
    const streams = cut(text, size, count).map((content) => zlib.deflateSync(content, { level: 6 }));
    compare(`${size} B of text`, count, size * count, [
      { name: 'inflateSync', run: () => { for (const stream of streams) zlib.inflateSync(stream, { info: true, chunkSize: Math.max(64, size + 1) }); } },
      { name: 'kernel', run: () => { for (const stream of streams) inflate(stream, 0, size); } },
      { name: 'plain', run: plainly(() => { for (const stream of streams) inflate(stream, 0, size); }) },
      ...(size <= 512 ? [{ name: 'zlib-sync', run: plainly(() => { for (const stream of streams) inflateContent(stream, 0, size); }) }] : []),
      { name: 'first 60 B', run: () => { for (const stream of streams) inflatePrefix(stream, 0, 60); } },
    ]);
  }
});

section('deflate', () => {
  const cases: readonly (readonly [string, Buffer[]])[] = [
    ['200 B text', cut(text, 200, 2000)],
    ['4 KB text', cut(text, 4096, 500)],
    ['20 KB text', cut(text, 20_000, 150)],
    ['500 KB text', cut(text, Math.min(500_000, text.length - 1), 6)],
    ['100 KB program', cut(binary, 100_000, 30)],
    ['500 KB records', [records(500_000), records(500_000)]],
    ['500 KB noise', [noise(500_000), noise(500_000)]],
  ];
  for (const [label, contents] of cases) {
    const bytes = contents.reduce((sum, content) => sum + content.length, 0);
    const bulk = new BulkDeflater();
    const sizes = { zlib: 0, fast: 0, small: 0 };
    const inBulk = (mode: 'fast' | 'small') => () => {
      sizes[mode] = 0;
      for (const content of contents) {
        bulk.reserve(content.length).set(content);
        sizes[mode] += bulk.deflate(0, content.length, mode).length;
      }
    };
    compare(label, contents.length, bytes, [
      {
        name: 'level 1',
        run: () => {
          sizes.zlib = 0;
          for (const content of contents) {
            sizes.zlib += zlib.deflateSync(content, { level: 1, chunkSize: content.length + (content.length >> 3) + 64 }).length;
          }
        },
      },
      { name: 'fast', run: inBulk('fast') },
      { name: 'small', run: inBulk('small') },
      { name: 'one call', run: () => { for (const content of contents) deflate(content); } },
    ]);
    print(`    of the content: level 1 ${share(sizes.zlib, bytes)}, fast ${share(sizes.fast, bytes)}, small ${share(sizes.small, bytes)}`);
  }
});

function share(part: number, whole: number): string {
  return (part / whole).toFixed(3);
}

section('delta', () => {
  const base = text.subarray(0, 120_000);
  const versions = Array.from({ length: 20 }, () => edit(base, 12));
  const large = Buffer.concat([binary.subarray(0, 8_000_000)]);
  const changed = edit(large, 200);
  const unrelated = text.subarray(120_000, 240_000);
  const many = edit(base, 3000);
  create('versions of 120 KB', base, versions);
  create('8 MB, 200 edits', large, [changed]);
  create('unrelated 120 KB', base, [unrelated]);
  apply('few large copies', large, changed);
  apply('many small copies', base, many);
});

/** `content` with `count` short pieces replaced. */
function edit(content: Buffer, count: number): Buffer {
  const pieces: Buffer[] = [];
  const places = Array.from({ length: count }, () => Math.floor(random() * content.length)).sort((a, b) => a - b);
  let from = 0;
  for (const place of places) {
    if (place < from) continue;
    pieces.push(content.subarray(from, place), Buffer.from(`edit ${place}`));
    from = place + Math.floor(random() * 20);
  }
  return Buffer.concat([...pieces, content.subarray(from)]);
}

function create(label: string, base: Buffer, targets: readonly Buffer[]): void {
  const bytes = targets.reduce((sum, target) => sum + target.length, 0);
  const index = new DeltaIndex(base);
  compare(`make: ${label}`, targets.length, bytes, [
    { name: 'plain', run: plainly(() => { for (const target of targets) createDelta(base, target); }) },
    { name: 'kernel', run: () => { for (const target of targets) createDelta(base, target); } },
    { name: 'kernel, base prepared', run: () => { for (const target of targets) index.create(target); } },
  ]);
  const delta = createDelta(base, targets[0]!);
  print(`    ${delta === undefined ? 'no delta' : `${delta.length} bytes for ${targets[0]!.length}`}`);
}

function apply(label: string, base: Buffer, target: Buffer): void {
  const delta = createDelta(base, target, Infinity)!;
  const times = 10;
  const run = (): void => { for (let i = 0; i < times; i++) applyDelta(base, delta); };
  compare(`apply: ${label}`, times, target.length * times, [
    { name: 'plain', run: plainly(run) },
    { name: 'kernel', run },
  ]);
}
