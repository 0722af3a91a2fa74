// An option table written as text, as scripts give it to `rev-parse --parseopt`: the table and the arguments in, a line for the
// shell's `eval` out.
//
// Table: usage lines, a line '--', then one option per line as 'n,name=?!*hint help'; other lines are headings. Specified by
// "PARSEOPT" of git-rev-parse(1).
import { InvalidError, UsageError } from '../pack/errors.js';
import type { Context } from './command.js';
import { readInput } from './line-reader.js';
import { shellQuote } from './quote.js';

interface ScriptOption {
  readonly short: string | undefined;
  readonly long: string | undefined;
  readonly takesValue: boolean;
  readonly valueOptional: boolean;
  readonly isHidden: boolean;
  readonly cannotNegate: boolean;
  readonly hint: string | undefined;
  readonly help: string;
}

interface Table {
  readonly usage: string[];
  readonly rows: (ScriptOption | string)[];
}

function parseTable(text: string): Table {
  const lines = text.replace(/\n$/, '').split('\n');
  const end = lines.indexOf('--');
  if (end < 0) throw new InvalidError('premature end of input', { code: 'bad-option-table' });
  if (end === 0) throw new InvalidError('no usage string given before the `--\' separator', { code: 'bad-option-table' });
  const rows = lines.slice(end + 1).filter((line) => line !== '').map((line): ScriptOption | string => {
    const space = line.search(/\s/);
    if (space <= 0) return line.trimStart();
    const found = /^([^=?*!\s]*)([=?*!]*)(.*)$/.exec(line.slice(0, space))!;
    const [names, flags, hint] = [found[1]!, found[2]!, found[3]!];
    const comma = names.indexOf(',');
    const short = names.length === 1 ? names : comma === 1 ? names[0] : undefined;
    const long = names.length === 1 ? undefined : comma === 1 ? names.slice(2) : names;
    if (short === undefined && long === '') throw new InvalidError('missing option name', { code: 'bad-option-table' });
    return {
      short, long, takesValue: /[=?]/.test(flags), valueOptional: flags.includes('?'), isHidden: flags.includes('*'),
      cannotNegate: flags.includes('!'), hint: hint === '' ? undefined : hint, help: line.slice(space).trim(),
    };
  });
  return { usage: lines.slice(0, end), rows };
}

function usageText(table: Table): string {
  let text = table.usage.map((line, index) => (line === '' ? '\n' : `${index === 0 ? 'usage: ' : table.usage[index - 1] === '' ? '    ' : '   or: '}${line}\n`)).join('');
  if (!table.rows.length || typeof table.rows[0] !== 'string') text += '\n';
  for (const row of table.rows) {
    if (typeof row === 'string') {
      text += `\n${row === '' ? '' : `${row}\n`}`;
      continue;
    }
    if (row.isHidden) continue;
    let left = `    ${row.short === undefined ? '' : `-${row.short}`}${row.short !== undefined && row.long !== undefined ? ', ' : ''}`;
    if (row.long !== undefined) left += `--${row.long}`;
    const hint = row.hint === undefined ? '...' : `<${row.hint}>`;
    if (row.takesValue) left += row.valueOptional ? (row.long === undefined ? `[${hint}]` : `[=${hint}]`) : ` ${hint}`;
    text += left.length <= 24 ? `${left.padEnd(26)}${row.help}\n` : `${left}\n${' '.repeat(26)}${row.help}\n`;
  }
  return `${text}\n`;
}

