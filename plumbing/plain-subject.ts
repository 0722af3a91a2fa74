// The subject of a commit where it is plain to see in its bytes: one line that is shown as it is stored. Most are, and then no message
// has to be decoded, converted and trimmed. Whatever is unusual is left to subjectOf(messageOf(…)), which this agrees with.

/** Where the subject is in the content. */
export interface SubjectSpan {
  readonly start: number;
  readonly end: number;
}

/** Looked at before giving up. */
const mostBytes = 4096;
const newline = 0x0a;

/** Undefined where it takes more to find it. `isUtf8`: the output is UTF-8, so that text without an encoding of its own is shown as it is. */
export function findPlainSubject(bytes: Uint8Array, isUtf8: boolean): SubjectSpan | undefined {
  const last = Math.min(bytes.length, mostBytes);
  let at = 0;
  let isAsIs = isUtf8;
  // Over the headers, line by line.
  while (at < last && bytes[at] !== newline) {
    if (bytes[at] === 0x65) isAsIs = false; // "encoding", or something else unusual.
    while (at < last && bytes[at] !== newline) at += 1;
    at += 1;
  }
  const start = at + 1;
  let end = start;
  while (end < last && isPlain(bytes[end]!, isAsIs)) end += 1;
  if (end >= last || bytes[end] !== newline || end === start) return undefined;
  if (bytes[start] === 0x20 || bytes[end - 1] === 0x20) return undefined;
  return end + 1 >= bytes.length || bytes[end + 1] === newline ? { start, end } : undefined;
}

function isPlain(byte: number, isAsIs: boolean): boolean {
  return (byte >= 0x20 && byte < 0x7f) || (isAsIs && byte >= 0x80);
}
