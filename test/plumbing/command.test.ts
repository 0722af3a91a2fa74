import test from 'ava';
import { UsageError } from '../../pack/errors.js';
import { type OptionSpec, UsageRequested, parseArguments } from '../../plumbing/command.js';

const options: readonly OptionSpec[] = [
  { name: 'all', short: 'a', help: '' },
  { name: 'message', short: 'm', value: 'text', help: '' },
  { name: 'color', value: 'when', valueOptional: true, negatable: true, help: '' },
  { name: 'verify', negatable: true, help: '' },
  { name: 'verbose', short: 'v', help: '' },
  { name: 'no-walk', negatable: true, help: '' },
  { name: 't', help: '' },
  { name: 'unified', short: 'U', value: 'n', help: '' },
];
const parse = (...argv: string[]) => parseArguments({ options, numeric: true }, argv);

test('short options cluster, and the last of them takes its value attached or as the next word', (t) => {
  const attached = parse('-avmtext');
  t.true(attached.has('all') && attached.has('verbose'));
  t.is(attached.value('message'), 'text');
  t.is(parse('-am', 'next').value('message'), 'next');
  t.is(parse('-m', '--', 'x').value('message'), '--');
});

test('long options take their value after = or as the next word, and may be abbreviated while they stay unique', (t) => {
  t.is(parse('--message=a=b').value('message'), 'a=b');
  t.is(parse('--mess', 'x').value('message'), 'x');
  t.throws(() => parse('--ver'), { instanceOf: UsageError, message: /ambiguous option: ver/ });
  t.true(parse('--verb').has('verbose'));
});

test('an optional value is only taken when attached', (t) => {
  const args = parse('--color', 'always');
  t.true(args.has('color'));
  t.is(args.value('color'), undefined);
  t.deepEqual(args.positionals, ['always']);
  t.is(parse('--color=always').value('color'), 'always');
});

test('the last word on an option counts, also when it undoes it', (t) => {
  t.is(parse('--verify', '--no-verify').flag('verify'), false);
  t.is(parse('--no-verify', '--verify').flag('verify'), true);
  t.is(parse().flag('verify'), undefined);
  t.is(parse('--color=never', '--no-color').value('color'), undefined);
  t.is(parse('--walk').flag('no-walk'), false, 'an option named no-… is undone by its positive');
});

test('two dashes end the options, and what follows is known to come after them', (t) => {
  const args = parse('a', '--', '-b', '--', 'c');
  t.deepEqual(args.split(), { before: ['a'], after: ['-b', '--', 'c'], dashes: true });
  t.deepEqual(parse('-', 'x').positionals, ['-', 'x']);
});

test('a number alone is an option where the command says so', (t) => {
  t.is(parse('-12').value('number'), '12');
  t.throws(() => parseArguments({ options }, ['-12']), { instanceOf: UsageError });
});

test('what is unknown, lacks its value or takes none is refused by name', (t) => {
  t.throws(() => parse('--frobnicate'), { instanceOf: UsageError, message: "unknown option 'frobnicate'" });
  t.throws(() => parse('-x'), { instanceOf: UsageError, message: "unknown switch 'x'" });
  t.throws(() => parse('--message'), { instanceOf: UsageError, message: "option 'message' requires a value" });
  t.throws(() => parse('-m'), { instanceOf: UsageError });
  t.throws(() => parse('--all=1'), { instanceOf: UsageError, message: "option 'all' takes no value" });
  t.throws(() => parse('--no-all'), { instanceOf: UsageError });
  t.throws(() => parse('-h'), { instanceOf: UsageRequested });
});

test('options and arguments keep the order they were typed in', (t) => {
  t.deepEqual(parse('x', '-a', 'y', '-mz').tokens.map((token) => token.kind === 'option' ? `-${token.name}` : token.value), ['x', '-all', 'y', '-message']);
  t.deepEqual(parse('-m1', '-m', '2').values('message'), ['1', '2']);
  t.is(parse('-vv', '-v').count('verbose'), 3);
  t.is(parse('-a', '-v').lastOf('all', 'verbose'), 'verbose');
});
