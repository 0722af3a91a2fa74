import test from 'ava';
import { CorruptError } from '../../../pack/errors.js';
import type { ObjectId } from '../../../pack/oid.js';
import type { RepoPath } from '../../../pack/tree.js';
import { decodeResolveUndo, encodeResolveUndo } from '../../../plumbing/index/resolve-undo.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { seededRandom } from '../../helpers/sandbox.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const id = '1234567890'.repeat(4) as ObjectId;

test('what is encoded is decoded, in path order', (t) => {
  const stage = { mode: 0o100644, id };
  const resolved = new Map([['b' as RepoPath, [undefined, stage, stage]], ['a/\u00ff' as RepoPath, [stage, undefined, undefined]]]);
  const decoded = decodeResolveUndo(encodeResolveUndo(resolved), 'sha1');
  t.deepEqual([...decoded], [...resolved].reverse());
});

test('nonsense is a value or damage, never anything else', (t) => {
  const random = seededRandom(5);
  const good = encodeResolveUndo(new Map([['path' as RepoPath, [{ mode: 0o100755, id }, undefined, { mode: 0o100644, id }]]]));
  for (let round = 0; round < 500; round += 1) {
    const bytes = Buffer.from(good.subarray(0, Math.floor(random() * (good.length + 1))));
    if (bytes.length > 0) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    try {
      t.true(decodeResolveUndo(bytes, 'sha1') instanceof Map);
    } catch (error) {
      t.true(error instanceof CorruptError, String(error));
    }
  }
});

for (const format of bothFormats) {
  test(`a resolution is remembered, told, taken back and forgotten as by git, ${format}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `
      echo base > f; echo base > g; echo same > h; git add .; git commit -qm base; git branch other
      echo ours > f; echo ours > g; git commit -qam ours; git checkout -q other; echo theirs > f; git rm -q g; git commit -qam theirs
      git checkout -q main; git merge -q other || true; echo done > f`);
    const listing: Case[] = [['--resolve-undo'], ['--resolve-undo', '-t'], ['--resolve-undo', '-z', '--abbrev=5'], ['--resolve-undo', 'f'], ['-s']]
      .map((options) => ({ argv: ['ls-files', ...options], readsOnly: true }));
    await compareWithGit(t, repository, [
      ...listing, { argv: ['update-index', 'f'] }, ...listing, { argv: ['update-index', '--force-remove', 'g'] }, ...listing,
      { argv: ['update-index', '--unresolve', 'f', 'g', 'h'] }, ...listing, { argv: ['update-index', '--unresolve', 'nosuch'] },
      { argv: ['update-index', 'f'] }, { argv: ['update-index', '--index-version', '4'] }, ...listing,
      { argv: ['update-index', '--unresolve', 'f'] }, ...listing, { argv: ['update-index', 'f'] }, { argv: ['update-index', '--force-remove', 'g'] },
      { argv: ['read-tree', 'HEAD'] }, ...listing, { argv: ['update-index', '--unresolve', 'f'] }, ...listing,
    ]);
  });
}
