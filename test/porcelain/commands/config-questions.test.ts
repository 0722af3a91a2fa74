import test from 'ava';
import { cairn } from '../../helpers/cairn.js';
import { caseLines } from '../../helpers/case-lines.js';
import { type Case, compareWithGit, makeRepository } from '../../helpers/differential.js';
import { git, skipWithoutGit } from '../../helpers/stock-git.js';

const fixture = `
git config http.https://x.example.com.proxy p1; git config http.proxy p0; git config 'http.https://*.example.com.proxy' p2; git config http.https://x.example.com/path.proxy p3
git config http.https://user@x.example.com.proxy p4; git config http.https://x.example.com/path.other o; git config http.https://y.example.com:444/%7Ea/../b/.empty ''; git config http.bad:url.proxy no
printf '[include]\\n\\tpath = more\\n\\tpath = sub/deep\\n' >> .git/config; mkdir .git/sub dir; printf '[a]\\nb = c\\n[include]\\npath = deeper\\n' > .git/sub/deep; printf '[a]\\nd = e\\n' > .git/sub/deeper
printf '[core]\\n\\tabbrev = 9\\n' > .git/more; echo x > f; git add f; git commit -qm one`;

test('config answers about URLs, colours and values of every type as git does', async (t) => {
  if (skipWithoutGit(t)) return;
  const urls = ['https://x.example.com', 'https://x.example.com/', 'https://x.example.com/path/to', 'https://x.example.com/pathx', 'https://user@x.example.com/path',
    'https://user@x.example.com/', 'https://user:secret@x.example.com', 'https://z.example.com', 'http://y.example.com', 'https://X.EXAMPLE.com:443/p', 'https://x.example.com:444',
    'https://y.example.com:444/b/c', 'https://a.b.example.com', 'file:///x', 'not-a-url', ''];
  const cases = urls.flatMap((url): Case[] => [{ argv: ['config', '--get-urlmatch', 'http', url], readsOnly: true }, { argv: ['config', '--get-urlmatch', 'http.proxy', url], readsOnly: true }]);
  cases.push(...caseLines(`
    config -z --get-urlmatch HTTP https://x.example.com/path
    config --get-urlmatch http.nosuch https://x.example.com
    config --type=bool --get-urlmatch http.proxy https://x.example.com
    config --get-urlmatch http.proxy
    config --get-color color.foo
    config --get-color color.foo 'bold red blue'
    config --get-color '' 'red bold'
    config --get-color color.foo nosuch
    -c color.foo=green config --get-color color.foo red
    -c color.foo=nosuch config --get-color color.foo red
    config --get-colorbool color.diff
    config --get-colorbool color.diff true
    config --get-colorbool color.diff maybe
    -c color.diff=always config --get-colorbool color.diff
    -c color.diff=always config --get-colorbool color.diff false
    -c color.diff=never config --get-colorbool color.diff true
    -c color.ui=always config --get-colorbool color.diff true
    -c diff.color=always config --get-colorbool color.diff true
    -c color.ui=nosuch config --get-colorbool color.diff
    -c x.y=yes config --type=bool-or-str x.y
    -c x.y=some config --bool-or-str x.y
    -c x.y config --type=bool-or-str x.y
    -c x.y=7 config --bool-or-str x.y
    -c x.y=~root/a config --path x.y
    -c x.y=~no-such-user/a config --path x.y
    -c x.y=all config --expiry-date x.y
    config --show-origin --list
    config --show-origin --get a.d
    dir$ config --show-origin --get a.d
    config -f .git/config --includes --show-origin --get a.b
    -C no-such-place rev-parse --git-dir
    -C f rev-parse --git-dir
    -C dir -C .. rev-parse --show-prefix
    --namespace=foo show-ref
    --exec-path=/nowhere rev-parse HEAD
    -p rev-parse HEAD
    --paginate --no-pager rev-parse HEAD
    rev-parse --short HEAD
    ls-files -s --abbrev
    ls-tree --abbrev HEAD
    -c core.abbrev=3 rev-parse --short HEAD
    -c core.abbrev=no rev-parse --short HEAD
    -c core.compression=10 hash-object -w f
    config -t int --get a.b --default 2k
    config -tbool --get a.b --default on
  `, { readsOnly: true }), ...caseLines(`
    config --type=bool-or-str x.y YES
    config --bool-or-str x.y other
  `));
  await compareWithGit(t, makeRepository(t, 'sha1', fixture), cases);
});

test('a core.bare that is neither true nor false stops every command', async (t) => {
  if (skipWithoutGit(t)) return;
  const repository = makeRepository(t, 'sha1', 'echo x > f; git add f; git commit -qm one; git config core.bare fal3e');
  for (const argv of [['rev-parse', 'HEAD'], ['ls-files'], ['cat-file', '-t', 'HEAD'], ['config', 'core.bare'], ['for-each-ref']]) {
    t.is((await cairn(argv, { cwd: repository })).code, git(argv, { cwd: repository }).code, argv.join(' '));
  }
});
