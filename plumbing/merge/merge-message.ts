// The message of a merge, made from the list of what is merged: its first line names branches, tags and places, then come the messages of tags
// and, when wanted, the subjects of the commits that are new (git-fmt-merge-msg(1)). The list has the lines of FETCH_HEAD: an id, a tab, nothing or
// 'not-for-merge', a tab, and a description. Texts are latin1: one character per byte. Nothing is written.
import { CairnError, InvalidError } from '../../pack/errors.js';
import { type ObjectId, hexSize, isObjectId } from '../../pack/oid.js';
import { messageOf, subjectOf } from '../history/format.js';
import { authorIdent, committerIdent } from '../identity.js';
import { removeRedundant } from '../history/merge-base.js';
import { commentCharacter, commentLines } from '../message.js';
import type { Repository } from '../repository.js';
import { peel } from '../history/revision.js';
import { RevWalk } from '../history/walk.js';
import { signatureStart } from '../signature/signed-object.js';
import { wildmatch } from '../wildmatch.js';

export interface MergeMessageOptions {
  /** How many subjects of each branch are listed; none for 0. */
  readonly log: number;
  /** What the message begins with, instead of a line of ours that names what is merged. */
  readonly given?: string | undefined;
  /** The name of what is merged into, instead of the current branch's. */
  readonly into?: string | undefined;
}

/** What is merged from one place. */
interface Source {
  readonly name: string;
  head: 'alone' | 'too' | 'no';
  readonly branches: string[];
  readonly trackingBranches: string[];
  readonly tags: string[];
  readonly others: string[];
}

interface Origin {
  readonly name: string;
  readonly id: ObjectId;
  readonly isLocalBranch: boolean;
}

/** How many subjects there are when nobody said so. */
export const usualLogLength = 20;

/** merge.log (or merge.summary, its old name): how many subjects are listed. */
export function readLogLength(repository: Repository): number {
  const { config } = repository;
  const entry = config.list().findLast(({ name }) => name === 'merge.log' || name === 'merge.summary');
  if (entry === undefined) return 0;
  if (/^-?[0-9]+[kmg]?$/i.test(entry.value ?? '')) {
    const count = config.getInteger(entry.name)!;
    if (count < 0) throw new InvalidError(`${entry.name}: negative length ${entry.value ?? ''}`, { code: 'bad-config-value' });
    return count;
  }
  return config.getBoolean(entry.name) === true ? usualLogLength : 0;
}

/** The message for merging what `list` names into HEAD; of what is there already nothing is said. InvalidError when HEAD has no commit yet. */
export function formatMergeMessage(repository: Repository, list: string, options: MergeMessageOptions): string {
  return new Message(repository, options).format(list);
}

class Message {
  readonly #repository: Repository;
  readonly #options: MergeMessageOptions;
  readonly #sources: Source[] = [];
  readonly #origins: Origin[] = [];
  readonly #comment: string;

  constructor(repository: Repository, options: MergeMessageOptions) {
    this.#repository = repository;
    this.#options = options;
    this.#comment = commentCharacter(repository.config.get('core.commentchar'), '');
  }

