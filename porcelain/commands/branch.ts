// cairn branch: list branches, make, rename, copy and delete them, and say what they follow. The work is done in ../branch.ts.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NotFoundError, RefusedError, UsageError } from '../../pack/errors.js';
import { replaceFile } from '../../pack/disk.js';
import type { Arguments, Command, Context } from '../../plumbing/command.js';
import { displayWidth } from '../../plumbing/history/format.js';
import { commentCharacter, commentLines, stripSpace } from '../../plumbing/message.js';
import { RefContext, RefFormat, RefSubject } from '../../plumbing/refs/ref-format.js';
import { type RefName, encodeRefName } from '../../plumbing/refs/ref-name.js';
import { Repository } from '../../plumbing/repository.js';
import { expandBranchName } from '../../plumbing/history/revision.js';
import {
  type Tracking, createBranch, deleteBranches, parseBranchName, renameBranch, setDescription, setUpstream, shortBranch, unsetUpstream,
} from '../branch.js';
import { asksForListing, listingColor, listingColumns, listingOptions, printListing, selectRefs } from '../ref-listing.js';
import { readDetached } from '../status-report.js';
import { editFile } from '../terminal.js';

export const command: Command = {
  name: 'branch',
  family: 'cairn',
  summary: 'list, make, rename or delete branches',
  usage: [
    'branch [-v[v]] [-a | -r] [--list] [<options>] [<pattern>...]',
    'branch [-f] [--track[=direct|inherit] | --no-track] <name> [<start>]',
    'branch (-u <upstream> | --unset-upstream | --edit-description) [<name>]',
    'branch (-m | -M | -c | -C) [<old>] <new>',
    'branch (-d | -D) [-r] <name>...',
    'branch --show-current',
  ],
  options: [
    { name: 'verbose', short: 'v', negatable: true, help: 'show commit and subject; twice: what it follows, too' },
    { name: 'quiet', short: 'q', negatable: true, help: 'say nothing but errors' },
    { name: 'track', short: 't', value: 'mode', valueOptional: true, negatable: true, help: 'follow what it starts from (direct), or what that follows (inherit)' },
    { name: 'set-upstream-to', short: 'u', value: 'upstream', help: 'say what a branch follows' },
    { name: 'unset-upstream', negatable: true, help: 'it follows nothing any more' },
    { name: 'remotes', short: 'r', help: 'list or delete remote-tracking branches' },
    { name: 'all', short: 'a', help: 'list both kinds' },
    { name: 'abbrev', value: 'n', valueOptional: true, negatable: true, help: 'show so many digits of ids; --no-abbrev shows all' },
    { name: 'delete', short: 'd', negatable: true, help: 'delete branches that are merged' },
    { name: 'D', help: 'delete branches, merged or not' },
    { name: 'move', short: 'm', negatable: true, help: 'rename a branch' },
    { name: 'M', help: 'rename it even over another' },
    { name: 'copy', short: 'c', negatable: true, help: 'copy a branch with its log and settings' },
    { name: 'C', help: 'copy it even over another' },
    { name: 'list', short: 'l', negatable: true, help: 'list those that match the patterns' },
    { name: 'show-current', negatable: true, help: 'print the name of the current branch' },
    { name: 'create-reflog', negatable: true, help: 'keep a log of the new branch, whatever the configuration says' },
    { name: 'edit-description', negatable: true, help: 'edit what a branch is for' },
    { name: 'force', short: 'f', negatable: true, help: 'move a branch that exists; delete or rename regardless' },
    ...listingOptions,
    { name: 'json', help: 'list as JSON' },
  ],
  run(context, args) {
    const repository = Repository.open(context);
    const words = args.positionals;
    const actions = ['delete', 'D', 'move', 'M', 'copy', 'C', 'set-upstream-to', 'unset-upstream', 'edit-description', 'show-current', 'list']
      .filter((name) => args.has(name) || (name === 'set-upstream-to' && args.value(name) !== undefined));
    const kinds = new Set(actions.map((name) => ({ D: 'delete', M: 'move', C: 'copy' } as Readonly<Record<string, string>>)[name] ?? name));
    const [action] = kinds;
    if (kinds.size > 1) throw new UsageError(`--${[...kinds].join(' and --')} do not go together`);
    if (action === undefined && (words.length === 0 || asksForListing(args))) return list(context, repository, args);
    switch (action) {
      case 'list': return list(context, repository, args);
      case 'show-current': return showCurrent(context, repository);
      case 'delete': return remove(context, repository, args);
      case 'move': case 'copy': return rename(repository, args, action);
      case 'set-upstream-to': {
        setUpstream(repository, namedBranch(repository, words, 'set upstream of'), args.value('set-upstream-to')!, args.has('quiet'));
        return 0;
      }
      case 'unset-upstream': {
        unsetUpstream(repository, namedBranch(repository, words, 'unset upstream of'));
        return 0;
      }
      case 'edit-description': return editDescription(context, repository, namedBranch(repository, words, 'give a description to'));
      default: return create(repository, args);
    }
  },
};

