import test from 'ava';
import { InvalidError } from '../../pack/errors.js';
import { checkPath, findPathFault, fullProtection, readPathProtection } from '../../plumbing/path-safety.js';

const zeroWidth = '\xe2\x80\x8c';

/** Refused wherever it stands: alone, first, in the middle, last. */
const evilComponents: Readonly<Record<string, readonly string[]>> = {
  'the parent and the directory itself': ['..', '.'],
  'nothing between slashes': [''],
  "a repository's own directory": ['.git', '.cairn'],
  'in another letter case': ['.GIT', '.Git', '.gIt', '.CAIRN', '.Cairn'],
  'its NTFS short name': ['git~1', 'GIT~1', 'Git~1', 'cairn~1', 'CAIRN~1'],
  'with what NTFS drops at the end': ['.git.', '.git ', '.git...', '.git . .', '.cairn ', '.cairn.', 'git~1 ', 'git~1.', '.GIT. '],
  'with an NTFS stream': ['.git:', '.git::$INDEX_ALLOCATION', '.git:$I30:$INDEX_ALLOCATION', '.git :x', '.cairn::$INDEX_ALLOCATION', 'git~1::$DATA'],
  'with what HFS+ ignores': [`.g${zeroWidth}it`, `${zeroWidth}.git`, `.git${zeroWidth}`, `.G\xe2\x80\x8dI\xe2\x81\xafT`, '.git\xef\xbb\xbf', `.ca${zeroWidth}irn`, '.g\xe2\x80\xaait'],
  'behind a backslash': ['a\\.git', '.git\\hooks', 'x\\git~1\\y', '\\.cairn'],
  'with a NUL': ['a\0', '\0', '.git\0'],
};

for (const [what, components] of Object.entries(evilComponents)) {
  test(`refused in every position: ${what}`, (t) => {
    for (const evil of components) {
      for (const path of [evil, `${evil}/x`, `x/${evil}`, `x/${evil}/y`]) {
        t.throws(() => checkPath(path, fullProtection), { instanceOf: InvalidError, code: 'unsafe-path' }, JSON.stringify(path));
      }
    }
  });
}

test('refused: an absolute path, an empty one, and a slash at the end', (t) => {
  for (const path of ['', '/', '/etc/passwd', 'a/', '//a', 'a//b']) t.not(findPathFault(path, fullProtection), undefined, path);
});

test('names that only look odd are accepted', (t) => {
  const fine = ['a', '.gitignore', '.gitattributes', '.gitmodules', '.github/x', 'git', 'git~2', '.gi', '.gitx', '.git-x', '...', '..a', 'a..', '-x', '--', 'a b',
    'caf\xc3\xa9', '\xff\xfe', 'con', 'a:b', 'x\\y', '12:30.log', ' ', '.cairnignore', 'cairn', '\x01', '\xe2\x82\xac'];
  for (const path of fine) t.is(findPathFault(path, fullProtection), undefined, JSON.stringify(path));
});

test('names Windows cannot store are refused when core.protectNTFS is set on purpose', (t) => {
  const protection = readPathProtection({ getBoolean: (name) => name === 'core.protectntfs' ? true : undefined });
  for (const path of ['con', 'CON', 'aux.txt', 'nul', 'com1', 'lpt9.x', 'a:b', 'C:', 'C:/x', 'x\\y', 'trailing.', 'trailing ', 'a?', 'a*', 'a\x01b', 'dir./x']) {
    t.not(findPathFault(path, protection), undefined, JSON.stringify(path));
  }
  for (const path of ['console', 'com', 'com10', 'auxiliary', 'a.con', 'x y']) t.is(findPathFault(path, protection), undefined, path);
});

test('configuration can take protection for foreign file systems back, never the rest', (t) => {
  const off = readPathProtection({ getBoolean: () => false });
  for (const path of ['git~1', '.git ', `.g${zeroWidth}it`, 'a\\.git']) t.is(findPathFault(path, off), undefined, JSON.stringify(path));
  for (const path of ['.git', '.GIT', '.cairn', '..', 'a/../b', '/a', '']) t.not(findPathFault(path, off), undefined, path);
});

test("'.gitmodules' may not be a symbolic link, in any spelling", (t) => {
  for (const path of ['.gitmodules', '.GitModules', 'gitmod~1', '.gitmodules ', '.gitmodules::$DATA', `.git${zeroWidth}modules`]) {
    t.not(findPathFault(path, fullProtection, 0o120000), undefined, path);
    t.is(findPathFault(path, fullProtection, 0o100644), undefined, path);
  }
});
