// Attestations: the envelope and the statement are those of the public specifications, ssh-keygen checks them without cairn, and
// every difference between what was attested and what is there is named.
import test from 'ava';
import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CairnError, CorruptError } from '../../pack/errors.js';
import { encodeCommit } from '../../pack/commit.js';
import type { ObjectId } from '../../pack/oid.js';
import { updateRef } from '../../plumbing/refs/ref-transaction.js';
import type { RefName } from '../../plumbing/refs/ref-name.js';
import { authenticatedBytes, decodeEnvelope, encodeEnvelope, fromArmour, toArmour } from '../../porcelain/attestation/envelope.js';
import { compareSubjects, decodeStatement } from '../../porcelain/attestation/statement.js';
import { type InProcessOptions, cairn } from '../helpers/cairn.js';
import { seededRandom } from '../helpers/sandbox.js';
import { makeSigningKeys } from '../helpers/signing-keys.js';
import { commitFiles, makeRepository, reopen } from '../helpers/snapshots.js';
import { type Finished, gitOutput, runProgram, skipWithoutGit } from '../helpers/stock-git.js';

interface Made { readonly attestation: string; readonly ref: RefName; readonly new: boolean; readonly keys: readonly string[]; readonly subjects: number }
interface StatementJson {
  readonly _type: string;
  readonly subject: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>>; readonly annotations?: { readonly mode: string } }[];
  readonly predicateType: string;
  readonly predicate: {
    readonly buildDefinition: { readonly externalParameters: Readonly<Record<string, unknown>>; readonly resolvedDependencies: readonly unknown[] };
    readonly runDetails: { readonly builder: { readonly id: string }; readonly metadata: Readonly<Record<string, string>> };
  };
}
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

test('what is signed is what the specification of DSSE signs', (t) => {
  t.is(authenticatedBytes({ payloadType: 'http://example.com/HelloWorld', payload: Buffer.from('hello world') }).toString(),
    'DSSEv1 29 http://example.com/HelloWorld 11 hello world');
});

test('a release is attested, signed and verified, and by ssh-keygen alone', async (t) => {
  const keys = makeSigningKeys(t);
  if (keys === undefined) return;
  const repository = makeRepository(t);
  const cwd = repository.workTree!;
  const options: InProcessOptions = { cwd };
  const run = (...argv: string[]): Promise<Finished> => cairn([...keys.words, ...argv], options);
  commitFiles(repository, { 'site/a': 'one', 'site/run': { executable: 'two' }, 'site/link': { link: 'a' }, 'other/é': 'three' });
  const commit = repository.refs.find('HEAD')!.id;
  t.is((await run('release', 'prod', '--to', '../live', '--path', 'site')).code, 0);
  const made = JSON.parse((await run('attest', 'prod', '--json')).stdout) as Made;
  t.like(made, { new: true, subjects: 3 });
  t.is((JSON.parse((await run('attest', 'prod/1', '--json')).stdout) as Made).new, false, 'the same thing once more is the same attestation');
  t.is((await run('attest', commit.slice(0, 10))).code, 0);
  const shown = JSON.parse((await run('attest', '--show', 'prod', '--json')).stdout) as { attestations: { statement: StatementJson }[] };
  const { statement } = shown.attestations[0]!;
  t.is(statement._type, 'https://in-toto.io/Statement/v1');
  t.is(statement.predicateType, 'https://slsa.dev/provenance/v1');
  t.deepEqual(statement.subject, [
    { name: 'site/a', digest: { sha256: sha256('one') } }, { name: 'site/link', digest: { sha256: sha256('a') }, annotations: { mode: '120000' } },
    { name: 'site/run', digest: { sha256: sha256('two') }, annotations: { mode: '100755' } },
  ]);
  t.like(statement.predicate.buildDefinition.externalParameters, { commit, release: { channel: 'prod', number: 1, kind: 'release' } });
  t.is(statement.predicate.runDetails.metadata['invocationId'], 'prod/1');
  t.regex((await run('attest', '--show', commit)).stdout, new RegExp(`^    ${sha256('three')}  other/é$`.replace('é', Buffer.from('é').toString('latin1')), 'm'));
  // Verified here, by somebody who trusts nobody, and by ssh-keygen.
  t.regex((await run('attest', '--verify', 'prod', '--require-signature')).stdout, /matches 3 files; good signature of me@example\.com/);
  t.is((await cairn(['attest', '--verify', 'prod'], options)).code, 0);
  t.is((await cairn(['attest', '--verify', 'prod', '--require-signature'], options)).code, 1);
  const envelope = decodeEnvelope(repository.objects.read(reopen(cwd).refs.find(made.ref)!.id).bytes);
  writeFileSync(join(cwd, '../sig'), toArmour(envelope.signatures[0]!));
  t.deepEqual(fromArmour(toArmour(envelope.signatures[0]!)), envelope.signatures[0]!);
  const checked = runProgram('ssh-keygen', ['-Y', 'verify', '-n', 'cairn-attestation', '-f', keys.allowed, '-I', 'me@example.com', '-s', '../sig'], { cwd, stdin: authenticatedBytes(envelope) });
  t.is(checked.code, 0, checked.stderr);
  t.true(runProgram('ssh-keygen', ['-l', '-f', keys.mine], { cwd }).stdout.includes(` ${made.keys[0]!} `));
  // Carried in archives, and still right where they are restored.
  t.is((await run('archive', 'create', '../x', '--all')).code, 0);
  t.is((await run('archive', 'restore', '../x', '../back')).code, 0);
  t.is((await cairn([...keys.words, 'attest', '--verify', 'prod', '--require-signature'], { cwd: join(cwd, '../back') })).code, 0);
});

