// A status report in words: long, short, and the porcelain formats version 1 and 2 of git-status(1), byte for byte; JSON as cairn-status(1)
// describes it. Names are bytes; every text here is latin1.
import { basename } from 'node:path';
import { type ObjectId, zeroId } from '../pack/oid.js';
import { formatMode, gitlinkMode, type RepoPath } from '../pack/tree.js';
import { abbreviateId } from '../plumbing/objects/abbreviation.js';
import type { DiffEntry } from '../plumbing/diff/diff.js';
import { latin1 } from '../plumbing/latin1.js';
import { quotePath } from '../plumbing/quote.js';
import type { Repository } from '../plumbing/repository.js';
import { isUtf8 } from '../plumbing/utf8.js';
import { relativePath } from '../plumbing/index/work-status.js';
import type { Change } from '../plumbing/index/work-tree.js';
import type { RebaseProgress } from './sequence/rebase-progress.js';
import type { StatusEntry, StatusOptions, StatusReport, Upstream } from './status-report.js';

/** Escape sequences by slot; all empty without colour. */
export interface StatusColors {
  readonly added: string;
  readonly changed: string;
  readonly untracked: string;
  readonly unmerged: string;
  readonly nobranch: string;
  readonly localBranch: string;
  readonly remoteBranch: string;
  readonly reset: string;
}

export const noColors: StatusColors = { added: '', changed: '', untracked: '', unmerged: '', nobranch: '', localBranch: '', remoteBranch: '', reset: '' };

export interface StatusStyle {
  readonly repository: Repository;
  readonly options: StatusOptions;
  /** '' or the current directory with trailing slash: what paths are shown relative to. */
  readonly prefix: string;
  /** Records end in NUL and names are not quoted. */
  readonly nul: boolean;
  readonly showsBranch: boolean;
  readonly hints: boolean;
  readonly colors: StatusColors;
}

const worktreeLetters: Readonly<Record<Change['kind'], string>> = { added: 'A', modified: 'M', deleted: 'D', typechange: 'T', unmerged: 'U' };

/** Which of base, ours and theirs there are, as bits 1, 2 and 4. */
function stageMask(entry: StatusEntry): number {
  return (entry.stages ?? []).reduce((mask, stage, at) => mask | (stage === undefined ? 0 : 1 << at), 0);
}

const unmergedLetters = ['??', 'DD', 'AU', 'UD', 'UA', 'DU', 'AA', 'UU'] as const;
const unmergedWords = [
  'unknown:', 'both deleted:', 'added by us:', 'deleted by them:', 'added by them:', 'deleted by us:', 'both added:', 'both modified:',
] as const;
const stagedWords: Readonly<Record<string, string>> = { A: 'new file:', C: 'copied:', D: 'deleted:', M: 'modified:', R: 'renamed:', T: 'typechange:' };
const stagedWidth = 'typechange:'.length + 1;
const unmergedWidth = 'deleted by them:'.length + 1;

function quoter(style: StatusStyle, spaces: boolean): (path: string) => string {
  const options = { quotePath: style.repository.config.getBoolean('core.quotepath') !== false };
  return (path) => {
    if (style.nul) return path;
    const quoted = quotePath(relativePath(path, style.prefix), options);
    return spaces && quoted.includes(' ') && !quoted.startsWith('"') ? `"${quoted}"` : quoted;
  };
}

// ---- short, porcelain version 1

/** `XY path` lines. */
export function formatShort(report: StatusReport, style: StatusStyle): string {
  const { colors } = style;
  const quote = quoter(style, true);
  const end = style.nul ? '\0' : '\n';
  let text = style.showsBranch ? `${formatShortBranch(report, style)}${end}` : '';
  for (const entry of report.entries) {
    if (entry.stages !== undefined) {
      text += `${paint(colors, 'unmerged', unmergedLetters[stageMask(entry)]!)} ${quote(entry.path)}${end}`;
      continue;
    }
    const staged = entry.staged?.status ?? ' ';
    const changed = entry.change === undefined ? ' ' : worktreeLetters[entry.change.kind];
    text += `${staged === ' ' ? ' ' : paint(colors, 'added', staged)}${changed === ' ' ? ' ' : paint(colors, 'changed', changed)} `;
    const from = entry.staged?.oldPath;
    if (from === undefined) text += `${quote(entry.path)}${end}`;
    else text += style.nul ? `${entry.path}\0${from}\0` : `${quote(from)} -> ${quote(entry.path)}${end}`;
  }
  for (const path of report.untracked) text += `${paint(colors, 'untracked', '??')} ${quote(path)}${end}`;
  for (const path of report.ignored) text += `${paint(colors, 'untracked', '!!')} ${quote(path)}${end}`;
  return text;
}

