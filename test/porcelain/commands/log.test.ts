import test from 'ava';
import { cairn, cairnOutput } from '../../helpers/cairn.js';
import { caseLines } from '../../helpers/case-lines.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { richHistory } from '../../helpers/rich-history.js';
import { gitOutput, skipWithoutGit } from '../../helpers/stock-git.js';

const options: readonly (readonly string[])[] = [
  [], ['--oneline'], ['--oneline', '-3'], ['--oneline', '-n', '3'], ['-n3'], ['--max-count=2', '--skip=1'],
  ['--all', '--oneline'], ['--graph', '--oneline', '--all'], ['--graph', '--all'], ['--graph', '-p'], ['--graph', '--stat'],
  ['--graph', '--format=%h%n%s'], ['--graph', '--format=format:%h%n%s'], ['--graph', '--format=%B'],
  ['--graph', '--date-order', '--oneline', '--all'], ['--graph', '--author-date-order', '--oneline', '--all'],
  ['--graph', '--boundary', '--oneline', 'v1..main'], ['--graph', '--boundary', 'v1..topic'],
  ['--graph', '--first-parent', '--oneline'], ['--graph', '--left-right', '--oneline', 'topic...conflict'],
  ['--left-right', '--oneline', 'topic...conflict'], ['--left-right', 'topic...conflict'],
  ['--boundary', '--oneline', 'v1..topic'], ['--graph', '--color=always', '--all'],
  ['--graph', '--color=always', '--oneline', '--decorate', '--all'], ['--color=always'], ['--color=always', '-p'],
  ['--color=always', '--stat'], ['--decorate'], ['--decorate=full'], ['--decorate=short', '--oneline'],
  ['--decorate=auto', '--oneline'], ['--decorate=no'], ['--no-decorate', '--oneline'],
  ['--decorate', '--clear-decorations', '--oneline'], ['--decorate', '--decorate-refs=refs/tags/*', '--oneline', '--all'],
  ['--decorate', '--decorate-refs-exclude=refs/tags/*', '--oneline', '--all'],
  ['--decorate', '--decorate-refs=heads', '--oneline', '--all'],
  ['--decorate', '--decorate-refs-exclude=v1', '--oneline', '--all'], ['--format=%d', '--all'], ['--format=%D', '--all'],
  ['--color=always', '--format=%C(auto)%h%d', '--all'], ['--format=%C(red)%h%C(reset)'],
  ['--color=always', '--format=%C(red)%h%C(reset)'], ['--format=%Cred%h%Creset'], ['--color=always', '--format=%Cred%h%Creset'],
  ['--stat'], ['-p'], ['--patch'], ['-u'], ['--numstat'], ['--shortstat'], ['--name-only'], ['--name-status'], ['--summary'],
  ['--raw'], ['--raw', '--abbrev=10'], ['--raw', '--no-abbrev'], ['--stat', '-p'], ['--stat', '--summary'], ['--raw', '-p'],
  ['--oneline', '-p'], ['--oneline', '--stat'], ['--oneline', '--raw'], ['--oneline', '--name-only'],
  ['--format=%h', '--name-only'], ['--format=%h', '-p'], ['--format=format:%h', '-p'], ['--format=format:%h', '--stat'],
  ['--format=format:%h'], ['--format=', '--name-only'], ['--format=format:', '--name-only'], ['--pretty=tformat:', '--stat'],
  ['--pretty=oneline'], ['--pretty=short'], ['--pretty=medium'], ['--pretty=full'], ['--pretty=fuller'], ['--pretty=raw'],
  ['--pretty=reference'], ['--pretty=one'], ['--pretty'], ['--pretty=raw', '--all'], ['--pretty=nonsense'],
  ['--pretty=full', '-p', '-m'], ['-m', '--oneline', '-p'], ['-c', '-p'], ['--cc'], ['--cc', '--stat'],
  ['-m', '--stat', '--oneline'], ['-c', '--raw'], ['--diff-merges=first-parent', '-p'], ['--diff-merges=off', '-p'],
  ['--diff-merges=separate', '--stat'], ['--diff-merges=combined'], ['--first-parent', '-p'], ['--first-parent', '--stat'],
  ['--first-parent', '--oneline'], ['--no-merges', '--oneline'], ['--min-parents=3', '--oneline'],
  ['--max-parents=0', '--all', '--oneline'], ['--reverse', '--oneline'], ['--reverse', '-3', '--oneline'], ['--reverse', '-p'],
  ['--since=2005-04-08T01:00:00', '--oneline'], ['--until=2005-04-08T01:00:00', '--oneline'],
  ['--after=2005-04-08T10:00:00', '--before=2005-04-08T20:00:00', '--oneline'], ['--author=Thor', '--oneline'],
  ['--author=J R', '--oneline'], ['--committer=Mitter', '--oneline'], ['--grep=topic', '--oneline'],
  ['--grep=topic', '-i', '--oneline'], ['--grep=Topic', '--grep=#12', '--all-match', '--oneline'],
  ['--grep=^Change', '--oneline'], ['--grep=(Topic|Main)', '-E', '--oneline'], ['--grep=(Topic', '-F', '--oneline'],
  ['--grep=Topic\\|Main', '--oneline'], ['--invert-grep', '--grep=opic', '--oneline'], ['--branches', '--oneline'],
  ['--branches=feat*', '--oneline'], ['--tags', '--oneline'], ['--remotes', '--oneline'], ['--glob=refs/other', '--oneline'],
  ['--exclude=refs/heads/*', '--all', '--oneline'], ['--not', 'v1', '--not', '--all', '--oneline'], ['v1..main', '--oneline'],
  ['v1...', '--oneline'], ['^v1', 'main', '--oneline'], ['main', '--', 'src'], ['--oneline', '--', 'src'], ['--oneline', 'src'],
  ['--oneline', '--', 'src/deep', 'docs'], ['--oneline', '--full-history', '--', 'src'],
  ['--oneline', '--full-history', '--parents', '--', 'src'], ['--oneline', '--parents'], ['--oneline', '--children'],
  ['--parents', '-2'], ['--children', '-2'], ['--oneline', '--graph', '--', 'src'],
  ['--graph', '--oneline', '--full-history', '--', 'src'], ['--stat', '--', 'src'], ['--full-diff', '--stat', '--', 'src/deep'],
  ['--follow', 'docs/manual.txt'], ['--follow', '--oneline', 'docs/manual.txt'],
  ['--follow', '--stat', '--', 'docs/manual.txt'], ['--follow', '-p', 'docs/manual.txt'],
  ['--follow', '--name-status', 'docs/manual.txt'], ['--follow', '-M', '--oneline', 'src/deep/new.c'],
  ['--follow', 'src', 'docs'], ['--follow'], ['--date=iso'], ['--date=iso-strict'], ['--date=rfc'], ['--date=short'],
  ['--date=raw'], ['--date=unix'], ['--date=local'], ['--date=iso-local'], ['--date=format:%Y/%m/%d'], ['--date=nonsense'],
  ['--abbrev-commit'], ['--abbrev-commit', '--abbrev=12'], ['--oneline', '--no-abbrev-commit'], ['--oneline', '--abbrev=20'],
  ['--no-abbrev', '--oneline'], ['--topo-order', '--oneline', '--all'], ['--date-order', '--oneline', '--all'], ['-g'],
  ['-g', '--oneline'], ['-g', 'main', '--oneline'], ['-g', '--date=iso'],
  ['-g', '--format=%gd %gD %gs %gn %ge'], ['-g', '-2'], ['--walk-reflogs', '--pretty=short'],
  ['-g', '--all', '--oneline'], ['-g', '--stat'], ['-g', '--graph'],
  ['-g', '--reverse'], ['--source', '--oneline', '--all'], ['--source', '--all'], ['-z', '--oneline'], ['-z'],
  ['-z', '--format=%h'], ['-z', '--format=format:%h'], ['-z', '--name-only'], ['-z', '--raw', '--oneline'], ['-z', '-p'],
  ['-z', '--stat'], ['--no-walk', 'v0', 'v1', 'main', '--oneline'], ['--no-walk=unsorted', 'v0', 'main', 'topic', '--oneline'],
  ['--no-walk=sorted', 'v0', 'main', 'topic', '--oneline'], ['--do-walk', 'v1', '--oneline'], ['-S', 'five', '--oneline'],
  ['-G', 'twenty', '--oneline'], ['-S', 'five', '-p'], ['-S', 'five', '--pickaxe-all', '--stat'],
  ['--diff-filter=A', '--name-only'], ['--diff-filter=D', '--oneline'], ['--diff-filter=R', '--name-status'],
  ['-M', '--name-status'], ['-C', '--name-status'], ['--no-renames', '--name-status'], ['-R', '-p', '-2'], ['-U1', '-p'],
  ['-w', '-p', '-3'], ['--root', '-p', '--max-parents=0'], ['-s'], ['-p', '-s'], ['--no-patch'], ['--quiet', '--oneline'],
  ['nothing'], ['nothing', '--'], ['--', 'nothing'], ['nothing', 'main'], ['v1', 'nothing'], ['main:src'], ['v1:src/main.c'],
  ['treetag'], ['blobtag'], ['HEAD^{tree}'], ['v1'], ['vv'], ['v1', 'v2', '--oneline'], ['--oneline', ':/Topic'],
  ['--oneline', 'HEAD^2', 'HEAD~3'], ['@'], ['HEAD@{1}', '--oneline'], ['--expand-tabs'], ['--no-expand-tabs'],
  ['--expand-tabs=4'], ['--expand-tabs=0'], ['--pretty=oneline', '--abbrev-commit', '--no-decorate'], ['--encoding=ISO-8859-1'],
  ['--encoding=UTF-8', '-1'], ['--format=%h %an <%ae> %ad|%cn %ce %cd'],
  ['--format=%T %t %P %p %H %h %e'], ['--format=%s|%f|%b|%B'], ['--format=%x00%x41%n%%'],
  ['--format=%m', 'topic...conflict'], ['--format=%(trailers)', 'v0'], ['--format=%(trailers:only,unfold)', 'v0'],
  ['--format=%(trailers:key=Signed-off-by,valueonly)', 'v0'], ['--format=%<(20)%s|%>(20)%an|%><(20)%h|'],
  ['--format=%<(10,trunc)%s|%<(10,ltrunc)%s|%<(10,mtrunc)%s'], ['--format=%w(20,2,4)%b'], ['--format=%+s%-b% s'],
  ['--format=%S', '--all'], ['--format=%N'], ['--format=%zz %q'], ['--format=%an%'],
  ['-1', '--format=%s%n%n'], ['-3', '--format=%n'], ['-3', '--format=%b'], ['-3', '--format=format:%b', '--stat'],
  ['--graph', '-3', '--format=format:%b'], ['--graph', '--name-status'], ['--graph', '--raw', '--oneline'],
  ['--graph', '-p', '--stat'], ['--graph', '--color=always', '-p'], ['--graph', '--shortstat', '--format=%h'],
  ['--graph', '--pretty=raw'], ['--graph', '--parents', '--oneline'], ['--graph', '--no-walk'], ['--graph', '--reverse'],
  ['--graph', '--no-merges', '--oneline'], ['--graph', '--grep=opic', '--oneline'], ['--graph', '--author=Ré', '--oneline'],
  ['--graph', '-5', '--oneline'], ['--graph', '--skip=3', '--oneline'], ['--graph', '--since=2005-04-08T01:00:00', '--oneline'],
  ['--cherry-mark', '--oneline', 'topic...conflict'], ['--cherry-pick', '--oneline', 'topic...conflict'],
  ['--cherry', '--oneline', 'topic...conflict'], ['--left-only', '--oneline', 'topic...conflict'],
  ['--right-only', '--oneline', 'topic...conflict'], ['--ancestry-path', 'v1..main', '--oneline'], ['-n', '0'],
  ['--max-count=-1', '--oneline'], ['--skip=100'], ['--notes'], ['--no-notes'], ['--oneline', '--format=%s'],
  ['--format=%s', '--oneline'], ['--abbrev-commit', '--pretty=oneline'], ['--abbrev-commit', '--parents', '-3'],
  ['--compact-summary'], ['--patch-with-stat'], ['--patch-with-raw'], ['--stat=40'], ['--stat=100,30,1'], ['--stat-count=1'],
  ['--relative'], ['--relative=src', '--stat'], ['--text', '-p'], ['--full-index', '-p'], ['--no-prefix', '-p', '-2'],
  ['--src-prefix=x/', '--dst-prefix=y/', '-p', '-2'], ['-t', '--raw'], ['-r', '--raw'], ['--ignore-missing', 'nonesuch'],
  ['--default', 'topic', '--oneline'], ['--reflog', '--oneline'], ['--graph', '-S', 'five', '--oneline'],
  ['--graph', '-S', 'five'], ['--diff-filter=M', '--oneline'], ['--diff-filter=M', '--oneline', '-m'],
  ['--graph', '--diff-filter=A', '--oneline'], ['--graph', '--diff-filter=A', '--stat'], ['--no-walk', 'v0..v1', '--oneline'],
  ['-g', '--all'], ['-g', 'refs/heads/main', '-1'], ['-m', '--first-parent', '-p', '--oneline'],
  ['--first-parent', '--cc', '--oneline'], ['--diff-merges=separate', '--first-parent'],
  ['--ignore-missing', 'nonesuch', '--', 'src'], ['--clear-decorations', '--decorate-refs=refs/tags/v1', '--decorate'],
  ['--decorate-refs=v1', '--clear-decorations', '--decorate'], ['--remotes', '--source', '--oneline'],
  ['--source', '--tags', '--glob=heads', '--oneline'], ['--pretty=', '-3'], ['--format=format:', '-3'],
  ['--expand-tabs=3', '--pretty=raw'], ['--encoding=ISO-8859-1', '--pretty=raw', '-1'],
  ['--notes'], ['--oneline', '--notes', '-p'], ['--notes=build'], ['--notes=build', '--notes'], ['--notes=*'], ['--format=%h%N'], ['--format=%h', '--notes'],
  ['--pretty=raw', '--notes'], ['--graph', '--oneline', '--notes'], ['--notes', '--no-notes', '--notes=build'], ['--no-notes', '--stat'],
];

