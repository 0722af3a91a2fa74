// cairn import: commit what comes as tar, zip, OCI image layout or directory.
import { basename, resolve } from 'node:path';
import { RefusedError, UsageError } from '../../pack/errors.js';
import type { Arguments, Command } from '../../plumbing/command.js';
import { runInterruptibly } from '../../plumbing/interruption.js';
import { latin1 } from '../../plumbing/latin1.js';
import { listChunks } from '../../plumbing/line-reader.js';
import { parseMagnitude } from '../../plumbing/option-number.js';
import { escapeControls } from '../../plumbing/quote.js';
import { type RefName, parseRefName } from '../../plumbing/refs/ref-name.js';
import { Repository } from '../../plumbing/repository.js';
import { type ImportFormat, checkNotCheckedOut, describeEmpty, importFormats, importSnapshot } from '../import/import.js';

export const command: Command = {
  name: 'import',
  family: 'cairn',
  summary: 'commit what comes as tar, zip, OCI image layout or directory',
  usage: ['import --format <format> [--branch <branch>] [-m <message>] [--strip <count>] [--most-bytes <size>] [--allow-empty] [--json] (<file> | <dir> | -)'],
  options: [
    { name: 'format', value: 'format', help: 'tar (also compressed by gzip), zip, oci or dir' },
    { name: 'branch', short: 'b', value: 'branch', help: 'commit there; default the branch HEAD names' },
    { name: 'message', short: 'm', value: 'message', help: 'of the commit; several become paragraphs' },
    { name: 'strip', value: 'count', help: 'take so many leading components off each path' },
    { name: 'most-bytes', value: 'size', help: 'refuse what unpacks to more' },
    { name: 'allow-empty', help: 'commit even when nothing changed' },
    { name: 'json', help: 'print JSON' },
  ],
  async run(context, args) {
    const [file, ...rest] = args.positionals;
    if (file === undefined || file === '' || rest.length > 0) throw new UsageError(file === undefined ? 'what to import is missing' : 'one thing is imported at a time');
    const format = formatOf(args);
    if (file === '-' && format !== 'tar') throw new UsageError(`a ${format} is not read from standard input`);
    const strip = args.value('strip') ?? '0';
    if (!/^[0-9]{1,4}$/.test(strip)) throw new UsageError("option 'strip' expects a small number");
    const mostBytes = args.value('most-bytes');
    const most = mostBytes === undefined ? undefined : parseMagnitude('most-bytes', mostBytes);
    const repository = Repository.open(context);
    const branch = branchOf(repository, args.value('branch'));
    checkNotCheckedOut(repository, branch);
    const message = args.values('message').join('\n\n').trim() || `Import ${file === '-' ? 'from standard input' : basename(file)}`;
    const imported = await runInterruptibly(context, importSnapshot(repository, {
      format, path: file === '-' ? undefined : resolve(context.cwd, file), input: () => listChunks(context.stdin), branch, message: `${latin1(message)}\n`,
      strip: Number(strip), mostBytes: most, allowEmpty: args.has('allow-empty'),
    }));
    if (imported.empty.length > 0) context.stderr.write(`warning: ${escapeControls(describeEmpty(imported.empty))}\n`);
    const { commit, tree, parent, files } = imported;
    if (args.has('json')) context.stdout.write(`${JSON.stringify({ commit: commit ?? null, tree, parent: parent ?? null, branch, files, emptyDirectories: imported.empty.length })}\n`);
    else context.stdout.write(commit === undefined ? 'nothing to commit: it is what the branch has already\n' : `[${escapeControls(branch.replace(/^refs\/heads\//, ''))} ${commit}] ${files} ${files === 1 ? 'file' : 'files'}\n`);
    return commit === undefined ? 1 : 0;
  },
};

function formatOf(args: Arguments): ImportFormat {
  const asked = args.value('format');
  if (asked === undefined) throw new UsageError("option '--format' is missing");
  const known = asked === 'tar.gz' || asked === 'tgz' ? 'tar' : importFormats.find((format) => format === asked);
  if (known === undefined) throw new UsageError(`'${asked}' is no format: ${importFormats.join(', ')} are`);
  return known;
}

function branchOf(repository: Repository, asked: string | undefined): RefName {
  if (asked !== undefined) return parseRefName(`refs/heads/${asked}`);
  const { name } = repository.refs.resolve('HEAD');
  if (name === 'HEAD') throw new RefusedError('HEAD is detached', { code: 'detached-head', hint: 'name a branch with --branch' });
  return name as RefName;
}
