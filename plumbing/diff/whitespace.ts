// What counts as an error in the white space of a line, and how it is shown: core.whitespace of git-config(1) and the attribute
// `whitespace` of gitattributes(5). Lines are latin1.
import { InvalidError } from '../../pack/errors.js';
import type { AttributeValue } from '../content/attributes.js';

export interface WhitespaceRule {
  readonly blankAtEol: boolean;
  readonly blankAtEof: boolean;
  readonly spaceBeforeTab: boolean;
  readonly indentWithNonTab: boolean;
  readonly tabInIndent: boolean;
  /** A carriage return before the line end is no error. */
  readonly crAtEol: boolean;
  readonly tabWidth: number;
}

const standard: WhitespaceRule = {
  blankAtEol: true, blankAtEof: true, spaceBeforeTab: true, indentWithNonTab: false, tabInIndent: false, crAtEol: false, tabWidth: 8,
};

/** 'trailing-space,-space-before-tab,tabwidth=4': changes of the standard rule; unknown words mean nothing. */
export function parseWhitespaceRule(text: string): WhitespaceRule {
  const rule: { -readonly [Key in keyof WhitespaceRule]: WhitespaceRule[Key] } = { ...standard };
  for (const word of text.split(/[, \t\n\r]+/)) {
    const isOff = word.startsWith('-');
    const name = isOff ? word.slice(1) : word;
    const width = /^tabwidth=([0-9]+)$/.exec(name);
    if (width && Number(width[1]) > 0 && Number(width[1]) < 0o100) rule.tabWidth = Number(width[1]);
    switch (name) {
      case 'trailing-space': rule.blankAtEol = rule.blankAtEof = !isOff; break;
      case 'blank-at-eol': rule.blankAtEol = !isOff; break;
      case 'blank-at-eof': rule.blankAtEof = !isOff; break;
      case 'space-before-tab': rule.spaceBeforeTab = !isOff; break;
      case 'indent-with-non-tab': rule.indentWithNonTab = !isOff; break;
      case 'tab-in-indent': rule.tabInIndent = !isOff; break;
      case 'cr-at-eol': rule.crAtEol = !isOff; break;
      default:
    }
  }
  if (rule.tabInIndent && rule.indentWithNonTab) {
    throw new InvalidError('cannot enforce both tab-in-indent and indent-with-non-tab', { code: 'bad-whitespace-rule' });
  }
  return rule;
}

/** The rule of a path: what its attribute says, or else the configuration. */
export function whitespaceRuleOf(attribute: AttributeValue | undefined, configured: string | undefined): WhitespaceRule {
  const common = configured === undefined ? standard : parseWhitespaceRule(configured);
  if (attribute === undefined) return common;
  if (typeof attribute === 'string') return parseWhitespaceRule(attribute);
  return {
    blankAtEol: attribute, blankAtEof: attribute, spaceBeforeTab: attribute, indentWithNonTab: attribute, tabInIndent: false, crAtEol: false,
    tabWidth: common.tabWidth,
  };
}

/** A stretch of a line; `isError` when its white space is wrong. */
interface Piece { readonly text: string; readonly kind: 'plain' | 'error' | 'rest' }

/** What is wrong in a line, and the line in pieces. */
export interface CheckedLine {
  readonly errors: readonly string[];
  readonly pieces: readonly Piece[];
}

/** Looks at one line, which may end in '\n'. */
export function checkWhitespace(line: string, rule: WhitespaceRule): CheckedLine {
  let end = line.length;
  const found = new Set<'eol' | 'before-tab' | 'spaces' | 'tab'>();
  const pieces: Piece[] = [];
  const newline = line.endsWith('\n') ? '\n' : '';
  end -= newline.length;
  const carriage = rule.crAtEol && line[end - 1] === '\r' ? '\r' : '';
  end -= carriage.length;
  let trailing = end;
  if (rule.blankAtEol) while (trailing > 0 && /[ \t\n\v\f\r]/.test(line[trailing - 1]!)) trailing -= 1;
  if (trailing < end) found.add('eol');
  let written = 0;
  let at = 0;
  for (; at < trailing; at += 1) {
    if (line[at] === ' ') continue;
    if (line[at] !== '\t') break;
    if (rule.spaceBeforeTab && written < at) {
      found.add('before-tab');
      pieces.push({ text: line.slice(written, at), kind: 'error' }, { text: '\t', kind: 'plain' });
    } else if (rule.tabInIndent) {
      found.add('tab');
      pieces.push({ text: line.slice(written, at), kind: 'plain' }, { text: '\t', kind: 'error' });
    } else pieces.push({ text: line.slice(written, at + 1), kind: 'plain' });
    written = at + 1;
  }
  if (rule.indentWithNonTab && at - written >= rule.tabWidth) {
    found.add('spaces');
    pieces.push({ text: line.slice(written, at), kind: 'error' });
    written = at;
  }
  if (trailing > written) pieces.push({ text: line.slice(written, trailing), kind: 'rest' });
  if (trailing < end) pieces.push({ text: line.slice(trailing, end), kind: 'error' });
  pieces.push({ text: carriage + newline, kind: 'plain' });
  const words = { eol: 'trailing whitespace', 'before-tab': 'space before tab in indent', spaces: 'indent with spaces', tab: 'tab in indent' } as const;
  const errors = (['eol', 'before-tab', 'spaces', 'tab'] as const).filter((each) => found.has(each)).map((each) => words[each]);
  return { errors, pieces };
}

/** A checked line with its errors painted. */
export function paintWhitespace({ pieces }: CheckedLine, colors: { readonly text: string; readonly error: string; readonly reset: string }): string {
  return pieces.map(({ text, kind }) => {
    if (kind === 'plain' || text === '') return text;
    return `${kind === 'error' ? colors.error : colors.text}${text}${colors.reset}`;
  }).join('');
}
