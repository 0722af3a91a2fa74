// cairn get-tar-commit-id: the commit an archive was made from, as its first header tells (git-get-tar-commit-id(1)).
import { InvalidError, UsageError } from '../../pack/errors.js';
import type { Command } from '../command.js';
import { listChunks } from '../line-reader.js';

/** The first header and what it holds: two blocks of 512 bytes. */
const headerBytes = 1024;
const typeAt = 156;

export const command: Command = {
  name: 'get-tar-commit-id',
  family: 'git',
  summary: 'tell the commit a tar archive was made from',
  usage: ['get-tar-commit-id < <archive>'],
  options: [],
  run(context, args) {
    if (args.argv.length > 0) throw new UsageError('no arguments are taken');
    const pieces: Buffer[] = [];
    let got = 0;
    for (const chunk of listChunks(context.stdin)) {
      pieces.push(chunk);
      got += chunk.length;
      if (got >= headerBytes) break;
    }
    if (got < headerBytes) throw new InvalidError('the input ends before its tar header does', { code: 'bad-archive' });
    const header = Buffer.concat(pieces).toString('latin1', 0, headerBytes);
    if (header[typeAt] !== 'g') return 1;
    const found = /^\s*([0-9]+) comment=([0-9a-f]*)/.exec(header.slice(512));
    if (found === null) return 1;
    const length = Number(found[1]) - `${found[1]} comment=`.length;
    if (length !== 41 && length !== 65) return 1;
    context.stdout.write(Buffer.from(header.slice(512).slice(found[0].length - found[2]!.length).slice(0, length), 'latin1'));
    return 0;
  },
};
