// How a path wants to be compared: as text or binary, what begins a function, what is a word. The attribute `diff` of
// gitattributes(5) names a driver; diff.<driver>.* of git-config(1) defines it, and a few languages are known.
import { Attributes, type AttributeValue } from '../content/attributes.js';
import type { Config } from '../config.js';
import { type LineRule, languageRules } from './language-rules.js';
import { latin1 } from '../latin1.js';
import { parsePattern } from '../posix-regex.js';
import type { Repository } from '../repository.js';

/** What begins a function: gives what is shown of a line (latin1, without line end), or undefined. */
export type FunctionFinder = (line: string) => string | undefined;

export interface DiffDriver {
  /** True: never text; false: always text; undefined: look at the content. */
  readonly isBinary?: boolean;
  readonly findFunction: FunctionFinder;
  /** A regular expression (extended) for words. */
  readonly wordPattern?: string;
  /** Words of the language the driver is named after. */
  readonly languageWords?: readonly RegExp[];
  /** Programs that show a difference, and that make content readable; see diff-programs.ts. */
  readonly command?: string;
  readonly textConverter?: string;
}

const longestHeading = 80;

/** Without a driver: a line that begins with a letter, '_' or '$'. */
export const standardFunction: FunctionFinder = (line) => (/^[A-Za-z_$]/.test(line) ? heading(line) : undefined);

function heading(text: string): string {
  return text.slice(0, longestHeading).replace(/[ \t\n\v\f\r]+$/, '');
}

/** Rules, the first that matches decides; one beginning with '!' says no. What the first group matched is shown. */
function finderOf(rules: string, kind: 'basic' | 'extended'): FunctionFinder {
  const patterns = rules.split('\n').map((rule) => {
    const isNegative = rule.startsWith('!');
    return { isNegative, pattern: parsePattern(isNegative ? rule.slice(1) : rule, kind) };
  });
  return (line) => {
    for (const { isNegative, pattern } of patterns) {
      const match = pattern.exec(line);
      if (match === null) continue;
      return isNegative ? undefined : heading(match[1] ?? match[0]);
    }
    return undefined;
  };
}

/** Rules of a language, in a form that is compiled already. */
function finderOfLines(rules: readonly LineRule[]): FunctionFinder {
  return (line) => {
    for (const { pattern, not } of rules) {
      const match = pattern.exec(line);
      if (match !== null) return not ? undefined : heading(match[1] ?? match[0]);
    }
    return undefined;
  };
}

const textDriver: DiffDriver = { isBinary: false, findFunction: standardFunction };
const binaryDriver: DiffDriver = { isBinary: true, findFunction: standardFunction };
/** Of paths without the attribute. */
export const plainDriver: DiffDriver = { findFunction: standardFunction };

/** The drivers of a repository's paths. */
export class DiffDrivers {
  readonly #repository: Repository;
  readonly #prefix: string;
  readonly #named = new Map<string, DiffDriver>();
  #attributes: Attributes | undefined;

  /** `prefix` is put before every relative path that is asked for. */
  constructor(repository: Repository, prefix: string) {
    this.#repository = repository;
    this.#prefix = prefix;
  }

  driverOf(path: string): DiffDriver {
    const value = this.attribute(path, 'diff');
    if (value === undefined) return plainDriver;
    if (typeof value === 'boolean') return value ? textDriver : binaryDriver;
    let driver = this.#named.get(value);
    if (driver === undefined) this.#named.set(value, driver = readDriver(this.#repository.config, value));
    return driver;
  }

  attribute(path: string, name: string): AttributeValue | undefined {
    if (this.#repository.isBare) return undefined;
    this.#attributes ??= Attributes.load(this.#repository);
    return this.#attributes.find(path.startsWith('/') ? path : this.#prefix + path).get(name);
  }
}

function readDriver(config: Config, name: string): DiffDriver {
  const value = (key: string): string | undefined => config.get(`diff.${name}.${key}`);
  const [extended, basic] = [value('xfuncname'), value('funcname')];
  const language = Object.hasOwn(languageRules, name) ? languageRules[name] : undefined;
  let findFunction = standardFunction;
  if (extended !== undefined) findFunction = finderOf(latin1(extended), 'extended');
  else if (basic !== undefined) findFunction = finderOf(latin1(basic), 'basic');
  else if (language !== undefined) findFunction = finderOfLines(language.functions);
  const binary = value('binary');
  const isBinary = binary === undefined || binary === 'auto' ? undefined : config.getBoolean(`diff.${name}.binary`);
  const [wordPattern, command, textConverter] = [value('wordregex'), value('command'), value('textconv')];
  return {
    ...(isBinary === undefined ? {} : { isBinary }), findFunction, ...(wordPattern === undefined ? {} : { wordPattern: latin1(wordPattern) }),
    ...(language === undefined || wordPattern !== undefined ? {} : { languageWords: language.words }),
    ...(command === undefined ? {} : { command }), ...(textConverter === undefined ? {} : { textConverter }),
  };
}
