import test from 'ava';
import { recordCase } from '../../helpers/differential.js';
import { join } from 'node:path';
import { Config } from '../../../plumbing/config.js';
import { authorIdent, committerIdent, reflogIdent } from '../../../plumbing/identity.js';
import { cairn, makeContext } from '../../helpers/cairn.js';
import { makeSandbox, writeFiles } from '../../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

type Environment = Readonly<Record<string, string | undefined>>;

const nobody: Environment = {
  GIT_AUTHOR_NAME: undefined, GIT_AUTHOR_EMAIL: undefined, GIT_AUTHOR_DATE: undefined, GIT_COMMITTER_NAME: undefined, GIT_COMMITTER_EMAIL: undefined, EMAIL: undefined,
};
const people: readonly Environment[] = [
  {}, { GIT_AUTHOR_NAME: 'Only Author' }, { GIT_COMMITTER_EMAIL: 'c@x' }, { GIT_AUTHOR_NAME: ' , Crud. "Name" <x> \\' }, { GIT_AUTHOR_NAME: 'a\nb<c>d' }, { GIT_AUTHOR_NAME: '' }, { GIT_AUTHOR_NAME: '.' },
  { GIT_AUTHOR_EMAIL: '' }, { GIT_AUTHOR_EMAIL: '<a@b>' }, { GIT_AUTHOR_EMAIL: ' a b@c.' }, { GIT_AUTHOR_NAME: 'Ünïcode', GIT_AUTHOR_EMAIL: 'ü@x' },
  { ...nobody, GIT_CONFIG_COUNT: '2', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'Config', GIT_CONFIG_KEY_1: 'user.email', GIT_CONFIG_VALUE_1: 'u@x', GIT_AUTHOR_DATE: '1 +0000' },
  { ...nobody, GIT_CONFIG_COUNT: '3', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'Config', GIT_CONFIG_KEY_1: 'author.email', GIT_CONFIG_VALUE_1: 'a@x', GIT_CONFIG_KEY_2: 'committer.email', GIT_CONFIG_VALUE_2: 'c@x', GIT_AUTHOR_DATE: '1 +0000' },
  { ...nobody, EMAIL: 'e@x', GIT_AUTHOR_NAME: 'N', GIT_COMMITTER_NAME: 'C', GIT_AUTHOR_DATE: '1 +0000' },
  { ...nobody, GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.useConfigOnly', GIT_CONFIG_VALUE_0: 'true' },
  ...['@1234567890 +0130', '1234567890 -0000', '2005-04-07T22:13:13Z', '2005-04-07 22:13:13 +0200', 'Thu, 07 Apr 2005 22:13:13 +0200', 'nonsense', '@99999999999 +0000', ' 1234567890 +0100'].map((date) => ({ GIT_AUTHOR_DATE: date })),
];

test('var tells identities as git does, or refuses where git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeSandbox(t);
  gitOutput(['init', '-q'], { cwd });
  const differences: string[] = [];
  for (const env of people) {
    for (const name of ['GIT_AUTHOR_IDENT', 'GIT_COMMITTER_IDENT']) {
      const theirs = git(['var', name], { cwd, env });
      const ours = await cairn(['var', name], { cwd, env });
      if (ours.code !== theirs.code || ours.stdout !== theirs.stdout) differences.push(`${name} ${JSON.stringify(env)}\n${theirs.code} ${theirs.stdout}${theirs.stderr}\n${ours.code} ${ours.stdout}${ours.stderr}`);
    }
  }
  t.deepEqual(differences, []);
});

test('var tells editor, pager and first branch as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeSandbox(t);
  gitOutput(['init', '-q'], { cwd });
  const cases: readonly (readonly [string, Environment])[] = [
    ['GIT_EDITOR', { GIT_EDITOR: 'ed -x' }], ['GIT_EDITOR', { EDITOR: 'nano' }], ['GIT_EDITOR', { VISUAL: 'code', EDITOR: 'nano' }], ['GIT_EDITOR', { VISUAL: 'code', EDITOR: 'nano', TERM: 'xterm' }], ['GIT_EDITOR', { TERM: 'dumb' }],
    ['GIT_EDITOR', { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'core.editor', GIT_CONFIG_VALUE_0: 'emacs' }],
    ['GIT_PAGER', { GIT_PAGER: 'more' }], ['GIT_PAGER', { PAGER: 'most' }], ['GIT_PAGER', { GIT_PAGER: 'cat' }], ['GIT_PAGER', { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'core.pager', GIT_CONFIG_VALUE_0: 'less -S' }],
    ['GIT_DEFAULT_BRANCH', { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'init.defaultBranch', GIT_CONFIG_VALUE_0: 'trunk' }],
    ['UNKNOWN', {}],
  ];
  for (const [name, env] of cases) {
    const theirs = git(['var', name], { cwd, env });
    const ours = await cairn(['var', name], { cwd, env });
    recordCase(['var', name]);
    t.is(ours.code, theirs.code, `${name} ${JSON.stringify(env)} ${theirs.stderr}`);
    if (theirs.code === 0) t.is(ours.stdout, theirs.stdout, `${name} ${JSON.stringify(env)}`);
  }
  const list = (await cairn(['var', '-l'], { cwd, env: { EDITOR: 'ed', PAGER: 'more' } })).stdout.split('\n');
  const theirs = gitOutput(['var', '-l'], { cwd, env: { EDITOR: 'ed', PAGER: 'more' } }).split('\n');
  recordCase(['var', '-l']);
  t.deepEqual(list.filter((line) => line !== '' && !line.startsWith('GIT_DEFAULT_BRANCH')), theirs.filter((line) => !line.startsWith('GIT_DEFAULT_BRANCH')));
});

test('nobody said who: author and committer are refused with what to do, a reflog entry is not', (t) => {
  const cwd = makeSandbox(t);
  const { context } = makeContext({ cwd, env: nobody });
  const source = { context, config: Config.open(context) };
  for (const read of [authorIdent, committerIdent]) {
    const error = t.throws(() => read(source), { code: 'no-identity' });
    t.regex((error as { hint?: string }).hint ?? '', /cairn config --global user\.name/);
  }
  t.is(reflogIdent(source).name, 'unknown');
  writeFiles(cwd, { global: '[user]\n\tname = Me\n\temail = me@x\n' });
  const named = makeContext({ cwd, env: { ...nobody, GIT_CONFIG_GLOBAL: join(cwd, 'global') } }).context;
  t.like(authorIdent({ context: named, config: Config.open(named) }), { name: 'Me', email: 'me@x', seconds: 1112911993, offset: '+0000' });
});
