// The receipt of a release: an annotated tag whose last paragraph says what was published, where, and how it was verified; each
// names the one before it, so the newest gives the whole history. A signature may follow. Format: cairn-receipt(5), to the letter.
//
// Parsing is strict: a value, or CorruptError. Receipts are objects, so they are written once and never change; until a ref names
// one it does not count, whatever happens to the power.
import { CorruptError, InvalidError } from '../pack/errors.js';
import type { Ident } from '../pack/ident.js';
import type { ObjectStore } from '../pack/object-store.js';
import { type ObjectFormat, type ObjectId, isObjectId } from '../pack/oid.js';
import { type Tag, decodeTag, encodeTag } from '../pack/tag.js';
import { type RepoPath, repoPath } from '../pack/tree.js';
import { cUnquote, quotePath } from '../plumbing/quote.js';
import type { Repository } from '../plumbing/repository.js';
import { signatureStart } from '../plumbing/signature/signed-object.js';
import { type Channel, isChannel, receiptRef, receiptsPrefix, releaseRef } from './channel.js';

/** How the bytes at a target were verified: written and read back, found as recorded, or not materialised at all. */
export type Verification = 'hashed' | 'unchanged' | 'objects';

/** A directory below the sibling of a target. */
export interface PublishedDirectory {
  /** Relative to the base, '/' between parts. */
  readonly target: string;
  /** The directory's name beside the target. */
  readonly directory: string;
}

export interface ReceiptOutput {
  readonly tree: ObjectId;
  /** Inside the commit; undefined for the whole. */
  readonly path: RepoPath | undefined;
  /** Undefined when the release only records. */
  readonly published: PublishedDirectory | undefined;
  readonly files: number;
  readonly bytes: number;
  readonly verification: Verification;
}

export interface Receipt {
  readonly channel: Channel;
  /** 1, 2, 3, … on each channel. */
  readonly number: number;
  readonly kind: 'release' | 'rollback';
  readonly commit: ObjectId;
  /** The receipt a rollback published again; set exactly for rollbacks. */
  readonly restores: ObjectId | undefined;
  readonly previous: ObjectId | undefined;
  /** At least one. */
  readonly outputs: readonly ReceiptOutput[];
  readonly tagger: Ident;
  /** Subject and text, without the last paragraph. */
  readonly message: string;
}

export interface StoredReceipt extends Receipt {
  readonly id: ObjectId;
  /** There is a signature; whether it is good is another question. */
  readonly isSigned: boolean;
}

/** Names of materialised directories: the receipt's number and 16 random digits. */
export const directoryPattern = /^[1-9][0-9]{0,14}\.[0-9a-f]{16}$/;

/** The tag object's bytes, to which a signature can be appended; InvalidError when the message cannot be stored. */
export function encodeReceipt(receipt: Receipt): Buffer {
  if (receipt.message.includes('\0')) throw new InvalidError('a release message cannot hold a NUL byte', { code: 'bad-message' });
  if (signatureStart(receipt.message) < receipt.message.length) {
    throw new InvalidError('a release message cannot hold a line that begins a signature', { code: 'bad-message' });
  }
  const lines = [
    ['Channel', bytesOf(receipt.channel)], ['Number', String(receipt.number)], ['Kind', receipt.kind], ['Commit', receipt.commit],
    ['Restores', receipt.restores], ['Previous', receipt.previous],
    ...receipt.outputs.flatMap((output) => [
      ['Tree', output.tree], ['Path', output.path],
      ['Target', output.published && bytesOf(output.published.target)], ['Directory', output.published?.directory],
      ['Files', String(output.files)], ['Bytes', String(output.bytes)], ['Verification', output.verification],
    ]),
  ].flatMap(([key, value]) => value === undefined ? [] : [`${key}: ${quotePath(value, quoting)}\n`]);
  const message = `${bytesOf(receipt.message.trim() || `Release ${receipt.channel} ${receipt.number}`)}\n\n${lines.join('')}`;
  return encodeTag({
    object: receipt.commit, type: 'commit', name: `${bytesOf(receipt.channel)}/${receipt.number}`, tagger: receipt.tagger,
    message: Buffer.from(message, 'latin1'),
  });
}

