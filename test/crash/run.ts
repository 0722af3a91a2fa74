// `npm run crash [-- <name> ...]`: every case at every operation, many draws, and killed at every system call that changes
// something, and with each of them failing once (EIO, ENOSPC, EMFILE, EACCES), and with short writes; prints how many states were tried.
// CAIRN_CRASH_SEED chooses the random draws, CAIRN_CRASH_DRAWS how many there are per operation; CAIRN_CRASH_ONLY=cut
// leaves out what needs processes of their own. 'release-kills' kills CAIRN_CRASH_KILLS (100) releases of CAIRN_CRASH_FILES (20000) files.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCommand } from '../../porcelain/commands.js';
import { hasGit, runProgram } from '../helpers/stock-git.js';
import { crashCases, fixtureScript } from './crash-cases.js';
import { rot, rotScript } from './bit-rot.js';
import { crash } from './crash-lab.js';
import { killReleases } from './release-kills.js';
import { canKill, failEverywhere, killEverywhere, shortenEverywhere } from './kill-lab.js';

const print = (line: string): void => { process.stdout.write(`${line}\n`); };

if (!hasGit()) {
  print('stock git is needed to make the repository to start from');
  process.exit(1);
}
const seed = Number(process.env['CAIRN_CRASH_SEED'] ?? 1);
const randomDraws = Number(process.env['CAIRN_CRASH_DRAWS'] ?? 6);
const wanted = process.argv.slice(2);
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-crash-')));
let total = 0;
let failed = 0;
print(`seed ${seed}, ${randomDraws} random draws per operation`);
try {
  const repository = join(scratch, 'fixture');
  runProgram('git', ['init', '-q', '-b', 'main', repository], { cwd: '/' });
  const made = runProgram('sh', ['-e', '-c', fixtureScript], { cwd: repository });
  if (made.code !== 0) throw new Error(made.stderr);
  for (const one of crashCases) {
    if (wanted.length > 0 && !wanted.includes(one.name)) continue;
    if (findCommand(one.argv[0]!) === undefined) {
      print(`${one.name}: there is no such command yet`);
      continue;
    }
    const startMs = performance.now();
    const { operations, states, problems } = await crash(one, repository, join(scratch, 'work'), { seed, randomDraws, gitEvery: 10 });
    total += states;
    failed += problems.length;
    print(`${one.name}: ${operations} operations, ${states} states, ${problems.length} problems, ${Math.round(performance.now() - startMs)} ms`);
    for (const problem of problems.slice(0, 20)) print(`  ${problem}`);
    if (one.then !== undefined || !canKill() || process.env['CAIRN_CRASH_ONLY'] === 'cut') continue;
    const kill = await killEverywhere(one, repository, join(scratch, 'kill'));
    total += kill.states;
    failed += kill.problems.length;
    print(`${one.name}: killed at ${kill.states} system calls, ${kill.problems.length} problems`);
    for (const problem of kill.problems.slice(0, 20)) print(`  ${problem}`);
    const fault = await failEverywhere(one, repository, join(scratch, 'fault'));
    total += fault.states;
    failed += fault.problems.length;
    print(`${one.name}: ${fault.states} system calls failed, ${fault.problems.length} problems`);
    for (const problem of fault.problems.slice(0, 20)) print(`  ${problem}`);
    const short = await shortenEverywhere(one, repository, join(scratch, 'short'));
    total += short.states;
    failed += short.problems.length;
    print(`${one.name}: ${short.states} short writes, ${short.problems.length} problems`);
    for (const problem of short.problems.slice(0, 20)) print(`  ${problem}`);
  }
  if ((wanted.length === 0 || wanted.includes('release-kills')) && process.env['CAIRN_CRASH_ONLY'] !== 'cut') {
    const files = Number(process.env['CAIRN_CRASH_FILES'] ?? 20_000);
    const kills = Number(process.env['CAIRN_CRASH_KILLS'] ?? 100);
    const { killed, acknowledged, reads, changes, problems } = await killReleases({ files, kills, seed, directory: join(scratch, 'releases') });
    total += killed;
    failed += problems.length;
    print(`release-kills: ${files} files, ${killed} killed, ${acknowledged} acknowledged, ${reads} reads, ${changes} changes seen, ${problems.length} problems`);
    for (const problem of problems.slice(0, 20)) print(`  ${problem}`);
  }
  if (wanted.length === 0 || wanted.includes('rot')) {
    const rotting = join(scratch, 'rotting');
    runProgram('git', ['init', '-q', '-b', 'main', rotting], { cwd: '/' });
    runProgram('sh', ['-e', '-c', rotScript], { cwd: rotting });
    const { damages, harmless, noticed, problems } = await rot(rotting, { every: 1, fsckEvery: 1, print });
    total += damages;
    failed += problems.length;
    print(`rot: ${damages} damages, ${noticed} noticed by verify, ${harmless} of them to nothing that is read, ${problems.length} problems`);
    for (const problem of problems.slice(0, 20)) print(`  ${problem}`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
print(`${total} states, ${failed} problems`);
process.exitCode = failed === 0 ? 0 : 1;
