// cairn for-each-ref: list refs in a format of one's own, filtered and sorted.
import { UsageError } from '../../pack/errors.js';
import type { Command } from '../../plumbing/command.js';
import { parseCount } from '../../plumbing/option-number.js';
import { filterRefs, parseSortKeys, sortRefs } from '../../plumbing/refs/ref-filter.js';
import { type QuoteStyle, RefFormat } from '../../plumbing/refs/ref-format.js';
import { Repository } from '../../plumbing/repository.js';
import { colorWord, namedCommits, namedObject } from '../ref-options.js';
import { formatColor, wantsColor } from '../terminal.js';

/** Written at once. */
const outputBytes = 65_536;

const quoteStyles: Readonly<Record<string, QuoteStyle>> = { shell: 'shell', perl: 'perl', python: 'python', tcl: 'tcl' };

export const command: Command = {
  name: 'for-each-ref',
  family: 'git',
  summary: 'list refs, filtered, sorted, in any format',
  usage: ['for-each-ref [<options>] [<pattern>...]', 'for-each-ref [--points-at <object>]', 'for-each-ref [--merged [<commit>]] [--no-merged [<commit>]]',
    'for-each-ref [--contains [<commit>]] [--no-contains [<commit>]]'],
  options: [
    { name: 'shell', short: 's', negatable: true, help: 'quote values for a shell' },
    { name: 'perl', short: 'p', negatable: true, help: 'quote values for Perl' },
    { name: 'python', negatable: true, help: 'quote values for Python' },
    { name: 'tcl', negatable: true, help: 'quote values for Tcl' },
    { name: 'count', value: 'n', negatable: true, help: 'show at most <n> refs' },
    { name: 'format', value: 'format', negatable: true, help: 'what is printed for each ref' },
    { name: 'sort', value: 'key', negatable: true, help: 'a field to sort by; - before it reverses' },
    { name: 'points-at', value: 'object', help: 'only refs that point at the object' },
    { name: 'merged', value: 'commit', valueOptionalAtEnd: true, help: 'only refs the commit can reach' },
    { name: 'no-merged', value: 'commit', valueOptionalAtEnd: true, help: 'only refs the commit cannot reach' },
    { name: 'contains', value: 'commit', valueOptionalAtEnd: true, help: 'only refs that can reach the commit' },
    { name: 'no-contains', value: 'commit', valueOptionalAtEnd: true, help: 'only refs that cannot reach the commit' },
    { name: 'color', value: 'when', valueOptional: true, negatable: true, help: 'always, never or auto: whether %(color) means anything' },
    { name: 'ignore-case', negatable: true, help: 'sort and match without regard to case' },
  ],
  run(context, args) {
    const styles = Object.keys(quoteStyles).filter((name) => args.has(name));
    if (styles.length > 1) throw new UsageError('more than one quoting style');
    const count = parseCount('count', args.value('count') ?? '0');
    if (count < 0) throw new UsageError(`invalid --count argument: '${count}'`);
    const repository = Repository.open(context);
    const quote = styles[0] === undefined ? undefined : quoteStyles[styles[0]];
    const isColored = wantsColor(context, undefined, undefined, colorWord(args));
    // Words that are no colour are wrong even where there is none.
    const color = (words: string): string => (isColored ? formatColor(words) : formatColor(words).slice(0, 0));
    const format = RefFormat.parse(args.value('format') ?? '%(objectname) %(objecttype)\t%(refname)', repository, {
      color, ...(quote === undefined ? {} : { quote }),
    });
    const ignoreCase = args.has('ignore-case');
    const keys = parseSortKeys(args.values('sort'), repository);
    const subjects = filterRefs(repository, {
      patterns: args.positionals, ignoreCase,
      pointsAt: args.values('points-at').map((text) => namedObject(repository, text)),
      contains: namedCommits(repository, args, 'contains'), noContains: namedCommits(repository, args, 'no-contains'),
      merged: namedCommits(repository, args, 'merged'), noMerged: namedCommits(repository, args, 'no-merged'),
    });
    sortRefs(subjects, keys, ignoreCase, repository);
    let text = '';
    for (const subject of count > 0 ? subjects.slice(0, count) : subjects) {
      text += `${format.format(subject)}\n`;
      if (text.length < outputBytes) continue;
      context.stdout.write(Buffer.from(text, 'latin1'));
      text = '';
    }
    context.stdout.write(Buffer.from(text, 'latin1'));
    return 0;
  },
};
