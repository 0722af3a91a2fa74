// Walking commits by date out of packs, and a line for each: what git-log(1) and git-rev-list(1) do by default. A part of the unpack
// kernel.
//
// Invariant: whatever commits say, only the regions given are written. Every commit taken is one its id says. What is unusual (an object
// that is elsewhere, refused or not what its id says) is brought by the caller, who has a careful way; a subject that takes more than
// copying is left to the caller, too. A commit is a record, known by its number; tables that are full move to twice as large ones.
import { contentSize, frameSize, kind, read } from './unpack';
import { decodeId, findPosition, findSorted, hasIndex, offsetAt, sharedDigits, writeHex } from './_index';
import { isHashOf } from './_hash';

/** A region of so many bytes for good. */
// @ts-ignore: decorator
@external('pack', 'reserve')
export declare function reserveRegion(sizeBytes: u32): usize;
/** Has `setContent` called with the content of the object whose raw id is at an address, and which is to be of a kind. */
// @ts-ignore: decorator
@external('pack', 'bring')
export declare function bring(id: usize, kind: u32): void;
/** How many digits of the id at an address are shown. */
// @ts-ignore: decorator
@external('pack', 'digitsOf')
declare function digitsOf(id: usize): u32;
/** Whether objects that are in no pack may begin with a byte. */
// @ts-ignore: decorator
@external('pack', 'hasLoose')
declare function hasLoose(first: u32): u32;

// A record: id, then at 32 the committer's seconds, at 40 the number of the first parent plus one, at 44 the first of the cells with
// further ones, at 48 and 52 where the subject is and its size, at 56 the digits to show (0: not known), at 57 and 58 what was done with it,
// at 60 the position in the commit-graph plus one, at 64 the id of its tree. Trees and blobs that were listed have records, too, of which only id and 58 count.
const recordBytes: u32 = 96;
const isSeenAt: u32 = 57;
const isListedAt: u32 = 58;
const treeAt: u32 = 64;
const noSubject: u32 = 0xffffffff;
let idBytes: u32 = 20;
let records: usize = 0;
let recordCount: u32 = 0;
let recordRoom: u32 = 0;
/** Numbers plus one, by a hash of ids; twice as many as there is room for records. */
let buckets: usize = 0;
/** Not known to who makes ids up, so that nobody can bring many of them together. */
let multiplier: u64 = 1;
/** Further parents: number, then the next cell or 0. The first cell is not used. */
let cells: usize = 0;
let cellCount: u32 = 1;
let cellRoom: u32 = 0;

// @ts-ignore: decorator
@inline
function recordOf(commit: u32): usize { return records + <usize>commit * recordBytes; }

/** Whether two ids are the same: ways of the runtime to compare cost more for so few bytes. */
// @ts-ignore: decorator
@inline
function isSame(one: usize, other: usize): bool {
  if (load<u64>(one) != load<u64>(other) || load<u64>(one, 8) != load<u64>(other, 8)) return false;
  return idBytes == 20 ? load<u32>(one, 16) == load<u32>(other, 16) : memory.compare(one + 16, other + 16, idBytes - 16) == 0;
}

// @ts-ignore: decorator
@inline
function hashOf(id: usize): u32 {
  let hash = load<u64>(id) * multiplier;
  hash = (load<u64>(id, 8) ^ hash ^ (hash >> 32)) * multiplier;
  hash = (<u64>load<u32>(id, 16) ^ hash ^ (hash >> 32)) * multiplier;
  if (idBytes > 20) hash = (load<u64>(id, 20) ^ hash ^ (hash >> 32)) * multiplier;
  if (idBytes > 20) hash = (<u64>load<u32>(id, 28) ^ hash ^ (hash >> 32)) * multiplier;
  return <u32>(hash >> 32);
}

/** The number of the commit whose raw id is at an address, where 32 bytes may be read, new or known. */
function numberOf(id: usize): u32 {
  const mask = (recordRoom << 1) - 1;
  let bucket = hashOf(id) & mask;
  while (true) {
    const known = load<u32>(buckets + (bucket << 2));
    if (known == 0) break;
    if (isSame(recordOf(known - 1), id)) return known - 1;
    bucket = (bucket + 1) & mask;
  }
  const commit = recordCount++;
  store<u32>(buckets + (bucket << 2), commit + 1);
  const record = recordOf(commit);
  v128.store(record, v128.load(id));
  v128.store(record, v128.load(id, 16), 16);
  v128.store(record, i8x16.splat(0), 32);
  v128.store(record, i8x16.splat(0), 48);
  if (recordCount == recordRoom) growRecords();
  return commit;
}

