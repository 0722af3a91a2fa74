// cairn notes: text attached to objects afterwards, kept beside them under refs/notes/.
//
// Each change is a commit on the notes ref; the notes are durable before the ref moves, and it moves only from what was read.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { encodeCommit } from '../../pack/commit.js';
import { removeIfPresent, replaceFile } from '../../pack/disk.js';
import { InvalidError, NotFoundError, RefusedError, UsageError, isSystemError } from '../../pack/errors.js';
import type { ObjectId } from '../../pack/oid.js';
import { type Arguments, type Command, type OptionSpec, parseArguments } from '../../plumbing/command.js';
import { mergeBases } from '../../plumbing/history/merge-base.js';
import { NoteSet } from '../../plumbing/history/note-set.js';
import { findNamed, peel } from '../../plumbing/history/revision.js';
import { committerIdent, authorIdent } from '../../plumbing/identity.js';
import { latin1 } from '../../plumbing/latin1.js';
import { listLines, readInput } from '../../plumbing/line-reader.js';
import { commentCharacter, commentLines, stripSpace } from '../../plumbing/message.js';
import { whileNaming } from '../../plumbing/refs/announcement.js';
import { updateRef } from '../../plumbing/refs/ref-transaction.js';
import { Repository } from '../../plumbing/repository.js';
import { wildmatch } from '../../plumbing/wildmatch.js';
import { concatenateNotes, joinSortedLines, mergeNotes, parseNoteMergeStrategy } from '../note-merge.js';
import { editFile } from '../terminal.js';

const contentOptions: readonly OptionSpec[] = [
  { name: 'message', short: 'm', value: 'message', help: 'the note; several are paragraphs' },
  { name: 'file', short: 'F', value: 'file', help: 'read the note from a file (- for standard input)' },
  { name: 'reedit-message', short: 'c', value: 'object', help: 'edit the content of another blob' },
  { name: 'reuse-message', short: 'C', value: 'object', help: 'take the content of another blob as it is' },
  { name: 'allow-empty', negatable: true, help: 'a note may be empty' },
];
const forceOption: OptionSpec = { name: 'force', short: 'f', negatable: true, help: 'replace a note that is there' };

const tables: Readonly<Record<string, readonly OptionSpec[]>> = {
  list: [{ name: 'json', help: 'list as JSON' }],
  add: [...contentOptions, forceOption],
  copy: [forceOption, { name: 'stdin', negatable: true, help: 'read objects from standard input' }, { name: 'for-rewrite', value: 'command', help: 'copy as the configuration of a command says' }],
  append: contentOptions,
  edit: contentOptions,
  show: [],
  merge: [
    { name: 'verbose', short: 'v', negatable: true, help: 'say more' },
    { name: 'quiet', short: 'q', negatable: true, help: 'say nothing' },
    { name: 'strategy', short: 's', value: 'strategy', help: 'how notes that both sides changed are merged: ours, theirs, union, cat_sort_uniq, manual' },
  ],
  remove: [{ name: 'ignore-missing', help: 'an object without a note is no failure' }, { name: 'stdin', negatable: true, help: 'read objects from standard input' }],
  prune: [{ name: 'dry-run', short: 'n', negatable: true, help: 'only tell what would be removed' }, { name: 'verbose', short: 'v', negatable: true, help: 'tell what is removed' }],
  'get-ref': [],
};
const refOption: OptionSpec = { name: 'ref', value: 'ref', help: 'the notes ref, in place of core.notesRef (refs/notes/commits)' };

