import test from 'ava';
import { BaseCache, type KeptBase } from '../../pack/base-cache.js';
import { seededRandom } from '../helpers/sandbox.js';

test('what is kept is found unchanged or not at all, whatever comes and goes, and memory is bounded', (t) => {
  const random = seededRandom(42);
  const cache = new BaseCache(6 * 1024 * 1024);
  const owners = [new Map<number, KeptBase>(), new Map<number, KeptBase>()];
  const sizeOf = (key: number): number => (key % 40 === 0 ? 300_000 + (key % 7) * 200_000 : (key * 7919) % 20_000);
  let hits = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const owner = owners[round % 2]!;
    const key = Math.floor(random() ** 3 * 2000);
    const found = cache.find(owner, key);
    if (found) {
      hits += 1;
      const expected = key % 256;
      // The next content is made from this one: it must survive the room for it being reserved.
      const next = cache.reserve(sizeOf(key + 1));
      next.fill((key + 1) % 256);
      if (found.bytes.length !== sizeOf(key) || found.bytes.some((byte) => byte !== expected)) t.fail(`round ${round}, key ${key}`);
      cache.keep(owner, key + 1, 'blob', next);
      continue;
    }
    const bytes = cache.reserve(sizeOf(key));
    t.is(bytes.length, sizeOf(key));
    bytes.fill(key % 256);
    cache.keep(owner, key, 'blob', bytes);
  }
  t.true(hits > 1000);
  const kept = owners.flatMap((owner) => [...owner.values()]).reduce((sum, { start, end }) => sum + end - start, 0);
  t.true(kept <= 6 * 1024 * 1024);
});
