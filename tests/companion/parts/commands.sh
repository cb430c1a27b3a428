# shellcheck shell=sh
# shellcheck disable=SC2154 # here comes from run.sh
# Every command that the README and the guides name is one that the program takes, and prints what
# stands below it.

"$here/mktree.py" "$here/trees/busy.tree" commands-busy
echo 'bind 01:00.0+10de:2684' >commands-busy/etc/earlybind.conf
commands_run() {
	"$here/commands.py" "$here/commands.tsv" . "$here"/../../README.md \
		"$here"/../../CONTRIBUTING.md "$here"/../../docs/*.md "$here"/../../docs/schema/*.md
}
check commands-of-the-guides commands_run
# A command, an option and an output that are none are found.
commands_wrong() { # TEXT PATTERN
	printf '%b' "$1" >commands-wrong.md
	! "$here/commands.py" commands-none.tsv . commands-wrong.md >said.txt && grep -q "$2" said.txt
}
: >commands-none.tsv
check commands-wrong-command commands_wrong 'say \0140earlybind frobnicate now\0140\n' 'no command "frobnicate"'
check commands-wrong-option commands_wrong '\0140\0140\0140\nearlybind list --frob\n\0140\0140\0140\n' 'no option --frob'
check commands-wrong-output commands_wrong '\0140\0140\0140\n$ earlybind list\nMARK ADDRESS\n\0140\0140\0140\n' 'does not print'
check commands-wrong-target commands_wrong '\0140make frobnicate\0140\n' 'no target frobnicate'
check commands-of-others commands_wrong '\0140\0140\0140\nsudo apt install x\n\0140\0140\0140\n' 'neither how nor why'
check commands-piped commands_wrong '\0140earlybind list | jq -e .frob\0140\n' 'exit code'
