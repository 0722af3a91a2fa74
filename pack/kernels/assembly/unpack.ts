// The unpack kernel: objects out of packs (gitformat-pack, "pack-*.pack files"), from the windows they are read into to the framed
// content that is hashed ("<type> <size>\0" and the bytes), all in one linear memory.
//
// Invariant: whatever a pack says, only the regions given are written, and the work is bounded by `mostBytes` and `mostLinks`. Nothing
// is explained here: what is large, deep or wrong in any way is `refused`, and the caller has a careful way to do or say the rest.
// Contents that deltas were applied to stay in slabs; a table of fixed size says which. What is kept in a slab that was emptied since
// is not found any more, because the slab has another stamp. Behind every region `outputSlack` bytes may be written.
import { inputPosition, outputPosition, outputSlack, run, start } from './inflate';
import { apply } from './delta';
import { isHashOf } from './_hash';
import { decodeId, findPosition, forgetIndex, hasIndex, idAt, offsetAt, writeHex } from './_index';

export { regionStart } from './inflate';
export { useIndex } from './_index';
export { beginObjects, listObjects, listedEnd, listedId } from './_objects';
export { addTip, beginWalk, keepTrees, printLines, setContent, useGraph, walk, walkedCount, walkedEnd, walkedId } from './_walk';

/**
 * Makes `wanted` bytes of the pack in use available from `offset` on, fewer only at its end, by calling `setView`; none when they
 * cannot be had. Asked where no window is held.
 */
// @ts-ignore: decorator
@external('pack', 'provide')
declare function provide(offset: f64, wanted: u32): void;
/** Where the object begins whose raw id is at an address; less than 12 when it is not in the pack. */
// @ts-ignore: decorator
@external('pack', 'offsetOf')
declare function offsetOf(id: usize): f64;
/** The address of an empty slab, which may be the one emptied longest ago. */
// @ts-ignore: decorator
@external('pack', 'emptySlab')
declare function emptySlab(): usize;

/** Refused; see above. */
const refused: i32 = -1;
/** There is no room for the result at the place given. */
const noRoom: i32 = -2;

const offsetDelta: u32 = 6;
const refDelta: u32 = 7;
/** No object or delta larger than this is handled. */
const mostBytes: u32 = 1 << 20;
const slabBytes: u32 = 4 << 20;
const mostLinks: u32 = 4096;
/** Read where an object is wanted, its header included: nearly every small one is no longer. */
const entryInputBytes: u32 = 4096;
/** Longer than any header of an entry. */
const entryHeaderBytes: u32 = 64;
/** Longer than the header of any block of a stream, so that an inflater that stopped in it goes on with more behind. */
const resumeBytes: u32 = 1024;
/** Of a delta, to know the sizes it begins with. */
const headBytes: u32 = 20;
/** Nearly always enough to inflate that much. */
const headInputBytes: u32 = 512;

const links = memory.data(24 * 4096, 16);
let scratch: usize = 0;

// Windows begin every 2^16 bytes of a pack and overlap by more than is ever wanted at once. A table of the pack has their addresses, or 0
// for those not held. Behind each window is a byte that is set when it is used.
const windowBits: u64 = 16;
const overlapBytes: u32 = 4352;
const windowSpan: u32 = (1 << 16) + overlapBytes;
const windowSlack: u32 = 64;

let packKey: u64 = 0;
let dataEnd: u64 = 0;
let packEnd: u64 = 0;
let idBytes: u32 = 20;
let windows: usize = 0;

let viewOffset: u64 = 0;
let viewBytes: u64 = 0;
let viewAddress: usize = 0;

/** Gives the kernel what it needs beside its own memory: `scratchAt` has room for a delta, `tableAt` for `tableBytes`, all zero. */
export function prepare(scratchAt: usize, tableAt: usize): void {
  scratch = scratchAt;
  table = tableAt;
}

/** Bytes `prepare` wants at each of its addresses. */
export function scratchSize(): u32 { return mostBytes + outputSlack; }
export function tableSize(): u32 { return slotBytes << tableBits; }
export function slabSize(): u32 { return slabBytes; }
/** Room for the longest frame. */
export function frameSize(): u32 { return mostBytes + frameHeaderBytes + outputSlack; }

/**
 * Changes to another pack, or makes the kernel forget where it read last. Each pack has a key of its own, less than 2^16; `end`, where its
 * objects end, is less than 2^45. `table` is as described above.
 */
