// Choosing among changes hunk by hunk, for add, commit, reset, restore, checkout and stash with -p: compares, asks about each file, and does at
// once what was said. Specified by "patch" under "INTERACTIVE MODE" of git-add(1).
//
// Nothing is held while a person thinks; index and files are looked at again when a file has been decided, and what does not fit any more is
// refused for that file alone. Files come before the index. If the power fails, what was decided before the last question is there.
import type { ObjectId } from '../../pack/oid.js';
import type { Context } from '../../plumbing/command.js';
import { parseArguments } from '../../plumbing/command.js';
import { diffIndexToWorkTree, diffTreeToWorkTree, readWorkTreeSide } from '../../plumbing/diff/diff-index.js';
import { readDiffColors } from '../../plumbing/diff/diff-colors.js';
import { DiffRequest, diffOptions } from '../../plumbing/diff/diff-options.js';
import type { DiffEntry, DiffSide } from '../../plumbing/diff/diff.js';
import { type Index, indexEntry, readIndex } from '../../plumbing/index/index-file.js';
import { lockIndex } from '../../plumbing/index/index-lock.js';
import { listStagedChanges } from '../../plumbing/index/staged-changes.js';
import { applyRefresh, scanWorkTree } from '../../plumbing/index/work-status.js';
import { WorkTree } from '../../plumbing/index/work-tree.js';
import { listLines } from '../../plumbing/line-reader.js';
import { parseLimits } from '../../plumbing/pathspec.js';
import { holdLease } from '../../plumbing/refs/announcement.js';
import type { Repository } from '../../plumbing/repository.js';
import { formatColor, wantsColor } from '../terminal.js';
import type { ChoosingMode } from './choosing-mode.js';
import type { FilePatch, Hunk } from './file-patch.js';
import { type Choice, type Content, changeContent, listFilePatches, readContent, storeContent, writeContent } from './file-content.js';
import { type Answers, type ChooserStyle, HunkChooser } from './hunk-chooser.js';
import { editHunk, isWellFormed } from './hunk-editing.js';

export interface HunkRequest {
  readonly mode: ChoosingMode;
  /** What is compared with, where that is a tree. */
  readonly tree?: ObjectId;
  /** As typed; none are all. */
  readonly paths: readonly string[];
  /** Takes what is chosen in the place of the repository's index. */
  readonly index?: Index;
}

/** Asks, and does what was said. */
export function chooseHunks(repository: Repository, request: HunkRequest): void {
  using _ = holdLease(repository);
  if (request.index === undefined && repository.workTree !== undefined) refreshIndex(repository);
  const choosing = new Choosing(repository, request);
  const patches = choosing.listPatches();
  const { stderr } = repository.context;
  if (patches.length === 0) {
    stderr.write('No changes.\n');
    return;
  }
  if (patches.every(({ isBinary, hunks }) => isBinary && hunks.length === 0)) {
    stderr.write('Only binary files changed.\n');
    return;
  }
  for (const patch of patches) if (choosing.ask(patch) === 'quit') break;
  if (request.index === undefined && repository.workTree !== undefined) refreshIndex(repository);
}

function refreshIndex(repository: Repository): void {
  using lock = lockIndex(repository);
  if (applyRefresh(lock.index, scanWorkTree(new WorkTree(repository, lock.index), lock.index))) lock.write();
}

class Choosing {
  readonly #repository: Repository;
  readonly #request: HunkRequest;
  readonly #answers: Answers;
  readonly #style: ChooserStyle;

  constructor(repository: Repository, request: HunkRequest) {
    this.#repository = repository;
    this.#request = request;
    const lines = listLines(repository.context.stdin);
    this.#answers = { next: () => { const found = lines.next(); return found.done === true ? undefined : found.value; } };
    this.#style = readStyle(repository.context, repository);
  }

  /** Every file that differs, in order. */
  listPatches(): FilePatch[] {
    const repository = this.#repository;
    const { mode, tree, paths, index } = this.#request;
    const algorithm = repository.config.get('diff.algorithm');
    const typed = ['-p', ...(algorithm === undefined ? [] : [`--diff-algorithm=${algorithm}`]), ...(mode.isTurned ? ['-R'] : [])];
    const diff = new DiffRequest(repository, parseArguments({ options: diffOptions }, typed), { porcelain: false, format: 'patch', columns: 80 });
    const limits = parseLimits(repository, [...paths]);
    const known = readIndex(repository);
    const found = mode.compares === 'index-work' ? diffIndexToWorkTree(repository, known, { ...limits, byAppearance: true, showsIntended: diff.showsIntended ?? false }).entries
      : mode.compares === 'tree-work' ? diffTreeToWorkTree(repository, tree, known, { ...limits, byAppearance: true }).entries
        : listStagedChanges(repository.objects, tree, known, { ...limits, showsIntended: diff.showsIntended ?? true });
    const entries = diff.finish(found);
    return listFilePatches(repository.objects, diff, index === undefined ? entries : entries.filter(({ path }) => index.has(path)));
  }

  ask(patch: FilePatch): 'done' | 'quit' {
    const { context } = this.#repository;
    const chooser = new HunkChooser({
      context, mode: this.#request.mode, style: this.#style, answers: this.#answers, edit: (hunk, hunks, at) => this.#edit(patch, hunk, hunks, at),
    }, patch);
    if (!chooser.hasQuestions) return 'done';
    const outcome = chooser.ask();
    const { choice } = chooser;
    if (choice.mode || choice.whole || choice.hunks.length > 0) this.#apply(patch, choice);
    context.stdout.write('\n');
    return outcome;
  }

