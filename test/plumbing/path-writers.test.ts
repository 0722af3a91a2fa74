// Promise: no writer to a work tree or directory writes outside of it, into a repository's own directory, or through a symbolic link, whatever
// an index or a tree says. One row per attack, one column per writer.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cairn } from '../helpers/cairn.js';
import { makeSandbox } from '../helpers/sandbox.js';
import { git, gitOutput, hasGit, skipWithoutGit } from '../helpers/stock-git.js';

/** A component no tree may have; the rest of the table is made from each: alone, and as a directory. */
const evilNames: Readonly<Record<string, string>> = {
  'the parent': '..',
  'the directory itself': '.',
  "a repository's own directory": '.git',
  'our own directory': '.cairn',
  'another letter case': '.GiT',
  'an NTFS short name': 'git~1',
  'what NTFS drops': '.git . ',
  'an NTFS stream': '.git::$INDEX_ALLOCATION',
  'what HFS+ ignores': '.g\u200cit',
  'a backslash': 'a\\.git\\hooks',
  'a slash': 'a/../../outside',
  'an absolute path': '/tmp/cairn-path-attack',
};

/** How each writer is brought to write the evil tree; `{}` is the evil commit, `<>` a directory outside. */
const writers: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'read-tree -u': [['read-tree', '-u', '-m', 'HEAD', '{}']],
  'read-tree --reset -u': [['read-tree', '--reset', '-u', '{}']],
  'read-tree and checkout-index': [['read-tree', '{}'], ['checkout-index', '-f', '-a']],
  'read-tree and checkout-index --prefix': [['read-tree', '{}'], ['checkout-index', '-f', '-a', '--prefix=<>/out/']],
  checkout: [['checkout', '-q', '{}']],
  'checkout -f': [['checkout', '-q', '-f', '{}']],
  'checkout of paths': [['checkout', '-q', '{}', '--', '.']],
  switch: [['switch', '-q', '--detach', '{}']],
  restore: [['restore', '--source={}', '--staged', '--worktree', '.']],
  reset: [['reset', '-q', '--hard', '{}']],
  merge: [['merge', '-q', '--ff-only', '{}']],
  'merge, not fast-forward': [['merge', '-q', '--no-ff', '-m', 'merged', '{}']],
  release: [['release', 'stable', '{}', '--to', '<>/released']],
  'archive create and restore': [['archive', 'create', '<>/made', '{}'], ['archive', 'restore', '<>/made', '<>/restored', '--files']],
};

/** A repository with a good commit and, by what is wrong with them, the evil ones; made once. */
let prepared: { readonly root: string; readonly good: string; readonly evil: ReadonlyMap<string, string> } | undefined;

test.before(() => {
  if (!hasGit()) return;
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-test-')));
  const { top } = makeRepository(root);
  const good = gitOutput(['rev-parse', 'HEAD'], { cwd: top });
  const content = blob(top, 'owned\n');
  const inner = Buffer.concat([Buffer.from('100644 config\0'), Buffer.from(content, 'hex')]);
  const directory = gitOutput(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], { cwd: top, stdin: inner });
  const link = blob(top, '/tmp');
  const evil = new Map<string, string>();
  for (const [what, name] of Object.entries(evilNames)) {
    for (const [mode, id] of [['100644', content], ['40000', directory], ['120000', link]] as const) evil.set(`${what}, ${mode}`, commitEntries(top, good, [{ mode, name, id }]));
  }
  prepared = { root, good, evil };
});

test.after.always(() => { if (prepared !== undefined) rmSync(prepared.root, { recursive: true }); });

function copyPrepared(t: ExecutionContext): { top: string; outside: string } {
  const root = makeSandbox(t);
  cpSync(prepared!.root, root, { recursive: true });
  return { top: join(root, 'top'), outside: join(root, 'other') };
}

function makeRepository(root: string): { top: string; outside: string } {
  const [top, outside] = [join(root, 'top'), join(root, 'other')];
  mkdirSync(outside);
  mkdirSync(top);
  git(['init', '-q', '-b', 'main', '--template='], { cwd: top });
  mkdirSync(join(top, '.git/hooks'));
  writeFileSync(join(top, 'file'), 'good\n');
  git(['add', '.'], { cwd: top });
  git(['commit', '-q', '-m', 'good'], { cwd: top });
  return { top, outside };
}