/** Options, and what is put into the configuration for them. */
const configured: readonly (readonly [string, readonly string[]])[] = [
  ['log.date=iso', []], ['log.date=short', ['--date=raw']], ['log.decorate=short', ['--oneline']], ['log.decorate=full', []], ['log.abbrevCommit=true', []],
  ['log.abbrevCommit=true', ['--no-abbrev-commit']], ['log.showRoot=false', ['-p']], ['log.showRoot=false', ['-p', '--root']], ['log.follow=true', ['--oneline', 'docs/manual.txt']],
  ['format.pretty=oneline', []], ['format.pretty=%h %s', ['--graph']], ['pretty.mine=%h|%s', ['--pretty=mine']], ['log.excludeDecoration=v1', ['--decorate', '--oneline']],
  ['log.initialDecorationSet=all', ['--decorate', '--oneline']], ['core.abbrev=12', ['--oneline']], ['diff.renames=copies', ['--name-status']],
  ['color.diff.commit=red', ['--color=always', '--decorate', '-2']], ['color.decorate.branch=blue ul', ['--color=always', '--decorate', '-2']],
  ['log.graphColors=blue,red', ['--color=always', '--graph', '--oneline']], ['color.ui=always', ['--oneline', '-p', '-3']], ['core.quotePath=false', ['--stat']],
  ['core.notesRef=refs/notes/build', []], ['notes.displayRef=refs/notes/*', ['-4']], ['i18n.logOutputEncoding=ISO-8859-1', ['-2']],
];

