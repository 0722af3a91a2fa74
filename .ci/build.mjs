// Builds everything that runs: WASM kernels, type-checked library and tests (dist/lib), bundled CLI (dist/cli).
//
//   node .ci/build.mjs            all three
//   node .ci/build.mjs kernels    only the kernels (pack/kernels/wasm.generated.ts)
//   node .ci/build.mjs cli        only the CLI, from kernels that are built
//
// The CLI is one small CommonJS entry and one self-contained CommonJS bundle per command, so that a plumbing call in a
// shell loop parses only what it runs. Packages stay outside the bundles and are loaded when first used.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

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

/**
 * Modules that are heavy, that many commands reach and few calls use: each is a bundle of its own, loaded when one of its
 * exports is first touched.
 */
const lazyBundles = [
  'pack/object-store.ts', 'plumbing/index/index-file.ts', 'plumbing/date.ts', 'plumbing/refs/ref-recovery.ts', 'plumbing/config-file.ts', 'plumbing/option-spec.ts', 'plumbing/history/revision-set.ts',
  'pack/kernels/wasm.generated.ts',
];

/** Modules some code asks for with import(): bundles of their own, so that who does not ask carries nothing of them. */
const askedFor = ['plumbing/history/merge-base.ts', 'plumbing/repository.ts'];

/** A bundle's name, which may not be that of a command. */
const askedForName = (path) => path.slice(0, -3).replaceAll('/', '-');

/** CommonJS text with the module's exports as getters that load the bundle. */
function lazyFront(path) {
  const name = basename(path, '.ts');
  const exported = [...readFileSync(join(root, path), 'utf8').matchAll(/^export (?:abstract )?(?:class|const|let|function\*?) (\w+)/gm)].map((match) => match[1]);
  return `module.exports = {${exported.map((one) => `get ${one}() { return require('./${name}.cjs').${one}; }`).join(',')}};`;
}

/** The bundle of what every start needs: main, and the one set of error classes, because `instanceof` must hold across bundles. */
const coreSource = "export * from './porcelain/main.js'; export * from './pack/errors.js';";

/** How esbuild finds modules: which are in the bundle, and which are bundles beside it. */
function bundlePlugin({ isCore }) {
  const beside = (name) => ({ path: `./${name}.cjs`, external: true });
  return {
    name: 'one-bundle-per-command',
    setup(builder) {
      if (!isCore) builder.onResolve({ filter: /(^|\/)(errors|main)\.js$/ }, () => beside('main'));
      builder.onResolve({ filter: /^\.\/[\w.-]+\.cjs$/ }, (args) => ({ path: args.path, external: true }));
      // Commands and the terminal's part are loaded by main, and by help, when they are needed.
      builder.onResolve({ filter: /\/commands\/[^/]+\.js$|\/terminal\.js$/ }, (args) =>
        args.kind === 'dynamic-import' ? beside(basename(args.path, '.js')) : undefined);
      builder.onResolve({ filter: /^\.\.?\/.*\.js$/ }, (args) => {
        const path = relative(root, resolve(args.resolveDir, args.path)).replace(/js$/, 'ts');
        if (args.kind === 'dynamic-import' && askedFor.includes(path)) return beside(askedForName(path));
        return lazyBundles.includes(path) ? { path, namespace: 'lazy' } : undefined;
      });
      builder.onLoad({ filter: /./, namespace: 'lazy' }, (args) => ({ contents: lazyFront(args.path), loader: 'js' }));
      // In CommonJS `require` is at hand; node:module would be loaded at every start for nothing else.
      builder.onLoad({ filter: /pack\/lazy-module\.ts$/ }, (args) => ({
        contents: readFileSync(args.path, 'utf8').replace(/^import \{ createRequire \}.*$/m, '').replace('createRequire(import.meta.filename)', 'require'),
        loader: 'ts',
      }));
    },
  };
}