test('every difference is named, and strangers cannot spoil what is signed', async (t) => {
  const keys = makeSigningKeys(t);
  if (keys === undefined) return;
  const repository = makeRepository(t);
  const cwd = repository.workTree!;
  const run = (...argv: string[]): Promise<Finished> => cairn([...keys.words, ...argv], { cwd });
  const commit = commitFiles(repository, { a: 'one', b: { executable: 'two' }, c: 'three' });
  const made = JSON.parse((await run('attest', 'HEAD', '--json')).stdout) as Made;
  const { objects } = repository;
  const envelope = decodeEnvelope(objects.read(repository.refs.find(made.ref)!.id).bytes);
  const forge = (edit: (text: string) => string): void => {
    const id = objects.write('blob', encodeEnvelope({ ...envelope, payload: Buffer.from(edit(envelope.payload.toString())) }));
    updateRef(repository, { name: `refs/attestations/${commit}/${id}` as RefName, expected: 'absent', target: { id } });
  };
  // Somebody adds one with the same signature: a bad one, of other files.
  forge((text) => text.replace(sha256('one'), sha256('evil')).replace('"name":"c"', '"name":"d"').replace('100755', '120000'));
  const found = await run('attest', '--verify', 'HEAD');
  t.is(found.code, 1);
  t.regex(found.stdout, /differs; bad signature/);
  for (const line of ['differs  a', 'mode     b', 'extra    c', 'missing  d']) t.true(found.stdout.includes(`  ${line}\n`), line);
  t.is((await run('attest', '--verify', 'HEAD', '--require-signature')).code, 0);
  // One without a signature that is right counts as long as none is required.
  t.is((await run('attest', '--no-sign', 'HEAD')).code, 0);
  // A good statement under the name of another commit.
  const other = commitFiles(repository, { a: 'one', b: { executable: 'two' }, c: 'three' }, 'again');
  updateRef(repository, { name: `refs/attestations/${other}/${made.attestation}` as RefName, target: { id: repository.refs.find(made.ref)!.id } });
  const moved = await run('attest', '--verify', 'HEAD', '--require-signature');
  t.is(moved.code, 1);
  t.regex(moved.stdout, /is about another snapshot/);
});