export const command: Command = {
  name: 'notes',
  family: 'git',
  summary: 'add, show and remove notes on objects',
  usage: [
    'notes [--ref <ref>] [list [--json] [<object>]]',
    'notes [--ref <ref>] add [-f] [--allow-empty] [-F <file> | -m <message> | (-c | -C) <object>] [<object>]',
    'notes [--ref <ref>] copy [-f] (--stdin | <from> [<to>])',
    'notes [--ref <ref>] append [--allow-empty] [-F <file> | -m <message> | (-c | -C) <object>] [<object>]',
    'notes [--ref <ref>] edit [--allow-empty] [<object>]',
    'notes [--ref <ref>] show [<object>]',
    'notes [--ref <ref>] merge [-v | -q] [-s <strategy>] <ref>',
    'notes [--ref <ref>] remove [--ignore-missing] [--stdin] [<object>...]',
    'notes [--ref <ref>] prune [-n] [-v]',
    'notes [--ref <ref>] get-ref',
  ],
  options: [refOption, ...new Map(Object.values(tables).flat().map((option) => [option.name, option])).values()],
  rawArguments: true,
  run(context, { argv }) {
    const outer = parseArguments({ options: [refOption], stopAtPositional: true }, argv);
    const [verb = 'list', ...rest] = outer.positionals;
    const table = Object.hasOwn(tables, verb) ? tables[verb] : undefined;
    if (table === undefined) throw new UsageError(`unknown subcommand: '${verb}'`);
    const args = parseArguments({ options: table }, rest);
    const notes = new NotesCommand(Repository.open(context), outer.value('ref'), args);
    switch (verb) {
      case 'list': return notes.list();
      case 'add': return notes.add();
      case 'copy': return notes.copy();
      case 'append': case 'edit': return notes.change(verb);
      case 'show': return notes.show();
      case 'merge': return notes.merge();
      case 'remove': return notes.remove();
      case 'prune': return notes.prune();
      default: return notes.getRef();
    }
  },
};

/** What a note is to hold: `given` by options, perhaps to be edited. */
interface Content { readonly bytes: Buffer; readonly isGiven: boolean; readonly edits: boolean }

class NotesCommand {
  readonly #repository: Repository;
  readonly #args: Arguments;
  readonly #ref: string;

  constructor(repository: Repository, typedRef: string | undefined, args: Arguments) {
    this.#repository = repository;
    this.#args = args;
    const { config, context: { env } } = repository;
    this.#ref = typedRef === undefined ? env['GIT_NOTES_REF'] ?? config.get('core.notesref') ?? 'refs/notes/commits' : expandNotesRef(typedRef);
  }

  getRef(): number {
    this.#expect(0, 0);
    this.#print(`${this.#ref}\n`);
    return 0;
  }

  list(): number {
    const [typed] = this.#expect(0, 1);
    const { notes } = this.#load('list');
    if (typed === undefined && this.#args.has('json')) {
      this.#print(`${JSON.stringify([...notes.list()].map(([object, note]) => ({ object, note })))}\n`);
      return 0;
    }
    if (typed === undefined) {
      for (const [target, note] of notes.list()) this.#print(`${note} ${target}\n`);
      return 0;
    }
    const target = this.#resolve(typed);
    const note = notes.find(target);
    if (note === undefined) return this.#fail(`no note found for object ${target}.`);
    this.#print(this.#args.has('json') ? `${JSON.stringify([{ object: target, note }])}\n` : `${note}\n`);
    return 0;
  }

  show(): number {
    const [typed = 'HEAD'] = this.#expect(0, 1);
    const target = this.#resolve(typed);
    const note = this.#load('show').notes.find(target);
    if (note === undefined) return this.#fail(`no note found for object ${target}.`);
    this.#repository.context.stdout.write(this.#repository.objects.read(note).bytes);
    return 0;
  }

  add(): number {
    const [typed = 'HEAD'] = this.#expect(0, 1);
    const content = this.#gather();
    const target = this.#resolve(typed);
    const { notes, tip } = this.#load('add');
    const existing = notes.find(target);
    if (existing !== undefined && !this.#args.has('force')) {
      if (content.isGiven) return this.#fail(`cannot add notes. Found existing notes for object ${target}. Use '-f' to overwrite existing notes`);
      return this.change('edit');
    }
    if (existing !== undefined) this.#tell(`Overwriting existing notes for object ${target}`);
    return this.#store('add', target, this.#finish(content, existing, target), notes, tip);
  }

  /** append and edit. */
  change(verb: 'append' | 'edit'): number {
    const [typed = 'HEAD'] = this.#expect(0, 1);
    const content = this.#gather();
    const target = this.#resolve(typed);
    const { notes, tip } = this.#load(verb);
    if (verb === 'edit' && content.isGiven) this.#tell("The -m/-F/-c/-C options have been deprecated for the 'edit' subcommand.\nPlease use 'git notes add -f -m/-F/-c/-C' instead.");
    const existing = notes.find(target);
    let bytes = this.#finish(content, verb === 'edit' ? existing : undefined, target);
    if (verb === 'append' && existing !== undefined) {
      const before = this.#repository.objects.read(existing).bytes;
      bytes = Buffer.concat([before, Buffer.from(before.length > 0 && bytes.length > 0 ? '\n' : ''), bytes]);
    }
    return this.#store(verb, target, bytes, notes, tip);
  }

