// The files of one snapshot as they leave the repository: without what the attribute export-ignore keeps back, with line endings, filters and
// export-subst applied as a checkout and git archive do (git-archive(1), "ATTRIBUTES"). Attributes are read from the snapshot itself.
//
// Every path passes the one validation. Content is verified while it is read.
import { InvalidError, NotFoundError } from '../../pack/errors.js';
import { streamThresholdBytes } from '../../pack/object.js';
import type { ObjectId } from '../../pack/oid.js';
import { type RepoPath, checkTreeDepth, executableMode, gitlinkMode, isTreeMode, pathToUtf8, repoPath, symlinkMode } from '../../pack/tree.js';
import { Attributes } from '../../plumbing/content/attributes.js';
import { contentForPath, findConversion, isNoConversion } from '../../plumbing/content/conversion.js';
import { readLineEndingDefaults } from '../../plumbing/content/line-endings.js';
import { parseDateMode } from '../../plumbing/date.js';
import { Decorations } from '../../plumbing/history/decorations.js';
import { CommitFormat, defaultAbbreviation } from '../../plumbing/history/format.js';
import { Index, indexEntry } from '../../plumbing/index/index-file.js';
import { type PathProtection, checkPath, readPathProtection } from '../../plumbing/path-safety.js';
import type { Pathspec } from '../../plumbing/pathspec.js';
import type { Repository } from '../../plumbing/repository.js';
import { listTreeFiles } from '../tree-listing.js';

/** One thing to be written; directories come before what is in them. */
export interface ExportedFile {
  /** latin1; a directory ends in '/'. */
  readonly path: RepoPath;
  readonly kind: 'file' | 'executable' | 'link' | 'directory';
  /** Of the blob, the tree, or the gitlink's commit. */
  readonly id: ObjectId;
  readonly sizeBytes: number;
  /** The content, in pieces; may be asked for again. A link's is its target. */
  readonly open: () => Iterable<Buffer>;
}

export interface ExportSource {
  readonly repository: Repository;
  readonly tree: ObjectId;
  /** What export-subst tells of; undefined for a tree that was named itself. */
  readonly commit: ObjectId | undefined;
  readonly pathspec: Pathspec;
}

const nothing = (): Iterable<Buffer> => [];
/** No file that is changed on its way may be larger: it has to be held. */
const mostConvertedBytes = 512 * 1024 * 1024;

/** All of it, in the order of trees; NotFoundError for an element of the pathspec that matches nothing. */
export class ExportedFiles {
  readonly #source: ExportSource;
  readonly #attributes: Attributes;
  readonly #protection: PathProtection;

  constructor(source: ExportSource) {
    const { repository, tree } = source;
    this.#source = source;
    this.#protection = readPathProtection(repository.config);
    const index = new Index(repository.format);
    for (const { path, mode, id } of listTreeFiles(repository.objects, tree, this.#protection)) {
      if (path === '.gitattributes' || path.endsWith('/.gitattributes')) index.set(indexEntry({ path, mode, id }));
    }
    this.#attributes = Attributes.load(repository, { index });
  }

  *list(): Generator<ExportedFile> {
    yield* this.#listTree(this.#source.tree, '', 0, []);
    const { pathspec, repository, tree } = this.#source;
    // What is kept back is there all the same.
    if (pathspec.listUnmatched().length > 0) for (const { path } of listTreeFiles(repository.objects, tree, this.#protection)) pathspec.matches(path);
    const [unmatched] = pathspec.listUnmatched();
    if (unmatched !== undefined) throw new NotFoundError(`pathspec '${unmatched}' did not match any files`, { code: 'pathspec-unmatched' });
  }

  /** `waiting`: directories above that are written before the first thing in them. */
  *#listTree(tree: ObjectId, prefix: string, depth: number, waiting: ExportedFile[]): Generator<ExportedFile> {
    const { repository, pathspec } = this.#source;
    checkTreeDepth(depth, tree);
    for (const { mode, name, id } of repository.objects.readTree(tree)) {
      const path = repoPath(prefix + name);
      checkPath(path, this.#protection, mode);
      const isDirectory = isTreeMode(mode);
      const found = this.#attributes.find(isDirectory ? `${path}/` : path);
      const isKeptBack = found.get('export-ignore') === true;
      if (isDirectory) {
        if (isKeptBack) continue;
        if (!pathspec.matches(path, true) && !pathspec.mayMatchBelow(`${path}/`)) continue;
        waiting.push({ path: repoPath(`${path}/`), kind: 'directory', id, sizeBytes: 0, open: nothing });
        yield* this.#listTree(id, `${path}/`, depth + 1, waiting);
        // Still there when nothing in it was meant.
        if (waiting.at(-1)?.path === `${path}/`) waiting.pop();
        continue;
      }
      if (!pathspec.matches(path)) continue;
      // As git has it, a directory shows even when all that is meant in it is kept back.
      yield* waiting.splice(0);
      if (isKeptBack) continue;
      yield mode === gitlinkMode ? { path: repoPath(`${path}/`), kind: 'directory', id, sizeBytes: 0, open: nothing } : this.#file(path, mode, id, found.get('export-subst') === true);
    }
  }

  #file(path: RepoPath, mode: number, id: ObjectId, isSubstituted: boolean): ExportedFile {
    const { repository, commit } = this.#source;
    const { objects, config } = repository;
    const kind = mode === symlinkMode ? 'link' : mode === executableMode ? 'executable' : 'file';
    const isChanged = kind !== 'link'
      && ((isSubstituted && commit !== undefined) || !isNoConversion(findConversion(path, this.#attributes, config, readLineEndingDefaults(config))));
    const { sizeBytes } = objects.readHeader(id);
    if (!isChanged) {
      return { path, kind, id, sizeBytes, open: () => (sizeBytes < streamThresholdBytes ? [objects.read(id).bytes] : objects.openStream(id).chunks) };
    }
    if (sizeBytes > mostConvertedBytes) throw new InvalidError(`'${pathToUtf8(path)}' is too large to be converted`, { code: 'file-too-large' });
    const convert = (): Buffer => {
      const content = contentForPath(repository, path, Buffer.concat([...objects.openStream(id).chunks]), this.#attributes);
      return isSubstituted && commit !== undefined ? this.#substitute(content, commit) : content;
    };
    const content = convert();
    return { path, kind, id, sizeBytes: content.length, open: () => [content] };
  }

  /** Puts what they ask for of the commit into '$Format:...$'. */
  #substitute(content: Buffer, commit: ObjectId): Buffer {
    const { repository } = this.#source;
    const { context } = repository;
    const decorations = new Decorations(repository);
    const options = {
      repository, clock: context.clock, dateMode: parseDateMode('default'), abbreviation: defaultAbbreviation(repository),
      decorate: (id: ObjectId, style: 'wrapped' | 'plain') => decorations.format(id, style, false),
    };
    const decoded = repository.objects.readCommit(commit);
    const text = content.toString('latin1').replace(/\$Format:([^$]*)\$/g, (_all, typed: string) => (
      new CommitFormat({ kind: 'user', text: typed, terminated: false }, options).format({ id: commit, commit: decoded, parents: decoded.parents })));
    return Buffer.from(text, 'latin1');
  }
}
