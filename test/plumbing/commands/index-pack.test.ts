import test from 'ava';
import type { ExecutionContext } from 'ava';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { cairn } from '../../helpers/cairn.js';
import { type Format, bothFormats, compareFinished, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

const script = `
for i in 1 2 3 4 5 6 7 8; do seq $i $((300 + i)) > numbers; echo $i > small; mkdir -p d; echo $i > d/$i; git add .; git commit -qm "change $i"; done; git tag -am t v1
git repack -q -a -d; cp .git/objects/pack/*.pack ../good.pack
git rev-parse HEAD ^HEAD~2 > ../revs; git rev-list --objects HEAD ^HEAD~2 | git pack-objects -q --thin --stdout > ../unused || true
printf 'HEAD\\n^HEAD~2\\n' | git pack-objects -q --thin --revs --stdout > ../thin.pack
printf 'HEAD\\n^HEAD~2\\n' | git pack-objects -q --revs --stdout > ../part.pack
git pack-objects -q --delta-base-offset --all --stdout < /dev/null > ../offset.pack; git pack-objects -q --all --stdout < /dev/null > ../byid.pack`;

interface Packs { readonly base: string; readonly repository: string }

function makePacks(t: ExecutionContext, format: Format): Packs {
  const repository = makeRepository(t, format, script);
  return { repository, base: join(repository, '..') };
}

/** Files below a directory with their modes and, but for packs git completed with its own compressor, contents. */
function listing(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort().map((name) => {
    const stat = statSync(join(directory, name));
    if (stat.isDirectory()) return name;
    return `${name} ${(stat.mode & 0o777).toString(8)} ${createHash('sha1').update(readFileSync(join(directory, name))).digest('hex')}`;
  });
}

/** Runs one command line with git and with cairn, each in a fresh copy of `start`, and compares what they say and leave. */
async function compareIn(t: ExecutionContext, start: string, argv: readonly string[], options: { stdin?: Buffer; files?: boolean; objects?: boolean } = {}): Promise<void> {
  const base = makeSandbox(t);
  const results = [];
  for (const side of ['a', 'b']) {
    const cwd = join(base, side, 'repo');
    cpSync(start, cwd, { recursive: true });
    const how = { cwd, ...(options.stdin === undefined ? {} : { stdin: options.stdin }) };
    results.push({ done: side === 'a' ? git(argv, how) : await cairn(argv, how), cwd });
  }
  const [theirs, ours] = results as [typeof results[0], typeof results[0]];
  const label = `cairn ${argv.join(' ')}`;
  compareFinished(t, label, theirs.done, ours.done);
  const files = (cwd: string): string[] => listing(cwd).filter((line) => !/^\.git\/(index|logs|objects\/pack\/tmp_|cairn$|cairn\/leases$)/.test(line));
  if (options.files !== false) t.deepEqual(files(ours.cwd), files(theirs.cwd), `${label}: files`);
  // What git leaves of a pack it refused is not ours to leave.
  if (options.objects && theirs.done.code === 0) {
    const listed = (cwd: string): string => git(['cat-file', '--batch-all-objects', '--batch-check', '--unordered'], { cwd }).stdout.split('\n').sort().join('\n');
    t.is(listed(ours.cwd), listed(theirs.cwd), `${label}: objects`);
    t.is(git(['fsck', '--full', '--no-dangling'], { cwd: ours.cwd }).code, git(['fsck', '--full', '--no-dangling'], { cwd: theirs.cwd }).code);
  }
}

for (const format of bothFormats) {
  test(`index-pack of a file leaves the files git leaves (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const { base } = makePacks(t, format);
    const start = join(makeSandbox(t), 'start');
    mkdirSync(start);
    for (const name of ['good', 'offset', 'byid', 'thin']) cpSync(join(base, `${name}.pack`), join(start, `${name}.pack`));
    cpSync(join(base, 'good.pack'), join(start, 'odd'));
    const with_ = [`--object-format=${format}`];
    for (const options of [
      ['good.pack'], ['offset.pack'], ['byid.pack'], ['thin.pack'], ['odd'], ['-o', 'x.idx', 'odd'], ['-o', 'x', 'odd'], ['--rev-index', 'good.pack'], ['--rev-index', '-o', 'x', 'odd'],
      ['--rev-index', '-o', 'x.idx', 'odd'], ['--keep', 'good.pack'], ['--keep=why', 'good.pack'], ['--promisor=who', '--no-rev-index', 'good.pack'], ['--index-version=1', 'good.pack'],
      ['--index-version=2,0x40', 'good.pack'], ['--index-version=3', 'good.pack'], ['--index-version=2,x', 'good.pack'], ['--max-input-size=100', 'good.pack'], ['--max-input-size=none', 'good.pack'],
      ['--threads=3', 'good.pack'], ['--threads=x', 'good.pack'], ['missing.pack'], [], ['good.pack', 'byid.pack'], ['--fix-thin', 'good.pack'], ['--nonsense', 'good.pack'], ['-v', 'good.pack'],
      ['--verify', 'good.pack'], ['--strict=nonsense=error', 'good.pack'], ['--object-format=sha3', 'good.pack'], ['--stdin'],
    ]) await compareIn(t, start, ['index-pack', ...with_, ...options], { stdin: Buffer.alloc(0) });
    runProgram('git', ['index-pack', ...with_, '--rev-index', 'good.pack'], { cwd: start });
    runProgram('git', ['index-pack', ...with_, '--index-version=1', 'byid.pack'], { cwd: start });
    runProgram('git', ['index-pack', ...with_, '--index-version=2,0x40', 'offset.pack'], { cwd: start });
    writeFileSync(join(start, 'wrong.idx'), readFileSync(join(start, 'byid.idx')));
    cpSync(join(start, 'good.pack'), join(start, 'wrong.pack'));
    for (const options of [
      ['--verify', 'good.pack'], ['--verify', '--rev-index', 'good.pack'], ['--verify-stat', 'good.pack'], ['--verify-stat-only', 'good.pack'], ['--verify', 'byid.pack'], ['--verify', 'offset.pack'],
      ['--verify', 'wrong.pack'], ['--verify-stat', 'byid.pack'],
    ]) await compareIn(t, start, ['index-pack', ...with_, ...options]);
    for (const name of ['good', 'byid', 'offset']) {
      compareFinished(t, `show-index of ${name}`, git(['show-index', ...with_], { cwd: start, stdin: readFileSync(join(start, `${name}.idx`)) }),
        await cairn(['show-index', ...with_], { cwd: start, stdin: readFileSync(join(start, `${name}.idx`)) }));
    }
    await compareIn(t, start, ['show-index', '--object-format=x'], { stdin: Buffer.alloc(0) });
    await compareIn(t, start, ['show-index'], { stdin: Buffer.alloc(0) });
    await compareIn(t, start, ['verify-pack', '-v', ...with_, 'good.idx', 'byid', 'offset.pack', 'wrong']);
    await compareIn(t, start, ['verify-pack', ...with_, 'good', 'good.idx']);
    await compareIn(t, start, ['verify-pack', '-s', ...with_, 'good', 'missing']);
  });

  test(`index-pack --stdin and unpack-objects take in what git takes in (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const { base, repository } = makePacks(t, format);
    const empty = join(makeSandbox(t), 'empty');
    runProgram('git', ['init', '-q', '--template=', `--object-format=${format}`, empty], { cwd: '/' });
    const read = (name: string): Buffer => readFileSync(join(base, `${name}.pack`));
    const full = { stdin: read('good'), objects: true };
    for (const options of [[], ['--keep'], ['--keep=me'], ['--promisor'], ['--rev-index'], ['--strict'], ['--fsck-objects'], ['--check-self-contained-and-connected'], ['--strict', 'named.pack'], ['-o', 'x.idx', 'named.pack'], ['-o', 'x.idx', 'named'], ['--max-input-size=50'], ['--object-format=sha1']]) {
      await compareIn(t, empty, ['index-pack', '--stdin', ...options], full);
    }
    await compareIn(t, empty, ['index-pack', '--stdin'], { stdin: Buffer.alloc(0) });
    await compareIn(t, empty, ['index-pack', '--stdin'], { stdin: read('thin') });
    await compareIn(t, empty, ['index-pack', '--stdin', '--strict'], { stdin: read('part') });
    await compareIn(t, empty, ['index-pack', '--stdin', '--fix-thin'], { stdin: read('thin') });
    await compareIn(t, empty, ['index-pack', '--stdin', '--fix-thin'], full);
    for (const name of ['good', 'byid', 'offset', 'part']) await compareIn(t, empty, ['unpack-objects', '-q'], { stdin: read(name), objects: true, files: false });
    for (const options of [['-n'], ['-n', '--strict'], ['--strict'], ['-r', '-q'], ['--max-input-size=50'], ['--max-input-size=x'], ['x'], ['--nonsense']]) {
      await compareIn(t, empty, ['unpack-objects', ...options], { stdin: read('good'), objects: true, files: false });
    }
    await compareIn(t, empty, ['unpack-objects', '-q', '--strict'], { stdin: read('part'), objects: true, files: false });
    await compareIn(t, empty, ['unpack-objects', '-q'], { stdin: read('thin'), files: false });
    runProgram('git', ['reset', '-q', '--hard', 'HEAD~2'], { cwd: repository });
    runProgram('sh', ['-c', 'git tag -d v1; git reflog expire --expire=now --all; git repack -qad; git prune --expire=now'], { cwd: repository });
    // Completed by each with its own compressor, so that names of packs differ.
    const [theirs, ours] = [join(base, 'theirs'), join(base, 'ours')];
    for (const copy of [theirs, ours]) cpSync(repository, copy, { recursive: true });
    const stdin = read('thin');
    t.is(git(['index-pack', '--stdin', '--fix-thin', '--strict'], { cwd: theirs, stdin }).code, 0);
    const taken = await cairn(['index-pack', '--stdin', '--fix-thin', '--strict', '--rev-index'], { cwd: ours, stdin });
    t.is(taken.code, 0, taken.stderr);
    const listed = (cwd: string): string => git(['cat-file', '--batch-all-objects', '--batch-check'], { cwd }).stdout;
    t.is(listed(ours), listed(theirs));
    const pack = join(ours, `.git/objects/pack/pack-${taken.stdout.slice(5).trim()}`);
    t.is(git(['index-pack', '--verify', '--rev-index', `${pack}.pack`], { cwd: ours }).code, 0);
    t.is(git(['fsck', '--full', '--strict'], { cwd: ours }).code, 0);
    t.deepEqual(readdirSync(join(ours, '.git/objects/pack')).filter((name) => name.startsWith('tmp_')), []);
    await compareIn(t, repository, ['index-pack', '--stdin', '--strict', '--check-self-contained-and-connected'], { stdin: read('part'), objects: true });
    await compareIn(t, repository, ['unpack-objects', '-q', '--strict'], { stdin, objects: true, files: false });
  });

  test(`a damaged pack leaves nothing (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const { base } = makePacks(t, format);
    const empty = join(makeSandbox(t), 'empty');
    runProgram('git', ['init', '-q', '--template=', `--object-format=${format}`, empty], { cwd: '/' });
    const good = readFileSync(join(base, 'byid.pack'));
    const before = listing(empty);
    for (let at = 0; at < good.length; at += 101) {
      const flipped = Buffer.from(good);
      flipped[at] = flipped[at]! ^ 0x11;
      for (const stdin of [flipped, good.subarray(0, at)]) {
        t.is((await cairn(['index-pack', '--stdin'], { cwd: empty, stdin })).code, 128, `byte ${at}`);
        const { code } = await cairn(['unpack-objects', '-q'], { cwd: empty, stdin });
        t.true(code === 128 || (code === 1 && stdin === flipped), `byte ${at}: ${code}`);
      }
    }
    const isLasting = (line: string): boolean => !['.git/objects/pack', '.git/cairn', '.git/cairn/leases'].includes(line);
    t.deepEqual(listing(empty).filter(isLasting), before.filter(isLasting));
  });
}

test('what follows the pack is passed on', async (t) => {
  if (skipWithoutGit(t)) return;
  const { base } = makePacks(t, 'sha1');
  const empty = join(makeSandbox(t), 'empty');
  runProgram('git', ['init', '-q', '--template=', empty], { cwd: '/' });
  const stdin = Buffer.concat([readFileSync(join(base, 'part.pack')), Buffer.from('more to read\n')]);
  t.regex((await cairn(['index-pack', '--stdin'], { cwd: empty, stdin })).stdout, /^pack\t[0-9a-f]{40}\nmore to read\n$/);
  t.is((await cairn(['unpack-objects', '-q'], { cwd: empty, stdin })).stdout, 'more to read\n');
  writeFileSync(join(empty, 'junk.pack'), stdin);
  t.is((await cairn(['index-pack', 'junk.pack'], { cwd: empty })).code, 128);
});

test('an object that is here with other content is refused, and a copy that cannot be read is healed', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'echo one > f; git add f; git commit -qm one; git pack-objects -q --all --stdout < /dev/null > ../all.pack');
  const stdin = readFileSync(join(repository, '../all.pack'));
  const id = git(['rev-parse', 'HEAD:f'], { cwd: repository }).stdout.trim();
  const loose = join(repository, '.git/objects', id.slice(0, 2), id.slice(2));
  rmSync(loose);
  writeFileSync(loose, deflateSync(Buffer.from('blob 4\0two\n')));
  for (const argv of [['index-pack', '--stdin'], ['unpack-objects', '-q']]) {
    const { code, stderr } = await cairn(argv, { cwd: repository, stdin });
    t.is(code, 128);
    t.regex(stderr, /here already with another content/);
  }
  t.deepEqual(readdirSync(join(repository, '.git/objects/pack')), []);
  writeFileSync(loose, 'not an object at all');
  t.is((await cairn(['unpack-objects', '-q'], { cwd: repository, stdin })).code, 0);
  t.is(git(['cat-file', 'blob', id], { cwd: repository }).stdout, 'one\n');
});

test('objects that are not well formed are refused when asked for', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `
    b=$(echo x | git hash-object -w --stdin); printf "100644 .gitmodules\\0" > tree; printf $b | xxd -r -p >> tree
    bad=$(printf '[submodule "../x"]\\n\\turl = -u\\n\\tpath = p\\n' | git hash-object -w --stdin)
    git update-index --add --cacheinfo 100644,$bad,.gitmodules; t=$(git write-tree); echo $t | git pack-objects -q --stdout > ../nolinks.pack
    printf '%s\\n%s\\n' $t $bad | git pack-objects -q --stdout > ../modules.pack
    c=$(printf 'tree %s\\nauthor a <a> 1 +0000\\ncommitter a <a@b> 99999999999999999999 +0000\\n\\nx' $t | git hash-object -w --literally -t commit --stdin)
    printf '%s\\n%s\\n%s\\n' $c $t $bad | git pack-objects -q --stdout > ../commit.pack`);
  const empty = join(makeSandbox(t), 'empty');
  runProgram('git', ['init', '-q', '--template=', empty], { cwd: '/' });
  for (const name of ['nolinks', 'modules', 'commit']) {
    const stdin = readFileSync(join(repository, `../${name}.pack`));
    for (const options of [['--fsck-objects'], ['--strict'], ['--strict=gitmodulesname=ignore,gitmodulesurl=warn'], ['--strict=badDateOverflow=ignore,gitmodulesName=ignore,gitmodulesUrl=ignore']]) {
      await compareIn(t, empty, ['index-pack', '--stdin', ...options], { stdin });
    }
    for (const options of [['--strict'], []]) await compareIn(t, empty, ['unpack-objects', '-q', ...options], { stdin, files: false, objects: true });
  }
});
