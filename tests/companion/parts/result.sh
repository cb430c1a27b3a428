# shellcheck shell=sh
# shellcheck disable=SC2154 # here comes from run.sh
# --json and -q of the commands that act: the same deed, the same exit code, the same words.

"$here/mktree.py" "$here/trees/alveo.tree" result-alveo
result_words() { # FILE: one line, blanks as they come
	tr -s ' \n' ' ' <"$1"
}
result_same() { # COMMAND ARGUMENT...
	code=0 json=0 quiet=0
	"$EARLYBIND" "$@" >result.txt 2>result.err || code=$?
	"$EARLYBIND" "$@" --json >result.json 2>result-json.err || json=$?
	"$EARLYBIND" "$@" -q >quiet.txt 2>quiet.err || quiet=$?
	"$EARLYBIND" -q "$@" >front.txt 2>front.err || true
	if [ "$code" -ne "$json" ] || [ "$code" -ne "$quiet" ]; then
		echo "exit codes $code, $json, $quiet"
		return 1
	fi
	# With -q what is said of a failure is on the error output.
	cp result.err expected.err
	[ "$code" -eq 0 ] || cat result.txt >>expected.err
	cmp quiet.txt front.txt && diff quiet.err front.err || return
	[ ! -s quiet.txt ] && diff expected.err quiet.err && diff result.err result-json.err &&
		jq -e --argjson code "$code" '.schema == 1 and .exit_code == $code' result.json >/dev/null &&
		jq -r '.messages[]' result.json >messages.txt && jq -r '.errors[]' result.json >errors.txt &&
		diff result.err errors.txt && [ "$(result_words result.txt)" = "$(result_words messages.txt)" ] &&
		cp result.json "documents/$1.$name.json"
}
result() { # NAME COMMAND ARGUMENT...
	name=$1
	shift
	check "$name" result_same "$@"
}
result result-add add 02:00.0 02:00.1 --dry-run --sysroot result-alveo
result result-add-refused add 00:01.0 --dry-run --sysroot result-alveo
result result-add-typo add 02:00.z --dry-run --sysroot result-alveo
result result-add-nowhere add 01:00.0 --dry-run --sysroot nowhere
result result-keep keep 02:00.0 --dry-run --sysroot result-alveo
result result-remove remove 01:00.0 --dry-run --sysroot configured
result result-remove-none remove 02:00.0 --dry-run --sysroot result-alveo
result result-apply apply --dry-run --sysroot result-alveo
result result-cmdline cmdline --sysroot result-alveo
result result-cmdline-nowhere cmdline --sysroot nowhere
result result-cmdline-set cmdline --set --dry-run --sysroot sources-loaders
# Written: what is printed is what the file has.
result_written() {
	"$EARLYBIND" add 02:00.1 --sysroot result-alveo --json >result.json &&
		jq -e '.written and .next == ["earlybind apply"] and
			[.devices[].address] == ["0000:02:00.1"]' result.json &&
		jq -r '.changes[].after' result.json >changes.txt &&
		tail -n 1 result-alveo/etc/earlybind.conf | diff changes.txt - &&
		"$EARLYBIND" remove 02:00.1 --sysroot result-alveo -q >quiet.txt 2>&1 && [ ! -s quiet.txt ] &&
		! grep -q '^bind' result-alveo/etc/earlybind.conf
}
check result-written result_written
# The document is whole, or there is a message and an exit code.
result_full() {
	code=0
	"$EARLYBIND" keep 02:00.1 --dry-run --sysroot result-alveo --json >/dev/full 2>result.err || code=$?
	[ "$code" -eq 1 ] && grep -q 'cannot be written' result.err
}
check result-full-disk result_full
