// Making and deleting tags: a ref alone, or an object with who, when and why behind it. Specified by git-tag(1).
//
// The tag object is durable before its ref names it, and the ref moves only from what it was seen to hold. If the power fails in
// between, an unreferenced object waits for gc; the message that was written stays in TAG_EDITMSG until the tag is made.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeIfPresent, replaceFile } from '../pack/disk.js';
import { InvalidError, NotFoundError, RefusedError } from '../pack/errors.js';
import type { ObjectId } from '../pack/oid.js';
import { decodeTag, encodeTag } from '../pack/tag.js';
import { whileNaming } from '../plumbing/refs/announcement.js';
import { committerIdent } from '../plumbing/identity.js';
import { type CleanupMode, cleanUpMessage, commentCharacter, commentLines } from '../plumbing/message.js';
import { type RefName, encodeRefName, isRefName } from '../plumbing/refs/ref-name.js';
import { updateRef } from '../plumbing/refs/ref-transaction.js';
import type { Repository } from '../plumbing/repository.js';
import { splitTag } from '../plumbing/signature/signed-object.js';
import type { Signer } from '../plumbing/signature/signer.js';
import { formatDate } from '../plumbing/date.js';
import { subjectOf } from '../plumbing/message.js';
import { requireNotHeld } from './retention/hold.js';
import { editFile } from './terminal.js';

export interface TagRequest {
  readonly name: string;
  /** What is tagged: any object. */
  readonly target: ObjectId;
  readonly force: boolean;
  readonly createReflog: boolean;
  /** Absent: the ref alone. */
  readonly annotation?: {
    /** latin1; undefined: it is written in the editor. */
    readonly message: string | undefined;
    /** Edit also what was given. */
    readonly edits: boolean;
    readonly cleanup: CleanupMode;
    /** Absent: the tag is not signed. */
    readonly signer?: Signer;
  };
}

/** The full name of the tag called `name`; InvalidError when none can be called so. */
export function parseTagName(name: string): RefName {
  const full = `refs/tags/${name}`;
  if (name.startsWith('-') || name === 'HEAD' || !isRefName(full)) {
    throw new InvalidError(`'${name}' is not a valid tag name`, { code: 'bad-ref-name', hint: 'see cairn check-ref-format for the rules' });
  }
  return full;
}

/** Makes the tag, or with force moves it; returns what it held before. */
export function createTag(repository: Repository, request: TagRequest): { readonly name: RefName; readonly id: ObjectId; readonly former: ObjectId | undefined } {
  const { target, force, annotation } = request;
  const name = parseTagName(request.name);
  const former = repository.refs.find(name)?.id;
  if (former !== undefined && !force) throw new RefusedError(`tag '${request.name}' already exists`, { code: 'tag-exists', hint: 'choose another name, or force it' });
  const draft = join(repository.gitDirectory, 'TAG_EDITMSG');
  const text = annotation === undefined ? undefined : composeText(repository, request.name, former, draft, annotation);
  const bytes = text === undefined ? undefined : encodeTagObject(repository, request.name, target, text, annotation?.signer);
  const id = whileNaming(repository, () => {
    const made = bytes === undefined ? target : repository.objects.write('tag', bytes);
    updateRef(repository, {
      name, expected: former ?? 'absent', target: { id: made }, message: reflogMessage(repository, target),
      ...(request.createReflog ? { createReflog: true } : {}),
    });
    return made;
  });
  removeIfPresent(draft);
  return { name, id, former };
}

function encodeTagObject(repository: Repository, name: string, target: ObjectId, text: string, signer: Signer | undefined): Buffer {
  const { type } = repository.objects.readHeader(target);
  const bytes = encodeTag({
    object: target, type, name: encodeRefName(name), tagger: committerIdent(repository), message: Buffer.from(text, 'latin1'),
  });
  return signer === undefined ? bytes : Buffer.concat([bytes, signer.sign(bytes)]);
}

function composeText(repository: Repository, name: string, former: ObjectId | undefined, path: string, annotation: NonNullable<TagRequest['annotation']>): string {
  const { config, context } = repository;
  const { message, edits, cleanup } = annotation;
  const comment = commentCharacter(config.get('core.commentchar'), message ?? '');
  // What nobody edited holds no explanations of ours, but its comment lines go all the same.
  const mode = cleanup === 'default' ? 'strip' : cleanup;
  if (message !== undefined && !edits) return cleanUpMessage(message, mode, comment, false);
  const before = message ?? (former === undefined ? '' : formerMessage(repository, former));
  const how = mode === 'strip' ? `Lines starting with '${comment}' will be ignored.` : `Lines starting with '${comment}' will be kept; you may remove them yourself if you want to.`;
  const explained = mode === 'verbatim' ? '' : `\n${comment}\n${commentLines(`Write a message for tag:\n  ${encodeRefName(name)}\n${how}\n`, comment)}`;
  replaceFile(path, Buffer.from(before + explained, 'latin1'));
  editFile(context, config, path);
  const text = cleanUpMessage(readFileSync(path, 'latin1'), mode, comment, true);
  if (message === undefined && text === '') throw new InvalidError('there is no tag message', { code: 'empty-message', hint: 'give one with -m or -F' });
  return text;
}

/** The message of the tag that is replaced, without its signature; '' when that is no object of its own. */
function formerMessage({ objects, format }: Repository, id: ObjectId): string {
  const { type, bytes } = objects.read(id);
  return type === 'tag' ? decodeTag(splitTag(bytes)?.payload ?? bytes, format).message.toString('latin1') : '';
}

/** As git words it: what is tagged, in short. */
function reflogMessage({ objects, context }: Repository, target: ObjectId): string {
  const action = context.env['GIT_REFLOG_ACTION'] ?? 'tag: tagging ';
  const short = objects.abbreviate(target, 7);
  switch (objects.readHeader(target).type) {
    case 'commit': {
      const commit = objects.readCommit(target);
      const subject = Buffer.from(subjectOf(commit.message.toString('latin1')), 'latin1').toString();
      return `${action}${short} (${subject}, ${formatDate(commit.committer.seconds, commit.committer.offset, 'short', context.clock)})`;
    }
    case 'tree': return `${action}${short} (tree object)`;
    case 'blob': return `${action}${short} (blob object)`;
    case 'tag': return `${action}${short} (other tag object)`;
  }
}

/** Deletes one tag and returns what it held. */
export function deleteTag(repository: Repository, name: string): ObjectId {
  const full = `refs/tags/${name}`;
  const id = isRefName(full) ? repository.refs.find(full)?.id : undefined;
  if (id === undefined) throw new NotFoundError(`tag '${name}' not found`, { code: 'no-tag' });
  requireNotHeld(repository, name, id);
  updateRef(repository, { name: full, expected: id, target: 'delete', noDeref: true });
  return id;
}
