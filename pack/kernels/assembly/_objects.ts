// Trees and blobs behind the commits of a walk, each once, and a line for each: what --objects of git-rev-list(1) adds. A part of the
// unpack kernel.
//
// Invariant: as for the walk, whose records say what was listed. A tree being gone through lies on a stack of contents, for others are
// read before its end is reached.
import { findPosition, hasIndex, writeHex } from './_index';
import { bring, moved, newlyListed, readAt, readHere, readSize, reserveRegion, treeCount, treeOf } from './_walk';

/** Throws where the blob whose raw id is at an address is nowhere. */
// @ts-ignore: decorator
@external('pack', 'need')
declare function need(id: usize): void;

// A level: where in the stack its next entry is and where the tree ends, how long the path before its names is, and where the tree's id is.
const levelBytes: u32 = 16;
const mostLevels: u32 = 2049;
let levels: usize = 0;
let depth: u32 = 0;

let stack: usize = 0;
let stackRoom: u32 = 0;
let stackUsed: u32 = 0;
let path: usize = 0;
let pathRoom: u32 = 0;

let idBytes: u32 = 20;
let nextTree: u32 = 0;
let linesEnd: usize = 0;
let oddId: usize = 0;

/** Begins with the trees of the walk that just ended. */
export function beginObjects(idSize: u32): void {
  idBytes = idSize;
  depth = 0;
  stackUsed = 0;
  nextTree = 0;
  if (levels != 0) return;
  levels = reserveRegion(mostLevels * levelBytes);
  stackRoom = 1 << 16;
  stack = reserveRegion(stackRoom);
  pathRoom = 1 << 12;
  path = reserveRegion(pathRoom);
}

/** Where the lines end, and the raw id it stopped at. */
export function listedEnd(): usize { return linesEnd; }
export function listedId(): usize { return oddId; }

// As `walk` says it.
const ended: i32 = 0;
const paused: i32 = 1;
const atTooDeep: i32 = 2;
const atDamage: i32 = 3;

/** Goes on, with lines from `to` to before `limit`: there must be room for the longest. */
export function listObjects(to: usize, limit: usize): i32 {
  linesEnd = to;
  while (true) {
    const status = depth == 0 ? beginTree(limit) : listEntry(limit);
    if (status >= 0) return status;
  }
}

/** There is more to do. */
const goesOn: i32 = -1;

function beginTree(limit: usize): i32 {
  if (nextTree == treeCount()) return ended;
  if (!hasRoom(limit, 0)) return paused;
  const record = newlyListed(treeOf(nextTree++));
  return record == 0 ? goesOn : enter(record, 0);
}

function hasRoom(limit: usize, pathBytes: u32): bool { return linesEnd + (idBytes << 1) + pathBytes + 18 <= limit; }

function listEntry(limit: usize): i32 {
  const level = levels + (depth - 1) * levelBytes;
  const first = stack + load<u32>(level);
  const end = stack + load<u32>(level, 4);
  if (first == end) {
    depth--;
    stackUsed = depth == 0 ? 0 : load<u32>(level - levelBytes, 4);
    return goesOn;
  }
  let mode: u32 = 0;
  let at = first;
  for (; at < end && load<u8>(at) != 0x20; at++) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 7 || at - first > 10) return damaged(level);
    mode = (mode << 3) | digit;
  }
  if (at == first || at >= end) return damaged(level);
  const name = at + 1;
  const id = findNul(name, end) + 1;
  if (id + idBytes > end || id == name + 1) return damaged(level);
  const next = <u32>(id + idBytes - stack);
  const type = mode & 0xf000;
  // All but trees, files and links are commits of other repositories.
  if (type != 0x4000 && type != 0x8000 && type != 0xa000) {
    store<u32>(level, next);
    return goesOn;
  }
  const before = load<u32>(level, 8);
  const pathBytes = before + <u32>(id - 1 - name);
  if (!hasRoom(limit, pathBytes)) return paused;
  store<u32>(level, next);
  const record = newlyListed(id);
  if (record == 0) return goesOn;
  while (pathBytes + 1 > pathRoom) {
    path = moved(path, pathRoom);
    pathRoom <<= 1;
  }
  memory.copy(path + before, name, pathBytes - before);
  if (type == 0x4000) return enter(record, pathBytes);
  if (!hasIndex() || findPosition(record) < 0) need(record);
  putLine(record, pathBytes);
  return goesOn;
}

function damaged(level: usize): i32 {
  oddId = load<u32>(level, 12);
  return atDamage;
}

function findNul(at: usize, end: usize): usize {
  while (at < end && load<u8>(at) != 0) at++;
  return at;
}

/** Goes down into a tree, and adds its line. */
function enter(record: usize, pathBytes: u32): i32 {
  oddId = record;
  if (depth == mostLevels) return atTooDeep;
  if (readHere(record, 2) < 0) bring(record, 2);
  const size = readSize();
  while (stackUsed + size + 32 > stackRoom) {
    stack = moved(stack, stackRoom);
    stackRoom <<= 1;
  }
  memory.copy(stack + stackUsed, readAt(), size);
  const level = levels + depth * levelBytes;
  depth++;
  store<u32>(level, stackUsed);
  stackUsed += size;
  store<u32>(level, stackUsed, 4);
  store<u32>(level, pathBytes == 0 ? 0 : pathBytes + 1, 8);
  store<u32>(level, <u32>record, 12);
  putLine(record, pathBytes);
  store<u8>(path + pathBytes, 0x2f);
  return goesOn;
}

/** A path with a line end in it is shown up to there. */
function putLine(record: usize, pathBytes: u32): void {
  let to = writeHex(linesEnd, record, idBytes << 1);
  store<u8>(to++, 0x20);
  for (let at: u32 = 0; at < pathBytes; at++) {
    const byte = load<u8>(path + at);
    if (byte == 0x0a) break;
    store<u8>(to++, byte);
  }
  store<u8>(to, 0x0a);
  linesEnd = to + 1;
}
