// `npm run race [-- --seconds=60 --writers=4 --seed=1 --git=0 --forget=1 --keep]`: real processes write beside others that collect without grace, are killed,
// prune and repack, while stock git looks on. Prints what was acknowledged, refused and lost, and how often was collected.
//
// Writers make blob, tree, commit and ref each in a process of its own; rememberers let go of a branch and name its commit by id later, when it
// is long swept; `--git` stock git writers make the same chain (they are safe only from what runs with a grace, so collectors then use one).
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cairnProgram } from '../helpers/cairn.js';
import { seededRandom } from '../helpers/sandbox.js';
import { cleanEnvironment, git, gitOutput, hasGit } from '../helpers/stock-git.js';

const print = (line: string): void => { process.stdout.write(`${line}\n`); };

function option(name: string, fallback: number): number {
  const text = process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
  return text === undefined ? fallback : Number(text);
}

const seconds = option('seconds', 60);
const writers = option('writers', 4);
const gitWriters = option('git', 0);
const seed = option('seed', Date.now() % 1_000_000);
/** Whether prune and repack run, too, which keep nothing in quarantine. */
const forgets = option('forget', 1) > 0;
const grace = gitWriters > 0 ? '1h' : '0';

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

class Race {
  readonly repository: string;
  readonly deadlineMs = Date.now() + seconds * 1000;
  readonly counts = { acknowledged: 0, refused: 0, looks: 0, kills: 0, collections: 0, blocked: 0, prunes: 0, repacks: 0 };
  readonly problems: string[] = [];
  /** Why collections gave up, and how often. */
  readonly reasons = new Map<string, number>();
  /** What each branch was acknowledged to be, the last one last. */
  readonly journal = new Map<string, string[]>();

  constructor(repository: string) { this.repository = repository; }

  get isOver(): boolean { return Date.now() >= this.deadlineMs || this.problems.length > 20; }

  run(program: string, argv: readonly string[], stdin = '', started?: (child: ChildProcess) => void): Promise<Finished> {
    const child = spawn(program, argv, { cwd: this.repository, env: { ...cleanEnvironment } });
    started?.(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => { stdout += data.toString(); });
    child.stderr.on('data', (data: Buffer) => { stderr += data.toString(); });
    child.stdin.on('error', () => { stderr += 'nobody read what was written\n'; });
    child.stdin.end(stdin);
    return new Promise((resolve) => { child.on('close', (code) => { resolve({ code, stdout: stdout.trim(), stderr: stderr.trim() }); }); });
  }

  /** The output, or undefined when it was refused; a refusal is counted, anything odd is a problem. */
  async ask(program: string, argv: readonly string[], stdin = ''): Promise<string | undefined> {
    const { code, stdout, stderr } = await this.run(program, argv, stdin);
    if (code === 0) return stdout;
    this.counts.refused += 1;
    // What prune and repack let go is gone, and who names it too late is told so.
    if (program === cairnProgram && !(forgets && /missing|nonexistent|not there|not a valid/.test(stderr))) this.problems.push(`${argv.join(' ')}: exit ${code}: ${stderr}`);
    return undefined;
  }

  /** One more commit on a branch, each object by its own process. */
  async write(program: string, branch: string, number: number, parent: string | undefined): Promise<string | undefined> {
    const blob = await this.ask(program, ['hash-object', '-w', '--stdin'], `${branch} ${number} ${seed}\n`);
    const tree = blob === undefined ? undefined : await this.ask(program, ['mktree'], `100644 blob ${blob}\tname\n`);
    const commit = tree === undefined ? undefined
      : await this.ask(program, ['commit-tree', ...(parent === undefined ? [] : ['-p', parent]), '-m', `${branch} ${number}`, tree]);
    if (commit === undefined || await this.ask(program, ['update-ref', `refs/heads/${branch}`, commit]) === undefined) return undefined;
    this.counts.acknowledged += 1;
    return commit;
  }

  async writer(program: string, branch: string): Promise<void> {
    const commits: string[] = [];
    this.journal.set(branch, commits);
    for (let number = 1; !this.isOver; number += 1) {
      const commit = await this.write(program, branch, number, commits.at(-1));
      if (commit !== undefined) commits.push(commit);
    }
  }

  /** Makes three commits, forgets them, and names them again when others have had time to sweep them. */
  async rememberer(branch: string): Promise<void> {
    for (let round = 1; !this.isOver; round += 1) {
      let commit: string | undefined;
      for (const number of [1, 2, 3]) commit = await this.write(cairnProgram, branch, round * 10 + number, commit);
      if (commit === undefined) continue;
      await this.ask(cairnProgram, ['update-ref', '-d', `refs/heads/${branch}`]);
      await new Promise((resolve) => { setTimeout(resolve, 1500); });
      if (await this.ask(cairnProgram, ['update-ref', `refs/heads/${branch}-${round}`, commit]) === undefined) continue;
      this.counts.acknowledged += 1;
      this.journal.set(`${branch}-${round}`, [commit]);
    }
  }