// ---- listing

function list(context: Context, repository: Repository, args: Arguments): number {
  const showsLocal = !args.has('remotes') || args.has('all');
  const showsRemote = args.has('remotes') || args.has('all');
  const verbose = args.count('verbose');
  const columns = listingColumns(repository, args, 'branch');
  if (verbose > 0 && args.flag('column') === true) throw new UsageError("options '--column' and '--verbose' cannot be used together");
  const subjects = selectRefs(repository, args, {
    prefixes: [...(showsLocal ? ['refs/heads/'] : []), ...(showsRemote ? ['refs/remotes/'] : [])],
    sortKey: 'branch.sort',
    first: showsLocal ? detachedHead(repository) : undefined,
  }, args.positionals);
  if (args.has('json')) {
    context.stdout.write(`${JSON.stringify(subjects.map((subject) => describe(repository, subject)))}\n`);
    return 0;
  }
  const color = listingColor(context, repository, args, 'color.branch');
  const custom = args.value('format');
  const formats = custom === undefined ? new Formats(repository, args, subjects, showsLocal ? 'remotes/' : '', color) : undefined;
  const format = custom === undefined ? undefined : RefFormat.parse(custom, repository, { color });
  printListing(context, subjects.map((subject) => format?.format(subject) ?? formats!.format(subject)), verbose > 0 ? { ...columns, when: 'never' } : columns);
  return 0;
}

function describe(repository: Repository, { ref, context }: RefSubject): object {
  return {
    name: ref.name, commit: ref.id, current: ref.name === context.headBranch,
    ...(ref.symbolicTarget === undefined ? {} : { target: ref.symbolicTarget }),
    ...(ref.name.startsWith('refs/heads/') ? { upstream: repository.config.get(`branch.${shortBranch(ref.name)}.merge`) ?? null } : {}),
  };
}

/** HEAD when it is on no branch, under a name that says where it is. */
function detachedHead(repository: Repository): RefSubject | undefined {
  const head = repository.refs.findSymbolic('HEAD') === undefined ? repository.refs.find('HEAD') : undefined;
  if (head === undefined) return undefined;
  const name = describeDetached(repository, head.id) as RefName;
  return new RefSubject(new RefContext(repository, name), { name, id: head.id });
}

function describeDetached(repository: Repository, id: Parameters<typeof readDetached>[1]): string {
  const rebased = join(repository.gitDirectory, 'rebase-merge', 'head-name');
  if (existsSync(rebased)) return `(no branch, rebasing ${shortBranch(readFileSync(rebased, 'utf8').trim())})`;
  const bisected = join(repository.gitDirectory, 'BISECT_START');
  if (existsSync(join(repository.gitDirectory, 'BISECT_LOG')) && existsSync(bisected)) {
    return `(no branch, bisect started on ${shortBranch(readFileSync(bisected, 'utf8').trim())})`;
  }
  const detached = readDetached(repository, id);
  return detached === undefined ? '(no branch)' : `(HEAD detached ${detached.isAt ? 'at' : 'from'} ${detached.from})`;
}