  format(list: string): string {
    const { refs } = this.#repository;
    const head = refs.resolve('HEAD');
    const headId = refs.find('HEAD')?.id;
    if (headId === undefined) throw new InvalidError('no current branch', { code: 'no-head' });
    const into = this.#options.into ?? (head.name.startsWith('refs/heads/') ? head.name.slice('refs/heads/'.length) : head.name);
    const lines = list.replace(/\n$/, '').split('\n');
    const needed = list === '' ? new Set<string>() : this.#findNeeded(lines, headId);
    for (const [at, line] of (list === '' ? [] : lines).entries()) this.#read(line, at + 1, needed);
    let text = this.#options.given ?? (this.#sources.length > 0 ? this.#title(Buffer.from(into).toString('latin1')) : '');
    text += this.#tagMessages();
    if (this.#options.log > 0) {
      text = text.replace(/([^\n])$/, '$1\n');
      for (const origin of this.#origins) text += this.#shortLog(origin, headId);
    }
    return text.replace(/([^\n])$/, '$1\n');
  }

  /** The ids in the list whose commits neither HEAD nor one of the others leads to. */
  #findNeeded(lines: readonly string[], head: ObjectId): Set<string> {
    const digits = hexSize(this.#repository.format);
    const commits = new Map<string, ObjectId>();
    for (const line of lines) {
      const id = line.slice(0, digits);
      if (!isObjectId(id, this.#repository.format) || line.slice(digits, digits + 2) !== '\t\t') continue;
      const commit = peel(this.#repository, id, 'commit');
      if (commit !== undefined) commits.set(id, commit);
    }
    const all = [...new Set([head, ...commits.values()])];
    const kept = new Set(removeRedundant(this.#repository, all));
    return new Set([...commits].filter(([, commit]) => kept.has(commit)).map(([id]) => id));
  }

  #read(line: string, number: number, needed: ReadonlySet<string>): void {
    const { format } = this.#repository;
    const digits = hexSize(format);
    const bad = (): InvalidError => new InvalidError(`error in line ${number}: ${Buffer.from(line, 'latin1').toString()}`, { code: 'bad-merge-list' });
    if (line.length < digits + 3 || line[digits] !== '\t') throw bad();
    if (line.startsWith('not-for-merge', digits + 1)) return;
    const id = line.slice(0, digits);
    if (line[digits + 1] !== '\t' || !isObjectId(id, format)) throw bad();
    if (!needed.has(id)) return;
    const description = line.slice(digits + 2);
    const of = description.indexOf(' of ');
    const what = of < 0 ? description : description.slice(0, of);
    const place = of < 0 ? description : description.slice(of + ' of '.length);
    let source = this.#sources.find(({ name }) => name === place);
    if (source === undefined) {
      source = { name: place, head: 'no', branches: [], trackingBranches: [], tags: [], others: [] };
      this.#sources.push(source);
    }
    const { name, isBranch } = of < 0 ? { name: place, isBranch: false } : sort(source, what, place);
    const hasNames = source.branches.length + source.trackingBranches.length + source.tags.length + source.others.length > 0;
    if (of < 0 || source.head !== 'no') source.head = hasNames ? 'too' : 'alone';
    const plain = /^'[^]*'$/.test(name) ? name.slice(1, -1) : name;
    this.#origins.push({ name: place === '.' || place === name ? plain : `${name} of ${place}`, id, isLocalBranch: isBranch && place === '.' });
  }

  #title(into: string): string {
    const parts = this.#sources.map((source) => {
      if (source.head === 'alone') return source.name;
      const words = [
        ...(source.head === 'too' ? ['HEAD'] : []), ...joined('branch', 'branches', source.branches),
        ...joined('remote-tracking branch', 'remote-tracking branches', source.trackingBranches), ...joined('tag', 'tags', source.tags),
        ...joined('commit', 'commits', source.others),
      ].join(', ');
      return source.name === '.' ? words : `${words} of ${source.name}`;
    });
    return `Merge ${parts.join('; ')}${this.#isUsualPlace(into) ? '' : ` into ${into}`}\n`;
  }

  /** merge.suppressDest: branches that are not worth mentioning; an empty pattern forgets those before it. */
  #isUsualPlace(into: string): boolean {
    let patterns: string[] | undefined;
    for (const { name, raw } of this.#repository.config.list()) {
      if (name !== 'merge.suppressdest') continue;
      if (raw === undefined) throw new InvalidError(`missing value for '${name}'`, { code: 'bad-config-value' });
      patterns = raw === '' ? [] : [...patterns ?? [], raw];
    }
    return (patterns ?? ['main', 'master']).some((pattern) => wildmatch(pattern, into, { pathname: true }));
  }

  /** The messages of the tags among what is merged; of several each under its name. */
  #tagMessages(): string {
    const tags = this.#origins.flatMap(({ name, id }) => {
      const object = this.#repository.objects.find(id);
      return object?.type === 'tag' ? [{ name, text: this.#tagMessage(object.bytes.toString('latin1')) }] : [];
    });
    if (tags.length === 0) return '';
    if (tags.length === 1) return tags[0]!.text === '' ? '' : `\n${tags[0]!.text}`;
    return tags.map(({ name, text }) => `\n${commentLines(name, this.#comment)}${text}`).join('').replace(/^/, '\n');
  }

