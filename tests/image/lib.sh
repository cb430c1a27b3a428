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

# What `earlybind apply` says goes to $log; checks look at $status.
apply() { # ARGUMENT...
	earlybind apply "$@" >"$log" 2>&1
	status=$?
	cat "$log" >&2
}

# The generator runs by itself while the configuration has an error, as for a new kernel; then it
# is corrected, with the same rules.
# shellcheck disable=SC2154 # image and version are of the tests
check_mark() { # COMMAND
	set_rules 'bind 10ee:5000'
	apply
	check "mark: a good image" is "$status" 0
	set_rules 'bind 10ee:5000' 'bnd 10ee:5001'
	$1 >"$log" 2>&1
	check "mark: the image is made" is $? 0
	check "mark: it is warned of" says 'W: earlybind: /etc/earlybind.conf:2:1: '
	earlybind check --image "$image" --kernel "$version" >"$log" 2>&1
	check "mark: check fails the image" is $? 1
	check "mark: and says why" says 'without the configuration'
	set_rules 'bind 10ee:5000'
	apply
	check "mark: apply makes it anew" says 'done in'
	check "mark: it is good then" is "$status" 0
	earlybind check --image "$image" --kernel "$version" >"$log" 2>&1
	check "mark: check passes it" is $? 0
}

# The rules of modprobe.d, which are in the image as a file.
# shellcheck disable=SC2154 # the same
check_options() {
	echo 'options vfio-pci ids=10ee:5001' >/etc/modprobe.d/vfio.conf
	apply
	check "options: the image lacks them" says 'lacks'
	check "options: it is made anew" is "$status" 0
	earlybind plan --image "$image" --json >"$log" 2>&1
	check "options: the image's own count" says '"text": "10ee:5001"'
	apply
	check "options: then there is nothing to do" says '^nothing to do'
	rm /etc/modprobe.d/vfio.conf
	earlybind plan --image "$image" --json >"$log" 2>&1
	check "options: also when the machine's are gone" says '"text": "10ee:5001"'
	apply
	check "options: the image still has them" says 'still has'
	check "options: and is made anew" is "$status" 0
	earlybind plan --image "$image" --json >"$log" 2>&1
	check "options: then they are gone" is "$(grep -c '10ee:5001' "$log")" 0
}

# With the generator that made the image of this kernel, and COMMAND that makes it anew; BREAK
# and MEND, commands, let it fail and put it right.
# shellcheck disable=SC2154 # image and version are of the tests
check_apply() { # COMMAND BREAK MEND
	set_rules 'bind 10ee:5000' 'bind class=0b40'
	apply --dry-run
	check "apply: a dry run says what is missing" says 'class=0b40'
	check "apply: and what it would run" says "would run: $1"
	apply
	check "apply: it ends well" is "$status" 0
	check "apply: the generator was run" says "$1 .*done in"
	check "apply: the image is checked" says 'checked: pass'
	earlybind check --image "$image" --kernel "$version" >"$log" 2>&1
	check "apply: the image is good" says 'pass table: it has the 2 rules'
	apply
	check "apply: the second time there is nothing to do" says '^nothing to do: 2 rules'
	check "apply: and no generator is run" is "$(grep -c 'done in' "$log")" 0
	before=$(sha256sum <"$image")
	set_rules 'bind 10ee:5000' 'bnd 10ee:5001'
	apply
	check "apply: a typo ends it" is "$status" 1
	check "apply: a typo is named" says '/etc/earlybind.conf:2:1: '
	check_mark "$1"
	check_options
	before=$(sha256sum <"$image")
	set_rules 'bind 10ee:5000' 'bind class=0c03'
	$2
	apply
	$3
	check "apply: a failure is told" is "$status" 1
	check "apply: with what the generator said" says '    | .*the test ends the build'
	check "apply: the old image stays" is "$(sha256sum <"$image")" "$before"
	apply
	check "apply: then it is made" is "$status" 0
}

# GRUB is not in this root: its settings are.
check_cmdline() {
	mkdir -p /etc/default/grub.d
	echo 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"' >/etc/default/grub
	earlybind cmdline --add rd.earlybind.log=debug >"$log" 2>&1
	check "cmdline: it ends well" is $? 0
	check "cmdline: the difference is shown" says '^+GRUB_CMDLINE_LINUX=.*rd.earlybind.log=debug'
	check "cmdline: the file is there" grep -q 'rd.earlybind.log=debug' \
		/etc/default/grub.d/earlybind.cfg
	earlybind cmdline --add rd.earlybind.log=debug >"$log" 2>&1
	check "cmdline: the second time there is nothing to do" says '^nothing to do'
	earlybind cmdline --remove >"$log" 2>&1
	check "cmdline: it is taken back" test ! -e /etc/default/grub.d/earlybind.cfg
	rm -r /etc/default/grub /etc/default/grub.d
}
