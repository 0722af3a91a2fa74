// cairn check-attr: what attributes paths have.
import { UsageError } from '../../pack/errors.js';
import { type AttributeValue, Attributes, isAttributeName } from '../content/attributes.js';
import type { Command } from '../command.js';
import { readIndex } from '../index/index-file.js';
import { listPathLines } from '../line-reader.js';
import { normalisePath } from '../pathspec.js';
import { escapeControls, quotePath, unquotePath } from '../quote.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'check-attr',
  family: 'git',
  summary: 'print the attributes of paths',
  usage: ['check-attr [-a | --all | <attr>...] [--] <pathname>...', 'check-attr --stdin [-z] [-a | --all | <attr>...]'],
  options: [
    { name: 'all', short: 'a', negatable: true, help: 'all attributes that are specified' },
    { name: 'cached', negatable: true, help: 'read .gitattributes from the index only' },
    { name: 'stdin', negatable: true, help: 'read paths from standard input' },
    { name: 'z', help: 'input and output end in NUL' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    if (!repository.isBare) repository.requireWorkTree();
    const { before, after, dashes } = args.split();
    const all = args.has('all');
    const fromInput = args.has('stdin');
    let names: string[] = [];
    let paths: string[];
    if (all) {
      if (dashes && before.length > 0) throw new UsageError('attributes and --all both specified');
      paths = [...before, ...after];
    } else if (fromInput) {
      names = before;
      paths = after;
      if (names.length === 0) throw new UsageError('no attribute specified');
    } else if (dashes) {
      names = before;
      paths = after;
      if (names.length === 0) throw new UsageError('no attribute specified');
    } else {
      if (before.length === 0) throw new UsageError('no attribute specified');
      names = before.slice(0, 1);
      paths = before.slice(1);
    }
    if (fromInput && paths.length > 0) throw new UsageError("can't specify files with --stdin");
    if (!fromInput && paths.length === 0) throw new UsageError('no file specified');
    const bad = names.find((name) => !isAttributeName(name));
    if (bad !== undefined) {
      context.stderr.write(`error: ${escapeControls(bad)}: not a valid attribute name\n`);
      return 255;
    }
    const index = readIndex(repository);
    const attributes = Attributes.load(repository, args.has('cached') || repository.isBare ? { index } : { fallback: index });
    const nul = args.has('z');
    const print = (typed: string, name: string, value: AttributeValue | undefined): void => {
      const word = value === true ? 'set' : value === false ? 'unset' : value ?? 'unspecified';
      context.stdout.write(Buffer.from(nul ? `${typed}\0${name}\0${word}\0` : `${quotePath(typed)}: ${name}: ${word}\n`, 'latin1'));
    };
    const check = (typed: string): void => {
      const found = attributes.find(normalisePath(typed, repository.prefix, repository.workTree));
      if (all) for (const name of attributes.sortNames(found.keys())) print(typed, name, found.get(name));
      else for (const name of names) print(typed, name, found.get(name));
      if (fromInput) context.stdout.flush();
    };
    if (!fromInput) for (const path of paths) check(Buffer.from(path).toString('latin1'));
    else for (const line of listPathLines(context.stdin, nul)) check(nul ? line : unquotePath(line));
    return 0;
  },
};
