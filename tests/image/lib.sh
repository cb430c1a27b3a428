# shellcheck shell=sh
# lib.sh: what the image tests share. Run in the guest's root, beside the tests.

log=/image-tests/log
out=/image-tests/out

check() { # NAME CONDITION...: the condition is a command
	name=$1
	shift
	if "$@" >>/image-tests/checks 2>&1; then
		echo "pass $name"
	else
		echo "fail $name: not so: $*"
		cat "$log" >&2
	fi
}

is() { [ "$1" = "$2" ]; }
says() { grep -q -e "$1" "$log"; }
has() { find "$out" -path "*/$1" | grep -q .; }
has_not() { ! has "$1"; }

set_rules() {
	printf '%s\n' "$@" >/etc/earlybind.conf
}
