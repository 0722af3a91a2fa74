// Scripts written for git's plumbing run with cairn in its place: `VCS` is the program they call.
import test from 'ava';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cairnProgram, projectRoot } from '../helpers/cairn.js';
import { bothFormats } from '../helpers/differential.js';
import { makeSandbox } from '../helpers/sandbox.js';
import { gitOutput, runProgram, skipWithoutGit } from '../helpers/stock-git.js';

const folder = join(projectRoot, 'test/fixtures/stories');

for (const name of readdirSync(folder).sort()) {
  const script = readFileSync(join(folder, name), 'utf8');
  for (const format of bothFormats) {
    test(`${name} prints the same with cairn as with git, and leaves the same repository (${format})`, (t) => {
      if (skipWithoutGit(t)) return;
      const sandbox = makeSandbox(t);
      const [expected, actual] = ['git', cairnProgram].map((program, at) => {
        const cwd = join(sandbox, String(at));
        mkdirSync(cwd);
        gitOutput(['init', '-q', '-b', 'main', `--object-format=${format}`], { cwd });
        const result = runProgram('sh', ['-e', '-c', script], { cwd, env: { VCS: program } });
        return { ...result, refs: gitOutput(['for-each-ref'], { cwd }), log: gitOutput(['log', '--all', '--format=raw'], { cwd }), fsck: gitOutput(['fsck', '--strict', '--full'], { cwd }) };
      });
      t.is(expected!.code, 0, expected!.stderr);
      t.is(actual!.stdout, expected!.stdout, actual!.stderr);
      t.is(actual!.code, 0, actual!.stderr);
      t.deepEqual([actual!.refs, actual!.log], [expected!.refs, expected!.log]);
    });
  }
}