for (const format of bothFormats) {
  test(`log prints what git prints (${format})`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cases: Case[] = options.map((words) => ({ argv: ['log', ...words], readsOnly: true }));
    // What does not depend on the length of ids is compared with one format.
    await compareWithGit(t, makeRepository(t, format, richHistory), format === 'sha1' ? cases : cases.filter((_one, index) => index % 6 === 0));
  });
}

test('log heeds the configuration as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const cases: Case[] = configured.map(([setting, words]) => {
    const [name, ...value] = setting.split('=');
    return { argv: ['log', ...words], env: { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: name!, GIT_CONFIG_VALUE_0: value.join('=') }, readsOnly: true };
  });
  await compareWithGit(t, makeRepository(t, 'sha1', richHistory), cases);
});

test('mails have the headers and the text git gives them', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `
    export GIT_AUTHOR_DATE='1700000000 +0100' GIT_COMMITTER_DATE='1700000000 +0100'
    printf 'one\\n' > f; git add f; git commit -qm one
    printf 'two\\n' > f; git commit -qam 'a subject that is rather long and goes on and on, beyond the seventy eight columns there are
continued on a second line

body
From here it could be another mail
>From there as well
	tab

Signed-off-by: x'
    GIT_AUTHOR_NAME='Jörg Müller' git commit -q --allow-empty -m 'drei: äöü_=? nicht in ASCII

body ü'
    GIT_AUTHOR_NAME='Doe, J. "Q" \\x' git commit -q --allow-empty -m 'ascii subject

body ü'
    git checkout -q -b side HEAD~2; printf 'three\\n' > g; git add g; git commit -qm side; git checkout -q main; git merge -q -m 'merge it' side
    git commit -q --allow-empty -m 'eine lange betreffzeile mit umlauten äöüäöüäöüäöüäöüäöüäöüäöü und noch mehr text äöü'
    GIT_AUTHOR_NAME='Jörgüäöüäöüäöü Mülleräöüäöüäöüäöüäöüäöü Langnameäöüäöüäöü' git commit -q --allow-empty --cleanup=verbatim -m '

  blank before  

body

'
    GIT_AUTHOR_NAME='Averyveryverylongname Andanotherveryveryverylongname Andanotherveryveryverylongnameagain Third' git commit -q --allow-empty -m '=?x'
    git notes add -m 'a note' HEAD~1; git notes add -m 'another note' HEAD~5`);
  await compareWithGit(t, repository, caseLines(`
    log --format=email
    log --format=email -p
    log --format=mboxrd --stat -p
    log --format=email --graph --stat
    log --format=mboxrd -z --raw
    log --format=email -m --raw
    log --format=e -3 --date=iso --log-size --decorate --source --parents --color
    log -g --format=email -3
    log --format=email --notes --stat -p
    log --format=email --line-prefix=XX -2 --stat
    log --no-encode-email-headers --format=email
    -c format.encodeEmailHeaders=false log --format=email
    -c format.encodeEmailHeaders=false log --format=email --encode-email-headers
    -c format.subjectPrefix=RFC log --format=email
    -c format.subjectPrefix= log --format=email
    -c i18n.logOutputEncoding=ISO-8859-1 log --format=email
    show --format=email HEAD HEAD~2 HEAD~4
    show --format=mboxrd --stat HEAD~6 HEAD~7
    rev-list --format=email HEAD
    rev-list --format=mboxrd --graph HEAD
    diff-tree --format=email --stat -p HEAD~6
    diff-tree --format=mboxrd --notes --always -p HEAD~5
    diff-tree --encode-email-headers --always --format=email HEAD~5
    diff-tree -m --format=email HEAD~3
    diff-tree -c --format=email -p HEAD~3
    diff-tree -c -v -z HEAD~3
    diff-tree -c --format= -p HEAD~3
    diff-tree -c --format=%h -p HEAD~3
  `, { readsOnly: true }));
});