export function use(key: u32, end: f64, idSize: u32, table: usize): void {
  packKey = <u64>key << 45;
  dataEnd = <u64>end;
  packEnd = dataEnd + idSize;
  idBytes = idSize;
  windows = table;
  viewBytes = 0;
  forgetIndex(idSize);
}

/** Bytes of a window, of those it overlaps the next by, and of its region, which ends in the byte that tells that it was used. */
export function windowSize(): u32 { return 1 << 16; }
export function overlapSize(): u32 { return overlapBytes; }
export function windowRegionSize(): u32 { return windowSpan + windowSlack + 1; }

/** Tells where `size` bytes of the pack are, from `offset` on. */
export function setView(offset: f64, address: usize, size: u32): void {
  viewOffset = <u64>offset;
  viewAddress = address;
  viewBytes = size;
}

/** The address of the bytes at `offset`; 0 when there are none. As many as wanted are there, or all to the end of the pack. */
// @ts-ignore: decorator
@inline
function seek(offset: u64, wanted: u32): usize {
  const into = offset - viewOffset;
  if (into >= viewBytes || viewBytes - into < wanted) {
    if (offset >= dataEnd) return 0;
    view(offset, wanted);
    if (viewBytes == 0) return 0;
  }
  return viewAddress + <usize>(offset - viewOffset);
}

function view(offset: u64, wanted: u32): void {
  const number = offset >> windowBits;
  const held = load<u32>(windows + (<usize>number << 2));
  if (held == 0) {
    provide(<f64>offset, wanted);
    return;
  }
  viewOffset = number << windowBits;
  viewAddress = held;
  viewBytes = min<u64>(windowSpan, packEnd - viewOffset);
  store<u8>(held + windowSpan + windowSlack, 1);
}

// @ts-ignore: decorator
@inline
function viewEnd(): usize { return viewAddress + <usize>viewBytes; }

// The entry read last.
let entryKind: u32 = 0;
let entrySize: u64 = 0;
let entryData: u64 = 0;
/** 0 for an object stored whole. */
let entryBase: u64 = 0;

/** Reads the header of the entry at an offset; false when there cannot be one. */
function readEntry(offset: u64, wanted: u32): bool {
  if (offset < 12 || offset >= dataEnd) return false;
  const first = seek(offset, wanted);
  if (first == 0) return false;
  const end = viewEnd();
  let at = first;
  let byte = <u32>load<u8>(at++);
  entryKind = (byte >> 4) & 7;
  entrySize = byte & 15;
  for (let shift: u64 = 4; byte & 0x80; shift += 7) {
    if (shift > 46 || at >= end) return false;
    byte = load<u8>(at++);
    entrySize |= <u64>(byte & 0x7f) << shift;
  }
  entryBase = 0;
  if (entryKind == offsetDelta) {
    byte = load<u8>(at++);
    let distance: u64 = byte & 0x7f;
    while (byte & 0x80) {
      if (at >= end || distance > <u64>1 << 45) return false;
      byte = load<u8>(at++);
      distance = ((distance + 1) << 7) + (byte & 0x7f);
    }
    if (distance == 0 || distance + 12 > offset) return false;
    entryBase = offset - distance;
  } else if (entryKind == refDelta) {
    if (end - at < idBytes) return false;
    const base = offsetOf(at);
    if (base < 12) return false;
    entryBase = <u64>base;
    at += idBytes;
  } else if (entryKind == 0 || entryKind == 5) {
    return false;
  }
  if (at > end) return false;
  entryData = offset + (at - first);
  return true;
}

/** Inflates exactly `size` bytes to an address from the stream at an offset; false when it is not such a stream. */
// @ts-ignore: decorator
@inline
function inflateTo(to: usize, size: u32, offset: u64): bool {
  return inflate(to, size, offset, 1) == 0 && outputPosition() == to + size;
}

/** How the stream at an offset, inflated until `size` bytes came out, ends: as `run` does. `verify` 0 leaves the checksum alone. */
function inflate(to: usize, size: u32, offset: u64, verify: i32): i32 {
  start();
  let at = offset;
  let written = to;
  // As long as most streams of that size; a longer one goes on in another window.
  let wanted = min<u32>(size + (size >> 8) + 64, entryInputBytes);
  while (at < dataEnd) {
    const address = seek(at, wanted);
    if (address == 0) return refused;
    const status = run(address, viewEnd(), to, written, to + size, verify);
    if (status != 1) return status;
    const used = inputPosition() - address;
    written = outputPosition();
    // Nothing used, and what was there was enough: so the stream is cut short.
    if (used == 0 && wanted >= resumeBytes) return refused;
    at += used;
    wanted = resumeBytes;
  }
  return refused;
}