/** Reads a tag object's bytes as a receipt; CorruptError names what is wrong. */
export function decodeReceipt(bytes: Buffer, format: ObjectFormat): Receipt {
  return receiptOf(decodeTag(bytes, format), format);
}

function receiptOf(tag: Tag, format: ObjectFormat): Receipt {
  const message = tag.message.toString('latin1');
  const text = message.slice(0, signatureStart(message)).replace(/\n+$/, '');
  const split = text.lastIndexOf('\n\n');
  if (split < 0) throw damaged('its last paragraph is missing');
  const fields = new Fields(text.slice(split + 2).split('\n'), format);
  const channel = textOf(fields.text('Channel'));
  if (!isChannel(channel)) throw damaged('its channel is no channel name');
  const number = fields.count('Number');
  const kind = fields.text('Kind');
  if (kind !== 'release' && kind !== 'rollback') throw damaged(`its kind is '${kind}'`);
  const commit = fields.id('Commit');
  const restores = kind === 'rollback' ? fields.id('Restores') : undefined;
  const previous = fields.has('Previous') ? fields.id('Previous') : undefined;
  const outputs: ReceiptOutput[] = [];
  do outputs.push(outputOf(fields)); while (!fields.atEnd);
  if (number < 1) throw damaged('its number is zero');
  if (tag.type !== 'commit' || tag.object !== commit) throw damaged('its commit is not the object it tags');
  if (tag.name !== `${bytesOf(channel)}/${number}`) throw damaged(`its channel and number are not its name '${tag.name}'`);
  if (tag.tagger === undefined) throw damaged('nobody signed for it: the tagger is missing');
  return { channel, number, kind, commit, restores, previous, outputs, tagger: tag.tagger, message: textOf(text.slice(0, split)) };
}

function outputOf(fields: Fields): ReceiptOutput {
  const tree = fields.id('Tree');
  const path = fields.has('Path') ? repoPath(fields.text('Path')) : undefined;
  let published: PublishedDirectory | undefined;
  if (fields.has('Target')) {
    const target = textOf(fields.text('Target'));
    if (target === '' || target.startsWith('/')) throw damaged(`its target '${target}' is not relative`);
    const directory = fields.text('Directory');
    if (!directoryPattern.test(directory)) throw damaged(`'${directory}' is not the name of a release directory`);
    published = { target, directory };
  }
  const files = fields.count('Files');
  const bytes = fields.count('Bytes');
  const verification = fields.text('Verification');
  if (verification !== 'hashed' && verification !== 'unchanged' && verification !== 'objects') throw damaged(`its verification is '${verification}'`);
  return { tree, path, published, files, bytes, verification };
}

/** The lines of the last paragraph, taken one after the other. */
class Fields {
  readonly #lines: readonly string[];
  readonly #format: ObjectFormat;
  #at = 0;
  constructor(lines: readonly string[], format: ObjectFormat) {
    this.#lines = lines;
    this.#format = format;
  }

  get atEnd(): boolean {
    return this.#at >= this.#lines.length;
  }

  has(key: string): boolean {
    return this.#lines[this.#at]?.startsWith(`${key}: `) === true;
  }

