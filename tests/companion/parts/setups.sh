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
check setups-count test "$(wc -l <setups.txt)" -ge 60
