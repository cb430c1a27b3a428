# shellcheck shell=sh
# shellcheck disable=SC2154
# Sourced by run.sh: what this boot did against the state now, the story of one device, and
# bind and release by hand as far as a tree lets them.
# Needs: status

# ---- status: one device, a configuration that changed, by hand, no report --------------------

golden status-one status --sysroot bound 01:00.1
golden status-id status --sysroot bound 10ee:5000
golden status-other status --sysroot bound 02:00.0
golden status-class status --sysroot bound class=12
golden status-typo status --sysroot bound 01:0g
golden status-absent status --sysroot bound 05:00.0
golden status-drift status --sysroot drift
golden status-noted status --sysroot noted
golden status-by-hand status --sysroot by-hand
golden status-no-rule status --sysroot empty
contract status-json-by-hand 1 status --sysroot by-hand
contract status-json-drift 5 status --sysroot drift
status_json() {
	"$EARLYBIND" status --sysroot drift --json >out.json || [ $? -eq 5 ] || return
	jq -e '.devices[0].in_use_by == [{"pid": 4242, "command": "qemu-system-x86",
		"node": "/dev/vfio/1"}] and (.rules_changed | length > 0)' out.json &&
		{ "$EARLYBIND" status --sysroot drift --json 01:00.1 >out.json || [ $? -eq 5 ]; } &&
		jq -e '[.devices[].address] == ["0000:01:00.1"]' out.json
}
check status-json-fields status_json
status_note() {
	"$EARLYBIND" status --sysroot noted --json >out.json || return
	jq -e '.devices[0].note | startswith("its ID changed: ")' out.json
}
check status-json-note status_note

# ---- explain --------------------------------------------------------------------------------

golden help-explain explain --help
golden explain-bound explain --sysroot bound 01:00.0
golden explain-in-use explain --sysroot drift 01:00.1
golden explain-changed explain --sysroot changed 01:00.0
golden explain-not-in-the-image explain --sysroot alveo 01:00.0
golden explain-no-rule explain --sysroot bound 02:00.0
golden explain-nearest-rule explain --sysroot nearest 01:00.1 02:00.1 00:14.0
golden explain-refused explain --sysroot refused 00:01.0 02:00.0 01:00.1 00:14.0
# No command takes out what the kernel command line says.
explain_command_line() {
	cp -r refused elsewhere && rm elsewhere/etc/earlybind.conf &&
		echo 'intel_iommu=on rd.earlybind.bind=00:01.0' >elsewhere/proc/cmdline &&
		"$EARLYBIND" explain --sysroot elsewhere 00:01.0 >out.txt &&
		grep -q '^next: *remove by hand 00:01.0 (command line)$' out.txt
}
check explain-command-line explain_command_line
golden explain-kept explain --sysroot failed 00:02.0
golden explain-failed explain --sysroot failed 01:00.0
golden explain-no-iommu explain --sysroot no-iommu 3b:00.0
golden explain-noted explain --sysroot noted 01:00.0
golden explain-late explain --sysroot late 01:00.0
golden explain-by-hand explain --sysroot by-hand class=12 02:00.1
golden explain-off explain --sysroot off 01:00.0
golden explain-absent explain --sysroot bound 01:00.2 10ee:1234 aaaa:bbbb 05:00.0
golden explain-nothing explain --sysroot bound
golden explain-typo explain --sysroot bound 01:00.0.0
golden explain-no-bus explain --sysroot alveo/etc 01:00.0

# ---- bind and release: what a tree shows of them ---------------------------------------------

