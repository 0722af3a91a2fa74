// Rot: every file of a small repository with each byte changed, and cut at each length. Whatever is read then is what it was before, or an error
// that says what is damaged; verify notices every one of them, and fsck wherever the file has a checksum.
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CairnError, CorruptError } from '../../pack/errors.js';
import { ObjectStore } from '../../pack/object-store.js';
import type { ObjectId } from '../../pack/oid.js';
import { Index } from '../../plumbing/index/index-file.js';
import { Repository } from '../../plumbing/repository.js';
import { verifyRepository } from '../../porcelain/integrity/verification.js';
import { makeContext } from '../helpers/cairn.js';
import { runIn } from './crash-lab.js';

/** For stock git: objects loose and packed, deltas, a tag, packed and loose refs, and everything derived from packs. */
export const rotScript = `
  for i in 1 2; do seq 1 40 >file; echo $i >>file; echo $i >other; git add -A; git commit -qm $i; done
  git tag -am release v1; git repack -adq; git commit-graph write --reachable; git multi-pack-index write; git pack-refs --all
  echo 3 >other; git commit -qam 3; git branch side
`;

export interface RotResult {
  readonly damages: number;
  /** Damages that changed nothing that is read, in files without a checksum or bits nothing is in. */
  readonly harmless: number;
  /** Damages verify had something to say about: all of them. */
  readonly noticed: number;
  readonly problems: readonly string[];
}

interface Seen {
  readonly objects: ReadonlyMap<ObjectId, string>;
  readonly refs: ReadonlyMap<string, string>;
  readonly index: string;
}

/** Tries each damage of each file, or only every nth; fsck is asked about every `fsckEvery`th. */
export async function rot(directory: string, options: { readonly every: number; readonly fsckEvery: number; readonly print?: (line: string) => void }): Promise<RotResult> {
  const gitDirectory = join(directory, '.git');
  const ids = listIds(gitDirectory);
  const before = see(directory, ids, (problem) => { throw new Error(problem); });
  const problems: string[] = [];
  let damages = 0;
  let harmless = 0;
  let noticed = 0;
  let turn = 0;
  if (listFindings(directory).length > 0) throw new Error(`verify is not content before anything is damaged: ${listFindings(directory).join('; ')}`);
  for (const file of listFiles(gitDirectory)) {
    const path = join(gitDirectory, file);
    const bytes = readFileSync(path);
    chmodSync(path, 0o644);
    const start = damages;
    for (const { what, damaged } of listDamages(bytes)) {
      turn += 1;
      if (turn % options.every !== 0) continue;
      damages += 1;
      writeFileSync(path, damaged);
      const complain = (problem: string): void => { problems.push(`'${file}' ${what}: ${problem}`); };
      const isSame = compareSeen(before, see(directory, ids, complain), complain);
      if (isSame) harmless += 1;
      if (listFindings(directory).length > 0) noticed += 1;
      else complain('verify notices nothing');
      // Loose refs, HEAD and packed-refs have no checksum, and git's fsck takes many a name for meant; deflate has bits nothing is in.
      const mustBeFound = /^(?:index|objects\/pack\/.*\.(?:pack|idx)|objects\/pack\/multi-pack-index|objects\/info\/commit-graph)$/.test(file) || (!isSame && file.startsWith('objects/'));
      if (mustBeFound && damages % options.fsckEvery === 0) {
        const { code, stderr } = await runIn(directory, ['fsck', '--full']);
        if (code === 0) complain(`fsck is content: ${stderr}`);
        else if (code === 70) complain(`fsck fails with a bug: ${stderr}`);
      }
    }
    writeFileSync(path, bytes);
    options.print?.(`${file}: ${bytes.length} bytes, ${damages - start} damages`);
  }
  return { damages, harmless, noticed, problems };
}

