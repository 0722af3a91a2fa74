// The message of a commit to be: where it comes from, what hooks and the editor make of it, and what is left after cleaning up
// (git-commit(1), githooks(5)). Texts are latin1, one character per byte, until they are stored.
//
// The draft lies in COMMIT_EDITMSG, as hooks and editors expect; it is no promise and need not survive a power cut. All commits
// share that file: it is read back only when a hook or an editor had it, and while one has it, it is locked, so that no commit
// gets the message of another.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { disk } from '../pack/disk.js';
import { InvalidError } from '../pack/errors.js';
import type { Ident } from '../pack/ident.js';
import type { ObjectId } from '../pack/oid.js';
import { formatDate } from '../plumbing/date.js';
import { diffTrees } from '../plumbing/diff/diff.js';
import type { DiffStatus } from '../plumbing/diff/diff.js';
import { hasHook, pathForHook, runHook } from '../plumbing/hooks.js';
import { LockFile } from '../plumbing/lockfile.js';
import {
  type CleanupMode, cleanUpMessage, commentCharacter, isEmptyMessage, parseCleanupMode, scissorsLine, stripSpace,
} from '../plumbing/message.js';
import { quotePath } from '../plumbing/quote.js';
import { branchName, encodeRefName } from '../plumbing/refs/ref-name.js';
import type { Repository } from '../plumbing/repository.js';
import { appendSignOff, appendTrailers, parseTrailer } from '../plumbing/trailers.js';
import type { CommitState } from './commit.js';
import { editFile, findEditor } from './terminal.js';

export interface MessageRequest {
  /** Where it begins; without one, what a merge prepared, the commit that is amended, or the template. */
  readonly given?:
    | { readonly kind: 'text'; readonly bytes: Buffer }
    | { readonly kind: 'commit'; readonly id: ObjectId; readonly name: string };
  /** A file to start from when nothing else was given. */
  readonly template?: string;
  /** Undefined: edit unless a message was given. */
  readonly edit?: boolean;
  readonly cleanup?: string;
  readonly signOff: boolean;
  /** As typed: 'key=value'. */
  readonly trailers: readonly string[];
  readonly allowEmpty: boolean;
}

export interface MessageFacts {
  readonly state: CommitState;
  readonly tree: ObjectId;
  readonly amend: boolean;
  readonly author: Ident;
  readonly committer: Ident;
  /** Run commit-msg. */
  readonly verify: boolean;
  /** What hooks are told to look at. */
  readonly indexPath: string;
}

interface Draft {
  readonly text: string;
  /** Arguments of prepare-commit-msg after the file. */
  readonly source: readonly string[];
  readonly isTemplate?: boolean;
}

/** Why there is no message: a hook said no, which told why itself, or nobody wrote one. */
export interface NoMessage {
  readonly stopped: string | undefined;
}

/** The message as it is to be stored. */
export function composeMessage(repository: Repository, request: MessageRequest, facts: MessageFacts): Buffer | NoMessage {
  const { config } = repository;
  const draft = draftMessage(repository, request, facts);
  const mode = cleanupMode(repository, request);
  const edits = request.edit ?? (request.given === undefined);
  const comment = commentCharacter(config.get('core.commentchar'), draft.text);
  let text = mode === 'verbatim' || draft.isTemplate ? draft.text : stripSpace(draft.text);
  if (request.signOff) text = appendSignOff(text, `${facts.committer.name} <${facts.committer.email}>`);
  const trailers = request.trailers.map((trailer) => parseTrailer(Buffer.from(trailer).toString('latin1')));
  if (trailers.length > 0) text = appendTrailers(text, trailers);
  const shown = edits ? text + explain(repository, facts, mode, comment) : text;
  const written = passDraft(repository, { shown, edits, source: draft.source }, facts);
  if (written === undefined) return { stopped: undefined };
  const message = cleanUpMessage(written, mode, comment, edits);
  const fault = request.allowEmpty ? undefined : findFault(message, draft, mode, comment);
  return fault === undefined ? Buffer.from(message, 'latin1') : { stopped: fault };
}

/** How long a commit waits while a hook has the draft of another one. */
const draftTimeoutMs = 10_000;

