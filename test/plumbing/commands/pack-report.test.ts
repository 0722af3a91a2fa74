import test from 'ava';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cairn } from '../../helpers/cairn.js';
import { type Case, bothFormats, compareFinished, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { makeSandbox } from '../../helpers/sandbox.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

const history = `
for i in 1 2 3 4 5 6; do seq 1 $((200 + i)) > numbers; echo $i > small; git add .; git commit -qm "change $i"; done; git tag -am t v1
git repack -q -a -d; echo loose > loose; git add loose; cp .git/objects/pack/*.idx .git/x; git -c gc.auto=0 unpack-objects -q < /dev/null || true
`;

for (const format of bothFormats) {
  test(`count-objects counts as git does (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `${history}
      git clone -q --shared . ../shared; head -c 30000 /dev/urandom | git hash-object -w --stdin; head -c 3000000 /dev/urandom | git hash-object -w --stdin
      git cat-file blob HEAD:small > s; rm -f .git/x; echo x > .git/objects/pack/tmp_pack_1; echo xy > .git/objects/pack/pack-1.idx; echo x > .git/objects/pack/pack-2.keep
      d=$(ls -d .git/objects/?? | head -1); echo garbage > $d/tmp_obj_x`);
    const cases: Case[] = [[], ['-v'], ['-H'], ['-vH'], ['--verbose', '--human-readable'], ['-v', '--no-human-readable'], ['--nonsense']]
      .map((options) => ({ argv: ['count-objects', ...options], readsOnly: true }));
    await compareWithGit(t, repository, cases);
    const shared = { cwd: join(repository, '../shared') };
    compareFinished(t, 'with an alternate', git(['count-objects', '-v'], shared), await cairn(['count-objects', '-v'], shared));
  });

  test(`verify-pack lists what git lists (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, history);
    const packs = '.git/objects/pack';
    const name = readdirSync(join(repository, packs)).find((file) => file.endsWith('.idx'))!.slice(0, -4);
    const idx = `${packs}/${name}.idx`;
    const cases: Case[] = [[idx], ['-v', idx], ['-s', idx], ['-v', '-s', idx], ['-v', `${packs}/${name}`], ['-v', `${packs}/${name}.pack`, idx], ['none.idx'], ['-v', 'none', idx], []]
      .map((options) => ({ argv: ['verify-pack', ...options], readsOnly: true }));
    await compareWithGit(t, repository, cases);
    const outside = { cwd: makeSandbox(t), env: { GIT_DIR: undefined } };
    const argv = ['verify-pack', '-v', `--object-format=${format}`, join(repository, idx)];
    compareFinished(t, 'outside of a repository', git(argv, outside), await cairn(argv, outside));
    for (const suffix of ['.pack', '.idx']) {
      const path = join(repository, packs, name + suffix);
      const good = readFileSync(path);
      for (const at of [2, 30, Math.floor(good.length / 2), good.length - 3]) {
        const bytes = Buffer.from(good);
        bytes[at] = bytes[at]! ^ 0x10;
        rmSync(path);
        writeFileSync(path, bytes);
        t.is((await cairn(['verify-pack', idx], { cwd: repository })).code, 1, `${suffix} byte ${at}`);
        t.is(git(['verify-pack', idx], { cwd: repository }).code, 1);
      }
      writeFileSync(path, good);
    }
  });
}
