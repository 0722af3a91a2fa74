// merge-one-file: the merge of one path, as merge-index asks for it. See git-merge-one-file(1).
import { CairnError, InvalidError } from '../../pack/errors.js';
import { parseObjectId } from '../../pack/oid.js';
import type { Arguments, Command, Context } from '../command.js';
import { type VersionOfFile, mergeOneFile } from '../merge/merge-one-file.js';
import { Repository } from '../repository.js';

export const command: Command = {
  name: 'merge-one-file',
  family: 'git',
  summary: 'merge one file that is unmerged in the index',
  usage: ['merge-one-file <orig id> <our id> <their id> <path> <orig mode> <our mode> <their mode>'],
  options: [],
  rawArguments: true,
  run(context: Context, args: Arguments): number {
    // Whatever is wrong is one thing to merge-index: the path is not merged.
    if (args.argv.length !== 7) {
      context.stderr.write('error: seven arguments are needed: three ids, a path, three modes\n');
      return 1;
    }
    const repository = Repository.open(context);
    const version = (at: number): VersionOfFile | undefined => {
      const [id, mode] = [args.argv[at]!, args.argv[at + 4]!];
      if (id === '') return undefined;
      if (!/^[0-7]+$/.test(mode)) throw new InvalidError(`'${mode}' is no mode`, { code: 'bad-mode' });
      return { id: parseObjectId(id, repository.format), mode: Number.parseInt(mode, 8) };
    };
    try {
      repository.requireWorkTree();
      const [base, ours, theirs] = [version(0), version(1), version(2)];
      return mergeOneFile(repository, {
        path: Buffer.from(args.argv[3]!).toString('latin1'), ...(base && { base }), ...(ours && { ours }), ...(theirs && { theirs }),
      });
    } catch (error) {
      if (!(error instanceof CairnError)) throw error;
      context.stderr.write(`error: ${error.message}\n`);
      return 1;
    }
  },
};
