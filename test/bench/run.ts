// Runs the benches: `npm run bench [-- <name> ...]`, e.g. `npm run bench -- commands`. Each `*.bench.js` beside this file is a program of its
// own; what they measure, and how large, is said at their heads.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const benches = readdirSync(here).filter((file) => file.endsWith('.bench.js')).map((file) => file.slice(0, -'.bench.js'.length)).sort();
const unknown = wanted.find((name) => !benches.includes(name));
if (unknown !== undefined) {
  process.stderr.write(`there is no bench '${unknown}'; there are: ${benches.join(', ')}\n`);
  process.exit(2);
}
for (const name of wanted.length > 0 ? wanted : benches) {
  process.stdout.write(`== ${name}\n`);
  const result = spawnSync(process.execPath, [join(here, `${name}.bench.js`)], { stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
}