  text(key: string): string {
    if (!this.has(key)) throw damaged(`the line '${key}' is missing or out of order`);
    const value = unquoteValue(this.#lines[this.#at]!.slice(key.length + 2));
    if (value === undefined) throw damaged(`the value of '${key}' is badly quoted`);
    this.#at += 1;
    return value;
  }

  id(key: string): ObjectId {
    const value = this.text(key);
    if (!isObjectId(value, this.#format)) throw damaged(`'${key}' is no object id`);
    return value;
  }

  count(key: string): number {
    const value = this.text(key);
    const number = Number(value);
    if (!/^(?:0|[1-9][0-9]{0,15})$/.test(value) || !Number.isSafeInteger(number)) throw damaged(`'${key}' is no number`);
    return number;
  }
}

function damaged(what: string): CorruptError {
  return new CorruptError(`receipt is damaged: ${what}`, { code: 'bad-receipt' });
}

function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function textOf(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString();
}

const quoting = { quotePath: false } as const;

/** Undefined when the quoting is wrong. */
function unquoteValue(value: string): string | undefined {
  if (!value.startsWith('"')) return value;
  try {
    const unquoted = cUnquote(value);
    return unquoted.end === value.length ? unquoted.value : undefined;
  } catch (error) {
    if (error instanceof InvalidError) return undefined;
    throw error;
  }
}

/** The receipt with this id; NotFoundError or CorruptError names it. */
export function readReceipt(store: ObjectStore, id: ObjectId): StoredReceipt {
  try {
    const tag = store.readTag(id);
    const text = tag.message.toString('latin1');
    return { id, isSigned: signatureStart(text) < text.length, ...receiptOf(tag, store.format) };
  } catch (error) {
    if (!(error instanceof CorruptError) || error.code !== 'bad-receipt') throw error;
    throw new CorruptError(`'${id}': ${error.message}`, { code: 'bad-receipt', cause: error });
  }
}

/** The newest receipt of a channel; undefined when nothing was released on it. */
export function findNewestReceipt(repository: Repository, channel: Channel): StoredReceipt | undefined {
  const ref = repository.refs.find(releaseRef(channel));
  if (ref === undefined) return undefined;
  const receipt = readReceipt(repository.objects, ref.id);
  if (receipt.channel !== channel) throw new CorruptError(`'${ref.id}' is a receipt of '${receipt.channel}', not of '${channel}'`, { code: 'bad-receipt' });
  return receipt;
}

/** A channel's receipts, newest first; those that retention let go of are passed over. */
export function* listReceipts(repository: Repository, channel: Channel): Generator<StoredReceipt> {
  const chain = new ReceiptChain(repository);
  for (let receipt = findNewestReceipt(repository, channel); receipt !== undefined; receipt = chain.findBefore(receipt)) yield receipt;
}

/** Goes from receipt to receipt, back in time. */
export class ReceiptChain {
  readonly #repository: Repository;
  /** All receipts that a ref keeps, the newest first; read when one is met whose predecessor is gone. */
  #kept: readonly StoredReceipt[] | undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** The receipt before this one; where retention let that go, the newest before it that is left. */
  findBefore({ id, channel, number, previous: before }: StoredReceipt): StoredReceipt | undefined {
    if (before === undefined) return undefined;
    const previous = findReceipt(this.#repository, before);
    if (previous === undefined) {
      this.#kept ??= listKept(this.#repository);
      return this.#kept.find((kept) => kept.channel === channel && kept.number < number);
    }
    // Numbers fall along the chain, so that no loop is possible.
    if (previous.channel !== channel || previous.number >= number) {
      throw new CorruptError(`'${id}': receipt is damaged: '${previous.id}' cannot be the one before it`, { code: 'bad-receipt' });
    }
    return previous;
  }
}

function listKept(repository: Repository): StoredReceipt[] {
  return [...repository.refs.list(receiptsPrefix)].map(({ id }) => readReceipt(repository.objects, id)).sort((one, two) => two.number - one.number);
}

/** The receipt, as long as its own ref keeps it; undefined when retention let it go. A ref that names a missing receipt is an error. */
export function findReceipt(repository: Repository, id: ObjectId): StoredReceipt | undefined {
  return repository.refs.find(receiptRef(id)) === undefined ? undefined : readReceipt(repository.objects, id);
}
