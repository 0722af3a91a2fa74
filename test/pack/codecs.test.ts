import test from 'ava';
import { decodeCommit, encodeCommit } from '../../pack/commit.js';
import { CorruptError, InvalidError } from '../../pack/errors.js';
import { formatIdent, offsetMinutes, parseIdent, parseIdentLoosely } from '../../pack/ident.js';
import { type ObjectFormat, type ObjectId, hexSize } from '../../pack/oid.js';
import { decodeTag, encodeTag } from '../../pack/tag.js';
import { compareTreeNames, decodeTree, encodeTree, formatMode, pathFromUtf8, pathToUtf8, typeOfMode } from '../../pack/tree.js';
import { bothFormats, makeRepository } from '../helpers/differential.js';
import { seededRandom } from '../helpers/sandbox.js';
import { git, gitOutput, skipWithoutGit } from '../helpers/stock-git.js';

const idOf = (format: ObjectFormat, digit: string): ObjectId => digit.repeat(hexSize(format)) as ObjectId;

/** A value or a CorruptError, whatever is done to the bytes; what decodes encodes again. */
function survivesNonsense(t: { true(value: boolean, message?: string): void }, seed: number, good: Buffer, decode: (bytes: Buffer) => void): void {
  const random = seededRandom(seed);
  const at = (limit: number): number => Math.floor(random() * limit);
  for (let round = 0; round < 3000; round += 1) {
    let bytes = Buffer.from(good);
    const kind = round % 4;
    if (kind === 0) bytes = bytes.subarray(0, at(bytes.length));
    else if (kind === 1) bytes = Buffer.from(Array.from({ length: at(200) }, () => at(256)));
    else for (let flip = 0; flip < kind; flip += 1) bytes[at(bytes.length)] = at(4) === 0 ? [0, 10, 32, 60][at(4)]! : at(256);
    try {
      decode(bytes);
    } catch (error) {
      t.true(error instanceof CorruptError, `seed ${seed}, round ${round}: ${String(error)}`);
    }
  }
}