// The sizes a delta begins with, and where its instructions begin.
let baseSize: u64 = 0;
let resultSize: u64 = 0;
let instructions: usize = 0;

function readSizes(delta: usize, end: usize): bool {
  instructions = delta;
  if (!readSize(end)) return false;
  baseSize = sizeRead;
  if (!readSize(end)) return false;
  resultSize = sizeRead;
  return true;
}

let sizeRead: u64 = 0;

function readSize(end: usize): bool {
  let size: u64 = 0;
  for (let shift: u64 = 0; shift < 49 && instructions < end; shift += 7) {
    const byte = <u64>load<u8>(instructions++);
    size |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      sizeRead = size;
      return true;
    }
  }
  return false;
}

// Slabs: eight bytes with the stamp, then contents. A slot of the table: key, address, size, slab, stamp and kind.
const slabHeaderBytes: u32 = 16;
const tableBits: u32 = 16;
const slotBytes: u32 = 32;
let table: usize = 0;
let slab: usize = 0;
let slabUsed: u32 = slabBytes;
let slabStamp: u32 = 0;
/** Contents in slabs with older stamps are moved to the newest when they are used. */
let keptSlabs: u32 = 0;

// @ts-ignore: decorator
@inline
function slotOf(key: u64): usize {
  return table + (<usize>((key * 0x9e3779b97f4a7c15) >> (64 - tableBits)) * slotBytes);
}

/** Room for a content that will be kept. */
function reserve(size: u32): usize {
  if (slabUsed + size + outputSlack > slabBytes) {
    slab = emptySlab();
    slabStamp++;
    store<u32>(slab, slabStamp);
    slabUsed = slabHeaderBytes;
  }
  return slab + slabUsed;
}

/** Keeps what was put into the room reserved last. */
function keep(offset: u64, size: u32, kind: u32): void {
  const key = packKey | offset;
  const slot = slotOf(key);
  store<u64>(slot, key);
  store<u32>(slot, <u32>(slab + slabUsed), 8);
  store<u32>(slot, size, 12);
  store<u32>(slot, <u32>slab, 16);
  store<u32>(slot, slabStamp, 20);
  store<u32>(slot, kind, 24);
  slabUsed = (slabUsed + size + 15) & ~15;
}

// The base the next delta is applied to.
let base: usize = 0;
let baseBytes: u32 = 0;
let kindFound: u32 = 0;

/** Finds a content kept. The newest slab is never emptied for the next, so what lies in an old one moves there before it is used. */
function findBase(offset: u64): bool {
  const key = packKey | offset;
  const slot = slotOf(key);
  if (load<u64>(slot) != key) return false;
  const stamp = load<u32>(slot, 20);
  if (load<u32>(load<u32>(slot, 16)) != stamp) return false;
  base = load<u32>(slot, 8);
  baseBytes = load<u32>(slot, 12);
  kindFound = load<u32>(slot, 24);
  if (slabStamp - stamp > keptSlabs) {
    const from = base;
    // `reserve` may empty the slab it lies in; the bytes stay until something is put there.
    base = reserve(baseBytes);
    memory.copy(base, from, baseBytes);
    keep(offset, baseBytes, kindFound);
  }
  return true;
}

/** How many slabs behind the newest one are far from being emptied. */
export function setKeptSlabs(count: u32): void { keptSlabs = count; }

/** Applies the delta at `link` to the base, with the result at an address that has room for what `readSizes` says. */
// @ts-ignore: decorator
@inline
function inflateDelta(link: usize): bool {
  const size = load<u32>(link, 16);
  return inflateTo(scratch, size, load<u64>(link, 8)) && readSizes(scratch, scratch + size)
    && baseSize == baseBytes && resultSize <= mostBytes;
}

const frameHeaderBytes: u32 = 20;
let frameKind: u32 = 0;
let frameContent: u32 = 0;

/** 1 to 4: commit, tree, blob, tag; of the last `read`, `readWhole` or `describe`. */
export function kind(): u32 { return frameKind; }
/** Size of the content the last `read` made. */
export function contentSize(): u32 { return frameContent; }

/** Writes "<type> <size>\0"; gives the address behind. */
function writeFrame(to: usize, kind: u32, size: u32): usize {
  const end = writeDecimal(writeType(to, kind), size);
  store<u8>(end, 0);
  frameKind = kind;
  return end + 1;
}

