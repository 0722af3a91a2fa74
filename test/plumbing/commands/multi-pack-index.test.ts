import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { bothFormats, compareFinished, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

// Packs that share objects: each later one is packed again with some of what came before.
const script = `
for i in 1 2 3 4 5; do seq $i $((300 + i)) > numbers; echo $i > small; git add .; git commit -qm "change $i"; git repack -q; done
git rev-list --objects HEAD~2 | cut -d' ' -f1 | git pack-objects -q .git/objects/pack/pack > /dev/null
git rev-list --objects HEAD~1 | cut -d' ' -f1 | git pack-objects -q .git/objects/pack/pack > /dev/null`;

function packsOf(repository: string, suffix = '.idx'): string[] {
  return readdirSync(join(repository, '.git/objects/pack')).filter((name) => name.endsWith(suffix)).sort();
}

/** Gives the packs ages, the first name the oldest, or all the same one. */
function age(repository: string, seconds: number): void {
  packsOf(repository, '.pack').forEach((name, at) => { utimesSync(join(repository, '.git/objects/pack', name), 1_600_000_000, 1_600_000_000 + at * seconds); });
}

class Pair {
  readonly #t: ExecutionContext;
  readonly theirs: string;
  readonly ours: string;

  constructor(t: ExecutionContext, repository: string) {
    this.#t = t;
    const base = makeSandbox(t);
    this.theirs = join(base, 'a', 'repo');
    this.ours = join(base, 'b', 'repo');
    for (const copy of [this.theirs, this.ours]) cpSync(repository, copy, { recursive: true, preserveTimestamps: true });
  }

  async run(argv: readonly string[], stdin = '', options: { readonly samePacks?: boolean } = {}): Promise<void> {
    const label = `cairn multi-pack-index ${argv.join(' ')}`;
    const run = ['multi-pack-index', ...argv];
    compareFinished(this.#t, label, git(run, { cwd: this.theirs, stdin }), await cairn(run, { cwd: this.ours, stdin }));
    if (options.samePacks === false) return;
    this.#t.deepEqual(readdirSync(join(this.ours, '.git/objects/pack')).sort(), readdirSync(join(this.theirs, '.git/objects/pack')).sort(), label);
    const read = (repository: string): Buffer | undefined => {
      const path = join(repository, '.git/objects/pack/multi-pack-index');
      return existsSync(path) ? readFileSync(path) : undefined;
    };
    this.#t.deepEqual(read(this.ours), read(this.theirs), `${label}: bytes`);
  }
}

for (const format of bothFormats) {
  test(`a multi-pack-index is written byte for byte as git writes it (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, script);
    age(repository, 10);
    const names = packsOf(repository);
    const pair = new Pair(t, repository);
    for (const argv of [[], ['bogus'], ['verify'], ['expire'], ['repack'], ['verify', 'x'], ['write', '--batch-size=1'], ['verify', '--stdin-packs'], ['repack', '--batch-size=x']]) await pair.run(argv);
    await pair.run(['write', '--stdin-packs'], `${names.slice(0, 3).join('\n')}\n`);
    await pair.run(['verify']);
    await pair.run(['write']);
    await pair.run(['--no-progress', 'write']);
    await pair.run(['write', '--no-progress']);
    await pair.run(['write', `--preferred-pack=${names[2]}`]);
    for (const preferred of [names[0]!, names[3]!.replace('.idx', '.pack'), 'none']) {
      for (const copy of [pair.ours, pair.theirs]) rmSync(join(copy, '.git/objects/pack/multi-pack-index'));
      await pair.run(['write', `--preferred-pack=${preferred}`, '--no-bitmap', '--refs-snapshot=none']);
    }
    await pair.run(['write', '--stdin-packs'], 'bogus\n');
    await pair.run(['--object-dir=.git/objects', 'write', '--stdin-packs'], `${names.slice(2).join('\n')}\n`);
    await pair.run(['write', `--preferred-pack=${names[1]}`]);
    await pair.run(['--object-dir', 'nowhere', 'verify']);
    await pair.run(['--object-dir', 'nowhere', 'write']);
    await pair.run(['verify']);
  });

  test(`what no object is taken from expires, and small packs are put together (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, script);
    age(repository, 10);
    const youngest = packsOf(repository).at(-1)!;
    const pair = new Pair(t, repository);
    await pair.run(['write', `--preferred-pack=${youngest}`]);
    await pair.run(['expire']);
    await pair.run(['verify']);
    writeFileSync(join(pair.ours, '.git/objects/pack', packsOf(pair.ours)[0]!.replace('.idx', '.keep')), '');
    writeFileSync(join(pair.theirs, '.git/objects/pack', packsOf(pair.theirs)[0]!.replace('.idx', '.keep')), '');
    for (const size of ['1', '600', '1k', '0']) {
      for (const copy of [pair.ours, pair.theirs]) age(copy, 10);
      await pair.run(['repack', `--batch-size=${size}`], '', { samePacks: false });
      t.is(packsOf(pair.ours).length, packsOf(pair.theirs).length, `batches of ${size}`);
      t.is(git(['multi-pack-index', 'verify'], { cwd: pair.ours }).code, 0);
      t.is(git(['fsck', '--full', '--strict'], { cwd: pair.ours }).code, 0);
      await pair.run(['expire'], '', { samePacks: false });
      t.is(packsOf(pair.ours).length, packsOf(pair.theirs).length, `expired after batches of ${size}`);
    }
    t.is(packsOf(pair.ours, '.keep').length, 1);
    const listed = (cwd: string): string => git(['cat-file', '--batch-all-objects', '--batch-check'], { cwd }).stdout;
    t.is(listed(pair.ours), listed(repository));
    t.is(git(['multi-pack-index', 'verify'], { cwd: pair.ours }).code, 0);
  });
}

test('verify finds every flipped byte, and a damaged file is written anew', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', script);
  await cairn(['multi-pack-index', 'write'], { cwd: repository });
  const path = join(repository, '.git/objects/pack/multi-pack-index');
  const good = readFileSync(path);
  for (let at = 0; at < good.length; at += 29) {
    const flipped = Buffer.from(good);
    flipped[at] = flipped[at]! ^ 4;
    writeFileSync(path, flipped);
    t.is((await cairn(['multi-pack-index', 'verify'], { cwd: repository })).code, 1, `byte ${at}`);
  }
  t.is((await cairn(['multi-pack-index', 'write'], { cwd: repository })).code, 0);
  t.deepEqual(readFileSync(path), good);
  t.is((await cairn(['multi-pack-index', 'write', '--bitmap'], { cwd: repository })).code, 129);
});

