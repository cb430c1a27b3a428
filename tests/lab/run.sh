#!/bin/bash
# Boots the lab's cases and judges them.
#
# Usage: tests/lab/run.sh [NAME...]       boots, see run.py; those of `make test` without any
#
# CASE="..."    the same, for make; CASE=all for every boot
# JOBS=N        boots at the same time (2)
# RESULTS=FILE  where one line per case is added (build/results.tsv)
#
# Exit code: 0 if every case passed. A case that cannot run has failed.
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2086 # several names
[ $# -gt 0 ] || set -- ${CASE:-}
[ "${1:-}" != all ] || set -- --all

prepare_lab
[ -n "$STAGE" ] || say "the cases with earlybind will fail"

exec /usr/bin/python3 "$LAB/run.py" --preinit "$LAB_BUILD/bin/preinit" --jobs "${JOBS:-2}" \
	${STAGE:+--stage "$STAGE"} "$@"
