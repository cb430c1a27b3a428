#!/bin/bash
# The demonstration: the Alveo machine boots without and then with earlybind, and the two
# states are shown side by side.
#
# Usage: tests/lab/demo.sh        (make demo)
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

suite=bookworm

cat <<'END'
This boots a machine with an Alveo card, in QEMU, twice: without earlybind and with it.
The first time on a machine it fetches a Debian system for it: two to four minutes.
END

"$TOP/mk/packages.sh" build lab docs
# Fetching the guest's system and building earlybind have little to wait for in common.
"$LAB/base.sh" "$suite" >/dev/null &
base_pid=$!
say "building earlybind"
prepare_lab
wait "$base_pid"
[ -n "$STAGE" ] || exit 1

# Both images at once, then both boots.
"$LAB/image.sh" "$suite" initramfs-tools table "$STAGE" >/dev/null &
image_pid=$!
"$LAB/image.sh" "$suite" initramfs-tools recipe >/dev/null
wait "$image_pid"

rc=0
/usr/bin/python3 "$LAB/run.py" --preinit "$LAB_BUILD/bin/preinit" --stage "$STAGE" \
	"$suite/initramfs-tools/01*" "$suite/initramfs-tools/02*" || rc=1
/usr/bin/python3 "$LAB/demo.py"
exit "$rc"
