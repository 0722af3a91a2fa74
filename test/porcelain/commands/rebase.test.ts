// rebase beside stock git: branches, reflogs and what is kept while a rebase is under way; each goes on with what the other began.
import test from 'ava';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { bothFormats, makeRepository } from '../../helpers/differential.js';
import { compareScript } from '../../helpers/side-by-side.js';
import { git, gitOutput, runProgram, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `seq 10 > f; echo g > g; git add .; git commit -qm base; git branch b0; git checkout -qb t
  for i in 1 2 3; do sed -i "\${i}s/.*/t$i/" f; echo $i > n$i; git add .; GIT_AUTHOR_NAME="O'ther ü" GIT_AUTHOR_DATE="12345678$i +0100" git commit -qm "t$i subject

body $i"; done; git checkout -qb c b0; for i in 1 2 3; do echo $i > c$i; git add .; git commit -qm "c$i"; done
  git checkout -q main; sed -i 2s/.*/m2/ f; git commit -qam m2; echo q > q; git add q; git commit -qm 'add q'
  git checkout -qb side b0; echo s > s; git add s; git commit -qm 'side s'; git checkout -q c; git config core.editor :`;

const list = (edit: string): string => `git config sequence.editor "sed -i ${edit}"`;

const scripts: Readonly<Record<string, string>> = {
  'a branch goes to another base': `
    $ rebase main
    $ rebase main
    $ rebase -f main
    $ rebase --onto b0 main
    $ rebase main side
    $ rebase b0 side
    $ rebase main nope
    $ rebase
    git branch -u main c
    $ rebase main c
    $ rebase --root --onto side
    $ rebase --keep-base main
    $ log --format=%H%n%B`,
  'a conflict stops it; it is continued, skipped, aborted or forgotten': `
    git checkout -q t
    $ rebase main
    $ status
    $ rebase --show-current-patch
    $ rebase main
    $ rebase --continue
    git checkout --theirs f; git add f
    $ status
    $ rebase --continue
    $ rebase --skip
    $ rebase --abort
    $ rebase main
    $ rebase --quit
    $ status`,
  'the list is edited': `
    ${list('-e 1s/pick/reword/ -e 2s/pick/edit/')}
    $ rebase -i b0
    $ status
    echo more > c2; git add c2
    $ rebase --continue
    ${list('-e 2s/pick/squash/ -e 3s/pick/fixup/')}
    $ rebase -i b0
    ${list('d')}
    $ rebase -i b0
    ${list('-e 1abreak')}
    $ rebase -i b0~0
    $ rebase --continue
    $ log --format=%H%n%B`,
  'fixups find what they belong to, and stop at conflicts': `
    git commit -q --allow-empty --fixup c~1; echo z > z; git add z; git commit -q --squash c~2; git config sequence.editor :
    $ rebase -i --autosquash b0
    git checkout -q t
    ${list('-e 2d -e 3s/pick/fixup/')}
    $ rebase -i b0
    $ rebase --skip
    $ log --format=%H%n%B`,
  'commands are run in between': `
    $ rebase -x 'echo run; exit 3' b0
    $ status
    $ rebase --continue
    $ rebase --abort
    $ rebase --exec true --exec 'echo 2' main
    $ rebase -x 'echo dirt >> g' b0
    git checkout g
    $ rebase --abort
    $ rebase --reschedule-failed-exec -x 'test -f ok' b0
    touch ok
    $ rebase --continue`,
  'local changes are set aside when asked for, and stop it otherwise': `
    echo d >> g
    $ rebase main
    $ rebase --autostash main
    $ status
    git add g
    $ rebase b0
    git commit -qm g; echo d > s
    $ rebase --autostash side
    $ status
    rm s
    $ rebase --signoff side
    $ rebase --committer-date-is-author-date b0
    $ rebase --stat main`,
  'what upstream has already is left out': `
    git cherry-pick main; git commit -q --allow-empty -m em
    $ rebase main
    $ rebase --reapply-cherry-picks b0
    $ rebase --no-keep-empty side
    git checkout -q --detach
    $ rebase main
    $ log --format=%s`,
};

for (const [name, script] of Object.entries(scripts)) {
  for (const format of name.startsWith('a conflict') ? bothFormats : ['sha1'] as const) {
    test(`${name} (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      await compareScript(t, format, fixture, script);
    });
  }
}

test('git goes on with what cairn began, and the other way round', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', `${fixture}; git checkout -q t; git branch again`);
  const resolve = (): void => { runProgram('sh', ['-c', 'git checkout -q --theirs f; git add f'], { cwd }); };
  const told = ['t3', 't2', 't1'].map((name) => `${Buffer.from("O'ther ü").toString('latin1')} ${name} subject`).join('\n');
  t.is((await cairn(['rebase', 'main'], { cwd })).code, 1);
  resolve();
  t.is(git(['rebase', '--continue'], { cwd }).code, 0);
  t.is(gitOutput(['log', '--format=%an %s', 'main..t'], { cwd }), told);
  gitOutput(['branch', 'third', 'again'], { cwd });
  t.is(git(['rebase', 'main', 'third'], { cwd }).code, 1);
  resolve();
  t.is((await cairn(['rebase', '--continue'], { cwd })).code, 0);
  t.is(gitOutput(['log', '--format=%an %s', 'main..third'], { cwd }), told);
  t.is(git(['rebase', 'main', 'again'], { cwd }).code, 1);
  t.is((await cairn(['rebase', '--abort'], { cwd })).code, 0);
  t.is(gitOutput(['status', '-sb'], { cwd }), '## again');
});

test('hooks are run at git\'s moments', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', fixture);
  const hooks = join(cwd, '.git/hooks');
  mkdirSync(hooks, { recursive: true });
  for (const name of ['pre-rebase', 'post-checkout', 'post-rewrite']) {
    writeFileSync(join(hooks, name), `#!/bin/sh\necho ${name} "$@" >> hooklog\ntest ${name} = post-rewrite && cat | wc -l >> hooklog\ntrue\n`);
    chmodSync(join(hooks, name), 0o755);
  }
  writeFileSync(join(cwd, '.git/info/exclude'), 'hooklog\n');
  const [from, onto] = ['c', 'main'].map((name) => gitOutput(['rev-parse', name], { cwd }));
  t.is((await cairn(['rebase', 'main'], { cwd })).code, 0);
  t.deepEqual(readFileSync(join(cwd, 'hooklog'), 'utf8').split('\n').map((line) => line.trim()), ['pre-rebase main', `post-checkout ${from!} ${onto!} 1`, 'post-rewrite rebase', '3', '']);
  writeFileSync(join(hooks, 'pre-rebase'), '#!/bin/sh\nexit 1\n');
  t.is((await cairn(['rebase', 'side'], { cwd })).code, 128);
  t.is((await cairn(['rebase', '--no-verify', 'side'], { cwd })).code, 0);
});

test('a rebase that was interrupted at any point is continued or aborted', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', fixture);
  const state = join(cwd, '.git/rebase-merge');
  mkdirSync(state);
  for (const name of ['interactive', 'head-name']) writeFileSync(join(state, name), 'refs/heads/c\n');
  t.is((await cairn(['rebase', '--abort'], { cwd })).code, 0);
  t.is(gitOutput(['status', '-sb'], { cwd }), '## c');
  const [tip, onto] = ['c', 'main'].map((name) => gitOutput(['rev-parse', name], { cwd }));
  const commits = gitOutput(['rev-list', '--reverse', 'main..c'], { cwd }).split('\n');
  gitOutput(['checkout', '-q', '--detach', 'main'], { cwd });
  mkdirSync(state);
  const files = {
    interactive: '', 'head-name': 'refs/heads/c', onto, 'orig-head': tip, done: `pick ${commits[0]!} c1`, begun: `${commits[0]!} ${onto!}`,
    'git-rebase-todo': commits.slice(1).map((id) => `pick ${id} again`).join('\n'),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(state, name), text === '' ? '' : `${text!}\n`);
  t.is((await cairn(['rebase', '--continue'], { cwd })).code, 0);
  t.is(gitOutput(['log', '--format=%s', 'main..c'], { cwd }), 'c3\nc2\nc1');
});
