// cairn-json(5) is true: what commands print with --json has the fields and types the page says, and no others.
import test from 'ava';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plumbingCommands, porcelainCommands } from '../../porcelain/commands.js';
import { cairn, projectRoot } from '../helpers/cairn.js';
import { type JsonSample, runJsonScenario } from '../helpers/json-scenario.js';
import { makeSandbox } from '../helpers/sandbox.js';

type Shape =
  | { readonly kind: 'one of'; readonly shapes: readonly Shape[] }
  | { readonly kind: 'plain'; readonly type: string }
  | { readonly kind: 'list' | 'map'; readonly of: Shape }
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, { readonly shape: Shape; readonly isOptional: boolean }> };

interface Section { readonly isLines: boolean; readonly shape: Shape }

const page = readFileSync(join(projectRoot, 'man/cairn-json.5'), 'utf8');

/** The sections of the page, each with what its first block of literal text says. */
const sections = new Map([...page.matchAll(/^\.SS (.*)\n(?:(?!\.SS|\.nf)[^]*?\n)?\.nf\n([^]*?)\n\.fi$/gm)].map(([, title, text]) => {
  const isLines = text!.startsWith('lines of ');
  return [title!.replaceAll('\\-', '-'), { isLines, shape: parseShape(isLines ? text!.slice('lines of '.length) : text!) }] as const satisfies readonly [string, Section];
}));

function parseShape(text: string): Shape {
  const words = text.match(/[[\]{}|,?:]|[A-Za-z_0-9]+/g)!;
  let at = 0;
  const take = (word: string): boolean => words[at] === word && (at += 1) > 0;
  const alternatives = (): Shape => {
    const shapes = [single()];
    while (take('|')) shapes.push(single());
    return shapes.length === 1 ? shapes[0]! : { kind: 'one of', shapes };
  };
  const single = (): Shape => {
    if (take('[')) {
      const of = alternatives();
      if (!take(']')) throw new Error(`a list does not end: ${text}`);
      return { kind: 'list', of };
    }
    if (take('{')) {
      const fields = new Map<string, { shape: Shape; isOptional: boolean }>();
      while (!take('}')) {
        const name = words[at]!;
        at += 1;
        const isOptional = take('?');
        if (!take(':')) throw new Error(`'${name}' has no type: ${text}`);
        fields.set(name, { shape: alternatives(), isOptional });
        take(',');
      }
      return { kind: 'object', fields };
    }
    const type = words[at]!;
    at += 1;
    if (type !== 'map') return { kind: 'plain', type };
    if (!take('of')) throw new Error(`what is the map of? ${text}`);
    return { kind: 'map', of: alternatives() };
  };
  const shape = alternatives();
  if (at < words.length) throw new Error(`words are left over: ${words.slice(at).join(' ')}`);
  return shape;
}

/** What is wrong with a value; undefined when nothing is. */
function findFault(value: unknown, shape: Shape, where: string): string | undefined {
  switch (shape.kind) {
    case 'one of': {
      const faults = shape.shapes.map((one) => findFault(value, one, where));
      return faults.includes(undefined) ? undefined : faults.join(', nor ');
    }
    case 'list': return Array.isArray(value) ? value.map((one, at) => findFault(one, shape.of, `${where}[${at}]`)).find((fault) => fault !== undefined) : `${where} is no list`;
    case 'map': return isObject(value) ? Object.entries(value).map(([name, one]) => findFault(one, shape.of, `${where}.${name}`)).find((fault) => fault !== undefined) : `${where} is no object`;
    case 'object': {
      if (!isObject(value)) return `${where} is no object`;
      for (const name of Object.keys(value)) if (!shape.fields.has(name)) return `${where}.${name} is not described`;
      for (const [name, field] of shape.fields) {
        if (!Object.hasOwn(value, name)) {
          if (!field.isOptional) return `${where}.${name} is missing`;
          continue;
        }
        const fault = findFault(value[name], field.shape, `${where}.${name}`);
        if (fault !== undefined) return fault;
      }
      return undefined;
    }
    default: {
      const { type } = shape;
      if (type === 'any') return undefined;
      const known = /^[A-Z]/.test(type) ? sections.get(type) : undefined;
      if (known !== undefined) return findFault(value, known.shape, where);
      const is = value === null ? 'null' : typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
      return is === type ? undefined : `${where} is ${is}, not ${type}`;
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valuesOf({ stdout, command }: JsonSample, { isLines }: Section): unknown[] {
  const lines = stdout.trimEnd().split('\n');
  if (!isLines && lines.length > 1) throw new Error(`'${command}' prints more than one line`);
  return lines.map((line) => JSON.parse(line) as unknown);
}

test('everything commands print has the shape the page gives', async (t) => {
  const samples = await runJsonScenario(makeSandbox(t, { inMemory: true }));
  for (const sample of samples) {
    const section = sections.get(sample.title);
    if (section === undefined) {
      t.fail(`cairn-json(5) has nothing about '${sample.title}'`);
      continue;
    }
    for (const value of valuesOf(sample, section)) t.is(findFault(value, section.shape, sample.command), undefined);
  }
  const shown = new Set(samples.map(({ title }) => title));
  t.deepEqual([...sections.keys()].filter((title) => !/^[A-Z]/.test(title) && !shown.has(title)), [], 'described, but not seen');
});

test('every command that takes --json is in the page, and its page points there or tells itself', async (t) => {
  const described = [...page.matchAll(/^(?:\.SS|\.BR) (.*)$/gm)].map(([, title]) => title!.replaceAll('\\-', '-')).join(' ');
  const missing: string[] = [];
  for (const [name, load] of Object.entries({ ...plumbingCommands, ...porcelainCommands })) {
    const { command } = await load();
    if (command.options.some((option) => option.name === 'json') && !new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(described)) missing.push(name);
  }
  t.deepEqual(missing, []);
});

test('an error is one object on standard error, of the shape the page gives', async (t) => {
  const cwd = makeSandbox(t);
  for (const argv of [['status', '--json'], ['worktree', 'list', '--json'], ['gc', '--json', '--nonsense'], ['rebase', '--json', '--continue']]) {
    const { stderr, stdout, code } = await cairn(argv, { cwd });
    t.is(stdout, '');
    const value = JSON.parse(stderr) as { readonly exit: number };
    t.is(findFault(value, sections.get('Error')!.shape, argv.join(' ')), undefined);
    t.is(value.exit, code);
  }
});
