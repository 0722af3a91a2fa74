// cairn fast-import: makes objects and refs of a stream of text and data (git-fast-import(1)).
import { resolve } from 'node:path';
import { InvalidError, UsageError } from '../../pack/errors.js';
import { holdLease } from '../refs/announcement.js';
import type { Arguments, Command, Context } from '../command.js';
import { FastImport } from '../stream/fast-import.js';
import { type ImportOptions, type MarksFile, type Tuning, isDateFormat, marksPath, parseTuning } from '../stream/import-options.js';
import { ImportPack } from '../stream/import-pack.js';
import { ImportStream } from '../stream/import-stream.js';
import { readMarks } from '../stream/marks.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'fast-import',
  family: 'git',
  summary: 'make objects and refs of a stream other tools write',
  usage: ['fast-import [<options>] < <stream>'],
  options: [
    { name: 'force', help: 'move branches even where that loses commits' },
    { name: 'quiet', help: 'do not tell how much was done' },
    { name: 'stats', help: 'tell on standard error how much was done (the default)' },
    { name: 'allow-unsafe-features', help: 'let the stream name files to read and write marks' },
    { name: 'cat-blob-fd', value: 'fd', help: 'answer get-mark, cat-blob and ls on this file descriptor' },
    { name: 'date-format', value: 'format', help: 'dates are raw, raw-permissive, rfc2822 or now' },
    { name: 'done', help: 'fail unless the stream ends with a done command' },
    { name: 'export-marks', value: 'file', help: 'write the marks to a file at the end' },
    { name: 'import-marks', value: 'file', help: 'read marks from a file first' },
    { name: 'import-marks-if-exists', value: 'file', help: 'the same, if there is such a file' },
    { name: 'relative-marks', negatable: true, help: 'the marks files named from here on are below info/fast-import of the repository' },
    { name: 'rewrite-submodules-from', value: 'name:file', help: 'the marks of a submodule as it was exported' },
    { name: 'rewrite-submodules-to', value: 'name:file', help: 'the marks of the submodule as it was imported' },
    { name: 'active-branches', value: 'n', help: 'how many branches keep their trees in memory' },
    { name: 'big-file-threshold', value: 'n', help: 'content of this size and more is not made a delta' },
    { name: 'depth', value: 'n', help: 'longest chain of deltas' },
    { name: 'export-pack-edges', value: 'file', help: 'write for every pack which tips are in it' },
    { name: 'max-pack-size', value: 'n', help: 'begin a new pack before one gets larger' },
  ],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError('the stream comes on standard input; there are no arguments');
    const repository = Repository.open(context);
    using _ = holdLease(repository);
    const { config } = repository;
    const number = (name: Tuning, fallback: number): number => {
      const text = args.value(name);
      return text === undefined ? fallback : parseTuning(name, text);
    };
    const pack = new ImportPack(repository.objects, {
      level: config.getInteger('pack.compression') ?? config.getInteger('core.compression') ?? 1,
      depth: number('depth', config.getInteger('pack.depth') ?? 50),
      maxPackBytes: number('max-pack-size', config.getInteger('pack.packsizelimit') || Infinity),
      bigFileBytes: number('big-file-threshold', config.getInteger('core.bigfilethreshold') ?? 512 * 1024 * 1024),
      unpackLimit: config.getInteger('fastimport.unpacklimit') ?? config.getInteger('transfer.unpacklimit') ?? 100,
    });
    const stream = new ImportStream(context.stdin);
    const importing = new FastImport(repository, stream, pack, gatherOptions(repository, args, number('active-branches', 5)), {
      answers: answersTo(context, args), progress: context.stdout, warn: (message) => { context.stderr.write(`${message}\n`); }, fixed: fixedOptions(args),
    });
    const isComplete = importing.run();
    if (importing.wantsStats) tellStats(context, importing, pack);
    return isComplete ? 0 : 1;
  },
};

