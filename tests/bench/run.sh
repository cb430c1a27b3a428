#!/bin/bash
# Measures the binder beside the least that its work can cost and beside others, in boots of the
# lab. Words for bench.py may follow.
#
# Usage: tests/bench/run.sh [--only two,one,counted,compressed,scale,boots,coldplug]
#        [--scale 100,1000] [--pairs 15]
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lab/lib.sh"

prepare_lab
[ -n "$STAGE" ] || exit 1
for program in floor bench reader boot-init; do
	lab_cc "$TOP/tests/bench/$program.c" "$LAB_BUILD/bin/$program"
done
lab_cc "$TOP/tests/companion/floor.c" "$LAB_BUILD/bin/list-floor"
exec /usr/bin/python3 "$TOP/tests/bench/bench.py" --stage "$STAGE" --programs "$LAB_BUILD/bin" \
	--debug "${LAB_BUILD%/lab}/binder.debug" --suite "${SUITE:-bookworm}" "$@"
