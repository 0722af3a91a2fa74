// The message of a commit that others are made part of, by squash or fixup, while the list still has more of them: all messages under
// each other, those that do not count as comments. Kept in message-squash, message-fixup and current-fixups as git keeps them, so that
// either program takes up where the other stopped. See git-rebase(1), "INTERACTIVE MODE". Texts are latin1.
import type { ObjectId } from '../../pack/oid.js';
import { commentLines } from '../../plumbing/message.js';
import type { Repository } from '../../plumbing/repository.js';
import type { RebaseState } from './rebase-state.js';
import type { MeldedMessage } from './replay.js';

/** How many commits were melded since the last that was picked. */
export function countMelded(state: RebaseState): number {
  return (state.find('current-fixups') ?? '').split('\n').filter((line) => line !== '').length;
}

function bodyOf({ objects }: Repository, id: ObjectId): string {
  return objects.readCommit(id).message.toString('latin1').replace(/^(?:[ \t\r\f\v]*\n)+/, '');
}

/** Adds the message of `commit`, and gives what the melded commit is to say; `isFinal`: no more are melded into it. */
export function meldMessage(repository: Repository, state: RebaseState, verb: 'squash' | 'fixup', commit: ObjectId, isFinal: boolean): MeldedMessage {
  const { comment } = state;
  const count = countMelded(state);
  const fixups = state.find('current-fixups') ?? '';
  let text = state.find('message-squash');
  const title = `${comment} This is a combination of ${count + 2} commits.`;
  if (count > 0 && text !== undefined) {
    const end = text.indexOf('\n');
    text = title + (text.startsWith(comment) ? text.slice(end < 0 ? text.length : end) : `\n${text}`);
  } else {
    const head = bodyOf(repository, repository.refs.find('HEAD')!.id);
    if (verb === 'fixup') state.write('message-fixup', head);
    text = `${title}\n${comment} This is the 1st commit message:\n\n${head}`;
  }
  const body = bodyOf(repository, commit);
  if (verb === 'squash') {
    state.remove('message-fixup');
    const subject = /^(?:squash|fixup|amend)!/.test(body) ? body.slice(0, endOfSubject(body)) : '';
    text += `\n${comment} This is the commit message #${count + 2}:\n\n${commentLines(subject, comment)}${body.slice(subject.length)}`;
  } else text += `\n${comment} The commit message #${count + 2} will be skipped:\n\n${commentLines(body, comment)}`;
  state.write('message-squash', text);
  state.write('current-fixups', `${fixups}${fixups === '' ? '' : '\n'}${verb} ${commit}`);
  if (!isFinal) return { text, edits: false, cleanup: 'verbatim' };
  const plain = state.find('message-fixup');
  return plain === undefined ? { text, edits: true, cleanup: 'default' } : { text: plain, edits: false, cleanup: 'verbatim' };
}

/** Behind the first paragraph's last line. */
function endOfSubject(body: string): number {
  const blank = /\n[ \t]*\n/.exec(body);
  return blank === null ? body.length : blank.index + 1;
}

/** No more is melded into the last commit. */
export function endMelding(state: RebaseState): void {
  state.remove('message-fixup', 'message-squash', 'current-fixups');
}
