# shellcheck shell=sh
# shellcheck disable=SC2154
# Sourced by run.sh: what the operator of many machines reads: the exit code and the word of
# status, the metrics where the binder never ran, and files that are there as a whole.

# An exit code, and its word in JSON.
state() { # NAME CODE WORD TREE
	code=0
	"$EARLYBIND" status --sysroot "$4" >said.txt 2>&1 || code=$?
	json=0
	"$EARLYBIND" status --sysroot "$4" --json >out.json 2>err.txt || json=$?
	if [ "$code" -ne "$2" ] || [ "$json" -ne "$2" ]; then
		fail "$1" "exit codes $code and $json, not $2"
	elif ! jq -e --arg word "$3" '.reason == $word' out.json >/dev/null; then
		fail "$1" "the reason is $(jq -c .reason out.json), not $3"
	else
		pass "$1"
	fi
}
cp -a bound fleet-earlier
sed -i 's|"problems": \[|&{"text": "earlier rules", "severity": "warning"}|' \
	fleet-earlier/run/earlybind/report.json
cp -a alveo fleet-off
echo 'quiet rd.earlybind=0' >fleet-off/proc/cmdline
cp -a bound fleet-damaged
echo '{' >fleet-damaged/run/earlybind/report.json
# A device bound by hand, where the image has no earlybind though there are rules.
cp -a by-hand fleet-by-hand
rm fleet-by-hand/run/earlybind/devices/0000:02:00.1.json
cp -a fleet-by-hand fleet-by-hand-rules
echo 'bind 01:00.1' >fleet-by-hand-rules/etc/earlybind.conf
cp -a failed fleet-no-iommu
sed -i 's/"reason": null, "message": null, "microseconds"/"reason": "iommu-off", "message": "m", "microseconds"/' \
	fleet-no-iommu/run/earlybind/report.json
state fleet-fine 0 fine bound
state fleet-not-bound 1 not-bound failed
state fleet-changed 1 not-bound changed
state fleet-dry-run 1 not-bound configured
state fleet-nothing-done 1 iommu-off fleet-no-iommu
state fleet-no-rules 3 no-rules empty
state fleet-no-earlybind 4 no-earlybind alveo
state fleet-old-rules 5 old-rules drift
state fleet-earlier-rules 5 old-rules fleet-earlier
state fleet-off 6 off fleet-off
state fleet-no-report 7 no-report fleet-damaged
state fleet-by-hand 0 fine fleet-by-hand
state fleet-by-hand-no-earlybind 4 no-earlybind fleet-by-hand-rules

# The metrics of a machine always have boot_ok, the word, and each device that a rule wants.
metrics() { # TREE OK WORD ADDRESS...
	"$EARLYBIND" export prometheus --sysroot "$1" >out.txt || return
	grep -qx "earlybind_boot_ok $2" out.txt || return
	grep -qx "earlybind_boot_info{reason=\"$3\"} 1" out.txt || return
	shift 3
	for address in "$@"; do
		grep -q "^earlybind_device_bound{address=\"$address\".*} [01]\$" out.txt || return
	done
}
check fleet-metrics-fine metrics bound 1 fine 0000:01:00.0 0000:01:00.1
check fleet-metrics-not-bound metrics failed 0 not-bound 0000:01:00.0
check fleet-metrics-no-rules metrics empty 1 no-rules
check fleet-metrics-no-earlybind metrics alveo 0 no-earlybind 0000:01:00.0 0000:01:00.1
check fleet-metrics-old-rules metrics drift 1 old-rules 0000:01:00.0 0000:02:00.0
check fleet-metrics-off metrics fleet-off 0 off
check fleet-metrics-no-report metrics fleet-damaged 0 no-report 0000:01:00.0 0000:01:00.1

# --output: a reader finds the old file or the new one, and a pipe is written into.
output_whole() {
	"$EARLYBIND" export prometheus --sysroot bound >out.txt || return
	echo old >fleet.prom
	inode=$(stat -c %i fleet.prom)
	"$EARLYBIND" export prometheus --sysroot bound --output fleet.prom >said.txt &&
		[ ! -s said.txt ] && cmp out.txt fleet.prom &&
		[ "$(stat -c %i fleet.prom)" != "$inode" ] &&
		[ "$(stat -c %a fleet.prom)" = 644 ] && [ "$(echo fleet.prom*)" = fleet.prom ]
}
check fleet-output-whole output_whole
output_fails() {
	code=0
	"$EARLYBIND" export prometheus --sysroot bound --output nowhere/fleet.prom 2>err.txt || code=$?
	[ "$code" -eq 1 ] && grep -q 'nowhere/fleet.prom: it cannot be written: ' err.txt
}
check fleet-output-fails output_fails
output_pipe() {
	mkfifo fleet.pipe
	timeout 10 cat fleet.pipe >piped.txt &
	timeout 10 "$EARLYBIND" export prometheus --sysroot bound --output fleet.pipe || return
	wait $!
	cmp out.txt piped.txt && [ -p fleet.pipe ]
}
check fleet-output-pipe output_pipe

# The examples for Ansible, cloud-init, Ignition and MachineConfig: YAML, with rules that bind the card.
cp -a alveo fleet-examples
rm -r fleet-examples/etc
check fleet-examples "$here/examples.py" "$here/../../docs/fleet.md" fleet-examples
examples_wrong() { # SED: the guide with a mistake
	sed "$1" "$here/../../docs/fleet.md" >fleet-wrong.md
	! cmp -s "$here/../../docs/fleet.md" fleet-wrong.md && ! "$here/examples.py" fleet-wrong.md fleet-examples
}
check fleet-examples-rule examples_wrong 's/10ee:5001 optional/10ee:50g1 optional/'
check fleet-examples-words examples_wrong 's/5001;optional/5002;optional/'
check fleet-examples-yaml examples_wrong 's/^spec:/spec/'