/** Writes a type and a blank; gives the address behind. */
function writeType(to: usize, kind: u32): usize {
  if (kind == 1) {
    store<u64>(to, 0x2074696d6d6f63); // "commit "
    return to + 7;
  }
  if (kind == 4) {
    store<u32>(to, 0x20676174); // "tag "
    return to + 4;
  }
  store<u64>(to, kind == 2 ? 0x2065657274 : 0x20626f6c62); // "tree ", "blob "
  return to + 5;
}

function writeDecimal(to: usize, value: u32): usize {
  let digits = 1;
  for (let rest = value; rest >= 10; rest /= 10) digits++;
  const end = to + digits;
  for (let at = end; at > to; value /= 10) store<u8>(--at, <u8>(48 + value % 10));
  return end;
}

/**
 * Puts the framed object at an offset to `to`: its length, `refused`, or `noRoom` when that and what may be written behind do not fit
 * before `limit`. Nothing says yet that it is the object its id says.
 */
export function read(offset: f64, to: usize, limit: usize): i32 {
  const first = <u64>offset;
  if (findBase(first)) return frameBase(to, limit);
  return readEntry(first, entryInputBytes) ? readFurther(first, to, limit) : refused;
}

/**
 * As `read`, but of an object that is stored whole only the first `most` bytes of the content, without a look at the checksum behind
 * them: `contentSize` says how many there are.
 */
export function readHead(offset: f64, to: usize, limit: usize, most: u32): i32 {
  const first = <u64>offset;
  if (findBase(first)) return frameBase(to, limit);
  if (!readEntry(first, entryInputBytes)) return refused;
  if (entryBase != 0 || entrySize <= most) return readFurther(first, to, limit);
  if (entrySize > mostBytes) return refused;
  if (to + most + frameHeaderBytes + outputSlack > limit) return noRoom;
  const content = writeFrame(to, entryKind, <u32>entrySize);
  if (inflate(content, most, entryData, 0) != 2) return refused;
  frameContent = most;
  return <i32>(content - to + most);
}

const checkedId = memory.data(32, 16);

/** Where the id is put that the next frame is to hash to. */
export function checkedIdAt(): usize { return checkedId; }

/** True when the frame does, which was put there by `read`. */
export function isFrameOf(idSize: u32, frame: usize, size: u32): bool { return isHashOf(checkedId, idSize, frame, size); }

/** The object whose entry was just read. */
function readFurther(first: u64, to: usize, limit: usize): i32 {
  if (entrySize > mostBytes) return refused;
  if (entryBase != 0) return resolve(first) ? frameBase(to, limit) : refused;
  const size = <u32>entrySize;
  if (to + size + frameHeaderBytes + outputSlack > limit) return noRoom;
  const content = writeFrame(to, entryKind, size);
  frameContent = size;
  return inflateTo(content, size, entryData) ? <i32>(content - to + size) : refused;
}

/** What was found or made last, as the result. */
function frameBase(to: usize, limit: usize): i32 {
  if (to + baseBytes + frameHeaderBytes + outputSlack > limit) return noRoom;
  const content = writeFrame(to, kindFound, baseBytes);
  frameContent = baseBytes;
  memory.copy(content, base, baseBytes);
  return <i32>(content - to + baseBytes);
}

/** Makes the object of the delta whose entry was just read, and keeps it and all it is made from: the next delta may build on any. */
function resolve(first: u64): bool {
  let depth: u32 = 0;
  let at = first;
  let isFound = false;
  while (entryBase != 0) {
    if (depth == mostLinks) return false;
    const link = links + depth * 24;
    store<u64>(link, at);
    store<u64>(link, entryData, 8);
    store<u32>(link, <u32>entrySize, 16);
    depth++;
    at = entryBase;
    isFound = findBase(at);
    if (isFound) break;
    if (!readEntry(at, entryInputBytes) || entrySize > mostBytes) return false;
  }
  if (!isFound) {
    kindFound = entryKind;
    baseBytes = <u32>entrySize;
    base = reserve(baseBytes);
    if (!inflateTo(base, baseBytes, entryData)) return false;
    keep(at, baseBytes, kindFound);
  }
  while (depth > 0) {
    depth--;
    const link = links + depth * 24;
    if (!inflateDelta(link)) return false;
    const size = <u32>resultSize;
    const made = reserve(size);
    if (apply(base, baseBytes, instructions, scratch + load<u32>(link, 16), made, size) != 0) return false;
    base = made;
    baseBytes = size;
    keep(load<u64>(link), size, kindFound);
  }
  return true;
}

// What deltas are in the end, by where they begin. A slot: the key with the kind behind it; the newest of those that share a slot stays.
const kindBits: u32 = 14;
const kinds = memory.data(8 << 14, 16);

