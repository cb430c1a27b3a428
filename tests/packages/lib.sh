# shellcheck shell=sh
# What the steps share. Sourced by them; $log is what the last command said.

log=/package-tests/log

check() { # NAME COMMAND...
	name=$1
	shift
	if "$@" >/package-tests/check 2>&1; then
		echo "pass $name"
	else
		echo "fail $name: not so: $*"
		cat "$log" /package-tests/check >&2
	fi
}

is() { [ "$1" = "$2" ] || { echo "not $2 but $1" && return 1; }; }
says() { grep -q -e "$1" "$log"; }

# Its output goes to $log; checks look at $status.
run() { # COMMAND...
	echo "--- $*" >&2
	"$@" >"$log" 2>&1 </dev/null
	# shellcheck disable=SC2034 # read by the steps
	status=$?
	cat "$log" >&2
}

# As the package of a kernel does it in its postinst: until trixie by run-parts, then by linux-run-hooks.
run_kernel_hooks() { # VERSION
	if command -v linux-run-hooks >/dev/null; then
		run linux-run-hooks image postinst "$1" "/boot/vmlinuz-$1" -- configure
	else
		run run-parts --report --exit-on-error --arg="$1" --arg="/boot/vmlinuz-$1" /etc/kernel/postinst.d
	fi
}

run_check() {
	run earlybind check --only image
}

# An image that is the former one again is seen, and apply mends it.
check_old_image() { # LABEL IMAGE FORMER
	cp "$3" "$2"
	run_check
	check "$1: an old image is seen" is "$status" 1
	run earlybind apply
	check "$1: apply mends it" is "$status" 0
	run_check
	check "$1: then check passes" is "$status" 0
}
