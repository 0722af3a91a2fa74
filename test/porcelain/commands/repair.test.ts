// Promise: whatever single file of a repository rots or vanishes, repair makes it whole from any copy, throws nothing away, and changes nothing
// where there is no copy.
import test from 'ava';
import { chmodSync, cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn, cairnOutput } from '../../helpers/cairn.js';
import { makeRepository } from '../../helpers/differential.js';
import { makeSandbox, seededRandom } from '../../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const script = `
  for i in 1 2 3 4; do seq 1 $((40 * i)) >file; mkdir -p d/$i; echo $i >d/$i/f; git add -A; git commit -qm $i; done
  git tag -am release v1; git repack -adq; git commit-graph write --reachable; git multi-pack-index write
  seq 1 300 >file; echo 5 >other; git add -A; git commit -qm 5
`;

interface Report {
  readonly ok: boolean;
  readonly restored: readonly { readonly object: string; readonly from: string }[];
  readonly setAside: readonly string[];
  readonly drawer: string | null;
  readonly left: readonly { readonly object: string | null }[];
}

async function repair(cwd: string, ...words: readonly string[]): Promise<{ code: number; report: Report }> {
  const { code, stdout, stderr } = await cairn(['repair', '--json', ...words], { cwd });
  if (stdout === '') throw new Error(stderr);
  return { code, report: JSON.parse(stdout) as Report };
}

function objectFiles(cwd: string): string[] {
  return readdirSync(join(cwd, '.git/objects'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
}

function contents(cwd: string): Map<string, string> {
  return new Map(objectFiles(cwd).map((path) => [path, readFileSync(path, 'latin1')]));
}

test('any one file of the objects that rots, is cut, or vanishes is mended from a repository and from a bundle', async (t) => {
  if (skipWithoutGit(t)) return;
  t.timeout(120_000);
  const origin = makeRepository(t, 'sha1', script);
  const place = makeSandbox(t);
  const bundle = join(place, 'all.bundle');
  git(['bundle', 'create', '-q', bundle, '--all'], { cwd: origin });
  const random = seededRandom(11);
  const files = objectFiles(origin).map((path) => path.slice(origin.length));
  let turn = 0;
  for (const file of files) {
    for (const damage of ['flipped', 'cut', 'gone', 'zeroed'] as const) {
      turn += 1;
      if (/\.git\/objects\/[0-9a-f]{2}\//.test(file) && turn % 3 !== 0) continue;
      const cwd = join(place, 'work');
      rmSync(cwd, { recursive: true, force: true });
      cpSync(origin, cwd, { recursive: true, preserveTimestamps: true });
      const path = cwd + file;
      const bytes = readFileSync(path);
      chmodSync(path, 0o644);
      if (damage === 'gone') rmSync(path);
      else if (damage === 'cut') writeFileSync(path, bytes.subarray(0, Math.floor(random() * bytes.length)));
      else if (damage === 'zeroed') writeFileSync(path, Buffer.alloc(bytes.length));
      else writeFileSync(path, Buffer.from(bytes.map((byte, at) => (at === Math.floor(bytes.length / 2) ? byte ^ 0x10 : byte))));
      const damaged = damage === 'gone' ? undefined : readFileSync(path);
      const label = `${file} ${damage}`;
      const { code, report } = await repair(cwd, '--from', turn % 2 === 0 ? origin : bundle);
      t.is(code, 0, `${label}: ${JSON.stringify(report.left)}`);
      t.is((await cairn(['verify', '-q'], { cwd })).code, 0, label);
      const fsck = git(['fsck', '--full', '--strict'], { cwd });
      t.is(fsck.code, 0, `${label}: ${fsck.stderr}`);
      t.is(gitOutput(['rev-list', '--objects', '--all'], { cwd }), gitOutput(['rev-list', '--objects', '--all'], { cwd: origin }), label);
      if (report.setAside.length > 0 && damaged !== undefined && report.setAside.includes(path)) {
        t.true(readFileSync(join(report.drawer!, file.slice('/.git/'.length))).equals(damaged), `${label}: what was damaged is kept`);
      }
      const again = await repair(cwd);
      t.deepEqual([again.code, again.report.restored, again.report.setAside], [0, [], []], label);
    }
  }
});

test('without a copy nothing is changed, and what is lost is told', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', script);
  const pack = objectFiles(cwd).find((path) => path.endsWith('.pack'))!;
  const offset = Number(/^[0-9a-f]{40} blob +\d+ \d+ (\d+)$/m.exec(gitOutput(['verify-pack', '-v', pack], { cwd }))![1]);
  const bytes = readFileSync(pack);
  bytes[offset + 4]! ^= 1;
  chmodSync(pack, 0o644);
  writeFileSync(pack, bytes);
  const before = contents(cwd);
  const dry = await cairn(['repair', '-n'], { cwd });
  t.is(dry.code, 6);
  t.regex(dry.stdout, /no good copy of [0-9a-f]{40} is known/);
  const { code, report } = await repair(cwd);
  t.is(code, 6);
  t.true(report.left.some(({ object }) => object !== null));
  t.deepEqual([report.restored, report.setAside, report.drawer], [[], [], null]);
  t.deepEqual(contents(cwd), before);
  t.regex((await cairn(['repair'], { cwd })).stderr, /--from/);
});

test('a pack of which nothing can be read is set aside when all it held is back', async (t) => {
  if (skipWithoutGit(t)) return;
  const origin = makeRepository(t, 'sha1', script);
  const cwd = join(makeSandbox(t), 'copy');
  cpSync(origin, cwd, { recursive: true });
  const pack = objectFiles(cwd).find((path) => path.endsWith('.pack'))!;
  for (const path of [pack, pack.replace(/pack$/, 'idx')]) {
    chmodSync(path, 0o644);
    writeFileSync(path, 'rot');
  }
  const { code, report } = await repair(cwd, '--from', origin);
  t.is(code, 0);
  t.true(report.setAside.includes(pack));
  t.is(readFileSync(join(report.drawer!, pack.slice(join(cwd, '.git/').length)), 'latin1'), 'rot');
  t.is(git(['fsck', '--full', '--strict'], { cwd }).code, 0);
});

test('a dry run says what would be done and does nothing', async (t) => {
  if (skipWithoutGit(t)) return;
  const origin = makeRepository(t, 'sha1', script);
  const cwd = join(makeSandbox(t), 'copy');
  cpSync(origin, cwd, { recursive: true });
  const id = gitOutput(['rev-parse', 'HEAD:other'], { cwd });
  rmSync(join(cwd, '.git/objects', id.slice(0, 2), id.slice(2)));
  const before = contents(cwd);
  t.is(await cairnOutput(['repair', '-n', '--from', origin], { cwd }), `would restore blob ${id} from ${origin}`);
  t.deepEqual(contents(cwd), before);
  t.false(existsSync(join(cwd, '.git/cairn/damaged')));
});

test('objects that were lost with all they name come back, many of them as one pack', async (t) => {
  if (skipWithoutGit(t)) return;
  const many = 'for i in $(seq 1 150); do echo $i >f$i; done; git add -A; git commit -qm many';
  const origin = makeRepository(t, 'sha256', many);
  const cwd = join(makeSandbox(t), 'copy');
  cpSync(origin, cwd, { recursive: true });
  for (const path of objectFiles(cwd)) rmSync(path);
  const { code, report } = await repair(cwd, '--from', origin);
  t.is(code, 0);
  t.is(report.restored.length, 152);
  t.is(objectFiles(cwd).filter((path) => path.endsWith('.pack')).length, 1);
  t.is(git(['fsck', '--strict'], { cwd }).code, 0);
});

test('a copy that is damaged too is passed over, and a source of another format is refused', async (t) => {
  if (skipWithoutGit(t)) return;
  const origin = makeRepository(t, 'sha1', script);
  const place = makeSandbox(t);
  const [cwd, bad] = ['copy', 'bad'].map((name) => join(place, name)) as [string, string];
  for (const path of [cwd, bad]) cpSync(origin, path, { recursive: true });
  const id = gitOutput(['rev-parse', 'HEAD:other'], { cwd });
  const file = join('.git/objects', id.slice(0, 2), id.slice(2));
  rmSync(join(cwd, file));
  chmodSync(join(bad, file), 0o644);
  writeFileSync(join(bad, file), 'rot');
  t.is((await repair(cwd, '--from', bad)).code, 6);
  const { code, report } = await repair(cwd, '--from', bad, '--from', origin);
  t.deepEqual([code, report.restored.map(({ object, from }) => [object, from])], [0, [[id, origin]]]);
  const other = makeRepository(t, 'sha256', 'git commit -q --allow-empty -m one');
  t.is((await cairn(['repair', '--from', other], { cwd })).code, 2);
  t.is((await cairn(['repair', '--from', join(place, 'nowhere')], { cwd })).code, 2);
  t.is((await cairn(['repair', 'word'], { cwd })).code, 129);
});