  async collector(random: () => number): Promise<void> {
    while (!this.isOver) {
      const what = forgets && gitWriters === 0 ? random() : 0.3 + random() * 0.7;
      if (what < 0.15) {
        if ((await this.run(cairnProgram, ['prune'])).code === 0) this.counts.prunes += 1;
      } else if (what < 0.3) {
        if ((await this.run(cairnProgram, ['repack', '-a', '-d', '-q'])).code === 0) this.counts.repacks += 1;
      } else if (what < 0.5) {
        const { code } = await this.run(cairnProgram, ['gc', '-q', `--grace=${grace}`], '', (child) => {
          setTimeout(() => child.kill('SIGKILL'), 100 + random() * 600);
        });
        this.counts[code === null ? 'kills' : 'collections'] += 1;
      } else {
        const { code, stderr } = await this.run(cairnProgram, ['gc', '-q', `--grace=${grace}`]);
        if (code === 0) this.counts.collections += 1;
        else if (code === 4) this.blocked(stderr);
        else this.problems.push(`gc: exit ${code}: ${stderr}`);
      }
    }
  }

  /** Told why, by kind: digits differ from time to time. */
  blocked(stderr: string): void {
    this.counts.blocked += 1;
    const why = stderr.split('\n')[0]!.replace(/ since .*/, '').replace(/\d+/g, 'N');
    this.reasons.set(why, (this.reasons.get(why) ?? 0) + 1);
  }

  /** Stock git knows nothing of quarantine: what it misses is missing. */
  async looker(): Promise<void> {
    while (!this.isOver) {
      const { code, stdout, stderr } = await this.run('git', ['fsck', '--connectivity-only', '--no-dangling']);
      this.counts.looks += 1;
      // It may read a ref before and an object after an update; what is really missing is still missing a moment later.
      if (code !== 0 && (await this.run('git', ['fsck', '--connectivity-only', '--no-dangling'])).code !== 0) this.problems.push(`git fsck: ${stdout} ${stderr}`);
    }
  }

  /** Acknowledged updates that are not there. */
  countLost(): number {
    let lost = 0;
    for (const [branch, commits] of this.journal) {
      if (commits.length === 0) continue;
      const found = git(['rev-list', '--reverse', '--objects', '--no-object-names', branch], { cwd: this.repository });
      const ids = new Set(found.code === 0 ? found.stdout.split('\n') : []);
      lost += commits.filter((id) => !ids.has(id)).length;
    }
    return lost;
  }
}

if (!hasGit()) {
  print('stock git is needed to look on');
  process.exit(1);
}
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'cairn-race-')));
const repository = join(scratch, 'repository');
git(['init', '-q', '-b', 'main', repository], { cwd: '/' });
// What no ref names is nobody's here: reflogs would keep it.
gitOutput(['config', 'core.logAllRefUpdates', 'false'], { cwd: repository });
print(`seed ${seed}, ${seconds} s, ${writers} writers, ${gitWriters} of stock git, grace ${grace}`);
const race = new Race(repository);
await Promise.all([
  ...Array.from({ length: writers }, (_, at) => race.writer(cairnProgram, `writer${at}`)),
  ...Array.from({ length: gitWriters }, (_, at) => race.writer('git', `git${at}`)),
  race.rememberer('remembered'),
  race.collector(seededRandom(seed)),
  race.looker(),
]);
const last = await race.run(cairnProgram, ['gc', '-q']);
if (last.code !== 0) race.problems.push(`gc at the end: exit ${last.code}: ${last.stderr}`);
const check = git(['fsck', '--full', '--strict'], { cwd: repository });
if (check.code !== 0) race.problems.push(`git fsck at the end: ${check.stdout} ${check.stderr}`);
const lost = race.countLost();
const { acknowledged, refused, looks, kills, collections, blocked, prunes, repacks } = race.counts;
print(`${acknowledged} updates acknowledged, ${lost} lost, ${refused} refused`);
print(`${collections} collections, ${blocked} gave up, ${kills} killed, ${prunes} prunes, ${repacks} repacks, ${looks} looks by stock git`);
for (const [why, times] of race.reasons) print(`  gave up ${times} times: ${why}`);
for (const problem of race.problems) print(`  ${problem}`);
process.exitCode = lost === 0 && race.problems.length === 0 ? 0 : 1;
if (process.argv.includes('--keep')) print(repository);
else rmSync(scratch, { recursive: true, force: true });
