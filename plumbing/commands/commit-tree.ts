// cairn commit-tree: makes a commit from a tree, parents and a message; moves no ref (git-commit-tree(1)).
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Commit, decodeCommit, encodeCommit } from '../../pack/commit.js';
import { InvalidError, UsageError } from '../../pack/errors.js';
import type { ObjectId, ObjectType } from '../../pack/oid.js';
import { whileNaming } from '../refs/announcement.js';
import type { Arguments, Command, Context } from '../command.js';
import { authorIdent, committerIdent } from '../identity.js';
import { readInput } from '../line-reader.js';
import { Repository } from '../repository.js';
import { findCommitSigner, signingOption } from '../signature/signing-option.js';
import { resolveRevision } from '../history/revision.js';
import { isUtf8, repairUtf8 } from '../utf8.js';

export const command: Command = {
  name: 'commit-tree',
  family: 'git',
  summary: 'make a commit from a tree, its parents and a message',
  usage: [
    'commit-tree <tree> [(-p <parent>)...]',
    'commit-tree [(-p <parent>)...] [(-m <message>)...] [(-F <file>)...] <tree>',
  ],
  options: [
    { name: 'p', value: 'parent', help: 'a parent, as often as there are' },
    { name: 'm', value: 'message', help: 'a paragraph of the message' },
    { name: 'F', value: 'file', help: 'take the message from a file; - is standard input' },
    signingOption,
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const names = args.positionals;
    if (args.argv.length === 0) throw new UsageError('a tree is required');
    if (names.length !== 1) throw new InvalidError('must give exactly one tree', { code: 'bad-arguments' });
    const tree = resolveType(repository, names[0]!, 'tree');
    const parents: ObjectId[] = [];
    for (const name of args.values('p')) {
      const parent = resolveType(repository, name, 'commit');
      if (parents.includes(parent)) context.stderr.write(`error: duplicate parent ${parent} ignored\n`);
      else parents.push(parent);
    }
    const message = gatherMessage(context, args) ?? readInput(context.stdin);
    if (message.includes(0)) {
      context.stderr.write('error: a NUL byte in a commit message is not allowed\n');
      return 1;
    }
    const encoding = repository.config.get('i18n.commitencoding') ?? 'UTF-8';
    let commit: Commit = {
      tree, parents, author: authorIdent(repository), committer: committerIdent(repository),
      ...(/^utf-?8$/i.test(encoding) ? {} : { encoding }), extraHeaders: [], message,
    };
    if (/^utf-?8$/i.test(encoding) && !isUtf8(encodeCommit(commit))) {
      context.stderr.write('warning: the commit message is not UTF-8; its bytes were read as Latin-1\n'
        + 'hint: amend it, or set i18n.commitEncoding to the encoding it is in\n');
      commit = decodeCommit(repairUtf8(encodeCommit(commit)), repository.format);
    }
    const sign = findCommitSigner(repository, args, { heedsConfig: false });
    const bytes = encodeCommit(sign === undefined ? commit : sign(commit));
    const id = whileNaming(repository, () => {
      for (const named of [tree, ...parents]) repository.objects.readHeader(named);
      return repository.objects.write('commit', bytes);
    });
    repository.objects.flush();
    context.stdout.write(`${id}\n`);
    return 0;
  },
};

function resolveType(repository: Repository, name: string, type: ObjectType): ObjectId {
  const id = resolveRevision(repository, name, type === 'tree' ? 'tree' : 'commit');
  if (repository.objects.findHeader(id)?.type !== type) {
    throw new InvalidError(`'${id}' is not a valid '${type}' object`, { code: 'type-mismatch' });
  }
  return id;
}

/** -m and -F in the order typed, an empty line between them; undefined when nothing was given. */
function gatherMessage(context: Context, args: Arguments): Buffer | undefined {
  let message = Buffer.alloc(0);
  for (const token of args.tokens) {
    if (token.kind !== 'option' || (token.name !== 'm' && token.name !== 'F')) continue;
    const value = token.value ?? '';
    const separator = message.length > 0 ? '\n' : '';
    if (token.name === 'm') {
      const text = separator + value;
      message = Buffer.concat([message, Buffer.from(text === '' || text.endsWith('\n') ? text : `${text}\n`)]);
    } else {
      const content = value === '-' ? readInput(context.stdin) : readFileSync(resolve(context.cwd, value));
      message = Buffer.concat([message, Buffer.from(separator), content]);
    }
  }
  return message.length > 0 ? message : undefined;
}
