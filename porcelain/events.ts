// The log of what happened in a repository: one record for each release, rollback, collection. For people and watchers;
// nothing relies on it, refs and receipts always win over it. Format: cairn-events(5).
//
// Invariant: a record is appended by one write and is durable before `appendEvent` returns; existing bytes never change, so
// appending needs no lock. If the power fails, the last record may be torn; readers skip it and find what was appended after it.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { disk, makeDirectories } from '../pack/disk.js';
import { CairnError, InvalidError, isSystemError } from '../pack/errors.js';
import { lazyModule } from '../pack/lazy-module.js';
import { committerIdent } from '../plumbing/identity.js';
import { escapeControls } from '../plumbing/quote.js';
import type { Repository } from '../plumbing/repository.js';
import { crc32 } from '../pack/zlib.js';

// This entry of the package neither looks for a native addon nor compiles code: a fifth of the time to load.
const msgpackr = lazyModule<typeof import('msgpackr')>('msgpackr/index-no-eval');

/** What a record may hold. */
export type EventValue = string | number | boolean | null | readonly EventValue[] | { readonly [key: string]: EventValue };

export interface Event {
  /** Lower-case words joined by '-': 'release', 'mark-bad'. */
  readonly kind: string;
  /** Milliseconds since 1970, UTC, by the writer's clock. */
  readonly atMs: number;
  /** "name <mail>". */
  readonly actor: string;
  readonly data: Readonly<Record<string, EventValue>>;
}

const schemaVersion = 1;
const marker = Buffer.from('CEv1', 'latin1');
const headerBytes = 12;
const maximumPayloadBytes = 1024 * 1024;

/** One record: marker, size, CRC-32, MessagePack map; InvalidError when it would be too large for readers. */
export function encodeEvent(event: Event): Buffer {
  const payload = msgpackr().pack({ v: schemaVersion, kind: event.kind, atMs: event.atMs, actor: event.actor, data: event.data });
  if (payload.length > maximumPayloadBytes) throw new InvalidError(`event '${event.kind}' is too large to be recorded`, { code: 'event-too-large' });
  const header = Buffer.alloc(headerBytes);
  marker.copy(header);
  header.writeUInt32BE(payload.length, 4);
  header.writeUInt32BE(crc32(payload), 8);
  return Buffer.concat([header, payload]);
}

/** Every whole record in `bytes`, in order; what is torn, damaged or of an unknown version is passed over. */
export function* decodeEvents(bytes: Buffer): Generator<Event> {
  for (const { event } of listRecords(bytes)) if (event !== undefined) yield event;
}

/** How many bytes belong to no whole record. */
export function countTornBytes(bytes: Buffer): number {
  let whole = 0;
  for (const { sizeBytes } of listRecords(bytes)) whole += sizeBytes;
  return bytes.length - whole;
}

function* listRecords(bytes: Buffer): Generator<{ readonly event: Event | undefined; readonly sizeBytes: number }> {
  let at = bytes.indexOf(marker);
  while (at >= 0) {
    const sizeBytes = at + headerBytes <= bytes.length ? bytes.readUInt32BE(at + 4) : maximumPayloadBytes + 1;
    const end = at + headerBytes + sizeBytes;
    if (sizeBytes <= maximumPayloadBytes && end <= bytes.length) {
      const payload = bytes.subarray(at + headerBytes, end);
      if (crc32(payload) === bytes.readUInt32BE(at + 8)) {
        yield { event: decodePayload(payload), sizeBytes: end - at };
        at = bytes.indexOf(marker, end);
        continue;
      }
    }
    at = bytes.indexOf(marker, at + 1);
  }
}

function decodePayload(payload: Buffer): Event | undefined {
  let value: unknown;
  try {
    value = msgpackr().unpack(payload);
  } catch (error) {
    // The checksum was right, so somebody wrote this on purpose; it is no record of ours.
    if (error instanceof Error) return undefined;
    throw error;
  }
  if (!isRecord(value)) return undefined;
  const { v, kind, atMs, actor, data } = value;
  if (v !== schemaVersion || typeof kind !== 'string' || typeof atMs !== 'number' || typeof actor !== 'string' || !isRecord(data)) return undefined;
  return { kind, atMs, actor, data: data as Event['data'] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** Appends what happened now, by the committer; durable when it returns. */
export function appendEvent(repository: Repository, kind: string, data: Event['data']): void {
  const atMs = repository.context.clock.nowMs();
  const { name, email } = committerIdent(repository);
  const actor = Buffer.from(`${name} <${email}>`, 'latin1').toString();
  const directory = eventsDirectory(repository);
  // They tell what refs did, and are as durable as those.
  const durable = repository.hardening.reference;
  makeDirectories(directory, { durable });
  const path = join(directory, segmentName(atMs));
  const isNew = !fs.existsSync(path);
  const fd = disk().open(path, 'a', 0o666);
  try {
    disk().write(fd, encodeEvent({ kind, atMs, actor, data }));
    if (durable) disk().fsync(fd);
  } finally {
    disk().close(fd);
  }
  if (isNew && durable) disk().fsyncDirectory(directory);
}

/** As `appendEvent`, of what has been done already: a failure is told, and does not make it undone. */
export function tellEvent(repository: Repository, kind: string, data: Event['data']): void {
  try {
    appendEvent(repository, kind, data);
  } catch (error) {
    if (!(error instanceof CairnError) && !isSystemError(error)) throw error;
    repository.context.stderr.write(`warning: this is done, but the event '${kind}' could not be recorded: ${escapeControls(error.message)}\n`);
  }
}

/** All events, oldest month first, in the order they were appended. */
export function* listEvents(repository: Repository): Generator<Event> {
  for (const name of segmentNames(repository)) yield* decodeEvents(fs.readFileSync(join(eventsDirectory(repository), name)));
}

/** All events, the last appended first. */
export function* listEventsBackwards(repository: Repository): Generator<Event> {
  for (const name of segmentNames(repository).reverse()) {
    yield* [...decodeEvents(fs.readFileSync(join(eventsDirectory(repository), name)))].reverse();
  }
}

/** The files events are in, oldest month first. */
export function listEventFiles(repository: Repository): string[] {
  return segmentNames(repository).map((name) => join(eventsDirectory(repository), name));
}

function eventsDirectory(repository: Repository): string {
  return join(repository.commonDirectory, 'cairn/events');
}

function segmentName(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 7)}.log`;
}

function segmentNames(repository: Repository): string[] {
  try {
    return fs.readdirSync(eventsDirectory(repository)).filter((name) => /^\d{4}-\d{2}\.log$/.test(name)).sort();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}
