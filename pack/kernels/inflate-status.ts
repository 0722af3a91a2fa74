// How a run of an inflate engine ends. Both engines (the WASM kernel and the plain one) give the same numbers; the same list
// opens assembly/inflate.ts, and a test compares the engines on damaged streams.

/** The stream ended and its checksum is right. */
export const inflateDone = 0;
/** All input was used and the stream goes on. */
export const inflateNeedsInput = 1;
/** The output has no room for the next symbol, or reached the place where the caller wanted to stop. */
export const inflateOutputFull = 2;

const damages = new Map([
  [-1, 'not a zlib stream'],
  [-2, 'unknown block type'],
  [-3, 'stored block length is wrong'],
  [-4, 'invalid set of codes'],
  [-5, 'invalid code'],
  [-6, 'copy from before the start'],
  [-7, 'checksum does not match'],
]);

/** Words for a negative status. */
export function describeDamage(status: number): string {
  return damages.get(status) ?? 'damaged stream';
}