test('the graph takes its share of the columns of --stat', async (t) => {
  if (skipWithoutGit(t)) return;
  const words = [['--graph', '--stat'], ['--graph', '--stat', '--color=always'], ['--graph', '--stat=40'], ['--stat']];
  await compareWithGit(t, makeRepository(t, 'sha1', 'seq 200 > many\ngit add many\ngit commit -q -m many'),
    words.map((options) => ({ argv: ['log', ...options], env: { COLUMNS: '40' }, readsOnly: true })));
});

test('log works below the top, in a bare repository and in one without commits', async (t) => {
  if (skipWithoutGit(t)) return;
  const below = [['--oneline', '.'], ['--oneline', 'main.c'], ['--stat', '--relative'], ['--oneline', '../docs'], ['--oneline', ':/docs'], ['--name-only', ':!deep', '.'], ['--follow', '--oneline', '../docs/manual.txt']];
  await compareWithGit(t, makeRepository(t, 'sha1', richHistory), below.map((words) => ({ argv: ['log', ...words], subdirectory: 'src', readsOnly: true })));
  const bare = makeRepository(t, 'sha256', `${richHistory}\ngit clone -q --bare --mirror . bare.git`);
  await compareWithGit(t, `${bare}/bare.git`, [['--oneline'], ['--all', '--graph'], ['--oneline', '--', 'src'], ['--oneline', 'src']].map((words) => ({ argv: ['log', ...words], readsOnly: true })));
  const empty = [[], ['--oneline'], ['--all'], ['HEAD'], ['main'], ['--branches'], ['--', 'x'], ['x'], ['-g']];
  await compareWithGit(t, makeRepository(t, 'sha1', ':'), empty.map((words) => ({ argv: ['log', ...words], readsOnly: true })));
});

