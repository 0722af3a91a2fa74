// What may stand where on a command's line, read off its usage lines: the words a command begins with (`stash pop`), and what kind
// of thing its placeholders ask for. Completion lives from it, so a usage line is the one place where either is written down.
import type { Command } from '../plumbing/command.js';

/** What a placeholder such as `<branch>` asks for. */
export type WordKind = 'branch' | 'tag' | 'revision' | 'path' | 'channel' | 'stash' | 'hold' | 'hook' | 'command' | 'worktree' | 'config' | 'shell' | 'notes-ref';

const kindOfPlaceholder: Readonly<Record<string, WordKind>> = {
  base: 'revision', bad: 'revision', bottom: 'revision', branch: 'branch', channel: 'channel', command: 'command', commit: 'revision',
  'commit-ish': 'revision', dir: 'path', directory: 'path', destination: 'path', file: 'path', from: 'revision', good: 'revision', head: 'revision',
  'hook-name': 'hook', object: 'revision', path: 'path', paths: 'path', pathspec: 'path', ref: 'revision', rev: 'revision', revision: 'revision',
  'revision range': 'revision', shell: 'shell', source: 'path', start: 'revision', 'start-point': 'revision', stash: 'stash', subtree: 'path', tag: 'tag',
  tree: 'revision', 'tree-ish': 'revision', upstream: 'revision', worktree: 'worktree', range: 'revision', to: 'revision', what: 'revision',
};

/** Placeholders that mean something else with one command; undefined: nothing can be proposed. */
const exceptions: Readonly<Record<string, WordKind | undefined>> = {
  'branch name': 'branch', 'branch old': 'branch', 'branch pattern': 'branch', 'tag name': 'tag', 'tag pattern': 'tag', 'config name': 'config',
  'hold id': 'hold', 'hold commit|release': 'revision', 'rebase command': undefined, 'bisect command': undefined, 'notes ref': 'notes-ref',
  'show-branch rev': 'revision', 'import branch': 'branch', 'stash branch': undefined, 'release commit': 'revision',
};

/** The kind a placeholder of a command's usage line or option asks for; undefined when nothing can be proposed. */
export function kindOf(command: string, placeholder: string): WordKind | undefined {
  const special = `${command} ${placeholder}`;
  return Object.hasOwn(exceptions, special) ? exceptions[special] : kindOfPlaceholder[placeholder];
}

/** A usage line: the words of which one comes first ([] when none does), and the placeholders that are not values of options. */
interface UsageLine {
  readonly verbs: readonly string[];
  readonly placeholders: readonly string[];
  /** Options as they are written there, and those of which one must be given. */
  readonly options: readonly string[];
  readonly required: readonly string[];
}

function readUsage(command: string, line: string, takesValue: (option: string) => boolean): UsageLine {
  let rest = line.slice(command.length).replace(/\s+/g, ' ').trim();
  // Options that come before the word: [--ref <ref>].
  for (let option = /^\[-[^\]]*\] /.exec(rest); option !== null; option = /^\[-[^\]]*\] /.exec(rest)) rest = rest.slice(option[0].length);
  const first = /^(?:\[([a-z][a-z-]*)\b(?=[\] ])|\(([a-z][^)]*)\)|([a-z][a-z-]*)(?= |$)|\[\(([a-z][^)]*)\)\])/.exec(rest);
  const verbs = first === null ? [] : (first[1] ?? first[2] ?? first[3] ?? first[4]!).split('|').map((word) => word.trim()).filter((word) => /^[a-z][a-z-]*$/.test(word));
  const placeholders: string[] = [];
  for (const [, before, name] of rest.matchAll(/(?:(--?[\w-]+)\)?[= ])?<([^>]+)>/g)) {
    if (before === undefined || !takesValue(before)) placeholders.push(name!);
  }
  return { verbs, placeholders, options: optionsIn(rest), required: optionsIn(withoutOptional(rest)) };
}

function optionsIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w<-])--?[A-Za-z][\w-]*/g)].map(([option]) => option);
}

function withoutOptional(text: string): string {
  const less = text.replace(/\[[^[\]]*\]/g, '');
  return less === text ? text : withoutOptional(less);
}

/** What a command's usage lines say of its arguments. */
export class CommandLineShape {
  readonly #command: string;
  readonly #lines: readonly UsageLine[];

  constructor({ name, usage, options }: Pick<Command, 'name' | 'usage' | 'options'>) {
    this.#command = name;
    const takesValue = (typed: string): boolean =>
      options.some((option) => option.value !== undefined && [option.name, option.short].includes(typed.replace(/^--?/, '')));
    this.#lines = usage.filter((line) => line.startsWith(name)).map((line) => readUsage(name, line, takesValue));
  }

  /** The words the command may begin with, as `pop` in `stash pop`. */
  get verbs(): string[] {
    return [...new Set(this.#lines.flatMap(({ verbs }) => verbs))];
  }

  /** What arguments may be, behind `verb` when one was typed, and given the options that were: `tag -d` wants tags, `tag -a` more. */
  kinds(verb: string | undefined, typed: readonly string[]): Set<WordKind> {
    const fitting = this.#lines.filter(({ verbs, required }) => (verb === undefined ? verbs.length === 0 : verbs.includes(verb))
      && (required.length === 0 || required.some((option) => typed.includes(option))));
    const meant = fitting.filter(({ options }) => typed.some((option) => options.includes(option)));
    const lines = meant.length > 0 ? meant : fitting;
    const found = new Set<WordKind>();
    for (const placeholder of lines.flatMap(({ placeholders }) => placeholders)) {
      const kind = kindOf(this.#command, placeholder);
      if (kind !== undefined) found.add(kind);
    }
    return found;
  }
}
