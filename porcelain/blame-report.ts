// How blamed lines are shown: beside who wrote each of them, as annotate shows them, or in one of the forms for programs. Specified by
// git-blame(1). All text is latin1, one character for each byte.
import type { Blame, BlamedCommit, BlamedRun, Suspect } from '../plumbing/blame/blame.js';
import { formatColor } from '../plumbing/color.js';
import type { Clock, Output } from '../plumbing/command.js';
import { type DateMode, formatDate } from '../plumbing/date.js';
import { displayWidth, reencode } from '../plumbing/history/format.js';
import type { Mailmap } from '../plumbing/history/mailmap.js';
import { latin1 } from '../plumbing/latin1.js';
import { quotePath } from '../plumbing/quote.js';
import type { Repository } from '../plumbing/repository.js';

export interface BlameLook {
  readonly isAnnotate: boolean;
  readonly showsMail: boolean;
  readonly showsName: boolean;
  readonly showsNumber: boolean;
  readonly hidesAuthor: boolean;
  readonly showsRawTime: boolean;
  readonly blankBoundary: boolean;
  readonly marksIgnored: boolean;
  readonly marksUnblamable: boolean;
  /** Digits of ids; undefined for as many as tell the commits apart. */
  readonly digits: number | undefined;
  readonly isLong: boolean;
  readonly dateMode: DateMode;
  readonly encoding: string | undefined;
  /** Of the lines after the first of a run. */
  readonly repeatedColor?: string;
  /** By age: the last colour whose time is over. */
  readonly ageColors?: readonly { readonly color: string; readonly since: number }[];
}

/** What is shown of what is in no commit. */
export interface Uncommitted {
  readonly name: string;
  readonly mail: string;
  readonly seconds: number;
  readonly offset: string;
  readonly summary: string;
}

interface Person { readonly name: string; readonly mail: string; readonly seconds: number; readonly offset: string }
interface Details { readonly author: Person; readonly committer: Person; readonly summary: string }

/** Columns a date takes in each form; dates that are shorter are filled up. */
const dateWidths: Readonly<Record<string, number>> = {
  default: 30, rfc: 31, 'iso-strict': 25, iso: 25, raw: 16, unix: 10, short: 10, relative: 22, human: 16,
};

export class BlameReport {
  readonly #repository: Repository;
  readonly #look: BlameLook;
  readonly #mailmap: Mailmap;
  readonly #uncommitted: Uncommitted;
  readonly #details = new Map<BlamedCommit, Details>();
  readonly #shown = new Set<BlamedCommit>();
  readonly #dateWidth: number;

  constructor(repository: Repository, look: BlameLook, mailmap: Mailmap, uncommitted: Uncommitted) {
    this.#repository = repository;
    this.#look = look;
    this.#mailmap = mailmap;
    this.#uncommitted = uncommitted;
    const { kind } = look.dateMode;
    this.#dateWidth = dateWidths[kind] ?? displayWidth(latin1(formatDate(0, '+0000', look.dateMode, this.#clock)));
  }

