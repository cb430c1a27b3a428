# shellcheck shell=sh
# Set-ups as people have them: what import makes of them, and that check is no false alarm.
: "${here:?}" "${EARLYBIND:?}" "${tab:?}"

"$here/setups.py" "$EARLYBIND" "$here/setups" setups >setups.txt 2>&1 || echo "setups.py	failed" >>setups.txt
while IFS=$tab read -r name difference; do
	if [ -z "$difference" ]; then
		pass "setup-$name"
	else
		fail "setup-$name" "$difference"
	fi
done <setups.txt
# The table of docs/setups.md is of these.
setups_figures() {
	"$here/setups.py" --figures "$here/setups" >figures.txt &&
		sed -n '/^| system/,/^| all/p' "$here/../../docs/setups.md" | diff - figures.txt
}
check setups-figures setups_figures
check setups-count test "$(wc -l <setups.txt)" -ge 60
