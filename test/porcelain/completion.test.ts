// Completion: what is proposed for a command line, and that real shells hand it on as they should.
import test, { type ExecutionContext } from 'ava';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../../plumbing/command.js';
import { CommandLineShape } from '../../porcelain/command-line-shape.js';
import { plumbingCommands, porcelainCommands } from '../../porcelain/commands.js';
import { completionShells } from '../../porcelain/completion-script.js';
import { proposeWords } from '../../porcelain/completion.js';
import { cairn, cairnOutput, cairnProgram, makeContext } from '../helpers/cairn.js';
import { makeSandbox, writeFiles } from '../helpers/sandbox.js';
import { cleanEnvironment } from '../helpers/stock-git.js';

const identity = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@b' };

async function sample(t: ExecutionContext): Promise<string> {
  const cwd = makeSandbox(t);
  const run = (...argv: string[]): Promise<string> => cairnOutput(argv, { cwd, env: identity });
  await run('init', '-q', '-b', 'main');
  writeFiles(cwd, { 'read me.txt': 'x', 'src/one.txt': '1', 'src/two.txt': '2', gone: 'g' });
  await run('commit', '-q', '-A', '-m', 'first');
  await run('branch', 'topic/one');
  await run('tag', 'v1.0');
  await run('update-ref', 'refs/releases/nightly', (await run('rev-parse', 'HEAD')));
  writeFiles(cwd, { 'src/one.txt': 'changed' });
  await run('stash');
  await run('rm', '-q', '--cached', 'src/two.txt');
  return cwd;
}

async function propose(cwd: string, ...typed: string[]): Promise<string[]> {
  return (await proposeWords(makeContext({ cwd, env: identity }).context, typed)).map(({ word }) => word);
}

test('commands, the words they begin with, and options come from the table', async (t) => {
  const cwd = makeSandbox(t);
  t.deepEqual(await propose(cwd, 'sta'), ['stash', 'status']);
  t.true((await propose(cwd, '')).includes('completion'));
  t.false((await propose(cwd, '')).includes('cat-file'), 'what is for scripts is offered only when some of it was typed');
  t.deepEqual(await propose(cwd, 'cat-'), ['cat-file']);
  t.deepEqual(await propose(cwd, 'stash', 'p'), ['push', 'pop']);
  t.deepEqual(await propose(cwd, 'archive', 've'), ['verify']);
  t.deepEqual(await propose(cwd, 'notes', '--ref', 'x', 'app'), ['append']);
  t.deepEqual(await propose(cwd, 'status', '--unt'), ['--untracked-files']);
  t.deepEqual(await propose(cwd, 'status', '--untracked-files=n'), ['--untracked-files=no', '--untracked-files=normal']);
  t.deepEqual(await propose(cwd, 'commit', '--mess'), ['--message=']);
  t.deepEqual(await propose(cwd, 'merge', '--no-f'), ['--no-ff']);
  t.deepEqual(await propose(cwd, 'completion', ''), [...completionShells]);
  t.deepEqual(await propose(cwd, 'help', 'bis'), ['bisect']);
  t.deepEqual(await propose(cwd, 'hook', 'run', 'post-g'), ['post-gc']);
  t.deepEqual(await propose(cwd, '--git'), ['--git-dir']);
  t.deepEqual(await propose(cwd, 'nonsense', ''), []);
});

test('every word that is proposed as an option is taken by the command', async (t) => {
  const cwd = makeSandbox(t);
  const { parseArguments } = await import('../../plumbing/command.js');
  for (const [name, load] of Object.entries({ ...plumbingCommands, ...porcelainCommands })) {
    const { command } = await load();
    if (command.rawArguments) continue;
    for (const word of await propose(cwd, name, '-')) t.notThrows(() => parseArguments(command, [word.endsWith('=') ? `${word}1` : word, ...(/^-.$/.test(word) ? ['1'] : [])]), `${name} ${word}`);
  }
});

test('every command with words of its own says them in its usage', async (t) => {
  const expected: Readonly<Record<string, readonly string[]>> = {
    stash: ['push', 'list', 'show', 'pop', 'apply', 'drop', 'branch', 'clear', 'create', 'store', 'save'],
    worktree: ['add', 'list', 'lock', 'move', 'prune', 'remove', 'repair', 'unlock'],
    hold: ['add', 'list', 'release'], retain: ['plan', 'apply', 'set', 'list', 'unset'], hook: ['run', 'list'], archive: ['create', 'verify', 'restore'],
  };
  for (const [name, verbs] of Object.entries(expected)) {
    const { command } = await porcelainCommands[name]!() as { command: Command };
    const found = new CommandLineShape(command).verbs;
    for (const verb of verbs) t.true(found.includes(verb), `${name} ${verb}`);
  }
  for (const name of ['add', 'commit', 'log', 'diff', 'switch', 'release', 'tag', 'rebase']) {
    t.deepEqual(new CommandLineShape((await porcelainCommands[name]!()).command).verbs, [], name);
  }
});

