// What a command is, and how its arguments are parsed: a table of options in, typed questions out. Git's habits: short options
// cluster and take their value attached, long ones may be abbreviated and negated, `--` ends them, `-h` prints usage.
import { UsageError } from '../pack/errors.js';
import { didYouMean } from './near-words.js';

/** Everything a command may know of the outside; tests hand in their own. */
export interface Context {
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly process: {
    readonly pid: number;
    readonly host: string;
    readonly uid: number;
    /** What to start to run this program again (node and its script); absent in tests. */
    readonly program?: readonly string[];
    /** Makes `directory` the process's own, so that looking at many files below it costs less; absent where the process is shared. */
    readonly enter?: (directory: string) => void;
    /** Hears signals that ask the process to stop, instead of stopping at once, until disposed of; absent where the process is shared. */
    readonly listen?: () => SignalListener;
    /** Writes to a file descriptor this process was started with; undefined when there is none of that number. */
    readonly openOutput?: (fd: number) => Output | undefined;
  };
  /** Config given on the command line (`-c name=value`), in order. */
  readonly configOverrides: readonly (readonly [name: string, value: string | undefined])[];
  /** Where the process outlives the command: takes what lets go of open files, to be called when the command is over. */
  readonly atEnd?: (release: () => void) => void;
}

export interface SignalListener extends Disposable {
  /** The number of a signal that came since listening began; undefined when none did. */
  look(): Promise<number | undefined>;
}

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  nowMs(): number;
  /** Minutes east of UTC that the local time zone has at that time. */
  offsetMinutes(atMs: number): number;
}

export interface Input {
  /** True when a person types. */
  readonly isTerminal: boolean;
  /** The next piece, of any size; undefined at the end. Blocks. */
  readChunk(): Buffer | undefined;
}

export interface Output {
  readonly isTerminal: boolean;
  /** Columns of the terminal; 80 when unknown. */
  readonly columns: number;
  /** Strings are written as UTF-8. Buffered; `flush` writes through. Throws EPIPE when nobody reads any more. */
  write(data: string | Uint8Array): void;
  flush(): void;
}

export interface OptionSpec {
  /** Long name without dashes; also how the option is asked for. A short-only option has a `name` of one character. */
  readonly name: string;
  /** One character. */
  readonly short?: string;
  /** Placeholder of the value, e.g. 'file'. Absent: the option takes no value. */
  readonly value?: string;
  /** The value may be left out (then only `--name=value` or `-xvalue` gives one). */
  readonly valueOptional?: boolean;
  /** The value may be left out only where the command line ends: `--name value`, or `--name` as the last word. */
  readonly valueOptionalAtEnd?: boolean;
  /** `--no-<name>` is accepted and undoes it. */
  readonly negatable?: boolean;
  /** Accepted but not shown in usage. */
  readonly hidden?: boolean;
  /** One line, lower case, no full stop. */
  readonly help: string;
}

export interface Command {
  /** As typed. */
  readonly name: string;
  /** 'git': Git defines it, errors exit as git's (128); 'cairn': ours, exit codes by error class. */
  readonly family: 'git' | 'cairn';
  /** One line for `cairn help`: lower case, imperative, no full stop. */
  readonly summary: string;
  /** Lines after "usage: ", each beginning with the command's name. */
  readonly usage: readonly string[];
  readonly options: readonly OptionSpec[];
  /** `-<number>` is accepted as an option named 'number' (log -5). */
  readonly numeric?: boolean;
  /** Options end at the first positional argument. */
  readonly stopAtPositional?: boolean;
  /** Long output goes through the pager when standard output is a terminal. */
  readonly paged?: boolean;
  /** The command reads `argv` itself (rev-parse); `options` then serves help and pages only. */
  readonly rawArguments?: boolean;
  /** Returns the exit code: 0, or 1 for an answer of "no". Errors are thrown. */
  run(context: Context, args: Arguments): number | Promise<number>;
}

