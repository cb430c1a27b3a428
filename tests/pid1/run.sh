#!/bin/bash
# The binder as PID 1, for real: in namespaces of its own, below a small root on a tmpfs, with
# a program for /init that says what it was left. The namespaces belong to a user who is
# nobody outside, so nothing of this machine can be touched, and no devtmpfs be mounted.
#
# Usage: tests/pid1/run.sh
#
# Uses $BUILD/binder, $BUILD/earlybind, $BUILD/pid1-init. Results go to $RESULTS.
set -eu
here=$(realpath "$0")

# Second half, as root of its namespaces and as PID 1. The variables are those of below.
if [ "${1-}" = --inside ]; then
	: "${work:?}" "${prepare:?}"
	root=$work/root
	mount -t tmpfs -o mode=0755 root "$root"
	mkdir -p "$root/usr/lib/earlybind" "$root/out"
	cp "$work/binder" "$root/usr/lib/earlybind/binder"
	cp "$work/init" "$root/init"
	mount --bind "$work/out" "$root/out"
	cd "$root"
	export HOME=/
	# What the caller has open is no leak of the binder.
	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		[ "$fd" -le 2 ] || [ "$fd" -eq 255 ] || exec {fd}>&-
	done
	eval "$prepare"
	exec chroot . /usr/lib/earlybind/binder single --version -- 'a b'
fi

BUILD=${BUILD:-build}
RESULTS=${RESULTS:-$BUILD/results.tsv}
mkdir -p "$(dirname "$RESULTS")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/root" "$work/out"
cp "$BUILD/pid1-init" "$work/init"
echo 'bind abcd:1234' >"$work/rule.conf"
"$BUILD/earlybind" embed --no-critical --binder "$BUILD/binder" --config "$work/rule.conf" \
	--output "$work/binder-with-rule" >/dev/null
failures=0

contained() { # COMMAND...
	timeout -k 5 60 unshare --user --map-root-user --net --pid --fork --kill-child --mount "$@"
}

# Boots with PREPARE done in the new root; what /init found is compared with standard input,
# and what was said must contain SAID. Lines of the result that are always the same, are left
# out: nothing else may be open, ignored or blocked.
check() { # NAME BINDER PREPARE CODE SAID
	cp "$2" "$work/binder"
	rm -rf "$work/out/result"
	code=0
	work=$work prepare=$3 contained "$here" --inside >"$work/said" 2>&1 </dev/null || code=$?
	cat >"$work/want"
	sort "$work/want" >"$work/want.sorted"
	if [ -e "$work/out/result" ]; then
		sort "$work/out/result"
	fi >"$work/result"
	reason=
	if [ "$code" -ne "$4" ]; then
		reason="code $code: $(tail -n 2 "$work/said" | tr '\n\t' '  ')"
	elif ! diff "$work/want.sorted" "$work/result" >"$work/diff"; then
		reason=$(tr '\n\t' '  ' <"$work/diff")
	elif [ -n "$5" ] && ! grep -qF -e "$5" "$work/said"; then
		reason="without \"$5\": $(tr '\n\t' '  ' <"$work/said")"
	fi
	if [ -n "$reason" ]; then
		echo "FAIL pid1: $1: $reason"
		printf 'fail\tpid1\t%s\t%s\n' "$1" "$reason" >>"$RESULTS"
		failures=$((failures + 1))
	else
		echo "PASS pid1: $1"
		printf 'pass\tpid1\t%s\n' "$1" >>"$RESULTS"
	fi
}

# What /init finds: its name, and what is not as usual.
found() { # NAME LINE...
	printf 'pid 1\narg %s\narg single\narg --version\narg --\narg a b\nHOME /\n' "$1"
	shift
	printf 'mount / tmpfs\n'
	printf '%s\n' "$@"
}
fds='fd 0
fd 1
fd 2'
# What this test's caller ignored or blocked, the binder finds and has to leave so.
caller=$(contained grep '^Sig' /proc/self/status)
inherited() { # FIELD BITS
	local mask
	mask=$(sed -n "s/^$1:[[:space:]]*//p" <<<"$caller")
	printf '%s:\t%016x\n' "$1" $((0x$mask | $2))
}
caught='SigCgt:	0000000000000000'
signals="$(inherited SigBlk 0)
$(inherited SigIgn 0)
$caught"
plain=$BUILD/binder
rule=$work/binder-with-rule

found /init "$fds" "$signals" |
	check 'leaves nothing mounted' "$plain" : 0 'devtmpfs cannot be mounted on /dev'
found /init "$fds" "$signals" 'mount /proc proc' 'mount /sys sysfs' 'mount /dev tmpfs' |
	check 'leaves what was mounted' "$plain" 'mkdir proc sys dev; mount -t tmpfs dev dev
		mount -t proc proc proc; mount -t sysfs sys sys' 0 ''
found /init "$signals" |
	check 'without standard descriptors' "$plain" 'exec 0<&- 1>&- 2>&-' 0 ''
found /init "$fds" "$(inherited SigBlk 0x4000)" "$(inherited SigIgn 0x200)" "$caught" |
	check 'signals as found' "$plain" "trap '' USR1
		exec env --block-signal=TERM chroot . /usr/lib/earlybind/binder single --version -- 'a b'" 0 ''
found /sbin/init "$fds" "$signals" |
	check 'no /init' "$plain" 'mkdir sbin; mv init sbin/' 0 \
		'PID 1: /init cannot be executed: no such file'
found /bin/sh "$fds" "$signals" |
	check 'no /init that can be executed' "$plain" 'mkdir sbin bin; mv init bin/sh
		echo text >init; chmod +x init; mkdir sbin/init' 0 'PID 1: /init cannot be executed'
check 'nothing can be executed' "$plain" 'rm init' 1 \
	'PID 1: /bin/sh cannot be executed: no such file' </dev/null

# The rule names no device: the report is all there is.
found /init "$fds" "$signals" 'mount /dev tmpfs' 'report /dev/.earlybind/report.json' |
	check 'report in /dev' "$rule" 'mkdir run dev; mount -t tmpfs dev dev' 0 'abcd:1234'
found /init "$fds" "$signals" 'mount /dev tmpfs' 'mount /run tmpfs' \
	'report /run/earlybind/report.json' |
	check 'report in a /run that is mounted' "$rule" 'mkdir run dev; mount -t tmpfs dev dev
		mount -t tmpfs run run' 0 'abcd:1234'
found /init "$fds" "$signals" 'mount /dev tmpfs' 'mount /proc proc' \
	'mount /proc/cmdline tmpfs' |
	check 'rd.earlybind=0' "$rule" 'mkdir proc dev; mount -t tmpfs dev dev
		mount -t proc proc proc; echo rd.earlybind=0 >dev/null-line
		mount --bind dev/null-line proc/cmdline' 0 ''
if grep -q abcd "$work/said"; then
	echo 'FAIL pid1: rd.earlybind=0 is obeyed'
	printf 'fail\tpid1\trd.earlybind=0 is obeyed\tthe rule was read\n' >>"$RESULTS"
	failures=$((failures + 1))
fi

[ "$failures" -eq 0 ]
