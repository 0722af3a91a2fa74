// Sorting many raw ids that lie one behind the other in a buffer. Pure.
const mostPaired = 2 ** 21;

/** Numbers of the ids in ascending order; those of equal ids by `compareTied`, which must tell any two apart. */
export function orderIds(ids: Buffer, count: number, idSize: number, compareTied: (a: number, b: number) => number): Uint32Array {
  const order = new Uint32Array(count);
  const compare = (a: number, b: number): number =>
    ids.compare(ids, b * idSize, b * idSize + idSize, a * idSize, a * idSize + idSize) || compareTied(a, b);
  if (count > mostPaired) {
    for (let at = 0; at < count; at += 1) order[at] = at;
    return order.sort(compare);
  }
  // An id's first four bytes and its number fit one double, and sorting doubles needs no function; what is left to sort afterwards
  // are runs of equal beginnings.
  const pairs = new Float64Array(count);
  for (let at = 0; at < count; at += 1) pairs[at] = ids.readUInt32BE(at * idSize) * mostPaired + at;
  pairs.sort();
  for (let at = 0; at < count; at += 1) order[at] = pairs[at]! % mostPaired;
  const beginning = (at: number): number => Math.floor(pairs[at]! / mostPaired);
  for (let at = 1, runStart = 0; at <= count; at += 1) {
    if (at < count && beginning(at) === beginning(runStart)) continue;
    if (at - runStart > 1) order.subarray(runStart, at).sort(compare);
    runStart = at;
  }
  return order;
}

/** The fan-out table of sorted ids, big-endian: for each first byte how many ids begin with it or a lesser one. */
export function encodeFanOut(order: Uint32Array, ids: Buffer, idSize: number): Buffer {
  const counts = new Uint32Array(256);
  for (const number of order) counts[ids[number * idSize]!]! += 1;
  const bytes = Buffer.allocUnsafe(1024);
  let total = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    total += counts[byte]!;
    bytes.writeUInt32BE(total, byte * 4);
  }
  return bytes;
}