/** Runs --parseopt; the words before '--' are its own options. Returns the exit code. */
export function normaliseOptions(context: Context, words: readonly string[]): number {
  const dashes = words.indexOf('--');
  if (dashes < 0) throw new UsageError('-- is needed before the arguments');
  const own = words.slice(0, dashes);
  for (const word of own) {
    if (!['--keep-dashdash', '--stop-at-non-option', '--stuck-long'].includes(word)) throw new UsageError(`unknown option '${word}'`);
  }
  const keepDashes = own.includes('--keep-dashdash');
  const stopEarly = own.includes('--stop-at-non-option');
  const stuck = own.includes('--stuck-long');
  const table = parseTable(readInput(context.stdin).toString());
  const options = table.rows.filter((row): row is ScriptOption => typeof row !== 'string');
  const argv = words.slice(dashes + 1);
  const out: string[] = [];
  const rest: string[] = [];
  const fail = (message: string): number => {
    context.stderr.write(`error: ${message}\n${usageText(table)}`);
    return 129;
  };
  const put = (option: ScriptOption, negated: boolean, value: string | undefined): void => {
    const name = negated ? `--no-${option.long}` : option.long !== undefined && (stuck || option.short === undefined) ? `--${option.long}` : `-${option.short}`;
    if (value === undefined) out.push(name);
    else if (stuck) out.push(name + (name.startsWith('--') ? '=' : '') + shellQuote(value));
    else out.push(name, shellQuote(value));
  };
  let at = 0;
  while (at < argv.length) {
    const word = argv[at]!;
    at += 1;
    if (word === '--') {
      if (keepDashes) rest.push(word);
      rest.push(...argv.slice(at));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      rest.push(word);
      if (!stopEarly) continue;
      rest.push(...argv.slice(at));
      break;
    }
    if (word === '-h' || word === '--help' || word === '--help-all') {
      context.stdout.write(`cat <<\\EOF\n${usageText(table)}EOF\n`);
      return 129;
    }
    if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      const typed = equals < 0 ? word.slice(2) : word.slice(2, equals);
      const found = findLong(options, typed);
      if (typeof found === 'string') return fail(found);
      let value = equals < 0 ? undefined : word.slice(equals + 1);
      if (value !== undefined && (found.negated || !found.option.takesValue)) return fail(`option \`${typed}' takes no value`);
      if (value === undefined && found.option.takesValue && !found.negated && !found.option.valueOptional) {
        value = argv[at];
        at += 1;
        if (value === undefined) return fail(`option \`${found.option.long}' requires a value`);
      }
      put(found.option, found.negated, value ?? (stuck && found.option.valueOptional && !found.negated ? '' : undefined));
      continue;
    }
    for (let letter = 1; letter < word.length; letter += 1) {
      const option = options.find(({ short }) => short === word[letter]);
      if (option === undefined) return fail(`unknown switch \`${word[letter]}'`);
      if (!option.takesValue) {
        put(option, false, undefined);
        continue;
      }
      let value: string | undefined = word.slice(letter + 1) || undefined;
      if (value === undefined && !option.valueOptional) {
        value = argv[at];
        at += 1;
        if (value === undefined) return fail(`switch \`${option.short}' requires a value`);
      }
      put(option, false, value);
      break;
    }
  }
  context.stdout.write(`set --${out.map((each) => ` ${each}`).join('')} --${rest.map((each) => ` ${shellQuote(each)}`).join('')}\n`);
  return 0;
}

function findLong(options: readonly ScriptOption[], typed: string): { option: ScriptOption; negated: boolean } | string {
  const near: { option: ScriptOption; negated: boolean; name: string }[] = [];
  for (const option of options) {
    if (option.long === undefined) continue;
    const names: [string, boolean][] = [[option.long, false]];
    if (!option.cannotNegate) names.push([option.long.startsWith('no-') ? option.long.slice(3) : `no-${option.long}`, true]);
    for (const [name, negated] of names) {
      if (name === typed) return { option, negated };
      if (name.startsWith(typed)) near.push({ option, negated, name });
    }
  }
  if (near.length === 1) return near[0]!;
  return near.length === 0 ? `unknown option \`${typed}'` : `ambiguous option: ${typed} (could be --${near[0]!.name} or --${near[1]!.name})`;
}