function gatherOptions(repository: Repository, args: Arguments, activeBranches: number): ImportOptions {
  const dateFormat = args.value('date-format') ?? 'raw';
  if (!isDateFormat(dateFormat)) throw new InvalidError(`unknown --date-format argument ${dateFormat}`, { code: 'bad-value' });
  if (activeBranches < 1) throw new InvalidError('--active-branches: at least one branch is needed', { code: 'bad-value' });
  const importMarks: MarksFile[] = [];
  let exportMarks: string | undefined;
  let relativeMarks = false;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'relative-marks') relativeMarks = !token.negated;
    else if (token.name === 'export-marks') exportMarks = marksPath(repository, token.value!, relativeMarks);
    else if (token.name.startsWith('import-marks')) importMarks.push({ path: marksPath(repository, token.value!, relativeMarks), mayBeMissing: token.name !== 'import-marks' });
  }
  const edges = args.value('export-pack-edges');
  return {
    force: args.has('force'), dateFormat, allowUnsafeFeatures: args.has('allow-unsafe-features'), needsDone: args.has('done'), activeBranches,
    exportMarks, importMarks, relativeMarks, submodules: submoduleMap(repository.context, args),
    exportPackEdges: edges === undefined ? undefined : resolve(repository.context.cwd, edges),
    stats: args.lastOf('quiet', 'stats') !== 'quiet',
  };
}

/** What the stream's own options and features must not change. */
function fixedOptions(args: Arguments): ReadonlySet<string> {
  const given = args.tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
  return new Set(given.map((name) => (name === 'quiet' ? 'stats' : name === 'import-marks-if-exists' ? 'import-marks' : name)));
}

function answersTo(context: Context, args: Arguments): Context['stdout'] {
  const text = args.value('cat-blob-fd');
  if (text === undefined) return context.stdout;
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidError(`--cat-blob-fd: '${text}' is not a file descriptor`, { code: 'bad-value' });
  if (Number(text) === 1) return context.stdout;
  if (Number(text) === 2) return context.stderr;
  const output = context.process.openOutput?.(Number(text));
  if (output === undefined) throw new InvalidError(`--cat-blob-fd: file descriptor ${text} is not open`, { code: 'bad-value' });
  return output;
}

/** From the ids a submodule's commits had to those they have now, by the marks both were given. */
function submoduleMap(context: Context, args: Arguments): ReadonlyMap<string, string> {
  const read = (option: string): Map<string, ReadonlyMap<number, string>> => new Map(args.values(option).map((text) => {
    const colon = text.indexOf(':');
    if (colon < 0) throw new InvalidError(`--${option}: expected <name>:<file>, got '${text}'`, { code: 'bad-value' });
    return [text.slice(0, colon), readMarks(resolve(context.cwd, text.slice(colon + 1)))];
  }));
  const from = read('rewrite-submodules-from');
  const to = read('rewrite-submodules-to');
  const map = new Map<string, string>();
  for (const [name, marks] of from) {
    const targets = to.get(name);
    if (targets === undefined) throw new InvalidError(`no --rewrite-submodules-to for submodule '${name}'`, { code: 'bad-value' });
    for (const [mark, id] of marks) {
      const target = targets.get(mark);
      if (target !== undefined) map.set(id, target);
    }
  }
  const single = [...to.keys()].find((name) => !from.has(name));
  if (single !== undefined) throw new InvalidError(`no --rewrite-submodules-from for submodule '${single}'`, { code: 'bad-value' });
  return map;
}

function tellStats(context: Context, importing: FastImport, pack: ImportPack): void {
  const lines = ['fast-import statistics:'];
  for (const type of ['blob', 'tree', 'commit', 'tag'] as const) {
    const counts = pack.counts.get(type) ?? { written: 0, deltas: 0, duplicates: 0 };
    lines.push(`${`${type}s:`.padEnd(10)}${String(counts.written).padStart(10)} (${counts.deltas} deltas, ${counts.duplicates} duplicates)`);
  }
  lines.push(`branches: ${String(importing.branchCount).padStart(10)}`, `marks:    ${String(importing.markCount).padStart(10)}`);
  context.stderr.write(`${lines.join('\n')}\n`);
}
