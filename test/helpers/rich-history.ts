// A history with everything log and show have to tell apart: merges with and without conflicts, an octopus, renames, modes, binary
// files, messages in other encodings and with none, tags of tags, of trees and of files, a stash, a second root, notes.

/** A script for makeRepository. */
export const richHistory = `
n=0
at() { n=$((n+1)); export GIT_AUTHOR_DATE="$((1112911993 + n * 3600)) +0200"; export GIT_COMMITTER_DATE="$((1112911993 + n * 3700)) -0330"; }
mkdir -p src/deep docs
i=0; while [ $i -lt 40 ]; do echo "line $i" >>src/main.c; i=$((i+1)); done
printf 'a\\nb\\nc\\n' >docs/guide.txt; printf '\\0\\1\\2' >bin.dat; echo run >tool.sh; ln -s src link
git add .; at; git commit -qm 'First commit

With a body	that has a tab,
and more lines.

Signed-off-by: A U Thor <author@example.com>
Reviewed-by: Somebody <x@y>'
git tag v0
at; sed -i 's/line 5/line five/' src/main.c; git commit -qam 'Change line 5'; git tag -m 'Annotated one' v1
at; git mv docs/guide.txt docs/manual.txt; echo d >>docs/manual.txt; chmod +x tool.sh; git add -A; git commit -qm 'Rename the guide'
git checkout -q -b topic
at; sed -i 's/line 20/line twenty/' src/main.c; echo new >src/deep/new.c; git add .
GIT_AUTHOR_NAME='J R\\303\\251' GIT_AUTHOR_EMAIL=j@r git commit -qm 'Topic: twenty

fix #12'
at; echo more >>src/deep/new.c; git commit -qam 'topic two: more'
git checkout -q main
at; sed -i 's/line 30/line thirty/' src/main.c; git commit -qam 'Main: thirty'
at; git merge -q --no-ff -m 'Merge topic' topic
at; git checkout -q -b conflict HEAD~1; sed -i 's/line 20/LINE 20/; s/line 39/LAST/' src/main.c; git commit -qam 'Conflicting'
git checkout -q main; at
git merge -q conflict >/dev/null || { git checkout -q --theirs src/main.c; sed -i 's/LINE 20/line XX/' src/main.c; git add .; git commit -qm 'Merge with changes'; }
for b in o1 o2 o3; do git checkout -q -b $b HEAD~1; at; echo $b >$b.txt; git add .; git commit -qm "Octo $b"; done
git checkout -q main; at; git merge -q -m 'Octopus' o1 o2 o3
at; rm bin.dat; printf '\\3\\4\\0' >bin2.dat; printf 'no newline' >nonl; git add -A; git commit -qm 'Binary and no newline'
at; git commit -q --allow-empty --allow-empty-message -m ''
at; git commit -q --allow-empty -m 'Empty

   indented paragraph
	tabbed	text

last'
at; printf 'caf\\351\\n' | git -c i18n.commitEncoding=ISO-8859-1 commit -q --allow-empty -F -
git update-ref refs/remotes/origin/main HEAD~2; git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main; git update-ref refs/other/x HEAD~3
git tag -m 'nested' vv v1; git tag blobtag HEAD:tool.sh; git tag -m 'a tree' treetag HEAD^{tree}; git tag -m 'lw' v2
git branch feature/a HEAD~4; echo stashed >>tool.sh; at; git stash -q
git checkout -q --orphan side; git rm -rfq .; at; echo side >side.txt; git add .; git commit -qm 'Another root'; git checkout -q main
at; git notes add -m 'A note
of two lines' HEAD~2; at; git notes --ref=build add -m 'built' v1; at; git notes --ref=build add -m 'again' HEAD~2
`;
