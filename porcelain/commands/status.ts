// cairn status: what differs between HEAD, the index and the work tree. The work is done in ../status-printing.ts.
import type { Command } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import { printStatus } from '../status-printing.js';

export const command: Command = {
  name: 'status',
  family: 'cairn',
  summary: 'show what is staged, changed and untracked',
  usage: ['status [<options>] [--] [<pathspec>...]'],
  options: [
    { name: 'short', short: 's', negatable: true, help: 'one line a path' },
    { name: 'branch', short: 'b', negatable: true, help: 'also in the short formats: the branch and what it follows' },
    { name: 'porcelain', value: 'version', valueOptional: true, help: 'for scripts: version v1 (default) or v2' },
    { name: 'long', negatable: true, help: 'the format for people (default)' },
    { name: 'json', help: 'one JSON object' },
    { name: 'z', help: 'names as they are, each record ending in NUL' },
    { name: 'untracked-files', short: 'u', value: 'mode', valueOptional: true, help: 'no, normal or all (default)' },
    { name: 'ignored', value: 'mode', valueOptional: true, help: 'also ignored files: traditional (default), matching or no' },
    { name: 'ignore-submodules', value: 'when', valueOptional: true, help: 'nested repositories: all passes over them, dirty compares their commits' },
    { name: 'show-stash', negatable: true, help: 'also how much is stashed' },
    { name: 'ahead-behind', negatable: true, help: 'count how far the branch and what it follows are apart' },
    { name: 'renames', negatable: true, help: 'look for renames' },
    { name: 'find-renames', value: 'n', valueOptional: true, help: 'look for renames at least this similar, in percent' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    repository.requireWorkTree();
    printStatus(repository, args);
    return 0;
  },
};
