# shellcheck shell=sh
# shellcheck disable=SC2154 # here and so on are of run.sh
# What four newcomers type, from the first look to their goal, without a wrong turn.

# A session has an environment of its own: what a sanitizer has to say would be among its output.
[ "$SUITE" != companion-asan ] || return 0

for story in "$here"/../../docs/stories/*.md; do
	name=$(basename "$story" .md)
	[ "$name" != README ] || continue
	if $update; then
		"$here/stories.py" -u "$story"
	fi
	check "story-$name" "$here/stories.py" "$story"
done
# A wrong turn and another output are found.
story_fails() { # COMMAND PATTERN
	printf '%s\n' '# Wrong' '' '<!-- machine alveo -->' '```' "~# $1" '```' '' '<!-- figures: before: 7/3 -->' '' '' >wrong.md
	! "$here/stories.py" wrong.md >said.txt && grep -q "$2" said.txt
}
check story-wrong-turn story_fails 'earlybind add frobnitz' '1 commands, 1 wrong turns; before: 7/3'
check story-other-output story_fails 'earlybind version' '^+earlybind [0-9]'
