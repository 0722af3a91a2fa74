// Runs the tests and then tells how many command lines were compared with stock git. When all tests ran, with stock git beside them,
// an option of a plumbing command that no such case has is a failure. Words given are handed to ava.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, parseArguments } from '../plumbing/command.js';
import { plumbingCommands, porcelainCommands, porcelainForScripts } from '../porcelain/commands.js';
import { projectRoot } from './helpers/cairn.js';

/** Git's commands outside of plumbing/ whose every option is compared, too. */
const elsewhere = [...porcelainForScripts.filter((name) => name !== 'batch'), 'fsck', 'shortlog'];

const words = process.argv.slice(2);
const record = mkdtempSync(join(tmpdir(), 'cairn-cases-'));
try {
  const ava = join(projectRoot, 'node_modules/ava/entrypoints/cli.mjs');
  const result = spawnSync(process.execPath, [ava, ...words], {
    stdio: 'inherit', cwd: projectRoot, env: { ...process.env, CAIRN_CASE_RECORD: record },
  });
  const cases = readCases();
  process.exitCode = result.status ?? 1;
  if (cases.length > 0) {
    const missing = await report(cases);
    if (missing > 0 && words.length === 0) process.exitCode ||= 1;
  }
} finally {
  rmSync(record, { recursive: true });
}

/** The words of every command line that was compared, the command's name first. */
function readCases(): string[][] {
  return readdirSync(record).flatMap((file) => readFileSync(join(record, file), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as string[]))
    .map(withoutGlobals);
}

/** Without what comes before the command's name: `-C <dir>`, `-c <name>=<value>`, `--git-dir=<dir>`, ... */
function withoutGlobals(argv: string[]): string[] {
  let at = 0;
  while (at < argv.length && argv[at]!.startsWith('-')) at += argv[at] === '-C' || argv[at] === '-c' || argv[at] === '--git-dir' || argv[at] === '--work-tree' ? 2 : 1;
  return argv.slice(at);
}

/** Prints how many there were, and which options of Git's own plumbing (so not --json) have none; how many these are is returned. */
async function report(cases: readonly (readonly string[])[]): Promise<number> {
  const missing: string[] = [];
  const plumbing = { ...plumbingCommands, ...Object.fromEntries(elsewhere.map((name) => [name, porcelainCommands[name]!])) };
  for (const [name, load] of Object.entries(plumbing)) {
    const { command } = await load();
    const used = new Set(cases.filter((argv) => argv[0] === name).flatMap((argv) => optionsOf(command, argv.slice(1))));
    missing.push(...command.options.filter((option) => option.hidden !== true && option.name !== 'json' && !used.has(option.name)).map((option) => `${name} ${dashed(option.name)}`));
  }
  const named = new Set(cases.map(([name]) => name));
  const commands = Object.keys({ ...plumbingCommands, ...porcelainCommands }).filter((name) => named.has(name));
  process.stdout.write(`\n  ${cases.length} command lines of ${commands.length} commands compared with stock git\n`);
  if (missing.length > 0) process.stdout.write(`  options without such a case: ${missing.join(', ')}\n`);
  return missing.length;
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

/** The names of the options in a command line; of one that is refused (a case, too) and of raw arguments those that stand there in full. */
function optionsOf(command: Command, argv: readonly string[]): string[] {
  try {
    if (!command.rawArguments) return parseArguments(command, argv).tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
  } catch {
    // Looked for by name below.
  }
  return command.options.filter(({ name, short }) => argv.some((word) => word.split('=')[0] === dashed(name) || word === `-${short}`)).map(({ name }) => name);
}
