// Git's glob patterns: `?`, `*`, `**`, `[...]` with ranges, negation and POSIX classes, `\` escapes; as described in gitignore(5) and
// gitglossary(7). Works on latin1 byte strings. A pattern is compiled once; matching backtracks only to the last `*` and the last
// `**`, so that hostile patterns cost a polynomial and never an exponential time.

export interface WildmatchOptions {
  /** `*`, `?` and classes do not match '/'; `**` between slashes does. Otherwise `*` matches anything. */
  readonly pathname?: boolean;
  /** ASCII letters match in either case. */
  readonly caseFold?: boolean;
}

/** One character: a code, `anyCharacter`, or a class as the set of the 256 bytes it accepts. */
type Token = number | Uint8Array;

const anyCharacter = -1;
/** Any number of characters but '/'. */
const star = -2;
/** Any number of characters. */
const deepStar = -3;
/** Nothing, or any number of characters up to and with a '/'. */
const deepDirectories = -4;
const slash = 0x2f;

/** True when `text` as a whole matches `pattern`. */
export function wildmatch(pattern: string, text: string, options: WildmatchOptions = {}): boolean {
  return compileWildmatch(pattern, options)(text);
}

/** A function that tells whether a text as a whole matches `pattern`; a malformed pattern matches nothing. */
export function compileWildmatch(pattern: string, options: WildmatchOptions = {}): (text: string) => boolean {
  const tokens = compile(pattern, options.pathname === true, options.caseFold === true);
  if (tokens === undefined) return () => false;
  const { pathname = false, caseFold = false } = options;
  return (text) => matchTokens(tokens, text, pathname, caseFold);
}

/** True when the character means something in a pattern. */
export function isGlobSpecial(code: number): boolean {
  return code === 0x2a || code === 0x3f || code === 0x5b || code === 0x5c;
}

/** How many characters of `pattern` come before the first that means something. */
export function literalLength(pattern: string): number {
  let at = 0;
  while (at < pattern.length && !isGlobSpecial(pattern.charCodeAt(at))) at += 1;
  return at;
}

function matchTokens(tokens: readonly Token[], text: string, pathname: boolean, caseFold: boolean): boolean {
  let at = 0;
  let token = 0;
  let starToken = -1;
  let starAt = 0;
  let deepToken = -1;
  let deepAt = 0;
  for (;;) {
    if (token < tokens.length) {
      const expected = tokens[token]!;
      if (expected === star) {
        token += 1;
        starToken = token;
        starAt = at;
        continue;
      }
      if (expected === deepStar || expected === deepDirectories) {
        token += 1;
        deepToken = token;
        deepAt = at;
        starToken = -1;
        continue;
      }
      if (at < text.length && matchOne(expected, text.charCodeAt(at), pathname, caseFold)) {
        at += 1;
        token += 1;
        continue;
      }
    } else if (at === text.length) {
      return true;
    }
    if (starToken >= 0 && starAt < text.length && text.charCodeAt(starAt) !== slash) {
      starAt += 1;
      at = starAt;
      token = starToken;
      continue;
    }
    if (deepToken < 0) return false;
    if (tokens[deepToken - 1] === deepStar) {
      if (deepAt >= text.length) return false;
      deepAt += 1;
    } else {
      const next = text.indexOf('/', deepAt);
      if (next < 0) return false;
      deepAt = next + 1;
    }
    starToken = -1;
    at = deepAt;
    token = deepToken;
  }
}

function matchOne(expected: Token, code: number, pathname: boolean, caseFold: boolean): boolean {
  const folded = caseFold && code >= 0x41 && code <= 0x5a ? code + 32 : code;
  if (typeof expected !== 'number') return expected[folded] === 1 && !(pathname && code === slash);
  if (expected === anyCharacter) return !(pathname && code === slash);
  return expected === folded;
}