golden help-bind bind --help
golden help-release release --help
golden bind-nothing bind
golden bind-tree bind --sysroot alveo 01:00.1
golden bind-typo bind --sysroot alveo --dry-run 01:00.1 01:0g
golden bind-absent bind --sysroot alveo --dry-run 01:00.1 05:00.0
golden bind-timeout bind --sysroot alveo --dry-run --timeout 0 01:00.1
golden bind bind --sysroot alveo --dry-run 01:00.1
golden bind-done bind --sysroot bound --dry-run 01:00.*
golden bind-risky bind --sysroot alveo --dry-run 01:00.0 01:00.1
golden bind-risky-forced bind --sysroot alveo --dry-run --force 01:00.0 01:00.1
golden bind-console bind --sysroot alveo --dry-run 02:00.0
golden bind-console-forced bind --sysroot alveo --dry-run --force 02:00.0 02:00.1
golden bind-bridge bind --sysroot alveo --dry-run --force 00:01.0
golden bind-no-iommu bind --sysroot no-iommu --dry-run 3b:00.0
golden bind-kept bind --sysroot held --dry-run --force 00:14.0
golden bind-used bind --sysroot held --dry-run 02:00.0 03:00.0 01:00.0 00:17.0
golden bind-used-forced bind --sysroot held --dry-run --force 02:00.0 03:00.0 01:00.0 00:02.0
golden bind-stuck bind --sysroot held --dry-run --force 03:00.1
golden bind-several bind --sysroot alveo --dry-run class=12
# -q: nothing where all is done, and why where it is not.
by_hand_quiet() { # CODE ARGUMENT...
	code=0
	"$EARLYBIND" "$2" -q --dry-run --sysroot "$3" "$4" >out.txt 2>err.txt || code=$?
	[ "$code" -eq "$1" ] && [ ! -s out.txt ] || return
	case $1 in
	0) [ ! -s err.txt ] ;;
	*) grep -q "$5" err.txt && grep -q 'nothing was touched' err.txt ;;
	esac
}
check bind-quiet by_hand_quiet 0 bind alveo 01:00.1
check bind-quiet-refused by_hand_quiet 1 bind alveo 02:00.0 'it drives the console'
check release-quiet by_hand_quiet 0 release bound 01:00.1
check release-quiet-used by_hand_quiet 1 release held 03:10.0 'shut the VM down first'
cp -a alveo wrong-rules
echo 'keep 02:00' >wrong-rules/etc/earlybind.conf
golden bind-wrong-rules bind --sysroot wrong-rules --dry-run 01:00.1
golden release-nothing release
golden release-tree release --sysroot bound 01:00.1
golden release release --sysroot bound --dry-run 01:00.0 01:00.1
golden release-other release --sysroot bound --dry-run 02:00.0 01:00.1
golden release-used release --sysroot held --dry-run 03:10.0 01:00.1
golden release-rule release --sysroot held --dry-run 01:00.1
golden release-absent release --sysroot bound --dry-run 05:00.0
# Foreign text is shown, never obeyed: names of processes, of nodes, of devices in reports.
cp -a drift hostile-processes
printf 'a\033[2Jb %%s\n' >hostile-processes/proc/4242/comm
ln -sf "/dev/vfio/1 $(printf '\033[2J')" hostile-processes/proc/4242/fd/22
mkdir -p hostile-processes/sys/bus/pci/devices/0000:01:00.1/a/b
printf 'DEVNAME=\nDEVNAME=../../etc/passwd\nDEVNAME' >hostile-processes/sys/bus/pci/devices/0000:01:00.1/a/b/uevent
golden status-hostile status --sysroot hostile-processes 01:00.1
golden release-hostile release --sysroot hostile-processes --dry-run 01:00.1
damaged_device_report() {
	cp -a by-hand damaged-device
	"$here/mutate.py" 7 200 by-hand/run/earlybind/devices/0000:01:00.1.json sh -c \
		"cp \$0 damaged-device/run/earlybind/devices/0000:01:00.1.json &&
		{ '$EARLYBIND' explain --sysroot damaged-device 01:00.1 || [ \$? -eq 1 ]; } &&
		'$EARLYBIND' release --dry-run --sysroot damaged-device 01:00.1" @
}
check live-survives-damaged-reports damaged_device_report

