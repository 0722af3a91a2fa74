// Reading a command's standard input: as a whole, or record by record as it arrives (so that a script can hold a
// conversation with `cat-file --batch`).
import type { Input } from './command.js';

/** Everything up to the end. */
export function readInput(input: Input): Buffer {
  const chunks: Buffer[] = [];
  for (let chunk = input.readChunk(); chunk !== undefined; chunk = input.readChunk()) chunks.push(chunk);
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** The chunks, for what is passed on in constant memory. */
export function* listChunks(input: Input): Generator<Buffer> {
  for (let chunk = input.readChunk(); chunk !== undefined; chunk = input.readChunk()) yield chunk;
}

/** Records that end in NUL, or else lines, which end before a NUL or a carriage return at the end: what cat-file and hash-object read. */
export function* listRecords(input: Input, nul: boolean): Generator<string> {
  if (nul) yield* listLines(input, '\0');
  else for (const line of listLines(input)) yield nameOfLine(line);
}

/** The same lines, those together that arrived together: who answers a group at once keeps nobody waiting. */
export function* listRecordGroups(input: Input): Generator<string[]> {
  const chunks: Buffer[] = [];
  const pending: Input = { ...input, isTerminal: input.isTerminal, readChunk: () => chunks.shift() };
  for (let chunk = input.readChunk(); chunk !== undefined; chunk = input.readChunk()) {
    const end = chunk.lastIndexOf(0x0a);
    chunks.push(chunk.subarray(0, end + 1));
    if (end >= 0) yield [...listRecords(pending, false)];
    chunks.push(chunk.subarray(end + 1));
  }
  const last = [...listRecords(pending, false)];
  if (last.length > 0) yield last;
}

/** Records that end in NUL, or else lines, which end before a NUL, since no path has one: how Git reads paths and entries. */
export function* listPathLines(input: Input, nul: boolean): Generator<string> {
  for (const line of listLines(input, nul ? '\0' : '\n')) yield nul ? line : line.split('\0', 1)[0]!;
}

/** What a line without its end names: it goes up to a NUL, or to a carriage return at the end. */
export function nameOfLine(line: string): string {
  const end = line.indexOf('\0');
  if (end >= 0) return line.slice(0, end);
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** Records as latin1 text without their terminator, each as soon as it is complete; the last may lack its terminator. */
export function* listLines(input: Input, terminator: '\n' | '\0' = '\n'): Generator<string> {
  for (const line of listWholeLines(input, terminator)) yield line.endsWith(terminator) ? line.slice(0, -1) : line;
}

/** Like listLines, each with its terminator: of the last it can be told whether it has one. */
export function* listWholeLines(input: Input, terminator: '\n' | '\0' = '\n'): Generator<string> {
  const byte = terminator.charCodeAt(0);
  let rest: Buffer[] = [];
  for (const chunk of listChunks(input)) {
    let start = 0;
    for (let end = chunk.indexOf(byte); end >= 0; end = chunk.indexOf(byte, start)) {
      const piece = chunk.toString('latin1', start, end + 1);
      yield rest.length === 0 ? piece : Buffer.concat(rest).toString('latin1') + piece;
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString('latin1');
}
