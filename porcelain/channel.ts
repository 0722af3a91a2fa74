// A channel: the name releases are made under, the refs that belong to it, and the targets it is published to.
// A name is '/'-separated, keeps git's ref rules below refs/releases/ and so can never escape; specified by cairn-receipt(5).
//
// Targets are remembered in the repository's config as release.<channel>.target, relative to the base directory unless typed
// absolute. Nothing here changes a disk but `rememberTargets`, which replaces the config file as a whole.
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { InvalidError } from '../pack/errors.js';
import type { ObjectId } from '../pack/oid.js';
import { editConfigFile, parseConfigKey, setInConfig } from '../plumbing/config-file.js';
import { type RefName, isRefName, isText } from '../plumbing/refs/ref-name.js';
import type { Repository } from '../plumbing/repository.js';

declare const channelBrand: unique symbol;
/** A name that `parseChannel` accepted. */
export type Channel = string & { readonly [channelBrand]: true };

/** Where the newest receipts are. */
export const releasesPrefix = 'refs/releases/';
/** Each receipt's own ref, called as its id. */
export const receiptsPrefix = 'refs/cairn/receipts/';
const longestChannelBytes = 150;
const configTimeoutMs = 1000;

/** True when `name` can be a channel. */
export function isChannel(name: string): name is Channel {
  return isRefName(releasesPrefix + name) && Buffer.byteLength(name) <= longestChannelBytes && isText(name)
    && !/(?:^|\/)-|[\u0000-\u001f\u007f-\u009f]/.test(name);
}

/** `name` as a channel; InvalidError 'bad-channel' otherwise. */
export function parseChannel(name: string): Channel {
  if (isChannel(name)) return name;
  throw new InvalidError(`'${name}' cannot be the name of a channel`, {
    code: 'bad-channel', hint: "use parts like those of a ref name, joined by '/': 'prod', 'site/staging'",
  });
}

/** The ref that names the newest receipt of a channel. */
export function releaseRef(channel: Channel): RefName {
  return `${releasesPrefix}${channel}` as RefName;
}

/** The ref that keeps one receipt, whatever happens to the channel's. */
export function receiptRef(receipt: ObjectId): RefName {
  return `${receiptsPrefix}${receipt}` as RefName;
}

/** The ref whose presence says that a receipt is marked bad. */
export function badRef(receipt: ObjectId): RefName {
  return `refs/cairn/bad/${receipt}` as RefName;
}

/** Every channel that has a receipt, with the newest one, in the order of names. */
export function* listChannels(repository: Repository): Generator<{ readonly channel: Channel; readonly receipt: ObjectId }> {
  for (const { name, id } of repository.refs.list(releasesPrefix)) {
    const channel = name.slice(releasesPrefix.length);
    if (isChannel(channel)) yield { channel, receipt: id };
  }
}

/** A channel's name as part of a file name: what is not a plain character becomes '%' and two hexadecimal digits. */
export function encodeChannel(channel: Channel): string {
  return Buffer.from(channel).toString('latin1').replace(/[^A-Za-z0-9._-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** What relative targets are relative to: the top of the main work tree, or a bare repository itself. */
export function targetBase(repository: Repository): string {
  const { commonDirectory, gitDirectory, workTree, isBare } = repository;
  if (gitDirectory === commonDirectory && workTree !== undefined) return workTree;
  return isBare ? commonDirectory : dirname(commonDirectory);
}

/** A place releases are published to: a symbolic link and, beside it, the directory that holds what it may point to. */
export interface Target {
  /** As receipts have it: relative to the base, '/' between its parts. */
  readonly name: string;
  /** Absolute path of the link. */
  readonly path: string;
  /** Absolute path of the sibling directory. */
  readonly container: string;
  /** Its name, the first part of the link's value. */
  readonly containerName: string;
}

/** Names of sibling directories. */
export const containerPattern = /^\..+\.cairn$/;

/** The target at an absolute path; InvalidError when nothing can be published there. */
export function targetAt(repository: Repository, path: string): Target {
  const parent = dirname(path);
  const last = basename(path);
  if (last === '' || path.includes('\0')) throw new InvalidError(`'${path}' cannot be a target`, { code: 'bad-target' });
  for (const own of new Set([repository.commonDirectory, repository.gitDirectory])) refuseInside(own, path);
  const containerName = `.${last}.cairn`;
  return { name: relative(targetBase(repository), path).split(sep).join('/'), path, container: join(parent, containerName), containerName };
}

function refuseInside(own: string, path: string): void {
  const inside = relative(own, path);
  if (inside.startsWith(`..${sep}`) || inside === '..' || isAbsolute(inside)) return;
  throw new InvalidError(`'${path}' cannot be a target: it is inside the repository's own directory`, { code: 'bad-target' });
}

/** A target as a receipt names it. */
export function targetNamed(repository: Repository, name: string): Target {
  return targetAt(repository, resolve(targetBase(repository), name));
}

/** The key a channel's targets are remembered under. */
export function targetKey(channel: Channel): string {
  return `release.${channel}.target`;
}

/** The targets a channel is published to, in order; empty when it only records. */
export function rememberedTargets(repository: Repository, channel: Channel): Target[] {
  return repository.config.getAll(targetKey(channel)).map((value) => targetNamed(repository, value));
}

/** Remembers the targets (at least one) of a channel in the repository's config; the rest of the file stays as it is, byte for byte. */
export function rememberTargets(repository: Repository, channel: Channel, targets: readonly string[]): void {
  const path = join(repository.commonDirectory, 'config');
  const key = parseConfigKey(targetKey(channel));
  const setAll = (text: string): string => targets.reduce((edited, target, at) =>
    setInConfig(edited, key, Buffer.from(target).toString('latin1'), path, at === 0 ? { all: true } : { add: true }), text);
  editConfigFile(path, setAll, repository.lockHolder, configTimeoutMs);
  repository.config.refresh();
}
