// A script run step by step in two copies of one repository: lines that begin with '$ ' as commands of git here and of cairn there, all others
// by the shell in both. After each command output, exit code, refs, reflogs, index, files and what unfinished operations keep must agree.
import type { ExecutionContext } from 'ava';
import { cpSync, existsSync, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { splitWords } from './case-lines.js';
import { cairn } from './cairn.js';
import { type Format, makeRepository } from './differential.js';
import { makeSandbox } from './sandbox.js';
import { git, gitOutput, runProgram } from './stock-git.js';

/** What of .git is compared by other means, or is nobody's business. */
const passedOver = new Set(['objects', 'refs', 'hooks', 'cairn', 'info', 'index', 'config', 'description', 'packed-refs', 'branches', 'COMMIT_EDITMSG', 'MERGE_RR', 'rr-cache', 'patch', 'git-rebase-todo.backup']);

export async function compareScript(t: ExecutionContext, format: Format, fixture: string, script: string): Promise<void> {
  const start = makeRepository(t, format, fixture);
  const base = makeSandbox(t, { inMemory: true });
  const [theirs, ours] = [join(base, 'a'), join(base, 'b')];
  for (const copy of [theirs, ours]) cpSync(start, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  // Copies are other files to the index.
  for (const cwd of [theirs, ours]) gitOutput(['status'], { cwd });
  for (const line of script.split('\n').map((text) => text.trim()).filter((text) => text !== '')) {
    if (!line.startsWith('$ ')) {
      for (const cwd of [theirs, ours]) runProgram('sh', ['-c', line], { cwd });
      continue;
    }
    const argv = splitWords(line.slice(2));
    const expected = git(argv, { cwd: theirs });
    const actual = await cairn(argv, { cwd: ours });
    t.is(actual.code, expected.code, `${line}: exit code\n  git: ${expected.stderr}\n  cairn: ${actual.stderr}`);
    if (expected.code !== 129) t.is(actual.stdout, expected.stdout, `${line}: output`);
    t.deepEqual(picture(ours), picture(theirs), `${line}: what is left`);
  }
  t.is(git(['fsck', '--strict'], { cwd: ours }).code, git(['fsck', '--strict'], { cwd: theirs }).code);
}

/** Everything that counts, by name. */
function picture(repository: string): Record<string, string> {
  const cwd = { cwd: repository };
  const found: Record<string, string> = {
    refs: gitOutput(['for-each-ref', '--format=%(refname) %(objectname) %(symref)'], cwd), index: gitOutput(['ls-files', '-s', '-z'], cwd),
  };
  for (const name of readdirSync(repository)) if (name !== '.git') collect(found, repository, name);
  for (const name of readdirSync(join(repository, '.git'))) if (!passedOver.has(name)) collect(found, repository, `.git/${name}`);
  return found;
}

function collect(found: Record<string, string>, root: string, path: string): void {
  const full = join(root, path);
  const status = lstatSync(full);
  if (status.isSymbolicLink()) found[path] = `-> ${readlinkSync(full)}`;
  else if (!status.isDirectory()) found[path] = `${(status.mode & 0o111).toString(8)} ${readFileSync(full, 'latin1')}`;
  else if (!existsSync(join(full, '.git'))) {
    found[`${path}/`] = '';
    for (const name of readdirSync(full)) if (!passedOver.has(name)) collect(found, root, `${path}/${name}`);
  }
}
