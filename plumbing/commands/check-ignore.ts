// cairn check-ignore: which of the given paths are ignored, and by which pattern.
import { InvalidError } from '../../pack/errors.js';
import type { Command } from '../command.js';
import { type IgnoreMatch, IgnoreRules } from '../ignore.js';
import { readIndex } from '../index/index-file.js';
import { listPathLines } from '../line-reader.js';
import { plainPath } from '../pathspec.js';
import { quotePath, unquotePath } from '../quote.js';
import { Repository } from '../repository.js';
import { WorkTree } from '../index/work-tree.js';

export const command: Command = {
  name: 'check-ignore',
  family: 'git',
  summary: 'tell which paths are ignored, and why',
  usage: ['check-ignore [<options>] <pathname>...', 'check-ignore [<options>] --stdin'],
  options: [
    { name: 'quiet', short: 'q', negatable: true, help: 'print nothing, only exit' },
    { name: 'verbose', short: 'v', negatable: true, help: 'also print the pattern and where it is from' },
    { name: 'stdin', help: 'read paths from standard input' },
    { name: 'z', help: 'input and output end in NUL' },
    { name: 'non-matching', short: 'n', negatable: true, help: 'with --verbose: also paths that match nothing' },
    { name: 'no-index', negatable: true, help: 'also look at paths that are in the index' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const workTree = new WorkTree(repository);
    const { positionals } = args;
    const fail = (message: string): never => { throw new InvalidError(message, { code: 'bad-options' }); };
    const [nul, verbose, quiet] = [args.has('z'), args.has('verbose'), args.has('quiet')];
    if (args.has('stdin')) {
      if (positionals.length > 0) fail('cannot specify pathnames with --stdin');
    } else {
      if (nul) fail('-z only makes sense with --stdin');
      if (positionals.length === 0) fail('no path specified');
    }
    if (quiet && positionals.length > 1) fail('--quiet is only valid with a single pathname');
    if (quiet && verbose) fail('cannot have both --quiet and --verbose');
    if (args.has('non-matching') && !verbose) fail('--non-matching is only valid with --verbose');
    const index = args.has('no-index') ? undefined : readIndex(repository);
    const rules = IgnoreRules.load(repository);
    let found = 0;
    const pathOf = (typed: string): string => {
      if (typed === '') fail('an empty string is no path; use . for all paths');
      const path = plainPath(typed, { prefix: repository.prefix, workTree: repository.workTree, env: context.env }).replace(/\/$/, '');
      if (path !== '' && workTree.isBehindSymlink(path)) fail(`pathspec '${Buffer.from(typed, 'latin1').toString()}' is beyond a symbolic link`);
      return path;
    };
    const check = (typed: string, path = pathOf(typed)): void => {
      const isDirectory = typed.endsWith('/') || workTree.findStatus(path)?.isDirectory() === true;
      const isTracked = path === '' || (index !== undefined && (index.has(path) || index.hasDirectory(path)));
      let match = isTracked ? undefined : rules.match(path, isDirectory);
      if (!verbose && match?.negated) match = undefined;
      if (match !== undefined) found += 1;
      if (quiet || (match === undefined && !args.has('non-matching'))) return;
      context.stdout.write(Buffer.from(format(typed, match, verbose, nul), 'latin1'));
      if (args.has('stdin')) context.stdout.flush();
    };
    const words = positionals.map((word) => Buffer.from(word).toString('latin1'));
    // A path among several that cannot be means no answer at all.
    const paths = words.map(pathOf);
    for (const [at, word] of words.entries()) check(word, paths[at]);
    if (args.has('stdin')) for (const line of listPathLines(context.stdin, nul)) check(nul ? line : unquotePath(line));
    return found > 0 ? 0 : 1;
  },
};

function format(typed: string, match: IgnoreMatch | undefined, verbose: boolean, nul: boolean): string {
  const pattern = match === undefined ? '' : `${match.negated ? '!' : ''}${match.pattern}${match.mustBeDirectory ? '/' : ''}`;
  if (nul) return verbose ? `${match?.source ?? ''}\0${match?.line ?? ''}\0${pattern}\0${typed}\0` : `${typed}\0`;
  const name = quotePath(typed);
  if (!verbose) return `${name}\n`;
  return match === undefined ? `::\t${name}\n` : `${quotePath(match.source)}:${match.line}:${pattern}\t${name}\n`;
}
