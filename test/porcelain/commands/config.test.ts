import test from 'ava';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { makeSandbox, writeFiles } from '../../helpers/sandbox.js';
import { type Finished, git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

type Case = readonly [text: string | undefined, ...argv: string[]];

const unset: readonly string[] = [
  '# top\n[a]\n\tx = 1\n[b]\n\ty=1\n', '[a]\n\t# c\n\tx = 1\n[b]\n\ty=1\n', '[a]\n\tx = 1\n\t# c\n[b]\n\ty=1\n', '[a]\n\tx = 1\n\n\n[b]\n\ty=1\n',
  '[z]\nk=1\n\n\n[a]\n\tx = 1\n\n\n[b]\n\ty=1\n', '[a]\n\tx = 1\n[a]\ny=1\n', '[a]\n[a]\n\tx = 1\n[c]\n', '[a]\n\tx = 1\n\tx=2\n  x=3', '[a]\n\tx = 1\n\ty=0\n  x=3',
  '[a]x=1\\\n  foo\n y=1\n', '[a] x=1\n[a] x=2\n[c]z=1\n', '[a]\n x=1\n #foo\n[a]\n x=2\n[c]z=1\n', '[b]\ny=2\n[a]\nx=1\n\n', '#c\n[a]\nx=2\n\n', '[a] x=2', '[b]\n[a] x=2\n;x',
  '[a]\r\n\tx=1\r\n\ty=2\r\n', '[A]X=1\n[a "x"]\nx=1\n', '[a]\n  x\n[b]\n', '', '[b]\nx=1\n', '[a]\ny=1\n\nx=1\n\nz=1\n',
];
const set: readonly string[] = [
  ...unset, '[a] x = 1\n', '[a] x = 1', '[a]', '[a]x=1\n#end\n[b]\n[a]\n#z\n', '[a]x=1\n#end\n[b]\n[a]\n#z\nx=2\n', '[a]x=1\r\n[b]y=1\r\n', '[a]\n\tx = "a\\\nb" ; c\n\n# end',
  '\u00ef\u00bb\u00bf[a]\nx=1\n', '[a]\n[b]\n', '[a] # note\n', '[a]\n\t\tx=1\n',
];
const oddValues = ['', ' lead', 'trail ', 'in side', 'semi;colon', 'ha#sh', 'quo"te', 'back\\slash', 'tab\there', 'new\nline', 'ünicode', '-dash', '\ttab first', 'end\t', 'a  b'];
const read = '[core]\n\tX = 1\n[a "Sub Sec"]\n\tk = v1 ; comment\n\tk = "v;2" \n\tflag\n\tempty =\n\tNum = 2k\n\tsp =  a  b \t c  \n\tesc = "\\t\\n\\"\\\\"\n[a]\n\tk = other\n\tp = ~/x\n\tpath = ~nobody/x\n'
  + '\tbool = yEs\n\tday = 2005-04-07 22:13:13\n\tcolor = bold red\n\tneg = -3\n\tbig = 9999999999999g\n\toct = 010\n\thex = 0x1F\n[x.Y]\n\told = 1\n';
const bad = ['[a\n', '[a]\nx=1\n[b', '[a]\n"x"=1\n', '[a]\nx="open\n', '[a]\nx=\\q\n', '[a "x]\n', '[a "x"\n', '[a "x" ]\n', '[a] 1x=1\n', '[a]\nx y\n', '[a_b]\n', '[a]\nx=1\\', '[a "x\\\n"]', '[]\nx=1\n', '[.]\n', '[a.]\nx=1\n', '[ a]\n', '[a]\n=1\n', 'x\n', 'x=1\n', '\r\n[a]\rx=1\n', '[a]\nx="a" b "c"\n', '[a]\nx=a"b;c"d;e\n', '[a]\nx=1\u0000 2\n', '[a]x=1 [b]\n', '[a][b]x=1\n'];

const cases: readonly Case[] = [
  ...unset.flatMap((text): Case[] => [[text, '--unset', 'a.x'], [text, '--unset-all', 'a.x']]),
  ...set.flatMap((text): Case[] => [[text, 'a.x', 'new'], [text, 'a.newVar', 'val'], [text, '--add', 'a.x', 'new'], [text, '--replace-all', 'a.x', 'new'], [text, 'b.Sub.y', 'new']]),
  ...oddValues.map((value): Case => ['[a]\n', 'a.x', value]),
  ['[a "q"]x=1\n', 'a.Q.x', 'new'], ['[a.q]x=1\n', 'a.q.x', 'new'], ['', 'Sec.Sub "q\\.Var', 'v'], [undefined, 'new.file', '1'], [undefined, '--unset', 'a.b'],
  ['[a]x=1\nx=2\nx=3\n', 'a.x', 'new', '2'], ['[a]x=1\nx=2\nx=3\n', '--replace-all', 'a.x', 'new', '^[12]'], ['[a]x=1\nx=2\nx=3\n', '--replace-all', 'a.x', 'new', '![12]'],
  ['[a]x=1\nx=2\n', 'a.x', 'new', '9'], ['[a]x=1\nx=2\n', '--unset', 'a.x', '2'], ['[a]x=1\nx=2\n', '--unset', 'a.x', '('], ['[a]x=1.\nx=1x\n', '--fixed-value', '--unset', 'a.x', '1.'],
  ['[a]x=1\n', '--fixed-value', 'a.x', 'y'], ['[a]x=1\n', '--type=int', 'a.x', '2k'], ['[a]x=1\n', '--type=bool', 'a.x', 'on'], ['[a]x=1\n', '--bool', 'a.x', 'maybe'], ['[a]x=1\n', '--int', 'a.x', 'x'],
  ['[a]x=1\n', '--bool-or-int', 'a.x', 'off'], ['[a]x=1\n', '--type=path', 'a.x', '~/y'], ['[a]x=1\n', '--type=color', 'a.x', 'bold nocolor'],
  ...['a', 'A', 'b.c', 'b.C', 'nothing', ''].flatMap((name): Case[] => ['[a] x=1 # hi\n  y=2\n[b "c"] z=1\n[d]', '[a]\n#c\n[a]x=2\n', ' [a] # c\n\tk=v\n'].flatMap((text): Case[] =>
    [[text, '--remove-section', name], [text, '--rename-section', name, 'new'], [text, '--rename-section', name, 'new.Sub "x"']])),
  ['[a]\n', '--rename-section', 'a', 'bad name'], ['[a]\n', '--rename-section', 'a', ''],
  ...['foo', '.foo', 'foo.', 'a.b.', 'a b.c', 'a.1b', 'a.b_c', '', 'a.\nb.c'].flatMap((key): Case[] => [['[a]', '--get', key], ['[a]', key, 'v'], ['[a]', '--unset', key], ['[a]', '--get-all', key], ['[a]', key]]),
  [read, '-l'], [read, '-l', '-z'], [read, '-l', '--name-only'], [read, '-lz', '--show-origin'], [read, '-l', '--show-origin', '--show-scope'],
  [read, 'core.x'], [read, 'CORE.X'], [read, '--get', 'a.Sub Sec.k'], [read, '--get', 'a.sub sec.k'], [read, '--get-all', 'a.Sub Sec.k'], [read, '--get-all', '-z', 'a.Sub Sec.k'],
  [read, '--get', 'a.Sub Sec.k', 'v1'], [read, '--get', 'a.Sub Sec.k', '!;'], [read, '--get', 'a.Sub Sec.k', '('], [read, '--get', '--fixed-value', 'a.Sub Sec.k', 'v;2'],
  [read, '--get', 'a.Sub Sec.flag'], [read, '--get', '--bool', 'a.Sub Sec.flag'], [read, '--get', '--int', 'a.Sub Sec.flag'], [read, '--get', 'a.Sub Sec.empty'], [read, '--bool', 'a.Sub Sec.empty'],
  [read, '--int', 'a.Sub Sec.num'], [read, '--get', 'a.Sub Sec.sp'], [read, '--get', 'a.Sub Sec.esc'], [read, '--get', '--path', 'a.p'], [read, '--bool', 'a.bool'], [read, '--int', 'a.bool'],
  [read, '--bool-or-int', 'a.bool'], [read, '--bool-or-int', 'a.neg'], [read, '--type=expiry-date', 'a.day'], [read, '--type=color', 'a.color'], [read, '--type=int', 'a.big'], [read, '--type=int', 'a.oct'],
  [read, '--type=int', 'a.hex'], [read, '--type=bool', 'a.neg'], [read, '--type=nonsense', 'a.neg'], [read, '--type=int', '--bool', 'a.neg'], [read, '--type=int', '--no-type', 'a.hex'],
  [read, '--get', 'a.none'], [read, '--get', '--default', 'dflt', 'a.none'], [read, '--get', '--default', '3k', '--int', 'a.none'], [read, '--get', '--default', 'x', '--int', 'a.none'],
  [read, '--get-regexp', '^a\\.'], [read, '--get-regexp', 'A\\..*K$'], [read, '--get-regexp', 'sub'], [read, '--get-regexp', 'Sub'], [read, '--get-regexp', '-z', 'k', 'v'], [read, '--get-regexp', '--name-only', 'k'],
  [read, '--get-regexp', '--show-origin', '--show-scope', 'k'], [read, '--get-regexp', '('], [read, '--get-regexp', '--bool', 'flag'], [read, '--get-regexp', 'nomatch'],
  [read, '--get', 'x.Y.old'], [read, '--get', 'x.y.old'],
  [read], [read, '--get'], [read, '--get', 'a.b', 'c', 'd'], [read, '--list', 'x'], [read, '--add', 'a.b'], [read, '--unset'], [read, 'a.b', 'c', 'd', 'e'], [read, '--get', '--list'], [read, '--name-only', 'a.b'],
  [read, '--default', 'x', '--list'], [read, '--global', '--list'], [read, '--unknown'],
  [undefined, '-l'], [undefined, '--get', 'a.b'],
  ...bad.flatMap((text): Case[] => [[text, '-l'], [text, '--get', 'a.x'], [text, 'a.x', 'new']]),
];

test('config reads and changes a file as git does: output, exit code and every byte left', async (t) => {
  if (skipWithoutGit(t)) return;
  const base = makeSandbox(t);
  const differences: string[] = [];
  for (const [text, ...argv] of cases) {
    const left: (Buffer | undefined)[] = [];
    const results: Finished[] = [];
    for (const side of ['a', 'b']) {
      const cwd = join(base, side);
      mkdirSync(cwd, { recursive: true });
      const file = join(cwd, 'cfg');
      if (text === undefined) rmSync(file, { force: true });
      else writeFileSync(file, text, 'latin1');
      const all = ['config', '-f', 'cfg', ...argv];
      const env = { HOME: base };
      results.push(side === 'a' ? git(all, { cwd, env }) : await cairn(all, { cwd, env }));
      left.push(readIfThere(file));
    }
    const [theirs, ours] = results as [Finished, Finished];
    const label = `${JSON.stringify(text)} ${argv.join(' ')}\n  git: ${theirs.stderr}\n  cairn: ${ours.stderr}`;
    const agree = ours.code === theirs.code && (theirs.code === 129 || bad.includes(text ?? '') || ours.stdout === theirs.stdout) && String(left[0]) === String(left[1]);
    if (!agree) differences.push(`${label}\n  exit ${theirs.code} ${ours.code}\n  out ${JSON.stringify([theirs.stdout, ours.stdout])}\n  left ${JSON.stringify(left.map(String))}`);
  }
  t.deepEqual(differences, []);
});

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

test('layers, includes and the environment are read in the same order as by git', async (t) => {
  if (skipWithoutGit(t)) return;
  const base = makeSandbox(t);
  const home = join(base, 'home');
  writeFiles(base, {
    'home/.gitconfig': '[u]\n\tx = home\n[include]\n\tpath = inc/one\n[includeIf "gitdir:~/repo/"]\n\tpath = inc/matched\n[includeIf "gitdir:elsewhere/"]\n\tpath = inc/never\n'
      + '[includeIf "hasconfig:remote.*.url:https://example.com/**"]\n\tpath = inc/remote\n[includeIf "hasconfig:remote.*.url:https://other.com/**"]\n\tpath = inc/never\n',
    'home/.config/git/config': '[u]\n\tx = xdg\n\ty = xdg\n',
    'home/inc/one': '[u]\n\tinc = one\n[include]\n\tpath = two\n\tpath = missing\n',
    'home/inc/two': '[u]\n\tinc = two\n',
    'home/inc/matched': '[u]\n\tmatched = yes\n',
    'home/inc/never': '[u]\n\tnever = yes\n',
    'home/inc/remote': '[u]\n\tremote = yes\n',
    'home/inc/branch': '[u]\n\tonbranch = yes\n',
    'home/inc/loop': '[include]\n\tpath = loop\n',
    'system': '[u]\n\tx = system\n\tz = system\n',
  });
  const repository = join(home, 'repo');
  gitOutput(['init', '-q', '-b', 'topic/a', repository], { cwd: base });
  gitOutput(['config', 'u.x', 'local'], { cwd: repository });
  gitOutput(['config', 'remote.origin.url', 'https://example.com/a/b'], { cwd: repository });
  gitOutput(['config', 'includeIf.onbranch:topic/.path', '~/inc/branch'], { cwd: repository });
  const env = { HOME: home, GIT_CONFIG_GLOBAL: undefined, GIT_CONFIG_NOSYSTEM: undefined, GIT_CONFIG_SYSTEM: join(base, 'system') };
  const counted = { ...env, GIT_CONFIG_COUNT: '2', GIT_CONFIG_KEY_0: 'U.X', GIT_CONFIG_VALUE_0: 'counted', GIT_CONFIG_KEY_1: 'u.new', GIT_CONFIG_VALUE_1: '', GIT_CONFIG_PARAMETERS: "'u.p'='it'\\''s' 'u.old=way' 'u.flag'=" };
  const xdg = { ...env, XDG_CONFIG_HOME: join(base, 'nowhere') };
  const tries: readonly (readonly [Record<string, string | undefined>, ...string[]])[] = [
    [env, 'config', '-l', '--show-origin', '--show-scope'], [env, 'config', '-l', '--no-includes'], [env, 'config', '--get-all', 'u.x'], [env, 'config', 'u.x'], [env, 'config', '--global', '-l'],
    [env, 'config', '--global', '--includes', '-l'], [env, 'config', '--system', '-l'], [env, 'config', '--local', '-l'], [env, 'config', '--worktree', '-l'],
    [counted, 'config', '-l', '--show-origin', '--show-scope'], [counted, '-c', 'u.x=typed', '-c', 'u.bare', 'config', '--get-regexp', '^u', '--show-scope'], [xdg, 'config', '-l', '--show-scope'],
    [{ ...env, GIT_CONFIG_COUNT: '1' }, 'config', '-l'], [{ ...env, GIT_CONFIG_COUNT: 'x' }, 'config', '-l'], [{ ...env, GIT_CONFIG_PARAMETERS: "'a" }, 'config', '-l'],
    [{ ...env, GIT_CONFIG: join(base, 'system') }, 'config', '-l'], [env, '-c', 'bad', 'config', '-l'], [env, '-c', 'include.path=~/inc/two', 'config', 'u.inc'],
    [env, '-c', `include.path=${home}/inc/loop`, 'config', 'u.inc'], [env, 'config', '--blob', 'HEAD:none', '-l'], [{ ...env, HOME: undefined }, 'config', '--global', '-l'],
  ];
  for (const [variables, ...argv] of tries) {
    for (const cwd of [repository, home]) {
      const theirs = git(argv, { cwd, env: variables });
      const ours = await cairn(argv, { cwd, env: variables });
      const label = `${argv.join(' ')} in ${cwd}\n${theirs.stderr}\n${ours.stderr}`;
      t.is(ours.code, theirs.code, label);
      if (theirs.code === 0) t.is(ours.stdout, theirs.stdout, label);
    }
  }
});

test('writing goes where git writes: the repository, the person, a file behind a symbolic link; a lock is respected', async (t) => {
  if (skipWithoutGit(t)) return;
  const left: Record<string, string | undefined>[] = [];
  for (const side of ['a', 'b']) {
    const base = makeSandbox(t);
    const repository = join(base, 'repo');
    gitOutput(['init', '-q', repository], { cwd: base });
    writeFiles(base, { 'real/file': '[a]\n\tx = 1\n', link: { link: 'real/file' }, busy: '[a]\n', 'busy.lock': '' });
    const env = { HOME: base, GIT_CONFIG_GLOBAL: undefined };
    const codes: number[] = [];
    for (const argv of [['a.local', '1'], ['--global', 'a.global', '1'], ['--worktree', 'a.tree', '1'], ['-f', '../link', 'a.x', '2'], ['-f', '../busy', 'a.x', '2'], ['-f', '../none/x', 'a.x', '2'], ['--blob', 'x', 'a.x', '2'], ['-f', '-', 'a.x', '2']]) {
      const result = side === 'a' ? git(['config', ...argv], { cwd: repository, env }) : await cairn(['config', ...argv], { cwd: repository, env });
      codes.push(result.code);
    }
    left.push({ codes: codes.join(' '), ...Object.fromEntries(['repo/.git/config', '.gitconfig', 'real/file', 'busy', 'none/x'].map((path) => [path, readIfThere(join(base, path))?.toString()])) });
  }
  t.deepEqual(left[1], left[0]);
});