test('what cannot be attested is refused, and a damaged object or attestation is named', async (t) => {
  const repository = makeRepository(t);
  const cwd = repository.workTree!;
  const run = (...argv: string[]): Promise<Finished> => cairn(argv, { cwd });
  const { objects } = repository;
  commitFiles(repository, { a: 'one' });
  t.is((await run('attest', 'HEAD')).code, 3, 'the format of signatures is not ssh');
  t.is((await run('-c', 'gpg.format=ssh', 'attest', 'HEAD')).code, 2, 'there is no key');
  t.is((await run('attest', 'nothing')).code, 2);
  t.is((await run('attest', '--verify', 'HEAD')).code, 2);
  t.is((await run('attest', 'HEAD', '--verify', '--no-sign')).code, 129);
  t.is((await run('attest', 'HEAD', '--require-signature')).code, 129);
  t.is((await run('attest', '--no-sign', 'HEAD')).code, 0);
  t.is((await run('attest', '--verify', 'HEAD')).code, 0);
  t.is((await run('attest', '--verify', 'HEAD', '--require-signature')).code, 1);
  const { tree } = objects.readCommit(repository.refs.find('HEAD')!.id);
  const blob = objects.readTree(tree)[0]!.id;
  rmSync(join(repository.objectsDirectory, blob.slice(0, 2), blob.slice(2)));
  const damaged = await run('attest', '--verify', 'HEAD');
  t.is(damaged.code, 6);
  t.true(damaged.stderr.includes(blob));
  const empty = objects.write('commit', encodeCommit({ ...objects.readCommit(repository.refs.find('HEAD')!.id), tree: objects.write('tree', Buffer.alloc(0)) }));
  t.is((await run('attest', '--no-sign', empty)).code, 2);
});

test('attestations are objects like any other to stock git', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t);
  const cwd = repository.workTree!;
  commitFiles(repository, { a: 'one' });
  const made = JSON.parse((await cairn(['attest', '--no-sign', 'HEAD', '--json'], { cwd })).stdout) as Made;
  const env = { GIT_DIR: repository.gitDirectory };
  t.is(gitOutput(['cat-file', '-t', made.ref], { cwd, env }), 'blob');
  gitOutput(['fsck', '--strict'], { cwd, env });
  t.is((JSON.parse(gitOutput(['cat-file', 'blob', made.ref], { cwd, env })) as { payloadType: string }).payloadType, 'application/vnd.in-toto+json');
});

test('nonsense gives an envelope, a statement or CorruptError, nothing else', (t) => {
  const random = seededRandom(20261120);
  const id = 'a'.repeat(40) as ObjectId;
  const statement = Buffer.from(JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1', predicateType: 'https://slsa.dev/provenance/v1', subject: [{ name: 'a', digest: { sha256: sha256('a') } }],
    predicate: { buildDefinition: { buildType: 'https://cairn.invalid/attestation/snapshot/v1', externalParameters: { commit: id } }, runDetails: { builder: { id: 'x' } } },
  }));
  const decoded = decodeStatement(statement, 'sha1');
  t.is(decoded.commit, id);
  t.throws(() => compareSubjects([...decoded.subjects, ...decoded.subjects], []), { instanceOf: CorruptError });
  const envelope = encodeEnvelope({ payloadType: 'x', payload: statement, signatures: [{ keyId: 'k', bytes: Buffer.from('SSHSIG\0\0\0\x01\xff\xff\xff\xff', 'latin1') }] });
  t.notThrows(() => fromArmour(toArmour(decodeEnvelope(envelope).signatures[0]!)));
  let refused = 0;
  for (let round = 0; round < 2000; round += 1) {
    for (const good of [envelope, statement]) {
      const bytes = Buffer.from(good);
      for (let count = 1 + Math.floor(random() * 3); count > 0; count -= 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        if (good === envelope) for (const signature of decodeEnvelope(bytes).signatures) fromArmour(toArmour(signature));
        else decodeStatement(bytes, 'sha1');
      } catch (error) {
        refused += 1;
        if (!(error instanceof CorruptError)) t.fail(String(error instanceof CairnError ? error.message : error));
      }
    }
  }
  t.true(refused > 1000);
});
