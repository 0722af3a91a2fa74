// Every decoder and parser there is, with real input made by stock git and a way to call it so that all of its result is looked at.
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listObjectDirectories } from '../../pack/alternates.js';
import { CommitGraph } from '../../pack/commit-graph.js';
import { decodeCommit } from '../../pack/commit.js';
import { applyDelta, createDelta } from '../../pack/delta.js';
import { CairnError } from '../../pack/errors.js';
import { parseIdent } from '../../pack/ident.js';
import { decodeLoose } from '../../pack/loose.js';
import { MultiPackIndex } from '../../pack/multi-pack-index.js';
import { PackIndex } from '../../pack/pack-index.js';
import { decodePackMtimes } from '../../pack/pack-mtimes.js';
import { PackIntake } from '../../pack/pack-intake.js';
import { PackReader } from '../../pack/pack-reader.js';
import { Batch } from '../../pack/quarantine.js';
import { decodeReverseIndex, encodeReverseIndex } from '../../pack/reverse-index.js';
import { decodeTag } from '../../pack/tag.js';
import { decodeTree } from '../../pack/tree.js';
import { Inflater, inflatePrefix } from '../../pack/zlib.js';
import { Attributes } from '../../plumbing/content/attributes.js';
import { command as fastImport } from '../../plumbing/commands/fast-import.js';
import { parseArguments } from '../../plumbing/command.js';
import { parseConfig } from '../../plumbing/config.js';
import { parseDate } from '../../plumbing/date.js';
import { IgnoreRules } from '../../plumbing/ignore.js';
import { decodeCacheTree, encodeCacheTree } from '../../plumbing/index/cache-tree.js';
import { decodeResolveUndo, encodeResolveUndo } from '../../plumbing/index/resolve-undo.js';
import { Index } from '../../plumbing/index/index-file.js';
import { Mailmap } from '../../plumbing/history/mailmap.js';
import { parsePrettyFormat } from '../../plumbing/history/format.js';
import { checkGitmodules } from '../../plumbing/objects/gitmodules-check.js';
import { checkObject, listRawEntries } from '../../plumbing/objects/object-check.js';
import { parsePattern } from '../../plumbing/posix-regex.js';
import { decodeRefJournal, encodeRefJournal } from '../../plumbing/refs/ref-journal.js';
import { findSweep } from '../../plumbing/refs/sweep-flag.js';
import { BundleReader } from '../../plumbing/wire/bundle.js';
import { PackedRefs } from '../../plumbing/refs/packed-refs.js';
import { Pathspec } from '../../plumbing/pathspec.js';
import { cUnquote } from '../../plumbing/quote.js';
import { type RefName, isRefName, parseRefName } from '../../plumbing/refs/ref-name.js';
import { decodeReflog } from '../../plumbing/refs/reflog.js';
import { decodeLooseRef } from '../../plumbing/refs/refs.js';
import { Repository } from '../../plumbing/repository.js';
import { findRevision } from '../../plumbing/history/revision.js';
import { parseTrailers } from '../../plumbing/trailers.js';
import { wildmatch } from '../../plumbing/wildmatch.js';
import { parseChecksums } from '../../porcelain/archive/checksums.js';
import { decodeSidecar } from '../../porcelain/archive/sidecar.js';
import { decodeEnvelope, fromArmour, toArmour } from '../../porcelain/attestation/envelope.js';
import { decodeStatement } from '../../porcelain/attestation/statement.js';
import { countTornBytes, decodeEvents, encodeEvent } from '../../porcelain/events.js';
import { salvage } from '../../porcelain/integrity/repair-source.js';
import { decodeJournal } from '../../porcelain/release-journal.js';
import { parseLine } from '../../porcelain/request-stream.js';
import { gzip } from '../../porcelain/export/gzip.js';
import { gunzip } from '../../porcelain/import/gunzip.js';
import { PieceReader } from '../../porcelain/import/piece-reader.js';
import { readTar } from '../../porcelain/import/tar-reader.js';
import { parseGrace } from '../../porcelain/grace.js';
import { decodeReceipt } from '../../porcelain/receipt.js';
import { cairnProcess, makeContext } from '../helpers/cairn.js';
import { gitOutput, runProgram } from '../helpers/stock-git.js';