# Only root touches anything.
not_root() {
	cp "$EARLYBIND" for-all
	chmod 755 for-all .
	for command in bind release; do
		code=0
		setpriv --reuid 65534 --clear-groups ./for-all "$command" 01:00.1 2>err.txt || code=$?
		[ "$code" -eq 1 ] || return
		grep -q "only root may do that: sudo earlybind $command" err.txt || return
	done
}
check bind-needs-root not_root

# ---- how the host gets a card back ------------------------------------------------------------

# Each command that status and explain give is one that would be carried out.
give_back() { # TREE PATTERN COMMAND ARGUMENT...
	tree=$1
	pattern=$2
	shift 2
	"$EARLYBIND" "$@" --sysroot "$tree" >said.txt 2>&1 || true
	tr -s ' \n' ' ' <said.txt >said.line
	grep -q -e "$pattern" said.line || return
	grep -oE '"earlybind (remove|keep|release) [^"]*"' said.line | tr -d '"' >commands.txt
	while read -r _ command; do
		eval "set -- $command"
		"$EARLYBIND" "$@" --sysroot "$tree" --dry-run </dev/null || return
	done <commands.txt
}
check give-back-status give_back bound \
	'now, until the next boot: "earlybind release 01:00.0 01:00.1".*for good: "earlybind remove 10ee:5001", remove by hand 10ee:5000 (command line)' \
	status
check give-back-status-one give_back bound '"earlybind release 01:00.0"' status 01:00.0
check status-next says 'next: "earlybind explain 01:00.0" says why, and what to do' \
	status --sysroot failed
check give-back-explain give_back bound 'earlybind release 01:00.1.*"earlybind remove 10ee:5001", remove by hand' \
	explain 01:00.1
check give-back-by-hand give_back by-hand 'now: "earlybind release 01:00.1" *$' explain 01:00.1
# A VM has it open: it cannot be released.
not_while_used() {
	give_back drift 'for good: ' explain 01:00.1 && ! grep -q release commands.txt
}
check give-back-in-use not_while_used
# A rule that takes others as well stays, and so does one that brings it along.
for rule in '10ee:*' '01:00.0 with=functions'; do
	rm -rf give-back-rules
	cp -a alveo give-back-rules
	echo 'quiet' >give-back-rules/proc/cmdline
	rm -rf give-back-rules/etc/modprobe.d
	echo "bind $rule" >give-back-rules/etc/earlybind.conf
	check "give-back-others-$rule" give_back give-back-rules 'for good: "earlybind keep 01:00.1"' explain 01:00.1
done
# With an error in the configuration no command would change it.
echo 'bind nonsense' >>give-back-rules/etc/earlybind.conf
not_with_errors() {
	! give_back give-back-rules 'for good' explain 01:00.1
}
check give-back-errors not_with_errors
explain_json() {
	"$EARLYBIND" explain --sysroot bound 01:00.0 02:00.0 --json >out.json || return
	jq -e '.schema == 1 and [.devices[].address] == ["0000:01:00.0", "0000:02:00.0"] and
		([.devices[].explained | length] == [8, 8]) and .devices[0].driver == "vfio-pci" and
		(.devices[0].explained.give_back | length) == 2 and
		(.devices[1].explained.give_back | length) == 0' out.json
}
check explain-json explain_json
# On a terminal, and only there, lines are wrapped behind the labels.
explain_wrapped() {
	"$EARLYBIND" explain --sysroot bound 01:00.0 | grep -qE '.{90}' || return
	script -qc "stty cols 60; NO_COLOR=1 '$EARLYBIND' explain --sysroot bound 01:00.0" /dev/null </dev/null |
		tr -d '\r' >said.txt
	grep -q '^now:       vfio-pci, as intended$' said.txt && ! grep -qE '.{61}' said.txt &&
		grep -qE '^ {11}[a-z0-9]' said.txt
}
check explain-wrapped explain_wrapped