/** What verify says. */
function listFindings(directory: string): string[] {
  let repository: Repository;
  try {
    repository = Repository.open(makeContext({ cwd: directory, pid: process.pid }).context);
  } catch (error) {
    if (error instanceof CairnError) return [error.message];
    throw error;
  }
  return verifyRepository(repository, { part: { number: 1, of: 1 } }).findings.map(({ subject, message }) => `${subject}: ${message}`);
}

function* listDamages(bytes: Buffer): Generator<{ readonly what: string; readonly damaged: Buffer }> {
  for (let at = 0; at < bytes.length; at += 1) {
    const damaged = Buffer.from(bytes);
    // Each bit gets its turn.
    damaged[at]! ^= 1 << (at % 8);
    yield { what: `with bit ${at % 8} of byte ${at} changed`, damaged };
    yield { what: `cut at ${at}`, damaged: bytes.subarray(0, at) };
  }
  const zeroed = Buffer.from(bytes).fill(0, 0, Math.min(4096, bytes.length));
  yield { what: 'with its first page zeroed', damaged: zeroed };
}

function listFiles(gitDirectory: string): string[] {
  return readdirSync(gitDirectory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(gitDirectory.length + 1))
    .filter((file) => /^(?:objects|refs)\/|^(?:HEAD|packed-refs|index)$/.test(file) && !file.startsWith('cairn/'))
    .sort();
}

function listIds(gitDirectory: string): ObjectId[] {
  const store = ObjectStore.open(join(gitDirectory, 'objects'), 'sha1');
  try {
    return [...store.listIds()];
  } finally {
    store.close();
  }
}

/** What can be read; what cannot is absent. An error that does not say what is damaged is a problem. */
function see(directory: string, ids: readonly ObjectId[], complain: (problem: string) => void): Seen {
  const objects = new Map<ObjectId, string>();
  const refs = new Map<string, string>();
  let index = '';
  const trying = (what: string, names: readonly string[], act: () => void): void => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof CairnError)) complain(`${what}: ${String(error)}`);
      else if (error instanceof CorruptError && names.length > 0 && !names.some((name) => error.message.includes(name))) complain(`${what}: does not say what: ${error.message}`);
    }
  };
  trying('opening', [], () => {
    const store = ObjectStore.open(join(directory, '.git/objects'), 'sha1');
    try {
      for (const id of ids) {
        trying(`reading ${id}`, [id, '.git/objects/'], () => {
          const { type, bytes } = store.read(id);
          objects.set(id, `${type} ${bytes.toString('latin1')}`);
        });
      }
    } finally {
      store.close();
    }
  });
  trying('opening the repository', [], () => {
    const repository = Repository.open(makeContext({ cwd: directory, pid: process.pid }).context);
    try {
      for (const name of ['HEAD', 'refs/heads/main', 'refs/heads/side', 'refs/tags/v1']) {
        trying(`reading '${name}'`, [], () => {
          const id = repository.refs.find(name)?.id;
          // An id that is not there cannot be told from one that is meant; using it fails.
          if (id !== undefined && repository.objects.has(id)) refs.set(name, id);
        });
      }
      trying('reading the index', [], () => {
        index = Index.read(repository.indexPath, repository.format).entries.map(({ path, id, mode }) => `${path} ${id} ${mode}`).join('\n');
      });
    } finally {
      repository.objects.close();
    }
  });
  return { objects, refs, index };
}

/** True when all is as it was; what is there and differs is a problem. */
function compareSeen(before: Seen, now: Seen, complain: (problem: string) => void): boolean {
  for (const [id, content] of now.objects) if (before.objects.get(id) !== content) complain(`object ${id} reads as something else`);
  for (const [name, id] of now.refs) if (before.refs.get(name) !== id) complain(`'${name}' reads as ${id}, not ${before.refs.get(name)}`);
  if (now.index !== '' && now.index !== before.index) complain('the index reads as something else');
  return now.objects.size === before.objects.size && now.refs.size === before.refs.size && now.index === before.index;
}