function growRecords(): void {
  const room = recordRoom << 1;
  records = moved(records, recordRoom * recordBytes);
  recordRoom = room;
  buckets = reserveRegion(room << 3);
  memory.fill(buckets, 0, room << 3);
  const mask = (room << 1) - 1;
  for (let commit: u32 = 0; commit < recordCount; commit++) {
    let bucket = hashOf(recordOf(commit)) & mask;
    while (load<u32>(buckets + (bucket << 2)) != 0) bucket = (bucket + 1) & mask;
    store<u32>(buckets + (bucket << 2), commit + 1);
  }
}

/** A region of twice the size that begins with the same. */
export function moved(from: usize, size: u32): usize {
  const to = reserveRegion(size << 1);
  memory.copy(to, from, size);
  return to;
}

// The queue: a heap of seconds, serial number and commit.
const entryBytes: u32 = 16;
let queue: usize = 0;
let queueLength: u32 = 0;
let queueRoom: u32 = 0;
let nextSerial: u32 = 0;

// @ts-ignore: decorator
@inline
function entryOf(index: u32): usize { return queue + <usize>index * entryBytes; }

/** The later one first, and of equals the one that came first. */
// @ts-ignore: decorator
@inline
function isBefore(entry: usize, seconds: i64, serial: u32): bool {
  const own = load<i64>(entry);
  return own > seconds || (own == seconds && load<u32>(entry, 8) < serial);
}

// @ts-ignore: decorator
@inline
function storeEntry(index: u32, seconds: i64, serial: u32, commit: u32): void {
  const entry = entryOf(index);
  store<i64>(entry, seconds);
  store<u32>(entry, serial, 8);
  store<u32>(entry, commit, 12);
}

function push(commit: u32): void {
  if (queueLength == queueRoom) {
    queue = moved(queue, queueRoom * entryBytes);
    queueRoom <<= 1;
  }
  const seconds = load<i64>(recordOf(commit), 32);
  let at = queueLength++;
  while (at > 0) {
    const up = (at - 1) >> 1;
    if (load<i64>(entryOf(up)) >= seconds) break;
    memory.copy(entryOf(at), entryOf(up), entryBytes);
    at = up;
  }
  storeEntry(at, seconds, nextSerial++, commit);
}

function pop(): u32 {
  const first = load<u32>(entryOf(0), 12);
  const last = --queueLength;
  const seconds = load<i64>(entryOf(last));
  const serial = load<u32>(entryOf(last), 8);
  const commit = load<u32>(entryOf(last), 12);
  let at: u32 = 0;
  for (let down: u32 = 1; down < last; down = at * 2 + 1) {
    if (down + 1 < last && isBefore(entryOf(down + 1), load<i64>(entryOf(down)), load<u32>(entryOf(down), 8))) down++;
    if (!isBefore(entryOf(down), seconds, serial)) break;
    memory.copy(entryOf(at), entryOf(down), entryBytes);
    at = down;
  }
  storeEntry(at, seconds, serial, commit);
  return first;
}

// Subjects of those that wait, in one of two regions; when it is full, they move to the other.
let texts: usize = 0;
let otherTexts: usize = 0;
let textRoom: u32 = 0;
let textUsed: u32 = 0;
let textsHeld: u32 = 0;

function keepSubject(record: usize, from: usize, size: u32): void {
  if (textsHeld == 0) textUsed = 0;
  if (textUsed + size > textRoom) moveSubjects(size);
  const to = texts + textUsed;
  memory.copy(to, from, size);
  store<u32>(record, <u32>to, 48);
  store<u32>(record, size, 52);
  textUsed += size;
  textsHeld++;
}

/** Makes room for one more of a size. */
function moveSubjects(size: u32): void {
  let live = subjectSize(current);
  for (let index: u32 = 0; index < queueLength; index++) live += subjectSize(load<u32>(entryOf(index), 12));
  const from = texts;
  if ((live + size) << 1 > textRoom) {
    while ((live + size) << 1 > textRoom) textRoom <<= 1;
    texts = reserveRegion(textRoom);
    otherTexts = reserveRegion(textRoom);
  } else {
    texts = otherTexts;
    otherTexts = from;
  }
  textUsed = 0;
  moveSubject(current);
  for (let index: u32 = 0; index < queueLength; index++) moveSubject(load<u32>(entryOf(index), 12));
}

