// A hunk changed by hand in the person's editor, key e of the hunk chooser.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { disk, replaceFile } from '../../pack/disk.js';
import { InvalidError } from '../../pack/errors.js';
import { commentCharacter } from '../../plumbing/message.js';
import type { Repository } from '../../plumbing/repository.js';
import { editFile } from '../terminal.js';
import { type Hunk, formatHunk } from './file-patch.js';

/** The hunk as the person leaves it, its place kept; undefined when nothing was left, or no editor would do. */
export function editHunk(repository: Repository, hunk: Hunk, direction: 'forward' | 'back'): Hunk | undefined {
  const { context, config, gitDirectory } = repository;
  const path = join(gitDirectory, 'addp-hunk-edit.diff');
  const comment = commentCharacter(config.get('core.commentchar'), '');
  const [stays, goes] = direction === 'back' ? ['+', '-'] : ['-', '+'];
  const guide = [
    '---', `To keep what a line beginning with '${stays}' has, put a blank in the place of the sign.`, `A line beginning with '${goes}' is left out by deleting it.`,
    `Lines beginning with ${comment} are not part of the hunk. With no line left, the hunk stays as it was.`,
  ];
  const text = `${comment} This is the hunk as it stands; what it is to be is up to you.\n${formatHunk(hunk)}${guide.map((line) => `${comment} ${line}\n`).join('')}`;
  replaceFile(path, Buffer.from(text, 'latin1'));
  try {
    editFile(context, config, path);
  } catch (error) {
    if (!(error instanceof InvalidError)) throw error;
    context.stderr.write(`error: ${error.message}\n`);
    return undefined;
  }
  const edited = readFileSync(path, 'latin1');
  disk().unlink(path);
  const lines = (edited.match(/[^\n]*\n|[^\n]+$/g) ?? []).filter((line) => !line.startsWith(comment)).map((line) => (line.endsWith('\n') ? line : `${line}\n`));
  const isPlaced = lines[0]?.startsWith('@@ ') === true;
  const body = isPlaced ? lines.slice(1) : lines;
  if (body.length === 0) return undefined;
  const joined: string[] = [];
  for (const line of body) {
    if (line.startsWith('\\') && joined.length > 0) joined.push(joined.pop()! + line);
    else joined.push(line);
  }
  return { ...hunk, lines: joined };
}

/** Every line begins as lines of hunks do. */
export function isWellFormed({ lines }: Hunk): boolean {
  return lines.every((line) => /^[-+ \n]/.test(line));
}
