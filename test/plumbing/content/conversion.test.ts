import test from 'ava';
import { caseLines } from '../../helpers/case-lines.js';
import { type Case, bothFormats, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { skipWithoutGit } from '../../helpers/stock-git.js';

/** A filter process that turns content around, and refuses what holds FAIL. */
const turner = `
const fs = require('fs');
const read = (n) => { const b = Buffer.alloc(n); for (let at = 0; at < n;) { const got = fs.readSync(0, b, at, n - at, null); if (got === 0) process.exit(0); at += got; } return b; };
const list = () => { const all = []; for (;;) { const n = parseInt(read(4).toString(), 16); if (n === 0) return all; all.push(read(n - 4)); } };
const say = (b) => fs.writeSync(1, Buffer.concat([Buffer.from((b.length + 4).toString(16).padStart(4, "0")), Buffer.from(b)]));
const end = () => fs.writeSync(1, "0000");
list(); say("git-filter-server\\n"); say("version=2\\n"); end();
list(); say("capability=clean\\n"); say("capability=smudge\\n"); end();
for (;;) {
  list();
  const content = Buffer.concat(list());
  if (content.includes("FAIL")) { say("status=error\\n"); end(); continue; }
  say("status=success\\n"); end();
  const turned = Buffer.from(content).reverse();
  for (let at = 0; at < turned.length; at += 999) say(turned.subarray(at, at + 999));
  end(); end();
}
`;

const fixture = `
printf '%s\\n' '*.id ident' '*.up filter=up' '*.req filter=req' '*.none filter=none' '*.proc filter=proc' '*.both filter=both' '*.mix filter=up ident text eol=crlf' \\
  '*.u16 working-tree-encoding=UTF-16' '*.le working-tree-encoding=UTF-16LE' '*.bom working-tree-encoding=UTF-16LE-BOM eol=crlf' \\
  '*.l1 working-tree-encoding=ISO-8859-1' '*.sj working-tree-encoding=SHIFT-JIS' '*.u32 working-tree-encoding=UTF-32BE' '*.odd working-tree-encoding=no-such' '*.set working-tree-encoding' > .gitattributes
cat > ../turner.cjs <<'SCRIPT'
${turner}
SCRIPT
git config filter.up.clean 'tr a-z A-Z'; git config filter.up.smudge 'tr A-Z a-z; : %f %%'
git config filter.req.required true; git config filter.req.clean 'grep -v x'; git config filter.req.smudge cat
git config filter.proc.process "node '$PWD/../turner.cjs'"
git config filter.both.clean 'sed s/b/a/'; git config filter.both.smudge 'sed s/a/b/'
printf '$Id$ a $Id: foo$ $Id: a b c$\\n$Id\\n$Id: x\\ny$' > a.id; echo hello > 'b c.up'; echo hi > c.none; echo axc > d.both; echo ok > e.req; printf 'rev\\n' > f.proc; printf 'FAIL\\n' > g.proc
printf '\\377\\376a\\000\\n\\000' > h.u16; printf 'a\\000\\n\\000' > i.le; printf '\\377\\376a\\000\\r\\000\\n\\000' > j.bom; printf 'f\\374r\\n' > k.l1; printf '\\202\\240\\\\~\\n' > l.sj
printf '$Id: old$\\r\\nx\\r\\n' > m.mix; printf '\\000\\000\\000a' > n.u32; : > empty.u16; yes long | head -3000 > o.proc
git add .; git commit -qm filters`;

const names = ['a.id', 'b c.up', 'c.none', 'd.both', 'e.req', 'f.proc', 'g.proc', 'h.u16', 'i.le', 'j.bom', 'k.l1', 'l.sj', 'm.mix', 'n.u32', 'empty.u16', 'o.proc'];

for (const format of bothFormats) {
  test(`content is converted on its way in and out as git converts it, ${format}`, async (t) => {
    if (skipWithoutGit(t)) return;
    const cases: Case[] = [
      { argv: ['hash-object', ...names], readsOnly: true }, { argv: ['hash-object', '--no-filters', ...names], readsOnly: true },
      ...names.map((name): Case => ({ argv: ['cat-file', '--filters', `HEAD:${name}`], readsOnly: true })),
      { argv: ['cat-file', '--filters', '--path=x.up', 'HEAD:c.none'], readsOnly: true },
      { argv: ['hash-object', '--stdin', '--path=x.id'], stdin: '$Id: x$', readsOnly: true },
      { argv: ['hash-object', '-w', '--stdin', '--path=x.up'], stdin: 'shout' },
      { argv: ['hash-object', '--stdin', '--path=x.req'], stdin: 'x\n', readsOnly: true },
      { argv: ['update-index', '--refresh'] },
      ...caseLines(`
        read-tree --empty
        read-tree --reset -u HEAD
        update-index --refresh
        diff-files
        checkout-index -f -a
        status --porcelain
        ls-files --eol
      `),
    ];
    await compareWithGit(t, makeRepository(t, format, fixture), cases);
  });
}

test('what cannot be encoded, or fails a filter that is required, is refused as by git', async (t) => {
  if (skipWithoutGit(t)) return;
  const contents = {
    'none.u16': 'a\\n', 'big.u16': '\\376\\377\\000a', 'mark.le': '\\377\\376a\\000', 'half.le': 'a', 'none.bom': 'a', 'cut.sj': '\\201', 'any.l1': '\\200\\377',
    'three.u32': 'abc', 'a.odd': 'a', 'a.set': 'a', 'no.req': 'x\\n', 'some.req': 'x\\ny\\n',
  };
  const files = Object.entries(contents).map(([name, content]) => `printf '${content}' > ${name}`).join('; ');
  const repository = makeRepository(t, 'sha1', `${fixture}; ${files}`);
  await compareWithGit(t, repository, Object.keys(contents).flatMap((name): Case[] => [
    { argv: ['hash-object', name] }, { argv: ['update-index', '--add', name] }, { argv: ['cat-file', '--filters', `:${name}`] },
  ]));
});

test('a driver that only is required, or whose process is no such program, is an error as with git', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', `${fixture}; git config --unset filter.req.clean; git config filter.req.smudge 'exit 1'; git config filter.both.clean 'cat > /dev/null; exit 3'; git config filter.proc.process 'no-such-program-here'`);
  await compareWithGit(t, repository, caseLines(`
    hash-object e.req
    cat-file --filters HEAD:e.req
    hash-object f.proc
    cat-file --filters HEAD:f.proc
    hash-object d.both
  `, { readsOnly: true }));
});