/** How lines look unless a format was given: branches here, and remote-tracking ones. */
class Formats {
  readonly #local: RefFormat;
  readonly #remote: RefFormat;

  constructor(repository: Repository, args: Arguments, subjects: readonly RefSubject[], remotePrefix: string, color: (words: string) => string) {
    const { config } = repository;
    const paint = (slot: string, usual: string): string => `%(color:${config.get(`color.branch.${slot}`) ?? usual})`;
    const [current, elsewhere, plain, remote, upstream] = [
      paint('current', 'green'), paint('worktree', 'cyan'), paint('local', 'normal'), paint('remote', 'red'), paint('upstream', 'blue'),
    ];
    const reset = paint('reset', 'reset');
    const mark = `%(if)%(HEAD)%(then)* ${current}%(else)%(if)%(worktreepath)%(then)+ ${elsewhere}%(else)  ${plain}%(end)%(end)`;
    const name = '%(refname:lstrip=2)';
    const verbose = args.count('verbose');
    const parse = (text: string): RefFormat => RefFormat.parse(text, repository, { color });
    if (verbose === 0) {
      const target = `${reset}%(if)%(symref)%(then) -> %(symref:short)%(end)`;
      this.#local = parse(`${mark}${name}${target}`);
      this.#remote = parse(`  ${remote}${remotePrefix}${name}${target}`);
      return;
    }
    const width = Math.max(0, ...subjects.map(({ ref }) => {
      const isRemote = ref.name.startsWith('refs/remotes/');
      return displayWidth(encodeRefName(ref.name).replace(/^refs\/(?:heads|remotes)\//, '')) + (isRemote ? remotePrefix.length : 0);
    }));
    const id = shownId(args);
    const follows = verbose > 1
      ? `%(if:notequals=*)%(HEAD)%(then)%(if)%(worktreepath)%(then)(${elsewhere}%(worktreepath)${reset}) %(end)%(end)`
        + `%(if)%(upstream)%(then)[${upstream}%(upstream:short)${reset}%(if)%(upstream:track)%(then): %(upstream:track,nobracket)%(end)] %(end)`
      : '%(if)%(upstream:track)%(then)%(upstream:track) %(end)';
    this.#local = parse(`${mark}%(align:${width},left)${name}%(end)${reset} ${id} ${follows}%(contents:subject)`);
    this.#remote = parse(`  ${remote}%(align:${width},left)${remotePrefix}${name}%(end)${reset}`
      + `%(if)%(symref)%(then) -> %(symref:short)%(else) ${id} %(contents:subject)%(end)`);
  }

  format(subject: RefSubject): string {
    const { name } = subject.ref;
    if (name.startsWith('refs/remotes/')) return this.#remote.format(subject);
    if (name.startsWith('refs/')) return this.#local.format(subject);
    // A description is shown as it is, slashes and all.
    return this.#local.format(new RefSubject(new RefContext(subject.repository, `refs/heads/${name}` as RefName), { ...subject.ref, name: `refs/heads/${name}` as RefName }));
  }
}

function shownId(args: Arguments): string {
  const flag = args.flag('abbrev');
  const digits = args.value('abbrev');
  if (digits !== undefined && !/^[0-9]+$/.test(digits)) throw new UsageError("option 'abbrev' expects a numerical value");
  if (flag === false || digits === '0') return '%(objectname)';
  return digits === undefined ? '%(objectname:short)' : `%(objectname:short=${digits})`;
}

function showCurrent(context: Context, repository: Repository): number {
  const head = repository.refs.headBranch();
  if (head !== undefined) context.stdout.write(Buffer.from(`${encodeRefName(shortBranch(head))}\n`, 'latin1'));
  return 0;
}

// ---- changing

function create(repository: Repository, args: Arguments): number {
  const words = args.positionals;
  if (args.has('all') || args.has('remotes')) {
    throw new UsageError("-a and -r take no branch name; did you mean '-a|-r --list <pattern>'?");
  }
  if (words.length > 2) throw new UsageError('one name and one starting point at most');
  createBranch(repository, {
    name: words[0]!, start: words[1] ?? startingPoint(repository), force: args.has('force'), track: trackingOf(args),
    quiet: args.has('quiet'), createReflog: args.has('create-reflog'),
  });
  return 0;
}

/** Git writes down the current branch by its name. */
function startingPoint(repository: Repository): string {
  const head = repository.refs.headBranch();
  if (head !== undefined && repository.refs.find(head) === undefined) {
    throw new NotFoundError(`not a valid object name: '${shortBranch(head)}'`, { code: 'bad-revision', hint: 'there is no commit yet' });
  }
  return head === undefined ? 'HEAD' : shortBranch(head);
}

function trackingOf(args: Arguments): Tracking {
  const flag = args.flag('track');
  if (flag === undefined) return undefined;
  const mode = args.value('track') ?? 'direct';
  if (mode !== 'direct' && mode !== 'inherit') throw new UsageError("option '--track' expects \"direct\" or \"inherit\"");
  return flag ? mode : 'no';
}

function remove(context: Context, repository: Repository, args: Arguments): number {
  const names = args.positionals;
  if (names.length === 0) throw new UsageError('branch name required');
  const failures = deleteBranches(repository, names, {
    force: args.has('D') || args.has('force'), remote: args.has('remotes'), quiet: args.has('quiet'),
  });
  const last = failures.pop();
  for (const { message, hint } of failures) context.stderr.write(`error: ${message}\n${hint === undefined ? '' : `hint: ${hint}\n`}`);
  if (last !== undefined) throw last;
  return 0;
}

function rename(repository: Repository, args: Arguments, action: 'move' | 'copy'): number {
  const words = args.positionals;
  if (words.length === 0) throw new UsageError('branch name required');
  if (words.length > 2) throw new UsageError(`too many branches for a ${action === 'move' ? 'rename' : 'copy'} operation`);
  const head = repository.refs.headBranch();
  const [first, second] = words as [string, string | undefined];
  if (second === undefined && head === undefined) throw new RefusedError(`cannot ${action} the current branch while not on any`, { code: 'detached-head' });
  const from = second === undefined ? head! : `refs/heads/${expandBranchName(repository, first) ?? first}` as RefName;
  renameBranch(repository, {
    from, to: parseBranchName(repository, second ?? first), force: args.has('force') || args.has(action === 'move' ? 'M' : 'C'), copies: action === 'copy',
  });
  return 0;
}

function namedBranch(repository: Repository, words: readonly string[], what: string): RefName {
  if (words.length > 1) throw new UsageError(`too many arguments to ${what} a branch`);
  if (words[0] !== undefined) return parseBranchName(repository, words[0]);
  const head = repository.refs.headBranch();
  if (head === undefined) throw new RefusedError(`could not ${what} HEAD when it does not point to any branch`, { code: 'detached-head' });
  return head;
}

function editDescription(context: Context, repository: Repository, full: RefName): number {
  const name = shortBranch(full);
  if (repository.refs.find(full) === undefined) throw new NotFoundError(`no branch named '${name}'`, { code: 'no-branch' });
  const before = repository.config.find(`branch.${name}.description`)?.raw ?? '';
  const comment = commentCharacter(repository.config.get('core.commentchar'), before);
  const path = join(repository.gitDirectory, 'EDIT_DESCRIPTION');
  const explained = commentLines(`Please edit the description for the branch\n  ${encodeRefName(name)}\nLines starting with '${comment}' will be stripped.\n`, comment);
  replaceFile(path, Buffer.from(`${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${explained}`, 'latin1'));
  editFile(context, repository.config, path);
  setDescription(repository, full, stripSpace(readFileSync(path, 'latin1'), comment));
  return 0;
}
