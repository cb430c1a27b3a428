# shellcheck shell=sh
# Names from files are data, in each format: none ends a line, a word, a comment or a string.
# shellcheck disable=SC2154 # here and so on are of run.sh

mkdir "$work/names"
cd "$work/names" || exit
cp -a ../alveo free
cp -a ../bound taken
for tree in free taken; do
	"$here/hostile_names.py" make "$tree"
done

holds() { # FORMAT ARGUMENT...: whatever the exit code is
	format=$1
	shift
	code=0
	"$EARLYBIND" "$@" >out.txt 2>err.txt || code=$?
	[ "$code" -lt 128 ] && [ "$(cat out.txt err.txt | wc -c)" -gt 0 ] &&
		"$here/hostile_names.py" check "$format" <out.txt &&
		"$here/hostile_names.py" check text <err.txt
}
for tree in free taken; do
	for command in "list" "list --by topology" "list --by rule" "list --accel=all" "plan" "check" "status" \
		"import" "explain 01:00.0" "explain 02:00.0" "cmdline" \
		"add --dry-run --force 01:00.0 01:00.1" "cmdline --set --dry-run" \
		"cmdline --menu-entry --dry-run" "apply --dry-run"; do
		# shellcheck disable=SC2086 # words
		check "names-$tree-$(echo "$command" | tr ' ' '-')" \
			holds text $command --sysroot "$tree"
	done
	for command in "list" "plan" "check" "import"; do
		# shellcheck disable=SC2086 # words
		check "names-$tree-json-$(echo "$command" | tr ' ' '-')" \
			holds json $command --json --sysroot "$tree"
	done
done
for format in libvirt kubevirt prometheus dot json; do
	check "names-export-$format" holds "$format" export "$format" --sysroot taken
done
check names-complete holds complete complete list --sysroot free 0
check names-complete-slot holds complete complete list --sysroot free path=
check names-complete-rules holds complete complete remove --sysroot ../configured ''

imported() {
	"$EARLYBIND" import --write --sysroot free >out.txt 2>&1 || true
	grep -v '^bind  *10ee:\|^bind  *path=\|^bind  *0000:01:00\|^bind  *serial=' free/etc/earlybind.conf >rest.txt
	grep -q '^# from /etc' rest.txt && "$here/hostile_names.py" check config <rest.txt &&
		"$here/hostile_names.py" check text <out.txt
}
rm -f free/etc/earlybind.conf
echo 'root=/dev/sda1 intel_iommu=on' >free/proc/cmdline
check names-import-write imported
cd "$work" || exit
