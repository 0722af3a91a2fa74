// A repository's day in which every command that speaks JSON has something to say: what each of them printed, under the title it has in
// cairn-json(5).
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from './cairn.js';
import { writeFiles } from './sandbox.js';

export interface JsonSample {
  readonly title: string;
  readonly command: string;
  readonly stdout: string;
}

const env = {
  GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.com', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.com', GIT_EDITOR: ':',
};

/** Runs the day in `top`, which is empty. */
export async function runJsonScenario(top: string): Promise<JsonSample[]> {
  const samples: JsonSample[] = [];
  const cwd = join(top, 'work');
  mkdirSync(cwd);
  let now = 1_112_911_993_000;
  const plain = async (...argv: string[]): Promise<string> => {
    now += 60_000;
    const { code, stdout, stderr } = await cairn(argv, { cwd, env, nowMs: now });
    if (code !== 0) throw new Error(`cairn ${argv.join(' ')}: ${stderr}`);
    return stdout.trim();
  };
  const sample = async (title: string, ...argv: string[]): Promise<string> => {
    now += 60_000;
    const { code, stdout, stderr } = await cairn(argv, { cwd, env, nowMs: now });
    if (code > 1 || stdout === '') throw new Error(`cairn ${argv.join(' ')}: ${code} ${stderr}`);
    samples.push({ title, command: argv.join(' '), stdout });
    return stdout;
  };
  await plain('init', '-q', '-b', 'main');
  writeFiles(cwd, { 'a.txt': 'one\ntwo\nthree\n', 'd/b.txt': 'b\n', 'bin': Buffer.from([0, 1, 2]) });
  await sample('commit', 'commit', '-A', '-m', 'first', '--json', '--run', 'r1');
  await sample('commit', 'commit', '-A', '-m', 'again', '--json');
  await plain('branch', 'side');
  await plain('tag', 'light');
  await plain('tag', '-a', '-m', 'noted', 'v1');
  writeFiles(cwd, { 'a.txt': 'one\n2\nthree\n', 'new.txt': 'n\n', 'c.txt': 'c\n' });
  await plain('add', 'c.txt');
  await sample('status', 'status', '--json');
  await sample('diff', 'diff', '--json');
  await sample('diff', 'diff', '--json', '--cached');
  await sample('clean', 'clean', '-n', '--json');
  await plain('stash');
  await sample('stash list', 'stash', 'list', '--json');
  await plain('stash', 'drop', '-q');
  writeFiles(cwd, { 'a.txt': 'one\n2\nthree\n' });
  await plain('commit', '-q', '-a', '-m', 'second');
  await plain('notes', 'add', '-m', 'a note');
  await sample('notes list', 'notes', 'list', '--json');
  await sample('notes list', 'notes', 'list', '--json', 'HEAD');
  await sample('log', 'log', '--json', '--stat');
  await sample('log', 'log', '--runs', '--json');
  await sample('log', 'show', '--json');
  await sample('reflog', 'reflog', '--json');
  await sample('branch', 'branch', '--json');
  await sample('tag', 'tag', '--json');
  await sample('config --list', 'config', '--list', '--json');
  await sample('grep', 'grep', '--json', 'o');
  await sample('grep', 'grep', '--json', 'o', 'HEAD');
  await sample('blame', 'blame', '--json', 'a.txt');
  writeFiles(join(cwd, '.cairn/hooks'), { 'post-gc': { executable: '#!/bin/sh\n' }, 'odd': 'x' });
  await sample('hook list', 'hook', 'list', '--json');
  await plain('worktree', 'add', '-q', '--lock', join(top, 'other'), 'side');
  await sample('worktree list', 'worktree', 'list', '--json');
  await plain('worktree', 'unlock', join(top, 'other'));
  await plain('worktree', 'remove', join(top, 'other'));
  await plain('switch', '-q', 'side');
  writeFiles(cwd, { 'e.txt': 'e\n' });
  await plain('commit', '-q', '-A', '-m', 'beside');
  await sample('merge', 'merge', '--json', '-m', 'together', 'main');
  await sample('merge', 'merge', '--json', 'main');
  await plain('switch', '-q', '-c', 'clash', 'light');
  writeFiles(cwd, { 'a.txt': 'one\nzwei\nthree\n' });
  await plain('commit', '-q', '-a', '-m', 'clash');
  await sample('status', 'status', '--json', '--ignored');
  await sample('merge', 'merge', '--json', 'main');
  await sample('status', 'status', '--json');
  await plain('merge', '--abort');
  await sample('cherry-pick, revert, rebase', 'cherry-pick', '--json', 'main');
  await plain('cherry-pick', '--abort');
  await sample('cherry-pick, revert, rebase', 'revert', '--json', 'HEAD');
  await sample('cherry-pick, revert, rebase', 'rebase', '--json', 'main');
  await plain('rebase', '--abort');
  await plain('switch', '-q', 'main');
  await sample('hold add, hold release', 'hold', 'add', 'HEAD', '--reason', 'audit', '--until', '2030-01-31', '--json');
  const holds = JSON.parse(await sample('hold list', 'hold', 'list', '--json')) as { readonly holds: readonly { readonly id: string }[] };
  await sample('hold add, hold release', 'hold', 'release', holds.holds[0]!.id, '--json');
  await sample('release', 'release', 'nightly', '--to', join(top, 'out'), '--json');
  appendFileSync(join(cwd, 'a.txt'), 'four\n');
  await plain('commit', '-q', '-a', '-m', 'third');
  await sample('release', 'release', 'nightly', '-n', '--json');
  await sample('release', 'release', 'nightly', '--json');
  await sample('release (without a channel)', 'release', '--json');
  await sample('release --show', 'release', '--show', 'nightly', '--json');
  await sample('release --history', 'release', '--history', 'nightly', '--json');
  await sample('release --verify', 'release', '--verify', 'nightly', '--json');
  await sample('attest', 'attest', '--no-sign', 'HEAD', '--json');
  await sample('attest --show', 'attest', '--show', 'HEAD', '--json');
  await sample('attest --verify', 'attest', '--verify', 'HEAD', '--json');
  await sample('rollback', 'rollback', 'nightly', '--json');
  await sample('retain set, retain list', 'retain', 'set', 'refs/heads/*', '--keep-last', '2', '--json');
  await sample('retain set, retain list', 'retain', 'list', '--json');
  await sample('retain plan', 'retain', 'plan', '--json');
  await plain('branch', '-D', 'side');
  writeFiles(cwd, { 'schema.json': '{"type": "object"}' });
  await sample('meta schema add, meta schema remove', 'meta', 'schema', 'add', 'plain', 'schema.json', '--json');
  await sample('meta schema list', 'meta', 'schema', 'list', '--json');
  rmSync(join(cwd, 'schema.json'));
  await sample('verify', 'verify', '--json');
  await sample('gc', 'gc', '--dry-run', '--json', '--grace', '0s');
  await sample('gc', 'gc', '--json');
  await sample('gc --explain', 'gc', '--explain', 'HEAD', '--json');
  await sample('archive create', 'archive', 'create', join(top, 'all.cairn'), '--all', '--json');
  await sample('archive verify', 'archive', 'verify', join(top, 'all.cairn'), '--json');
  await sample('archive restore', 'archive', 'restore', join(top, 'all.cairn'), join(top, 'back'), '--json');
  await sample('export', 'export', '--output', join(top, 'x.tar'), '--json');
  await sample('import', 'import', '--format', 'tar', '--branch', 'imported', '--json', join(top, 'x.tar'));
  await sample('repair', 'repair', '-n', '--json');
  writeFileSync(join(cwd, 'lost'), 'lost\n');
  const lost = await plain('hash-object', '-w', 'lost');
  rmSync(join(cwd, 'lost'));
  await sample('fsck', 'fsck', '--json');
  if (!samples.at(-1)!.stdout.includes(lost)) throw new Error('fsck does not show what dangles');
  return samples;
}
