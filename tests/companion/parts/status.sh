# shellcheck shell=sh
# shellcheck disable=SC2154 # here comes from run.sh
# earlybind status: what became of the rules of this boot, by reports whole, damaged and absent.

real_fields() {
	"$here/contract.py" fields configured/run/earlybind/report.json \
		bound/run/earlybind/report.json failed/run/earlybind/report.json \
		late/run/earlybind/devices/*.json
}
check status-reads-what-the-binder-writes real_fields
for tree in bound changed failed alveo pid1 pid1-hook late late-refused; do
	golden "status-$tree" status --sysroot "$tree"
done
# The binder's own report: of a dry run, since a tree is no machine.
golden status-dry-run status --sysroot configured
cp -a alveo off
echo 'quiet rd.earlybind=0' >off/proc/cmdline
golden status-off status --sysroot off
report=off/run/earlybind/report.json
mkdir -p off/run/earlybind
head -c 700 bound/run/earlybind/report.json >$report
golden status-damaged status --sysroot off
echo '{"schema": 2}' >$report
golden status-newer status --sysroot off
echo '{"schema": 1, "devices": [{}]}' >$report
golden status-wrong-shape status --sysroot off
echo '[]' >$report
golden status-no-object status --sysroot off
: >$report
golden status-empty status --sysroot off
contract status-json 0 status --sysroot bound
contract status-json-changed 1 status --sysroot changed
contract status-json-failed 1 status --sysroot failed
# A damaged report of PID 1 does not hide the later one, nor the other way round.
cp -a pid1-hook pid1-damaged
echo '{' >pid1-damaged/dev/.earlybind/report.json
golden status-pid1-damaged status --sysroot pid1-damaged
rm pid1-damaged/run/earlybind/report.json
golden status-pid1-damaged-alone status --sysroot pid1-damaged
contract status-json-late 0 status --sysroot late
late_json() {
	"$EARLYBIND" status --sysroot late --json |
		jq -e '[.devices[].late] == [true, true] and [.devices[].present] == [true, false]'
}
check status-json-late-devices late_json
no_report_json() {
	code=0
	"$EARLYBIND" status --sysroot alveo --json >out.json || code=$?
	[ "$code" -eq 4 ] && jq -e '.report == false and (.message | length) > 0' out.json
}
check status-json-no-report no_report_json
damaged_report() {
	"$here/mutate.py" 4 300 bound/run/earlybind/report.json sh -c \
		"cp \$0 $report && '$EARLYBIND' status --sysroot off" @
}
check status-survives-damaged-reports damaged_report