  #store(verb: string, target: ObjectId, bytes: Buffer, notes: NoteSet, tip: ObjectId | undefined): number {
    return whileNaming(this.#repository, () => {
      const isKept = bytes.length > 0 || this.#args.has('allow-empty');
      if (isKept) notes.set(target, this.#repository.objects.write('blob', bytes));
      else {
        this.#tell(`Removing note for object ${target}`);
        notes.remove(target);
      }
      this.#commit(notes, tip, `Notes ${isKept ? 'added' : 'removed'} by 'git notes ${verb}'`);
      return 0;
    });
  }

  copy(): number {
    const command = this.#args.value('for-rewrite');
    if (command !== undefined || this.#args.has('stdin')) {
      this.#expect(0, 0);
      return command === undefined ? this.#copyListed() : this.#copyRewritten(command);
    }
    const [fromTyped, toTyped = 'HEAD'] = this.#expect(1, 2);
    const [from, to] = [this.#resolve(fromTyped!), this.#resolve(toTyped)];
    const { notes, tip } = this.#load('copy');
    if (notes.find(to) !== undefined) {
      if (!this.#args.has('force')) return this.#fail(`cannot copy notes. Found existing notes for object ${to}. Use '-f' to overwrite existing notes`);
      this.#tell(`Overwriting existing notes for object ${to}`);
    }
    const note = notes.find(from);
    if (note === undefined) return this.#fail(`missing notes on source object ${from}. Cannot copy.`);
    notes.set(to, note);
    return whileNaming(this.#repository, () => {
      this.#commit(notes, tip, "Notes added by 'git notes copy'");
      return 0;
    });
  }

  #copyListed(): number {
    const { notes, tip } = this.#load('copy');
    let failed = false;
    for (const [from, to] of this.#listPairs()) {
      const [note, existing] = [notes.find(from), notes.find(to)];
      if (existing !== undefined && !this.#args.has('force')) {
        this.#tell(`error: failed to copy notes from '${from}' to '${to}'`);
        failed = true;
      } else if (note !== undefined) notes.set(to, note);
      else if (existing !== undefined) notes.remove(to);
    }
    whileNaming(this.#repository, () => { this.#commit(notes, tip, "Notes added by 'git notes copy'"); });
    return failed ? 1 : 0;
  }

  *#listPairs(): Generator<[from: ObjectId, to: ObjectId]> {
    for (const line of listLines(this.#repository.context.stdin)) {
      const words = line.split(' ');
      if (words.length < 2) throw new InvalidError(`malformed input line: '${line}'`, { code: 'bad-input' });
      yield [this.#resolve(words[0]!.trimEnd()), this.#resolve(words[1]!.trimEnd())];
    }
  }

  /** For every notes ref the configuration names, by notes.rewriteMode. */
  #copyRewritten(command: string): number {
    const repository = this.#repository;
    const { config, context: { env } } = repository;
    if (!config.getBoolean(`notes.rewrite.${command}`, true)) return 0;
    const mode = (env['GIT_NOTES_REWRITE_MODE'] ?? config.get('notes.rewritemode') ?? 'concatenate').toLowerCase();
    if (!['concatenate', 'overwrite', 'ignore', 'cat_sort_uniq'].includes(mode)) throw new InvalidError(`bad notes.rewriteMode value: '${mode}'`, { code: 'bad-config-value' });
    const patterns = env['GIT_NOTES_REWRITE_REF']?.split(':') ?? config.getAll('notes.rewriteref');
    const names = [...new Set(patterns.filter((pattern) => pattern !== '').flatMap((pattern) => (
      /[?*[]/.test(pattern) ? [...repository.refs.list('refs/')].map(({ name }) => name as string).filter((name) => wildmatch(pattern, name, {})) : [pattern])))];
    const pairs = names.length === 0 ? [] : [...this.#listPairs()];
    for (const name of names) {
      const { notes, tip } = this.#load('copy', name);
      whileNaming(repository, () => {
        for (const [from, to] of pairs) {
          const [note, existing] = [notes.find(from), notes.find(to)];
          if (note === undefined) continue;
          if (existing === undefined || existing === note || mode === 'overwrite') notes.set(to, note);
          else if (mode === 'concatenate') notes.set(to, concatenateNotes(repository, existing, note));
          else if (mode === 'cat_sort_uniq') notes.set(to, joinSortedLines(repository, existing, note));
        }
        this.#commit(notes, tip, "Notes added by 'git notes copy'", name);
      });
    }
    return 0;
  }

  remove(): number {
    const { notes, tip } = this.#load('remove');
    const typed = this.#args.positionals;
    const names = typed.length === 0 && !this.#args.has('stdin') ? ['HEAD'] : [...typed];
    if (this.#args.has('stdin')) names.push(...[...listLines(this.#repository.context.stdin)].map((line) => line.trimEnd()));
    let failed = false;
    for (const name of names) {
      const target = findNamed(this.#repository, name)?.id;
      if (target === undefined) {
        this.#tell(`error: failed to resolve '${name}' as a valid ref.`);
        failed = true;
      } else if (notes.remove(target)) this.#tell(`Removing note for object ${name}`);
      else {
        this.#tell(`Object ${name} has no note`);
        if (!this.#args.has('ignore-missing')) failed = true;
      }
    }
    if (!failed) whileNaming(this.#repository, () => { this.#commit(notes, tip, "Notes removed by 'git notes remove'"); });
    return failed ? 1 : 0;
  }

  prune(): number {
    this.#expect(0, 0);
    const { notes, tip } = this.#load('prune');
    const isDry = this.#args.has('dry-run');
    for (const [target] of notes.list()) {
      if (this.#repository.objects.has(target)) continue;
      if (isDry || this.#args.has('verbose')) this.#print(`${target}\n`);
      if (!isDry) notes.remove(target);
    }
    if (!isDry) whileNaming(this.#repository, () => { this.#commit(notes, tip, "Notes removed by 'git notes prune'"); });
    return 0;
  }

  merge(): number {
    const repository = this.#repository;
    const [typed] = this.#expect(1, 1);
    const { config, objects } = repository;
    const configured = config.get(`notes.${this.#ref.replace(/^refs\/notes\//, '')}.mergestrategy`) ?? config.get('notes.mergestrategy');
    const strategy = parseNoteMergeStrategy(this.#args.value('strategy') ?? configured ?? 'manual');
    const { notes, tip } = this.#load('merge');
    const found = findNamed(repository, typed!) ?? findNamed(repository, expandNotesRef(typed!));
    const remote = found === undefined ? undefined : peel(repository, found.id, 'commit');
    if (remote === undefined) {
      if (tip === undefined) throw new NotFoundError(`cannot merge empty notes ref (${typed}) into empty notes ref (${this.#ref})`, { code: 'no-notes' });
      return 0;
    }
    const remoteName = found === undefined ? typed! : findNamed(repository, typed!) === undefined ? expandNotesRef(typed!) : typed!;
    const message = `Merged notes from ${remoteName} into ${this.#ref}`;
    const say = (text: string): void => { if (!this.#args.has('quiet')) this.#print(text); };
    const base = tip === undefined ? undefined : mergeBases(repository, tip, [remote])[0];
    if (base === remote) {
      say('Already up to date.\n');
      return 0;
    }
    whileNaming(repository, () => {
      if (base === tip) {
        if (tip !== undefined) say('Fast-forward\n');
        updateRef(repository, { name: this.#ref, target: { id: remote }, expected: tip ?? 'absent', message: `notes: ${message}` });
        return;
      }
      const former = new NoteSet(objects, repository.format, base === undefined ? undefined : objects.readCommit(base).tree);
      for (const line of mergeNotes(repository, former, notes, new NoteSet(objects, repository.format, objects.readCommit(remote).tree), strategy)) say(`${line}\n`);
      this.#write(notes, [tip!, remote], tip, message, this.#ref);
    });
    return 0;
  }

  #load(verb: string, name = this.#ref): { notes: NoteSet; tip: ObjectId | undefined } {
    const { refs, objects, format } = this.#repository;
    if (!name.startsWith('refs/notes/')) throw new RefusedError(`refusing to ${verb} notes in ${name} (outside of refs/notes/)`, { code: 'not-a-notes-ref' });
    const tip = refs.find(name)?.id;
    const tree = tip === undefined ? undefined : peel(this.#repository, tip, 'tree');
    if (tip !== undefined && tree === undefined) throw new InvalidError(`'${name}' holds no notes`, { code: 'not-a-tree' });
    return { notes: new NoteSet(objects, format, tree), tip: tip === undefined ? undefined : peel(this.#repository, tip, 'commit') };
  }

  #commit(notes: NoteSet, tip: ObjectId | undefined, message: string, name = this.#ref): void {
    if (notes.isChanged) this.#write(notes, tip === undefined ? [] : [tip], tip, `${message}\n`, name);
  }

  #write(notes: NoteSet, parents: readonly ObjectId[], tip: ObjectId | undefined, message: string, name: string): void {
    const repository = this.#repository;
    const tree = notes.write();
    const id = repository.objects.write('commit', encodeCommit({
      tree, parents, author: authorIdent(repository), committer: committerIdent(repository), extraHeaders: [], message: Buffer.from(message),
    }));
    updateRef(repository, { name, target: { id }, expected: tip ?? 'absent', message: `notes: ${message.trimEnd()}` });
  }

  #resolve(typed: string): ObjectId {
    const found = findNamed(this.#repository, typed);
    if (found === undefined) throw new NotFoundError(`failed to resolve '${typed}' as a valid ref.`, { code: 'bad-revision' });
    return found.id;
  }

  #gather(): Content {
    let text: Buffer = Buffer.alloc(0);
    let [isGiven, edits] = [false, false];
    for (const token of this.#args.tokens) {
      if (token.kind !== 'option' || token.value === undefined) continue;
      isGiven = true;
      const start = text.length > 0 ? Buffer.concat([text, Buffer.from('\n')]) : text;
      if (token.name === 'message') text = stripped(Buffer.concat([start, Buffer.from(token.value)]));
      else if (token.name === 'file') text = stripped(Buffer.concat([start, this.#readFile(token.value)]));
      else {
        const { type, bytes } = this.#repository.objects.read(this.#resolve(token.value));
        if (type !== 'blob') throw new InvalidError(`cannot read note data from non-blob object '${token.value}'.`, { code: 'wrong-type' });
        text = Buffer.concat([start, bytes]);
        if (token.name === 'reedit-message') edits = true;
      }
    }
    return { bytes: text, isGiven, edits };
  }

  #readFile(typed: string): Buffer {
    const { context } = this.#repository;
    if (typed === '-') return readInput(context.stdin);
    try {
      return readFileSync(resolve(context.cwd, typed));
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw new NotFoundError(`could not open or read '${typed}'`, { code: 'no-file', cause: error });
      throw error;
    }
  }

  /** What was given, or what the editor made of it. */
  #finish({ bytes, isGiven, edits }: Content, existing: ObjectId | undefined, target: ObjectId): Buffer {
    if (isGiven && !edits) return bytes;
    const { config, context, gitDirectory, objects } = this.#repository;
    const path = join(gitDirectory, 'NOTES_EDITMSG');
    const before = isGiven ? bytes : existing === undefined ? Buffer.alloc(0) : objects.read(existing).bytes;
    const comment = commentCharacter(config.get('core.commentchar'), before.toString('latin1'));
    const explained = `\n${commentLines(`\nWrite/edit the notes for the following object:\n\n${objects.readHeader(target).type} ${target}\n`, comment)}`;
    replaceFile(path, Buffer.concat([before, Buffer.from(explained, 'latin1')]));
    editFile(context, config, path);
    const text = stripSpace(readFileSync(path, 'latin1'), comment);
    removeIfPresent(path);
    return Buffer.from(text, 'latin1');
  }

  /** The positional arguments, which must be so many. */
  #expect(least: number, most: number): string[] {
    const { positionals } = this.#args;
    if (positionals.length < least) throw new UsageError('too few arguments');
    if (positionals.length > most) throw new UsageError('too many arguments');
    return positionals;
  }

  #fail(text: string): number {
    this.#tell(`error: ${text}`);
    return 1;
  }

  #tell(text: string): void {
    this.#repository.context.stderr.write(`${text}\n`);
  }

  #print(text: string): void {
    this.#repository.context.stdout.write(Buffer.from(latin1(text), 'latin1'));
  }
}

function stripped(text: Buffer): Buffer {
  return Buffer.from(stripSpace(text.toString('latin1')), 'latin1');
}

/** 'x', 'notes/x' and 'refs/notes/x' are the same. */
function expandNotesRef(typed: string): string {
  if (typed.startsWith('refs/notes/')) return typed;
  return typed.startsWith('notes/') ? `refs/${typed}` : `refs/notes/${typed}`;
}
