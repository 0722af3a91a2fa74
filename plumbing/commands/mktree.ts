// cairn mktree: makes a tree from lines as ls-tree prints them (git-mktree(1)).
import { InvalidError } from '../../pack/errors.js';
import { isObjectType } from '../../pack/object.js';
import { isObjectId } from '../../pack/oid.js';
import { type TreeEntry, encodeTree, typeOfMode } from '../../pack/tree.js';
import { whileNaming } from '../refs/announcement.js';
import type { Command } from '../command.js';
import { listPathLines } from '../line-reader.js';
import { unquotePath } from '../quote.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'mktree',
  family: 'git',
  summary: 'make a tree from lines as ls-tree prints them',
  usage: ['mktree [-z] [--missing] [--batch]'],
  options: [
    { name: 'z', help: 'entries end in NUL instead of a line end, and names are not quoted' },
    { name: 'missing', help: 'accept entries whose object is not there' },
    { name: 'batch', help: 'make several trees, separated by empty lines' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const { objects } = repository;
    const batch = args.has('batch');
    let entries: TreeEntry[] = [];
    let pending = !batch;
    const finish = (): void => {
      const id = whileNaming(repository, () => {
        // They were there when their lines were read; they are not named before they are there now.
        for (const entry of entries) requireStored(repository, entry, args.has('missing'));
        return objects.write('tree', encodeTree(entries, repository.format));
      });
      objects.flush();
      context.stdout.write(`${id}\n`);
      if (batch) context.stdout.flush();
      entries = [];
      pending = !batch;
    };
    for (const line of listPathLines(context.stdin, args.has('z'))) {
      if (line !== '') {
        entries.push(parseEntry(repository, line, { quoted: !args.has('z'), missing: args.has('missing') }));
        pending = true;
      } else if (batch) {
        finish();
      } else {
        throw new InvalidError('input format error: a blank line is valid only in batch mode', { code: 'bad-input' });
      }
    }
    if (pending) finish();
    return 0;
  },
};

function parseEntry(repository: Repository, line: string, options: { readonly quoted: boolean; readonly missing: boolean }): TreeEntry {
  const match = /^([0-7]+) ([a-z]+) ([0-9a-f]+)\t(.+)$/s.exec(line);
  const id = match?.[3] ?? '';
  if (!match || !isObjectId(id, repository.format)) throw new InvalidError(`input format error: '${line}'`, { code: 'bad-input' });
  const mode = parseInt(match[1]!, 8);
  const type = match[2]!;
  const name = options.quoted ? unquotePath(match[4]!) : match[4]!;
  if (!isObjectType(type)) throw new InvalidError(`'${type}' is not an object type`, { code: 'bad-type' });
  if (type !== typeOfMode(mode)) {
    throw new InvalidError(`entry '${name}' is said to be a ${type}, but its mode says ${typeOfMode(mode)}`, { code: 'type-mismatch' });
  }
  const entry = { mode, name, id };
  const actual = repository.objects.findHeader(id)?.type;
  if (actual === undefined) requireStored(repository, entry, options.missing);
  else if (actual !== type) {
    throw new InvalidError(`entry '${name}': object '${id}' is a ${actual}, not a ${type}`, { code: 'type-mismatch' });
  }
  return entry;
}

function requireStored(repository: Repository, { mode, name, id }: TreeEntry, mayBeMissing: boolean): void {
  if (repository.objects.has(id) || mayBeMissing || typeOfMode(mode) === 'commit') return;
  throw new InvalidError(`entry '${name}': object '${id}' is not there`, { code: 'object-missing' });
}
