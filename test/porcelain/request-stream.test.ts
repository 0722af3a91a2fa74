import test from 'ava';
import { InvalidError } from '../../pack/errors.js';
import { type Request, RequestStream, parseLine } from '../../porcelain/request-stream.js';
import { seededRandom } from '../helpers/sandbox.js';

function streamOf(bytes: Buffer | string, nul: boolean, pieceBytes = 1 << 20): RequestStream {
  const all = Buffer.from(bytes);
  let at = 0;
  return new RequestStream({
    isTerminal: false,
    readChunk: () => {
      const piece = all.subarray(at, at + pieceBytes);
      at += piece.length;
      return piece.length === 0 ? undefined : piece;
    },
  }, nul);
}

function readAll(stream: RequestStream): { words: readonly string[]; env: Request['env']; input: string }[] {
  const found = [];
  for (let request = stream.next(); request !== undefined; request = stream.next()) {
    const pieces: Buffer[] = [];
    for (let piece = request.input.readChunk(); piece !== undefined; piece = request.input.readChunk()) pieces.push(piece);
    found.push({ words: request.words, env: request.env, input: Buffer.concat(pieces).toString() });
  }
  return found;
}

for (const [line, words] of [
  ['rev-parse HEAD', ['rev-parse', 'HEAD']],
  ['\trev-parse   HEAD^{tree} :/x~1 refs/*  ', ['rev-parse', 'HEAD^{tree}', ':/x~1', 'refs/*']],
  [`a '' "" b''c`, ['a', '', '', 'bc']],
  [`'single \\ "$x" ' "double \\" \\$ \\n '"`, ['single \\ "$x" ', `double " $ \\n '`]],
  ['back\\ slash\\\\ \\$x', ['back slash\\', '$x']],
  [String.raw`$'tab\tnewline\nquote\'\x41\101\u00fc\E'`, ["tab\tnewline\nquote'AA\u00fc\x1b"]],
  ['gr\u00fc\u00dfe', ['gr\u00fc\u00dfe']],
  ['a#b \\#c', ['a#b', '#c']],
  ["'<<5'", ['<<5']],
  ['', []],
] as const) {
  test(`a line in words: ${line}`, (t) => {
    t.deepEqual(parseLine(Buffer.from(line).toString('latin1')), { words, inputBytes: 0 });
  });
}

for (const line of [
  "'open", '"open', "$'open", 'end\\', 'a | b', 'a; b', 'a && b', 'a > b', 'a < b', '$x', '"$x"', '`x`', '"`x`"', '(x)', '# note', "$'\\q'", "$'\\0'", '<<5 word', '<<', '<<x',
  "$'\\U00110000'",
]) {
  test(`no line of words: ${line}`, (t) => {
    t.throws(() => parseLine(line), { instanceOf: InvalidError });
  });
}

test('requests come with environment and input however the stream is cut', (t) => {
  const lines = "A=1 B='x y' run C=2 <<6\nin\nput\n\n  second word\nlast $'<<3' <<0\n";
  const counted = '4 6\0A=1\0B=x y\0run\0C=2\0in\nput2 0\0second\0word\x003 0\0last\0\0<<3\0';
  const first = { words: ['run', 'C=2'], env: { A: '1', B: 'x y' }, input: 'in\nput' };
  for (let size = 1; size < 40; size += 1) {
    t.deepEqual(readAll(streamOf(lines, false, size)), [first, { words: ['second', 'word'], env: {}, input: '' }, { words: ['last', '<<3'], env: {}, input: '' }]);
    t.deepEqual(readAll(streamOf(counted, true, size)), [first, { words: ['second', 'word'], env: {}, input: '' }, { words: ['last', '', '<<3'], env: {}, input: '' }]);
  }
});

test('input that is not read is passed over', (t) => {
  const stream = streamOf('one <<4\nabc\ntwo\n', false, 3);
  stream.next()!.input.skip();
  t.deepEqual(stream.next()!.words, ['two']);
});

test('a stream that ends early is an error, in the line, in the words and in the input', (t) => {
  for (const [text, nul] of [['rev-parse HEAD', false], ['run <<5\nabc', false], ['2 0\0rev-parse\0HEAD', true], ['1 5\0run\0abc', true], ['1', true]] as const) {
    t.throws(() => readAll(streamOf(text, nul)), { instanceOf: InvalidError }, text);
  }
});

test('nonsense is refused or read, in bounded time', (t) => {
  const random = seededRandom(17);
  const parts = ['a', ' ', '\n', '\0', '<<3', "'", '"', '\\', '$', '1 1\0', '2 0\0', '9999999 0\0', '=', '\xff'];
  for (let round = 0; round < 2000; round += 1) {
    const text = Array.from({ length: 12 }, () => parts[Math.floor(random() * parts.length)]!).join('');
    for (const nul of [false, true]) {
      try {
        readAll(streamOf(Buffer.from(text, 'latin1'), nul));
      } catch (error) {
        t.true(error instanceof InvalidError);
      }
    }
  }
  t.throws(() => streamOf(Buffer.alloc(20 << 20, 0x61), false, 1 << 20).next(), { instanceOf: InvalidError });
  t.throws(() => streamOf(Buffer.concat([Buffer.from('9 0\0'), Buffer.alloc(20 << 20, 0x61)]), true, 1 << 20).next(), { instanceOf: InvalidError });
});
