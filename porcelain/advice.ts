// Hints that go with errors: what to do next, and which ref or channel may have been meant by a word there is none of.
// A person who has had enough of a hint sets advice.<the error's code without dashes> to false, or advice.errorHints to have none.
import type { CairnError } from '../pack/errors.js';
import type { Context } from '../plumbing/command.js';
import { didYouMean } from '../plumbing/near-words.js';
import { Repository } from '../plumbing/repository.js';
import { openConfig } from './terminal.js';

/** More names are not compared with what was typed. */
const mostNames = 20_000;

/** The hint to show with an error of the command line `argv`; undefined for none. */
export function findAdvice(context: Context, error: CairnError, argv: readonly string[]): string | undefined {
  try {
    const config = openConfig(context);
    const isWanted = (name: string): boolean => config.getBoolean(`advice.${name}`) !== false;
    if (!isWanted('errorhints') || !isWanted(error.code.replaceAll('-', ''))) return undefined;
    return nearName(context, error.message, argv) ?? error.hint;
  } catch (failure) {
    // Where configuration or refs cannot be read, the error itself is what matters.
    if (failure instanceof Error && 'code' in failure) return error.hint;
    throw failure;
  }
}

function nearName(context: Context, message: string, argv: readonly string[]): string | undefined {
  const repository = Repository.find(context);
  if (repository === undefined) return undefined;
  // The word the error is about is one of those typed.
  const typed = argv.find((word) => word.length > 2 && !word.startsWith('-') && isIn(word, message));
  if (typed === undefined || repository.refs.findExpanded(typed) !== undefined) return undefined;
  const names: string[] = [];
  for (const name of repository.refs.listNames()) {
    if (names.push(Buffer.from(name.replace(/^refs\/(?:heads|tags|remotes|releases)\//, ''), 'latin1').toString()) > mostNames) return undefined;
  }
  return didYouMean(typed, new Set(names));
}

function isIn(word: string, message: string): boolean {
  const at = message.indexOf(word);
  return at >= 0 && !/[\w/]/.test(message[at - 1] ?? ' ') && !/[\w/]/.test(message[at + word.length] ?? ' ');
}
