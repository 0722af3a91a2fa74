import test from 'ava';
import { compareWithGit, makeRepository } from '../../helpers/differential.js';
import { seededRandom } from '../../helpers/sandbox.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const seed = Number(process.env['CAIRN_SEED'] ?? 20050407);

/** A history no person would make: several roots, merges of up to seven, dates out of order. */
function randomHistory(random: () => number): string {
  const count = 10 + Math.floor(random() * 40);
  const heads = new Set<number>();
  let stream = '';
  for (let mark = 1; mark <= count; mark += 1) {
    const parents = new Set<number>();
    const wanted = mark === 1 || random() < 0.06 ? 0 : random() < 0.6 ? 1 : random() < 0.6 ? 2 : 2 + Math.floor(random() * 5);
    for (let tries = 0; tries < wanted; tries += 1) parents.add(Math.max(1, mark - 1 - Math.floor(random() * random() * 12)));
    for (const parent of parents) heads.delete(parent);
    heads.add(mark);
    const seconds = 1112911993 + mark * 60 - (random() < 0.2 ? Math.floor(random() * 400) : 0);
    stream += `commit refs/heads/b${mark}\nmark :${mark}\ncommitter C <c@x> ${seconds} +0000\ndata <<E\nc${mark}\nE\n`;
    stream += [...parents].map((parent, index) => `${index === 0 ? 'from' : 'merge'} :${parent}\n`).join('');
    if (random() < 0.5) stream += `M 644 inline f${Math.floor(random() * 3)}\ndata <<E\n${random()}\nE\n\n`;
  }
  const kept = [...heads].map((head) => `-e refs/heads/b${head}`).join(' ');
  return `git fast-import --quiet <<'END'\n${stream}\nEND
    git for-each-ref --format='%(refname)' | grep -v -x ${kept} | sed 's/^/delete /' | git update-ref --stdin
    git symbolic-ref HEAD refs/heads/b${[...heads][0]}`;
}

const options = [
  ['--oneline'], ['--format=%s%n%b'], ['--oneline', '--date-order'], ['--oneline', '--author-date-order', '--skip=2'], ['--oneline', '--first-parent'],
  ['--oneline', '--merges'], ['--oneline', '--boundary', '-n4'], ['--oneline', '--', 'f1'], ['--oneline', '--full-history', '--', 'f1'],
  ['--color=always', '--format=%s'], ['--stat', '--format=%s'], [],
];

for (let round = 0; round < 4; round += 1) {
  test(`history is drawn as git draws it (seed ${seed + round})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, 'sha1', randomHistory(seededRandom(seed + round)));
    await compareWithGit(t, repository, options.map((words) => ({ argv: ['log', '--graph', '--all', ...words], readsOnly: true })));
  });
}

test('rev-list draws the same', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha256', randomHistory(seededRandom(seed)));
  await compareWithGit(t, repository, [['--graph', '--all'], ['--graph', '--all', '--format=%s'], ['--graph', '--left-right', '--all', '--oneline']].map((words) => ({ argv: ['rev-list', ...words], readsOnly: true })));
});
