// What can be wrong with a delta's instructions; the WASM kernel and the plain code give the same numbers.

/** The instructions end in the middle of one. */
export const deltaTruncated = -1;
/** Instruction 0, which the format reserves. */
export const deltaReserved = -2;
/** A copy from outside the base. */
export const deltaCopyOutside = -3;
/** More bytes than the declared size. */
export const deltaResultLong = -4;
/** Fewer bytes than the declared size. */
export const deltaResultShort = -5;

const damages = new Map([
  [deltaTruncated, 'it ends in the middle of an instruction'],
  [deltaReserved, 'it has a reserved instruction'],
  [deltaCopyOutside, 'it copies from outside its base'],
  [deltaResultLong, 'it makes more bytes than it declares'],
  [deltaResultShort, 'it makes fewer bytes than it declares'],
]);

/** Words for a negative status. */
export function describeDeltaDamage(status: number): string {
  return damages.get(status) ?? 'it is damaged';
}
