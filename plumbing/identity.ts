// Who makes a commit, a tag or a reflog entry, and when: GIT_AUTHOR_*, GIT_COMMITTER_*, then author.*, committer.*, user.*, EMAIL.
// Specified by git-commit(1), "COMMIT INFORMATION". A name is never made up from the machine's accounts: who is unknown is told how to say it.
import { InvalidError, NotFoundError } from '../pack/errors.js';
import type { Ident } from '../pack/ident.js';
import type { Context } from './command.js';
import type { Config } from './config.js';
import { parseDate } from './date.js';

/** What identities need of a repository. */
export interface IdentitySource {
  readonly context: Context;
  readonly config: Config;
}

/** The author of what is made now; NotFoundError 'no-identity' when nobody said who. */
export function authorIdent(source: IdentitySource): Ident {
  return ident(source, 'author');
}

/** The committer of what is made now; NotFoundError 'no-identity' when nobody said who. */
export function committerIdent(source: IdentitySource): Ident {
  return ident(source, 'committer');
}

/** The committer for a reflog entry: a missing name or mail does not stop a ref from moving. */
export function reflogIdent(source: IdentitySource): Ident {
  const { name, email } = findPerson(source, 'committer');
  return { name: clean(name ?? 'unknown') || 'unknown', email: clean(email ?? ''), ...when(source.context, 'GIT_COMMITTER_DATE') };
}

function ident(source: IdentitySource, role: 'author' | 'committer'): Ident {
  const { name, email } = findPerson(source, role);
  if (email === undefined || name === undefined) {
    throw new NotFoundError(`${role} identity unknown: please tell who you are (${email === undefined ? 'no email' : 'no name'} was given)`, {
      code: 'no-identity', hint: 'cairn config --global user.name "Your Name"; cairn config --global user.email you@example.com',
    });
  }
  const cleaned = clean(name);
  if (cleaned === '') {
    throw new InvalidError(name === '' ? `empty ident name (for <${email}>) not allowed` : `name consists only of disallowed characters: ${name}`, { code: 'bad-identity' });
  }
  return { name: cleaned, email: clean(email), ...when(source.context, role === 'author' ? 'GIT_AUTHOR_DATE' : 'GIT_COMMITTER_DATE') };
}

/** UTF-8 text or undefined for each part that nobody said. */
function findPerson({ context, config }: IdentitySource, role: 'author' | 'committer'): { name: string | undefined; email: string | undefined } {
  const variable = role === 'author' ? 'GIT_AUTHOR' : 'GIT_COMMITTER';
  const { env } = context;
  return {
    name: env[`${variable}_NAME`] ?? config.get(`${role}.name`) ?? config.get('user.name'),
    email: env[`${variable}_EMAIL`] ?? config.get(`${role}.email`) ?? config.get('user.email') ?? (env['EMAIL'] || undefined),
  };
}

/** As git stores it: without '<', '>' and line ends, and without "crud" (spaces, quotes, punctuation, controls) around it. Gives latin1 bytes. */
function clean(text: string): string {
  const latin1 = Buffer.from(text).toString('latin1');
  const crud = /^[\x00-\x20.,:;<>"\\']+|[\x00-\x20.,:;<>"\\']+$/g;
  return latin1.replace(crud, '').replace(/[\n<>]/g, '');
}

function when(context: Context, variable: string): { seconds: number; offset: string } {
  const given = context.env[variable];
  if (given) {
    try {
      return parseDate(given, context.clock);
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      throw new InvalidError(`invalid date format: '${given}' in ${variable}`, { code: 'bad-date', cause: error });
    }
  }
  const nowMs = context.clock.nowMs();
  return { seconds: Math.floor(nowMs / 1000), offset: formatOffset(context.clock.offsetMinutes(nowMs)) };
}

function formatOffset(minutes: number): string {
  const absolute = Math.abs(minutes);
  return (minutes < 0 ? '-' : '+') + String(Math.floor(absolute / 60) * 100 + (absolute % 60)).padStart(4, '0');
}
