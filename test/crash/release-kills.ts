// Releases of many files as real processes, killed (-9) at random moments under the eyes of a reader that opens the target in a loop: whatever
// moment it was, the reader sees one whole release, everything acknowledged stays in the history, and the next release needs nobody's help.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseChannel } from '../../porcelain/channel.js';
import { listReceipts } from '../../porcelain/receipt.js';
import { cairnProcess, cairnProgram } from '../helpers/cairn.js';
import { seededRandom } from '../helpers/sandbox.js';
import { reopen } from '../helpers/snapshots.js';
import { cleanEnvironment } from '../helpers/stock-git.js';

export interface ReleaseKills {
  readonly files: number;
  /** How many releases must have died of it. */
  readonly kills: number;
  readonly seed: number;
  /** Does not exist yet. */
  readonly directory: string;
}

export interface ReleaseKillsResult {
  readonly killed: number;
  readonly acknowledged: number;
  /** How often the target was opened, and how often another release was there than the time before. */
  readonly reads: number;
  readonly changes: number;
  readonly problems: readonly string[];
}

const directories = 50;
const sampledFiles = 200;
/** More than directories are kept, so that each release has all files to write. */
const versions = 4;

/** Every file tells which version it belongs to. */
function writeVersion(root: string, version: number, files: number): void {
  for (let at = 0; at < Math.min(directories, files); at += 1) mkdirSync(join(root, `d${at}`), { recursive: true });
  for (let at = 0; at < files; at += 1) writeFileSync(join(root, `d${at % directories}`, `f${at}`), `${version}:${at}\n`);
}

/** The version of what the target shows: all names, and a sample of the contents; a string says what is wrong with it. */
function readVersion(target: string, files: number, random: () => number): number | string {
  const directory = realpathSync(target);
  const counted = readdirSync(directory).reduce((sum, inner) => sum + readdirSync(join(directory, inner)).length, 0);
  if (counted !== files) return `${counted} files of ${files}`;
  const seen = new Set<string>();
  for (let sample = 0; sample < sampledFiles; sample += 1) {
    const at = Math.floor(random() * files);
    const [version, number] = readFileSync(join(directory, `d${at % directories}`, `f${at}`), 'latin1').trim().split(':');
    if (number !== String(at)) return `f${at} holds what belongs to f${number}`;
    seen.add(version!);
  }
  return seen.size === 1 ? Number([...seen][0]) : `a mixture of ${[...seen].join(' and ')}`;
}

/** Publishes the versions in turn, and kills until enough died. */
export async function killReleases({ files, kills, seed, directory }: ReleaseKills): Promise<ReleaseKillsResult> {
  const random = seededRandom(seed);
  const env = { GIT_AUTHOR_DATE: '1112911993 +0000', GIT_COMMITTER_DATE: '1112911993 +0000' };
  const problems: string[] = [];
  const work = join(directory, 'work');
  const target = join(directory, 'live');
  mkdirSync(work, { recursive: true });
  const run = (...argv: string[]): string => {
    const { code, stdout, stderr } = cairnProcess(argv, { cwd: work, env });
    if (code !== 0) throw new Error(`cairn ${argv.join(' ')} exited with ${code}: ${stderr}`);
    return stdout.trim();
  };
  run('init', '-q');
  run('config', 'release.keep', '1');
  const commits = Array.from({ length: versions }, (_unused, version) => {
    writeVersion(work, version, files);
    run('commit', '-q', '-A', '-m', `version ${version}`);
    return run('rev-parse', 'HEAD');
  });
  const beginMs = performance.now();
  run('release', 'prod', commits[0]!, '--to', '../live');
  const usualMs = performance.now() - beginMs;
  let [reads, changes, reading, last] = [0, 0, true, 0];
  const reader = (async () => {
    while (reading) {
      const version = readVersion(target, files, random);
      reads += 1;
      if (typeof version === 'string') problems.push(`a reader saw ${version}`);
      else if (version !== last) [changes, last] = [changes + 1, version];
      await delay(2);
    }
  })();
  let [killed, acknowledged] = [0, 1];
  for (let round = 1; killed < kills && problems.length === 0 && round < kills * 4; round += 1) {
    const live = readVersion(target, files, random);
    const child = spawn(cairnProgram, ['release', 'prod', commits[(Number(live) + 1) % versions]!], { cwd: work, env: { ...cleanEnvironment, ...env }, stdio: 'ignore' });
    // What the one before left is removed first, so it takes longer than usual.
    const timer = setTimeout(() => child.kill('SIGKILL'), usualMs * random() * 2.4);
    const [code] = await once(child, 'exit') as [number | null];
    clearTimeout(timer);
    if (code === 0) {
      acknowledged += 1;
    } else if (code === null) {
      killed += 1;
    } else {
      problems.push(`release ${round} exited with ${code}`);
    }
  }
  reading = false;
  await reader;
  // Once more, without help.
  const next = (Number(readVersion(target, files, random)) + 1) % versions;
  run('release', 'prod', commits[next]!);
  if (readVersion(target, files, random) !== next) problems.push('the last release is not what is there');
  run('release', '--verify', 'prod');
  const repository = reopen(work);
  const receipts = [...listReceipts(repository, parseChannel('prod'))].length;
  if (receipts < acknowledged + 1) problems.push(`${receipts} releases in the history, but ${acknowledged + 1} acknowledged`);
  if (existsSync(join(repository.gitDirectory, 'cairn/releases/prod.journal'))) problems.push('a journal is left');
  const left = readdirSync(join(directory, '.live.cairn')).filter((name) => name.startsWith('tmp-'));
  if (left.length > 0) problems.push(`left behind: ${left.join(' ')}`);
  return { killed, acknowledged, reads, changes, problems };
}
