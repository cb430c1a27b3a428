#!/bin/bash
# IOMMU groups: machines by lot in QEMU, each with a real kernel, an initramfs of /init and
# earlybind, and no root file system. In each boot the kernel's groups are compared with those that
# earlybind computes from the config spaces of that boot; then a card is moved, and a port's
# ACS partly disabled: what "earlybind plan --move" and "--acs" promise is compared with the boot
# of the machine that is so.
#
# Usage: tests/groups/run.sh
#
# GROUPS_MACHINES=N   machines for each kernel (2); each has up to three boots
# GROUPS_SEED=N       the first one (4)
# GROUPS_SUITES="..." the Debian releases whose kernels are booted (bookworm); all: every one
# GROUPS_JOBS=N       machines at a time (as many as processors)
# RESULTS=FILE        where one line per check is added (build/results.tsv)
#
# Exit code: 0 if every check passed.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/../lab/lib.sh"

# The lab's programs are static in the same way: those of a kernel without a root.
out=$(dirname "$LAB_BUILD")/groups
RESULTS=${RESULTS:-$BUILD/results.tsv}
suites=${GROUPS_SUITES:-bookworm}
[ "$suites" != all ] || suites="bookworm trixie forky"
mkdir -p "$out" "$(dirname "$RESULTS")"
"$TOP/mk/packages.sh" build lab
lab_cc "$here/init.c" "$out/init"
kernels=()
for suite in $suites; do
	base=$("$LAB/base.sh" "$suite")
	kernels+=("$suite=$base/vmlinuz")
done
exec /usr/bin/python3 -B "$here/run.py" --init "$out/init" --earlybind "$BUILD/earlybind" \
	--out "$out/boots" --results "$RESULTS" --machines "${GROUPS_MACHINES:-2}" \
	--seed "${GROUPS_SEED:-4}" --jobs "${GROUPS_JOBS:-$(nproc)}" "${kernels[@]}"
