// cairn clean: remove files that are not tracked. What goes is decided in ../cleaning.ts.
import { InvalidError, RefusedError } from '../../pack/errors.js';
import type { Command } from '../../plumbing/command.js';
import { readIndex } from '../../plumbing/index/index-file.js';
import { relativePath } from '../../plumbing/index/work-status.js';
import { Pathspec, pathspecContext } from '../../plumbing/pathspec.js';
import { quotePath } from '../../plumbing/quote.js';
import { Repository } from '../../plumbing/repository.js';
import { applyClean, planClean } from '../cleaning.js';

export const command: Command = {
  name: 'clean',
  family: 'git',
  summary: 'remove files that are not tracked',
  usage: ['clean [-d] [-f] [-n] [-q] [-e <pattern>] [-x | -X] [--json] [--] [<pathspec>...]'],
  options: [
    { name: 'd', help: 'untracked directories too' },
    { name: 'force', short: 'f', negatable: true, help: 'needed unless clean.requireForce is false; twice: repositories inside too' },
    { name: 'dry-run', short: 'n', negatable: true, help: 'only say what would be removed' },
    { name: 'quiet', short: 'q', negatable: true, help: 'say nothing but errors' },
    { name: 'exclude', short: 'e', value: 'pattern', help: 'also ignore what matches' },
    { name: 'x', help: 'ignored files too' },
    { name: 'X', help: 'ignored files only' },
    { name: 'json', help: 'tell as JSON' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    repository.requireWorkTree();
    const { config, prefix } = repository;
    const dryRun = args.has('dry-run');
    const force = args.count('force');
    if (args.has('x') && args.has('X')) throw new InvalidError('-x and -X do not go together', { code: 'bad-options' });
    if (!dryRun && force === 0 && config.getBoolean('clean.requireforce') !== false) {
      throw new RefusedError('clean.requireForce is not false, and neither -n nor -f was given; nothing is removed', { code: 'force-required' });
    }
    const words = args.positionals;
    const plan = planClean(repository, readIndex(repository), {
      directories: args.has('d') || words.length > 0, ignored: args.has('x') ? 'too' : args.has('X') ? 'only' : 'keep',
      patterns: args.values('exclude'), nested: force > 1,
      pathspec: Pathspec.parse(words.length === 0 && prefix !== '' ? ['.'] : words, pathspecContext(repository)),
    });
    const quote = { quotePath: config.getBoolean('core.quotepath') !== false };
    const say = (what: string, path: string): void => {
      if (!args.has('quiet') || dryRun) context.stdout.write(Buffer.from(`${what} ${quotePath(relativePath(path, prefix), quote)}\n`, 'latin1'));
    };
    if (!dryRun) applyClean(repository, plan);
    if (args.has('json')) {
      const text = (path: string): string => Buffer.from(path, 'latin1').toString();
      context.stdout.write(`${JSON.stringify({ dryRun, removed: plan.removals.map(text), skipped: plan.kept.map(text) })}\n`);
      return 0;
    }
    // What stays is told before what goes beside it.
    const told = [
      ...plan.kept.map((path) => ({ key: path.slice(0, path.lastIndexOf('/') + 1), what: dryRun ? 'Would skip repository' : 'Skipping repository', path })),
      ...plan.removals.map((path) => ({ key: path, what: dryRun ? 'Would remove' : 'Removing', path })),
    ].sort((one, two) => (one.key < two.key ? -1 : one.key > two.key ? 1 : 0));
    for (const { what, path } of told) say(what, path);
    return 0;
  },
};
