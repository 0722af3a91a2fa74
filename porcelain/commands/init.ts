// cairn init: make a repository, or complete one that is there. Nothing existing is overwritten.
import { UsageError, RefusedError } from '../../pack/errors.js';
import type { Command, Context } from '../../plumbing/command.js';
import { Config } from '../../plumbing/config.js';
import { Repository } from '../../plumbing/repository.js';

export const command: Command = {
  name: 'init',
  family: 'cairn',
  summary: 'make a repository here, or complete an existing one',
  usage: ['init [-q] [--bare] [--template=<directory>] [--separate-git-dir=<directory>]\n            [--object-format=<format>] [-b <branch>] [<directory>]'],
  options: [
    { name: 'quiet', short: 'q', negatable: true, help: 'print nothing but errors' },
    { name: 'bare', negatable: true, help: 'make a repository without a work tree' },
    { name: 'template', value: 'directory', negatable: true, help: 'copy these files into the new repository' },
    { name: 'separate-git-dir', value: 'directory', help: 'put the repository there and leave a file .cairn that names it' },
    { name: 'object-format', value: 'format', help: 'the hash objects are named by: sha256 (default) or sha1' },
    { name: 'initial-branch', short: 'b', value: 'branch', help: 'the name of the first branch' },
  ],
  run(context, args) {
    const { positionals } = args;
    if (positionals.length > 1) throw new UsageError('too many arguments');
    const format = args.value('object-format');
    if (format !== undefined && format !== 'sha1' && format !== 'sha256') throw new UsageError(`unknown hash algorithm '${format}'`);
    const separate = args.value('separate-git-dir');
    const bare = args.has('bare');
    if (separate !== undefined && bare) throw new UsageError("options '--separate-git-dir' and '--bare' cannot be used together");
    const { env } = context;
    const environment = env['GIT_DIR'] || undefined;
    if (env['GIT_WORK_TREE'] && environment === undefined) {
      throw new RefusedError('GIT_WORK_TREE (or --work-tree=<directory>) is not allowed without GIT_DIR (or --git-dir=<directory>)', { code: 'no-git-dir' });
    }
    const gitDirectory = positionals.length === 0 ? separate ?? environment : separate;
    const template = findTemplate(context, args.flag('template') === false ? '' : args.value('template'));
    const initialBranch = args.value('initial-branch');
    const { repository, existed } = Repository.init(context, {
      directory: positionals[0] ?? '.',
      bare,
      separate: separate !== undefined,
      ...(format === undefined ? {} : { objectFormat: format }),
      ...(gitDirectory === undefined ? {} : { gitDirectory }),
      ...(initialBranch === undefined ? {} : { initialBranch }),
      ...(template === undefined ? {} : { template }),
    });
    if (existed && initialBranch !== undefined) context.stderr.write(`warning: re-init: ignored --initial-branch=${initialBranch}\n`);
    if (!args.has('quiet')) {
      context.stdout.write(`${existed ? 'Reinitialized existing' : 'Initialized empty'} repository in ${repository.gitDirectory}/\n`);
    }
    return 0;
  },
};

/** An empty name means none. */
function findTemplate(context: Context, asked: string | undefined): string | undefined {
  return (asked ?? context.env['GIT_TEMPLATE_DIR'] ?? Config.open(context).getPath('init.templatedir')) || undefined;
}