test('log refuses what it does not support, and never takes one option for another', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', 'git commit -q --allow-empty -m one');
  for (const [words, code] of [[['-L1,2:f'], 129], [['--remerge-diff'], 129], [['--merge'], 128], [['--runs', 'main'], 129]] as const) {
    t.is((await cairn(['log', ...words], { cwd })).code, code, words.join(' '));
  }
});

test('log --json tells one commit per line, in fields that stay', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', richHistory);
  const lines = (await cairnOutput(['log', '--json', '--numstat', '--first-parent', 'v1'], { cwd })).split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  t.is(lines.length, 2);
  const ident = { name: 'A U Thor', email: 'author@example.com', date: '2005-04-08T02:13:13+02:00', seconds: 1112919193 };
  t.deepEqual(lines[0], {
    id: gitOutput(['rev-parse', 'v1^{commit}'], { cwd }), tree: gitOutput(['rev-parse', 'v1^{tree}'], { cwd }), parents: [gitOutput(['rev-parse', 'v0'], { cwd })],
    author: ident, committer: { name: 'C O Mitter', email: 'committer@example.com', date: '2005-04-07T20:46:33-03:30', seconds: 1112919393 },
    subject: 'Change line 5', body: '', refs: ['refs/tags/vv', 'refs/tags/v1'],
    files: [{
      path: 'src/main.c', status: 'M', oldMode: '100644', newMode: '100644',
      oldId: gitOutput(['rev-parse', 'v0:src/main.c'], { cwd }), newId: gitOutput(['rev-parse', 'v1:src/main.c'], { cwd }), added: 1, deleted: 1,
    }],
  });
  t.regex(String(lines[1]!['body']), /^With a body\twith a tab,|^With a body\tthat has a tab,/);
});

