// Making a multi-pack-index out of the indexes of packs, and comparing one with them (gitformat-pack(5), "multi-pack-index files"). Byte for
// byte what git writes, but for bitmaps, which need a reverse index in it. Pure: indexes in, bytes or findings out.
//
// Of an object in several packs one copy is chosen: that of the preferred pack, else of the youngest of those that were not listed
// before, else the one that was chosen before.
import { encodeChunks } from './chunk-file.js';
import { orderIds, encodeFanOut } from './id-order.js';
import type { MultiPackIndex } from './multi-pack-index.js';
import { type ObjectFormat, digest, encodeObjectIdInto, rawSize } from './oid.js';
import type { PackIndex } from './pack-index.js';

/** A pack to be listed. */
export interface ListedPack {
  /** "pack-<hash>.idx". */
  readonly name: string;
  /** Of the .pack file, in whole seconds. */
  readonly mtimeS: number;
  readonly index: () => PackIndex;
}

export interface MultiPackIndexRequest {
  /** Those of `former`, in its order, come first. */
  readonly packs: readonly ListedPack[];
  /** What was known before; its first packs are those of `packs`. */
  readonly former?: MultiPackIndex;
  /** Its copies are chosen before all others; a number in `packs`. */
  readonly preferred?: number;
  /** Numbers of packs that are not to be listed; no object of `former` may be in one. */
  readonly dropped?: ReadonlySet<number>;
}

const headerBytes = 12;
/** The chunk before those that hold numbers is filled up to whole ones. */
const alignment = 4;
const largeOffset = 0x80000000;

/** Objects as they are gathered, copies of the same one included. */
class Gathered {
  readonly idSize: number;
  ids: Buffer;
  packs: Uint32Array;
  offsets: Float64Array;
  count = 0;

  constructor(room: number, idSize: number) {
    this.idSize = idSize;
    this.ids = Buffer.allocUnsafe(room * idSize);
    this.packs = new Uint32Array(room);
    this.offsets = new Float64Array(room);
  }

  /** The place for the raw id of what is added. */
  add(pack: number, offset: number): Buffer {
    const number = this.count;
    this.count += 1;
    this.packs[number] = pack;
    this.offsets[number] = offset;
    return this.ids.subarray(number * this.idSize, (number + 1) * this.idSize);
  }
}

/** The bytes of the file. */
export function encodeMultiPackIndex(request: MultiPackIndexRequest, format: ObjectFormat): Buffer {
  const { packs, dropped } = request;
  const gathered = gather(request, rawSize(format));
  const order = chooseCopies(gathered, request);
  const listed = packs.map((pack, number) => ({ name: pack.name, number })).filter(({ number }) => !dropped?.has(number))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const numbers = new Uint32Array(packs.length);
  listed.forEach(({ number }, at) => { numbers[number] = at; });
  const names = Buffer.from(listed.map(({ name }) => `${name}\0`).join(''), 'latin1');
  const chunks: [string, Buffer][] = [
    ['PNAM', Buffer.concat([names, Buffer.alloc((alignment - (names.length % alignment)) % alignment)])],
    ['OIDF', encodeFanOut(order, gathered.ids, gathered.idSize)],
    ['OIDL', encodeIds(gathered, order)],
    ...encodeOffsets(gathered, order, numbers),
  ];
  const header = Buffer.alloc(headerBytes);
  header.write('MIDX', 'latin1');
  header[4] = 1;
  header[5] = format === 'sha1' ? 1 : 2;
  header[6] = chunks.length;
  header.writeUInt32BE(listed.length, 8);
  const body = Buffer.concat([header, encodeChunks(headerBytes, chunks)]);
  return Buffer.concat([body, digest(body, format)]);
}

function gather({ packs, former, preferred }: MultiPackIndexRequest, idSize: number): Gathered {
  const known = former?.packNames.length ?? 0;
  const whole = packs.map((_, number) => number).filter((number) => number >= known || number === preferred);
  const room = whole.reduce((sum, number) => sum + packs[number]!.index().count, former?.count ?? 0);
  const gathered = new Gathered(room, idSize);
  for (let position = 0; former !== undefined && position < former.count; position += 1) {
    const pack = former.packAt(position);
    if (pack !== preferred) encodeObjectIdInto(gathered.add(pack, former.offsetAt(position)), former.idAt(position));
  }
  for (const number of whole) {
    const index = packs[number]!.index();
    for (let position = 0; position < index.count; position += 1) gathered.add(number, index.offsetAt(position)).set(index.rawIdAt(position));
  }
  return gathered;
}