  /** Lets the person change a hunk until it fits, or they give up. */
  #edit(patch: FilePatch, hunk: Hunk, hunks: readonly Hunk[], at: number): Hunk | undefined {
    const { direction } = this.#request.mode;
    for (;;) {
      const edited = editHunk(this.#repository, hunk, direction);
      if (edited === undefined) return undefined;
      const all: Choice = { mode: patch.modeChange !== undefined, whole: false, hunks: hunks.map((one, index) => (index === at ? edited : one)) };
      if (isWellFormed(edited) && this.#changed(this.#target(patch), patch, all) !== undefined) return edited;
      if (!this.#confirm('Your edited hunk does not apply. Edit again (saying "no" discards!) [y/n]? ')) return undefined;
    }
  }

  #confirm(question: string): boolean {
    const { stdout } = this.#repository.context;
    for (;;) {
      stdout.write(this.#style.prompt === '' ? question : `${this.#style.prompt}${question}${this.#style.reset}`);
      stdout.flush();
      const answer = this.#answers.next()?.toLowerCase();
      if (answer === undefined || answer.startsWith('n')) return false;
      if (answer.startsWith('y')) return true;
    }
  }

  #contentOf(side: DiffSide): Content {
    return readContent(this.#repository.objects, side);
  }

  #indexContent(index: Index, { path }: DiffEntry): Content {
    const entry = index.find(path);
    // What is only intended to be added is not there yet for who would stage it.
    const isThere = entry !== undefined && !(entry.intentToAdd && this.#request.mode.compares !== 'tree-index');
    return isThere ? this.#contentOf(entry) : { mode: 0, text: '' };
  }

  /** What an edited hunk must fit. */
  #target({ entry }: FilePatch): Content {
    if (this.#request.mode.changes !== 'index') return this.#contentOf(readWorkTreeSide(this.#repository, entry.path));
    return this.#indexContent(this.#request.index ?? readIndex(this.#repository), entry);
  }

  #apply(patch: FilePatch, choice: Choice): void {
    const { changes } = this.#request.mode;
    const { stderr } = this.#repository.context;
    if (this.#request.index !== undefined) {
      this.#intoIndex(this.#request.index, patch, this.#changed(this.#indexContent(this.#request.index, patch.entry), patch, choice));
      return;
    }
    using lock = lockIndex(this.#repository);
    const staged = changes === 'files' ? undefined : this.#changed(this.#indexContent(lock.index, patch.entry), patch, choice);
    const files = changes === 'index' ? undefined : this.#changed(this.#contentOf(readWorkTreeSide(this.#repository, patch.entry.path)), patch, choice);
    if (changes === 'both' && staged === undefined) {
      stderr.write('The selected hunks do not apply to the index!\n');
      lock.rollback();
      if (!this.#confirm('Apply them to the worktree anyway? ')) stderr.write('Nothing was applied.\n');
      else if (files === undefined) stderr.write(unfit('file'));
      else this.#intoFiles(lock.index, patch, files);
      return;
    }
    if (changes !== 'index' && files === undefined) {
      stderr.write(unfit('file'));
      return;
    }
    if (changes === 'index' && staged === undefined) {
      stderr.write(unfit('index'));
      return;
    }
    if (files !== undefined) this.#intoFiles(lock.index, patch, files);
    if (staged === undefined) return;
    this.#intoIndex(lock.index, patch, staged);
    lock.write();
  }

  #changed(content: Content, patch: FilePatch, choice: Choice): Content | undefined {
    return changeContent(this.#repository.objects, content, patch, choice, this.#request.mode.direction);
  }

  #intoIndex(index: Index, { entry: { path } }: FilePatch, content: Content | undefined): void {
    if (content === undefined) return;
    if (content.mode === 0) index.remove(path);
    else index.set(indexEntry({ path, mode: content.mode, id: this.#store(content) }));
  }

  #intoFiles(index: Index, { entry: { path } }: FilePatch, content: Content): void {
    writeContent(this.#repository.objects, new WorkTree(this.#repository, index), path, content);
  }

  #store(content: Content): ObjectId {
    return storeContent(this.#repository.objects, content);
  }
}

function unfit(what: 'file' | 'index'): string {
  return `error: the chosen hunks do not apply to the ${what} any more\n`;
}

function readStyle(context: Context, { config }: Repository): ChooserStyle {
  const slot = (name: string, standard: string): string => formatColor(config.get(`color.interactive.${name}`) ?? standard);
  const isColored = wantsColor(context, config, 'color.interactive');
  const reset = formatColor('reset');
  return {
    ...(isColored ? { prompt: slot('prompt', 'bold blue'), help: slot('help', 'bold red'), header: slot('header', 'bold'), error: slot('error', 'bold red'), reset }
      : { prompt: '', help: '', header: '', error: '', reset: '' }),
    paint: wantsColor(context, config, 'color.diff') ? paintWith(readDiffColors(config)) : (text) => text,
  };
}

/** Colours each line of a patch by how it begins. */
function paintWith(colors: ReturnType<typeof readDiffColors>): (text: string) => string {
  return (text) => text.replace(/[^\n]+/g, (line) => {
    if (line.startsWith('@@ ')) return `${colors.frag}${line.replace(/^(@@ [^@]* @@)/, `$1${colors.reset}`)}`;
    const color = line.startsWith('+++ ') || line.startsWith('--- ') || /^[a-z]/.test(line) ? colors.meta : line.startsWith('+') ? colors.new
      : line.startsWith('-') ? colors.old : colors.context;
    return color === '' ? line : `${color}${line}${colors.reset}`;
  });
}
