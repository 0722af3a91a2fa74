// What begins a function, and what is a word, in the languages that gitattributes(5) names for the attribute `diff`.
//
// The rules follow the grammars of the languages as far as one line tells, and were checked line by line against what stock git takes
// for a function and a word. Text is latin1, one character per byte, so what UTF-8 needs several bytes for is told by its bytes.

/** Rules for lines: the first that matches decides. What the first group matched is shown, or the whole match; a rule that is `not` says no. */
export interface LineRule {
  readonly pattern: RegExp;
  readonly not?: true;
}

export interface LanguageRules {
  readonly functions: readonly LineRule[];
  /** Kinds of words: where several fit, the longest one counts; what is none is taken apart into characters. */
  readonly words: readonly RegExp[];
}

const yes = (pattern: RegExp): LineRule => ({ pattern });
const no = (pattern: RegExp): LineRule => ({ pattern, not: true });

/** Kinds of words, ready to be tried at any place. */
function words(...kinds: readonly string[]): RegExp[] {
  return [...kinds, String.raw`[\xc0-\xff][\x80-\xbf]+`, String.raw`[^ \t\n\v\f\r]`].map((kind) => new RegExp(kind, 'y'));
}

/** A pattern of signs that belong together, the longest first. */
function operators(list: string): string {
  return list.split(' ').sort((one, two) => two.length - one.length).map((sign) => sign.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|');
}

const name = '[a-zA-Z_][a-zA-Z0-9_]*';
const digits = '[0-9][0-9_.]*';
/** Git takes any run of these for a number. */
const looseNumber = '[-+0-9.e]+';
const shortHexadecimal = '0[xXbB]?[0-9a-fA-F]+[lL]?';
const fraction = String.raw`\.[0-9]+(?:[eE][-+]?[0-9]+)?`;
const real = '[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?';
const hexadecimal = '0[xXbB][0-9a-fA-F]+[uUlL]*';
const cOperators = operators('+= -= *= /= <= >= %= &= ^= |= == != ++ -- << <<= >> >>= && ||');
const notBlank = String.raw`[^ \t\n\v\f\r]+`;
const notMarkup = String.raw`[^<>= \t\n\v\f\r]+`;

const csharpModifiers = '(?:static|public|internal|private|protected|new|virtual|sealed|override|unsafe|async|partial|abstract)';
const csharpMethodModifiers = '(?:static|public|internal|private|protected|new|virtual|sealed|override|unsafe|async)';

/** By the name the attribute gives. */
export const languageRules: Readonly<Record<string, LanguageRules>> = {
  ada: {
    functions: [
      no(/^(?:.*[ \t])?(?:is[ \t]+new|renames|is[ \t]+separate)(?:[ \t].*)?$/i), no(/^[ \t]*with[ \t]/i),
      yes(/^[ \t]*((?:procedure|function|package|protected|task)[ \t]+.*)$/i),
    ],
    words: words('[a-zA-Z][a-zA-Z0-9_]*', '[-+]?[0-9][0-9#_.a-dfA-DF]*(?:[eE][-+]?[0-9_]+)?', operators('=> .. ** := /= >= <= << >> <>')),
  },
  bash: {
    functions: [
      yes(/^[ \t]*(function[ \t]+[a-zA-Z_][a-zA-Z0-9_]*(?:[ \t]*\([ \t]*\)|[ \t]+)[ \t]*(?:\{|\(\(?|\[\[))/),
      yes(/^[ \t]*([a-zA-Z_][a-zA-Z0-9_]*[ \t]*\([ \t]*\))/),
    ],
    words: words(notBlank),
  },
  bibtex: {
    functions: [yes(/(@[a-zA-Z]+[ \t]*\{?[ \t]*[^ \t"@',\\#}{~%]*).*$/)],
    words: words('[={}"]', '[^={}" \\t\\n\\v\\f\\r]+'),
  },
  cpp: {
    functions: [no(/^[ \t]*[A-Za-z_][A-Za-z_0-9]*:[ \t]*(?:$|\/[/*])/), yes(/^((?:::[ \t]*)?[A-Za-z_].*)$/)],
    words: words(name, hexadecimal, `${real}[fFlLuU]*`, `${fraction}[fFlL]?`, cOperators, operators(':: -> ->* .* <=>')),
  },
  csharp: {
    functions: [
      no(/^[ \t]*(?:do|while|for|foreach|if|else|new|return|switch|case|throw|catch|using)/),
      yes(new RegExp(`^[ \\t]*((?:${csharpMethodModifiers}[ \\t]+)*[\\w<>@.[\\]]+[ \\t]+[\\w<>@.]+[ \\t]*\\(.*\\))[ \\t]*$`)),
      yes(new RegExp(`^[ \\t]*((?:${csharpMethodModifiers}[ \\t]+)*[\\w<>@.[\\]]+[ \\t]+[\\w@]+)[ \\t]*$`)),
      yes(new RegExp(`^[ \\t]*((?:${csharpModifiers}[ \\t]+)*(?:class|enum|interface|struct|record)[ \\t]+.*)$`)),
      yes(/^[ \t]*(namespace[ \t]+.*)$/),
    ],
    words: words(name, shortHexadecimal, `${looseNumber}[fFlL]?`, cOperators, operators(':: ->')),
  },
  css: {
    functions: [no(/[:;][ \t]*$/), yes(/^([:[@.#]?[_a-z0-9].*)$/i)],
    words: words('-?[_a-zA-Z][-_a-zA-Z0-9]*', '-?[0-9]+|#[0-9a-fA-F]+'),
  },
  dts: {
    functions: [no(/[;=]/), yes(/^[ \t]*(\/[ \t]*\{.*|&?[a-zA-Z_].*)$/)],
    words: words('[a-zA-Z0-9,._+?#-]+', operators('<< >> && ||')),
  },
  elixir: {
    functions: [yes(/^[ \t]*((?:def(?:macro|module|impl|protocol|p)?|test)[ \t].*)$/)],
    words: words('[@:]?[a-zA-Z0-9@_?!]+', `[-+]?${digits}(?:[eE][-+]?[0-9_]+)?|[-+]?0[xob][0-9a-fA-F]+`, operators('++ -- .. <> |> >>> <<< <= >= == === != !== =~ && &&& || ||| => <- ->')),
  },
  fortran: {
    functions: [
      no(/^(?:[C*]|[ \t]*!)/i), no(/^[ \t]*module[ \t]+procedure[ \t]/i),
      yes(/^[ \t]*((?:end[ \t]+)?(?:program|module|block[ \t]+data|(?:[^!'" \t]+[ \t]+)*(?:subroutine|function))[ \t]+[a-z].*)$/i),
    ],
    words: words(name, String.raw`\.[a-zA-Z]+\.`, `[-+]?[0-9.]+(?:[eEdD][-+]?[0-9]+)?`, operators('// ** :: /= <= >= ==')),
  },
  fountain: {
    functions: [yes(/^((?:\.[^.]|(?:int|ext|est|int\.?\/ext|i\/e)[. ]).*)$/i)],
    words: words(String.raw`[^- \t\n\v\f\r]+`),
  },
  golang: {
    functions: [yes(/^[ \t]*(func[ \t]*.*(?:\{[ \t]*)?)/), yes(/^[ \t]*(type[ \t].*(?:struct|interface)[ \t]*(?:\{[ \t]*)?)/)],
    words: words(name, '0[xX]?[0-9a-fA-F]+i?', '[-+0-9.eE]+i?', cOperators, operators('<- := &^ &^= ...')),
  },
  html: {
    functions: [yes(/^[ \t]*(<[Hh][1-6](?:[ \t].*)?>.*)$/)],
    words: words(notMarkup),
  },
  java: {
    functions: [
      no(/^[ \t]*(?:catch|do|for|if|instanceof|new|return|switch|throw|while)/),
      yes(/^[ \t]*((?:[a-z]+[ \t]+)*(?:class|enum|interface|record)[ \t]+[A-Za-z][A-Za-z0-9_$]*[ \t]+.*)$/),
      yes(/^[ \t]*((?:[A-Za-z_<>&\][][?&<>.,A-Za-z_0-9[\]]*[ \t]+)+[A-Za-z_][A-Za-z_0-9]*[ \t]*\([^;]*)$/),
    ],
    words: words(name, shortHexadecimal, `${looseNumber}[fFlL]?`, cOperators, operators('>>> >>>=')),
  },
  kotlin: {
    functions: [yes(/^[ \t]*((?:[a-z]+[ \t]+)*(?:fun|class|interface)[ \t]+.*)$/)],
    words: words(name, '0[xXbB][0-9a-fA-F_]+[uUlL]*', String.raw`[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?[fFlLuU]*`, `${fraction}[fFlL]?`, cOperators, operators('=== !== -> .. ?: ?. !! ::')),
  },
  markdown: {
    functions: [yes(/^ {0,3}#{1,6}[ \t].*/)],
    words: words(notMarkup),
  },
  matlab: {
    functions: [yes(/^[ \t]*((?:classdef|function)[ \t].*)$/), yes(/^((?:%%%?|##)[ \t].*)$/)],
    words: words(name, looseNumber, operators("== ~= <= >= .* ./ .^ .' || &&")),
  },
  objc: {
    functions: [
      no(/^[ \t]*(?:do|for|if|else|return|switch|while)/),
      yes(/^[ \t]*([-+][ \t]*\([ \t]*[A-Za-z_][A-Za-z_0-9* \t]*\)[ \t]*[A-Za-z_].*)$/),
      yes(/^[ \t]*((?:[A-Za-z_][A-Za-z_0-9]*[ \t]+)+[A-Za-z_][A-Za-z_0-9]*[ \t]*\([^;]*)$/),
      yes(/^(@(?:implementation|interface|protocol)[ \t].*)$/),
    ],
    words: words(name, shortHexadecimal, `${looseNumber}[fFlL]?`, cOperators, operators(':: ->')),
  },
  pascal: {
    functions: [
      yes(/^((?:(?:class[ \t]+)?(?:procedure|function)|constructor|destructor|interface|implementation|initialization|finalization)[ \t]*.*)$/),
      yes(/^(.*=[ \t]*(?:class|record).*)$/),
    ],
    words: words(name, '0[xXbB]?[0-9a-fA-F]+', looseNumber, operators('<> <= >= := ..')),
  },
  perl: {
    functions: [
      yes(/^package .*/),
      yes(/^sub [A-Za-z0-9_':]+[ \t]*(\([^)]*\)[ \t]*)?(?::[^;#]*)?(?:\{[ \t]*)?(?:#.*)?$/),
      yes(/^(BEGIN|END|INIT|CHECK|UNITCHECK|AUTOLOAD|DESTROY)[ \t]*(?:\{[ \t]*)?(?:#.*)?$/),
      yes(/^=head[0-9] .*/),
    ],
    words: words("[a-zA-Z_][a-zA-Z0-9_']*", '0[xXbB][0-9a-fA-F_]+', `[-+]?${digits}(?:[eE][-+]?[0-9_]+)?`, cOperators, operators('=> -> ~~ :: && || // ++ -- ** .. ... =~ !~ <=> << >> <= >= &&= ||= //= **=')),
  },
  php: {
    functions: [
      yes(/^[\t ]*((?:(?:public|protected|private|static|abstract|final)[\t ]+)*function.*)$/),
      yes(/^[\t ]*((?:(?:final|abstract)[\t ]+)?class.*)$/), yes(/^[\t ]*((?:enum|interface|trait).*)$/),
    ],
    words: words(name, '0[xXbB]?[0-9a-fA-F]+', looseNumber, cOperators, operators('=== .= :: ->')),
  },
  python: {
    functions: [yes(/^[ \t]*((?:class|(?:async[ \t]+)?def)[ \t].*)$/)],
    words: words(name, '0[xX]?[0-9a-fA-F]+[lL]?', `${looseNumber}[jJlL]?`, operators('+= -= *= /= <= >= %= &= ^= |= == != // //= << <<= >> >>= ** **=')),
  },
  ruby: {
    functions: [yes(/^[ \t]*((?:class|module|def)[ \t].*)$/)],
    words: words(`(?:@@?|\\$)?${name}`, '0[xXbB]?[0-9a-fA-F]+', looseNumber, String.raw`\?\\?.`, operators('// //= += -= *= /= <= >= %= &= ^= |= == != << <<= >> >>= === . .. ... :: =~ !~')),
  },
  rust: {
    functions: [yes(/^[\t ]*((?:pub(?:\([^)]+\))?[\t ]+)?(?:(?:async|const|unsafe|extern(?:[\t ]+"[^"]+"))[\t ]+)?(?:struct|enum|union|mod|trait|fn|impl|macro_rules!)[< \t]+[^;]*)$/)],
    words: words(name, String.raw`[0-9][0-9_a-fA-Fxo]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?(?:[iuf](?:8|16|32|64|128|size))?`, cOperators, operators('-> => ..= ... ::')),
  },
  scheme: {
    functions: [yes(/^[\t ]*(\((?:(?:define|def(?:struct|syntax|class|method|rules|record|proto|alias)?)[-*/ \t]|(?:library|module|struct|class)[*+ \t]).*)$/)],
    words: words(String.raw`\|(?:[^\\|]|\\.)*\|`, String.raw`[^\][)(}{ \t]+`),
  },
  tex: {
    functions: [yes(/^(\\(?:(?:sub)*section|chapter|part)\*?\{.*)$/)],
    words: words(String.raw`\\[a-zA-Z@]+`, String.raw`\\.`, String.raw`[a-zA-Z0-9\x80-\xff]+`),
  },
};
