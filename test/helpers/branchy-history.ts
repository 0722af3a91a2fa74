// A history with branches, merges, renames, a conflict, tags of all kinds and an upstream, made by stock git with fixed dates.

/** A script for makeRepository. */
export const branchyHistory = `
export GIT_AUTHOR_NAME="Änn Author" GIT_AUTHOR_EMAIL=ann@example.com GIT_COMMITTER_NAME=Carl GIT_COMMITTER_EMAIL=carl@example.org
t=1112911993
at() { GIT_AUTHOR_DATE="$((t-30)) +0200" GIT_COMMITTER_DATE="$t -0700" "$@"; }
c() { t=$((t+$2)); at git commit -q --allow-empty -m "$1"; }
printf 'one\\ntwo\\nthree\\n' > a.txt; mkdir -p dir/sub; echo hello > dir/x; echo deep > dir/sub/y; git add .
c "$(printf 'first commit\\n\\nbody of first\\n with indent\\ttab\\n\\nSigned-off-by: A B <a@b>')" 60
git tag v0
echo four >> a.txt; git add .; c second 60
at git tag -a -m 'tag one' v1
git branch side
seq 1 30 > n.txt; git add .; c 'third adds n' 60
sed -i 's/15/fifteen/' n.txt; git mv dir/x dir/z; git add .; c "$(printf 'fourth renames\\nover two lines')" 60
git checkout -q side; echo side > s.txt; git add .; c 'side one' 60
printf 'bin\\000ary' > b.bin; chmod +x a.txt; git add .; c 'side two' 7200
git checkout -q main; t=$((t+10)); at git merge -q --no-ff -m 'Merge side' side
git checkout -q -b topic HEAD~1; echo topic > t.txt; ln -s a.txt link; git add .; c 'topic work' 60
echo t2 >> t.txt; git rm -q dir/sub/y; git add .; c 'fixup! topic work' 60
git checkout -q main; echo m >> a.txt; git add .; c 'Refactor: main goes on' 60
git checkout -q -b conflict HEAD~1; echo conflict >> a.txt; git add .; c conflicting 60
git checkout -q main; at git merge -q conflict >/dev/null 2>&1 || true
printf 'one\\ntwo\\nthree\\nfour\\nm+conflict\\n' > a.txt; git add .; c 'Merge conflict' 60
at git tag -a -m 'release two' v2
git update-ref refs/remotes/origin/main HEAD~2; git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main
git config remote.origin.url /nowhere; git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
git config branch.main.remote origin; git config branch.main.merge refs/heads/main
git tag blobtag $(git rev-parse HEAD:a.txt); git tag treetag HEAD^{tree}
`;