export interface FuzzTarget {
  readonly name: string;
  readonly samples: readonly Buffer[];
  /** The hash the input ends in, if any. */
  readonly trailer?: 'sha1';
  /** Must give a value or throw a CairnError. */
  readonly decode: (bytes: Buffer) => void;
}

const script = `
  mkdir dir
  for i in 1 2 3 4 5 6; do seq 1 $((200 + i)) >file; echo $i >dir/$i; git add -A; git commit -qm "commit $i

body

Signed-off-by: A <a@b>"; done
  git tag -am 'a tag' v1; git branch side HEAD~2
  echo conflict >x; git add x
  git commit-graph write --reachable
  git repack -adq
  echo loose >loose; git add loose; git commit -qm loose; git pack-refs --all
  echo lost | git hash-object -w --stdin; git repack -q --cruft -d
  echo more >more; git add more; git commit -qm more; git update-index --index-version 2; git multi-pack-index write
`;

const importStream = `feature done
blob
mark :1
data 6
hello

reset refs/heads/a
commit refs/heads/a
mark :2
author A <a@b> 1112911993 +0000
committer A <a@b> 1112911993 +0000
data <<END
text
END
M 100644 :1 dir/file
M 100755 inline "quo\\"ted"
data 3
abc
C dir/file copy
R copy moved
D moved

tag t
from :2
tagger A <a@b> 1112911993 +0000
data 2
t
get-mark :1
ls :2 dir
cat-blob :1
checkpoint
progress x
done
`;

const releaseJournal = JSON.stringify({
  version: 1, channel: 'stable', phase: 'building', commit: 'a'.repeat(40), receipt: null, remember: null,
  outputs: [{ target: 'x', staging: 'tmp-0123456789abcdef', directory: '1.0123456789abcdef', fresh: true, before: null }],
});

const config = `[core]\n\trepositoryformatversion = 0\n\tbare = false ; comment\n[section "sub\\"name\\\\"]\n\tkey = "quoted # value" \\\n\t  continued\n\tflag\n[a.b]\nx=1k\n[include]\n\tpath = ./no-such-file\n`;
const ignore = '# comment\n*.o\n!keep.o\n/dir/**/x\n\\#file\ntrailing\\ \n[a-z[:digit:]]?/*\n**/deep/\nfoo**bar\n[!]x]\n';
const attributes = '*.c text diff=cpp -merge !eol\n[attr]mine -text -diff\n"quoted\\tname" mine\n/dir/** filter=x binary\n';
const paths = ['file', 'dir/1', 'a/b/c/deep/x.o', 'keep.o', '#file', 'trailing ', 'foo/x/bar', 'ä/ö'.normalize()];

