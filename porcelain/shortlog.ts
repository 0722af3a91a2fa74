// Commits put together by who made them, or by whatever else they share: names in byte order, subjects in the order they came.
//
// A commit counts once under each name it has. All text is latin1. Specified by git-shortlog(1).
import { wrapText } from '../plumbing/history/format.js';

/** How lines of subjects are filled: the width (0: never broken), and how far the first and the other lines are indented. */
export interface LineFill {
  readonly width: number;
  readonly first: number;
  readonly rest: number;
}

export interface ShortlogOptions {
  /** Only count. */
  readonly countsOnly: boolean;
  /** The most commits first. */
  readonly byNumber: boolean;
  readonly fill?: LineFill | undefined;
}

/** The groups and what is in them. */
export class Shortlog {
  readonly #options: ShortlogOptions;
  readonly #groups = new Map<string, { count: number; readonly subjects: string[] }>();

  constructor(options: ShortlogOptions) {
    this.#options = options;
  }

  /** Adds a commit to a group; `text` begins with its subject. */
  add(name: string, text: string): void {
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, group = { count: 0, subjects: [] });
    group.count += 1;
    if (!this.#options.countsOnly) group.subjects.push(subjectFor(text));
  }

  /** The report, a group at a time. */
  *format(): Generator<string> {
    const groups = [...this.#groups].sort(([one], [other]) => (one < other ? -1 : 1));
    if (this.#options.byNumber) groups.sort(([, one], [, other]) => other.count - one.count);
    for (const [name, { count, subjects }] of groups) {
      if (this.#options.countsOnly) yield `${String(count).padStart(6)}\t${name}\n`;
      else yield `${name} (${count}):\n${subjects.reverse().map((subject) => this.#line(subject)).join('')}\n`;
    }
  }

  #line(subject: string): string {
    const { fill } = this.#options;
    return fill === undefined ? `      ${subject}\n` : `${wrapText(subject, fill.width, fill.first, fill.rest)}\n`;
  }
}

/** The first paragraph on one line, without what mailing lists put before it. */
function subjectFor(text: string): string {
  let at = text.replace(/^[ \t\r\n]+/, '');
  const end = at.indexOf('\n');
  const bracket = at.startsWith('[PATCH') ? at.indexOf(']') : -1;
  if (bracket >= 0 && (end < 0 || bracket < end)) at = at.slice(bracket + 1);
  const lines: string[] = [];
  for (const line of at.replace(/^[ \t\r]+/, '').split('\n')) {
    const trimmed = line.replace(/[ \t\r\n\v\f]+$/, '');
    if (trimmed === '') break;
    lines.push(trimmed);
  }
  return lines.join(' ');
}