// @ts-ignore: decorator
@inline
function kindSlot(key: u64): usize {
  return kinds + (<usize>((key * 0x9e3779b97f4a7c15) >> (64 - kindBits)) << 3);
}

/** The kind noted for an offset; 0 when there is none. */
// @ts-ignore: decorator
@inline
function kindAt(offset: u64): u32 {
  const key = packKey | offset;
  const known = load<u64>(kindSlot(key));
  return known >> 3 == key ? <u32>known & 7 : 0;
}

/** Size of the object at an offset, its type is `kind`; `refused` as above. Inflates no more than a delta's sizes, and verifies nothing. */
export function describe(offset: f64): f64 {
  let at = <u64>offset;
  if (!readEntry(at, entryHeaderBytes)) return refused;
  frameKind = entryKind;
  if (entryBase == 0) return <f64>entrySize;
  if (!inflateHead(<u32>min<u64>(entrySize, headBytes)) || !readSizes(scratch, outputPosition())) return refused;
  let depth: u32 = 0;
  let kind: u32 = 0;
  while (true) {
    kind = kindAt(at);
    if (kind != 0) break;
    if (depth == mostLinks) return refused;
    store<u64>(links + depth * 24, packKey | at);
    depth++;
    at = entryBase;
    kind = kindAt(at);
    if (kind != 0) break;
    if (!readEntry(at, entryHeaderBytes)) return refused;
    if (entryBase == 0) {
      kind = entryKind;
      break;
    }
  }
  while (depth > 0) {
    depth--;
    const key = load<u64>(links + depth * 24);
    store<u64>(kindSlot(key), (key << 3) | kind);
  }
  frameKind = kind;
  return <f64>resultSize;
}

/** Inflates the first `size` bytes of the entry read last to the scratch memory. */
function inflateHead(size: u32): bool {
  start();
  const address = seek(entryData, headInputBytes);
  if (address == 0) return false;
  const status = run(address, viewEnd(), scratch, scratch, scratch + size, 0);
  return status >= 0 && outputPosition() - scratch >= size;
}

// What a line is made of: bytes as they are, and these for what is described.
const namePart: u32 = 1;
const typePart: u32 = 2;
const sizePart: u32 = 3;
let template: usize = 0;
let templateEnd: usize = 0;
let templateBytes: u32 = 0;

/** Tells of what lines are to be made; names come at most `names` times, types and sizes `others` times. */
export function useTemplate(at: usize, size: u32, names: u32, others: u32): void {
  template = at;
  templateEnd = at + size;
  templateBytes = size + names * 64 + others * frameHeaderBytes + 1;
}

const wantedId = memory.data(32, 16);
let linesEnd: usize = 0;

/** Where the lines end that were described last. */
export function describedEnd(): usize { return linesEnd; }

/** Adds a line about the object at a position; false when it is refused. */
function describePosition(position: u32): bool {
  const offset = offsetAt(position);
  if (offset < 0) return false;
  const size = describe(<f64>offset);
  if (size < 0 || size > <f64>u32.MAX_VALUE) return false;
  let to = linesEnd;
  for (let at = template; at < templateEnd; at++) {
    const part = <u32>load<u8>(at);
    if (part == namePart) to = writeHex(to, idAt(position), idBytes << 1);
    else if (part == typePart) to = writeType(to, frameKind) - 1;
    else if (part == sizePart) to = writeDecimal(to, <u32>size);
    else store<u8>(to++, <u8>part);
  }
  store<u8>(to, 0x0a);
  linesEnd = to + 1;
  return true;
}

/**
 * Adds lines for ids that stand in a text, each with `terminator` behind it, in the order they have there. Gives the address of the first
 * that is not answered for: another kind of line, an object that is elsewhere or refused, no room before `limit`, or the end of the text.
 */
export function describeLines(text: usize, end: usize, terminator: u32, to: usize, limit: usize): usize {
  const digits = idBytes << 1;
  linesEnd = to;
  while (hasIndex() && text + digits < end && linesEnd + templateBytes <= limit && load<u8>(text + digits) == terminator) {
    if (!decodeId(text, wantedId, idBytes)) break;
    const position = findPosition(wantedId);
    if (position < 0 || !describePosition(position)) break;
    text += digits + 1;
  }
  return text;
}

/** Adds lines for the objects from one position to another; gives the first one not answered for. */
export function describeRange(from: u32, until: u32, to: usize, limit: usize): u32 {
  linesEnd = to;
  while (hasIndex() && from < until && linesEnd + templateBytes <= limit && describePosition(from)) from++;
  return from;
}
