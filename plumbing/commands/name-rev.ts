// name-rev: commits by the names of refs, for people and for text that mentions ids. See git-name-rev(1).
import { NotFoundError, UsageError } from '../../pack/errors.js';
import { type ObjectId, hexSize } from '../../pack/oid.js';
import { abbreviateId } from '../objects/abbreviation.js';
import type { Arguments, Command, Context } from '../command.js';
import { latin1 } from '../latin1.js';
import { listLines } from '../line-reader.js';
import { Repository } from '../repository.js';
import { type RevNameOptions, RevNames, nameRevisions } from '../history/rev-name.js';

export const command: Command = {
  name: 'name-rev',
  family: 'git',
  summary: 'find names for commits by the refs that lead to them',
  usage: ['name-rev [<options>] <commit>...', 'name-rev [<options>] --all', 'name-rev [<options>] --annotate-stdin'],
  options: [
    { name: 'name-only', negatable: true, help: 'print only the names, not what they are names of' },
    { name: 'tags', negatable: true, help: 'use only tags' },
    { name: 'refs', value: 'pattern', negatable: true, help: 'use only refs that match' },
    { name: 'exclude', value: 'pattern', negatable: true, help: 'do not use refs that match' },
    { name: 'all', negatable: true, help: 'name all commits refs lead to' },
    { name: 'stdin', negatable: true, hidden: true, help: 'old name of --annotate-stdin' },
    { name: 'annotate-stdin', negatable: true, help: 'add names to the ids in the text on standard input' },
    { name: 'undefined', negatable: true, help: 'print undefined where there is no name (the default)' },
    { name: 'always', negatable: true, help: 'print the abbreviated id where there is no name' },
    { name: 'peel-tag', negatable: true, hidden: true, help: 'name the commits that tags lead to' },
  ],
  run(context: Context, args: Arguments): number {
    const words = args.positionals;
    const reads = args.has('annotate-stdin') || args.has('stdin');
    if (args.has('stdin')) context.stderr.write('warning: --stdin is deprecated. Please use --annotate-stdin instead, which is functionally equivalent.\n');
    if (Number(args.has('all')) + Number(reads) + Number(words.length > 0) > 1) throw new UsageError('give either commits, or --all, or --annotate-stdin');
    const repository = Repository.open(context);
    const options = {
      tagsOnly: args.has('tags'), nameOnly: args.has('name-only'), patterns: args.values('refs').map(latin1), excludes: args.values('exclude').map(latin1),
    };
    const printing = { repository, nameOnly: options.nameOnly, always: args.has('always'), refuses: args.flag('undefined') === false };
    if (reads) annotate(context, repository, options);
    else if (args.has('all')) for (const { id, name } of new RevNames(repository, options).listCommits()) printName(context, printing, id, id, name);
    const skip = (word: string): void => context.stderr.write(`could not get object for ${word}, skipping\n`);
    for (const { word, id, name } of nameRevisions(repository, options, words, args.has('peel-tag'), skip)) printName(context, printing, latin1(word), id, name);
    return 0;
  },
};

interface Printing {
  readonly repository: Repository;
  readonly nameOnly: boolean;
  readonly always: boolean;
  /** No name is an error. */
  readonly refuses: boolean;
}

function printName(context: Context, { repository, nameOnly, always, refuses }: Printing, label: string, id: ObjectId, name: string | undefined): void {
  if (!nameOnly) context.stdout.write(Buffer.from(`${label} `, 'latin1'));
  if (name === undefined && refuses && !always) throw new NotFoundError(`cannot describe '${id}'`, { code: 'no-name' });
  context.stdout.write(Buffer.from(`${name ?? (refuses ? abbreviateId(repository, id) : 'undefined')}\n`, 'latin1'));
}

/** Puts a name behind every id in the text that has one, or with --name-only in its place. */
function annotate(context: Context, repository: Repository, options: RevNameOptions): void {
  const names = new RevNames(repository, options);
  const known = new RegExp(`(?<![0-9a-f])[0-9a-f]{${hexSize(repository.format)}}(?![0-9a-f])`, 'g');
  for (const line of listLines(context.stdin)) {
    const named = line.replace(known, (id) => {
      const type = repository.objects.findHeader(id as ObjectId)?.type;
      const name = type === undefined ? undefined : names.find(id as ObjectId, type === 'commit');
      return name === undefined ? id : options.nameOnly ? name : `${id} (${name})`;
    });
    context.stdout.write(Buffer.from(`${named}\n`, 'latin1'));
  }
}
