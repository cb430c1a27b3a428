#!/bin/sh
# The companion on small trees: golden output, the shapes for scripts, and what it says when
# something is wrong.
#
# Usage: tests/companion/run.sh [-u] [PART...]     -u writes the golden output anew
#
# With PART only those of parts/ that are named: "loaders" prints the table of loaders. What a part
# takes over from others, such as images, is made first: "# Needs: PART" in its head.
#
# Uses $EARLYBIND and $BINDER ($BUILD/earlybind, $BUILD/binder). Results go to $RESULTS, as those
# of $SUITE (companion). BINDER_RUN: the binder where it runs itself; $BINDER goes into images.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
BUILD=${BUILD:-build}
RESULTS=${RESULTS:-$BUILD/results.tsv}
EARLYBIND=$(realpath "${EARLYBIND:-$BUILD/earlybind}")
BINDER=$(realpath "${BINDER:-$BUILD/binder}")
BINDER_RUN=$(realpath "${BINDER_RUN:-$BINDER}")
export SUITE="${SUITE:-companion}"
mkdir -p "$(dirname "$RESULTS")"
RESULTS=$(realpath "$RESULTS")
export EARLYBIND BINDER BINDER_RUN RESULTS
update=false
if [ "${1-}" = -u ]; then
	update=true
	shift
