# shellcheck shell=sh
# Sourced by run.sh: what this boot did against the state now, the story of one device, and
# bind and release by hand as far as a tree lets them.

# ---- status: one device, a configuration that changed, by hand, no report --------------------

golden status-one status --sysroot bound 01:00.1
golden status-id status --sysroot bound 10ee:5000
golden status-other status --sysroot bound 02:00.0
golden status-class status --sysroot bound class=12
golden status-typo status --sysroot bound 01:00
golden status-drift status --sysroot drift
golden status-by-hand status --sysroot by-hand
golden status-no-rule status --sysroot empty
contract status-json-by-hand 1 status --sysroot by-hand
contract status-json-drift 0 status --sysroot drift
status_json() {
	"$EARLYBIND" status --sysroot drift --json >out.json || return
	jq -e '.devices[0].in_use_by == [{"pid": 4242, "command": "qemu-system-x86",
		"node": "/dev/vfio/1"}] and (.rules_changed | length > 0)' out.json &&
		"$EARLYBIND" status --sysroot drift --json 01:00.1 >out.json &&
		jq -e '[.devices[].address] == ["0000:01:00.1"]' out.json
}
check status-json-fields status_json
