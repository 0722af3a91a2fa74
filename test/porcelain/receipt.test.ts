// The receipt's format: what is encoded decodes to the same value, stock git is content with it, anything else is CorruptError.
import test from 'ava';
import { CorruptError, InvalidError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { repoPath } from '../../pack/tree.js';
import { parseChannel } from '../../porcelain/channel.js';
import { type Receipt, decodeReceipt, encodeReceipt, listReceipts } from '../../porcelain/receipt.js';
import { updateRef } from '../../plumbing/refs/ref-transaction.js';
import { seededRandom } from '../helpers/sandbox.js';
import { commitFiles, makeRepository } from '../helpers/snapshots.js';
import { git, skipWithoutGit } from '../helpers/stock-git.js';

const id = (digit: string): ObjectId => digit.repeat(64) as ObjectId;

const simple: Receipt = {
  channel: parseChannel('site/prod'),
  number: 7,
  kind: 'rollback',
  commit: id('a'),
  restores: id('b'),
  previous: id('c'),
  outputs: [
    { tree: id('d'), path: undefined, published: { target: '../www', directory: '7.0123456789abcdef' }, files: 3, bytes: 4096, verification: 'hashed' },
    { tree: id('e'), path: repoPath('odd"\\\n\xff name '), published: { target: 'dé p/"q', directory: '3.fedcba9876543210' }, files: 0, bytes: 0, verification: 'unchanged' },
    { tree: id('f'), path: repoPath('docs'), published: undefined, files: 1, bytes: 9007199254740991, verification: 'objects' },
  ],
  tagger: { name: 'A U Thor', email: 'author@example.com', seconds: 1112911993, offset: '+0000' },
  message: 'nightly\n\nChannel: forged\nNumber: 1',
};

test('what is encoded decodes to the same receipt, odd names and forged lines in the message included', (t) => {
  t.deepEqual(decodeReceipt(encodeReceipt(simple), 'sha256'), simple);
});

test('the bytes are those of the page', (t) => {
  const receipt: Receipt = {
    channel: parseChannel('prod'), number: 1, kind: 'release', commit: id('1'), restores: undefined, previous: undefined,
    outputs: [{ tree: id('2'), path: repoPath('site'), published: { target: 'deploy/www', directory: '1.3f2a9c01d4e5b677' }, files: 2, bytes: 10, verification: 'hashed' }],
    tagger: simple.tagger, message: '',
  };
  t.is(encodeReceipt(receipt).toString(), [
    `object ${id('1')}`, 'type commit', 'tag prod/1', 'tagger A U Thor <author@example.com> 1112911993 +0000', '', 'Release prod 1', '',
    'Channel: prod', 'Number: 1', 'Kind: release', `Commit: ${id('1')}`, `Tree: ${id('2')}`, 'Path: site', 'Target: deploy/www',
    'Directory: 1.3f2a9c01d4e5b677', 'Files: 2', 'Bytes: 10', 'Verification: hashed', '',
  ].join('\n'));
});

test('a signature at the end is no part of the receipt, and a message cannot pretend one', (t) => {
  const signature = '-----BEGIN SSH SIGNATURE-----\nAAAA\n\nChannel: forged\n-----END SSH SIGNATURE-----\n';
  t.deepEqual(decodeReceipt(Buffer.concat([encodeReceipt(simple), Buffer.from(signature)]), 'sha256'), simple);
  t.throws(() => encodeReceipt({ ...simple, message: `text\n${signature}` }), { instanceOf: InvalidError });
});

const damages: readonly (readonly [what: string, from: RegExp, to: string])[] = [
  ['a missing line', /Kind: .*\n/, ''],
  ['a repeated line', /(Number: 7\n)/, '$1$1'],
  ['lines out of order', /(Number: 7\n)(Kind: .*\n)/, '$2$1'],
  ['another channel', /Channel: site\/prod/, 'Channel: site/test'],
  ['a channel that escapes', /Channel: site\/prod/, 'Channel: ../prod'],
  ['another number', /Number: 7/, 'Number: 8'],
  ['a number that is none', /Number: 7/, 'Number: 7x'],
  ['a commit that is not tagged', /Commit: a/, 'Commit: b'],
  ['an unknown kind', /Kind: rollback/, 'Kind: rollout'],
  ['a rollback of nothing', /Restores: .*\n/, ''],
  ['an absolute target', /Target: \.\.\/www/, 'Target: /www'],
  ['a directory that escapes', /Directory: 7\.\w+/, 'Directory: ../../etc'],
  ['a size that is too large', /Bytes: 4096/, 'Bytes: 99999999999999999999'],
  ['an unknown verification', /Verification: hashed/, 'Verification: trust me'],
  ['an unknown line at the end', /$/, 'Extra: x\n'],
  ['bad quoting', /Path: "odd/, 'Path: "od\\9'],
  ['no last paragraph', /\n\nChannel[^]*$/, '\n'],
  ['no tagger', /tagger .*\n/, ''],
];

for (const [what, from, to] of damages) {
  test(`a receipt with ${what} is refused`, (t) => {
    const damaged = Buffer.from(encodeReceipt(simple).toString('latin1').replace(from, to), 'latin1');
    t.false(damaged.equals(encodeReceipt(simple)));
    t.throws(() => decodeReceipt(damaged, 'sha256'), { instanceOf: CorruptError });
  });
}

test('nonsense gives a receipt or CorruptError, nothing else', (t) => {
  const random = seededRandom(20260101);
  const good = encodeReceipt(simple);
  for (let round = 0; round < 3000; round += 1) {
    const bytes = Buffer.from(good);
    for (let change = 0; change < 1 + random() * 3; change += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const cut = random() < 0.3 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
    try {
      decodeReceipt(cut, 'sha256');
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
    }
  }
  t.pass();
});

test('a message with a NUL is refused', (t) => {
  t.throws(() => encodeReceipt({ ...simple, message: 'a\0b' }), { instanceOf: InvalidError, code: 'bad-message' });
});

test('stock git checks a receipt as strictly as it can and is content', (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t);
  const commit = commitFiles(repository, { a: '1' });
  const receipt = encodeReceipt({ ...simple, kind: 'release', restores: undefined, previous: undefined, commit });
  const made = git(['--git-dir', repository.gitDirectory, 'mktag', '--strict'], { cwd: '/', stdin: receipt });
  t.is(made.code, 0, made.stderr);
});

test('a history passes over receipts that no ref keeps, and a chain that does not fall is an error', (t) => {
  const repository = makeRepository(t);
  const commit = commitFiles(repository, { a: '1' });
  const channel = parseChannel('prod');
  const write = (number: number, previous: ObjectId | undefined): ObjectId =>
    repository.objects.write('tag', encodeReceipt({ ...simple, channel, number, kind: 'release', restores: undefined, commit, previous }));
  const keep = (receipt: ObjectId): ObjectId => {
    updateRef(repository, { name: `refs/cairn/receipts/${receipt}`, target: { id: receipt } });
    return receipt;
  };
  const first = keep(write(2, id('9')));
  const dropped = write(4, write(3, first));
  const second = keep(write(5, dropped));
  updateRef(repository, { name: 'refs/releases/prod', target: { id: second } });
  t.deepEqual([...listReceipts(repository, channel)].map(({ number }) => number), [5, 2], 'those in between are still stored');
  updateRef(repository, { name: 'refs/releases/prod', target: { id: write(5, second) } });
  t.throws(() => [...listReceipts(repository, channel)], { instanceOf: CorruptError, code: 'bad-receipt' });
  updateRef(repository, { name: 'refs/releases/other', target: { id: second } });
  t.throws(() => [...listReceipts(repository, parseChannel('other'))], { instanceOf: CorruptError, code: 'bad-receipt' });
});
