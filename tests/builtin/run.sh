#!/bin/bash
# A kernel with vfio-pci and the driver of the network cards built in, with no module and no root file
# system: the binder is PID 1. The kernel has set up the network before it starts anything (ip=),
# as for a root over the network.
#
# Usage: tests/builtin/run.sh       a part of make test-all; results go to $RESULTS
#
# The kernel is made once, of Debian's source package (kernel.sh).
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/../lab/lib.sh"

out=$(dirname "$LAB_BUILD")/builtin
RESULTS=${RESULTS:-$BUILD/results.tsv}
mkdir -p "$out" "$(dirname "$RESULTS")"
"$TOP/mk/packages.sh" build lab
lab_cc "$here/init.c" "$out/init"
lab_cc "$here/../groups/init.c" "$out/next"
kernel=$("$here/kernel.sh")
exec /usr/bin/python3 -B "$here/run.py" --kernel "$kernel/bzImage" --init "$out/init" --next "$out/next" \
	--binder "$BUILD/binder" --earlybind "$BUILD/earlybind" --out "$out/boots" --results "$RESULTS"
