// cairn fast-export: prints history as a stream that fast-import reads (git-fast-export(1)).
import { resolve } from 'node:path';
import { InvalidError, UsageError } from '../../pack/errors.js';
import { Anonymity } from '../stream/anonymity.js';
import { Arguments, type Command } from '../command.js';
import { parseScore } from '../diff/diff-options.js';
import { type ExportOptions, FastExport, type FilteredTags, type Reencoding, type SignedTags } from '../stream/fast-export.js';
import { latin1 } from '../latin1.js';
import { findMarks, readMarks, writeMarks } from '../stream/marks.js';
import type { RenameOptions } from '../diff/rename.js';
import { Repository } from '../repository.js';
import { mapRef } from '../refs/upstream.js';
import { parseWalk, walkOptions } from '../history/walk-options.js';

const signedTags = ['verbatim', 'warn', 'warn-strip', 'strip', 'abort'] as const satisfies readonly SignedTags[];
const filteredTags = ['abort', 'drop', 'rewrite'] as const satisfies readonly FilteredTags[];
const reencodings = ['yes', 'no', 'abort'] as const satisfies readonly Reencoding[];

export const command: Command = {
  name: 'fast-export',
  family: 'git',
  summary: 'print history as a stream that fast-import reads',
  usage: ['fast-export [<options>] <commit>... [--] [<path>...]'],
  numeric: true,
  options: [
    { name: 'progress', value: 'n', help: 'a progress command after every so many objects' },
    { name: 'signed-tags', value: 'mode', negatable: true, help: 'signed tags: verbatim, warn, warn-strip, strip or abort (the default)' },
    { name: 'tag-of-filtered-object', value: 'mode', negatable: true, help: 'tags of what is not exported: abort (the default), drop or rewrite' },
    { name: 'reencode', value: 'mode', negatable: true, help: 'messages in other encodings: yes, no or abort (the default)' },
    { name: 'export-marks', value: 'file', help: 'write the marks of commits to a file at the end' },
    { name: 'import-marks', value: 'file', help: 'read marks from a file; what they name is not exported again' },
    { name: 'import-marks-if-exists', value: 'file', help: 'the same, if there is such a file' },
    { name: 'mark-tags', help: 'give tags marks, too' },
    { name: 'fake-missing-tagger', help: 'make up a tagger for tags without one' },
    { name: 'full-tree', help: 'tell for each commit all its files' },
    { name: 'use-done-feature', help: 'end the stream with a done command' },
    { name: 'data', negatable: true, help: 'with --no-data: name blobs by their ids instead of telling their content' },
    { name: 'refspec', value: 'refspec', help: 'tell refs under other names' },
    { name: 'anonymize', help: 'tell no names and no content' },
    { name: 'anonymize-map', value: 'from[:to]', help: 'with --anonymize: call this so' },
    { name: 'reference-excluded-parents', help: 'name parents that are not exported by their ids' },
    { name: 'show-original-ids', help: 'tell the ids objects have here' },
    { name: 'M', value: 'score', valueOptional: true, help: 'tell renamed files as such' },
    { name: 'C', value: 'score', valueOptional: true, help: 'tell copied files as such, too' },
    { name: 'find-copies-harder', help: 'with -C: look for copies of all files, not only of changed ones' },
    ...walkOptions,
  ],
  run(context, args) {
    const repository = Repository.open(context);
    // As in git, '--' does not tell paths from revisions here.
    const request = parseWalk(repository, new Arguments(args.argv.filter((word) => word !== '--'), args.tokens.map((token) => (token.kind === 'positional' ? { ...token, afterDashes: false } : token))));
    if (!request.set.isGiven && args.argv.length === 0) throw new UsageError('no revision is given');
    const unfit = ['walk-reflogs', 'children'].find((name) => args.flag(name) === true);
    if (unfit !== undefined) throw new InvalidError(`--${unfit} has no meaning in a stream`, { code: 'bad-options' });
    const marks = marksOf(context.cwd, args);
    const options = gatherOptions(repository, args);
    const run = new FastExport(repository, { ...options, fullTree: options.fullTree || marks !== undefined && request.paths.length > 0 }, {
      write: (data) => { context.stdout.write(data); }, warn: (message) => { context.stderr.write(`${message}\n`); },
    });
    if (marks !== undefined) run.importMarks(marks);
    run.run(request.set.tips, request.options);
    const file = args.value('export-marks');
    if (file !== undefined && run.hasNewMarks) writeMarks(resolve(context.cwd, file), run.exported);
    return 0;
  },
};

function marksOf(directory: string, args: Arguments): ReturnType<typeof readMarks> | undefined {
  const [file, optional] = [args.value('import-marks'), args.value('import-marks-if-exists')];
  if (file !== undefined && optional !== undefined) throw new UsageError('--import-marks and --import-marks-if-exists cannot be used together');
  if (file !== undefined) return readMarks(resolve(directory, file));
  return optional === undefined ? undefined : findMarks(resolve(directory, optional));
}

function choice<Mode extends string>(args: Arguments, name: string, modes: readonly Mode[], fallback: Mode): Mode {
  const text = args.value(name);
  if (text === undefined) return fallback;
  const found = modes.find((mode) => mode === text);
  if (found === undefined) throw new UsageError(`unknown ${name} mode: ${text}`);
  return found;
}

function gatherOptions(repository: Repository, args: Arguments): ExportOptions {
  const progress = args.value('progress');
  if (progress !== undefined && !/^[0-9]{1,9}$/.test(progress)) throw new UsageError(`option 'progress' expects a number, not '${progress}'`);
  const specs = args.values('refspec');
  if (args.has('anonymize-map') && !args.has('anonymize')) throw new InvalidError('the option --anonymize-map requires --anonymize', { code: 'bad-options' });
  const given = new Map(args.values('anonymize-map').map((text) => {
    const [from = '', ...to] = text.split(':');
    if (from === '' || to.length > 0 && to.join(':') === '') throw new UsageError('--anonymize-map token cannot be empty');
    return [latin1(from), latin1(to.length === 0 ? from : to.join(':'))];
  }));
  return {
    progress: Number(progress ?? 0) || undefined,
    signedTags: choice(args, 'signed-tags', [...signedTags], 'abort'),
    filteredTags: choice(args, 'tag-of-filtered-object', filteredTags, 'abort'),
    reencoding: choice(args, 'reencode', reencodings, 'abort'),
    renames: renamesOf(args), fakeTagger: args.has('fake-missing-tagger'), markTags: args.has('mark-tags'), noData: args.flag('data') === false,
    fullTree: args.has('full-tree'), useDone: args.has('use-done-feature'), referToExcluded: args.has('reference-excluded-parents'),
    originalIds: args.has('show-original-ids'),
    anonymity: args.has('anonymize') ? new Anonymity(repository.format, given) : undefined,
    mapRef: (name) => mapRef(specs, name) ?? name,
    deletions: specs.filter((spec) => /^\+?:/.test(spec)).map((spec) => latin1(spec.replace(/^\+?:/, ''))),
  };
}

function renamesOf(args: Arguments): RenameOptions | undefined {
  if (!args.has('M') && !args.has('C')) return undefined;
  const score = args.value('C') ?? args.value('M');
  return { copies: args.has('C'), findCopiesHarder: args.has('find-copies-harder'), ...(score === undefined ? {} : { minimumScore: parseScore(score) }) };
}