async function buildCli() {
  const { build } = await import('esbuild');
  const output = join(root, 'dist/cli');
  const named = (path) => ({ in: path, out: basename(path, '.ts') });
  const entries = [
    { in: 'porcelain/bin.ts', out: 'cairn' }, ...lazyBundles.map(named), ...askedFor.map((path) => ({ in: path, out: askedForName(path) })),
    ...['porcelain/terminal.ts', 'pack/worker.ts', 'plumbing/index/look-ahead-worker.ts', 'porcelain/release-worker.ts'].map(named),
  ];
  for (const folder of ['plumbing/commands', 'porcelain/commands']) {
    for (const name of readdirSync(join(root, folder))) {
      if (name.endsWith('.ts')) entries.push(named(`${folder}/${name}`));
    }
  }
  rmSync(output, { recursive: true, force: true });
  const options = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    packages: 'external',
    // A real import() would start Node's ESM loader, which costs more than all the rest; require does the same here.
    supported: { 'dynamic-import': false },
    minify: true,
    charset: 'ascii',
    keepNames: false,
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'import.meta.filename': '__filename' },
  };
  await build({ ...options, entryPoints: entries, outdir: output, outExtension: { '.js': '.cjs' }, plugins: [bundlePlugin({ isCore: false })] });
  await build({
    ...options, stdin: { contents: coreSource, resolveDir: root, loader: 'ts' }, outfile: join(output, 'main.cjs'),
    plugins: [bundlePlugin({ isCore: true })],
  });
  // For `import * as fs` esbuild makes, in every module, an object with one getter for each of the hundred exports; the
  // module itself does as well where nothing asks for its `default`.
  for (const name of readdirSync(output)) {
    const path = join(output, name);
    if (name.endsWith('.cjs')) writeFileSync(path, readFileSync(path, 'utf8').replace(/[\w$]+\((require\("node:fs"\)),1\)/g, '$1'));
  }
  // A POSIX-shell first line starts node without NODE_EXTRA_CA_CERTS, which Node 20 parses at every start (tens of
  // milliseconds); the value is handed on, and given back to the environment once node runs.
  const launcher = join(output, 'cairn.cjs');
  const body = readFileSync(join(root, '.ci/cached-require.cjs'), 'utf8').replace(/^\/\/.*\n/gm, '') + readFileSync(launcher, 'utf8');
  writeFileSync(launcher, '#!/bin/sh\n'
    + '\':\' //; if [ -n "${NODE_EXTRA_CA_CERTS-}" ]; then CAIRN_EXTRA_CA=$NODE_EXTRA_CA_CERTS; export CAIRN_EXTRA_CA; unset NODE_EXTRA_CA_CERTS; fi; exec node "$0" "$@"\n'
    + body);
  chmodSync(launcher, 0o755);
  await cacheCode(output);
}

/**
 * Writes V8's code cache beside every bundle. Everyday commands are run once in a scratch repository first, so that what they
 * use is in the cache compiled; of the others the cache holds what loading them compiles.
 */
async function cacheCode(output) {
  const scripts = new Map();
  const modules = new Map();
  const requireOther = createRequire(join(output, 'cairn.cjs'));
  const load = (request) => {
    if (!request.startsWith('./')) return requireOther(request);
    if (!modules.has(request)) {
      const filename = join(output, request);
      const script = new Script(`(function(exports,require,module,__filename,__dirname){${readFileSync(filename, 'utf8')}\n})`, { filename });
      const module = { exports: {} };
      scripts.set(request, script);
      modules.set(request, module);
      script.runInThisContext()(module.exports, load, module, filename, output);
    }
    return modules.get(request).exports;
  };
  const { run } = load('./main.cjs');
  const cwd = mkdtempSync(join(tmpdir(), 'cairn-build-'));
  try {
    let printed = '';
    writeFileSync(join(cwd, 'file'), 'one\n');
    for (const words of [
      'init -q', 'hash-object -w --stdin', 'update-index --add --cacheinfo 100644,@,x', 'write-tree', 'commit-tree @', 'update-ref HEAD @', 'rev-parse HEAD',
      'symbolic-ref HEAD', 'show-ref', 'cat-file -p HEAD', 'ls-tree HEAD', 'ls-files', 'for-each-ref',
      'add .', 'commit -q -m one', 'status --short', 'status', 'commit -A -q -m two --allow-empty', 'log --oneline',
    ]) {
      // `@` is what the command before printed.
      const argv = words.split(' ').map((word) => word.replace(/@/, printed.trim()));
      printed = '';
      let errors = '';
      const pending = [Buffer.from('x')];
      const sink = (write) => ({ isTerminal: false, columns: 80, write, flush() {} });
      const code = await run({
        cwd,
        env: { HOME: cwd, GIT_AUTHOR_NAME: 'x', GIT_AUTHOR_EMAIL: 'x', GIT_COMMITTER_NAME: 'x', GIT_COMMITTER_EMAIL: 'x', GIT_CONFIG_NOSYSTEM: '1' },
        clock: { nowMs: () => Date.now(), offsetMinutes: () => 0 },
        stdin: { isTerminal: false, readChunk: () => pending.shift() },
        stdout: sink((text) => { printed += text; }),
        stderr: sink((text) => { errors += text; }),
        process: { pid: process.pid, host: 'build', uid: process.getuid?.() ?? 0 },
        configOverrides: [],
      }, argv);
      if (code !== 0) throw new Error(`cairn ${argv.join(' ')} exited with ${code} while the code cache was made: ${errors}`);
    }
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
  for (const name of readdirSync(output)) {
    if (name.endsWith('.cjs') && name !== 'cairn.cjs' && !name.endsWith('worker.cjs')) load(`./${name}`);
  }
  for (const [request, script] of scripts) writeFileSync(join(output, request.replace(/cjs$/, 'cache')), script.createCachedData());
}

if (process.argv[2] !== 'cli') buildKernels();
if (process.argv[2] === undefined) buildLibrary();
if (process.argv[2] !== 'kernels') await buildCli();
