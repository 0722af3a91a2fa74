import test from 'ava';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox, seededRandom } from '../../helpers/sandbox.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

/** One base and, per kind of conflict, two branches: 'kind-ours' and 'kind-theirs'. */
const branches = `
  mkdir -p dir/sub other; seq 1 30 > text; seq 40 70 > dir/one; seq 80 99 > dir/two; seq 200 230 > dir/sub/three; echo x > run; ln -s text link; printf 'a\\0b' > bin
  git add -A; git commit -qm base; git tag base
  branch() { git checkout -q -f -b "$1" base; eval "$2"; git add -A; git commit -qm "$1"; }
  pair() { branch "$1-ours" "$2"; branch "$1-theirs" "$3"; }
  pair clean "sed -i 's/^5$/five/' text" "sed -i 's/^25$/x/' text; git mv dir/one other/one"
  pair content "sed -i 's/^5$/five/' text" "sed -i 's/^5$/FIVE/' text"
  pair deleted "git rm -q text" "sed -i 's/^5$/five/' text"
  pair added "echo one > new; chmod +x new" "echo two > new"
  pair renames "git mv text first" "git mv text second; echo more >> second"
  pair renamed-deleted "git mv text moved; echo more >> moved" "git rm -q text"
  pair collide "git mv dir/one same; echo 1 >> same" "git mv dir/two same; echo 2 >> same"
  pair rename-add "git mv text target; echo 1 >> target" "sed -i 1d text; echo unrelated > target"
  pair directory "git rm -q run; mkdir run; echo in > run/file" "echo changed > run"
  pair types "git rm -q text; ln -s dir text" "sed -i 's/^5$/five/' text"
  pair binary "printf 'a\\0c' > bin" "printf 'a\\0d' > bin"
  pair links "ln -sf one link" "ln -sf two link"
  pair modes "chmod +x text" "sed -i 's/^5$/five/' text"
  pair moved-directory "git mv dir place" "echo new > dir/new; echo deep > dir/sub/deep"
  pair split "mkdir p q; git mv dir/one p/; git mv dir/two q/; git mv dir/sub p/" "echo new > dir/new"
  pair same "git mv text there; sed -i 's/^5$/five/' there" "git mv text there; sed -i 's/^25$/x/' there"
  git checkout -q -f --orphan apart; git rm -rqf .; echo alone > alone; git add -A; git commit -qm apart
  git checkout -q -f -b left base; echo l > l; git add -A; git commit -qm l; git checkout -q -b right base; echo r > r; sed -i 's/^5$/r/' text; git add -A; git commit -qm r
  git checkout -q left; git merge -q right -m m1; git checkout -q right; git merge -q left~1 -m m2; sed -i 's/^9$/R/' text; git commit -qam r2; git checkout -q left; sed -i 's/^9$/L/' text; git commit -qam l2
`;
const kinds = [
  'clean', 'content', 'deleted', 'added', 'renames', 'renamed-deleted', 'collide', 'rename-add', 'directory', 'types', 'binary', 'links', 'modes', 'moved-directory', 'split', 'same',
];