function paint(colors: StatusColors, slot: keyof StatusColors, text: string): string {
  return colors[slot] === '' ? text : `${colors[slot]}${text}${colors.reset}`;
}

function formatShortBranch(report: StatusReport, { colors }: StatusStyle): string {
  if (report.branch === undefined) return `## ${paint(colors, 'nobranch', 'HEAD (no branch)')}`;
  const name = shortBranch(report);
  const local = paint(colors, 'localBranch', name);
  if (report.head === undefined) return `## No commits yet on ${local}`;
  const { upstream } = report;
  if (upstream === undefined) return `## ${local}`;
  const remote = paint(colors, 'remoteBranch', latin1(upstream.shortName));
  const { ahead, behind } = upstream;
  const parts = upstream.gone ? ['gone'] : !upstream.differs ? [] : ahead === undefined || behind === undefined ? ['different']
    : [
      ...(ahead > 0 ? [`ahead ${paint(colors, 'localBranch', String(ahead))}`] : []),
      ...(behind > 0 ? [`behind ${paint(colors, 'remoteBranch', String(behind))}`] : []),
    ];
  return `## ${local}...${remote}${parts.length > 0 ? ` [${parts.join(', ')}]` : ''}`;
}

function shortBranch(report: StatusReport): string {
  return latin1(report.branch!.replace(/^refs\/heads\//, ''));
}

// ---- porcelain version 2

/** Machine-readable lines with modes and ids. */
export function formatPorcelain2(report: StatusReport, style: StatusStyle): string {
  const end = style.nul ? '\0' : '\n';
  const quote = quoter(style, false);
  let text = style.showsBranch ? formatBranchHeaders(report, end) : '';
  if (style.options.showsStash && report.stashCount > 0) text += `# stash ${report.stashCount}${end}`;
  for (const entry of report.entries) if (entry.stages === undefined) text += formatChanged(entry, style, quote) + end;
  for (const entry of report.entries) if (entry.stages !== undefined) text += formatUnmerged(entry, style, quote) + end;
  for (const path of report.untracked) text += `? ${quote(path)}${end}`;
  for (const path of report.ignored) text += `! ${quote(path)}${end}`;
  return text;
}

function formatBranchHeaders(report: StatusReport, end: string): string {
  let text = `# branch.oid ${report.head ?? '(initial)'}${end}# branch.head ${report.branch === undefined ? '(detached)' : shortBranch(report)}${end}`;
  const { upstream } = report;
  if (upstream === undefined) return text;
  text += `# branch.upstream ${latin1(upstream.shortName)}${end}`;
  if (upstream.gone) return text;
  return `${text}# branch.ab ${upstream.ahead === undefined ? '+? -?' : `+${upstream.ahead} -${upstream.behind!}`}${end}`;
}

function formatChanged(entry: StatusEntry, { repository }: StatusStyle, quote: (path: string) => string): string {
  const { staged, change } = entry;
  const zero = zeroId(repository.format);
  const indexed = entry.entry === undefined || entry.entry.intentToAdd ? { mode: 0, id: zero } : entry.entry;
  const head = staged?.old ?? indexed;
  const workMode = change === undefined ? indexed.mode : change.kind === 'deleted' ? 0 : change.new?.mode ?? 0;
  const isNested = [head.mode, indexed.mode, workMode].includes(gitlinkMode);
  const nested = isNested ? `S${change !== undefined && workMode === gitlinkMode ? 'C' : '.'}..` : 'N...';
  const letters = `${staged?.status ?? '.'}${change === undefined ? '.' : worktreeLetters[change.kind]}`;
  const sides = `${letters} ${nested} ${formatMode(head.mode)} ${formatMode(indexed.mode)} ${formatMode(workMode)} ${head.id} ${indexed.id}`;
  if (staged?.oldPath === undefined) return `1 ${sides} ${quote(entry.path)}`;
  const score = Math.floor(((staged.score ?? 0) * 100) / 60000);
  const separator = quote(' \t') === ' \t' ? '\0' : '\t';
  return `2 ${sides} ${staged.status}${score} ${quote(entry.path)}${separator}${quote(staged.oldPath)}`;
}

function formatUnmerged(entry: StatusEntry, { repository }: StatusStyle, quote: (path: string) => string): string {
  const zero = zeroId(repository.format);
  const stages = entry.stages!;
  const modes = stages.map((stage) => formatMode(stage?.mode ?? 0)).join(' ');
  const ids = stages.map((stage) => stage?.id ?? zero).join(' ');
  const nested = stages.some((stage) => stage?.mode === gitlinkMode) ? 'S...' : 'N...';
  return `u ${unmergedLetters[stageMask(entry)]} ${nested} ${modes} ${formatMode(entry.change?.new?.mode ?? 0)} ${ids} ${quote(entry.path)}`;
}

// ---- long

/** How the branch and what it follows have gone apart, in words; `program` is what hints recommend. */
export function formatTracking(upstream: Upstream, program: string, hints: boolean): string {
  let text = '';
  const hint = (words: string, ours = words): void => {
    const said = program === 'cairn' ? ours : words;
    if (hints && said !== '') text += `  (${said.replaceAll('$', program)})\n`;
  };
  const name = latin1(upstream.shortName);
  const { ahead, behind } = upstream;
  const commits = (count: number): string => `${count} commit${count === 1 ? '' : 's'}`;
  if (upstream.gone) {
    text += `Your branch is based on '${name}', but the upstream is gone.\n`;
    hint('use "$ branch --unset-upstream" to fixup');
  } else if (!upstream.differs) {
    text += `Your branch is up to date with '${name}'.\n`;
  } else if (ahead === undefined || behind === undefined) {
    text += `Your branch and '${name}' refer to different commits.\n`;
    hint('use "$ status --ahead-behind" for details');
  } else if (behind === 0) {
    text += `Your branch is ahead of '${name}' by ${commits(ahead)}.\n`;
    hint('use "$ push" to publish your local commits', '');
  } else if (ahead === 0) {
    text += `Your branch is behind '${name}' by ${commits(behind)}, and can be fast-forwarded.\n`;
    hint('use "$ pull" to update your local branch', '');
  } else {
    text += `Your branch and '${name}' have diverged,\nand have ${ahead} and ${behind} different commits each, respectively.\n`;
    hint('use "$ pull" to merge the remote branch into yours', '');
  }
  return text;
}

/** The format for people. Commands it recommends are git's in a repository named .git, cairn's in one of our own. */
export function formatLong(report: StatusReport, style: StatusStyle): string {
  const program = basename(style.repository.gitDirectory) === '.cairn' ? 'cairn' : 'git';
  return new LongFormatter(report, style, program).format();
}

class LongFormatter {
  readonly #report: StatusReport;
  readonly #style: StatusStyle;
  readonly #program: string;
  readonly #quote: (path: string) => string;
  #text = '';

  constructor(report: StatusReport, style: StatusStyle, program: string) {
    this.#report = report;
    this.#style = style;
    this.#program = program;
    this.#quote = quoter(style, false);
  }

  format(): string {
    const report = this.#report;
    const staged = report.entries.filter((entry) => entry.staged !== undefined && entry.stages === undefined);
    const unmerged = report.entries.filter((entry) => entry.stages !== undefined);
    const changed = report.entries.filter((entry) => entry.change !== undefined && entry.stages === undefined);
    const isCommittable = staged.length > 0 || (report.merge.mergeHeads.length > 0 && unmerged.length === 0);
    this.#formatHead();
    this.#formatOperation(unmerged.length > 0);
    if (report.head === undefined) this.#text += '\nNo commits yet\n\n';
    this.#formatStaged(staged);
    this.#formatUnmerged(unmerged);
    this.#formatChanged(changed);
    if (this.#style.options.untracked !== 'no') {
      this.#formatOthers('Untracked files', 'add', report.untracked);
      if (this.#style.options.ignored !== 'no') this.#formatOthers('Ignored files', 'add -f', report.ignored);
    } else {
      if (isCommittable) this.#text += `Untracked files not listed${this.#style.hints ? ' (use -u option to show untracked files)' : ''}\n`;
    }
    if (!isCommittable) this.#text += `${this.#summary(changed.length + unmerged.length > 0)}\n`;
    if (this.#style.options.showsStash && report.stashCount > 0) {
      this.#text += `Your stash currently has ${report.stashCount} ${report.stashCount === 1 ? 'entry' : 'entries'}\n`;
    }
    return this.#text;
  }

  /** What could be done next; `ours` instead in our own repositories, where cairn has no such command ('': nothing to say). */
  #hint(text: string, ours = text): void {
    const said = this.#program === 'cairn' ? ours : text;
    if (this.#style.hints && said !== '') this.#text += `  (${said.replaceAll('$', this.#program)})\n`;
  }

  #formatHead(): void {
    const { branch, detached, upstream } = this.#report;
    const { colors } = this.#style;
    if (branch !== undefined) this.#text += `On branch ${shortBranch(this.#report)}\n`;
    else if (this.#report.rebase !== undefined) {
      const { isInteractive, onto } = this.#report.rebase;
      this.#text += `${paint(colors, 'nobranch', `${isInteractive ? 'interactive rebase' : 'rebase'} in progress; onto `)}${onto}\n`;
    } else if (detached !== undefined) this.#text += `${paint(colors, 'nobranch', detached.isAt ? 'HEAD detached at ' : 'HEAD detached from ')}${latin1(detached.from)}\n`;
    else this.#text += `${paint(colors, 'nobranch', 'Not currently on any branch.')}\n`;
    if (upstream !== undefined) this.#formatUpstream(upstream);
  }

  #formatUpstream(upstream: Upstream): void {
    this.#text += `${formatTracking(upstream, this.#program, this.#style.hints)}\n`;
  }

  #formatOperation(hasUnmerged: boolean): void {
    const { merge, rebase, bisectFrom } = this.#report;
    if (merge.mergeHeads.length > 0) {
      if (hasUnmerged) {
        this.#text += 'You have unmerged paths.\n';
        this.#hint('fix conflicts and run "$ commit"');
        this.#hint('use "$ merge --abort" to abort the merge');
      } else {
        this.#text += 'All conflicts fixed but you are still merging.\n';
        this.#hint('use "$ commit" to conclude merge');
      }
      this.#text += '\n';
    } else if (rebase !== undefined) this.#formatRebase(rebase, hasUnmerged);
    else if (merge.cherryPickHead !== undefined || merge.sequence === 'pick') {
      this.#formatReplay('cherry-pick', 'Cherry-pick', 'cherry-picking', merge.sequence === 'pick' ? undefined : merge.cherryPickHead, hasUnmerged);
    } else if (merge.revertHead !== undefined || merge.sequence === 'revert') {
      this.#formatReplay('revert', 'Revert', 'reverting', merge.sequence === 'revert' ? undefined : merge.revertHead, hasUnmerged);
    }
    if (bisectFrom === undefined) return;
    this.#text += bisectFrom === '' ? 'You are currently bisecting.\n' : `You are currently bisecting, started from branch '${latin1(bisectFrom)}'.\n`;
    this.#hint('use "$ bisect reset" to get back to the original branch', '');
    this.#text += '\n';
  }

  /** One commit of many, or a single one. */
  #formatReplay(command: string, title: string, doing: string, single: ObjectId | undefined, hasUnmerged: boolean): void {
    this.#text += single === undefined ? `${title} currently in progress.\n` : `You are currently ${doing} commit ${abbreviateId(this.#style.repository, single)}.\n`;
    this.#hint(hasUnmerged ? `fix conflicts and run "$ ${command} --continue"`
      : single === undefined ? `run "$ ${command} --continue" to continue` : `all conflicts fixed: run "$ ${command} --continue"`);
    this.#hint(`use "$ ${command} --skip" to skip this patch`);
    this.#hint(`use "$ ${command} --abort" to cancel the ${command} operation`);
    this.#text += '\n';
  }

  #formatRebase(rebase: RebaseProgress, hasUnmerged: boolean): void {
    const { done, todo, branch, onto, isInteractive, isSplitting, isReplaying } = rebase;
    const isDirty = this.#report.entries.some(({ change }) => change !== undefined);
    if (isInteractive) {
      if (done.length === 0) this.#text += 'No commands done.\n';
      else {
        this.#text += `Last ${done.length === 1 ? 'command' : 'commands'} done (${done.length} ${done.length === 1 ? 'command' : 'commands'} done):\n`;
        for (const line of done.slice(-2)) this.#text += `   ${line}\n`;
        if (done.length > 2) this.#hint(`see more in file ${rebase.donePath}`);
      }
      if (todo.length === 0) this.#text += 'No commands remaining.\n';
      else {
        this.#text += `Next ${todo.length === 1 ? 'command' : 'commands'} to do (${todo.length} remaining ${todo.length === 1 ? 'command' : 'commands'}):\n`;
        for (const line of todo.slice(0, 2)) this.#text += `   ${line}\n`;
        this.#hint('use "$ rebase --edit-todo" to view and edit');
      }
    }
    const what = branch === undefined ? '' : ` branch '${branch}' on '${onto}'`;
    if (!isReplaying && !hasUnmerged && isSplitting && isDirty) {
      this.#text += branch === undefined ? 'You are currently splitting a commit during a rebase.\n' : `You are currently splitting a commit while rebasing${what}.\n`;
      this.#hint('Once your working directory is clean, run "$ rebase --continue"');
    } else if (!isReplaying && !hasUnmerged) {
      this.#text += branch === undefined ? 'You are currently editing a commit during a rebase.\n' : `You are currently editing a commit while rebasing${what}.\n`;
      this.#hint('use "$ commit --amend" to amend the current commit');
      this.#hint('use "$ rebase --continue" once you are satisfied with your changes');
    } else {
      this.#text += branch === undefined ? 'You are currently rebasing.\n' : `You are currently rebasing${what}.\n`;
      if (hasUnmerged) {
        this.#hint('fix conflicts and then run "$ rebase --continue"');
        this.#hint('use "$ rebase --skip" to skip this patch');
        this.#hint('use "$ rebase --abort" to check out the original branch');
      } else this.#hint('all conflicts fixed: run "$ rebase --continue"');
    }
    this.#text += '\n';
  }

  /** How to take something back out of the index; nothing while a merge is concluded. */
  #formatUnstageHint(): void {
    const { merge, head } = this.#report;
    if (merge.mergeHeads.length > 0 || merge.cherryPickHead !== undefined) return;
    this.#hint(head === undefined ? 'use "$ rm --cached <file>..." to unstage' : 'use "$ restore --staged <file>..." to unstage');
  }

  #line(slot: keyof StatusColors, word: string, width: number, name: string): void {
    this.#text += `\t${paint(this.#style.colors, slot, `${word.padEnd(width)}${name}`)}\n`;
  }

  #formatStaged(entries: readonly StatusEntry[]): void {
    if (entries.length === 0) return;
    this.#text += 'Changes to be committed:\n';
    this.#formatUnstageHint();
    for (const { path, staged } of entries) this.#line('added', stagedWords[staged!.status]!, stagedWidth, this.#names(path, staged!));
    this.#text += '\n';
  }

  #names(path: RepoPath, { oldPath }: DiffEntry): string {
    return oldPath === undefined ? this.#quote(path) : `${this.#quote(oldPath)} -> ${this.#quote(path)}`;
  }

  #formatUnmerged(entries: readonly StatusEntry[]): void {
    if (entries.length === 0) return;
    const masks = entries.map(stageMask);
    const bothDeleted = masks.includes(1);
    const oneDeleted = masks.some((mask) => mask === 3 || mask === 5);
    const notDeleted = masks.some((mask) => mask !== 1 && mask !== 3 && mask !== 5);
    this.#text += 'Unmerged paths:\n';
    this.#formatUnstageHint();
    const verb = !bothDeleted && !oneDeleted ? 'add' : bothDeleted && !oneDeleted && !notDeleted ? 'rm' : undefined;
    this.#hint(verb === undefined ? 'use "$ add/rm <file>..." as appropriate to mark resolution' : `use "$ ${verb} <file>..." to mark resolution`);
    entries.forEach((entry, at) => this.#line('unmerged', unmergedWords[masks[at]!]!, unmergedWidth, this.#quote(entry.path)));
    this.#text += '\n';
  }

  #formatChanged(entries: readonly StatusEntry[]): void {
    if (entries.length === 0) return;
    const hasDeleted = entries.some(({ change }) => change!.kind === 'deleted');
    this.#text += 'Changes not staged for commit:\n';
    this.#hint(`use "$ ${hasDeleted ? 'add/rm' : 'add'} <file>..." to update what will be committed`);
    this.#hint('use "$ restore <file>..." to discard changes in working directory');
    for (const { path, change } of entries) {
      const isNested = change!.new?.mode === gitlinkMode;
      this.#line('changed', stagedWords[worktreeLetters[change!.kind]]!, stagedWidth, this.#quote(path));
      if (isNested) this.#text = this.#text.replace(/\n$/, ' (new commits)\n');
    }
    this.#text += '\n';
  }

  #formatOthers(title: string, verb: string, paths: readonly RepoPath[]): void {
    if (paths.length === 0) return;
    this.#text += `${title}:\n`;
    this.#hint(`use "$ ${verb} <file>..." to include in what will be committed`);
    for (const path of paths) this.#text += `\t${paint(this.#style.colors, 'untracked', this.#quote(path))}\n`;
    this.#text += '\n';
  }

  #summary(isDirty: boolean): string {
    const { hints, options } = this.#style;
    const because = (text: string): string => hints ? ` (${text.replaceAll('$', this.#program)})` : '';
    if (isDirty) return `no changes added to commit${because('use "$ add" and/or "$ commit -a"')}`;
    if (this.#report.untracked.length > 0) return `nothing added to commit but untracked files present${because('use "$ add" to track')}`;
    if (this.#report.head === undefined) return `nothing to commit${because('create/copy files and use "$ add" to track')}`;
    if (options.untracked === 'no') return `nothing to commit${because('use -u to show untracked files')}`;
    return 'nothing to commit, working tree clean';
  }
}

