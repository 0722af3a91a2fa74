// The list of what is in a pack, as verify-pack -v and index-pack --verify-stat print it (git-verify-pack(1), "OUTPUT FORMAT"): a line
// for each object in the order of the pack, then how many deltas have chains of each length. Pure.
import type { PackIndexer } from '../../pack/pack-indexer.js';

/** The lines for the objects, without their ends, then those of the summary. */
export function* listPack(indexer: PackIndexer, options: { readonly summaryOnly: boolean }): Generator<string> {
  const depths = new Uint32Array(indexer.count);
  const lengths: number[] = [];
  for (let number = 0; number < indexer.count; number += 1) {
    const depth = depthOf(indexer, depths, number);
    lengths[depth] = (lengths[depth] ?? 0) + 1;
    if (options.summaryOnly) continue;
    const base = indexer.baseAt(number);
    const stored = `${indexer.idAt(number)} ${indexer.typeAt(number).padEnd(6)} ${indexer.inflatedBytesAt(number)} ${indexer.storedBytesAt(number)} ${indexer.offsetAt(number)}`;
    yield base === undefined ? stored : `${stored} ${depth} ${indexer.idAt(base)}`;
  }
  for (const [depth, count] of lengths.entries()) {
    if (count === undefined) continue;
    const counted = `${count} ${count === 1 ? 'object' : 'objects'}`;
    yield depth === 0 ? `non delta: ${counted}` : `chain length = ${depth}: ${counted}`;
  }
}

/** Deltas between an object and one stored whole; mostly known for the base, which can come later only when named by id. */
function depthOf(indexer: PackIndexer, depths: Uint32Array, number: number): number {
  const chain: number[] = [];
  let at = number;
  for (let base = indexer.baseAt(at); base !== undefined && depths[at] === 0; base = indexer.baseAt(at)) {
    chain.push(at);
    at = base;
  }
  let depth = depths[at]!;
  for (const link of chain.reverse()) {
    depth += 1;
    depths[link] = depth;
  }
  return depth;
}