/** One parsed item, in the order typed. */
export type ArgumentToken =
  | { readonly kind: 'option'; readonly name: string; readonly value: string | undefined; readonly negated: boolean }
  | { readonly kind: 'positional'; readonly value: string; readonly afterDashes: boolean };

export class Arguments {
  readonly tokens: readonly ArgumentToken[];
  /** As typed, after the command's name. */
  readonly argv: readonly string[];
  constructor(argv: readonly string[], tokens: readonly ArgumentToken[]) {
    this.argv = argv;
    this.tokens = tokens;
  }

  /** True when the option was given and not undone afterwards. */
  has(name: string): boolean {
    return this.flag(name) === true;
  }

  /** The last word on an option: true (given), false (undone by --no-...), undefined (not mentioned). */
  flag(name: string): boolean | undefined {
    const token = this.#last(name);
    return token && !token.negated;
  }

  /** The last value given; undefined when not given, given without one, or undone. */
  value(name: string): string | undefined {
    const token = this.#last(name);
    return token && !token.negated ? token.value : undefined;
  }

  /** All values in order; `--no-<name>` empties what came before it. */
  values(name: string): string[] {
    let found: string[] = [];
    for (const token of this.tokens) {
      if (token.kind !== 'option' || token.name !== name) continue;
      if (token.negated) found = [];
      else if (token.value !== undefined) found.push(token.value);
    }
    return found;
  }

  /** How often a flag was given (-vv). */
  count(name: string): number {
    let count = 0;
    for (const token of this.tokens) if (token.kind === 'option' && token.name === name) count = token.negated ? 0 : count + 1;
    return count;
  }

  /** The last one given among several options that exclude or override one another; undefined when none was. */
  lastOf(...names: readonly string[]): string | undefined {
    for (let at = this.tokens.length - 1; at >= 0; at -= 1) {
      const token = this.tokens[at]!;
      if (token.kind === 'option' && !token.negated && names.includes(token.name)) return token.name;
    }
    return undefined;
  }

  get positionals(): string[] {
    return this.tokens.flatMap((token) => token.kind === 'positional' ? [token.value] : []);
  }

  /** Positional arguments before and after `--`; `dashes` tells whether it was typed. */
  split(): { readonly before: string[]; readonly after: string[]; readonly dashes: boolean } {
    const before: string[] = [];
    const after: string[] = [];
    for (const token of this.tokens) if (token.kind === 'positional') (token.afterDashes ? after : before).push(token.value);
    return { before, after, dashes: this.dashes };
  }

  /** True when `--` was typed as an argument of its own. */
  get dashes(): boolean {
    return this.argv.includes('--');
  }

  #last(name: string): (ArgumentToken & { kind: 'option' }) | undefined {
    for (let at = this.tokens.length - 1; at >= 0; at -= 1) {
      const token = this.tokens[at]!;
      if (token.kind === 'option' && token.name === name) return token;
    }
    return undefined;
  }
}

/** Thrown for `-h`: main prints the command's usage to stdout and exits with 129, as git does. */
export class UsageRequested extends UsageError {}

