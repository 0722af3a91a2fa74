import test from 'ava';
import { decodeText, encodeText, findMarkFault } from '../../../plumbing/content/text-encoding.js';
import { seededRandom } from '../../helpers/sandbox.js';

const texts = ['', 'plain\n', 'ünïcödé', 'a\u3042\u4e9c', '\u{1f600}!'];

for (const encoding of ['UTF-16', 'utf16', 'UTF-16LE', 'UTF-16BE', 'UTF-16LE-BOM', 'UTF-16BE-BOM', 'UTF-32', 'UTF-32LE', 'utf-32be']) {
  test(`text in ${encoding} comes back as it was`, (t) => {
    for (const text of texts) {
      const decoded = decodeText(encodeText(text, encoding)!, encoding);
      t.is(/bom/i.test(encoding) ? decoded?.replace('\ufeff', '') : decoded, text);
    }
  });
}

for (const encoding of ['ISO-8859-1', 'iso-8859-15', 'koi8-r', 'SHIFT-JIS', 'euc-jp', 'gbk', 'big5', 'ascii', 'windows-1252']) {
  test(`every text that ${encoding} has comes back, and no other is encoded`, (t) => {
    const random = seededRandom(7);
    for (let round = 0; round < 400; round += 1) {
      const code = Math.floor(random() * 0x9fff);
      if (code >= 0xd800 && code < 0xe000) continue;
      const text = `a${String.fromCodePoint(code)}`;
      const bytes = encodeText(text, encoding);
      if (bytes !== undefined) t.is(decodeText(bytes, encoding), text);
    }
    t.is(encodeText('\u{1f600}', encoding), undefined);
  });
}

test('what is not in an encoding, or no encoding at all, is undefined', (t) => {
  t.is(decodeText(Buffer.from([0x81]), 'SHIFT-JIS'), undefined);
  t.is(decodeText(Buffer.from([0xff]), 'ascii'), undefined);
  t.is(decodeText(Buffer.from('abc'), 'UTF-16LE'), undefined);
  t.is(decodeText(Buffer.from([0x00, 0xd8]), 'UTF-16LE'), undefined);
  t.is(decodeText(Buffer.from([0, 0, 0x11, 0]), 'UTF-32LE'), undefined);
  t.is(decodeText(Buffer.from('a'), 'no-such-encoding'), undefined);
  t.is(encodeText('a', 'no-such-encoding'), undefined);
  t.is(findMarkFault(Buffer.from([0xff, 0xfe]), 'UTF-16LE'), 'prohibited');
  t.is(findMarkFault(Buffer.from('ab'), 'UTF-16'), 'required');
  t.is(findMarkFault(Buffer.from([0xfe, 0xff]), 'utf-16'), undefined);
  t.is(findMarkFault(Buffer.from('ab'), 'ISO-8859-1'), undefined);
});
