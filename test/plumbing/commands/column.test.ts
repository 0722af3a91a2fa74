import test from 'ava';
import { type Case, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

const numbers = Array.from({ length: 30 }, (_, at) => `${at + 1}\n`).join('').replaceAll('5', 'fifteen');

test('column lays out as git does, with every mode and look', async (t) => {
  if (skipWithoutGit(t)) return;
  const cases: Case[] = [];
  for (const mode of ['always', 'never', 'auto', 'column', 'row', 'plain', 'dense', 'column,dense', 'row,dense', 'row nodense', 'row,never', 'bogus', '']) {
    for (const look of [[], ['--width=40'], ['--width=30', '--padding=3', '--indent=>> ', '--nl=|\n'], ['--width=3']]) {
      cases.push({ argv: ['column', `--mode=${mode}`, ...look], stdin: numbers, readsOnly: true });
    }
  }
  for (const raw of ['0', '16', '17', '31', '144', '145']) cases.push({ argv: ['column', `--raw-mode=${raw}`, '--width=33'], stdin: numbers, readsOnly: true });
  await compareWithGit(t, makeRepository(t, 'sha1', ':'), cases);
});

test('column reads column.ui and column.<name> as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const cases: Case[] = ['always', 'row', 'column,never', 'auto', 'bogus'].flatMap((ui) => [['column'], ['column', '--command=foo'], ['column', '--no-mode']]
    .map((argv): Case => ({ argv: ['-c', `column.ui=${ui}`, '-c', 'column.foo=dense', ...argv], stdin: numbers, env: { COLUMNS: '50' }, readsOnly: true })));
  cases.push(
    { argv: ['column', '--width=9', '--command=foo'], stdin: 'a\n', readsOnly: true },
    { argv: ['-c', 'column.ui', 'column'], stdin: 'a\n', readsOnly: true },
    { argv: ['column', 'x'], stdin: 'a\n', readsOnly: true },
    { argv: ['column', '--mode=row'], readsOnly: true },
    { argv: ['column', '--mode=row', '--width=20'], stdin: '\u001b[31mred\u001b[m\nünï\r\nb\nlong text', readsOnly: true },
  );
  await compareWithGit(t, makeRepository(t, 'sha1', ':'), cases);
});
