// The text of a commit or tag: how it is cleaned up before it is stored, and when it counts as empty (git-commit(1) "--cleanup",
// git-stripspace(1)). Texts are latin1: one character per byte, whatever their encoding. Nothing here touches a disk.
import { InvalidError } from '../pack/errors.js';

export const cleanupModes = ['strip', 'whitespace', 'verbatim', 'scissors', 'default'] as const;
export type CleanupMode = (typeof cleanupModes)[number];

/** `text` as a mode; InvalidError (code 'bad-cleanup-mode') when it is none. */
export function parseCleanupMode(text: string): CleanupMode {
  const mode = cleanupModes.find((known) => known === text);
  if (mode === undefined) throw new InvalidError(`invalid cleanup mode '${text}'`, { code: 'bad-cleanup-mode' });
  return mode;
}

/** Whitespace at line ends and empty lines at both ends go, several empty lines become one; with `comment`, so do lines beginning with it. */
export function stripSpace(text: string, comment?: string): string {
  const kept: string[] = [];
  let isBlankPending = false;
  for (const line of text.split('\n')) {
    if (comment !== undefined && line.startsWith(comment)) continue;
    const trimmed = line.replace(/[ \t\r]+$/, '');
    if (trimmed === '') {
      isBlankPending = kept.length > 0;
      continue;
    }
    if (isBlankPending) kept.push('');
    isBlankPending = false;
    kept.push(trimmed);
  }
  return kept.length === 0 ? '' : kept.join('\n') + '\n';
}

/** Every line as a comment: after the comment character and a space, but for lines that are empty or begin with a tab just the character. */
export function commentLines(text: string, comment: string): string {
  if (text === '') return '';
  return text.replace(/\n$/, '').split('\n').map((line) => `${comment}${line === '' || line.startsWith('\t') ? '' : ' '}${line}\n`).join('');
}

/** The line below which, in mode 'scissors', nothing counts. */
export function scissorsLine(comment: string): string {
  return `${comment} ------------------------ >8 ------------------------`;
}

/** The message as it is stored. `edited`: a person had it in an editor, so comment lines are ours, not theirs. */
export function cleanUpMessage(text: string, mode: CleanupMode, comment: string, edited: boolean): string {
  switch (mode) {
    case 'verbatim': return text;
    case 'whitespace': return stripSpace(text);
    case 'strip': return stripSpace(text, comment);
    case 'default': return stripSpace(text, edited ? comment : undefined);
    case 'scissors': return stripSpace(edited ? cutAtScissors(text, comment) : text);
  }
}

function cutAtScissors(text: string, comment: string): string {
  const line = scissorsLine(comment);
  if (text.startsWith(line + '\n')) return '';
  const at = text.indexOf(`\n${line}\n`);
  return at < 0 ? text : text.slice(0, at + 1);
}

const signOffPrefix = 'Signed-off-by: ';

/** True when the message says nothing: only whitespace and sign-offs. */
export function isEmptyMessage(text: string): boolean {
  return text.split('\n').every((line) => line.trim() === '' || line.startsWith(signOffPrefix));
}

/** The first paragraph on one line. */
export function subjectOf(message: string): string {
  const lines = message.replace(/^(?:[ \t]*\n)+/, '').split('\n');
  const end = lines.findIndex((line) => line.trim() === '');
  return lines.slice(0, end < 0 ? undefined : end).map((line) => line.trimEnd()).join(' ');
}

/** The character that begins comment lines (core.commentChar); 'auto' chooses one no line of the message begins with. */
export function commentCharacter(configured: string | undefined, message: string): string {
  if (configured === undefined || configured === '') return '#';
  if (configured.toLowerCase() !== 'auto') return Buffer.from(configured).toString('latin1').slice(0, 1);
  const taken = new Set(message.split('\n').map((line) => line.charAt(0)));
  return [...'#;@!$%^&|:'].find((character) => !taken.has(character)) ?? '#';
}
