import test from 'ava';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptError } from '../../pack/errors.js';
import { PackIndex } from '../../pack/pack-index.js';
import { decodeReverseIndex, encodeReverseIndex } from '../../pack/reverse-index.js';
import { bothFormats, makeRepository } from '../helpers/differential.js';
import { skipWithoutGit } from '../helpers/stock-git.js';

for (const format of bothFormats) {
  test(`a reverse index is written as git writes it, and no flipped byte of it is believed (${format})`, (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, `
      for i in 1 2 3 4 5 6 7; do seq 1 $((300 + i)) > numbers; echo $i > small; git add .; git commit -qm "change $i"; done
      git -c pack.writeReverseIndex=true repack -q -a -d`);
    const packs = join(repository, '.git/objects/pack');
    const name = readdirSync(packs).find((file) => file.endsWith('.rev'))!;
    const bytes = readFileSync(join(packs, name));
    const index = PackIndex.decode(readFileSync(join(packs, name.replace('.rev', '.idx'))), format);
    t.deepEqual(encodeReverseIndex(index.positionsByOffset(), index.packChecksum, format), bytes);
    t.deepEqual(decodeReverseIndex(bytes, index.count, index.packChecksum, format), index.positionsByOffset());
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped[at] = flipped[at]! ^ 1;
      t.throws(() => decodeReverseIndex(flipped, index.count, index.packChecksum, format), { instanceOf: CorruptError });
    }
  });
}