/** A commit whose root has these entries besides the good file; git writes what it is told. */
function commitEntries(top: string, good: string, entries: readonly { readonly mode: string; readonly name: string; readonly id: string }[]): string {
  const file = { mode: '100644', name: 'file', id: gitOutput(['rev-parse', 'HEAD:file'], { cwd: top }) };
  const rows = [...entries, file].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const bytes = Buffer.concat(rows.flatMap(({ mode, name, id }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]));
  const tree = gitOutput(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], { cwd: top, stdin: bytes });
  return gitOutput(['commit-tree', '-p', good, '-m', 'evil', tree], { cwd: top });
}

function blob(top: string, content: string): string {
  return gitOutput(['hash-object', '-w', '--stdin'], { cwd: top, stdin: content });
}

/** Everything below a directory, with what is in it. */
function look(directory: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    found.set(path, entry.isFile() ? readFileSync(path, 'latin1') : entry.isSymbolicLink() ? 'link' : 'directory');
  }
  return found;
}

/** What may never change: what is outside, hooks and config. */
function lookAtWhatIsOurs({ top, outside }: { top: string; outside: string }): unknown {
  const released = new Set(['released', 'restored', 'made', 'made.info.json', 'out']);
  const there = [...look(outside)].filter(([path]) => !released.has(path.slice(outside.length + 1).split('/')[0]!.replace(/^\.(.*)\.cairn$/, '$1')));
  return [there, [...look(join(top, '.git/hooks'))], readFileSync(join(top, '.git/config'), 'utf8').replace(/\[release [^[]*/g, ''), readdirSync(join(top, '..')).sort(), existsSync('/tmp/cairn-path-attack')];
}

/** Runs a writer; false when it refused. */
async function write(steps: readonly (readonly string[])[], place: { top: string; outside: string }, evil: string): Promise<boolean> {
  for (const words of steps) {
    const { code, stderr } = await cairn(words.map((word) => word.replace('{}', evil).replace('<>', place.outside)), { cwd: place.top });
    if (code === 70) throw new Error(`${words.join(' ')}: ${stderr}`);
    if (code !== 0) return false;
  }
  return true;
}

for (const [name, steps] of Object.entries(writers)) {
  test(`${name} refuses every name that leads out of its directory, or into a repository's own`, async (t) => {
    if (skipWithoutGit(t)) return;
    t.timeout(60_000);
    const place = copyPrepared(t);
    const before = lookAtWhatIsOurs(place);
    const index = readFileSync(join(place.top, '.git/index'));
    for (const [what, commit] of prepared!.evil) {
      t.false(await write(steps, place, commit), what);
      t.deepEqual(lookAtWhatIsOurs(place), before, what);
      t.is(readFileSync(join(place.top, '.git/refs/heads/main'), 'latin1').trim(), prepared!.good, what);
      t.is(readFileSync(join(place.top, '.git/HEAD'), 'latin1'), 'ref: refs/heads/main\n', what);
      writeFileSync(join(place.top, '.git/index'), index);
    }
  });

  test(`${name} writes nothing through a symbolic link, planted or in the tree`, async (t) => {
    if (skipWithoutGit(t)) return;
    const place = copyPrepared(t);
    const { top, outside } = place;
    const { good } = prepared!;
    const content = blob(top, 'owned\n');
    const inner = gitOutput(['mktree'], { cwd: top, stdin: `100644 blob ${content}\tx\n` });
    const before = lookAtWhatIsOurs(place);
    // A link where the tree has a directory.
    symlinkSync(outside, join(top, 'd'));
    await write(steps, place, commitEntries(top, good, [{ mode: '40000', name: 'd', id: inner }]));
    t.deepEqual(lookAtWhatIsOurs(place), before, 'planted');
    if (lstatSync(join(top, 'd'), { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(join(top, 'd'));
    git(['reset', '-q', '--hard', good], { cwd: top });
    // A link and a directory of one name in one tree.
    const twice = commitEntries(top, good, [{ mode: '120000', name: 'e', id: blob(top, outside) }, { mode: '40000', name: 'e', id: inner }]);
    await write(steps, place, twice);
    t.deepEqual(lookAtWhatIsOurs(place), before, 'a link and a directory');
  });
}
