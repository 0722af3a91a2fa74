// Names beside commits: ' (HEAD -> main, tag: v1, origin/main)'.
//
// Which refs count is decided by --decorate-refs and its like, and by log.excludeDecoration. Specified by --decorate of git-log(1).
import { type ObjectId, isObjectId } from '../../pack/oid.js';
import { readGrafts } from './grafts.js';
import type { Repository } from '../repository.js';
import { wildmatch } from '../wildmatch.js';

/** 'grafted': no ref, but a commit that is not what is stored. */
type Kind = 'head' | 'branch' | 'remote' | 'tag' | 'stash' | 'grafted' | 'other';

interface Decoration { readonly kind: Kind; readonly name: string }

/** Colours in git's words, by what a name is. */
const words: Readonly<Record<Kind, string>> = {
  head: 'bold cyan', branch: 'bold green', remote: 'bold red', tag: 'bold yellow', stash: 'bold magenta', grafted: 'bold blue', other: '',
};

const replaceBase = 'refs/replace/';

export interface DecorationOptions {
  /** Patterns of refs that count; these win over the configuration. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Without any pattern: every ref, not only branches, tags, remote-tracking ones and the stash. */
  readonly everything: boolean;
}

/** The names of all commits, read when first asked. */
export class Decorations {
  readonly #repository: Repository;
  readonly #options: DecorationOptions;
  readonly #configuredExcludes: readonly string[];
  #names: Map<ObjectId, Decoration[]> | undefined;
  #branch: string | undefined;

  constructor(repository: Repository, options: DecorationOptions = { include: [], exclude: [], everything: false }) {
    this.#repository = repository;
    const { config } = repository;
    this.#options = { ...options, everything: options.everything || config.get('log.initialdecorationset') === 'all' };
    this.#configuredExcludes = config.getAll('log.excludedecoration');
  }

  /** Full names of the refs at an object, in the order they are shown. */
  list(id: ObjectId): readonly Decoration[] {
    return (this.#names ??= this.#read()).get(id) ?? [];
  }

  /** Adds a name of the caller's own behind those of an object. */
  addName(id: ObjectId, name: string): void {
    const names = (this.#names ??= this.#read());
    names.set(id, [...names.get(id) ?? [], { kind: 'other', name }]);
  }

  #read(): Map<ObjectId, Decoration[]> {
    const names = new Map<ObjectId, Decoration[]>();
    const add = (id: ObjectId, decoration: Decoration): void => {
      const list = names.get(id);
      if (list === undefined) names.set(id, [decoration]);
      else list.unshift(decoration);
    };
    const { refs, objects } = this.#repository;
    for (const { name, id } of refs.list()) {
      if (!this.#isWanted(name)) continue;
      if (name.startsWith(replaceBase)) {
        const id = name.slice(replaceBase.length);
        if (isObjectId(id, objects.format) && objects.has(id)) add(id, { kind: 'grafted', name: 'replaced' });
        continue;
      }
      const decoration = { kind: kindOf(name), name };
      add(id, decoration);
      for (let at = id; objects.findHeader(at)?.type === 'tag';) {
        at = objects.readTag(at).object;
        add(at, { kind: 'tag', name });
      }
    }
    const head = refs.find('HEAD');
    if (head !== undefined && this.#isWanted('HEAD')) {
      add(head.id, { kind: 'head', name: 'HEAD' });
      this.#branch = refs.headBranch();
    }
    for (const id of readGrafts(this.#repository).keys()) add(id, { kind: 'grafted', name: 'grafted' });
    return names;
  }

  #isWanted(name: string): boolean {
    const { include, exclude, everything } = this.#options;
    const matches = (pattern: string): boolean => {
      const whole = pattern.startsWith('refs/') || pattern === 'HEAD' ? pattern : `refs/${pattern}`;
      return /[?*[]/.test(whole) ? wildmatch(whole, name, {}) : name === whole || name.startsWith(`${whole.replace(/\/$/, '')}/`);
    };
    if (exclude.some(matches)) return false;
    if (include.some(matches)) return true;
    if (this.#configuredExcludes.some(matches) || include.length > 0) return false;
    if (everything || exclude.length > 0 || this.#configuredExcludes.length > 0) return true;
    return name === 'HEAD' || name === 'refs/stash' || /^refs\/(heads|remotes|tags|replace)\//.test(name);
  }

  #colorOf(kind: Kind): string {
    const slot = kind === 'remote' ? 'remotebranch' : kind;
    return this.#repository.config.get(`color.decorate.${slot}`) ?? words[kind];
  }

  /** The names as text; 'wrapped' is ' (a, b)', 'plain' is 'a, b'. */
  format(id: ObjectId, style: 'wrapped' | 'plain', full: boolean, color?: (words: string) => string): string {
    const list = this.list(id);
    if (list.length === 0) return '';
    const paint = (text: string, wanted: string): string => {
      const start = color?.(wanted) ?? '';
      return start === '' && color === undefined ? text : `${start}${text}${color?.('reset') ?? ''}`;
    };
    const shown = (name: string): string => Buffer.from(full ? name : name.replace(/^refs\/(heads|tags|remotes)\//, '')).toString('latin1');
    const current = list.find(({ kind, name }) => kind === 'branch' && name === this.#branch && list.some((each) => each.kind === 'head'));
    const pieces = list.filter((each) => each !== current).map(({ kind, name }) => {
      if (kind === 'head' && current !== undefined) return `${paint('HEAD -> ', this.#colorOf('head'))}${paint(shown(current.name), this.#colorOf('branch'))}`;
      return paint(`${kind === 'tag' ? 'tag: ' : ''}${shown(name)}`, this.#colorOf(kind));
    });
    const [open, close] = style === 'wrapped' ? [' (', ')'] : ['', ''];
    const edge = (text: string): string => (text === '' ? '' : paint(text, this.#repository.config.get('color.diff.commit') ?? 'yellow'));
    return `${edge(open)}${pieces.join(edge(', '))}${edge(close)}`;
  }
}

function kindOf(name: string): Kind {
  if (name.startsWith('refs/heads/')) return 'branch';
  if (name.startsWith('refs/remotes/')) return 'remote';
  if (name.startsWith('refs/tags/')) return 'tag';
  return name === 'refs/stash' ? 'stash' : 'other';
}