function subjectSize(commit: u32): u32 {
  const size = load<u32>(recordOf(commit), 52);
  return size == noSubject ? 0 : size;
}

function moveSubject(commit: u32): void {
  const record = recordOf(commit);
  const size = subjectSize(commit);
  memory.copy(texts + textUsed, load<u32>(record, 48), size);
  store<u32>(record, <u32>(texts + textUsed), 48);
  textUsed += size;
}

// What is printed.
let prints: bool = false;
let fewestDigits: u32 = 0;
let printsSubjects: bool = false;
let terminator: u32 = 0;
let takesAnyByte: bool = false;
let onlyFirstParents: bool = false;
/** All packs are the one whose index is here. */
let isOnlyPack: bool = false;
/** By first byte of an id: 1 where it is not known whether there are loose objects, 2 where there are none. */
const looseBytes = memory.data(256, 16);
const wantedParent = memory.data(32, 16);

let frame: usize = 0;
let content: usize = 0;
let contentEnd: usize = 0;
/** The commit whose turn it is. */
let current: u32 = 0;
let oddId: usize = 0;
let walkedLines: usize = 0;

/** Begins a walk over commits of a repository, forgetting the one before; `seed` is any number. */
export function beginWalk(idSize: u32, firstParents: u32, seed: u32): void {
  idBytes = idSize;
  multiplier = (<u64>seed << 32) | 0x9e3779b1;
  onlyFirstParents = firstParents != 0;
  prints = false;
  printsSubjects = false;
  fewestDigits = 0;
  graphCount = 0;
  isGraphDamaged = false;
  keepsTrees = false;
  passedCount = 0;
  if (records == 0) {
    recordRoom = 1024;
    records = reserveRegion(recordRoom * recordBytes);
    buckets = reserveRegion(recordRoom << 3);
    cellRoom = 256;
    cells = reserveRegion(cellRoom << 3);
    queueRoom = 64;
    queue = reserveRegion(queueRoom * entryBytes);
    textRoom = 1 << 15;
    texts = reserveRegion(textRoom);
    otherTexts = reserveRegion(textRoom);
    frame = reserveRegion(frameSize());
  }
  memory.fill(buckets, 0, recordRoom << 3);
  memory.fill(looseBytes, 1, 256);
  recordCount = 0;
  cellCount = 1;
  queueLength = 0;
  nextSerial = 0;
  textUsed = 0;
  textsHeld = 0;
  current = 0;
}

/**
 * Each commit gets a line: `digits` of its id, or where they are 0 all; with `subjects` a blank and its subject, in which bytes that are no
 * ASCII are shown as they are where `anyByte`; then `end`. `onlyPack`: no other pack has objects whose ids might be alike.
 */
export function printLines(digits: u32, subjects: u32, anyByte: u32, end: u32, onlyPack: u32): void {
  prints = true;
  fewestDigits = digits;
  printsSubjects = subjects != 0;
  takesAnyByte = anyByte != 0;
  terminator = end;
  isOnlyPack = onlyPack != 0;
}

/** Tells where the content is that was asked for. */
export function setContent(start: usize, end: usize): void {
  content = start;
  contentEnd = end;
}

/** Begins at one more commit, whose raw id is at an address; false when it, or what the graph says of it, is malformed. */
export function addTip(id: usize): bool {
  const commit = numberOf(id);
  // It may be known as the parent of a tip before it, and then still have its turn.
  if (load<u8>(recordOf(commit), isSeenAt)) return true;
  if (!loadCommit(commit)) return false;
  push(commit);
  return true;
}

/** There are no more commits. */
const walkEnded: i32 = 0;
/** `mostCommits` were passed, or there is no room for another line: to be called again. */
const walkPaused: i32 = 1;
/** The commit at `walkedId` has its turn, and its line takes more than copying. */
const walkAtOddLine: i32 = 2;
/** The commit at `walkedId` is malformed. */
const walkAtDamage: i32 = 3;

/** The commit-graph is damaged. */
const walkAtGraphDamage: i32 = 4;

