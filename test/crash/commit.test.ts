// Promise: whatever step of the disk a commit dies or fails at, the branch is where it was or at the new commit, nothing it names is missing, the
// index can be read, and the next commit succeeds without a human.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { authorIdent } from '../../plumbing/identity.js';
import { Repository } from '../../plumbing/repository.js';
import { type CommitContent, type CommitOutcome, makeCommit } from '../../porcelain/commit.js';
import { makeContext } from '../helpers/cairn.js';
import { makeRepository } from '../helpers/differential.js';
import { type Failure, ProcessDied, bury, withFailingDisk } from '../helpers/failing-disk.js';
import { makeSandbox, writeFiles } from '../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

/** A directory removed when the test ends, in memory where that can be had: hundreds of commits are made durable here. */
function makeFastSandbox(t: ExecutionContext): string {
  if (!existsSync('/dev/shm')) return makeSandbox(t);
  const directory = mkdtempSync('/dev/shm/cairn-test-');
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

function commit(directory: string, content: CommitContent, run?: string): CommitOutcome {
  const { context } = makeContext({ cwd: directory, pid: process.pid });
  const repository = Repository.open(context);
  try {
    return makeCommit(repository, {
      content, amend: false, allowEmpty: true, verify: true, postRewrite: true, author: () => authorIdent(repository),
      message: { given: { kind: 'text', bytes: Buffer.from('made\n') }, signOff: false, trailers: [], allowEmpty: false },
      ...(run === undefined ? {} : { run }),
    });
  } finally {
    repository.objects.close();
  }
}

/** Three files changed: single objects. */
function few(directory: string): void {
  writeFiles(directory, { a: 'changed\n', 'dir/b': 'changed too\n', c: 'new\n' });
}

/** Forty files and a large one: a pack. */
function many(directory: string): void {
  writeFiles(directory, Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`many/${at}`, `content ${at}\n`])));
  writeFileSync(join(directory, 'large'), Buffer.alloc(5 * 1024 * 1024, 'large '));
}

const base = 'mkdir dir; echo a > a; echo b > dir/b; git add .; git commit -qm base';

const scenarios = [
  { name: 'a few files', change: few, run: undefined },
  { name: 'a pack', change: many, run: 'nightly' },
] as const;

/** What went wrong first, when cleaning up failed too. */
function firstError(error: unknown): unknown {
  return error instanceof Error && 'suppressed' in error ? firstError(error.suppressed) : error;
}

function check(t: ExecutionContext, directory: string, before: string, label: string): void {
  const { code, stderr, stdout } = git(['fsck', '--strict', '--no-dangling'], { cwd: directory });
  t.is(code, 0, `${label}: ${stdout}${stderr}`);
  const [subject, id, parent] = gitOutput(['log', '-1', '--format=%s %H %P'], { cwd: directory }).split(' ');
  t.is(subject === 'made' ? parent : id, before, label);
}

for (const { name, change, run } of scenarios) {
  test(`a commit of ${name} that dies at any step leaves the old or the new, and the next one succeeds`, (t) => {
    if (skipWithoutGit(t)) return;
    t.timeout(120_000);
    const origin = makeRepository(t, 'sha1', base);
    change(origin);
    const before = gitOutput(['rev-parse', 'HEAD'], { cwd: origin });
    const place = makeFastSandbox(t);
    let total = 0;
    for (let step = 1; ; step += 1) {
      const directory = join(place, String(step));
      cpSync(origin, directory, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
      const { error } = withFailingDisk(step, 'died', () => { commit(directory, { kind: 'everything' }, run); });
      if (error === undefined) break;
      total = step;
      t.true(firstError(error) instanceof ProcessDied, String(error));
      bury(directory);
      check(t, directory, before, `died at step ${step}`);
      const next = commit(directory, { kind: 'everything' });
      t.is(next.kind, 'made', `the commit after dying at step ${step}`);
      t.is(gitOutput(['status', '--porcelain'], { cwd: directory }), '', `after the commit after step ${step}`);
      rmSync(directory, { recursive: true });
    }
    t.log(`${total} steps`);
    t.true(total > 20);
  });

  for (const failure of (run === undefined ? ['ENOSPC'] : ['EIO']) satisfies Failure[]) {
    test(`a commit of ${name} that meets ${failure} at any step says so, cleans up, and the next one succeeds`, (t) => {
      if (skipWithoutGit(t)) return;
      t.timeout(120_000);
      const origin = makeRepository(t, 'sha1', base);
      change(origin);
      const before = gitOutput(['rev-parse', 'HEAD'], { cwd: origin });
      const place = makeFastSandbox(t);
      const isMadeBefore = (step: number): boolean => {
        const directory = join(place, 'dead');
        cpSync(origin, directory, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
        withFailingDisk(step, 'died', () => { commit(directory, { kind: 'everything' }, run); });
        const subject = gitOutput(['log', '-1', '--format=%s'], { cwd: directory });
        rmSync(directory, { recursive: true });
        return subject === 'made';
      };
      for (let step = 1; ; step += 1) {
        const directory = join(place, String(step));
        cpSync(origin, directory, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
        const { error, steps } = withFailingDisk(step, failure, () => { commit(directory, { kind: 'everything' }, run); });
        if (steps.length < step) break;
        const label = `${failure} at step ${step} (${steps[step - 1]})`;
        const failed = steps[step - 1];
        // What could not be removed or closed need not stop a commit, nor what is told of it once it is made.
        const mayGoOn = failed === 'unlink' || failed === 'close' || failed === 'utimes' || (error === undefined && isMadeBefore(step));
        if (!mayGoOn) t.is((firstError(error) as NodeJS.ErrnoException | undefined)?.code, failure, label);
        check(t, directory, before, label);
        if (failed !== 'unlink') {
          t.deepEqual(readdirSync(join(directory, '.git/objects/pack')).filter((file) => file.startsWith('tmp_')), [], label);
          t.deepEqual(readdirSync(join(directory, '.git')).filter((file) => file.endsWith('.lock')), [], label);
          t.is(commit(directory, { kind: 'everything' }).kind, 'made', `the commit after ${label}`);
        }
        rmSync(directory, { recursive: true });
      }
    });
  }
}
