// cairn show-ref: list refs with their ids, check that some exist, or filter names that do not exist yet.
import { InvalidError, NotFoundError, UsageError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { abbreviateId } from '../objects/abbreviation.js';
import type { Arguments, Command, Context } from '../command.js';
import { listLines } from '../line-reader.js';
import { decodeRefName, encodeRefName, isRefName } from '../refs/ref-name.js';
import { peelTag } from '../refs/ref-transaction.js';
import { Repository } from '../repository.js';
import { listValidRefs } from '../refs/valid-refs.js';

export const command: Command = {
  name: 'show-ref',
  family: 'git',
  summary: 'list refs with the ids they hold',
  usage: [
    'show-ref [-q] [--verify] [--head] [-d] [-s[<n>]] [--abbrev[=<n>]] [--tags] [--heads] [--] [<pattern>...]',
    'show-ref --exclude-existing[=<pattern>]',
  ],
  options: [
    { name: 'tags', negatable: true, help: 'only tags' },
    { name: 'heads', negatable: true, help: 'only branches' },
    { name: 'verify', negatable: true, help: 'take each name in full, and fail when it does not exist' },
    { name: 'head', negatable: true, help: 'HEAD too' },
    { name: 'dereference', short: 'd', negatable: true, help: 'print what tags point at too' },
    { name: 'hash', short: 's', value: 'n', valueOptional: true, negatable: true, help: 'print only the id, cut to <n> digits (--no-hash: whole)' },
    { name: 'abbrev', value: 'n', valueOptional: true, negatable: true, help: 'cut ids to <n> digits' },
    { name: 'quiet', short: 'q', negatable: true, help: 'print nothing; the exit code tells' },
    { name: 'exclude-existing', value: 'pattern', valueOptional: true, help: 'print names from standard input that do not exist' },
  ],
  run(context, args) {
    const shown: Shown = {
      repository: Repository.open(context), quiet: args.has('quiet'), hashOnly: args.flag('hash') !== undefined, dereference: args.has('dereference'), digits: digitsOf(args),
    };
    if (args.tokens.some((token) => token.kind === 'option' && token.name === 'exclude-existing')) return excludeExisting(context, shown.repository, args.value('exclude-existing'));
    return args.has('verify') ? verify(shown, args.positionals) : list(shown, args);
  },
};

interface Shown {
  readonly repository: Repository;
  readonly quiet: boolean;
  readonly hashOnly: boolean;
  readonly dereference: boolean;
  /** undefined: in full; 0: the repository's default. */
  readonly digits: number | undefined;
}

function digitsOf(args: Arguments): number | undefined {
  let digits: number | undefined;
  for (const token of args.tokens) {
    if (token.kind !== 'option' || (token.name !== 'hash' && token.name !== 'abbrev')) continue;
    if (token.negated) {
      digits = undefined;
    } else if (token.value !== undefined) {
      if (!/^[0-9]+$/.test(token.value)) throw new UsageError(`option '${token.name}' expects a numerical value`);
      digits = token.value === '0' ? undefined : Math.max(4, Number(token.value));
    } else if (token.name === 'abbrev') {
      digits = 0;
    }
  }
  return digits;
}

function list(shown: Shown, args: Arguments): number {
  const { repository } = shown;
  const patterns = args.positionals.map(encodeRefName);
  const prefixes = args.has('heads') || args.has('tags')
    ? [...(args.has('heads') ? ['refs/heads/'] : []), ...(args.has('tags') ? ['refs/tags/'] : [])]
    : ['refs/'];
  let found = false;
  if (args.has('head')) {
    const head = repository.refs.find('HEAD');
    if (head !== undefined) {
      found = true;
      showOne(shown, 'HEAD', head.id);
    }
  }
  for (const prefix of prefixes) {
    for (const { name, id } of repository.refs.list(prefix)) {
      if (patterns.length > 0 && !patterns.some((pattern) => endsWithComponent(encodeRefName(name), pattern))) continue;
      found = true;
      showOne(shown, name, id);
    }
  }
  return found ? 0 : 1;
}

/** True when `pattern` is the whole name or the end of it from a '/' on. */
function endsWithComponent(name: string, pattern: string): boolean {
  return name.endsWith(pattern) && (name.length === pattern.length || name[name.length - pattern.length - 1] === '/');
}

function verify(shown: Shown, names: readonly string[]): number {
  if (names.length === 0) throw new InvalidError('--verify requires a reference', { code: 'no-ref' });
  for (const name of names) {
    const ref = name.startsWith('refs/') || name === 'HEAD' ? shown.repository.refs.find(name) : undefined;
    if (ref !== undefined) showOne(shown, name, ref.id);
    else if (shown.quiet) return 1;
    else throw new NotFoundError(`'${name}' - not a valid ref`, { code: 'no-ref' });
  }
  return 0;
}

function showOne(shown: Shown, name: string, id: ObjectId): void {
  const { repository, quiet, hashOnly, dereference } = shown;
  if (!repository.objects.has(id)) throw new NotFoundError(`bad ref ${name} (${id})`, { code: 'object-missing' });
  if (quiet) return;
  const bytes = encodeRefName(name);
  let text = hashOnly ? `${abbreviate(shown, id)}\n` : `${abbreviate(shown, id)} ${bytes}\n`;
  const peeled = dereference ? peelTag(repository, id) : undefined;
  if (peeled !== undefined) text += `${abbreviate(shown, peeled)} ${bytes}^{}\n`;
  repository.context.stdout.write(Buffer.from(text, 'latin1'));
}

function abbreviate({ repository, digits }: Shown, id: ObjectId): string {
  return digits === undefined ? id : abbreviateId(repository, id, digits === 0 ? undefined : digits);
}

function excludeExisting(context: Context, repository: Repository, pattern: string | undefined): number {
  const existing = new Set<string>();
  for (const { name } of listValidRefs(repository, 'refs/')) existing.add(name);
  for (const line of listLines(context.stdin)) {
    const text = line.endsWith('^{}') ? line.slice(0, -3) : line;
    const name = /[^ \t\r\v\f]*$/.exec(text)![0];
    if (name === '') continue;
    if (pattern !== undefined && !name.startsWith(encodeRefName(pattern))) continue;
    const decoded = decodeRefName(name);
    if (!isRefName(decoded)) context.stderr.write(`warning: ref '${decoded}' ignored\n`);
    else if (!existing.has(decoded)) context.stdout.write(Buffer.from(`${text}\n`, 'latin1'));
  }
  return 0;
}
