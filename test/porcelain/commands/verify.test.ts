// Promise: verify tells what is damaged or missing, and where, and nothing else; each byte is read by one of the parts.
import test from 'ava';
import { chmodSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn, cairnOutput } from '../../helpers/cairn.js';
import { makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const script = `
  for i in 1 2 3; do seq 1 $((40 * i)) >file; echo $i >other$i; git add -A; git commit -qm $i; done
  git tag -am release v1; git repack -adq; git pack-refs --all
  echo 4 >other; git add other; git commit -qm 4
`;

interface Report {
  readonly ok: boolean;
  readonly data: string | null;
  readonly objects: number;
  readonly findings: readonly { readonly severity: string; readonly kind: string; readonly subject: string; readonly object: string | null; readonly message: string }[];
}

async function report(cwd: string, ...words: readonly string[]): Promise<{ code: number; report: Report }> {
  const { code, stdout, stderr } = await cairn(['verify', '--json', ...words], { cwd });
  if (stdout === '') throw new Error(stderr);
  return { code, report: JSON.parse(stdout) as Report };
}

function packOf(cwd: string): string {
  return join(cwd, '.git/objects/pack', readdirSync(join(cwd, '.git/objects/pack')).find((name) => name.endsWith('.pack'))!);
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x10;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
}

test('a whole repository is verified in words, in JSON, in silence, and in parts that make up the whole', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', script);
  t.regex(await cairnOutput(['verify'], { cwd }), /^\d+ objects needed by \d+ roots, \d+ stored objects \(.*\) read: nothing is damaged or missing$/);
  t.is(await cairnOutput(['verify', '-q'], { cwd }), '');
  const whole = await report(cwd);
  t.deepEqual([whole.code, whole.report.ok, whole.report.data, whole.report.findings], [0, true, '1/1', []]);
  let objects = 0;
  for (const part of ['1/3', '2/3', '3/3']) {
    const { code, report: one } = await report(cwd, `--read-data=${part}`);
    t.deepEqual([code, one.data], [0, part]);
    objects += one.objects;
  }
  t.is(objects, whole.report.objects);
  const none = await report(cwd, '--no-read-data');
  t.deepEqual([none.code, none.report.data, none.report.objects], [0, null, 0]);
});

test('damage in a pack is found by the part that reads it, with the object and the file', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', script);
  const pack = packOf(cwd);
  const { offset, id } = gitOutput(['verify-pack', '-v', pack.replace(/pack$/, 'idx')], { cwd }).split('\n').flatMap((line) => {
    const [, name, type, at] = /^([0-9a-f]{40}) (\w+) +\d+ \d+ (\d+)$/.exec(line) ?? [];
    return type === 'blob' ? [{ id: name!, offset: Number(at) }] : [];
  })[0]!;
  flip(pack, offset + 5);
  const whole = await report(cwd);
  t.is(whole.code, 6);
  t.true(whole.report.findings.some(({ kind, subject, object, severity }) => kind === 'object' && severity === 'error' && subject === pack && object === id));
  const found = [];
  for (const part of ['1/4', '2/4', '3/4', '4/4']) found.push((await report(cwd, `--read-data=${part}`)).report.findings.filter(({ object }) => object === id).length > 0);
  t.is(found.filter(Boolean).length, 1);
  const words = await cairn(['verify', '-q'], { cwd });
  t.is(words.code, 6);
  t.true(words.stdout.includes(id) && words.stdout.includes(pack));
  t.regex(words.stderr, /cairn repair/);
});

test('what is needed and not there is named, with what names it', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', script);
  const id = gitOutput(['rev-parse', 'HEAD:other'], { cwd });
  rmSync(join(cwd, '.git/objects', id.slice(0, 2), id.slice(2)));
  const { code, report: { findings } } = await report(cwd, '--no-read-data');
  t.is(code, 6);
  t.true(findings.some(({ object, message }) => object === id && message.includes('missing')));
});

test('a vanished repository whose objects are borrowed is named, and a needed object is called missing once', async (t) => {
  if (skipWithoutGit(t)) return;
  const lender = makeRepository(t, 'sha1', script);
  const cwd = `${lender}-borrower`;
  gitOutput(['clone', '-q', '--shared', lender, cwd], { cwd: lender });
  t.is((await report(cwd)).code, 0);
  renameSync(lender, `${lender}-away`);
  const { code, report: { findings } } = await report(cwd);
  t.is(code, 6);
  t.true(findings.some(({ subject, message }) => subject.endsWith('info/alternates') && message.includes(join(lender, '.git/objects'))));
  t.true((await cairn(['fsck'], { cwd })).stderr.includes(join(lender, '.git/objects')));
  const refused = await cairn(['gc', '--grace=0'], { cwd });
  t.is(refused.code, 6);
  t.regex(refused.stderr, /^fatal: object '[0-9a-f]+', which '[^']+' needs, is missing$/m);
  renameSync(`${lender}-away`, lender);
  t.is((await report(cwd)).code, 0);
  t.is((await cairn(['gc', '--grace=0'], { cwd })).code, 0);
});

