// cairn export: one snapshot in a format others read.
import { resolve } from 'node:path';
import { behindLinks, fillingFile } from '../../pack/disk.js';
import { InvalidError, RefusedError, UsageError } from '../../pack/errors.js';
import { Hasher } from '../../pack/oid.js';
import type { Arguments, Command } from '../../plumbing/command.js';
import { peel, resolveRevision } from '../../plumbing/history/revision.js';
import { runInterruptibly } from '../../plumbing/interruption.js';
import { Pathspec, pathspecContext } from '../../plumbing/pathspec.js';
import { Repository } from '../../plumbing/repository.js';
import { latin1 } from '../../plumbing/latin1.js';
import { type ExportFormat, type ExportRequest, exportFormats, exportSnapshot } from '../export/export.js';

/** How the end of a file's name tells the format. */
const suffixes: readonly (readonly [suffix: string, format: ExportFormat])[] = [
  ['.tar', 'tar'], ['.tar.gz', 'tar.gz'], ['.tgz', 'tar.gz'], ['.zip', 'zip'],
];

export const command: Command = {
  name: 'export',
  family: 'cairn',
  summary: 'write one snapshot as tar, zip or OCI image layout',
  usage: ['export [--format <format>] [--output <file>] [--prefix <prefix>/] [--json] [<revision>] [[--] <pathspec>...]'],
  options: [
    { name: 'format', value: 'format', help: 'tar (default), tar.gz, zip or oci' },
    { name: 'output', short: 'o', value: 'file', help: 'write there instead of to standard output' },
    { name: 'prefix', value: 'prefix', help: 'put this before every path' },
    { name: 'list', short: 'l', help: 'list the formats' },
    { name: 'json', help: 'print JSON; with --output' },
  ],
  async run(context, args) {
    if (args.has('list')) {
      context.stdout.write(`${exportFormats.join('\n')}\n`);
      return 0;
    }
    const output = args.value('output');
    if (args.has('json') && output === undefined) throw new UsageError("option '--json' goes with '--output'");
    if (output === undefined && context.stdout.isTerminal) throw new UsageError('an export is not written to a terminal; name a file with --output');
    const request = exportRequest(Repository.open(context), args, formatOf(args, output));
    const counts = { files: 0 };
    if (output === undefined) {
      for (const piece of exportSnapshot(request, counts)) context.stdout.write(piece);
      return 0;
    }
    const hasher = new Hasher('sha256');
    let bytes = 0;
    await runInterruptibly(context, fillingFile(behindLinks(resolve(context.cwd, output)), function* (append) {
      for (const piece of exportSnapshot(request, counts)) {
        hasher.update(piece);
        bytes += piece.length;
        append(piece);
        yield;
      }
    }));
    if (args.has('json')) {
      const { format, commit, tree } = request;
      context.stdout.write(`${JSON.stringify({ path: output, format, commit: commit ?? null, tree, files: counts.files, bytes, sha256: hasher.digestId() })}\n`);
    }
    return 0;
  },
};

function formatOf(args: Arguments, output: string | undefined): ExportFormat {
  const asked = args.value('format');
  if (asked === undefined) return suffixes.findLast(([suffix]) => output?.endsWith(suffix) === true)?.[1] ?? 'tar';
  const known = asked === 'tgz' ? 'tar.gz' : exportFormats.find((format) => format === asked);
  if (known === undefined) throw new UsageError(`'${asked}' is no format: ${exportFormats.join(', ')} are`);
  return known;
}

function exportRequest(repository: Repository, args: Arguments, format: ExportFormat): ExportRequest {
  const [revision = 'HEAD', ...words] = args.positionals;
  const { objects } = repository;
  const id = resolveRevision(repository, revision);
  const commit = peel(repository, id, 'commit');
  const root = peel(repository, id, 'tree');
  if (root === undefined) throw new InvalidError(`'${revision}' has no files`, { code: 'not-a-tree' });
  return {
    repository, format, commit, tree: root, pathspec: Pathspec.parse(words, pathspecContext(repository)), prefix: checkedPrefix(args.value('prefix') ?? ''),
    seconds: commit === undefined ? treeTime(repository) : objects.readCommit(commit).committer.seconds, umask: readUmask(repository),
  };
}

/** Of a tree without a commit: SOURCE_DATE_EPOCH, else the beginning of time. */
function treeTime(repository: Repository): number {
  const text = repository.context.env['SOURCE_DATE_EPOCH'] || '0';
  if (!/^[0-9]{1,12}$/.test(text)) throw new UsageError(`'${text}' (SOURCE_DATE_EPOCH) is no number of seconds since 1970`);
  return Number(text);
}

/** Nothing that leads out of where an archive is unpacked. */
function checkedPrefix(text: string): string {
  if (text.startsWith('/') || text.split('/').includes('..') || text.includes('\0')) throw new InvalidError(`the prefix '${text}' leads elsewhere`, { code: 'unsafe-path' });
  return latin1(text);
}

/** tar.umask: which permissions are left out. */
function readUmask(repository: Repository): number {
  const text = repository.config.get('tar.umask');
  if (text === undefined) return 0o002;
  if (text === 'user') throw new RefusedError("tar.umask 'user' is not supported: the same snapshot would give different bytes", { code: 'not-supported' });
  const umask = /^0[0-7]*$/.test(text) ? Number.parseInt(text, 8) : /^[1-9][0-9]*$/.test(text) ? Number(text) : Number.NaN;
  if (!(umask <= 0o777)) throw new InvalidError(`bad tar.umask '${text}'`, { code: 'bad-config-value' });
  return umask;
}
