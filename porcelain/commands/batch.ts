// cairn batch: many commands in one process. Each runs as it would in a process of its own: it opens the repository, reads configuration,
// index and refs anew, and what it fails at does not touch the next.
import { CairnError, UsageError } from '../../pack/errors.js';
import type { Command, Context } from '../../plumbing/command.js';
import { escapeControls } from '../../plumbing/quote.js';
import { AnswerStream } from '../answer-stream.js';
import { run } from '../main.js';
import { type Request, RequestStream } from '../request-stream.js';

export const command: Command = {
  name: 'batch',
  family: 'cairn',
  summary: 'run commands read from standard input, all in one process',
  usage: ['batch [-z]'],
  options: [{ name: 'z', help: 'words are counted and end in NUL instead of being quoted in lines' }],
  async run(context, args) {
    if (args.positionals.length > 0) throw new UsageError(`unexpected argument '${args.positionals[0]}'`);
    const requests = new RequestStream(context.stdin, args.has('z'));
    const answers = new AnswerStream(context.stdout);
    const shared = { ...context, cwd: context.cwd, env: { ...context.env }, stdout: answers.stdout, stderr: answers.stderr };
    for (;;) {
      let request: Request | undefined;
      try {
        request = requests.next();
        if (request === undefined) return 0;
        const exitCode = await runOne(shared, request);
        request.input.skip();
        answers.end(exitCode);
      } catch (error) {
        if (!(error instanceof CairnError)) throw error;
        // Where the next request begins is not known.
        answers.stderr.write(`fatal: ${escapeControls(error.message)}\n`);
        answers.end(wrongRequest);
        return wrongRequest;
      }
    }
  },
};

const wrongRequest = 129;
/** An editor would read the requests and print between the answers. */
const noEditor = "echo 'no editor can be used in a batch' >&2; false";

async function runOne(shared: Context, { words, env, input }: Request): Promise<number> {
  const { pid, uid, program } = shared.process;
  const opened: (() => void)[] = [];
  const context: Context = {
    ...shared,
    env: { ...shared.env, ...env, GIT_EDITOR: noEditor },
    stdin: input,
    // The process's own directory belongs to all commands.
    process: { pid, uid, get host() { return shared.process.host; }, ...(program === undefined ? {} : { program }) },
    atEnd: (release) => { opened.push(release); },
  };
  try {
    return await run(context, words);
  } finally {
    for (const release of opened) release();
  }
}
