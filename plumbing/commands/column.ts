// cairn column: the lines of standard input in columns (git-column(1)).
import { InvalidError, UsageError } from '../../pack/errors.js';
import { formatColumns, noColumns, parseColumnMode, readColumnMode, terminalColumns, usesColumns, type ColumnMode } from '../columns.js';
import type { Arguments, Command, Context } from '../command.js';
import { Config } from '../config.js';
import { latin1 } from '../latin1.js';
import { listRecords } from '../line-reader.js';
import { parseCount } from '../option-number.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'column',
  family: 'git',
  summary: 'show the lines of standard input in columns',
  usage: ['column [--command=<name>] [--[raw-]mode=<mode>] [--width=<width>] [--indent=<string>] [--nl=<string>] [--padding=<n>]'],
  options: [
    { name: 'command', value: 'name', negatable: true, help: 'lay out as column.<name> and column.ui say; must be the first argument' },
    { name: 'mode', value: 'mode', valueOptional: true, negatable: true, help: 'always, never, auto; column, row, plain; dense, nodense' },
    { name: 'raw-mode', value: 'n', negatable: true, help: 'the mode as a number, for scripts of git itself' },
    { name: 'width', value: 'n', negatable: true, help: 'columns of the terminal' },
    { name: 'indent', value: 'string', negatable: true, help: 'put this before each line' },
    { name: 'nl', value: 'string', negatable: true, help: 'end each line so' },
    { name: 'padding', value: 'n', negatable: true, help: 'spaces between columns' },
  ],
  run(context, args) {
    const { argv } = args;
    const first = argv[0]?.startsWith('--command=') ? argv[0].slice('--command='.length) : undefined;
    let mode = readColumnMode(Repository.find(context)?.config ?? Config.open(context), first);
    mode = modeOf(args, mode);
    const look = lookOf(context, args);
    if (args.positionals.length > 0) throw new UsageError('no arguments are taken');
    if (args.value('command') !== first) throw new InvalidError('--command must be the first argument', { code: 'bad-options' });
    const items = [...listRecords(context.stdin, false)];
    if (items.length === 0) return 0;
    const text = usesColumns(mode, context) ? formatColumns(items, mode, look) : items.map((item) => `${item}\n`).join('');
    context.stdout.write(Buffer.from(text, 'latin1'));
    return 0;
  },
};

function lookOf(context: Context, args: Arguments): Parameters<typeof formatColumns>[2] {
  const width = numberOf(args, 'width') ?? 0;
  return {
    width: width === 0 ? terminalColumns(context) - 1 : width,
    indent: latin1(args.value('indent') ?? ''),
    lineEnd: latin1(args.value('nl') ?? '\n'),
    padding: numberOf(args, 'padding') ?? 1,
  };
}

function modeOf(args: Arguments, configured: ColumnMode): ColumnMode {
  let mode = configured;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'mode') mode = token.negated ? { ...mode, when: 'never' } : modeFrom(token.value ?? '', { ...mode, when: 'always' });
    else if (token.name === 'raw-mode') mode = token.negated ? noColumns : rawMode(parseCount('raw-mode', token.value!));
  }
  return mode;
}

function modeFrom(words: string, former: ColumnMode): ColumnMode {
  try {
    return parseColumnMode(words, former);
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    throw new UsageError(error.message);
  }
}

/** Git's bits: 15 the layout, 16 always, 32 auto, 128 dense. */
function rawMode(bits: number): ColumnMode {
  const layout = bits & 15;
  return {
    when: (bits & 48) === 16 ? 'always' : (bits & 48) === 32 ? 'auto' : 'never',
    layout: layout === 1 ? 'row' : layout === 15 ? 'plain' : 'column',
    dense: (bits & 128) !== 0,
  };
}

function numberOf(args: Arguments, name: string): number | undefined {
  const text = args.value(name);
  return text === undefined ? undefined : parseCount(name, text);
}