fi
failures=0
tab=$(printf '\t')
# What another C library says, in the words of musl.
GLIBC_WORDS='s/Too many levels of symbolic links/Symbolic link loop/'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir documents
all_trees=
for file in "$here"/trees/*.tree; do
	name=$(basename "$file" .tree)
	"$here/mktree.py" "$file" "$name"
	all_trees="$all_trees $name"
done
export LC_ALL=C.UTF-8

pass() { # NAME
	echo "PASS $1"
	echo "pass${tab}$SUITE${tab}$1" >>"$RESULTS"
}

fail() { # NAME REASON
	echo "FAIL $1: $2"
	echo "fail${tab}$SUITE${tab}$1${tab}$(echo "$2" | tr '\t\n' '  ')" >>"$RESULTS"
	failures=$((failures + 1))
}

check() { # NAME COMMAND...
	name=$1
	shift
	if "$@" >check.log 2>&1; then
		pass "$name"
	else
		fail "$name" "$(tail -n 3 check.log)"
	fi
}

# What "earlybind ARGUMENT..." says has PATTERN in it, whatever the lines are.
says() { # PATTERN ARGUMENT...
	pattern=$1
	shift
	"$EARLYBIND" "$@" >said.txt 2>&1 || true
	tr -s ' \n' ' ' <said.txt >said.line
	grep -q -e "$pattern" said.line || {
		cat said.txt
		return 1
	}
}

# Keeps JSON output for parts/schemas.sh, if there is any.
keep_document() { # FILE NAME COMMAND ARGUMENT...
	case " $* " in
	*" --json "* | *" export json "*) [ ! -s "$1" ] || cp "$1" "documents/$3.$2.json" ;;
	esac
}

# Output and exit code of "earlybind ARGUMENT..." as in golden/NAME.txt. The size of the file $sized, an
# image with the binder in it, is "N bytes": only if it is right.
sized=
golden() { # NAME ARGUMENT...
	name=$1
	shift
	code=0
	"$EARLYBIND" "$@" >out.txt 2>err.txt || code=$?
	keep_document out.txt "$name" "$@"
	{
		printf '$ earlybind'
		for word in "$@"; do
			case $word in
			"" | *[!a-zA-Z0-9/.,=_+:-]*) printf " '%s'" "$word" ;;
			*) printf ' %s' "$word" ;;
			esac
		done
		echo
		if [ "$sized" ]; then
			sed "s/\\<$(stat -c %s "$sized") bytes/N bytes/g" out.txt
		else
			cat out.txt
		fi
		sed "s/^/! /; $GLIBC_WORDS" err.txt
		echo "=> $code"
	} >actual.txt
	if $update; then
		cp actual.txt "$here/golden/$name.txt"
	fi
	if ! diff -u "$here/golden/$name.txt" actual.txt >diff.txt; then
		cat diff.txt
		fail "$name" "the output differs from golden/$name.txt"
	else
		pass "$name"
	fi
}

# JSON of "earlybind COMMAND ARGUMENT..." keeps the contract, with exit code CODE.
contract() { # NAME CODE COMMAND ARGUMENT...
	name=$1
	want=$2
	shift 2
	code=0
	"$EARLYBIND" "$@" --json >out.json 2>err.txt || code=$?
	if [ "$code" -ne "$want" ]; then
		fail "$name" "exit code $code, not $want"
	elif [ -s err.txt ]; then
		fail "$name" "says: $(head -n 1 err.txt)"
	elif ! jq -e . out.json >/dev/null; then
		fail "$name" "not JSON"
	else
		keep_document out.json "$name" "$@" --json
		check "$name" "$here/contract.py" "$1" out.json
	fi
}

# Each one once.
parts_run=' '
run_parts() { # PART...
	for wanted in "$@"; do
		# shellcheck disable=SC2046 # a word each
		set -- $(sed -n 's/^# Needs: //p' "$here/parts/$wanted.sh") "$wanted"
		for part in "$@"; do
			case $parts_run in *" $part "*) continue ;; esac
			parts_run="$parts_run$part "
			# shellcheck source=/dev/null
			. "$here/parts/$part.sh"
		done
	done
}

# The plan is what the binder does: rules, origins, actions, reasons. The report stays in the tree.
agree() { # TREE
	"$EARLYBIND" embed --sysroot "$1" --binder "$BINDER_RUN" --output agreed >/dev/null &&
		mkdir -p "$1/run/earlybind" &&
		{ ./agreed --sysroot "$1" >"$1/run/earlybind/report.json" || true; } &&
		{ "$EARLYBIND" plan --sysroot "$1" --json >agreed.json || true; } &&
		"$here/contract.py" same agreed.json "$1/run/earlybind/report.json"
}
for tree in configured refused no-iommu; do
	check "plan-is-what-the-binder-does-$tree" agree "$tree"
done

# Used by several parts.
cp "$BINDER" binder
chmod 640 binder
cat >typo.conf <<'END'
# two cards
bind	10ee:5000,10ee:50g1   # one digit too many
bnd 01:00.0
bind 01:00.0 optinal
bind 01:00.9
option timeout=soon
[profil x]
bind 10ee:5000
END

if [ $# -gt 0 ]; then
	run_parts "$@"
	[ "$failures" -eq 0 ]
	exit
fi

# ---- list ---------------------------------------------------------------------------------

golden list-alveo list --sysroot alveo
golden list-no-iommu list --sysroot no-iommu
golden list-empty list --sysroot empty
golden list-other-names list --sysroot no-iommu --pci-ids alveo/usr/share/misc/pci.ids
golden list-bad-names list --sysroot no-iommu --pci-ids no-iommu/proc/cmdline
golden list-lost-names list --sysroot alveo --pci-ids nowhere
golden list-no-tree list --sysroot nowhere
golden list-no-bus list --sysroot alveo/etc
contract list-json 0 list --sysroot alveo
contract list-json-no-iommu 0 list --sysroot no-iommu
contract list-json-empty 0 list --sysroot empty

# Text of the tree is shown, never obeyed.
"$here/mktree.py" "$here/trees/no-iommu.tree" hostile
printf 'a\033[2Jb\r\n' >hostile/sys/bus/pci/devices/0000:3b:00.0/driver_override
printf 'pci:v0000zzzz\n' >hostile/sys/bus/pci/devices/0000:00:00.0/modalias
golden list-hostile list --sysroot hostile
contract_hostile() {
	"$EARLYBIND" list --sysroot hostile --json 2>/dev/null |
		jq -e '.devices[0].driver_override == "a\u001b[2Jb"' >/dev/null
}
check list-hostile-json contract_hostile

# ---- plan ---------------------------------------------------------------------------------

for tree in alveo configured refused bound no-iommu empty; do
	golden "plan-$tree" plan --sysroot "$tree"
done
golden plan-cmdline plan --sysroot alveo --cmdline 'intel_iommu=on rd.earlybind.bind=class=03,02:00.1;allow=console'
golden plan-empty-cmdline plan --sysroot alveo --cmdline ''
golden plan-off plan --sysroot alveo --cmdline 'vfio-pci.ids=10ee:5000 rd.earlybind=0'
golden plan-profile plan --sysroot configured --cmdline rd.earlybind.profile=games
golden plan-no-table plan --sysroot configured --cmdline rd.earlybind.table=0
golden plan-no-bus plan --sysroot alveo/etc --cmdline vfio-pci.ids=10ee:5000
contract plan-json 0 plan --sysroot alveo
contract plan-json-configured 0 plan --sysroot configured
contract plan-json-refused 1 plan --sysroot refused
contract plan-json-done 0 plan --sysroot bound
contract plan-json-nothing 3 plan --sysroot empty
contract plan-json-off 3 plan --sysroot alveo --cmdline rd.earlybind=0

# ---- embed --------------------------------------------------------------------------------

golden embed-typo embed --config typo.conf --binder binder --output never
check embed-typo-writes-nothing test ! -e never
golden embed-check-typo embed --config typo.conf --check
golden plan-typo plan --sysroot alveo --config typo.conf
contract plan-json-typo 1 plan --sysroot alveo --config typo.conf
golden embed-check embed --sysroot configured --check
golden embed-check-none embed --sysroot empty --check

golden embed embed --sysroot configured --binder binder --output embedded
golden embed-show embed --show embedded
check embed-keeps-mode test "$(stat -c %a embedded)" = 640
check embed-keeps-size test "$(stat -c %s embedded)" = "$(stat -c %s binder)"
check embed-leaves-no-temporary test "$(echo embedded*)" = embedded
golden embed-none embed --sysroot empty --binder binder --output plain
golden embed-show-none embed --show plain
check embed-none-is-as-packaged cmp binder plain
cp embedded again
golden embed-in-place embed --no-critical --config configured/etc/earlybind.conf.d/20-late.conf --binder again --output again
golden embed-in-place-show embed --show again

mkdir -p packaged/usr/lib/earlybind packaged/etc packaged/proc packaged/sys
cp binder packaged/usr/lib/earlybind/
golden embed-default-binder embed --sysroot packaged --output out
golden embed-no-binder embed --sysroot configured --output out2
echo text >text
golden embed-not-elf embed --binder text --sysroot configured --output out2
head -c 100000 binder >cut-binder
golden embed-cut-elf embed --binder cut-binder --sysroot configured --output out2
strip --remove-section=.earlybind.table -o other binder
golden embed-other-elf embed --binder other --sysroot configured --output out2
golden embed-no-folder embed --binder binder --sysroot configured --output nowhere/binder
golden embed-lost-config embed --config lost.conf --check
golden embed-config-folder embed --config configured --check
check embed-failures-write-nothing test ! -e out2

long=$(printf '%0100d' 0)
mkdir "$long"
awk 'BEGIN { for (i = 0; i < 800; i++) printf "bind 10ee:%04x\n", i }' >"$long/many.conf"
too_large() {
	! "$EARLYBIND" embed --config "$long/many.conf" --check 2>err.txt &&
		grep -q 'needs [0-9]* bytes and the table holds 65512' err.txt
}
check embed-too-large too_large
awk 'BEGIN { for (i = 0; i < 1100; i++) printf "bind 10ee:%04x\n", i }' >many.conf
too_many() {
	! "$EARLYBIND" embed --config many.conf --check 2>err.txt &&
		grep -q '^many.conf:1025:6: more than 1024 rules' err.txt
}
check embed-too-many-rules too_many
head -c 2000000 /dev/zero | tr '\0' '#' >huge.conf
golden embed-huge-config embed --config huge.conf --check

damaged_binder() {
	"$here/mutate.py" 1 300 binder "$EARLYBIND" embed --binder @ --sysroot configured --output mutated &&
		"$here/mutate.py" 2 200 embedded "$EARLYBIND" embed --show @
}
check embed-survives-damaged-binders damaged_binder
damaged_config() {
	"$here/mutate.py" 3 300 configured/etc/earlybind.conf "$EARLYBIND" embed --check --config @
}
check embed-survives-damaged-configurations damaged_config

# ---- words --------------------------------------------------------------------------------

golden help --help
for command in list plan status check embed image; do
	golden "help-$command" "$command" --help
done
golden no-command
golden unknown-command embd
golden unknown-command-far frobnicate
golden unknown-option plan --cmdlin x
golden unknown-option-far plan --frobnicate
golden help-command help add
golden help-command-misspelt help ad
golden help-help help help
golden help-two-words help add remove
golden help-in-front --help add
golden option-in-front --root alveo list 01:00.1
golden option-in-front-unknown --frobnicate list
golden option-in-front-alone --sysroot alveo
golden option-in-front-not-its-own --json embed
golden option-root plan --root=no-iommu
same_help() {
	"$EARLYBIND" help >one.txt && "$EARLYBIND" --help >two.txt && cmp one.txt two.txt &&
		"$EARLYBIND" -h >two.txt && cmp one.txt two.txt && "$EARLYBIND" add --help >one.txt &&
		"$EARLYBIND" help add >two.txt && cmp one.txt two.txt
}
check help-is-the-same same_help
golden superfluous-word plan 01:00.0
golden missing-value plan --cmdline
golden empty-value plan --sysroot ''
golden superfluous-value list --json=yes
golden embed-where embed
version() {
	[ "$("$EARLYBIND" version)" = "$("$EARLYBIND" --version)" ] && [ "$("$EARLYBIND" --version)" = "earlybind $("$BINDER" --version | awk '{ print $NF }')" ]
}
check version version
# The binder for one device of a tree: a plan for it and nothing else.
binder_device() {
	"$BINDER_RUN" --sysroot alveo --device 01:00.1 >out.json 2>err.txt &&
		jq -e '.late and [.devices[].address] == ["0000:01:00.1"]' out.json &&
		grep -q '01:00.1 .*dry run' err.txt && ! grep -q '01:00.0' err.txt &&
		"$BINDER_RUN" --sysroot alveo --device 02:00.0 >out.json 2>err.txt &&
		grep -q 'no rule names it' err.txt && [ ! -s out.json ]
}
check binder-device binder_device
binder_device_wrong() { # CODE WORDS ARGUMENT...
	code=0
	want=$1 words=$2
	shift 2
	"$BINDER_RUN" "$@" >out.txt 2>err.txt || code=$?
	[ "$code" -eq "$want" ] && grep -q "$words" err.txt
}
check binder-device-typo binder_device_wrong 2 'the function is missing' --sysroot alveo --device 01:00
check binder-device-any binder_device_wrong 2 'a digit from 0 to 7' --sysroot alveo --device '01:00.*'
check binder-device-empty binder_device_wrong 2 'an address is' --sysroot alveo --device ''
check binder-device-absent binder_device_wrong 1 'there is no such device' --sysroot alveo --device 05:00.0
# dracut's files are the command line of an initramfs; for the companion, and so for a machine
# that is up, they are not.
mkdir -p empty/etc/cmdline.d
echo rd.earlybind=0 >empty/etc/cmdline.d/20-off.conf
check binder-reads-dracuts-files binder_device_wrong 0 'off: rd.earlybind=0' --sysroot empty
golden plan-without-dracuts-files plan --sysroot empty

full() {
	code=0
	"$EARLYBIND" list --sysroot alveo >/dev/full 2>err.txt || code=$?
	[ "$code" -eq 1 ] && grep -q 'cannot be written' err.txt
}
check full-disk full

# ---- the other commands, a file each --------------------------------------------------------

for file in "$here"/parts/*.sh; do
	run_parts "$(basename "$file" .sh)"
done

# All JSON that golden and contract have seen.
check schemas-of-all-documents "$here/schemas.py" files documents

[ "$failures" -eq 0 ]
