import test from 'ava';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn, cairnProcess, cairnProgram } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { cleanEnvironment, git, gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const committer = 'committer C <c@x> 200 -0700\n';
const data = (text: string): string => `data ${Buffer.byteLength(text, 'latin1')}\n${text}\n`;
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const base = `blob\nmark :1\n${data('hello')}commit refs/heads/main\nmark :2\n${committer}${data('first')}M 644 :1 a\nM 644 :1 d/e/f\nM 644 :1 d/g\n\n`;
const next = `commit refs/heads/main\n${committer}${data('next')}`;

/** What a stream may say, by what it is about. */
const streams: Readonly<Record<string, string>> = {
  everything: `${base}${next}M 755 :1 run\nM 120000 :1 link\nM 100644 inline "quo\\"ted\\n file"\n${data('abc')}N :1 :2
commit refs/heads/other\nmark :5\n${committer}${data('third')}from :2\nmerge refs/heads/main\ndeleteall\nM 644 :1 only

tag v1\nmark :6\nfrom :5\ntagger T <t@x> 500 +0100\n${data('tag')}tag v2\nfrom :6\ntagger T <t@x> 500 +0100\n${data('of a tag')}reset refs/tags/light\nfrom :5

reset refs/heads/gone
progress hello there
get-mark :5
cat-blob :1
ls :5 only
ls :2 d/e
ls :2 none
checkpoint

commit refs/heads/main
${committer}${data('last')}ls "d"
ls ""
C d copied
R d moved
D a
alias
mark :9
to :5

get-mark :9
done
what follows is not read
`,
  'a file where a directory was, and the other way round': `${base}${next}M 644 :1 d\nM 644 :1 a/b\n\n`,
  'everything deleted': `${base}${next}D ""\n\n`,
  'a directory moved to the root': `${base}${next}R d ""\n\n`,
  'the root copied': `${base}${next}C "" sub\n\n`,
  'a copy of a directory into itself': `${base}${next}C d d/e/x\nC d d\n\n`,
  'nothing deleted': `${base}${next}D a/x\nD none\nD d/e\n\n`,
  'directories that become empty': `${base}${next}M 644 inline d/e/h\n${data('x')}R d/e/f d/e2/f\nR d/e/h top\n\n`,
  'odd names': `${base}${next}M 644 :1 "a\\tb\\303\\251"\nR "a" "z z"\nC "z z" y\nM 644 :1 with space\n\n`,
  'a tree by its id': `${base}ls :2 d\n${next}M 160000 :2 module\n\n`,
  'modes that are none': `${base}${next}M 777 :1 x\n`,
  'a path that is not there': `${base}${next}R none y\n`,
  'an empty component': `${base}${next}M 644 :1 a//b\n`,
  'an absolute path': `${base}${next}M 644 :1 /b\n`,
  'a path with an end': `${base}${next}M 644 :1 b/\n`,
  'a file as the root': `${base}${next}M 644 :1 \n`,
  'garbage after a quoted path': `${base}${next}M 644 :1 "a"x\n`,
  'a mark nobody made': `${base}${next}M 644 :77 b\n`,
  'a commit where a blob is due': `${base}${next}M 644 :2 b\n`,
  'a branch that begins at itself': `${base}${next}from refs/heads/main\n`,
  'a branch that ends': `${base}checkpoint\n\nreset refs/heads/main\nfrom ${'0'.repeat(40)}\n\n`,
  'a branch that begins anew': `${base}checkpoint\nreset refs/heads/main\n\n${next}\n`,
  'no committer': `commit refs/heads/x\nauthor A <a@x> 1 +0000\n${data('m')}`,
  'no angle bracket': `commit refs/heads/x\ncommitter A a@x> 1 +0000\n${data('m')}`,
  'no space before the mail': `commit refs/heads/x\ncommitter A<a@x> 1 +0000\n${data('m')}`,
  'a time zone of fifteen hours': `commit refs/heads/x\ncommitter A <a@x> 1 +1500\n${data('m')}`,
  'a date that is none': `commit refs/heads/x\ncommitter A <a@x> one +0000\n${data('m')}`,
  'nobody by name': `commit refs/heads/x\nauthor <b@x> 3 +0100\ncommitter <a@x> 1 +0000\n${data('m')}\n`,
  'too little data': 'blob\ndata 10\nabc\n',
  'no delimiter': 'blob\ndata <<EOF\nabc\n',
  'delimited data': `blob\nmark :1\ndata <<EOF\none\n\ntwo\nEOF\n\ncommit refs/heads/x\n${committer}data <<E\nmessage\nE\nM 644 :1 f\n\n`,
  'an unknown command': `${base}frobnicate\n`,
  'an empty line too many': `${base}\n\n${next}\n`,
  'no done': `feature done\n${base}`,
  done: `feature done\n${base}done\n`,
  'another encoding': `commit refs/heads/x\n${committer}encoding iso-8859-1\n${data('m\xe9')}\n`,
  options: `option git quiet\noption git depth=3\noption git active-branches=2\noption git max-pack-size=2m\noption git big-file-threshold=1k\noption hg foo\nfeature date-format=raw-permissive
commit refs/heads/x\ncommitter A <a@x> 1 +9900\n${data('m')}\n`,
  'an unknown feature': 'feature nosuch\n',
  'an unknown option': 'option git nosuch\n',
  'a file the stream names': 'feature export-marks=marks\n',
  'a feature after data': `${base}feature done\n`,
  'an option after data': `${base}option git quiet\n`,
  'a tag of a blob': `${base}tag t\nfrom :1\ntagger T <t@x> 1 +0000\n${data('m')}`,
  'a tag by nobody': `${base}tag t\nfrom refs/heads/main\n${data('m')}`,
  merges: `${base}commit refs/heads/b\nmark :5\n${committer}${data('b')}merge :2\nM 644 :1 q\n\n${next}merge refs/heads/b\nmerge :5\n\n`,
  'a bad ref name': `commit refs/heads/a..b\n${committer}${data('m')}`,
  comments: `# hi\nblob\n# c1\nmark :1\n# c2\n${data('# not a comment')}commit refs/heads/m\n# x\n${committer}# y\n${data('q')}# z\nM 644 :1 f\n# zz\nM 644 :1 g\n\n`,
  'the same content again': `${base}blob\nmark :3\n${data('hello')}${next}M 644 :3 f\nM 644 :1 f\nM 644 :3 g\nD g\n\n`,
  'more objects than stay loose': `${Array.from({ length: 300 }, (_, at) => `blob\nmark :${at + 1}\n${data(`content ${at}\n${'line\n'.repeat(50)}`)}`).join('')}commit refs/heads/m\n${committer}${data('q')}${
    Array.from({ length: 300 }, (_, at) => `M 644 :${at + 1} f${at % 7}/x${at}\n`).join('')}\n`,
  'an empty message': `commit refs/heads/x\n${committer}data 0\n\n`,
  'answers in the middle': `${base}${next}M 644 inline i\ncat-blob :1\n${data('zz')}ls "i"\n\ncat-blob ${'1'.repeat(40)}\n`,
  'the content of a commit': `${base}cat-blob :2\n`,
  'an alias without a mark': `${base}alias\nto :2\n`,
  'an alias of a blob': `${base}alias\nmark :3\nto :1\n`,
  'a note on a branch': `${base}commit refs/notes/x\n${committer}${data('n')}N inline refs/heads/main\n${data('abc')}\ncommit refs/notes/x\n${committer}${data('n2')}N inline :2\n${data('abcd')}\n`,
  'a note on a blob': `${base}commit refs/notes/x\n${committer}${data('n')}N inline :1\n${data('abc')}`,
  'original ids': `blob\nmark :1\noriginal-oid abc\n${data('x')}commit refs/heads/m\nmark :2\noriginal-oid def\n${committer}${data('x')}M 644 :1 f\n\ntag t\nfrom :2\noriginal-oid q\ntagger T <t@x> 1 +0000\n${data('one')}`,
};

for (const format of bothFormats) {
  test(`fast-import makes of a stream what git makes of it (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    await compareWithGit(t, makeRepository(t, format, 'true'), Object.values(streams).map((stream) => ({ argv: ['fast-import', '--quiet', '--force'], stdin: latin1(stream) })));
  });

  test(`fast-import takes git's options (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, 'git commit -q --allow-empty -m old; git rev-parse HEAD | sed "s/^/:7 /" > seven; printf %s ":1 $(git rev-parse HEAD)x" > bad');
    const head = gitOutput(['rev-parse', 'HEAD'], { cwd: repository }).trim();
    const stream = `commit refs/heads/new\nmark :3\n${committer}${data('m')}from :7\nM 644 inline f\n${data('x')}\n`;
    const lost = `commit refs/heads/main\n${committer}${data('another root')}\n`;
    const dated = (when: string): string => `commit refs/heads/dated\ncommitter A <a@x> ${when}\n${data(when)}\n`;
    const run = (options: readonly string[], stdin = ''): Case => ({ argv: ['fast-import', '--quiet', ...options], stdin: latin1(stdin) });
    await compareWithGit(t, repository, [
      run(['--import-marks=seven'], stream),
      run(['--import-marks=none'], stream), run(['--import-marks=bad'], stream), run(['--import-marks-if-exists=none', '--import-marks-if-exists=seven'], stream),
      run(['--import-marks=seven', '--export-marks=out'], `${stream}get-mark :3\n`), run(['--import-marks=out'], 'get-mark :3\nget-mark :7\n'),
      run(['--relative-marks', '--export-marks=sub/marks', '--no-relative-marks', '--import-marks=seven'], stream), run(['--relative-marks', '--import-marks=sub/marks'], 'get-mark :3\n'),
      run(['--allow-unsafe-features'], `feature import-marks=seven\n${stream}`), run([], `feature import-marks=seven\n${stream}`),
      run(['--allow-unsafe-features'], `feature import-marks-if-exists=none\nfeature import-marks=seven\n${stream}`),
      run([], lost), run(['--force'], lost), run([], `feature force\n${lost}`), run(['--done'], lost), run(['--done', '--force'], `${lost}done\n`),
      run(['--date-format=rfc2822'], dated('Tue Feb 6 11:22:18 2007 -0500')), run(['--date-format=rfc2822', '--force'], dated('whenever')),
      run(['--date-format=raw-permissive', '--force'], dated('12 +9999')), run(['--date-format=raw', '--force'], `feature date-format=raw-permissive\n${dated('12 +9999')}`),
      run(['--date-format=now', '--force'], dated('12 +0000')), run(['--date-format=none']),
      run(['--active-branches=1', '--depth=0', '--big-file-threshold=1', '--max-pack-size=1', '--force'], base), run(['--depth=x']),
      run(['--cat-blob-fd=1', '--force'], `${base}cat-blob :1\n`), run(['--cat-blob-fd=x']), run(['--export-pack-edges=edges', '--force'], base),
      run(['--rewrite-submodules-from=m:seven', '--rewrite-submodules-to=m:seven', '--force'], `${base}${next}M 160000 ${head} module\n\n`),
      run(['--rewrite-submodules-from=m:seven'], base),
      { argv: ['fast-import', '--stats', '--force'], stdin: latin1(base) }, { argv: ['fast-import', 'word'], stdin: '' },
    ]);
  });

  test(`notes are spread over directories as their number asks for (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const marks = Array.from({ length: 300 }, (_, at) => at + 10);
    const zero = '0'.repeat(format === 'sha1' ? 40 : 64);
    await compareWithGit(t, makeRepository(t, format, 'true'), [
      { argv: ['fast-import', '--quiet'], stdin: `blob\nmark :1\n${data('hi')}${marks.map((mark) => `commit refs/heads/main\nmark :${mark}\n${committer}${data(String(mark))}\n`).join('')}commit refs/notes/commits\n${
        committer}${data('notes')}${marks.map((mark) => `N :1 :${mark}\n`).join('')}\ncommit refs/notes/commits\n${committer}${data('fewer')}${marks.slice(0, 100).map((mark) => `N ${zero} :${mark}\n`).join('')}\n` },
    ]);
  });
}

test('what a stream may not do: leave the tree, or reach into a repository', async (t) => {
  const repository = makeSandbox(t);
  t.is((await cairn(['init', '-q'], { cwd: repository })).code, 0);
  for (const path of ['../x', 'a/../../x', './x', '.git/config', '.GIT/x', 'a/.cairn/x', 'git~1/x']) {
    const result = await cairn(['fast-import'], { cwd: repository, stdin: `${base}${next}M 644 :1 ${path}\n` });
    t.is(result.code, 128, path);
    t.regex(result.stderr, /invalid path/, path);
  }
  t.is((await cairn(['for-each-ref'], { cwd: repository })).stdout, '', 'no ref was moved');
});

test('a stream that is wrong leaves a report and the marks so far, and moves no ref', async (t) => {
  const repository = makeSandbox(t);
  t.is((await cairn(['init', '-q'], { cwd: repository })).code, 0);
  const result = await cairn(['fast-import', '--export-marks=marks'], { cwd: repository, stdin: `${base}M 644 :1 out of place\n`, pid: 4711 });
  t.is(result.code, 128);
  const report = readFileSync(join(repository, '.cairn/fast_import_crash_4711'), 'utf8');
  t.regex(report, /fatal: unsupported command: M 644 :1 out of place/);
  t.regex(report, /^\* M 644 :1 out of place$/m);
  t.regex(readFileSync(join(repository, 'marks'), 'utf8'), /^:1 [0-9a-f]{64}\n:2 [0-9a-f]{64}\n$/);
  t.is((await cairn(['for-each-ref'], { cwd: repository })).stdout, '');
});

test('content larger than memory should hold passes through, and answers go to any descriptor', (t) => {
  const repository = makeSandbox(t);
  t.is(cairnProcess(['init', '-q'], { cwd: repository }).code, 0);
  const large = Buffer.alloc(17 * 1024 * 1024, 'some text that repeats\n');
  const stream = Buffer.concat([latin1(`blob\nmark :1\ndata ${large.length}\n`), large, latin1(`\ncommit refs/heads/main\n${committer}${data('m')}M 644 :1 large\nls "large"\n`)]);
  writeFileSync(join(repository, 'stream'), stream);
  execFileSync('sh', ['-c', '"$0" "$1" fast-import --quiet --cat-blob-fd=3 < stream 3> answers', process.execPath, cairnProgram], { cwd: repository, env: cleanEnvironment });
  t.regex(readFileSync(join(repository, 'answers'), 'utf8'), /^100644 blob [0-9a-f]{64}\tlarge\n$/);
  t.is(cairnProcess(['cat-file', '-s', 'main:large'], { cwd: repository }).stdout, `${large.length}\n`);
  t.is(cairnProcess(['fsck', '--full', '--strict'], { cwd: repository }).code, 0);
});

test('few objects stay loose, more become one pack, and a limit of its size makes several', async (t) => {
  const repository = makeSandbox(t);
  const packs = (): number => readdirSync(join(repository, '.cairn/objects/pack')).filter((name) => name.endsWith('.pack')).length;
  t.is((await cairn(['init', '-q'], { cwd: repository })).code, 0);
  t.is((await cairn(['fast-import', '--quiet'], { cwd: repository, stdin: base })).code, 0);
  t.false(existsSync(join(repository, '.cairn/objects/pack')) && packs() > 0);
  t.is((await cairn(['-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet', '--force'], { cwd: repository, stdin: base.replace('hello', 'other') })).code, 0);
  t.is(packs(), 1);
  const noise = (seed: number): string => Array.from({ length: 700_000 }, (_, at) => String.fromCharCode(33 + ((at * 7919 + seed * 104729 + (at >> 3) * (at % 13)) % 90))).join('');
  const many = [1, 2, 3].map((seed) => `blob\n${data(noise(seed))}`).join('');
  t.is((await cairn(['-c', 'fastimport.unpackLimit=0', '-c', 'core.compression=0', 'fast-import', '--quiet', '--max-pack-size=1'], { cwd: repository, stdin: many })).code, 0);
  t.is(packs(), 4);
  if (!skipWithoutGit(t)) t.is(git(['--git-dir=.cairn', 'fsck', '--full'], { cwd: repository }).code, 0);
});
