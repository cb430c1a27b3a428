#!/bin/bash
# Measures the binder beside the least that its work can cost, in one boot of the lab.
#
# Usage: tests/bench/run.sh
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lab/lib.sh"

prepare_lab
[ -n "$STAGE" ] || exit 1
for program in floor bench; do
	lab_cc "$TOP/tests/bench/$program.c" "$LAB_BUILD/bin/$program"
done
exec /usr/bin/python3 "$TOP/tests/bench/bench.py" --stage "$STAGE" --programs "$LAB_BUILD/bin" \
	--suite "${SUITE:-bookworm}"
