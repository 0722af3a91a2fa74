// What cherry-pick, revert and rebase tell with --json: one object about where it began, where it ended and what is in the way. What the
// command would have said on standard output is left out; whatever goes wrong is told as for every command. See cairn-json(5).
import { Arguments, type Context, type Output } from '../../plumbing/command.js';
import { readIndex } from '../../plumbing/index/index-file.js';
import { Repository } from '../../plumbing/repository.js';

/** Runs a command without its standard output, and prints what came of it; returns the command's exit code. */
export function runForJson(context: Context, args: Arguments, run: (repository: Repository, args: Arguments) => number): number {
  const before = Repository.open(context).refs.find('HEAD')?.id ?? null;
  const isOption = ({ kind, name }: { readonly kind: string; readonly name?: string }): boolean => kind === 'option' && name === 'json';
  const others = new Arguments(args.argv.filter((word) => word !== '--json'), args.tokens.filter((token) => !isOption(token)));
  const silent: Output = { isTerminal: false, columns: context.stdout.columns, write: () => undefined, flush: () => undefined };
  const code = run(Repository.open({ ...context, stdout: silent }), others);
  const repository = Repository.open(context);
  const stopped = ['CHERRY_PICK_HEAD', 'REVERT_HEAD', 'REBASE_HEAD'].map((name) => repository.refs.find(name)?.id).find((id) => id !== undefined);
  const conflicts = new Set(readIndex(repository).entries.filter(({ stage }) => stage > 0).map(({ path }) => Buffer.from(path, 'latin1').toString()));
  context.stdout.write(`${JSON.stringify({
    result: code === 0 ? 'done' : 'stopped', before, head: repository.refs.find('HEAD')?.id ?? null, branch: repository.refs.headBranch() ?? null,
    stopped: code === 0 ? null : stopped ?? null, conflicts: [...conflicts],
  })}\n`);
  return code;
}
