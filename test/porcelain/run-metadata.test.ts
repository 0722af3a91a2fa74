// Metadata of runs: held against a schema before anything is recorded, kept with the run, shown by log, dropped with the run.
import test from 'ava';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type InProcessOptions, cairn, cairnOutput } from '../helpers/cairn.js';
import { commitFiles, makeRepository, reopen } from '../helpers/snapshots.js';
import type { Finished } from '../helpers/stock-git.js';
import { updateRef } from '../../plumbing/refs/ref-transaction.js';

const schema = JSON.stringify({
  type: 'object', required: ['model'], additionalProperties: false,
  properties: { model: { type: 'string', pattern: '^[a-z]+$' }, loss: { type: 'number', minimum: 0 } },
});

function begin(t: Parameters<typeof makeRepository>[0]): { cwd: string; run: (...argv: string[]) => Promise<Finished>; put: (name: string, text: string) => string } {
  const cwd = makeRepository(t).workTree!;
  const options: InProcessOptions = { cwd };
  const put = (name: string, text: string): string => {
    writeFileSync(join(cwd, '..', name), text);
    return `../${name}`;
  };
  return { cwd, put, run: (...argv) => cairn(argv, options) };
}

test('metadata that fits its schema is recorded with the run, and kept with the schema', async (t) => {
  const { cwd, put, run } = begin(t);
  t.is((await run('meta', 'schema', 'add', 'training', put('schema', schema))).code, 0);
  const made = await run('commit', '-q', '--allow-empty', '-m', 'one', '--run', 'r/1', '--meta', put('meta', '{"model": "tiny", "loss": 0.25}\n'), '--meta-schema', 'training');
  t.is(made.code, 0, made.stderr);
  t.is((await run('commit', '-q', '--allow-empty', '-m', 'two', '--run', 'r/2')).code, 0);
  t.is((await run('-c', 'cairn.metaSchema=training', 'commit', '-q', '--allow-empty', '-m', 'three', '--run', 'r/3', '--meta', put('meta', '{"model":"x"}'))).code, 0);
  const repository = reopen(cwd);
  const shown = (await cairnOutput(['log', '--runs', '--json'], { cwd })).split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  const byRun = new Map(shown.map((record) => [record['run'], record]));
  t.deepEqual(byRun.get('r/1')!['meta'], { model: 'tiny', loss: 0.25 });
  t.deepEqual([byRun.get('r/2')!['meta'], byRun.get('r/3')!['meta']], [undefined, { model: 'x' }]);
  const tree = repository.refs.find('refs/cairn/meta/r/1')!.id;
  t.regex(String(byRun.get('r/1')!['body']), new RegExp(`^Meta: ${tree}$`, 'm'));
  t.is(repository.objects.read(repository.objects.readTree(tree)[0]!.id).bytes.toString(), '{"model": "tiny", "loss": 0.25}\n', 'byte for byte');
  // The register may change; what a run was held against stays.
  t.is((await run('meta', 'schema', 'remove', 'training')).code, 0);
  t.is((await run('gc', '--grace', '0')).code, 0);
  t.is(reopen(cwd).objects.read(byRun.get('r/1')!['metaSchema'] as never).bytes.toString(), schema);
});

test('what does not fit is refused, with the place named, and nothing is recorded', async (t) => {
  const { cwd, put, run } = begin(t);
  await run('meta', 'schema', 'add', 'training', put('schema', schema));
  const bad: readonly (readonly [document: string, words: RegExp])[] = [
    ['{"model":"A"}', /'\/model' must match pattern/], ['{"model":"a","loss":-1}', /'\/loss' must be >= 0/], ['{}', /must have required property 'model'/],
    ['{"model":"a","more":1}', /must NOT have additional properties/], ['[]', /the document must be object/], ['{', /is not JSON/], ['"\\ud800', /is not JSON/],
  ];
  for (const [document, words] of bad) {
    const refused = await run('commit', '--allow-empty', '-m', 'x', '--run', 'r', '--meta', put('meta', document), '--meta-schema', 'training');
    t.is(refused.code, 2, document);
    t.regex(refused.stderr, words);
  }
  t.is((await run('commit', '--allow-empty', '-m', 'x', '--run', 'r', '--meta', '../meta', '--meta-schema', 'absent')).code, 2);
  t.is((await run('commit', '--allow-empty', '-m', 'x', '--meta', '../meta')).code, 129);
  t.is((await run('commit', '--allow-empty', '-m', 'x', '--run', 'r', '--meta-schema', 'training')).code, 129);
  t.deepEqual([...reopen(cwd).refs.list()].map(({ name }) => name), ['refs/cairn/schemas/training']);
});

