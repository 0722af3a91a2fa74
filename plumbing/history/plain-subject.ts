// The subject of a commit where it is plain to see in its bytes: one line that is shown as it is stored. Most are, and then no message
// has to be decoded, converted and trimmed. Whatever is unusual is left to subjectOf(messageOf(…)), which this agrees with.

/** Where the subject is in the content. */
export interface SubjectSpan {
  readonly start: number;
  readonly end: number;
}

/** Looked at before giving up. */
const mostBytes = 4096;

/** What separates the lines of a commit's headers, and ends them. */
const newline = 0x0a;

/**
 * Undefined where it takes more to find it. The content lies between `start` and `end`, its first lines up to `from` are known to be
 * nothing unusual. `isUtf8`: the output is UTF-8, so that text without an encoding of its own is shown as it is.
 */
export function findPlainSubject(bytes: Uint8Array, from: number, end: number, isUtf8: boolean): SubjectSpan | undefined {
  const last = Math.min(end, from + mostBytes);
  let at = from;
  let isAsIs = isUtf8;
  // Over the headers, line by line.
  while (at < last && bytes[at] !== newline) {
    if (bytes[at] === 0x65) isAsIs = false; // "encoding", or something else unusual.
    while (at < last && bytes[at] !== newline) at += 1;
    at += 1;
  }
  const first = at + 1;
  let to = first;
  while (to < last && isPlain(bytes[to]!, isAsIs)) to += 1;
  if (to >= last || bytes[to] !== newline || to === first) return undefined;
  if (bytes[first] === 0x20 || bytes[to - 1] === 0x20) return undefined;
  return to + 1 >= end || bytes[to + 1] === newline ? { start: first, end: to } : undefined;
}

function isPlain(byte: number, isAsIs: boolean): boolean {
  return (byte >= 0x20 && byte < 0x7f) || (isAsIs && byte >= 0x80);
}