/** Numbers of the chosen copies, in the order of their ids. */
function chooseCopies(gathered: Gathered, { packs, former, preferred }: MultiPackIndexRequest): Uint32Array {
  const known = former?.packNames.length ?? 0;
  const age = (number: number): number => (number < known ? 0 : packs[number]!.mtimeS);
  const byWorth = packs.map((_, number) => number).sort((a, b) => Number(b === preferred) - Number(a === preferred) || age(b) - age(a) || a - b);
  const worth = new Uint32Array(packs.length);
  byWorth.forEach((number, at) => { worth[number] = at; });
  const { ids, idSize } = gathered;
  const order = orderIds(ids, gathered.count, idSize, (a, b) => worth[gathered.packs[a]!]! - worth[gathered.packs[b]!]! || a - b);
  let kept = 0;
  for (const [at, number] of order.entries()) {
    const former = kept === 0 ? undefined : order[kept - 1]! * idSize;
    if (at > 0 && former !== undefined && ids.compare(ids, former, former + idSize, number * idSize, (number + 1) * idSize) === 0) continue;
    order[kept] = number;
    kept += 1;
  }
  return order.subarray(0, kept);
}

function encodeIds({ ids, idSize }: Gathered, order: Uint32Array): Buffer {
  const bytes = Buffer.allocUnsafe(order.length * idSize);
  order.forEach((number, at) => { ids.copy(bytes, at * idSize, number * idSize, (number + 1) * idSize); });
  return bytes;
}

/** Where the objects are; offsets take 64 bits only when one of them needs more than 32. */
function encodeOffsets(gathered: Gathered, order: Uint32Array, numbers: Uint32Array): [string, Buffer][] {
  const isLarge = order.some((number) => gathered.offsets[number]! > 0xffffffff);
  const bytes = Buffer.allocUnsafe(order.length * 8);
  const large: number[] = [];
  order.forEach((number, at) => {
    const offset = gathered.offsets[number]!;
    bytes.writeUInt32BE(numbers[gathered.packs[number]!]!, at * 8);
    if (isLarge && offset >= largeOffset) {
      bytes.writeUInt32BE(largeOffset + large.length, at * 8 + 4);
      large.push(offset);
    } else {
      bytes.writeUInt32BE(offset, at * 8 + 4);
    }
  });
  if (!isLarge) return [['OOFF', bytes]];
  const wide = Buffer.allocUnsafe(large.length * 8);
  large.forEach((offset, at) => { wide.writeBigUInt64BE(BigInt(offset), at * 8); });
  return [['OOFF', bytes], ['LOFF', wide]];
}

/** What is wrong with a multi-pack-index, given the packs there are by the names of their indexes. */
export function* checkMultiPackIndex(midx: MultiPackIndex, packs: ReadonlyMap<string, PackIndex>): Generator<string> {
  if (!midx.hasValidChecksum()) yield 'it does not match its own checksum';
  for (const name of midx.packNames) if (!packs.has(name)) yield `its pack '${name}' is not there`;
  let former: string | undefined;
  for (let position = 0; position < midx.count; position += 1) {
    const id = midx.idAt(position);
    if (former !== undefined && former >= id) yield `object '${id}' is not in its place`;
    former = id;
    const name = midx.packNames[midx.packAt(position)];
    const index = name === undefined ? undefined : packs.get(name);
    if (name === undefined) yield `object '${id}' is in a pack that has no name`;
    if (index === undefined) continue;
    const inPack = index.position(Buffer.from(id, 'hex'));
    if (inPack < 0) yield `object '${id}' is not in the pack '${name}'`;
    else if (index.offsetAt(inPack) !== midx.offsetAt(position)) yield `object '${id}' is elsewhere in '${name}'`;
  }
}
