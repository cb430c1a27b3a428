#!/bin/bash
# The tests of mkinitcpio's hooks, run as root inside a root file system with earlybind
# installed. There is no mkinitcpio in Debian: the build hook is sourced by a model of it, made
# after version 41, that does what its functions do to the build root and records their calls.
#
# Usage: mkinitcpio.sh KERNEL_VERSION
#
# Prints as initramfs-tools.sh does: "pass NAME" or "fail NAME: REASON" per check.
# shellcheck disable=SC2317 # the model's functions are called by the hook
[ -n "${BASH_VERSION-}" ] || exec bash "$0" "$@"
set -u

version=$1
work=/image-tests
log=$work/log
calls=$work/calls
image=$work/image
BUILDROOT=$work/root

# ---- the model --------------------------------------------------------------------------

# What mkinitcpio does around the hooks: early hooks of others, the hook, and then the image is
# written, unless somebody died. Errors of add_ functions are counted and do not keep it.
mkinitcpio() { # HOOK...
	# shellcheck disable=SC2034 # read by the hook
	HOOKS=("$@") KERNELVERSION=${kernel-$version}
	local hook
	set +u
	declare -A _runhooks=()
	declare -A _addedmodules=()
	_builderrors=0

	error() {
		local mesg=$1
		shift
		# shellcheck disable=SC2059
		printf "==> ERROR: $mesg\n" "$@" >&2
		return 1
	}
	warning() {
		local mesg=$1
		shift
		# shellcheck disable=SC2059
		printf "==> WARNING: $mesg\n" "$@" >&2
	}
	die() {
		error "$@"
		exit 1
	}
	note() { echo "$*" >>"$calls"; }
	add_file() {
		note add_file "$@"
		[[ -f $1 ]] || { error "file not found: '%s'" "$1"; return 1; }
		mkdir -p "$BUILDROOT${1%/*}"
		cp --remove-destination --preserve=mode,ownership "$1" "$BUILDROOT${2:-$1}"
	}
	add_binary() {
		note add_binary "$@"
		add_file "$@"
	}
	add_symlink() {
		note add_symlink "$@"
		mkdir -p "$BUILDROOT${1%/*}"
		ln -sfn "$2" "$BUILDROOT$1"
	}
	add_module() {
		local name=${1%\?} found='' field value deps dep
		name=${name//-/_}
		[[ -z ${_addedmodules[$name]-} ]] || return 0
		while IFS=':= ' read -r -d '' field value; do
			case $field in
			filename)
				[[ $value == /* ]] || continue
				found=1
				_addedmodules[$name]=1
				note add_module "$name"
				;;
			depends)
				IFS=, read -r -a deps <<<"$value"
				for dep in "${deps[@]}"; do add_module "$dep"; done
				;;
			esac
		done < <(modinfo -k "$KERNELVERSION" -0 "$name" 2>/dev/null)
		[[ $found || $1 == *\? ]] || { error "module not found: '%s'" "$name"; return 1; }
	}
	add_runscript() {
		local name=${BASH_SOURCE[1]##*/}
		note add_runscript "$name"
		mkdir -p "$BUILDROOT/hooks"
		cp "/usr/lib/initcpio/hooks/$name" "$BUILDROOT/hooks/"
		grep -q '^run_earlyhook()' "$BUILDROOT/hooks/$name" && _runhooks['early']+=" $name"
	}

	for hook in "$@"; do
		case $hook in
		earlybind)
			# shellcheck source=/dev/null
			. /usr/lib/initcpio/install/earlybind
			build
			;;
		grab | udev) _runhooks['early']+=" $hook" ;;
		esac
	done
	echo new >"$image"
	echo "EARLYHOOKS=${_runhooks['early']-}" >>"$calls"
}

# ---- what is checked --------------------------------------------------------------------

check() { # NAME CONDITION...: the condition is a command
	local name=$1
	shift
	if "$@" >>$work/checks 2>&1; then
		echo "pass $name"
	else
		echo "fail $name: not so: $*"
		cat $log >&2
	fi
}

