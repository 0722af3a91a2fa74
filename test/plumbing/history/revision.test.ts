import test from 'ava';
import { CairnError } from '../../../pack/errors.js';
import { Repository } from '../../../plumbing/repository.js';
import { findRevision, resolveRevision } from '../../../plumbing/history/revision.js';
import { RevisionSet } from '../../../plumbing/history/revision-set.js';
import { markReachable } from '../../../plumbing/history/reachable.js';
import { branchyHistory } from '../../helpers/branchy-history.js';
import { makeContext } from '../../helpers/cairn.js';
import { makeRepository } from '../../helpers/differential.js';
import { seededRandom } from '../../helpers/sandbox.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

test('any text is a revision, none, or a typed error, in bounded time', (t) => {
  if (skipWithoutGit(t)) return;
  const repository = Repository.open(makeContext({ cwd: makeRepository(t, 'sha256', branchyHistory) }).context);
  const seed = 42;
  t.log(`seed ${seed}`);
  const random = seededRandom(seed);
  const pieces = ['HEAD', 'main', 'v1', '@', '{', '}', '^', '~', ':', '/', '..', '...', '-', '0', '1', '99999999999999999999', 'u', 'upstream', 'push', 'tree', 'commit', '!', '!-', '.', './', '../', 'a.txt',
    'dir', '*', '[', '(', '\\', ' ', '\0', '\n', 'é', 'abcd', '-g1234', 'yesterday', ':0:', ':/', '^{', '@{', '@{-', 'refs/', 'refs/../HEAD', '^@', '^!', '^-', 'x'.repeat(5000)];
  for (let round = 0; round < 4000; round += 1) {
    let text = '';
    for (let count = 1 + Math.floor(random() * 6); count > 0; count -= 1) text += pieces[Math.floor(random() * pieces.length)]!;
    try {
      const id = findRevision(repository, text);
      if (id !== undefined) t.regex(id, /^[0-9a-f]{64}$/);
      new RevisionSet(repository).add(text);
    } catch (error) {
      if (!(error instanceof CairnError)) t.fail(`${JSON.stringify(text.slice(0, 100))}: ${String(error)}`);
    }
  }
});

test('what can be reached is what git lists, and a missing object is told with who names it', (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', branchyHistory);
  const repository = Repository.open(makeContext({ cwd }).context);
  const roots = [resolveRevision(repository, 'main'), resolveRevision(repository, 'v1'), resolveRevision(repository, 'topic')];
  const expected = gitOutput(['rev-list', '--objects', '--no-object-names', 'main', 'v1', 'topic'], { cwd }).split('\n').sort();
  t.deepEqual([...markReachable(repository.objects, roots)].sort(), expected);
  const blob = resolveRevision(repository, 'main:a.txt');
  repository.objects.removeLoose(blob);
  const missing: string[] = [];
  markReachable(repository.objects, roots, { checkBlobs: true, onMissing: (id, by) => missing.push(`${id} ${by ?? ''}`) });
  t.deepEqual(missing, [`${blob} ${resolveRevision(repository, 'main^{tree}')}`]);
});