/** Gives the draft to hooks and to the editor; what they left of it, undefined when a hook said no. */
function passDraft(repository: Repository, { shown, edits, source }: { readonly shown: string; readonly edits: boolean; readonly source: readonly string[] }, facts: MessageFacts): string | undefined {
  const { config, context } = repository;
  const path = join(repository.gitDirectory, 'COMMIT_EDITMSG');
  const isHandedOn = edits || hasHook(repository, 'prepare-commit-msg') || (facts.verify && hasHook(repository, 'commit-msg'));
  using _ = isHandedOn ? LockFile.acquire(path, { holder: repository.lockHolder, timeoutMs: edits ? 0 : draftTimeoutMs, durable: false }) : undefined;
  writeDraft(path, shown);
  const named = pathForHook(repository, 'COMMIT_EDITMSG');
  const env = { GIT_INDEX_FILE: facts.indexPath, ...(edits ? {} : { GIT_EDITOR: ':' }) };
  if (runHook(repository, 'prepare-commit-msg', { args: [named, ...source], env }).exitCode !== 0) return undefined;
  if (edits) {
    // An editor that is missing must not look like a person who wrote nothing.
    if (findEditor(context, config) === undefined) {
      throw new InvalidError('no message was given and there is no editor', {
        code: 'no-editor', hint: 'give one with -m or -F, or set EDITOR',
      });
    }
    editFile(context, config, path);
  }
  if (facts.verify && runHook(repository, 'commit-msg', { args: [named], env }).exitCode !== 0) return undefined;
  return isHandedOn ? readFileSync(path, 'latin1') : shown;
}

function findFault(message: string, draft: Draft, mode: CleanupMode, comment: string): string | undefined {
  if (draft.isTemplate && message !== '' && message === cleanUpMessage(draft.text, mode, comment, true)) {
    return 'aborting commit; you did not edit the message';
  }
  return (mode === 'verbatim' ? message === '' : isEmptyMessage(message)) ? 'aborting commit due to empty commit message' : undefined;
}

function cleanupMode(repository: Repository, request: MessageRequest): CleanupMode {
  return parseCleanupMode(request.cleanup ?? repository.config.get('commit.cleanup') ?? 'default');
}

function draftMessage(repository: Repository, { given, template }: MessageRequest, { state, amend }: MessageFacts): Draft {
  if (given?.kind === 'text') return { text: given.bytes.toString('latin1'), source: ['message'] };
  if (given?.kind === 'commit') {
    const { message } = repository.objects.readCommit(given.id);
    return { text: message.toString('latin1'), source: ['commit', given.name] };
  }
  if (amend) return { text: state.headCommit!.message.toString('latin1'), source: ['commit', 'HEAD'] };
  const { mergeMessage, squashMessage } = state.merge;
  if (mergeMessage !== undefined) return { text: (squashMessage ?? '') + mergeMessage, source: ['merge'] };
  if (squashMessage !== undefined) return { text: squashMessage, source: ['squash'] };
  const path = template ?? repository.config.getPath('commit.template');
  if (path === undefined) return { text: '', source: [] };
  return { text: readFileSync(resolve(repository.context.cwd, path), 'latin1'), source: ['template'], isTemplate: true };
}

function writeDraft(path: string, text: string): void {
  const fd = disk().open(path, 'w', 0o666);
  try {
    disk().write(fd, Buffer.from(text, 'latin1'));
  } finally {
    disk().close(fd);
  }
}

const mostListed = 200;
const statusWords: Readonly<Record<DiffStatus, string>> = {
  A: 'new file', D: 'deleted', M: 'modified', T: 'typechange', R: 'renamed', C: 'copied', U: 'unmerged', same: 'unchanged',
};

/** What the person sees below the message while editing. */
function explain(repository: Repository, { state, tree, amend, author, committer }: MessageFacts, mode: CleanupMode, comment: string): string {
  const lines: string[] = [];
  if (mode === 'scissors') {
    lines.push('Do not modify or remove the line above.', 'Everything below it will be ignored.');
  } else if (mode === 'default' || mode === 'strip') {
    lines.push('Please enter the message for your commit. Lines starting',
      `with '${comment}' will be ignored, and an empty message aborts the commit.`);
  } else {
    lines.push('Please enter the message for your commit. Lines starting',
      `with '${comment}' will be kept; you may remove them yourself.`, 'An empty message aborts the commit.');
  }
  lines.push('');
  if (author.name !== committer.name || author.email !== committer.email) lines.push(`Author:    ${author.name} <${author.email}>`, '');
  if (amend) lines.push(`Date:      ${formatDate(author.seconds, author.offset, 'default', repository.context.clock)}`, '');
  lines.push(state.branch === undefined ? 'Not on any branch' : `On branch ${encodeRefName(branchName(state.branch) ?? state.branch)}`);
  const parent = amend ? state.headCommit!.parents[0] : state.head;
  if (parent === undefined) lines.push('', 'Initial commit', '');
  const base = parent === undefined ? undefined : repository.objects.readCommit(parent).tree;
  const changes = diffTrees(repository.objects, base, tree, { recursive: true });
  if (changes.length > 0) lines.push('Changes to be committed:');
  for (const { status, path } of changes.slice(0, mostListed)) lines.push(`\t${`${statusWords[status]}:`.padEnd(12)}${quotePath(path)}`);
  if (changes.length > mostListed) lines.push(`\tand ${changes.length - mostListed} more`);
  const text = lines.map((line) => `${comment}${line === '' || line.startsWith('\t') ? '' : ' '}${line}\n`).join('') + `${comment}\n`;
  return mode === 'scissors' ? `\n${scissorsLine(comment)}\n${text}` : `\n${text}`;
}
