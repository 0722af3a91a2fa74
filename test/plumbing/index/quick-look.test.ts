import test from 'ava';
import { type Stats, chmodSync, lstatSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyBlobId, hashObject } from '../../../pack/oid.js';
import { repoPath } from '../../../pack/tree.js';
import { type AppearanceRules, type StatData, compareAppearance, toStatData } from '../../../plumbing/index/appearance.js';
import { Index, indexEntry } from '../../../plumbing/index/index-file.js';
import { QuickLook } from '../../../plumbing/index/quick-look.js';
import { makeSandbox, seededRandom } from '../../helpers/sandbox.js';

const strict: AppearanceRules = { trustsExecutable: true, hasSymlinks: true, trustsCtime: true, checksAll: true };
const allRules = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map((bits): AppearanceRules => ({
  trustsExecutable: (bits & 1) !== 0, hasSymlinks: (bits & 2) !== 0, trustsCtime: (bits & 4) !== 0, checksAll: (bits & 8) !== 0,
}));
const id = hashObject('blob', Buffer.from('x'), 'sha1');

function statOf(path: string): StatData {
  return toStatData(lstatSync(path, { bigint: true }));
}

test('the quick look says yes only where the careful one says same, whatever is wrong with an entry and whatever is trusted', (t) => {
  const directory = makeSandbox(t);
  const random = seededRandom(5);
  const names = ['plain', 'program', 'empty', 'old', 'link', 'name-\u00fc'];
  for (const name of names) writeFileSync(join(directory, name), name === 'empty' ? '' : name);
  chmodSync(join(directory, 'program'), 0o755);
  utimesSync(join(directory, 'old'), 1_000_000, 1_000_000);
  rmSync(join(directory, 'link'));
  symlinkSync('plain', join(directory, 'link'));
  const index = new Index('sha1');
  const changes = ['ctimeS', 'ctimeNs', 'mtimeS', 'mtimeNs', 'dev', 'ino', 'uid', 'gid', 'size'] as const;
  for (let at = 0; at < 400; at += 1) {
    const name = names[at % names.length]!;
    let stat = statOf(join(directory, name));
    if (random() < 0.7) {
      const field = changes[Math.floor(random() * changes.length)]!;
      stat = { ...stat, [field]: [0, 1, stat[field] + 1, stat[field] - 1, 0xffffffff][Math.floor(random() * 5)]! >>> 0 };
    }
    const mode = [0o100644, 0o100755, 0o120000, 0o160000][Math.floor(random() * random() * 4)]!;
    // Paths are made to differ by slashes, which name the same file.
    const path = repoPath(Buffer.from(`${'./'.repeat(at)}${name}`).toString('latin1'));
    index.set(indexEntry({ path, mode, stat, id: random() < 0.5 ? id : emptyBlobId('sha1') }));
  }
  const seconds = Math.floor(Date.now() / 1000);
  let yes = 0;
  for (const writtenAt of [{ seconds: seconds + 100, nanoseconds: 5 }, { seconds: seconds - 100, nanoseconds: 0 }, { seconds: 0, nanoseconds: 0 }]) {
    const decoded = Index.decode(index.encode(), 'sha1');
    const rows = { ...decoded.rows!, writtenAt };
    for (const rules of allRules) {
      const look = new QuickLook(rows, rules, `${directory}/`);
      for (let at = 0; at < decoded.count; at += 1) {
        const path = look.plainPath(at);
        if (path === undefined || !look.isUnchanged(at, path)) continue;
        yes += 1;
        const status: Stats = lstatSync(join(directory, path));
        t.is(compareAppearance(decoded.entryAt(at), status, rules, rows), 'same', `${path} ${JSON.stringify(rules)}`);
      }
    }
  }
  t.true(yes > 500);
});

test('what is gone, a directory, or cannot be reached is not unchanged, and not an error', (t) => {
  const directory = makeSandbox(t);
  writeFileSync(join(directory, 'file'), 'x');
  const stat = statOf(join(directory, 'file'));
  const index = new Index('sha1');
  for (const path of ['file', 'gone', 'file0/below', `long${'x'.repeat(5000)}`]) index.set(indexEntry({ path: repoPath(path), mode: 0o100644, stat, id }));
  index.set(indexEntry({ path: repoPath('flagged'), mode: 0o100644, stat, id, skipWorktree: true }));
  index.set(indexEntry({ path: repoPath('merged'), mode: 0o100644, stat, id, stage: 2 }));
  writeFileSync(join(directory, 'file0'), 'x');
  const decoded = Index.decode(index.encode(), 'sha1');
  const look = new QuickLook({ ...decoded.rows!, writtenAt: { seconds: stat.mtimeS + 1, nanoseconds: 0 } }, strict, `${directory}/`);
  const answers = decoded.entries.map(({ path }, at): [string, boolean | undefined] => {
    const plain = look.plainPath(at);
    return [path.slice(0, 12), plain === undefined ? undefined : look.isUnchanged(at, plain)];
  });
  t.deepEqual(answers, [['file', true], ['file0/below', false], ['flagged', undefined], ['gone', false], ['longxxxxxxxx', undefined], ['merged', undefined]]);
});