// ---- JSON

const changeWords: Readonly<Record<string, string>> = { A: 'added', C: 'copied', D: 'deleted', M: 'modified', R: 'renamed', T: 'typechange', U: 'unmerged' };

/** One object; its fields are described in cairn-status(1) and stay. */
export function formatJson(report: StatusReport, style: StatusStyle): string {
  const { upstream } = report;
  const entries = report.entries.map((entry) => ({
    ...jsonPath('path', entry.path),
    ...(entry.staged?.oldPath === undefined ? {} : jsonPath('oldPath', entry.staged.oldPath)),
    staged: entry.staged === undefined || entry.stages !== undefined ? null : changeWords[entry.staged.status],
    unstaged: entry.change === undefined || entry.stages !== undefined ? null : entry.change.kind,
    conflict: entry.stages === undefined ? null : unmergedWords[stageMask(entry)]!.replace(/:$/, ''),
  }));
  return `${JSON.stringify({
    branch: report.branch?.replace(/^refs\/heads\//, '') ?? null,
    head: report.head ?? null,
    upstream: upstream === undefined ? null : { name: upstream.shortName, gone: upstream.gone, ahead: upstream.ahead ?? null, behind: upstream.behind ?? null },
    merging: report.merge.mergeHeads.length > 0,
    clean: report.entries.length === 0 && report.untracked.length === 0,
    entries,
    untracked: report.untracked.map((path) => jsonPath('path', path)),
    ignored: style.options.ignored === 'no' ? null : report.ignored.map((path) => jsonPath('path', path)),
  })}\n`;
}

/** A name that is not UTF-8 comes with its bytes, in base64, beside what is readable of it. */
function jsonPath(field: string, path: string): Record<string, string> {
  const bytes = Buffer.from(path, 'latin1');
  return isUtf8(bytes) ? { [field]: bytes.toString() } : { [field]: bytes.toString(), [`${field}Base64`]: bytes.toString('base64') };
}