for (const format of bothFormats) {
  test(`a tree is sorted as git sorts it and comes back as it was (${format})`, (t) => {
    const id = idOf(format, 'a');
    const names = ['a', 'a.b', 'a-b', 'ab', 'a\xe9', 'Z', '\x01'];
    const entries = [
      ...names.map((name) => ({ mode: 0o100644, name, id })),
      { mode: 0o040000, name: 'dir', id }, { mode: 0o100755, name: 'dir.x', id }, { mode: 0o120000, name: 'dir-x', id }, { mode: 0o160000, name: 'dir0', id },
    ];
    const bytes = encodeTree(entries, format);
    const decoded = decodeTree(bytes, format);
    t.deepEqual(decoded.map(({ name }) => name), ['\x01', 'Z', 'a', 'a-b', 'a.b', 'ab', 'a\xe9', 'dir-x', 'dir.x', 'dir', 'dir0']);
    t.true(encodeTree(decoded, format).equals(bytes));
    t.true(encodeTree([...entries].reverse(), format).equals(bytes));
    survivesNonsense(t, 1, bytes, (mutated) => { decodeTree(mutated, format); });
  });

  test(`commits and tags git wrote come back byte for byte (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const directory = makeRepository(t, format, `
      git commit -q --allow-empty -m one; git branch side; git commit -q --allow-empty -m two; git checkout -q side; git commit -q --allow-empty -m three
      git -c i18n.commitEncoding=ISO-8859-1 commit -q --allow-empty -m latin; git tag -am 'tag message' inner; git merge -q main inner -m merged; git tag -am x v1
      git -c user.name='É' commit -q --allow-empty -m "$(printf 'subject\\n\\nbody\\n')"; git commit -q --allow-empty --allow-empty-message -m ''`);
    const ids = gitOutput(['rev-list', '--all', '--objects', '--no-object-names'], { cwd: directory }).split('\n');
    const seen = { commit: 0, tag: 0 };
    for (const id of ids) {
      const type = gitOutput(['cat-file', '-t', id], { cwd: directory });
      if (type !== 'commit' && type !== 'tag') continue;
      seen[type] += 1;
      const bytes = git(['cat-file', type, id], { cwd: directory }).stdoutBytes;
      t.true(type === 'commit' ? encodeCommit(decodeCommit(bytes, format)).equals(bytes) : encodeTag(decodeTag(bytes, format)).equals(bytes));
      survivesNonsense(t, seen.commit, bytes, (mutated) => { (type === 'commit' ? decodeCommit : decodeTag)(mutated, format); });
    }
    t.true(seen.commit >= 7 && seen.tag >= 2);
  });
}

const ident = { name: 'A U Thor', email: 'a@example.com', seconds: 1112911993, offset: '-0700' };

test('headers over several lines are kept, in the order they came', (t) => {
  const commit = {
    tree: idOf('sha1', '1'), parents: [idOf('sha1', '2'), idOf('sha1', '3')], author: ident, committer: ident, encoding: 'ISO-8859-1',
    extraHeaders: [{ key: 'mergetag', value: 'object x\ntype commit\n\nmessage' }, { key: 'gpgsig', value: '-----BEGIN\n\nabc\n-----END' }, { key: 'empty', value: '' }],
    message: Buffer.from('subject\n\nbody\n'),
  };
  const bytes = encodeCommit(commit);
  t.true(bytes.includes('\ngpgsig -----BEGIN\n \n abc\n -----END\n'));
  t.deepEqual(decodeCommit(bytes, 'sha1'), commit);
  // An encoding that is not where git puts it stays where it was.
  const odd = Buffer.from(bytes.toString('latin1').replace('encoding ISO-8859-1\n', '').replace('\nempty ', '\nencoding latin1\nempty '), 'latin1');
  t.is(decodeCommit(odd, 'sha1').encoding, 'latin1');
  t.true(encodeCommit(decodeCommit(odd, 'sha1')).equals(odd));
});

test('what cannot be a line of a header is refused when encoding', (t) => {
  const base = { tree: idOf('sha1', '1'), parents: [], author: ident, committer: ident, extraHeaders: [], message: Buffer.alloc(0) };
  t.throws(() => encodeCommit({ ...base, author: { ...ident, name: 'x\nparent y' } }), { instanceOf: InvalidError });
  t.throws(() => encodeCommit({ ...base, encoding: 'x\0' }), { instanceOf: InvalidError });
  t.throws(() => encodeCommit({ ...base, extraHeaders: [{ key: 'a b', value: '' }] }), { instanceOf: InvalidError });
  t.throws(() => encodeTag({ object: base.tree, type: 'blob', name: 'a\nb', message: base.message }), { instanceOf: InvalidError });
  const id = idOf('sha1', '1');
  for (const name of ['', 'a/b', 'a\0b']) t.throws(() => encodeTree([{ mode: 0o100644, name, id }], 'sha1'), { instanceOf: InvalidError });
  t.throws(() => encodeTree([{ mode: 0o100644, name: 'a', id }, { mode: 0o040000, name: 'a', id }], 'sha1'), { code: 'duplicate-entry' });
  t.throws(() => encodeTree([{ mode: 0o100644, name: 'a', id }], 'sha256'), { code: 'bad-object-id' });
});

test('a tag without tagger, as old ones are, is read', (t) => {
  const tag = decodeTag(Buffer.from(`object ${'1'.repeat(40)}\ntype commit\ntag v0.99\n\nmessage\n`), 'sha1');
  t.is(tag.tagger, undefined);
  t.is(tag.message.toString(), 'message\n');
});

test('identities are read strictly or as well as can be', (t) => {
  t.is(formatIdent(ident), 'A U Thor <a@example.com> 1112911993 -0700');
  t.deepEqual(parseIdent(formatIdent(ident)), ident);
  for (const line of ['', 'A <a> 1', 'A <a> x +0000', 'A <a> 01 +0000', 'A a> 1 +0000', 'A <a> 1 0000', `A <a> ${'9'.repeat(30)} +0000`]) {
    t.throws(() => parseIdent(line), { instanceOf: InvalidError }, line);
  }
  t.deepEqual(parseIdentLoosely('A <a@b> '), { name: 'A', email: 'a@b', seconds: 0, offset: '+0000' });
  t.deepEqual(parseIdentLoosely('no mail'), { name: 'no mail', email: '', seconds: 0, offset: '+0000' });
  t.deepEqual(parseIdentLoosely('A <a> 12 +01'), { name: 'A', email: 'a', seconds: 12, offset: '+01' });
  t.is(offsetMinutes('-0730'), -450);
  t.is(offsetMinutes('nonsense'), 0);
});

test('an extremely long header is read in linear time', (t) => {
  const line = 'x'.repeat(20) + '\n ';
  const bytes = Buffer.from(`tree ${'1'.repeat(40)}\nauthor A <a> 1 +0000\ncommitter A <a> 1 +0000\ngpgsig ${line.repeat(200_000)}\n\nm`);
  t.is(decodeCommit(bytes, 'sha1').extraHeaders.length, 1);
});

test('names and modes', (t) => {
  t.is(formatMode(0o40000), '040000');
  t.deepEqual([0o100644, 0o40000, 0o160000, 0o120000].map(typeOfMode), ['blob', 'tree', 'commit', 'blob']);
  t.true(compareTreeNames('a', true, 'a.b', false) > 0);
  t.true(compareTreeNames('a', false, 'a.b', false) < 0);
  t.is(pathToUtf8(pathFromUtf8('café')), 'café');
  // Old modes are read as what git takes them for.
  const raw = Buffer.concat([Buffer.from('100664 a\0'), Buffer.alloc(20, 1), Buffer.from('0100700 b\0'), Buffer.alloc(20, 1)]);
  t.deepEqual(decodeTree(raw, 'sha1').map(({ mode }) => mode), [0o100644, 0o100755]);
});