/** Lines may take this much each. */
const lineBytes: u32 = 4096 + 128;

/** Goes on, with lines from `to` to before `limit`. */
export function walk(to: usize, limit: usize, mostCommits: u32): i32 {
  walkedLines = to;
  walkedCommits = 0;
  while (queueLength > 0) {
    if (walkedCommits == mostCommits || (prints && walkedLines + lineBytes > limit)) return walkPaused;
    current = pop();
    if (!addParents()) return isGraphDamaged ? walkAtGraphDamage : walkAtDamage;
    walkedCommits++;
    if (keepsTrees) keepPassed();
    if (prints && !putLine()) return walkAtOddLine;
  }
  return walkEnded;
}

let walkedCommits: u32 = 0;

/** How many commits the last call passed, where its lines end, and the raw id it stopped at. */
export function walkedCount(): u32 { return walkedCommits; }
export function walkedEnd(): usize { return walkedLines; }
export function walkedId(): usize { return oddId; }

function addParents(): bool {
  const first = load<u32>(recordOf(current), 40);
  if (first == 0) return true;
  if (!addParent(first - 1)) return false;
  if (onlyFirstParents) return true;
  for (let cell = load<u32>(recordOf(current), 44); cell != 0; cell = load<u32>(cells + (cell << 3), 4)) {
    if (!addParent(load<u32>(cells + (cell << 3)))) return false;
  }
  return true;
}

function addParent(commit: u32): bool {
  if (load<u8>(recordOf(commit), isSeenAt)) return true;
  if (!loadCommit(commit)) return false;
  push(commit);
  return true;
}

function loadCommit(commit: u32): bool {
  store<u8>(recordOf(commit), 1, isSeenAt);
  oddId = recordOf(commit);
  if (graphCount > 0 && !printsSubjects) {
    const placed = placeInGraph(commit);
    if (placed >= 0) return loadFromGraph(commit, placed);
  }
  const position = readHere(oddId, 1);
  if (position < 0) bring(oddId, 1);
  else if (fewestDigits > 0 && isOnlyPack && !mayBeLoose(load<u8>(oddId))) {
    const digits = max<u32>(fewestDigits, sharedDigits(position) + 1);
    store<u8>(oddId, <u8>min<u32>(digits, idBytes << 1), 56);
  }
  return decode(commit);
}

// The commit-graph (gitformat-commit-graph) where it is one file: its tables, and by position the numbers of commits plus one.
let graphCount: u32 = 0;
let graphFanOut: usize = 0;
let graphIds: usize = 0;
let graphData: usize = 0;
let graphEdges: usize = 0;
let graphEdgesEnd: usize = 0;
let graphNumbers: usize = 0;
let isGraphDamaged: bool = false;

/** Has commits taken from a graph as long as no subjects are printed; at `numbers` there is room for as many numbers, all 0. */
export function useGraph(count: u32, fanOut: usize, ids: usize, data: usize, edges: usize, edgesEnd: usize, numbers: usize): void {
  graphCount = count;
  graphFanOut = fanOut;
  graphIds = ids;
  graphData = data;
  graphEdges = edges;
  graphEdgesEnd = edgesEnd;
  graphNumbers = numbers;
}

/** The position of a commit; -1 when it is not in the graph. */
function placeInGraph(commit: u32): i32 {
  const record = recordOf(commit);
  const known = load<u32>(record, 60);
  if (known != 0) return known - 1;
  const position = findSorted(record, graphFanOut, graphIds, idBytes);
  if (position >= 0) place(commit, position);
  return position;
}

function place(commit: u32, position: u32): void {
  store<u32>(recordOf(commit), position + 1, 60);
  store<u32>(graphNumbers + (position << 2), commit + 1);
}

const noParent: u32 = 0x70000000;
const edgeFlag: u32 = 0x80000000;

