// Text as one character per byte of its UTF-8 form: how paths, ref names, messages and all that is printed byte for byte are held here, so that
// what is no UTF-8 survives. Pure.

/** What somebody typed, or a name of ours, in that form. */
export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