# Never fails: checks look at $status.
make_image() { # NAME HOOK...
	echo "--- $1" >&2
	shift
	rm -rf $BUILDROOT $calls
	mkdir $BUILDROOT
	: >$calls
	echo old >$image
	(mkinitcpio "$@") >$log 2>&1
	status=$?
	cat $log $calls >&2
}

is() { [ "$1" = "$2" ] || { printf 'not "%s" but "%s"\n' "$2" "$1"; return 1; }; }
says() { grep -q -e "$1" $log; }
is_old() { is "$status $(cat $image)" '1 old'; }
is_new() { is "$status $(cat $image)" '0 new'; }
# The record without the modules' own order, which is modinfo's.
recorded() { grep -v '^add_module ' $calls; }
modules() { sed -n 's/^add_module //p' $calls | sort | tr '\n' ' '; }
rules() { earlybind embed --show $BUILDROOT/usr/lib/earlybind/binder 2>&1; }
unit=/usr/lib/systemd/system/earlybind.service

wanted='irqbypass vfio vfio_iommu_type1 vfio_pci vfio_pci_core '
# Up to 6.1 a module of its own, later a part of vfio.
! modinfo -k "$version" vfio_virqfd >/dev/null 2>&1 || wanted+='vfio_virqfd '

echo 'bind 10ee:5000' >/etc/earlybind.conf
make_image busybox base earlybind udev autodetect modconf kms block filesystems
check "busybox: the image is made" is_new
check "busybox: modules" is "$(modules)" "$wanted"
check "busybox: what is added, in this order" is "$(recorded)" \
	'add_runscript earlybind
EARLYHOOKS= earlybind udev'
check "busybox: the binder has the rule" is "$(rules)" '#: /etc/earlybind.conf:1
bind 10ee:5000'
check "busybox: no unit" test ! -e $BUILDROOT$unit
check "busybox: no warning" is "$(grep -c WARNING $log)" 0

make_image systemd base systemd earlybind autodetect modconf kms block filesystems
check "systemd: the image is made" is_new
check "systemd: modules" is "$(modules)" "$wanted"
check "systemd: what is added, in this order" is "$(recorded)" \
	'add_file /usr/lib/systemd/system/earlybind.service
add_symlink /usr/lib/systemd/system/sysinit.target.wants/earlybind.service ../earlybind.service
add_file /usr/lib/systemd/system/earlybind-shell.service
add_symlink /usr/lib/systemd/system/sysinit.target.wants/earlybind-shell.service ../earlybind-shell.service
add_file /usr/lib/earlybind/shell
EARLYHOOKS='
check "systemd: the binder has the rule" grep -qx 'bind 10ee:5000' <<<"$(rules)"
check "systemd: the link leads to the unit" cmp \
	$BUILDROOT/usr/lib/systemd/system/sysinit.target.wants/earlybind.service $unit
check "systemd: the unit starts the binder" grep -qx -- 'ExecStart=-/usr/lib/earlybind/binder' $BUILDROOT$unit
check "systemd: nothing happens in the real root" grep -qx 'ConditionPathExists=/etc/initrd-release' $BUILDROOT$unit
make_image systemd-any-order base earlybind systemd block
check "systemd: the place in HOOKS does not matter" is_new

make_image order base udev earlybind block
check "wrong order: the image is made" is_new
check "wrong order: says why" says 'stands behind udev.*put it in front of udev'
make_image warned base grab earlybind udev
check "another early hook in front: the image is made" is_new
check "another early hook in front: is named" says 'WARNING: earlybind: these run before it.* grab$'

# -A and -S of the command line: mkinitcpio computes _hooks from HOOKS.
_hooks=(base udev earlybind)
make_image computed base earlybind udev
check "the computed order counts" says 'stands behind udev'
unset _hooks

