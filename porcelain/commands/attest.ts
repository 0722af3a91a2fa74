// cairn attest: say, signed, which files a commit or release has and where they are from; and check what was said.
import { UsageError } from '../../pack/errors.js';
import type { Command, Context } from '../../plumbing/command.js';
import { escapeControls } from '../../plumbing/quote.js';
import { Repository } from '../../plumbing/repository.js';
import { type Attestation, type AttestationCheck, attest, checkAttestations, findAttested, isAttested, listAttestations } from '../attestation/attesting.js';
import { version } from '../main.js';
import { describeSignature, signatureToJson } from '../signature-report.js';

export const command: Command = {
  name: 'attest',
  family: 'cairn',
  summary: 'say, signed, what a commit or release consists of, and check it',
  usage: ['attest [--sign[=<key>] | --no-sign] <commit|release> [--json]', 'attest --verify [--require-signature] <commit|release> [--json]', 'attest --show <commit|release> [--json]'],
  options: [
    { name: 'sign', value: 'key', valueOptional: true, negatable: true, help: 'sign with this key or the configured one (default)' },
    { name: 'verify', help: 'compare what was attested with the files, and check the signatures' },
    { name: 'require-signature', help: 'with --verify: somebody who is trusted must have signed' },
    { name: 'show', help: 'show what was attested' },
    { name: 'json', help: 'print JSON' },
  ],
  run(context, args) {
    const [what, ...rest] = args.positionals;
    if (what === undefined) throw new UsageError('which commit or release is missing');
    if (rest.length > 0) throw new UsageError('too many arguments');
    const [isVerify, isShow, json] = [args.has('verify'), args.has('show'), args.has('json')];
    if (isVerify && isShow) throw new UsageError("options '--verify' and '--show' cannot be used together");
    if ((isVerify || isShow) && args.flag('sign') !== undefined) throw new UsageError(`options '--${isVerify ? 'verify' : 'show'}' and '--sign' cannot be used together`);
    if (args.has('require-signature') && !isVerify) throw new UsageError("option '--require-signature' goes with '--verify' only");
    const repository = Repository.open(context);
    const attested = findAttested(repository, what);
    if (isVerify) return verify(context, checkAttestations(repository, attested), args.has('require-signature'), json);
    if (isShow) {
      show(context, [...listAttestations(repository, attested)], json);
      return 0;
    }
    const made = attest(repository, attested, args.flag('sign') === false ? undefined : { key: args.value('sign') ?? '' }, version);
    const { subjects } = made.statement;
    const keys = keysOf(made);
    if (json) context.stdout.write(asLine({ attestation: made.id, ref: made.ref, new: made.isNew, commit: attested.commit, receipt: attested.receipt?.id ?? null, subjects: subjects.length, keys }));
    else {
      const verb = made.isNew ? 'attested' : 'attested already:';
      context.stdout.write(`${verb} ${escapeControls(attested.named)}: ${subjects.length} ${subjects.length === 1 ? 'file' : 'files'}, ${keys.length === 0 ? 'not signed' : `signed by ${keys.join(', ')}`}\n  ${made.id}\n`);
    }
    return 0;
  },
};

function keysOf({ envelope }: Attestation): string[] {
  return envelope.signatures.map(({ keyId }) => keyId);
}

function verify(context: Context, checks: readonly AttestationCheck[], requiresSignature: boolean, json: boolean): number {
  const ok = isAttested(checks, requiresSignature);
  if (json) {
    context.stdout.write(asLine({
      ok, attestations: checks.map(({ attestation, differences, isOfAnother, signature }) => ({
        attestation: attestation.id, subjects: attestation.statement.subjects.length, differences, ofAnother: isOfAnother, signature: signatureToJson(signature),
      })),
    }));
    return ok ? 0 : 1;
  }
  for (const { attestation, differences, isOfAnother, signature } of checks) {
    const { commit, subjects } = attestation.statement;
    const finding = isOfAnother ? `is about another snapshot, ${commit}` : differences.length > 0 ? 'differs' : `matches ${subjects.length} ${subjects.length === 1 ? 'file' : 'files'}`;
    context.stdout.write(`${attestation.id} ${finding}; ${escapeControls(describeSignature(signature))}\n`);
    for (const { name, kind } of differences) context.stdout.write(`  ${kind.padEnd(8)} ${escapeControls(name)}\n`);
  }
  if (requiresSignature && !checks.some(({ signature }) => signature.isGood)) context.stdout.write('nobody who is trusted has signed\n');
  return ok ? 0 : 1;
}

function show(context: Context, attestations: readonly Attestation[], json: boolean): void {
  if (json) {
    context.stdout.write(asLine({
      attestations: attestations.map((one) => ({ attestation: one.id, ref: one.ref, keys: keysOf(one), statement: JSON.parse(one.envelope.payload.toString()) as unknown })),
    }));
    return;
  }
  for (const one of attestations) {
    const { statement } = one;
    const lines = [
      `attestation ${one.id}`, `Commit:  ${statement.commit}`, ...(statement.receipt === undefined ? [] : [`Receipt: ${statement.receipt}`]),
      `Builder: ${statement.builder}`, `Signed:  ${keysOf(one).join(', ') || 'no'}`, '',
      ...statement.subjects.map(({ name, digest }) => `    ${digest['sha256'] ?? Object.values(digest)[0] ?? ''}  ${name}`),
    ];
    context.stdout.write(lines.map((line) => `${escapeControls(line)}\n`).join(''));
  }
}

function asLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