  get #clock(): Clock {
    return this.#repository.context.clock;
  }

  /** One run as soon as it is known. */
  printIncrement(run: BlamedRun): void {
    this.#print(`${this.#headOf(run, 0)} ${run.count}\n${this.#once(run.suspect)}${this.#fileOf(run.suspect)}`);
    this.#stdout.flush();
  }

  get #stdout(): Output {
    return this.#repository.context.stdout;
  }

  #print(text: string): void {
    this.#stdout.write(Buffer.from(text, 'latin1'));
  }

  /** For programs; `repeats` tells about the commit at every line. */
  printPorcelain(blame: Blame, runs: readonly BlamedRun[], repeats: boolean): void {
    for (const run of runs) {
      const { suspect } = run;
      const isAmbiguous = suspect.commit.suspects.filter(({ isGuilty }) => isGuilty).length > 1;
      const file = this.#fileOf(suspect);
      const once = repeats ? this.#describe(suspect.commit) : this.#once(suspect);
      let text = `${this.#headOf(run, 0)} ${run.count}\n${once}${once !== '' || isAmbiguous ? file : ''}`;
      for (let line = 0; line < run.count; line += 1) {
        if (line > 0) text += `${this.#headOf(run, line)}\n${repeats ? once + file : ''}`;
        text += `\t${this.#lineOf(blame, run.at + line)}`;
      }
      this.#print(text);
    }
  }

  /** One object a line, with the commit's details at each. */
  printJson(blame: Blame, runs: readonly BlamedRun[]): void {
    const text = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();
    for (const { suspect: { commit, path }, at, sourceAt, count } of runs) {
      const { author, summary } = this.#detailsOf(commit);
      const person = { name: text(author.name), email: text(author.mail.slice(1, -1)), seconds: author.seconds, offset: author.offset };
      for (let line = 0; line < count; line += 1) {
        this.#stdout.write(`${JSON.stringify({
          line: at + line + 1, commit: commit.node === undefined ? null : commit.id, originalLine: sourceAt + line + 1, originalPath: text(path),
          author: person, subject: text(summary), boundary: commit.isBoundary, text: text(this.#lineOf(blame, at + line).replace(/\n$/, '')),
        })}\n`);
      }
    }
  }

  #headOf({ suspect, sourceAt, at }: BlamedRun, line: number): string {
    return `${suspect.commit.id} ${sourceAt + line + 1} ${at + line + 1}`;
  }

  #lineOf(blame: Blame, line: number): string {
    const { bytes, starts, count } = blame.image.lines;
    const text = bytes.toString('latin1', starts[line], starts[line + 1]);
    return line === count - 1 && !text.endsWith('\n') ? `${text}\n` : text;
  }

  #once({ commit }: Suspect): string {
    if (this.#shown.has(commit)) return '';
    this.#shown.add(commit);
    return this.#describe(commit);
  }

  #describe(commit: BlamedCommit): string {
    const { author, committer, summary } = this.#detailsOf(commit);
    const person = (role: string, { name, mail, seconds, offset }: Person): string => (
      `${role} ${name}\n${role}-mail ${mail}\n${role}-time ${seconds}\n${role}-tz ${offset}\n`);
    return `${person('author', author)}${person('committer', committer)}summary ${summary}\n${commit.isBoundary ? 'boundary\n' : ''}`;
  }

  #fileOf({ previous, path }: Suspect): string {
    const quoting = { quotePath: this.#repository.config.getBoolean('core.quotepath', true) };
    const before = previous === undefined ? '' : `previous ${previous.commit.id} ${quotePath(previous.path, quoting)}\n`;
    return `${before}filename ${quotePath(path, quoting)}\n`;
  }

  #detailsOf(commit: BlamedCommit): Details {
    let details = this.#details.get(commit);
    if (details === undefined) this.#details.set(commit, details = this.#readDetails(commit));
    return details;
  }

  #readDetails({ id, node }: BlamedCommit): Details {
    if (node === undefined) {
      const { name, mail, seconds, offset, summary } = this.#uncommitted;
      const nobody: Person = { name, mail: `<${mail}>`, seconds, offset };
      return { author: nobody, committer: nobody, summary };
    }
    const { author, committer, message, encoding } = node.commit;
    const shown = (bytes: string): string => (this.#look.encoding === 'none' ? bytes : reencode(bytes, encoding, this.#look.encoding) ?? bytes);
    const person = ({ name, email, seconds, offset }: typeof author): Person => {
      const mapped = this.#mailmap.map({ name: shown(name), email });
      return { name: mapped.name, mail: `<${mapped.email}>`, seconds, offset };
    };
    const subject = /^(?:[ \t\v\f\r]*\n)*([^\n]*)/.exec(message.toString('latin1'))?.[1] ?? '';
    return { author: person(author), committer: person(committer), summary: subject === '' ? `(${id})` : shown(subject) };
  }

  /** For people. */
  printLines(blame: Blame, runs: readonly BlamedRun[], path: string): void {
    const layout = this.#layOut(runs, path);
    for (const run of runs) {
      let text = '';
      for (let line = 0; line < run.count; line += 1) {
        const color = this.#colorOf(run.suspect.commit, line > 0);
        const beside = `${this.#idOf(run, layout.digits)}${this.#look.isAnnotate ? this.#annotation(run, line) : this.#columns(run, line, layout)}`;
        text += `${color}${beside}${color === '' ? '' : '\u001b[m'}${this.#lineOf(blame, run.at + line)}`;
      }
      this.#print(text);
    }
  }

  /** Widths of the columns. */
  #layOut(runs: readonly BlamedRun[], path: string): Layout {
    const { digits, isLong, showsName } = this.#look;
    const { objects, format } = this.#repository;
    let [file, author, sourceLines, lines, unique] = [0, 0, 0, 0, objects.automaticDigits];
    let isElsewhere = showsName;
    const commits = new Set<BlamedCommit>();
    for (const { suspect, at, count, sourceAt } of runs) {
      if (suspect.path !== path) isElsewhere = true;
      file = Math.max(file, suspect.path.length);
      sourceLines = Math.max(sourceLines, sourceAt + count);
      lines = Math.max(lines, at + count);
      if (commits.has(suspect.commit)) continue;
      commits.add(suspect.commit);
      author = Math.max(author, displayWidth(this.#nameOf(suspect.commit)));
      if (digits === undefined) unique = Math.max(unique, objects.abbreviate(suspect.commit.id, unique).length);
    }
    const idDigits = isLong ? (format === 'sha256' ? 64 : 40) : digits ?? unique + 1;
    return { file, author, showsFile: isElsewhere, sourceDigits: String(sourceLines).length, lineDigits: String(lines).length, digits: idDigits };
  }

  #nameOf(commit: BlamedCommit): string {
    const { author } = this.#detailsOf(commit);
    return this.#look.showsMail ? author.mail : author.name;
  }

  #idOf({ suspect: { commit }, isIgnored, isUnblamable }: BlamedRun, digits: number): string {
    const { blankBoundary, isAnnotate, marksIgnored, marksUnblamable } = this.#look;
    let id: string = commit.id;
    let marks = '';
    if (commit.isBoundary) {
      if (blankBoundary) id = ' '.repeat(digits);
      else if (!isAnnotate) marks += '^';
    }
    if (marksUnblamable && isUnblamable) marks += '*';
    if (marksIgnored && isIgnored) marks += '?';
    return marks + id.slice(0, digits - marks.length);
  }

  #annotation({ suspect: { commit }, at }: BlamedRun, line: number): string {
    return `\t(${this.#nameOf(commit).padStart(10)}\t${this.#timeOf(commit).padStart(10)}\t${at + 1 + line})`;
  }

  #columns({ suspect, at, sourceAt }: BlamedRun, line: number, layout: Layout): string {
    const { showsNumber, hidesAuthor } = this.#look;
    let text = '';
    if (layout.showsFile) text += ` ${suspect.path.padEnd(layout.file)}`;
    if (showsNumber) text += ` ${String(sourceAt + 1 + line).padStart(layout.sourceDigits)}`;
    if (!hidesAuthor) {
      const name = this.#nameOf(suspect.commit);
      text += ` (${name}${' '.repeat(Math.max(layout.author - displayWidth(name), 0))} ${this.#timeOf(suspect.commit).padStart(10)}`;
    }
    return `${text} ${String(at + 1 + line).padStart(layout.lineDigits)}) `;
  }

  #timeOf(commit: BlamedCommit): string {
    const { author: { seconds, offset } } = this.#detailsOf(commit);
    if (this.#look.showsRawTime) return `${seconds} ${offset}`;
    const text = latin1(formatDate(seconds, offset, this.#look.dateMode, this.#clock));
    return text + ' '.repeat(Math.max(this.#dateWidth - displayWidth(text), 0));
  }

  #colorOf(commit: BlamedCommit, isRepeated: boolean): string {
    const { repeatedColor, ageColors, isAnnotate } = this.#look;
    if (isAnnotate) return '';
    if (repeatedColor !== undefined && isRepeated) return formatColor(repeatedColor);
    if (ageColors === undefined) return '';
    const { seconds } = this.#detailsOf(commit).author;
    const found = ageColors.find(({ since }) => seconds <= since);
    return formatColor(found?.color ?? 'normal');
  }
}

interface Layout {
  readonly file: number;
  readonly author: number;
  readonly showsFile: boolean;
  readonly sourceDigits: number;
  readonly lineDigits: number;
  readonly digits: number;
}
