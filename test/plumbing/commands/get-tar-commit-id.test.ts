import test from 'ava';
import { bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

for (const format of bothFormats) {
  test(`get-tar-commit-id finds what git archive left, ${format}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const repository = makeRepository(t, format, 'echo a > a; git add .; git commit -qm a');
    const ofCommit = git(['archive', 'HEAD'], { cwd: repository }).stdoutBytes;
    const ofTree = git(['archive', 'HEAD^{tree}'], { cwd: repository }).stdoutBytes;
    const changed = Buffer.from(ofCommit);
    changed.write('53 common=', 512, 'latin1');
    await compareWithGit(t, repository, [ofCommit, ofTree, ofCommit.subarray(0, 1024), ofCommit.subarray(0, 1000), changed, '', 'x'.repeat(2000)].map((stdin) => (
      { argv: ['get-tar-commit-id'], stdin, readsOnly: true })).concat([{ argv: ['get-tar-commit-id', 'x'], stdin: '', readsOnly: true }]));
  });
}