test('a pack that is said to be used by no object stays while its objects are nowhere else', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', script);
  await cairn(['multi-pack-index', 'write'], { cwd: repository });
  const path = join(repository, '.git/objects/pack/multi-pack-index');
  const bytes = readFileSync(path);
  const entry = bytes.indexOf('OOFF');
  const from = Number(bytes.readBigUInt64BE(entry + 4));
  const to = Number(bytes.readBigUInt64BE(entry + 16));
  for (let at = from; at < to; at += 8) bytes.writeUInt32BE(0, at);
  createHash('sha1').update(bytes.subarray(0, -20)).digest().copy(bytes, bytes.length - 20);
  writeFileSync(path, bytes);
  const finished = await cairn(['multi-pack-index', 'expire'], { cwd: repository });
  t.is(finished.code, 0, finished.stderr);
  t.regex(finished.stderr, /stays: not all it holds is in other packs/);
  rmSync(path);
  t.is(git(['fsck', '--full', '--strict'], { cwd: repository }).code, 0);
  // Pack numbers that mean nothing are not believed either.
  for (let at = from; at < to; at += 8) bytes.writeUInt32BE(0xffff, at);
  createHash('sha1').update(bytes.subarray(0, -20)).digest().copy(bytes, bytes.length - 20);
  writeFileSync(path, bytes);
  t.is((await cairn(['multi-pack-index', 'write'], { cwd: repository })).code, 0);
  t.is(git(['multi-pack-index', 'verify'], { cwd: repository }).code, 0);
});