/** Parses `argv` by the command's table; UsageError names the option that is unknown, ambiguous or lacks its value. */
export function parseArguments(command: Pick<Command, 'options' | 'numeric' | 'stopAtPositional' | 'rawArguments'>, argv: readonly string[]): Arguments {
  const tokens: ArgumentToken[] = [];
  if (command.rawArguments) {
    if (argv.length === 1 && argv[0] === '-h') throw new UsageRequested('usage requested');
    return new Arguments(argv, argv.map((value) => ({ kind: 'positional', value, afterDashes: false })));
  }
  const byShort = new Map<string, OptionSpec>();
  for (const spec of command.options) {
    if (spec.short !== undefined) byShort.set(spec.short, spec);
    else if (spec.name.length === 1) byShort.set(spec.name, spec);
  }
  let at = 0;
  let ended = false;
  let afterDashes = false;
  while (at < argv.length) {
    const word = argv[at]!;
    at += 1;
    if (ended || word === '-' || !word.startsWith('-')) {
      tokens.push({ kind: 'positional', value: word, afterDashes });
      if (command.stopAtPositional) ended = true;
    } else if (word === '--') {
      ended = true;
      afterDashes = true;
    } else if (word === '--end-of-options') {
      ended = true;
    } else if (word === '-h' && !byShort.has('h')) {
      throw new UsageRequested('usage requested');
    } else if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      const typed = equals < 0 ? word.slice(2) : word.slice(2, equals);
      const { spec, negated } = findLong(command.options, typed);
      let value = equals < 0 ? undefined : word.slice(equals + 1);
      if (value !== undefined && (spec.value === undefined || negated)) throw new UsageError(`option '${typed}' takes no value`);
      if (spec.value !== undefined && !spec.valueOptional && !negated && value === undefined) {
        if (at >= argv.length && !spec.valueOptionalAtEnd) throw new UsageError(`option '${spec.name}' requires a value`);
        value = argv[at];
        at += 1;
      }
      tokens.push({ kind: 'option', name: spec.name, value, negated });
    } else if (command.numeric && /^-[0-9]+$/.test(word)) {
      tokens.push({ kind: 'option', name: 'number', value: word.slice(1), negated: false });
    } else {
      at = parseCluster(word, argv, at, command.numeric ? new Map([...byShort, ...digitOptions]) : byShort, tokens);
    }
  }
  return new Arguments(argv, tokens);
}

/** Where `-<number>` is an option, it may end a word of others (-n2). */
const digitOptions: readonly (readonly [string, OptionSpec])[] = [...'0123456789'].map((digit) => [digit, { name: 'number', short: digit, value: 'number', help: '' }]);

/** One word of short options, `-xvf`; returns the index of the next word. */
function parseCluster(word: string, argv: readonly string[], next: number, byShort: Map<string, OptionSpec>, tokens: ArgumentToken[]): number {
  for (let letter = 1; letter < word.length; letter += 1) {
    const spec = byShort.get(word[letter]!);
    if (spec === undefined) throw new UsageError(`unknown switch '${word[letter]}'`);
    if (spec.value === undefined) {
      tokens.push({ kind: 'option', name: spec.name, value: undefined, negated: false });
      continue;
    }
    let value: string | undefined = word.slice(spec.name === 'number' ? letter : letter + 1) || undefined;
    if (value === undefined && !spec.valueOptional) {
      if (next >= argv.length) throw new UsageError(`switch '${word[letter]}' requires a value`);
      value = argv[next]!;
      next += 1;
    }
    tokens.push({ kind: 'option', name: spec.name, value, negated: false });
    break;
  }
  return next;
}

function findLong(options: readonly OptionSpec[], typed: string): { spec: OptionSpec; negated: boolean } {
  const near = new Map<string, { spec: OptionSpec; negated: boolean }>();
  for (const spec of options) {
    if (spec.name.length > 1 || spec.short === undefined) {
      if (spec.name === typed && typed.length > 1) return { spec, negated: false };
      if (spec.name.length > 1 && spec.name.startsWith(typed)) near.set(spec.name, { spec, negated: false });
    }
    if (spec.negatable) {
      // An option named "no-verify" is undone by "--verify".
      const opposite = spec.name.startsWith('no-') ? spec.name.slice(3) : `no-${spec.name}`;
      if (opposite === typed) return { spec, negated: true };
      if (opposite.startsWith(typed)) near.set(opposite, { spec, negated: true });
    }
  }
  if (near.size === 1) return near.values().next().value!;
  if (near.size > 1) {
    const [one, two] = [...near.keys()];
    throw new UsageError(`ambiguous option: ${typed} (could be --${one} or --${two})`);
  }
  const hint = didYouMean(typed, options.filter(({ name, hidden }) => name.length > 1 && !hidden).map(({ name }) => name), { before: '--' });
  throw new UsageError(`unknown option '${typed}'`, hint === undefined ? {} : { hint });
}