/** Makes the input below `directory` with stock git. */
export function makeTargets(directory: string): FuzzTarget[] {
  const repository = join(directory, 'repo');
  runProgram('git', ['init', '-q', '-b', 'main', repository], { cwd: '/' });
  const made = runProgram('sh', ['-e', '-c', script], { cwd: repository });
  if (made.code !== 0) throw new Error(made.stderr);
  const gitDirectory = join(repository, '.git');
  const objects = join(gitDirectory, 'objects');
  const names = (path: string): string[] => readdirSync(path).sort();
  const raw = (type: string, name: string): Buffer => runProgram('git', ['cat-file', type, name], { cwd: repository }).stdoutBytes;
  const ofSuffix = (suffix: string): Buffer[] => names(join(objects, 'pack')).filter((name) => name.endsWith(suffix)).map((name) => readFileSync(join(objects, 'pack', name)));
  const looseFiles = names(objects).filter((name) => name.length === 2).flatMap((name) => names(join(objects, name)).map((rest) => readFileSync(join(objects, name, rest))));
  const context = makeContext({ cwd: repository }).context;
  const opened = Repository.open(context);
  const text = (...samples: readonly string[]): Buffer[] => samples.map((sample) => Buffer.from(sample, 'latin1'));
  const base = raw('blob', 'HEAD~3:file');
  const delta = createDelta(base, raw('blob', 'HEAD:file'))!;
  const mtimes = names(join(objects, 'pack')).find((name) => name.endsWith('.mtimes'))!;
  const cruftIndex = PackIndex.decode(readFileSync(join(objects, 'pack', mtimes.replace('.mtimes', '.idx'))), 'sha1');
  const scratch = join(directory, 'scratch');
  mkdirSync(scratch);
  const packName = names(join(objects, 'pack')).filter((name) => name.endsWith('.pack')).sort((a, b) =>
    readFileSync(join(objects, 'pack', b)).length - readFileSync(join(objects, 'pack', a)).length)[0]!;
  writeFileSync(join(scratch, 'pack-1.idx'), readFileSync(join(objects, 'pack', packName.replace('.pack', '.idx'))));
  const bundle = (version: string, ...what: readonly string[]): Buffer => {
    runProgram('git', ['bundle', 'create', '-q', `--version=${version}`, join(scratch, 'made.bundle'), ...what], { cwd: repository });
    return readFileSync(join(scratch, 'made.bundle'));
  };
  const thinPack = runProgram('git', ['pack-objects', '--thin', '--stdout', '--revs', '-q'], { cwd: repository, stdin: 'main\n^main~2\n' }).stdoutBytes;
  // What is our own is made by ourselves.
  const ours = (...words: readonly string[]): void => {
    const { code, stderr } = cairnProcess(words, { cwd: repository });
    if (code !== 0) throw new Error(stderr);
  };
  ours('archive', 'create', join(scratch, 'made'), 'HEAD');
  const sidecar = readFileSync(join(scratch, 'made.info.json'));
  ours('release', 'stable', '--to', join(scratch, 'released'));
  const receipt = gitOutput(['for-each-ref', '--format=%(refname)', 'refs/cairn/receipts'], { cwd: repository });
  ours('attest', '--no-sign', 'HEAD');
  const envelope = raw('blob', gitOutput(['for-each-ref', '--format=%(refname)', 'refs/attestations'], { cwd: repository }));
  const layers = layeredGraphs(directory);
  const importing = join(directory, 'importing');
  runProgram('git', ['init', '-q', importing], { cwd: '/' });
  runProgram('git', ['config', 'core.fsync', 'none'], { cwd: importing });
  const revisions = ['HEAD~2^{tree}', 'main@{1}', 'HEAD@{yesterday}', ':/commit 3', ':0:file', 'v1^{}', 'side..main', '@{-1}', '^HEAD', 'HEAD^{/commit 2}', 'HEAD:dir/1', '@{u}', 'HEAD^2~3'];
  const tar = runProgram('git', ['archive', 'HEAD'], { cwd: repository }).stdoutBytes;
  return [
    { name: 'loose object', samples: looseFiles, decode: (bytes) => { decodeLoose(bytes); } },
    { name: 'tree', samples: [raw('tree', 'HEAD^{tree}'), raw('tree', 'HEAD:dir')], decode: (bytes) => { decodeTree(bytes, 'sha1'); } },
    { name: 'commit', samples: [raw('commit', 'HEAD'), raw('commit', 'HEAD~6')], decode: (bytes) => { decodeCommit(bytes, 'sha1'); } },
    { name: 'tag', samples: [raw('tag', 'v1')], decode: (bytes) => { decodeTag(bytes, 'sha1'); } },
    { name: 'receipt', samples: [raw('tag', receipt), raw('tag', 'v1')], decode: (bytes) => { decodeReceipt(bytes, 'sha1'); } },
    { name: 'envelope', samples: [envelope], decode: (bytes) => { decodeEnvelope(bytes).signatures.forEach((signature) => fromArmour(toArmour(signature))); } },
    { name: 'statement', samples: [decodeEnvelope(envelope).payload], decode: (bytes) => { decodeStatement(bytes, 'sha1'); } },
    { name: 'identity', samples: text('A U Thor <author@example.com> 1112911993 -0700', 'a <> 0 +0000'), decode: (bytes) => { parseIdent(bytes.toString('latin1')); } },
    {
      name: 'pack index', samples: ofSuffix('.idx'), trailer: 'sha1',
      decode: (bytes) => {
        const index = PackIndex.decode(bytes, 'sha1');
        for (let position = 0; position < Math.min(index.count, 1000); position += 1) {
          index.position(index.rawIdAt(position));
          index.crcAt(position);
          index.offsetAt(position);
        }
        index.positionsByOffset();
      },
    },
    {
      name: 'pack', samples: ofSuffix('.pack').filter((bytes) => bytes.length > 300), trailer: 'sha1',
      decode: (bytes) => {
        const path = join(scratch, 'pack-1.pack');
        writeFileSync(path, bytes);
        chmodSync(path, 0o644);
        const reader = PackReader.open(path, 'sha1');
        try {
          for (let position = 0; position < reader.objectCount; position += 1) each(() => { reader.readAt(position); });
          each(() => { reader.checksums(); });
        } finally {
          reader.close();
        }
      },
    },
    { name: 'delta', samples: [delta], decode: (bytes) => { applyDelta(base, bytes); } },
    { name: 'zlib stream', samples: looseFiles, decode: (bytes) => { inflatePrefix(bytes, 0, 1 << 20); } },
    {
      name: 'zlib stream in pieces', samples: looseFiles,
      decode: (bytes) => {
        const inflater = new Inflater();
        try {
          for (let at = 0; at < bytes.length && !inflater.finished; at += 7) {
            for (const piece of inflater.push(bytes.subarray(at, at + 7))) if (piece.length > 1 << 22) throw new Error('a piece is too large');
          }
        } finally {
          inflater.close();
        }
      },
    },
    {
      name: 'multi-pack-index', samples: [readFileSync(join(objects, 'pack/multi-pack-index'))], trailer: 'sha1',
      decode: (bytes) => {
        const index = MultiPackIndex.decode(bytes, 'sha1');
        for (let position = 0; position < Math.min(index.count, 1000); position += 1) each(() => { index.packAt(position); });
      },
    },
    {
      name: 'commit-graph', samples: [readFileSync(join(objects, 'info/commit-graph'))], trailer: 'sha1',
      decode: (bytes) => {
        const graph = CommitGraph.decode([{ path: 'graph', bytes }], 'sha1');
        for (let position = 0; position < Math.min(graph.count, 1000); position += 1) each(() => { graph.find(graph.idAt(position)); });
      },
    },
    {
      name: 'ages of a cruft pack', samples: ofSuffix('.mtimes'), trailer: 'sha1',
      decode: (bytes) => { decodePackMtimes(bytes, cruftIndex.count, cruftIndex.packChecksum, 'sha1'); },
    },
    {
      name: 'index', samples: [readFileSync(join(gitDirectory, 'index')), indexOf(repository, 4)], trailer: 'sha1',
      decode: (bytes) => {
        const index = Index.decode(bytes, 'sha1');
        for (const entry of index.entries) index.find(entry.path);
        each(() => index.cacheTree);
        each(() => { index.encode(); });
      },
    },
    {
      name: 'index with extensions', samples: indexesWithExtensions(directory), trailer: 'sha1',
      decode: (bytes) => {
        const index = Index.decode(bytes, 'sha1');
        each(() => index.cacheTree);
        each(() => { index.encode(); });
      },
    },
    { name: 'tree remembered by an index', samples: [encodeCacheTree(Index.decode(readFileSync(join(gitDirectory, 'index')), 'sha1').cacheTree ?? noCacheTree())], decode: (bytes) => { decodeCacheTree(bytes, 'sha1'); } },
    { name: 'resolve-undo', samples: text(['dir/file', '100644', '100644', '100644', 'a'.repeat(60)].join('\0'), ['x', '0', '0', '100755', 'b'.repeat(20)].join('\0')), decode: (bytes) => { encodeResolveUndo(decodeResolveUndo(bytes, 'sha1')); } },
    {
      name: 'pack that comes in', samples: [...ofSuffix('.pack'), thinPack], trailer: 'sha1',
      decode: (bytes) => {
        const stored = opened.objects;
        using intake = PackIntake.receive([bytes.subarray(0, 100), bytes.subarray(100)], scratch, 'sha1', { isUntrusted: true, findBase: (id) => stored.find(id) });
        for (let number = 0; number < intake.indexer.count; number += 1) for (const chunk of intake.indexer.contentChunks(number)) if (chunk.length > 1 << 26) throw new Error('a piece is too large');
      },
    },
    {
      name: 'pack that is salvaged', samples: ofSuffix('.pack'), trailer: 'sha1',
      decode: (bytes) => {
        const path = join(scratch, 'salvaged.pack');
        writeFileSync(path, bytes);
        const source = salvage(path, 'sha1');
        try {
          for (const id of source.ids) each(() => { for (const chunk of source.open(id)!.chunks) if (chunk.length > 1 << 26) throw new Error('a piece is too large'); });
        } finally {
          source.close();
        }
      },
    },
    {
      name: 'bundle', samples: [bundle('2', '--all'), bundle('3', '--all'), bundle('2', 'HEAD~2..main')],
      decode: (bytes) => {
        const path = join(scratch, 'fuzzed.bundle');
        writeFileSync(path, bytes);
        using reader = BundleReader.open(path);
        const stored = opened.objects;
        using intake = PackIntake.receive(reader.packPieces(), scratch, reader.header.format, { isUntrusted: true, findBase: (id) => stored.find(id) });
        if (intake.indexer.count < 0) throw new Error('no count');
      },
    },
    { name: 'reverse index', samples: [encodeReverseIndex(cruftIndex.positionsByOffset(), cruftIndex.packChecksum, 'sha1')], trailer: 'sha1', decode: (bytes) => { decodeReverseIndex(bytes, cruftIndex.count, cruftIndex.packChecksum, 'sha1'); } },
    {
      name: 'commit-graph in layers', samples: [layers[1]!], trailer: 'sha1',
      decode: (bytes) => {
        const graph = CommitGraph.decode([{ path: 'base', bytes: layers[0]! }, { path: 'top', bytes }], 'sha1');
        for (let position = 0; position < Math.min(graph.count, 1000); position += 1) each(() => { graph.find(graph.idAt(position)); });
      },
    },
    {
      name: 'rules for objects', samples: [raw('tree', 'HEAD^{tree}'), raw('commit', 'HEAD'), raw('tag', 'v1')],
      decode: (bytes) => {
        for (const type of ['tree', 'commit', 'tag', 'blob'] as const) checkObject(type, bytes, { format: 'sha1', strict: true });
        for (const { name } of listRawEntries(bytes, 'sha1')) if (name.length > bytes.length) throw new Error('a name is too long');
      },
    },
    { name: '.gitmodules', samples: text('[submodule "a"]\n\tpath = a\n\turl = ../a\n', '[submodule "../x"]\n\turl = -u\n'), decode: (bytes) => { checkGitmodules(bytes); } },
    {
      name: 'fast-import stream', samples: text(importStream),
      decode: (bytes) => {
        const { context: streaming } = makeContext({ cwd: importing, stdin: bytes });
        fastImport.run(streaming, parseArguments(fastImport, ['--quiet', '--force']));
      },
    },
    {
      name: 'journal of several refs', samples: [encodeRefJournal({ boot: undefined, changes: [{ name: 'refs/heads/a' as RefName, before: 'a'.repeat(40), after: 'b'.repeat(40) }] }, 'sha1')],
      decode: (bytes) => {
        const line = bytes.subarray(0, bytes.indexOf(10) + 1);
        each(() => { decodeRefJournal(bytes, 'sha1'); });
        decodeRefJournal(Buffer.concat([line, Buffer.from(`${createHash('sha1').update(line).digest('hex')}\n`)]), 'sha1');
      },
    },
    { name: 'journal of a release', samples: text(releaseJournal), decode: (bytes) => { decodeJournal(bytes.toString(), 'sha1', 'stable.journal'); } },
    { name: 'events', samples: [Buffer.concat([1, 2, 3].map((at) => encodeEvent({ kind: 'release', atMs: at, actor: 'A <a@b>', data: { at } })))], decode: (bytes) => { for (const event of decodeEvents(bytes)) if (countTornBytes(bytes) > bytes.length) throw new Error(event.kind); } },
    { name: 'sidecar of an archive', samples: [sidecar], decode: (bytes) => { decodeSidecar(bytes, 'made.info.json'); } },
    { name: 'checksums of an archive', samples: text(`${'0'.repeat(64)}  dir/file\n${'1'.repeat(64)}  x\n`), decode: (bytes) => { parseChecksums(bytes.toString('latin1')); } },
    {
      name: 'record of a batch', samples: text('{"version":1,"state":"open","atMs":1,"pid":2,"objects":3,"bytes":4}\n'),
      decode: (bytes) => {
        const batch = join(scratch, 'quarantine/20200101T000000000Z-00000000');
        mkdirSync(batch, { recursive: true });
        writeFileSync(join(batch, 'record'), bytes);
        if (Batch.list(join(scratch, 'quarantine')).length !== 1) throw new Error('the batch is gone');
      },
    },
    {
      name: 'sweep flag', samples: text(`123_456_789_${'a'.repeat(36)}\nhost\ntoken\n`),
      decode: (bytes) => {
        mkdirSync(join(gitDirectory, 'cairn'), { recursive: true });
        writeFileSync(join(gitDirectory, 'cairn/sweep'), bytes);
        try {
          findSweep(opened);
        } finally {
          rmSync(join(gitDirectory, 'cairn/sweep'));
        }
      },
    },
    { name: 'request of a batch', samples: text('cat-file -p HEAD\n', '5 hash-object --stdin "a b"\n'), decode: (bytes) => { parseLine(bytes.toString('latin1')); } },
    { name: 'pattern', samples: text('a\\(b\\|c\\)*[[:digit:]]\\{2,3\\}', '(a+)+$', '(?i)x[^]]'), decode: (bytes) => { for (const kind of ['basic', 'extended', 'fixed'] as const) each(() => { parsePattern(bytes.toString('latin1').slice(0, 400), kind); }); } },
    { name: 'format of a log', samples: text('format:%H %an%x00%C(red)%<(20,trunc)%s%w(30,1,2)%b', 'tformat:%(trailers:key=X,separator=%x2C)'), decode: (bytes) => { parsePrettyFormat(bytes.toString('latin1').slice(0, 400)); } },
    {
      name: 'mailmap', samples: text('Proper Name <a@b> Other <c@d>\n<x@y> <z@w>\n# comment\n'),
      decode: (bytes) => {
        writeFileSync(join(repository, '.mailmap'), bytes);
        Mailmap.read(opened);
      },
    },
    {
      name: 'alternates', samples: text('../../other\n# comment\n"quo\\ted"\n'),
      decode: (bytes) => {
        mkdirSync(join(scratch, 'objects/info'), { recursive: true });
        writeFileSync(join(scratch, 'objects/info/alternates'), bytes);
        listObjectDirectories(join(scratch, 'objects'), []);
      },
    },
    {
      name: 'packed-refs', samples: [readFileSync(join(gitDirectory, 'packed-refs'))],
      decode: (bytes) => {
        const refs = PackedRefs.decode(bytes, 'sha1', 'packed-refs');
        each(() => { refs.find('refs/heads/main'); });
        each(() => { for (const ref of refs.list('')) refs.find(ref.name); });
      },
    },
    { name: 'loose ref', samples: [readFileSync(join(gitDirectory, 'HEAD')), ...text(`${'ab'.repeat(20)}\n`)], decode: (bytes) => { decodeLooseRef(bytes.toString('latin1'), 'sha1'); } },
    { name: 'reflog', samples: [readFileSync(join(gitDirectory, 'logs/HEAD'))], decode: (bytes) => { decodeReflog(bytes, 'sha1', 'logs/HEAD'); } },
    { name: 'config', samples: [readFileSync(join(gitDirectory, 'config')), ...text(config)], decode: (bytes) => { parseConfig(bytes, 'config'); } },
    {
      name: 'ignore rules', samples: text(ignore),
      decode: (bytes) => {
        writeFileSync(join(repository, '.gitignore'), bytes);
        const rules = IgnoreRules.load(opened);
        for (const path of paths) rules.match(path, false);
      },
    },
    {
      name: 'attributes', samples: text(attributes),
      decode: (bytes) => {
        writeFileSync(join(repository, '.gitattributes'), bytes);
        const rules = Attributes.load(opened);
        for (const path of paths) rules.find(path);
      },
    },
    {
      name: 'wildcard pattern', samples: text('**/a*b?[!c-e[:alpha:]]', '*/*/*', 'a\\*[]]**', '*a*a*a*a*a*b'),
      decode: (bytes) => { for (const path of [...paths, 'a'.repeat(200)]) wildmatch(bytes.toString('latin1').slice(0, 400), path, { pathname: true }); },
    },
    {
      name: 'pathspec', samples: text(':(top,icase)dir/*', ':!file', ':/', ':(literal)*', ':(attr:x)y', 'dir/[a-z]'),
      decode: (bytes) => {
        const spec = Pathspec.parse([bytes.toString('latin1')], { prefix: '', workTree: repository, env: {} });
        for (const path of paths) spec.matches(path as Parameters<typeof spec.matches>[0]);
      },
    },
    { name: 'ref name', samples: text('refs/heads/main', 'refs/tags/v1.0', 'a@{b', 'x.lock'), decode: (bytes) => { isRefName(bytes.toString()); parseRefName(bytes.toString()); } },
    { name: 'revision', samples: text(...revisions), decode: (bytes) => { findRevision(opened, bytes.toString('latin1').slice(0, 2000)); } },
    { name: 'date', samples: text('2005-04-07T22:13:13+02:00', 'Thu Apr 7 22:13:13 2005 -0700', '3.weeks.ago', '@1112911993 +0000', 'last friday noon'), decode: (bytes) => { parseDate(bytes.toString('latin1').slice(0, 2000), context.clock); } },
    { name: 'grace', samples: text('2w', '36h', '2.weeks.ago', 'never'), decode: (bytes) => { parseGrace(bytes.toString('latin1').slice(0, 2000), context.clock); } },
    { name: 'tar', samples: [tar], decode: (bytes) => { for (const _entry of readTar(new PieceReader([bytes], 'it'))) continue; } },
    { name: 'gzip', samples: [Buffer.concat([...gzip([tar.subarray(0, 2000)])])], decode: (bytes) => { for (const _piece of gunzip([bytes])) continue; } },
    { name: 'trailers', samples: text('subject\n\nbody\n\nSigned-off-by: a\nRun: 1\n continued\n'), decode: (bytes) => { parseTrailers(bytes.toString('latin1')); } },
    { name: 'quoted path', samples: text('"a\\tb\\303\\244"', '"x\\\\"'), decode: (bytes) => { cUnquote(bytes.toString('latin1')); } },
  ];
}