test('schemas are registered, listed, shown, replaced on demand, and refused when they are none', async (t) => {
  const { put, run } = begin(t);
  t.is((await run('meta', 'schema', 'add', 'a', put('schema', schema))).code, 0);
  t.is((await run('meta', 'schema', 'add', 'a', '../schema')).code, 0, 'the same once more');
  t.is((await run('meta', 'schema', 'show', 'a')).stdout, schema);
  t.is((await run('meta', 'schema', 'add', 'a', put('other', '{}'))).code, 3);
  t.is((await run('meta', 'schema', 'add', '--force', 'a', '../other')).code, 0);
  for (const draft of ['http://json-schema.org/draft-07/schema#', 'https://json-schema.org/draft/2019-09/schema', 'https://json-schema.org/draft/2020-12/schema']) {
    t.is((await run('meta', 'schema', 'add', `d/${draft.replace(/[^0-9a-z]/g, '')}`, put('draft', JSON.stringify({ $schema: draft, type: 'object' })))).code, 0, draft);
  }
  t.is((JSON.parse((await run('meta', 'schema', 'list', '--json')).stdout) as { schemas: unknown[] }).schemas.length, 4);
  for (const bad of ['[]', '{"type":"thing"}', '{"tipe":"object"}', '{"$ref":"https://example.com/x"}', '{"$schema":"urn:x"}', 'nonsense']) {
    t.is((await run('meta', 'schema', 'add', 'bad', put('bad', bad))).code, 2, bad);
  }
  t.is((await run('meta', 'schema', 'add', '../x', '../other')).code, 2);
  t.is((await run('meta', 'schema', 'show', 'bad')).code, 2);
  t.is((await run('meta', 'schema', 'remove', 'a')).code, 0);
  t.is((await run('meta', 'schema', 'remove', 'a')).code, 2);
  t.is((await run('meta', 'schema', 'list', 'x')).code, 129);
});

test('when HEAD moved meanwhile the run is kept, its metadata too', async (t) => {
  const repository = makeRepository(t);
  const cwd = repository.workTree!;
  const first = commitFiles(repository, { a: 'one' });
  const second = commitFiles(repository, { a: 'two' });
  updateRef(repository, { name: 'HEAD', target: { id: first } });
  writeFileSync(join(cwd, '../meta'), '{"a":1}');
  // The editor stands for somebody who moves the branch while the message is written.
  const result = await cairn(['commit', '--allow-empty', '-e', '-m', 'x', '--run', 'r', '--meta', '../meta'], {
    cwd, env: { GIT_EDITOR: `sh -c 'printf %s\\\\n ${second} > "${repository.gitDirectory}/refs/heads/main"' --` },
  });
  t.is(result.code, 4, result.stderr);
  t.regex(result.stderr, /kept as 'refs\/runs\/r'/);
  const after = reopen(cwd);
  t.is(after.refs.find('HEAD')!.id, second);
  t.deepEqual((JSON.parse(await cairnOutput(['log', '--runs', '--json'], { cwd })) as { meta: unknown }).meta, { a: 1 });
});

test('a run that policy lets go takes its metadata along', async (t) => {
  const { cwd, put, run } = begin(t);
  put('meta', '{}');
  for (const id of ['a', 'b']) t.is((await run('commit', '-q', '--allow-empty', '-m', id, '--run', id, '--meta', '../meta')).code, 0);
  rmSync(join(cwd, '../meta'));
  t.is((await run('retain', 'set', 'refs/runs/*', '--keep-last', '1')).code, 0);
  const plan = JSON.parse((await run('retain', 'plan', '--json')).stdout) as { plan: string };
  t.is((await run('retain', 'apply', plan.plan)).code, 0);
  const names = [...reopen(cwd).refs.list()].map(({ name }) => name).filter((name) => name !== 'refs/heads/main');
  t.is(names.length, 2, names.join(' '));
});
