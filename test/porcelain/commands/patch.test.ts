// Choosing hunks beside stock git: the same answers lead to the same questions, index, files and commits.
import test from 'ava';
import { cpSync, readFileSync, readdirSync, readlinkSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { bothFormats, compareFinished, makeRepository, stateOf } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { splitWords } from '../../helpers/case-lines.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `seq 60 > f; seq 5 > g; echo x > del; seq 20 > mode; echo k > kind; printf '\\0b' > bin; printf 'a\\nb\\nc' > nonl; git add .; git commit -qm one
sed -i 's/^9$/nine/' f; echo staged > st; git add st; git commit -qam two
sed -i 's/^3$/three/;s/^5$/five/;s/^8$/eight/;25d;40a more' f; git add f; sed -i 's/^7$/seven/;s/^50$/fifty/;1i top' f
echo six >> g; rm del; chmod +x mode; sed -i 's/^2$/zwei/;18d' mode; printf '\\0c' > bin; : > new; echo nn > new2; git add -N new new2; rm kind; ln -s g kind; printf 'a\\nB\\nc\\nd' > nonl`;

/** Answers, a key or a word each, and who edits. */
const conversations: Readonly<Record<string, readonly (readonly [answers: string, editor?: string])[]>> = {
  'add -p': [
    ['? n K s n j J k K g 3 /five /zz g9 gx y'], ['y y y y y y y y y y y y y y y'], ['n a d q'], ['s y n e y e n q', "sed -i 's/^+/+edited /'"], ['J s K y a y e n q', "sed -i '/^+/d'"],
    ['y e n y', "sed -i 's/^ / z/'"], ['x /e y y / nine y'], [''],
  ],
  'add -p f mode': [['s s y n y y y'], ['a a']],
  'add -p nothing': [['y']],
  'reset -p': [['y y y y y'], ['s n y y y'], ['e q', "sed -i 's/^-/ /'"]],
  'reset -p HEAD^': [['y y y y y y'], ['n s y q']],
  'reset -q -p HEAD^ -- f': [['a']],
  'checkout -p': [['y y y y y y y y y'], ['n s y n y y q']],
  'checkout -p HEAD': [['y y y y y y y y y'], ['n n a y y y y'], ['n y y y n y y y']],
  'checkout -p HEAD^ -- f nonl st': [['y y y y y y y y y']],
  'restore -p': [['n y n y a d']],
  'restore -p -s HEAD': [['n y n y a d']],
  'restore -p -s HEAD^': [['y y y y y y']],
  'restore -p -S': [['y y']],
  'restore -p -s HEAD^ -S -W': [['y y y y y y y']],
  'commit -p -m chosen': [['n y n y n y'], ['q']],
  'stash -p': [['y y n y y'], ['q']],
  'stash push -p -m some -- f nonl': [['n y a']],
  'stash -p --no-keep-index': [['n y n n y']],
  'stash -p -u': [['y']],
};

function picture(repository: string): object {
  const files = readdirSync(repository).filter((name) => name !== '.git').map((name): readonly [string, string] => {
    const path = join(repository, name);
    const status = lstatSync(path);
    return [name, status.isSymbolicLink() ? readlinkSync(path) : `${status.mode & 0o111} ${readFileSync(path, 'latin1')}`];
  });
  return { ...stateOf(repository), objects: '', files };
}

for (const [line, all] of Object.entries(conversations)) {
  test(`hunks are chosen as git's: ${line}`, async (t) => {
    if (skipWithoutGit(t)) return;
    for (const [at, [words, editor = ':']] of all.entries()) {
      const start = makeRepository(t, bothFormats[at % 2]!, fixture);
      const base = makeSandbox(t);
      const [theirs, ours] = [join(base, 'a'), join(base, 'b')];
      for (const copy of [theirs, ours]) {
        cpSync(start, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
        gitOutput(['status'], { cwd: copy });
      }
      const shared = { stdin: words.split(' ').map((word) => `${word}\n`).join(''), env: { GIT_EDITOR: editor } };
      const argv = splitWords(line);
      const expected = git(argv, { cwd: theirs, ...shared });
      compareFinished(t, `cairn ${line}`, expected, await cairn(argv, { cwd: ours, ...shared }), { ignoreOutput: expected.code === 128 });
      t.deepEqual(picture(ours), picture(theirs), `${line}, answered ${words}: what is left`);
    }
  });
}
