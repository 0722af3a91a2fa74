// Every example of the manual pages, of the tutorial and of README.md does what it says when somebody types it: each is run by a shell that
// stops at the first failure, in a repository that has the names and files examples speak of.
import test, { type ExecutionContext } from 'ava';
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairnProgram, projectRoot } from '../helpers/cairn.js';
import { type PageExample, listPageExamples, readWholePage } from '../helpers/page-examples.js';
import { makeSandbox } from '../helpers/sandbox.js';
import { cleanEnvironment, hasGit } from '../helpers/stock-git.js';

interface Ran { readonly code: number; readonly output: string }

/** A place with `cairn` on the path and a home of its own. */
class Place {
  readonly top: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(t: ExecutionContext) {
    this.top = makeSandbox(t, { inMemory: true });
    mkdirSync(join(this.top, 'bin'));
    mkdirSync(join(this.top, 'home'));
    writeFileSync(join(this.top, 'bin/cairn'), `#!/bin/sh\nexec "${process.execPath}" "${cairnProgram}" "$@"\n`);
    chmodSync(join(this.top, 'bin/cairn'), 0o755);
    const person = { GIT_AUTHOR_NAME: 'A. Reader', GIT_AUTHOR_EMAIL: 'reader@example.com', GIT_COMMITTER_NAME: 'A. Reader', GIT_COMMITTER_EMAIL: 'reader@example.com' };
    this.#env = { ...cleanEnvironment, ...person, HOME: join(this.top, 'home'), GIT_CONFIG_GLOBAL: join(this.top, 'home/.gitconfig'), GIT_EDITOR: ':', PATH: `${join(this.top, 'bin')}:${process.env['PATH']}`, TOP: this.top };
  }

  run(script: string, cwd: string): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const shell = spawn('bash', ['-c', `set -e\n${script}`], { cwd, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
      const pieces: Buffer[] = [];
      shell.stdout.on('data', (piece: Buffer) => pieces.push(piece));
      shell.stderr.on('data', (piece: Buffer) => pieces.push(piece));
      shell.on('error', reject);
      shell.on('close', (code) => { resolve({ code: code ?? 255, output: Buffer.concat(pieces).toString() }); });
    });
  }
}

/** What the examples take for granted: branches, versions, some files, a second commit to compare with. */
const sample = `
cairn init -q -b main
mkdir -p src results data build site
printf 'int one;\\nint two;\\n\\nint main(void)\\n{\\n  /* TODO */\\n%sreturn 0;\\n}\\n' "$(seq -f '  int n%g;%%n' 20 | sed 's/%n/\\\\n/' | tr -d '\\n' | sed 's/\\\\n/\\n/g')" > src/main.c
echo '{"accuracy": 1}' > metrics.json; echo a,b > results/results.csv; echo one > notes.txt; echo r > data/report.csv; echo 1 > a; echo 2 > b
echo old > old.bin; echo log > old.log; echo page > site/index.html; echo x > build/x; echo secret > secret; echo 'print()' > make-data.py
printf 'Subject\\n\\nSigned-off-by: A <a@example.com>\\n' > message; cp message COMMIT_EDITMSG; cp message message.txt
printf 'test:\\n\\ttrue\\n' > Makefile
cairn commit -q -A -m first; cairn tag v1; cairn tag -a -m 'Version 1.0' v1.0
echo two >> notes.txt; cairn commit -q -A -m second; cairn tag last
cairn switch -q -c topic; for i in 1 2 3; do echo $i > topic$i; cairn commit -q -A -m "topic $i"; done
cairn switch -q main; echo 3 > c; cairn commit -q -A -m third -m 'Reviewed-by: A <a@example.com>'
for i in 4 5 6; do echo $i >> c; cairn commit -q -A -m "more $i"; done
cairn tag v2; cairn tag -a -m 'Version 2.0' v2.0; cairn tag -a -m 'Version 1.2' v1.2 HEAD~2; cairn tag v1.4 HEAD~1
cairn update-ref refs/remotes/origin/main HEAD
cairn reset -q --soft HEAD
`;

const examples = listPageExamples();
const runnable = examples.filter(({ notRun }) => notRun === undefined);
/** So many at a time: starting programs is what takes long. */
const lanes = 4;

test('the examples of every page run as they are printed', async (t) => {
  t.timeout(300_000);
  const place = new Place(t);
  const model = join(place.top, 'model');
  mkdirSync(model);
  const prepared = await place.run(sample, model);
  t.is(prepared.code, 0, prepared.output);
  const waiting = [...runnable];
  const failures: string[] = [];
  const tryOne = async (example: PageExample): Promise<void> => {
    const around = join(place.top, example.page);
    const cwd = join(around, 'work');
    mkdirSync(around);
    cpSync(model, cwd, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    const { code, output } = await place.run(`cairn update-index -q --refresh || true\n${example.prepare}\nset -x\n${example.script}`, cwd);
    if (code !== 0) failures.push(`${example.page} (${code}):\n${output}`);
  };
  const lane = async (): Promise<void> => {
    for (let example = waiting.shift(); example !== undefined; example = waiting.shift()) await tryOne(example);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  t.is(failures.join('\n'), '');
});

test('few examples need what a test has not got', (t) => {
  const others = examples.filter(({ notRun }) => notRun !== undefined);
  t.true(others.length <= 8, others.map(({ page, notRun }) => `${page}: ${notRun}`).join('\n'));
  for (const { notRun } of others) t.regex(notRun!, /\b(?:network|key|person|program)\b/);
});

test('the tutorial can be followed from its first line to its last', async (t) => {
  const place = new Place(t);
  const { code, output } = await place.run(readWholePage('cairn-tutorial.7'), place.top);
  t.is(code, 0, output);
});

test('the five minutes of README.md take place', async (t) => {
  const place = new Place(t);
  const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
  const script = [...readme.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block]) => block!).find((block) => block.includes('cairn init'))!;
  const { code, output } = await place.run(hasGit() ? script : script.replaceAll(/^git .*$/gm, ''), place.top);
  t.is(code, 0, output);
});