function noCacheTree(): never {
  throw new Error('the index remembers no tree');
}

/** A commit-graph and one on top of it. */
function layeredGraphs(directory: string): Buffer[] {
  const repository = join(directory, 'layered');
  runProgram('git', ['init', '-q', '-b', 'main', repository], { cwd: '/' });
  const made = runProgram('sh', ['-e', '-c', `
    for i in 1 2; do git commit -q --allow-empty -m $i; git commit -q --allow-empty -m x$i; git commit-graph write --reachable --split=no-merge; done
  `], { cwd: repository });
  if (made.code !== 0) throw new Error(made.stderr);
  const graphs = join(repository, '.git/objects/info/commit-graphs');
  return readFileSync(join(graphs, 'commit-graph-chain'), 'latin1').trim().split('\n').map((id) => readFileSync(join(graphs, `graph-${id}.graph`)));
}

/** Indexes git gave extensions: what was resolved, untracked files, where parts begin; one that is a part of another. */
function indexesWithExtensions(directory: string): Buffer[] {
  const repository = join(directory, 'extended');
  runProgram('git', ['init', '-q', '-b', 'main', repository], { cwd: '/' });
  const made = runProgram('sh', ['-e', '-c', `
    echo 1 >f; mkdir d; echo x >d/x; git add .; git commit -qm 1; git checkout -qb side; echo 2 >f; git commit -qam 2; git checkout -q main; echo 3 >f; git commit -qam 3
    git merge -q side || true; echo 4 >f; git add f; cp .git/index undo; git commit -qm 4
    git config core.untrackedCache true; git config index.threads 2; echo u >untracked; git update-index --untracked-cache; git status >/dev/null; cp .git/index untracked.index
    git update-index --split-index; cp .git/index split.index
  `], { cwd: repository });
  if (made.code !== 0) throw new Error(made.stderr);
  return ['undo', 'untracked.index', 'split.index'].map((name) => readFileSync(join(repository, name)));
}

/** One step of several that may each fail in its own right. */
function each(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
  }
}

function indexOf(repository: string, version: number): Buffer {
  const path = join(repository, '.git', `index-v${version}`);
  writeFileSync(path, readFileSync(join(repository, '.git/index')));
  gitOutput(['update-index', '--index-version', String(version)], { cwd: repository, env: { GIT_INDEX_FILE: path } });
  return readFileSync(path);
}