test('an object that cannot be read is named, and the rest is verified', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', script);
  for (const name of ['HEAD', 'HEAD^{tree}', 'HEAD:other']) {
    const id = gitOutput(['rev-parse', name], { cwd });
    const path = join(cwd, '.git/objects', id.slice(0, 2), id.slice(2));
    renameSync(path, `${path}.good`);
    mkdirSync(path);
    const { code, report: { findings } } = await report(cwd);
    t.is(code, 6);
    t.true(findings.some(({ object, message }) => object === id && message.includes('cannot be read')), name);
    for (const argv of [['cat-file', '-p', id], ['gc', '--grace=0'], ['fsck']]) {
      const { code: refused, stderr } = await cairn(argv, { cwd });
      t.true(refused !== 0 && refused !== 70 && stderr.includes(path), `${name}: ${argv.join(' ')}: ${stderr}`);
    }
    rmSync(path, { recursive: true });
    renameSync(`${path}.good`, path);
  }
  t.is((await report(cwd)).code, 0);
});

test('a replacement does not hide damage, nor is it needed in place of what it replaces', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', `${script} git replace HEAD~1 HEAD~2`);
  t.deepEqual((await report(cwd)).report.findings, []);
});

test('bits of a loose file that nothing reads are noticed', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', script);
  const id = gitOutput(['rev-parse', 'HEAD:other'], { cwd });
  const path = join(cwd, '.git/objects', id.slice(0, 2), id.slice(2));
  const bytes = readFileSync(path);
  let harmless = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    for (let bit = 1; bit < 256; bit <<= 1) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= bit;
      chmodSync(path, 0o644);
      writeFileSync(path, damaged);
      if (git(['cat-file', 'blob', id], { cwd }).code === 0) harmless += 1;
      t.is((await report(cwd)).code, 6, `bit ${bit} of byte ${at}`);
    }
  }
  t.true(harmless > 0);
});

test('what damage may have left but people may have meant is a notice', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', script);
  renameSync(join(cwd, '.git/refs/heads/main'), join(cwd, '.git/refs/heads/maim'));
  git(['tag', 'v2', 'v1'], { cwd });
  git(['update-ref', '-d', 'refs/tags/v1'], { cwd });
  const { code, report: { findings, ok } } = await report(cwd);
  t.deepEqual([code, ok], [0, true]);
  t.deepEqual([...new Set(findings.map(({ severity }) => severity))], ['notice']);
  t.deepEqual(findings.map(({ subject }) => subject).sort(), ['refs/heads/maim', 'refs/heads/main', 'refs/tags/v2']);
});

test("cairn's own records are checked, by fsck too", async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', script);
  const releases = join(cwd, '.git/cairn/releases');
  mkdirSync(releases, { recursive: true });
  writeFileSync(join(releases, 'stable.journal'), '{}');
  const { code, report: { findings } } = await report(cwd);
  t.is(code, 6);
  t.true(findings.some(({ kind, subject }) => kind === 'record' && subject === join(releases, 'stable.journal')));
  const fsck = await cairn(['fsck'], { cwd });
  t.is(fsck.code, 8);
  t.regex(fsck.stderr, /stable\.journal/);
});

test('a reflog that was zeroed, or cut within a line, is a notice', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', script);
  const path = join(cwd, '.git/logs/HEAD');
  const good = readFileSync(path);
  for (const damaged of [Buffer.alloc(good.length), good.subarray(0, good.length - 3), Buffer.concat([good, Buffer.alloc(512)])]) {
    writeFileSync(path, damaged);
    const { code, report: { findings } } = await report(cwd);
    t.is(code, 0);
    t.true(findings.some(({ severity, subject, message }) => severity === 'notice' && subject.endsWith('logs/HEAD') && message.includes('no whole entry')));
  }
  writeFileSync(path, good);
  t.deepEqual((await report(cwd)).report.findings, []);
});

test('a part that is none, and arguments, are refused', async (t) => {
  const cwd = makeSandbox(t);
  for (const words of [['--read-data=0/3'], ['--read-data=4/3'], ['--read-data=x'], ['word']]) t.is((await cairn(['verify', ...words], { cwd })).code, 129, words.join(' '));
});