  #tagMessage(bytes: string): string {
    const payload = bytes.slice(0, signatureStart(bytes));
    const body = payload.indexOf('\n\n');
    const text = body < 0 ? '' : payload.slice(body + 2).replace(/([^\n])$/, '$1\n');
    return payload === bytes ? text : `${text}\n`;
  }

  #shortLog({ name, id, isLocalBranch }: Origin, head: ObjectId): string {
    const repository = this.#repository;
    const tip = peel(repository, id, 'commit');
    if (tip === undefined) return '';
    const { log } = this.#options;
    const subjects: string[] = [];
    const authors = new Map<string, number>();
    const committers = new Map<string, number>();
    const count = (people: Map<string, number>, person: string): unknown => people.set(person, (people.get(person) ?? 0) + 1);
    let commits = 0;
    for (const { commit, id: commitId } of new RevWalk(repository, [{ id: tip }, { id: head, isExcluded: true }])) {
      const isMerge = commit.parents.length > 1;
      if (isMerge || commits === 0) count(committers, commit.committer.name);
      if (isMerge) continue;
      count(authors, commit.author.name);
      commits += 1;
      if (subjects.length <= log) subjects.push(subjectOf(messageOf(commit)).trimStart() || commitId);
    }
    const people = this.#credit('By', authors, () => authorIdent(repository).name) + this.#credit('Via', committers, () => committerIdent(repository).name);
    const heading = commits > log ? `\n* ${name}: (${commits} commits)\n` : `\n* ${name}:\n`;
    const listed = subjects.map((subject, at) => (at >= log ? '  ...\n' : `  ${subject}\n`)).join('');
    return people + heading + (isLocalBranch ? this.#describeBranch(name) : '') + listed;
  }

  /** Who did it, unless that was oneself. */
  #credit(label: string, people: ReadonlyMap<string, number>, me: () => string): string {
    if (people.size === 0) return '';
    const sorted = [...people].sort(([one], [two]) => (one < two ? -1 : 1)).sort(([, one], [, two]) => two - one);
    const [first, second] = sorted;
    if (second === undefined && first![0] === orNothing(me)) return '';
    const words = second === undefined ? first![0] : sorted.length === 2 ? `${first![0]} (${first![1]}) and ${second[0]} (${second[1]})` : `${first![0]} (${first![1]}) and others`;
    return `\n${this.#comment} ${label} ${words}`;
  }

  #describeBranch(name: string): string {
    const { config } = this.#repository;
    if (config.getBoolean('merge.branchdesc') !== true) return '';
    const description = config.find(`branch.${Buffer.from(name, 'latin1').toString()}.description`)?.raw;
    if (description === undefined) return '';
    return description.replace(/\n$/, '').split('\n').map((line) => `  : ${line}\n`).join('');
  }
}

/** Puts what a line describes where it belongs; gives what it is called. */
function sort(source: Source, what: string, place: string): { readonly name: string; readonly isBranch: boolean } {
  const rest = (prefix: string): string | undefined => (what.startsWith(prefix) ? what.slice(prefix.length) : undefined);
  const branch = rest('branch ');
  if (branch !== undefined) {
    source.branches.push(branch);
    return { name: branch, isBranch: true };
  }
  const tag = rest('tag ');
  if (tag !== undefined) {
    source.tags.push(tag);
    return { name: what, isBranch: false };
  }
  const tracking = rest('remote-tracking branch ');
  if (tracking !== undefined) {
    source.trackingBranches.push(tracking);
    return { name: tracking, isBranch: false };
  }
  source.others.push(what);
  return { name: place, isBranch: false };
}

function joined(one: string, many: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  if (names.length === 1) return [`${one} ${names[0]}`];
  return [`${many} ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`];
}

/** Nobody is credited for their own work, as long as they said who they are. */
function orNothing(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CairnError && error.code === 'no-identity') return undefined;
    throw error;
  }
}