for (const format of bothFormats) {
  test(`merges and their conflicts come out as git's do (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const pairs = kinds.flatMap((kind) => [[`${kind}-ours`, `${kind}-theirs`], [`${kind}-theirs`, `${kind}-ours`]]);
    await compareWithGit(t, makeRepository(t, format, branches), [
      ...pairs.map((pair, at) => ['--write-tree', ...[[], ['-z'], ['--name-only'], ['--messages'], ['--no-messages']][at % 5]!, ...pair]),
      ...kinds.map((kind) => ['base', `${kind}-ours`, `${kind}-theirs`]), ['left', 'right'], ['right', 'left'],
      ['apart', 'left'], ['--allow-unrelated-histories', 'apart', 'left'], ['left', 'none'], ['left'], ['--trivial-merge', 'left', 'right'], ['--trivial-merge', '--write-tree', 'left', 'right'],
    ].map((argv) => ({ argv: ['merge-tree', ...argv] })));
  });
}

test('many merges are done from one input, and names are told from where one is', async (t) => {
  if (skipWithoutGit(t)) return;
  const stdin = kinds.map((kind) => `${kind}-ours ${kind}-theirs\n`).join('');
  await compareWithGit(t, makeRepository(t, 'sha1', `${branches}\nmkdir -p dir`), [
    { argv: ['merge-tree', '--stdin'], stdin }, { argv: ['merge-tree', '--stdin', '--name-only', '--no-messages'], stdin }, { argv: ['merge-tree', '--stdin'], stdin: 'left\n' },
    { argv: ['merge-tree', 'moved-directory-ours', 'moved-directory-theirs'], subdirectory: 'dir' }, { argv: ['merge-tree', '--stdin', 'left', 'right'] },
  ]);
});

test('attributes and configuration say how contents and directories are merged', async (t) => {
  if (skipWithoutGit(t)) return;
  const set = (lines: string): string => `${branches}\ngit checkout -q -f base; ${lines}`;
  const cases = ['content-ours content-theirs', 'moved-directory-ours moved-directory-theirs', 'renames-ours renames-theirs'].map((pair) => ({ argv: ['merge-tree', ...pair.split(' ')] }));
  for (const lines of [
    'git config merge.conflictStyle diff3; git config merge.directoryRenames true', 'git config merge.renames false', 'git config merge.directoryRenames false; git config merge.conflictStyle zdiff3',
    'echo "text merge=union" > .gitattributes', 'echo "text -merge" > .gitattributes', 'echo "text conflict-marker-size=11" > .gitattributes',
  ]) await compareWithGit(t, makeRepository(t, 'sha1', set(lines)), cases);
});

/** A stream for fast-import: `count` bases with two branches each that add, edit, move and delete at random. */
function randomHistory(random: () => number, count: number): string {
  const pick = (limit: number): number => Math.floor(random() * limit);
  const one = <Item>(items: readonly Item[]): Item => items[pick(items.length)]!;
  const text = (): string => Array.from({ length: 5 + pick(25) }, (_line, at) => `line ${at} ${pick(6)}\n`).join('');
  const path = (): string => one(['', 'a/', 'a/b/', 'c/', 'c/d/']) + one(['f', 'g', 'h', 'i']);
  const fits = (tree: ReadonlyMap<string, string>, name: string): boolean => ![...tree.keys()].some((other) => other === name || other.startsWith(`${name}/`) || name.startsWith(`${other}/`));
  const change = (base: ReadonlyMap<string, string>): Map<string, string> => {
    const tree = new Map(base);
    for (let edits = 1 + pick(4); edits > 0 && tree.size > 0; edits -= 1) {
      const name = one([...tree.keys()]);
      const content = tree.get(name)!;
      const to = one([path(), `${path()}2`, name.replace('a/', 'z/')]);
      const edited = content.replace(`line ${pick(20)}`, `edited ${pick(9)}`);
      if (pick(3) === 0) tree.set(name, edited);
      else if (pick(3) === 0) tree.delete(name);
      else if (fits(tree, to)) {
        if (pick(4) > 0) tree.delete(name);
        tree.set(to, pick(2) === 0 ? edited : content);
      }
    }
    return tree;
  };
  let stream = '';
  let mark = 0;
  const commit = (branch: string, tree: ReadonlyMap<string, string>, parent?: number): number => {
    mark += 1;
    stream += `commit refs/heads/${branch}\nmark :${mark}\ncommitter A <a@b> ${1112911993 + mark} +0000\ndata 0\n${parent === undefined ? '' : `from :${parent}\n`}deleteall\n`;
    for (const [name, content] of tree) stream += `M 100644 inline ${name}\ndata ${content.length}\n${content}\n`;
    return mark;
  };
  for (let at = 0; at < count; at += 1) {
    const base = new Map<string, string>();
    for (let files = 4 + pick(6); files > 0; files -= 1) {
      const name = path();
      if (fits(base, name)) base.set(name, text());
    }
    const root = commit(`base${at}`, base);
    commit(`ours${at}`, change(base), root);
    commit(`theirs${at}`, change(base), root);
  }
  return stream;
}

test('random trees merge as git merges them', async (t) => {
  if (skipWithoutGit(t)) return;
  const seed = 20050407;
  const random = seededRandom(seed);
  t.log(`seed ${seed}`);
  const count = 40;
  const stream = join(makeSandbox(t), 'stream');
  writeFileSync(stream, randomHistory(random, count));
  const repository = makeRepository(t, 'sha1', `git fast-import --quiet < ${stream}`);
  await compareWithGit(t, repository, Array.from({ length: count }, (_each, at) => ({ argv: ['merge-tree', '--messages', `ours${at}`, `theirs${at}`], readsOnly: at < count - 1 })));
});