test('log --runs lists every run, the newest first', async (t) => {
  if (skipWithoutGit(t)) return;
  const cwd = makeRepository(t, 'sha1', `
    for n in 1 2 3; do GIT_COMMITTER_DATE="$((1112911993 + n * 60)) +0000" git commit -q --allow-empty -m "run number $n"; git update-ref refs/runs/2005-$n HEAD; done
    git update-ref refs/runs/2005-1-again HEAD~2`);
  const [three, two, one] = gitOutput(['log', '--format=%h'], { cwd }).split('\n');
  t.is(await cairnOutput(['log', '--runs'], { cwd }), `${three} 2005-3 run number 3\n${two} 2005-2 run number 2\n${one} 2005-1-again run number 1\n${one} 2005-1 run number 1`);
  t.is(await cairnOutput(['log', '--runs', '--skip=1', '-n1', '--format=%S'], { cwd }), '2005-2');
  t.is(await cairnOutput(['log', '--runs', '--grep=number 2', '--oneline'], { cwd }), `${two}\t2005-2 run number 2`);
  const records = (await cairnOutput(['log', '--runs', '--json'], { cwd })).split('\n').map((line) => JSON.parse(line) as { run: string });
  t.deepEqual(records.map(({ run }) => run), ['2005-3', '2005-2', '2005-1-again', '2005-1']);
  t.is(await cairnOutput(['log', '--runs'], { cwd: makeRepository(t, 'sha1', ':') }), '');
});
