// Notes: text attached to commits afterwards, without changing them. A notes ref names a commit whose tree has a file for each
// annotated object, named by its id, cut into directories of two digits where there are many.
//
// Reading only. Which refs count is told by core.notesRef, notes.displayRef, GIT_NOTES_REF and GIT_NOTES_DISPLAY_REF. Specified by
// git-notes(1). A ref that is missing has no notes; a tree deeper than an id has digits is not followed.
import type { ObjectId } from '../../pack/oid.js';
import { isTreeMode } from '../../pack/tree.js';
import type { Arguments, OptionSpec } from '../command.js';
import type { Repository } from '../repository.js';
import { peel } from './revision.js';
import { wildmatch } from '../wildmatch.js';

const standardRef = 'refs/notes/commits';

export interface NotesChoice {
  /** Further refs or patterns, 'refs/notes/' may be left out. */
  readonly extra: readonly string[];
  /** The configured refs, or the standard one; default when there are no further ones. */
  readonly standard?: boolean;
}

export const notesOptions: readonly OptionSpec[] = [
  { name: 'notes', value: 'ref', valueOptional: true, negatable: true, help: 'show notes, of the standard ref or another one (shown without a format by default)' },
  { name: 'show-notes', value: 'ref', valueOptional: true, help: 'same as --notes, for old scripts: another ref is shown besides the standard one' },
  { name: 'standard-notes', negatable: true, help: 'for old scripts: show what is shown of the standard ref, too' },
];

/** What the options say; `isWanted` is undefined where it depends on the format. */
export function parseNotesChoice(args: Arguments): { readonly choice: NotesChoice | undefined; readonly isWanted: boolean | undefined } {
  let standard: boolean | undefined;
  let extra: string[] = [];
  let isWanted: boolean | undefined;
  for (const token of args.tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'standard-notes') {
      standard = !token.negated;
      if (standard) isWanted ??= false;
    } else if (token.name === 'notes' && token.negated) [standard, extra, isWanted] = [undefined, [], false];
    else if (token.name === 'notes' || token.name === 'show-notes') {
      if (token.value === undefined) standard = true;
      else extra.push(token.value);
      if (token.name === 'show-notes') standard ??= true;
      isWanted = true;
    }
  }
  const choice = standard === undefined && extra.length === 0 ? undefined : { extra, ...(standard === undefined ? {} : { standard }) };
  return { choice, isWanted };
}

/** The notes of all commits, from several refs. */
export class Notes {
  readonly #repository: Repository;
  readonly #sources: readonly { readonly title: string; readonly tree: ObjectId }[];

  constructor(repository: Repository, choice: NotesChoice = { extra: [] }) {
    this.#repository = repository;
    this.#sources = refsOf(repository, choice).flatMap((name) => {
      const ref = repository.refs.find(name);
      const tree = ref === undefined ? undefined : peel(repository, ref.id, 'tree');
      const title = name === standardRef ? 'Notes:' : `Notes (${Buffer.from(name.replace(/^refs\/(notes\/)?/, '')).toString('latin1')}):`;
      return tree === undefined ? [] : [{ title, tree }];
    });
  }

  /** There is nothing to be found. */
  get isEmpty(): boolean {
    return this.#sources.length === 0;
  }

  /** The notes of `id` as latin1 bytes, each with a title and four columns in; `raw`: neither. */
  format(id: ObjectId, raw: boolean): string {
    let text = '';
    for (const { title, tree } of this.#sources) {
      const note = this.#find(tree, id);
      if (note === undefined) continue;
      const lines = note.replace(/\n$/, '').split('\n');
      if (!raw) text += `\n${title}\n`;
      for (const line of lines) text += `${raw ? '' : '    '}${line}\n`;
    }
    return text;
  }

  #find(tree: ObjectId, id: ObjectId): string | undefined {
    const { objects } = this.#repository;
    let at = tree;
    for (let rest: string = id; rest !== '';) {
      const entries = objects.readTree(at);
      const whole = entries.find(({ name, mode }) => name === rest && !isTreeMode(mode));
      if (whole !== undefined) return objects.read(whole.id).bytes.toString('latin1');
      const below = entries.find(({ name, mode }) => isTreeMode(mode) && name.length === 2 && rest.startsWith(name));
      if (below === undefined) return undefined;
      at = below.id;
      rest = rest.slice(2);
    }
    return undefined;
  }
}

function refsOf(repository: Repository, { extra, standard }: NotesChoice): string[] {
  const { config, context: { env } } = repository;
  const names: string[] = [];
  const addPattern = (pattern: string): void => {
    if (!/[?*[]/.test(pattern)) names.push(pattern);
    else for (const { name } of repository.refs.list('refs/')) if (wildmatch(pattern, name, {})) names.push(name);
  };
  if (standard ?? extra.length === 0) {
    names.push(env['GIT_NOTES_REF'] ?? config.get('core.notesref') ?? standardRef);
    const shown = env['GIT_NOTES_DISPLAY_REF'];
    for (const pattern of shown === undefined ? config.getAll('notes.displayref') : shown.split(':')) if (pattern !== '') addPattern(pattern);
  }
  for (const typed of extra) addPattern(typed.startsWith('refs/') ? typed : `refs/notes/${typed.replace(/^notes\//, '')}`);
  return [...new Set(names)];
}
