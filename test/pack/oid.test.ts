import test from 'ava';
import { createHash } from 'node:crypto';
import { InvalidError } from '../../pack/errors.js';
import {
  Hasher, decodeObjectId, digest, emptyBlobId, emptyTreeId, encodeObjectHeader, encodeObjectId, hashFramed, hashObject, isObjectId, isZeroId,
  parseObjectId, zeroId,
} from '../../pack/oid.js';

for (const format of ['sha1', 'sha256'] as const) {
  test(`${format}: the three ways of hashing agree with the definition`, (t) => {
    const content = Buffer.from('what is up, doc?');
    const framed = Buffer.concat([Buffer.from('blob 16\0'), content]);
    const expected = createHash(format).update(framed).digest('hex');
    t.is(hashObject('blob', content, format) as string, expected);
    t.is(hashFramed(framed, format) as string, expected);
    const hasher = new Hasher(format);
    hasher.update(encodeObjectHeader('blob', 16));
    for (const byte of content) hasher.update(Buffer.of(byte));
    t.is(hasher.digestId() as string, expected);
    t.is(digest(framed, format).toString('hex'), expected);
  });

  test(`${format}: the well-known empty objects have the ids every repository knows`, (t) => {
    t.is(hashObject('blob', Buffer.alloc(0), format), emptyBlobId(format));
    t.is(hashObject('tree', Buffer.alloc(0), format), emptyTreeId(format));
  });

  test(`${format}: raw and hexadecimal form are each other's inverse`, (t) => {
    const id = hashObject('blob', Buffer.from('x'), format);
    t.is(decodeObjectId(Buffer.concat([Buffer.of(1, 2), encodeObjectId(id)]), 2, format), id);
    t.is(parseObjectId(id.toUpperCase(), format), id);
    t.true(isZeroId(zeroId(format)) && !isZeroId(id));
  });
}

test('an id of the wrong length, of other letters or of the other format is refused', (t) => {
  for (const text of ['', 'abc', 'g'.repeat(40), '0'.repeat(39), '0'.repeat(41), `${'0'.repeat(40)}\n`]) {
    t.false(isObjectId(text, 'sha1'));
    t.throws(() => parseObjectId(text, 'sha1'), { instanceOf: InvalidError });
  }
  t.false(isObjectId('0'.repeat(64), 'sha1'));
  t.false(isObjectId('A'.repeat(40), 'sha1'), 'ids are lower case');
});
