// `npm run fuzz [-- <target> ...]`: many damaged inputs for every decoder. CAIRN_FUZZ_SEED (default: the clock, printed) and
// CAIRN_FUZZ_COUNT choose which and how many.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fuzz } from './fuzzing.js';
import { makeTargets } from './targets.js';

const print = (line: string): void => { process.stdout.write(`${line}\n`); };

const seed = Number(process.env['CAIRN_FUZZ_SEED'] ?? Date.now() % 1_000_000_000);
const count = Number(process.env['CAIRN_FUZZ_COUNT'] ?? 5000);
const wanted = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'cairn-fuzz-'));
let failed = 0;
print(`seed ${seed}, ${count} inputs each`);
try {
  for (const target of makeTargets(directory)) {
    if (wanted.length > 0 && !wanted.includes(target.name)) continue;
    const startMs = performance.now();
    const { values, refusals, problems } = fuzz(target, seed, count);
    failed += problems.length;
    print(`${target.name}: ${values} values, ${refusals} refusals, ${problems.length} problems, ${Math.round(performance.now() - startMs)} ms`);
    for (const problem of problems.slice(0, 5)) print(`  ${problem}`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
