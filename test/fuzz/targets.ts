// Every decoder and parser there is, with real input made by stock git and a way to call it so that all of its result is looked at.
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommitGraph } from '../../pack/commit-graph.js';
import { decodeCommit } from '../../pack/commit.js';
import { applyDelta, createDelta } from '../../pack/delta.js';
import { CairnError } from '../../pack/errors.js';
import { parseIdent } from '../../pack/ident.js';
import { decodeLoose } from '../../pack/loose.js';
import { MultiPackIndex } from '../../pack/multi-pack-index.js';
import { PackIndex } from '../../pack/pack-index.js';
import { decodePackMtimes } from '../../pack/pack-mtimes.js';
import { PackReader } from '../../pack/pack-reader.js';
import { decodeTag } from '../../pack/tag.js';
import { decodeTree } from '../../pack/tree.js';
import { Inflater, inflatePrefix } from '../../pack/zlib.js';
import { Attributes } from '../../plumbing/content/attributes.js';
import { parseConfig } from '../../plumbing/config.js';
import { parseDate } from '../../plumbing/date.js';
import { IgnoreRules } from '../../plumbing/ignore.js';
import { Index } from '../../plumbing/index/index-file.js';
import { PackedRefs } from '../../plumbing/refs/packed-refs.js';
import { Pathspec } from '../../plumbing/pathspec.js';
import { cUnquote } from '../../plumbing/quote.js';
import { isRefName, parseRefName } from '../../plumbing/refs/ref-name.js';
import { decodeReflog } from '../../plumbing/refs/reflog.js';
import { decodeLooseRef } from '../../plumbing/refs/refs.js';
import { Repository } from '../../plumbing/repository.js';
import { findRevision } from '../../plumbing/history/revision.js';
import { parseTrailers } from '../../plumbing/trailers.js';
import { wildmatch } from '../../plumbing/wildmatch.js';
import { parseGrace } from '../../porcelain/grace.js';
import { decodeReceipt } from '../../porcelain/receipt.js';
import { makeContext } from '../helpers/cairn.js';
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
  const revisions = ['HEAD~2^{tree}', 'main@{1}', 'HEAD@{yesterday}', ':/commit 3', ':0:file', 'v1^{}', 'side..main', '@{-1}', '^HEAD', 'HEAD^{/commit 2}', 'HEAD:dir/1', '@{u}', 'HEAD^2~3'];
  return [
    { name: 'loose object', samples: looseFiles, decode: (bytes) => { decodeLoose(bytes); } },
    { name: 'tree', samples: [raw('tree', 'HEAD^{tree}'), raw('tree', 'HEAD:dir')], decode: (bytes) => { decodeTree(bytes, 'sha1'); } },
    { name: 'commit', samples: [raw('commit', 'HEAD'), raw('commit', 'HEAD~6')], decode: (bytes) => { decodeCommit(bytes, 'sha1'); } },
    { name: 'tag', samples: [raw('tag', 'v1')], decode: (bytes) => { decodeTag(bytes, 'sha1'); } },
    { name: 'receipt', samples: [raw('tag', 'v1')], decode: (bytes) => { decodeReceipt(bytes, 'sha1'); } },
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
    { name: 'trailers', samples: text('subject\n\nbody\n\nSigned-off-by: a\nRun: 1\n continued\n'), decode: (bytes) => { parseTrailers(bytes.toString('latin1')); } },
    { name: 'quoted path', samples: text('"a\\tb\\303\\244"', '"x\\\\"'), decode: (bytes) => { cUnquote(bytes.toString('latin1')); } },
  ];
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
