import test from 'ava';
import { useKernels } from '../../../pack/kernels/kernel.js';
import { CommitQueue } from '../../../plumbing/history/commit-queue.js';
import { messageOf, subjectOf } from '../../../plumbing/history/format.js';
import { HeldContents } from '../../../plumbing/history/held-contents.js';
import { OutputPage } from '../../../plumbing/output-page.js';
import { findPlainSubject } from '../../../plumbing/history/plain-subject.js';
import { decodeCommit } from '../../../pack/commit.js';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { seededRandom } from '../../helpers/sandbox.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

test('the newest commit comes first, and of equally old ones the one that came first', (t) => {
  const random = seededRandom(3);
  const queue = new CommitQueue();
  const waiting: { commit: number; time: number }[] = [];
  for (let commit = 0; commit < 3000; commit += 1) {
    const time = Math.floor(random() * 50);
    queue.push(commit, time);
    waiting.push({ commit, time });
    if (random() < 0.3) {
      waiting.sort((a, b) => b.time - a.time || a.commit - b.commit);
      t.is(queue.peek(), waiting[0]!.commit);
      t.is(queue.pop(), waiting.shift()!.commit);
    }
  }
  t.deepEqual([...queue.waiting()].sort((a, b) => a - b), waiting.map(({ commit }) => commit).sort((a, b) => a - b));
  waiting.sort((a, b) => b.time - a.time || a.commit - b.commit);
  for (const { commit } of waiting) t.is(queue.pop(), commit);
  t.is(queue.pop(), -1);
});

test('contents are what was kept until they are let go, and their memory is used again', (t) => {
  const random = seededRandom(4);
  const held = new HeldContents();
  const kept = new Map<number, Buffer>();
  for (let number = 0; number < 3000; number += 1) {
    const content = Buffer.alloc(Math.floor(random() ** 4 * 100_000), number);
    held.keep(number, Buffer.concat([Buffer.from('x'), content]), 1, content.length + 1);
    kept.set(number, content);
    while (kept.size > 20) {
      const gone = [...kept.keys()][Math.floor(random() * kept.size)]!;
      t.true(held.get(gone)!.equals(kept.get(gone)!));
      held.letGo(gone);
      kept.delete(gone);
      t.false(held.has(gone));
    }
  }
});

test('a page gives out what was put in, in that order', (t) => {
  const random = seededRandom(5);
  const pieces: Buffer[] = [];
  const page = new OutputPage({ write: (bytes) => { pieces.push(Buffer.from(bytes)); } });
  let expected = '';
  for (let round = 0; round < 2000; round += 1) {
    const text = String.fromCharCode(round % 256).repeat(Math.floor(random() ** 8 * 200_000));
    const id = Buffer.alloc(20, round);
    const digits = 1 + Math.floor(random() * 40);
    expected += `${text}${id.toString('hex').slice(0, digits)}\n`;
    if (round % 2 === 0) page.text(text);
    else page.span(Buffer.from(` ${text} `, 'latin1'), 1, text.length + 1);
    page.id(id, 0, digits);
    page.byte(0x0a);
  }
  page.flush();
  t.true(Buffer.concat(pieces).equals(Buffer.from(expected, 'latin1')));
});

test('a subject that is plain to see is the one that is shown', (t) => {
  const random = seededRandom(6);
  const parts = ['a', 'subject', ' ', '\n', '\n\n', '\t', 'é', '\x7f', '\0', '\v', 'encoding'];
  let plain = 0;
  for (let round = 0; round < 5000; round += 1) {
    const message = Array.from({ length: Math.floor(random() * 8) }, () => parts[Math.floor(random() ** 2 * parts.length)]!).join('') + (random() < 0.8 ? '\n' : '');
    const encoding = random() < 0.2 ? 'encoding ISO-8859-1\n' : '';
    const bytes = Buffer.from(`tree ${'0'.repeat(40)}\nauthor A <a> 5 +0000\ncommitter C <c> 6 +0100\n${encoding}\n${message}`);
    const found = findPlainSubject(bytes, 0, bytes.length, true);
    if (found === undefined) continue;
    plain += 1;
    t.is(bytes.toString('latin1', found.start, found.end), subjectOf(messageOf(decodeCommit(bytes, 'sha1'))), JSON.stringify(message));
  }
  t.true(plain > 500, `${plain} were plain`);
});

/** Commits packed and loose, one with a message of megabytes, some in forms few write. */
const oddHistory = `
  for at in 1 2 3; do git commit -q --allow-empty -m "packed $at"; done
  head -c 3000000 /dev/zero | tr '\\0' m | git commit -q --allow-empty -F -
  git commit -q --allow-empty -m folded -m body
  printf 'two lines\\nof subject\\n' | git commit -q --allow-empty -F -
  git repack -adq
  git commit -q --allow-empty -m 'loose é'
  printf 'latin \\351\\n' | git -c i18n.commitEncoding=ISO-8859-1 commit -q --allow-empty -F -
  git commit -q --allow-empty --allow-empty-message -m ''
  git tag old HEAD~7
  git commit -q --allow-empty -m last`;

const walks = [
  ['log', '--oneline'], ['log', '--oneline', '--encoding=ISO-8859-1'], ['log', '--oneline', '--author=nobody'], ['log', '--oneline', '-z'], ['log', '--oneline', '--graph'],
  ['log', '--oneline', '--skip=2', '-n5'], ['log', '--format=%h %s'], ['rev-list', '--all'], ['rev-list', '--all', '--count'], ['rev-list', '--objects', '--all'],
  ['rev-list', '--reverse', 'old..HEAD'], ['rev-list', '--boundary', 'old..HEAD'],
];

for (const format of bothFormats) {
  for (const kernels of [true, false]) {
    test.serial(`history is walked wherever its commits are, ${kernels ? 'with' : 'without'} kernels (${format})`, async (t) => {
      if (skipWithoutGit(t)) return;
      const cases = walks.map((argv) => ({ argv, readsOnly: true }));
      try {
        useKernels(kernels);
        await compareWithGit(t, makeRepository(t, format, oddHistory), cases);
        await compareWithGit(t, makeRepository(t, format, `${oddHistory}\n  git replace HEAD~3 HEAD~5`), cases);
      } finally {
        useKernels(true);
      }
    });
  }
}
