# shellcheck shell=sh
# select: with numbers as a script has it, and with keys on a pseudo terminal.
# Needs: edit

answer() { # NAME ANSWER ARGUMENT...: golden with an answer on the input
	name=$1
	printf '%b' "$2" >answer.txt
	shift 2
	golden "$name" "$@" <answer.txt
}
copy alveo choice # of edit.sh
chosen=choice/etc/earlybind.conf
answer select-nothing '\n' select --sysroot choice
answer select-end-of-input '' select --sysroot choice
check select-nothing-writes-nothing test ! -e $chosen
answer select-numbers '1-2\n' select --sysroot choice
answer select-other-numbers '2,6\n' select --sysroot choice
printf '# What vfio-pci gets at boot: earlybind.conf(5)\n%s\n%s\n' \
	'bind path=0000:00:01.0/00.0+10ee:5000' 'bind 0000:00:14.0+8086:a36d' >want.conf
check select-writes cmp $chosen want.conf
answer select-refused '3 1\n' select --sysroot choice
answer select-forced '3 4\n' select --sysroot choice --force --dry-run
answer select-wrong '1-x\n' select --sysroot choice
answer select-too-large '4-99\n' select --sysroot choice
answer select-zero '0\n' select --sysroot choice
answer select-wider '1\n' select --sysroot configured --plain
answer select-elsewhere '1\n' select --sysroot alveo
answer select-in-use '\n' select --sysroot busy
answer select-empty '' select --sysroot empty
answer select-wrong-by '' select --sysroot choice --by name
check select-refusals-write-nothing cmp $chosen want.conf
golden help-select select --help

# shellcheck disable=SC2154 # of run.sh
check select-terminal "$here/terminal.py" "$EARLYBIND" alveo
