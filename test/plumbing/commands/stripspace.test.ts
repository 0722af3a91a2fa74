import test from 'ava';
import { type Case, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

test('stripspace cleans and comments as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const texts = ['', '\n', ' \n\t\n', 'a', 'a \n\n\n\n b\t\r\n# c\n\n; d\n\n', '\n\n# only\n', '\tx\n\ny\f \nz\v', '#\n', 'a\0b \n'];
  const cases: Case[] = texts.flatMap((stdin) => [[], ['-s'], ['--strip-comments'], ['-c'], ['--comment-lines']].flatMap((options) => [
    { argv: ['stripspace', ...options], stdin, readsOnly: true },
    { argv: ['-c', 'core.commentChar=;', 'stripspace', ...options], stdin, readsOnly: true },
  ]));
  cases.push(
    { argv: ['stripspace', '-s', '-c'], readsOnly: true },
    { argv: ['stripspace', 'file'], readsOnly: true },
    { argv: ['-c', 'core.commentChar=xy', 'stripspace', '-s'], readsOnly: true },
    { argv: ['-c', 'core.commentChar=auto', 'stripspace', '-s'], stdin: '# a\n', readsOnly: true },
  );
  await compareWithGit(t, makeRepository(t, 'sha1', ':'), cases);
});