rm /etc/earlybind.conf
make_image none base earlybind udev
check "no configuration: the image is made" is_new
check "no configuration: the table is empty" is "$(rules)$(grep -c earlybind $log)" "earlybind: $BUILDROOT/usr/lib/earlybind/binder: its table is empty0"
mkdir -p /etc/modprobe.d
echo 'options vfio-pci ids=10ee:5000' >/etc/modprobe.d/vfio.conf
echo 'options snd_hda_intel index=1' >/etc/modprobe.d/sound.conf
make_image options base earlybind udev
check "options of vfio-pci come along" grep -qx 'add_file /etc/modprobe.d/vfio.conf' $calls
check "other options are not ours" is "$(grep -c sound.conf $calls)" 0
rm /etc/modprobe.d/vfio.conf

printf '# cards\nbind 10ee:50g0\n' >/etc/earlybind.conf
for flavour in udev systemd; do
	make_image "typo-$flavour" base earlybind $flavour
	check "typo, $flavour: the image is made" is_new
	check "typo, $flavour: it is marked" grep -q '^/etc/earlybind.conf:2:' \
		$BUILDROOT/etc/earlybind.earlier
	check "typo, $flavour: says file, line and column" says '^W: earlybind: /etc/earlybind.conf:2:[0-9]*: '
	check "typo, $flavour: says the remedy" says 'correct it, then run earlybind apply'
done
echo 'bind 10ee:5000' >/etc/earlybind.conf

# mkinitcpio counts the error and writes the image.
kernel=0.0-none make_image none base earlybind udev
check "no vfio-pci: the image is made" is_new
check "no vfio-pci: says so" says 'WARNING: earlybind: kernel 0.0-none has no vfio-pci'

sed -i 's/systemd-udevd.service //' $unit
make_image unit base systemd earlybind
check "a unit that is not early enough: the image is made" is_new
check "a unit that is not early enough: says so" says 'not ordered before systemd-udevd.service'
rm $unit
make_image no-unit base systemd earlybind
check "no unit: the image is made" is_new
mv /usr/lib/earlybind/binder /usr/lib/earlybind/away
make_image no-binder base earlybind udev
check "no binder: the image is made" is_new
mv /usr/lib/earlybind/away /usr/lib/earlybind/binder

mv /usr/bin/earlybind $work/earlybind
for fault in missing crashing; do
	if [ $fault = crashing ]; then
		printf '#!/bin/sh\nkill -SEGV $$\n' >/usr/bin/earlybind
		chmod +x /usr/bin/earlybind
	fi
	make_image "$fault-companion" base earlybind udev
	check "$fault companion: the image is made" is_new
	check "$fault companion: it is said" says '^W: earlybind: .*embed failed'
	check "$fault companion: the mark is there" test -s $BUILDROOT/etc/earlybind.earlier
	check "$fault companion: the binder is there" test -x $BUILDROOT/usr/lib/earlybind/binder
done
cp -p $work/earlybind /usr/bin/earlybind
mv /usr/lib/earlybind/image-build $work/image-build
make_image no-image-build base earlybind udev
check "no image-build: the image is made" is_new
check "no image-build: it is said" says '^W: earlybind: .*image-build is missing'
mv $work/image-build /usr/lib/earlybind/image-build

# The run script, by the shell that is nearest to the image's.
run_early() { # CODE of the binder
	printf '#!/bin/sh\nexit %s\n' "$1" >/usr/lib/earlybind/binder
	# shellcheck disable=SC2016 # the inner shell's
	busybox sh -euc '. /usr/lib/initcpio/hooks/earlybind; run_earlyhook; echo "$?"'
}
check "the boot goes on when all is bound" is "$(run_early 0)" 0
check "the boot goes on when nothing is bound" is "$(run_early 1)" 0
rm /usr/lib/earlybind/binder
check "the boot goes on without a binder" is \
	"$(busybox sh -euc '. /usr/lib/initcpio/hooks/earlybind; run_earlyhook; echo "$?"')" 0
check "it has a help" grep -q HOOKS <(bash -c '. /usr/lib/initcpio/install/earlybind; help')