/** False where a parent lies outside of the graph. */
function loadFromGraph(commit: u32, position: u32): bool {
  const data = graphData + <usize>position * (idBytes + 16);
  const record = recordOf(commit);
  memory.copy(record + treeAt, data, idBytes);
  store<i64>(record, bswap<u64>(load<u64>(data + idBytes, 8)) & 0x3ffffffff, 32);
  const first = bswap<u32>(load<u32>(data + idBytes));
  if (first == noParent) return true;
  if (!addPlacedParent(commit, first)) return false;
  const second = bswap<u32>(load<u32>(data + idBytes, 4));
  if (second == noParent) return true;
  if (second < edgeFlag) return addPlacedParent(commit, second);
  for (let at = graphEdges + (<usize>(second - edgeFlag) << 2); at >= graphEdges && at + 4 <= graphEdgesEnd; at += 4) {
    const parent = bswap<u32>(load<u32>(at));
    if (!addPlacedParent(commit, parent & ~edgeFlag)) return false;
    if (parent >= edgeFlag) return true;
  }
  isGraphDamaged = true;
  return false;
}

function addPlacedParent(commit: u32, position: u32): bool {
  if (position >= graphCount) {
    isGraphDamaged = true;
    return false;
  }
  let number = load<u32>(graphNumbers + (position << 2));
  if (number == 0) {
    number = numberOf(graphIds + <usize>position * idBytes) + 1;
    place(number - 1, position);
  }
  addParentTo(commit, number - 1);
  return true;
}

/** Reads the object with an id and of a kind out of the pack in use, and verifies it: its position; -1 when it is not to be had so. */
export function readHere(id: usize, wantedKind: u32): i32 {
  if (!hasIndex()) return -1;
  const position = findPosition(id);
  if (position < 0) return -1;
  const offset = offsetAt(position);
  if (offset < 0) return -1;
  const size = read(<f64>offset, frame, frame + frameSize());
  if (size < 0 || kind() != wantedKind || !isHashOf(id, idBytes, frame, size)) return -1;
  contentEnd = frame + size;
  content = contentEnd - contentSize();
  return position;
}

/** Where the object read last is, and how long. */
// @ts-ignore: decorator
@inline
export function readAt(): usize { return content; }
// @ts-ignore: decorator
@inline
export function readSize(): u32 { return <u32>(contentEnd - content); }

/** The record of an object that is listed now for the first time; 0 when it was listed before. */
export function newlyListed(id: usize): usize {
  const record = recordOf(numberOf(id));
  if (load<u8>(record, isListedAt)) return 0;
  store<u8>(record, 1, isListedAt);
  return record;
}

// The commits that were passed, in that order, where their trees will be asked for.
let passed: usize = 0;
let passedCount: u32 = 0;
let passedRoom: u32 = 0;
let keepsTrees: bool = false;

/** Has the trees of the commits kept, for `listObjects`. */
export function keepTrees(): void {
  keepsTrees = true;
  if (passed != 0) return;
  passedRoom = 1024;
  passed = reserveRegion(passedRoom << 2);
}

function keepPassed(): void {
  if (passedCount == passedRoom) {
    passed = moved(passed, passedRoom << 2);
    passedRoom <<= 1;
  }
  store<u32>(passed + (passedCount++ << 2), current);
}

export function treeCount(): u32 { return passedCount; }

/** Where the raw id is of the tree of the commit that was passed so many later than the first. */
export function treeOf(index: u32): usize { return recordOf(load<u32>(passed + (index << 2))) + treeAt; }

function mayBeLoose(first: u32): bool {
  if (load<u8>(looseBytes + first) == 1) store<u8>(looseBytes + first, hasLoose(first) ? 0 : 2);
  return load<u8>(looseBytes + first) == 0;
}

/** Takes the content apart; false when tree or a parent is malformed. */
function decode(commit: u32): bool {
  const digits = idBytes << 1;
  const treeEnd = content + 5 + digits;
  if (treeEnd >= contentEnd || !startsWithTree(content) || load<u8>(treeEnd) != 0x0a || !decodeId(content + 5, recordOf(commit) + treeAt, idBytes)) return false;
  let at = treeEnd + 1;
  while (at + 1 < contentEnd && load<u16>(at) == 0x6170) { // "pa"
    const end = at + 7 + digits;
    if (end >= contentEnd || !startsWithParent(at) || load<u8>(end) != 0x0a || !decodeId(at + 7, wantedParent, idBytes)) return false;
    addParentTo(commit, numberOf(wantedParent));
    at = end + 1;
  }
  while (at < contentEnd && load<u8>(at) == 0x61) at = nextLine(at); // "author"
  if (at < contentEnd && load<u8>(at) == 0x63) { // "committer"
    const next = nextLine(at);
    store<i64>(recordOf(commit), secondsIn(at, next), 32);
    at = next;
  }
  if (printsSubjects) findSubject(recordOf(commit), at);
  return true;
}

