// cairn verify: read everything back and tell what is damaged or missing.
import { UsageError } from '../../pack/errors.js';
import type { Arguments, Command } from '../../plumbing/command.js';
import { Repository } from '../../plumbing/repository.js';
import type { DataPart } from '../integrity/stored-copies.js';
import { type VerificationPhase, verifyRepository } from '../integrity/verification.js';
import { findingToJson, formatFinding } from '../integrity/finding.js';
import { Progress, formatSize } from '../terminal.js';

const everything: DataPart = { number: 1, of: 1 };
const titles: Readonly<Record<VerificationPhase, string>> = { reading: 'Reading objects', following: 'Following objects' };

export const command: Command = {
  name: 'verify',
  family: 'cairn',
  summary: 'read everything back and tell what is damaged or missing',
  usage: ['verify [--read-data[=<n>/<m>] | --no-read-data] [--json] [-q]'],
  options: [
    { name: 'read-data', value: 'n/m', valueOptional: true, negatable: true, help: 'read every stored byte (the default), or the n-th of m parts' },
    { name: 'json', help: 'print the report as JSON' },
    { name: 'quiet', short: 'q', help: 'print only what is wrong' },
  ],
  run(context, args) {
    if (args.positionals.length > 0) throw new UsageError('no arguments are taken');
    const part = parsePart(args);
    const repository = Repository.open(context);
    let phase: VerificationPhase | undefined;
    let progress: Progress | undefined;
    const report = verifyRepository(repository, {
      part,
      onProgress: (now, done) => {
        if (args.has('quiet') || args.has('json')) return;
        if (now !== phase) {
          progress?.[Symbol.dispose]();
          progress = new Progress(context, titles[now]);
          phase = now;
        }
        progress!.update(done);
      },
    });
    progress?.[Symbol.dispose]();
    const { findings, copies, needed, roots } = report;
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    if (args.has('json')) {
      context.stdout.write(`${JSON.stringify({
        ok: errors === 0, data: part === undefined ? null : `${part.number}/${part.of}`, roots, needed: needed.size, ...copies, findings: findings.map(findingToJson),
      })}\n`);
      return errors === 0 ? 0 : 6;
    }
    for (const finding of findings) context.stdout.write(formatFinding(finding));
    if (!args.has('quiet')) {
      const read = part === undefined ? 'no data read' : `${copies.objects} stored objects (${formatSize(copies.bytes)}) read${part.of === 1 ? '' : `, part ${part.number} of ${part.of}`}`;
      context.stdout.write(`${needed.size} objects needed by ${roots} roots, ${read}: ${errors === 0 ? 'nothing is damaged or missing' : `${errors} ${errors === 1 ? 'thing is' : 'things are'} wrong`}\n`);
    }
    if (errors > 0) context.stderr.write("hint: see 'cairn repair', which takes what is damaged or missing from another copy\n");
    return errors === 0 ? 0 : 6;
  },
};

function parsePart(args: Arguments): DataPart | undefined {
  if (args.flag('read-data') === false) return undefined;
  const text = args.value('read-data');
  if (text === undefined) return everything;
  const [, number, of] = /^([1-9][0-9]{0,5})\/([1-9][0-9]{0,5})$/.exec(text) ?? [];
  if (number === undefined || Number(number) > Number(of)) throw new UsageError(`'${text}' is not a part, like 1/7`);
  return { number: Number(number), of: Number(of) };
}