/** Undefined when the pattern is malformed (an open class, a lone backslash at the end). */
function compile(pattern: string, pathname: boolean, caseFold: boolean): Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  while (at < pattern.length) {
    const code = pattern.charCodeAt(at);
    if (code === 0x5c) {
      if (at + 1 >= pattern.length) return undefined;
      tokens.push(pattern.charCodeAt(at + 1));
      at += 2;
    } else if (code === 0x3f) {
      tokens.push(anyCharacter);
      at += 1;
    } else if (code === 0x2a) {
      const first = at;
      while (pattern.charCodeAt(at) === 0x2a) at += 1;
      const opens = first === 0 || pattern[first - 1] === '/';
      const closes = at === pattern.length || pattern[at] === '/' || (pattern[at] === '\\' && pattern[at + 1] === '/');
      if (!pathname) tokens.push(deepStar);
      else if (at - first < 2 || !opens || !closes) tokens.push(star);
      else if (pattern[at] === '/') {
        tokens.push(deepDirectories);
        at += 1;
      } else tokens.push(deepStar);
    } else if (code === 0x5b) {
      const parsed = parseClass(pattern, at + 1, caseFold);
      if (parsed === undefined) return undefined;
      tokens.push(parsed.set);
      at = parsed.next;
    } else {
      tokens.push(caseFold && code >= 0x41 && code <= 0x5a ? code + 32 : code);
      at += 1;
    }
  }
  return tokens;
}

/** The class whose first character after '[' is at `at`. */
function parseClass(pattern: string, at: number, caseFold: boolean): { set: Uint8Array; next: number } | undefined {
  const set = new Uint8Array(256);
  const negated = pattern[at] === '!' || pattern[at] === '^';
  if (negated) at += 1;
  // A range starts at the character before '-', unless that one ended a range or was a POSIX class.
  let former = 0;
  for (let first = true; ; first = false) {
    if (at >= pattern.length) return undefined;
    let code = pattern.charCodeAt(at);
    if (code === 0x5d && !first) break;
    if (code === 0x2d && former !== 0 && at + 1 < pattern.length && pattern[at + 1] !== ']') {
      at += 1;
      if (pattern[at] === '\\') at += 1;
      if (at >= pattern.length) return undefined;
      addRange(set, former, pattern.charCodeAt(at), caseFold);
      former = 0;
      at += 1;
      continue;
    }
    if (code === 0x5b && pattern[at + 1] === ':') {
      const close = pattern.indexOf(']', at + 2);
      if (close < 0) return undefined;
      if (close > at + 2 && pattern[close - 1] === ':') {
        if (!addPosixClass(set, pattern.slice(at + 2, close - 1), caseFold)) return undefined;
        former = 0;
        at = close + 1;
        continue;
      }
    } else if (code === 0x5c) {
      at += 1;
      if (at >= pattern.length) return undefined;
      code = pattern.charCodeAt(at);
    }
    set[code] = 1;
    former = code;
    at += 1;
  }
  if (negated) for (let code = 0; code < 256; code += 1) set[code] = set[code] === 1 ? 0 : 1;
  return { set, next: at + 1 };
}

function addRange(set: Uint8Array, from: number, to: number, caseFold: boolean): void {
  for (let code = from; code <= to; code += 1) {
    set[code] = 1;
    if (caseFold && code >= 0x41 && code <= 0x5a) set[code + 32] = 1;
  }
}

const posixClasses: Readonly<Record<string, (code: number) => boolean>> = {
  alnum: (code) => isAlpha(code) || isDigit(code),
  alpha: isAlpha,
  blank: (code) => code === 0x20 || code === 0x09,
  cntrl: (code) => code < 0x20 || code === 0x7f,
  digit: isDigit,
  graph: (code) => code > 0x20 && code < 0x7f,
  lower: (code) => code >= 0x61 && code <= 0x7a,
  print: (code) => code >= 0x20 && code < 0x7f,
  punct: (code) => code > 0x20 && code < 0x7f && !isAlpha(code) && !isDigit(code),
  space: (code) => code === 0x20 || (code >= 0x09 && code <= 0x0d),
  upper: (code) => code >= 0x41 && code <= 0x5a,
  xdigit: (code) => isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66),
};

function isAlpha(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function addPosixClass(set: Uint8Array, name: string, caseFold: boolean): boolean {
  if (!Object.hasOwn(posixClasses, name)) return false;
  const accepts = posixClasses[name]!;
  for (let code = 0; code < 256; code += 1) {
    if (accepts(code) || (caseFold && name === 'upper' && isAlpha(code))) set[code] = 1;
  }
  return true;
}
