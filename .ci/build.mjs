// Builds everything that runs: WASM kernels, type-checked library and tests (dist/lib), bundled CLI (dist/cli).
//
//   node .ci/build.mjs            all three
//   node .ci/build.mjs kernels    only the kernels (pack/kernels/wasm.generated.ts)
//
// The CLI is one small CommonJS entry and one self-contained CommonJS bundle per command, so that a plumbing call in a
// shell loop parses only what it runs. Packages stay outside the bundles and are loaded when first used.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const assembly = join(root, 'pack/kernels/assembly');
const generated = join(root, 'pack/kernels/wasm.generated.ts');

function run(file, args) {
  const result = spawnSync(process.execPath, [join(root, 'node_modules', file), ...args], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Every file of pack/kernels/assembly that exports functions is one kernel; names beginning with `_` are shared parts. */
function buildKernels() {
  const sources = readdirSync(assembly).filter((name) => name.endsWith('.ts')).sort();
  const digest = createHash('sha256');
  for (const name of sources) digest.update(name).update('\0').update(readFileSync(join(assembly, name)));
  const stamp = `// built from sources with sha256 ${digest.digest('hex')}`;
  if (existsSync(generated) && readFileSync(generated, 'utf8').startsWith(stamp)) return;
  const lines = [stamp, '// Written by .ci/build.mjs; not kept in version control.'];
  for (const name of sources) {
    if (name.startsWith('_')) continue;
    const kernel = name.slice(0, -3);
    const output = join(root, 'dist/kernels', `${kernel}.wasm`);
    mkdirSync(dirname(output), { recursive: true });
    run('assemblyscript/bin/asc.js', [
      join('pack/kernels/assembly', name), '-O3', '--converge', '--noAssert', '--enable', 'simd',
      '--runtime', 'stub', '--initialMemory', '16', '--outFile', output,
    ]);
    lines.push(`export const ${kernel}Wasm = '${readFileSync(output).toString('base64')}';`);
  }
  if (lines.length === 2) lines.push('export {};');
  writeFileSync(generated, lines.join('\n') + '\n');
}

function buildLibrary() {
  run('typescript/bin/tsc', ['--project', 'tsconfig.json']);
}

async function buildCli() {
  const { build } = await import('esbuild');
  const output = join(root, 'dist/cli');
  const entries = [{ in: 'porcelain/bin.ts', out: 'cairn' }, { in: 'porcelain/terminal.ts', out: 'terminal' }, { in: 'pack/worker.ts', out: 'worker' }];
  for (const folder of ['plumbing/commands', 'porcelain/commands']) {
    for (const name of (existsSync(join(root, folder)) ? readdirSync(join(root, folder)) : [])) {
      if (name.endsWith('.ts')) entries.push({ in: `${folder}/${name}`, out: name.slice(0, -3) });
    }
  }
  const present = entries.filter((entry) => existsSync(join(root, entry.in)));
  rmSync(output, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: present,
    outdir: output,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    packages: 'external',
    minify: true,
    keepNames: false,
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'import.meta.url': '__moduleUrl' },
    banner: { js: 'const __moduleUrl="file://"+encodeURI(__filename).replace(/[?#]/g,encodeURIComponent);' },
    plugins: [{
      name: 'one-bundle-per-command',
      setup(builder) {
        // Commands and the terminal's part are loaded by the entry, and by help, when they are needed.
        builder.onResolve({ filter: /\/commands\/[^/]+\.js$|\/terminal\.js$/ }, (args) =>
          args.kind === 'dynamic-import' ? { path: `./${args.path.split('/').pop().slice(0, -3)}.cjs`, external: true } : undefined);
      },
    }],
  });
  // A POSIX-shell first line starts node without NODE_EXTRA_CA_CERTS, which Node 20 parses at every start (tens of
  // milliseconds); the value is handed on, and given back to the environment once node runs.
  const launcher = join(output, 'cairn.cjs');
  const body = readFileSync(launcher, 'utf8');
  writeFileSync(launcher, '#!/bin/sh\n'
    + '\':\' //; if [ -n "${NODE_EXTRA_CA_CERTS-}" ]; then CAIRN_EXTRA_CA=$NODE_EXTRA_CA_CERTS; export CAIRN_EXTRA_CA; unset NODE_EXTRA_CA_CERTS; fi; exec node "$0" "$@"\n'
    + body);
  chmodSync(launcher, 0o755);
}

buildKernels();
if (process.argv[2] !== 'kernels') {
  buildLibrary();
  await buildCli();
}