/** Parents are added in their order, those of one commit after the other. */
function addParentTo(commit: u32, parent: u32): void {
  const record = recordOf(commit);
  if (load<u32>(record, 40) == 0) {
    store<u32>(record, parent + 1, 40);
    return;
  }
  const cell = newCell(parent);
  if (load<u32>(record, 44) == 0) store<u32>(record, cell, 44);
  else store<u32>(cells + ((cell - 1) << 3), cell, 4);
}

// @ts-ignore: decorator
@inline
function startsWithTree(at: usize): bool { return load<u32>(at) == 0x65657274 && load<u8>(at, 4) == 0x20; }

// @ts-ignore: decorator
@inline
function startsWithParent(at: usize): bool { return (load<u64>(at) & 0xffffffffffffff) == 0x20746e65726170; }

function newCell(parent: u32): u32 {
  if (cellCount == cellRoom) {
    cells = moved(cells, cellRoom << 3);
    cellRoom <<= 1;
  }
  const cell = cellCount++;
  store<u32>(cells + (cell << 3), parent);
  store<u32>(cells + (cell << 3), 0, 4);
  return cell;
}

function nextLine(at: usize): usize {
  const end = lineEnd(at, contentEnd);
  return min(end + 1, contentEnd);
}

/** Where the line ends, or the text does. */
function lineEnd(at: usize, end: usize): usize {
  while (at + 16 <= end) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(0x0a)));
    if (found != 0) return at + ctz<i32>(found);
    at += 16;
  }
  while (at < end && load<u8>(at) != 0x0a) at++;
  return at;
}

/** The number behind the last '>' of a line, up to 2^53; 0 when there is none. */
function secondsIn(at: usize, end: usize): i64 {
  let from = end;
  while (from > at && load<u8>(from - 1) != 0x3e) from--;
  while (from < end && (load<u8>(from) == 0x20 || <u32>load<u8>(from) - 9 < 5)) from++;
  if (from < end && load<u8>(from) == 0x2b) from++;
  let seconds: i64 = 0;
  for (; from < end; from++) {
    const digit = <u32>load<u8>(from) - 48;
    if (digit > 9) break;
    seconds = seconds * 10 + digit;
    if (seconds > 9007199254740991) return 0;
  }
  return seconds;
}

/** How far behind the committer's line the subject is looked for. */
const mostHeadBytes: usize = 4096;

/** Keeps the subject of a commit where it is plain to see: as plumbing/history/plain-subject.ts says. */
function findSubject(record: usize, from: usize): void {
  const last = min(contentEnd, from + mostHeadBytes);
  let at = from;
  let anyByte = takesAnyByte;
  while (at < last && load<u8>(at) != 0x0a) {
    if (load<u8>(at) == 0x65) anyByte = false; // "encoding", or something else unusual.
    at = lineEnd(at, last) + 1;
  }
  const first = at + 1;
  let to = first;
  while (to < last && isPlain(load<u8>(to), anyByte)) to++;
  const isSubject = to < last && load<u8>(to) == 0x0a && to != first && load<u8>(first) != 0x20 && load<u8>(to - 1) != 0x20
    && (to + 1 >= contentEnd || load<u8>(to, 1) == 0x0a);
  if (isSubject) keepSubject(record, first, <u32>(to - first));
  else store<u32>(record, noSubject, 52);
}

// @ts-ignore: decorator
@inline
function isPlain(byte: u32, anyByte: bool): bool { return byte - 0x20 < 0x5f || (anyByte && byte >= 0x80); }

/** Adds the line of the commit whose turn it is; false when that takes more. */
function putLine(): bool {
  const record = recordOf(current);
  oddId = record;
  const size = load<u32>(record, 52);
  if (size == noSubject) return false;
  let digits = idBytes << 1;
  if (fewestDigits > 0) {
    digits = load<u8>(record, 56);
    if (digits == 0) digits = digitsOf(record);
  }
  let to = writeHex(walkedLines, record, digits);
  if (printsSubjects) {
    store<u8>(to, 0x20);
    memory.copy(to + 1, load<u32>(record, 48), size);
    to += 1 + size;
    textsHeld--;
  }
  store<u8>(to, <u8>terminator);
  walkedLines = to + 1;
  return true;
}