test('names come from the repository: refs, channels, stash entries, paths, trees', async (t) => {
  const cwd = await sample(t);
  t.deepEqual(await propose(cwd, 'switch', ''), ['main', 'topic/one']);
  t.deepEqual(await propose(cwd, 'switch', '--detach', 'v'), ['v1.0']);
  t.deepEqual(await propose(cwd, 'merge', 't'), ['topic/one']);
  t.deepEqual(await propose(cwd, 'log', 'main..v'), ['main..v1.0']);
  t.deepEqual(await propose(cwd, 'show', 'HEAD:s'), ['HEAD:src/']);
  t.deepEqual(await propose(cwd, 'show', 'HEAD:src/o'), ['HEAD:src/one.txt']);
  t.deepEqual(await propose(cwd, 'tag', '-d', ''), ['v1.0']);
  t.deepEqual(await propose(cwd, 'stash', 'drop', ''), ['stash@{0}']);
  t.deepEqual(await propose(cwd, 'rollback', ''), ['nightly']);
  t.deepEqual(await propose(cwd, 'add', 'src/'), ['src/one.txt', 'src/two.txt']);
  t.deepEqual(await propose(cwd, 'diff', '--', ''), ['gone', 'read me.txt', 'src/']);
  t.deepEqual(await propose(cwd, '-C', 'src', 'add', 't'), ['two.txt']);
  t.deepEqual(await propose(cwd, 'commit', '-F', 're'), ['read me.txt']);
  t.deepEqual(await propose(cwd, 'config', 'core.bar'), ['core.bare']);
});

test('a damaged repository proposes what needs none of it, and the command says nothing else', async (t) => {
  const cwd = await sample(t);
  writeFileSync(join(cwd, '.cairn/index'), 'nonsense');
  writeFileSync(join(cwd, '.cairn/refs/heads/bad'), 'nonsense');
  t.deepEqual(await propose(cwd, 'stash', 'po'), ['pop']);
  const result = await cairn(['completion', '--words', '--', 'add', ''], { cwd });
  t.is(result.code, 0);
  t.is(result.stderr, '');
});

test('another shell is refused with the ones there are', async (t) => {
  const result = await cairn(['completion', 'tcsh'], { cwd: makeSandbox(t) });
  t.is(result.code, 129);
  t.regex(result.stderr, /tcsh/);
});

function hasShell(name: string): boolean {
  return spawnSync(name, ['-c', 'exit 0']).status === 0;
}

/** A directory with the sample, and an environment where `cairn` is the built program. */
async function place(t: ExecutionContext, shell: string): Promise<{ cwd: string; env: NodeJS.ProcessEnv; script: string } | undefined> {
  if (!hasShell(shell)) {
    t.log(`${shell} is not here: not tried`);
    t.pass();
    return undefined;
  }
  const cwd = await sample(t);
  const bin = makeSandbox(t);
  mkdirSync(join(bin, 'bin'));
  symlinkSync(cairnProgram, join(bin, 'bin/cairn'));
  const script = join(bin, `cairn.${shell}`);
  writeFileSync(script, await cairnOutput(['completion', shell], { cwd }));
  return { cwd, env: { ...process.env, ...cleanEnvironment, ...identity, HOME: bin, PATH: `${join(bin, 'bin')}:${process.env['PATH']}` }, script };
}

test('bash completes words it cuts at colons and equals signs, and quotes what needs it', async (t) => {
  const at = await place(t, 'bash');
  if (at === undefined) return;
  const complete = (...words: string[]): string[] => execFileSync('bash', ['--norc', '-c',
    '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cairn; printf "%s|\\n" "${COMPREPLY[@]}"', 'bash', at.script, ...words,
  ], { cwd: at.cwd, env: at.env, encoding: 'utf8' }).split('\n').filter((line) => line !== '' && line !== '|');
  t.deepEqual(complete('cairn', 'sta'), ['stash|', 'status|']);
  t.deepEqual(complete('cairn', 'stash', 'po'), ['pop |']);
  t.deepEqual(complete('cairn', 'switch', 'to'), ['topic/one |']);
  t.deepEqual(complete('cairn', 'add', 'read'), ['read\\ me.txt |']);
  t.deepEqual(complete('cairn', 'add', '"read'), ['read me.txt |']);
  t.deepEqual(complete('cairn', 'show', 'HEAD', ':', 'sr'), ['src/|']);
  t.deepEqual(complete('cairn', 'status', '--untracked-files', '=', 'a'), ['all |']);
  t.deepEqual(complete('cairn', 'status', '--untracked-files', '='), ['no |', 'normal |', 'all |']);
  t.deepEqual(complete('cairn', 'stash', 'drop', 'stash@'), ['stash@\\{0\\} |']);
  t.deepEqual(complete('cairn', 'log', '--pretty', '=', 'one'), ['oneline |']);
});

test('zsh gets the same words', async (t) => {
  const at = await place(t, 'zsh');
  if (at === undefined) return;
  const complete = (...words: string[]): string[] => execFileSync('zsh', ['-f', '-c',
    'script=$1; shift; compadd() { print -rl -- "${@[${@[(i)--]}+1,-1]}" }; _describe() { print -rl -- "${(P)4[@]%%:*}" }; . $script; words=("$@"); CURRENT=$#; _cairn', 'zsh', at.script, ...words,
  ], { cwd: at.cwd, env: at.env, encoding: 'utf8' }).split('\n').filter((line) => line !== '');
  t.true(complete('cairn', '').includes('switch'));
  t.deepEqual(complete('cairn', 'stash', 'po'), ['pop']);
  t.deepEqual(complete('cairn', 'add', 're'), ['read me.txt']);
  t.deepEqual(complete('cairn', 'show', 'HEAD:s'), ['HEAD:src/']);
});

test('fish gets the same words, explained', async (t) => {
  const at = await place(t, 'fish');
  if (at === undefined) return;
  const complete = (line: string): string[] => execFileSync('fish', ['--no-config', '-c', `source '${at.script}'; complete -C '${line}'`],
    { cwd: at.cwd, env: at.env, encoding: 'utf8' }).split('\n').filter((found) => found !== '');
  t.deepEqual(complete('cairn switc').map((line) => line.split('\t')[0]), ['switch']);
  t.deepEqual(complete('cairn stash po'), ['pop']);
  t.deepEqual(complete('cairn switch to'), ['topic/one']);
  t.regex(complete('cairn status --untr').join('\n'), /^--untracked-files\tno, normal or all/);
});
