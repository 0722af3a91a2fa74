// cairn var: what a logical variable stands for here: identities, editor, pager, the name of a first branch.
import { CairnError, InvalidError, UsageError } from '../../pack/errors.js';
import { formatIdent } from '../../pack/ident.js';
import type { Command, Context, Output } from '../../plumbing/command.js';
import type { Config } from '../../plumbing/config.js';
import { authorIdent, committerIdent } from '../../plumbing/identity.js';
import { findEditor, findPager, openConfig } from '../terminal.js';

/** The question is which pager a terminal would get, wherever the answer goes. */
const aTerminal: Output = { isTerminal: true, columns: 80, write: () => undefined, flush: () => undefined };

/** Each gives latin1 bytes; undefined when there is none. */
const variables: Readonly<Record<string, (context: Context, config: Config) => string | undefined>> = {
  GIT_COMMITTER_IDENT: (context, config) => formatIdent(committerIdent({ context, config })),
  GIT_AUTHOR_IDENT: (context, config) => formatIdent(authorIdent({ context, config })),
  GIT_EDITOR: (context, config) => bytesOf(findEditor(context, config)),
  GIT_PAGER: (context, config) => bytesOf(findPager({ ...context, stdout: aTerminal }, config) ?? 'cat'),
  GIT_DEFAULT_BRANCH: (_context, config) => bytesOf(config.get('init.defaultbranch') ?? 'main'),
};

export const command: Command = {
  name: 'var',
  family: 'git',
  summary: 'print what a logical variable stands for',
  usage: ['var (-l | <variable>)'],
  options: [{ name: 'l', help: 'list the configuration and all variables' }],
  run(context, args) {
    const config = openConfig(context);
    if (args.has('l')) {
      if (args.argv.length > 1) throw new UsageError('-l is given alone');
      list(context, config);
      return 0;
    }
    const [name] = args.positionals;
    if (name === undefined || args.positionals.length > 1 || !Object.hasOwn(variables, name)) throw new UsageError('one known variable is needed');
    const value = variables[name]!(context, config);
    if (value === undefined) throw new InvalidError('terminal is dumb, but EDITOR unset', { code: 'no-editor', hint: 'set EDITOR or core.editor' });
    print(context, value);
    return 0;
  },
};

function list(context: Context, config: Config): void {
  for (const { name, raw } of config.list()) print(context, raw === undefined ? bytesOf(name) : `${bytesOf(name)}=${raw}`);
  for (const [name, read] of Object.entries(variables)) {
    const value = readOrSkip(() => read(context, config));
    if (value !== undefined) print(context, `${name}=${value}`);
  }
}

/** A list does not fail because nobody said who they are. */
function readOrSkip(read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CairnError && error.code === 'no-identity') return undefined;
    throw error;
  }
}

function print(context: Context, latin1: string): void {
  context.stdout.write(Buffer.from(`${latin1}\n`, 'latin1'));
}

function bytesOf(text: string): string;
function bytesOf(text: string | undefined): string | undefined;
function bytesOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text).toString('latin1');
}
