// POSIX basic and extended regular expressions, as git's --grep, ':/text' and -G take them, translated to the language's own.
//
// The subject is a latin1 string (one character, one byte). A pattern that cannot be translated is an InvalidError.
import { InvalidError } from '../pack/errors.js';

/** Which language a pattern is written in; 'fixed' takes every character literally. */
export type PatternKind = 'basic' | 'extended' | 'fixed' | 'perl';

const classes: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z', digit: '0-9', alnum: 'A-Za-z0-9', upper: 'A-Z', lower: 'a-z', space: '\\s', blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~', xdigit: '0-9A-Fa-f', word: '\\w', cntrl: '\\x00-\\x1f\\x7f', print: '\\x20-\\x7e', graph: '\\x21-\\x7e',
};

/** The pattern as a RegExp without the 'g' flag; '^' and '$' match at lines when `lines` is given. */
export function parsePattern(pattern: string, kind: PatternKind, options: { ignoreCase?: boolean; lines?: boolean } = {}): RegExp {
  const inline = kind === 'perl' ? /^\(\?i\)/.exec(pattern) : null;
  if (inline !== null) return parsePattern(pattern.slice(inline[0].length), kind, { ...options, ignoreCase: true });
  const source = kind === 'fixed' ? pattern.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : kind === 'perl' ? pattern : translate(pattern, kind, options.lines === true);
  try {
    return new RegExp(source, `${options.ignoreCase ? 'i' : ''}${options.lines ? 'm' : ''}`);
  } catch (cause) {
    throw new InvalidError(`'${pattern}' is not a regular expression`, { code: 'bad-pattern', cause });
  }
}

function translate(pattern: string, kind: 'basic' | 'extended', lines: boolean): string {
  let out = '';
  let at = 0;
  // The language's own lines end in more ways than '\n'.
  const [begin, end] = lines ? ['(?<![^\\n])', '(?![^\\n])'] : ['^', '$'];
  const special = kind === 'extended' ? '+?(){}|' : '';
  /** True where '*' and '^' have no special meaning before them to repeat. */
  let atStart = true;
  while (at < pattern.length) {
    const letter = pattern[at]!;
    const wasStart = atStart;
    atStart = false;
    if (letter === '[') {
      const found = bracket(pattern, at, lines);
      out += found.text;
      at = found.end;
    } else if (letter === '\\') {
      const next = pattern[at + 1];
      if (next === undefined) throw new InvalidError(`'${pattern}' ends in a backslash`, { code: 'bad-pattern' });
      at += 2;
      if (kind === 'basic' && '(){}|+?'.includes(next)) {
        out += next;
        atStart = next === '(' || next === '|';
      } else if (/[1-9bBwWsS]/.test(next)) out += `\\${next}`;
      else if (next === '<') out += '\\b(?=\\w)';
      else if (next === '>') out += '\\b(?<=\\w)';
      else out += next.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
    } else {
      at += 1;
      if (kind === 'extended' && '*+?{'.includes(letter)) {
        const repeat = letter === '{' ? interval(pattern, at) : { text: letter, end: at };
        if (wasStart) throw new InvalidError(`'${pattern}' repeats nothing`, { code: 'bad-pattern' });
        out = repeated(out, repeat.text);
        at = repeat.end;
      } else if (letter === '*') out += wasStart ? '\\*' : '*';
      else if (letter === '^') {
        out += kind === 'extended' || wasStart ? begin : '\\^';
        atStart = true;
      } else if (letter === '$') {
        const rest = pattern.slice(at);
        out += kind === 'extended' || rest === '' || rest.startsWith('\\)') || rest.startsWith('\\|') ? end : '\\$';
      } else if (letter === '.') out += lines ? '[^\\n]' : '[^]';
      else if (special.includes(letter)) {
        if (letter === '}') out += '\\}';
        else out += letter;
        atStart = letter === '(' || letter === '|';
      } else out += letter.replace(/[+?(){}|/\]]/, '\\$&');
    }
  }
  return out;
}

/** '{2,3}', of which `at` is behind the brace. */
function interval(pattern: string, at: number): { text: string; end: number } {
  const found = /^([0-9]*)(,([0-9]*))?\}/.exec(pattern.slice(at));
  if (found === null || (found[1] === '' && found[2] === undefined)) throw new InvalidError(`'${pattern}' has a malformed '{'`, { code: 'bad-pattern' });
  return { text: `{${found[1] || '0'}${found[2] === undefined ? '' : `,${found[3]}`}}`, end: at + found[0].length };
}

/** What was repeated may be repeated again, which the language's own expressions would take for something else. */
function repeated(out: string, repeat: string): string {
  const before = /(?<!\\)(?:\\\\)*([*+?])$/.exec(out)?.[1];
  if (before === undefined || repeat.startsWith('{')) return out + repeat;
  return out.slice(0, -1) + (before === repeat ? repeat : '*');
}

/** A bracket expression beginning at `at`; with `lines` what it leaves out includes line ends. */
function bracket(pattern: string, at: number, lines: boolean): { text: string; end: number } {
  let end = at + 1;
  let text = '[';
  if (pattern[end] === '^') { text += lines ? '^\\n' : '^'; end += 1; }
  const first = end;
  while (end < pattern.length && (pattern[end] !== ']' || end === first)) {
    const named = /^\[:([a-z]+):\]/.exec(pattern.slice(end));
    if (named) {
      const set = classes[named[1]!];
      if (set === undefined) throw new InvalidError(`'${pattern}' names an unknown character class`, { code: 'bad-pattern' });
      text += set;
      end += named[0].length;
    } else {
      text += pattern[end]!.replace(/[\\\][]/, '\\$&');
      end += 1;
    }
  }
  if (end >= pattern.length) throw new InvalidError(`'${pattern}' has an unmatched '['`, { code: 'bad-pattern' });
  return { text: `${text}]`, end: end + 1 };
}
