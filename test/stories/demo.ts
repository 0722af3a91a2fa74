// The main job on real input: `npm run demo [<directory>]`. Records a real directory (by default this project's own installed
// node_modules) as two parent-linked snapshots, publishes both, rolls back, collects garbage, and lets stock git check the
// result where it is installed. Prints every command with its time; leaves the directory for you to explore.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cairnProgram, projectRoot } from '../helpers/cairn.js';

const source = resolve(process.argv[2] ?? join(projectRoot, 'node_modules'));
const home = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-demo-')));
const work = join(home, 'artifacts');
const live = join(home, 'live');

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

interface Shown { readonly code: number; readonly seconds: number; readonly output: string }

/** Runs a program, prints what a person would have typed, its first lines of output and its time. */
function show(program: 'cairn' | 'git', argv: readonly string[], lines = 12): Shown {
  say(`\n$ ${program} ${argv.map((word) => /^[\w@%+=:,./^{}-]+$/.test(word) ? word : `'${word}'`).join(' ')}`);
  const start = process.hrtime.bigint();
  const result = spawnSync(program === 'cairn' ? cairnProgram : 'git', argv, {
    cwd: work,
    env: {
      ...process.env,
      GIT_AUTHOR_NAME: 'Demo', GIT_AUTHOR_EMAIL: 'demo@example.com', GIT_COMMITTER_NAME: 'Demo', GIT_COMMITTER_EMAIL: 'demo@example.com',
      GIT_PAGER: 'cat', GIT_DIR: undefined, GIT_WORK_TREE: undefined, GIT_INDEX_FILE: undefined,
    },
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (result.error !== undefined) throw result.error;
  const output = `${result.stdout}${result.stderr}`.trimEnd();
  const all = output === '' ? [] : output.split('\n');
  for (const line of all.slice(0, lines)) say(`  ${line}`);
  if (all.length > lines) say(`  … ${all.length - lines} more lines`);
  say(`  (${seconds.toFixed(2)} s)`);
  return { code: result.status ?? 1, seconds, output };
}

/** As `show`, and the demo ends here when the command fails: a demo that hides a failure shows nothing. */
function must(program: 'cairn' | 'git', argv: readonly string[], lines?: number): Shown {
  const shown = show(program, argv, lines);
  if (shown.code !== 0) {
    say(`\n${program} ${argv[0]} exited with ${shown.code}; what it left is in ${home}`);
    process.exit(1);
  }
  return shown;
}

function measure(directory: string): { files: number; bytes: number } {
  let files = 0;
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      const below = measure(path);
      files += below.files;
      bytes += below.bytes;
    } else {
      files += 1;
      bytes += lstatSync(path).size;
    }
  }
  return { files, bytes };
}

const mebibytes = (bytes: number): string => `${(bytes / 1048576).toFixed(1)} MiB`;

if (!existsSync(source) || !statSync(source).isDirectory()) {
  say(`there is no directory ${source}; give one: npm run demo -- <directory>`);
  process.exit(2);
}

say(`Copying ${source} to ${work}, so that nothing of yours is touched`);
mkdirSync(work);
cpSync(source, work, { recursive: true, verbatimSymlinks: true, filter: (path) => !/[/\\](\.git|\.cairn|\.gitignore)$/.test(path) });
const input = measure(work);
say(`${input.files} files, ${mebibytes(input.bytes)}`);

must('cairn', ['init', '.']);
const first = must('cairn', ['commit', '-A', '-m', 'Build 1'], 4);
say(`  ${(input.files / first.seconds).toFixed(0)} files/s, ${mebibytes(input.bytes / first.seconds)}/s, durable; stored in ${mebibytes(measure(join(work, '.cairn')).bytes)}`);
must('cairn', ['status']);
must('cairn', ['release', 'stable', '--to', '../live', '-m', 'First build goes live']);

say('\nA new build: one file changed, one new, one directory gone');
const [someDirectory] = readdirSync(work, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name);
if (someDirectory !== undefined) rmSync(join(work, someDirectory), { recursive: true });
writeFileSync(join(work, 'BUILD-INFO.json'), JSON.stringify({ build: 2 }) + '\n');
const [changed] = readdirSync(work).filter((name) => name !== 'BUILD-INFO.json' && lstatSync(join(work, name)).isFile());
writeFileSync(join(work, changed ?? 'notes.txt'), 'second build\n');
must('cairn', ['status', '-s'], 4);
must('cairn', ['commit', '-A', '-m', 'Build 2'], 4);
must('cairn', ['log', '--stat', '--format=%h %s (%an)'], 8);
must('cairn', ['log', '--oneline', '--graph']);
must('cairn', ['show', '--stat', 'HEAD:BUILD-INFO.json']);

must('cairn', ['release', 'stable', '-m', 'Second build goes live']);
say(`\nlive now: build ${existsSync(join(live, 'BUILD-INFO.json')) ? 2 : 1}`);
must('cairn', ['rollback', 'stable']);
say(`\nlive now: build ${existsSync(join(live, 'BUILD-INFO.json')) ? 2 : 1}`);
must('cairn', ['release', '--history', 'stable']);
must('cairn', ['release', '--verify', 'stable']);
must('cairn', ['gc', '--dry-run']);
must('cairn', ['gc']);
must('cairn', ['fsck', '--full']);

const hasGit = spawnSync('git', ['version']).status === 0;
if (hasGit) {
  say('\nStock git reads and checks what cairn wrote:');
  must('git', ['--git-dir=.cairn', '--work-tree=.', 'fsck', '--strict', '--full', '--no-dangling']);
  must('git', ['--git-dir=.cairn', '--work-tree=.', 'log', '--oneline']);
  must('git', ['--git-dir=.cairn', '--work-tree=.', 'status', '--short']);
} else {
  say('\nStock git is not installed here, so it was not asked to check the result.');
}

say(`\nIt is all in ${home}:`);
say('  artifacts/         the work tree, with the repository in .cairn');
say('  live               the published tree (a symbolic link that is swapped in one step)');
say(`Try:  cd ${work} && ${cairnProgram} log`);
