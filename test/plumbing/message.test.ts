import test from 'ava';
import { cleanUpMessage, commentCharacter, isEmptyMessage, stripSpace, subjectOf } from '../../plumbing/message.js';
import { appendSignOff, appendTrailers, parseTrailer, parseTrailers } from '../../plumbing/trailers.js';
import { seededRandom } from '../helpers/sandbox.js';
import { git, skipWithoutGit } from '../helpers/stock-git.js';

/** Messages of lines that matter to cleaning and trailers, made from a seed. */
function* nonsense(seed: number, count: number): Iterable<string> {
  const random = seededRandom(seed);
  const lines = ['', '', 'subject', 'text with  spaces  ', '# comment', ' indented', '\t', 'Key: value', 'Other-Key : x', 'Signed-off-by: A <a@b>',
    '(cherry picked from commit abc)', 'no trailer: here is', 'Key: value', 'trailing\t \r', 'caf\xe9'];
  for (let made = 0; made < count; made += 1) {
    const text = Array.from({ length: 1 + Math.floor(random() * 9) }, () => lines[Math.floor(random() * lines.length)]!).join('\n');
    yield random() < 0.8 ? text + '\n' : text;
  }
}

test('whitespace is stripped as git stripspace does', (t) => {
  if (skipWithoutGit(t)) return;
  for (const text of nonsense(1, 60)) {
    const stdin = Buffer.from(text, 'latin1');
    t.is(stripSpace(text), git(['stripspace'], { cwd: '/', stdin }).stdout, JSON.stringify(text));
    t.is(stripSpace(text, '#'), git(['stripspace', '-s'], { cwd: '/', stdin }).stdout, JSON.stringify(text));
  }
});

test('trailers are found and added as git interpret-trailers does', (t) => {
  if (skipWithoutGit(t)) return;
  for (const body of nonsense(2, 120)) {
    // Comments are taken out before trailers are looked at.
    const text = stripSpace(`subject\n\n${body}`, '#');
    const stdin = Buffer.from(text, 'latin1');
    const parsed = git(['interpret-trailers', '--parse', '--no-divider'], { cwd: '/', stdin }).stdout;
    t.is(parseTrailers(text).map(({ key, value }) => `${key}: ${value.replace(/\n\s*/g, ' ')}\n`).join(''), parsed.replace(/^\(cherry.*\n/gm, ''), JSON.stringify(text));
    const given = ['Key=value', 'New: x y'];
    const expected = git(['interpret-trailers', '--no-divider', ...given.flatMap((trailer) => ['--trailer', trailer])], { cwd: '/', stdin }).stdout;
    t.is(appendTrailers(text, given.map(parseTrailer)), expected, JSON.stringify(text));
  }
});

test('a sign-off joins the trailers, starts a paragraph, or is there already', (t) => {
  const person = 'A <a@b>';
  t.is(appendSignOff('subject\n', person), 'subject\n\nSigned-off-by: A <a@b>\n');
  t.is(appendSignOff('subject\n\nKey: value\n', person), 'subject\n\nKey: value\nSigned-off-by: A <a@b>\n');
  t.is(appendSignOff('subject\n\nSigned-off-by: A <a@b>\n', person), 'subject\n\nSigned-off-by: A <a@b>\n');
  t.is(appendSignOff('', person), '\n\nSigned-off-by: A <a@b>\n');
});

test('each cleanup mode keeps what it promises', (t) => {
  const text = '\n\nsubject  \n# comment\n\n\n\nbody\n# ------------------------ >8 ------------------------\ndiff\n';
  t.is(cleanUpMessage(text, 'verbatim', '#', true), text);
  t.is(cleanUpMessage(text, 'strip', '#', false), 'subject\n\nbody\ndiff\n');
  t.is(cleanUpMessage(text, 'whitespace', '#', true), 'subject\n# comment\n\nbody\n# ------------------------ >8 ------------------------\ndiff\n');
  t.is(cleanUpMessage(text, 'scissors', '#', true), 'subject\n# comment\n\nbody\n');
  t.is(cleanUpMessage(text, 'default', '#', true), cleanUpMessage(text, 'strip', '#', true));
  t.is(cleanUpMessage(text, 'default', '#', false), cleanUpMessage(text, 'whitespace', '#', false));
});

test('an empty message is one that says nothing', (t) => {
  t.true(isEmptyMessage(''));
  t.true(isEmptyMessage('\n \nSigned-off-by: A <a@b>\n'));
  t.false(isEmptyMessage('x\n'));
});

test('the subject is the first paragraph on one line', (t) => {
  t.is(subjectOf('one\ntwo \n\nthree\n'), 'one two');
  t.is(subjectOf('\n\none'), 'one');
  t.is(subjectOf(''), '');
});

test('the comment character can be chosen for a message', (t) => {
  t.is(commentCharacter(undefined, ''), '#');
  t.is(commentCharacter(';', ''), ';');
  t.is(commentCharacter('auto', '#1 bug\n;'), '@');
});
