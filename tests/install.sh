#!/bin/sh
# "make install" and "make uninstall" below a DESTDIR, and that building installs no packages.
#
# Usage: tests/install.sh      after "make"; results go to $RESULTS
# shellcheck disable=SC2317 # functions are called through check
set -eu

BUILD=${BUILD:-build}
RESULTS=$(realpath "${RESULTS:-$BUILD/results.tsv}")
work=$(realpath "$BUILD")/install
root=$work/root
rm -rf "$work"
mkdir -p "$work"
status=0

run_make() { # ARGUMENT...
	env -u PREFIX -u BINDIR -u MANDIR -u UNITDIR -u MAKEFLAGS make "$@" >"$work/log" 2>&1
}

# check NAME COMMAND...: the command's end is the result
check() {
	name=$1
	shift
	if "$@"; then
		printf 'pass\tinstall\t%s\n' "$name" >>"$RESULTS"
	else
		printf 'fail\tinstall\t%s\t%s\n' "$name" "see $work/log" >>"$RESULTS"
		echo "---- $name" >&2
		tail -n 20 "$work/log" >&2
		status=1
	fi
}

# has FILE...: these are installed, and what is a program runs
has() {
	for file in "$@"; do
		[ -s "$root$file" ] || { echo "no $file" >>"$work/log" && return 1; }
		case $file in
		*/bin/*) "$root$file" --version >>"$work/log" || return 1 ;;
		esac
	done
}

# is_empty FOLDER: it has nothing, no folder either
is_empty() {
	[ -d "$1" ] && left=$(find "$1" -mindepth 1) && { [ -z "$left" ] || {
		printf 'left behind: %s\n' "$left" >>"$work/log"
		return 1
	}; }
}

manual_pages() { # FOLDER
	for page in docs/*.scd; do
		page=${page#docs/}
		page=${page%.scd}
		echo "$1/man${page##*.}/$page"
	done
}

mkdir "$root"
check 'make install' run_make install DESTDIR="$root"
# shellcheck disable=SC2046 # words
check 'files are where the hooks look' has /usr/lib/earlybind/binder /usr/lib/earlybind/shell \
	/usr/bin/earlybind /usr/share/doc/earlybind/copyright /usr/share/initramfs-tools/hooks/earlybind \
	/usr/lib/dracut/modules.d/50earlybind/module-setup.sh \
	/usr/lib/systemd/system/earlybind.service $(manual_pages /usr/share/man)
check 'no configuration is installed' test ! -e "$root/etc"
check 'hooks of mkinitcpio are no programs' test ! -x "$root/usr/lib/initcpio/hooks/earlybind"
check 'users without sbin in PATH find it' test ! -e "$root/usr/sbin"
# A program of an earlier version becomes a link, and goes with the rest.
is_link() {
	run_make install DESTDIR="$root" && [ "$(readlink "$root/usr/sbin/earlybind")" = ../bin/earlybind ] &&
		"$root/usr/sbin/earlybind" --version >>"$work/log"
}
mkdir "$root/usr/sbin"
echo old >"$root/usr/sbin/earlybind"
check 'a program of old becomes a link' is_link
check 'and stays one' is_link
check 'make uninstall' run_make uninstall DESTDIR="$root"
check 'the link goes as well' rmdir "$root/usr/sbin" "$root/usr"
check 'uninstall leaves nothing' is_empty "$root"

# One folder with two names, as in Fedora and Arch.
is_program() {
	ln -s bin "$root/usr/sbin" && run_make install DESTDIR="$root" && run_make install DESTDIR="$root" &&
		[ ! -L "$root/usr/bin/earlybind" ] && "$root/usr/sbin/earlybind" --version >>"$work/log" &&
		run_make uninstall DESTDIR="$root" && [ ! -e "$root/usr/bin/earlybind" ]
}
mkdir -p "$root/usr/bin"
check 'where sbin is bin it is no link' is_program
rm -rf "${root:?}/usr"

check 'make install PREFIX=/usr/local' run_make install DESTDIR="$root" PREFIX=/usr/local
# shellcheck disable=SC2046 # words
check 'PREFIX moves all but what the hooks rely on' has /usr/lib/earlybind/binder \
	/usr/local/bin/earlybind /usr/share/initramfs-tools/hooks/earlybind \
	/usr/local/lib/systemd/system/earlybind.service $(manual_pages /usr/local/share/man)
check 'PREFIX: nothing in /usr/sbin' test ! -e "$root/usr/sbin"
check 'PREFIX: nothing in /usr/share/man' test ! -e "$root/usr/share/man"

# What is not ours stays, and so does the configuration.
mkdir -p "$root/etc"
echo 'bind 10ee:5000' >>"$root/etc/earlybind.conf"
touch "$root/usr/share/initramfs-tools/hooks/another"
check 'make install over a configuration' run_make install DESTDIR="$root" PREFIX=/usr/local
check 'make install leaves the configuration' grep -qx 'bind 10ee:5000' "$root/etc/earlybind.conf"
check 'make uninstall PREFIX=/usr/local' run_make uninstall DESTDIR="$root" PREFIX=/usr/local
check 'uninstall says what stays' grep -q 'earlybind.conf.*stays' "$work/log"
find "$root" -type f -printf '/%P\n' | sort >"$work/left"
printf '%s\n' /etc/earlybind.conf /usr/share/initramfs-tools/hooks/another >"$work/expected"
check 'uninstall leaves what is not ours' cmp "$work/left" "$work/expected"

# Where all packages are missing, "make" names them; "make packages" calls apt-get.
mkdir "$work/bin"
for tool in dpkg-query apt-get sudo; do
	# shellcheck disable=SC2016 # text of a script
	printf '#!/bin/sh\n[ "${0##*/}" = dpkg-query ] || echo "$0 $*" >>"%s/calls"\n' "$work" \
		>"$work/bin/$tool"
	chmod +x "$work/bin/$tool"
done
touch "$work/calls"
with_fakes() {
	PATH=$work/bin:$PATH run_make "$@"
}
check 'make fails without packages' eval '! with_fakes all'
check 'make says how to install packages' grep -q 'install them with: make packages' "$work/log"
check 'make installs no packages' test ! -s "$work/calls"
# shellcheck disable=SC2016 # eval expands it
check 'make install installs no packages' eval '! with_fakes install DESTDIR="$root" && [ ! -s "$work/calls" ]'
check 'make packages' with_fakes packages
check 'make packages installs packages' grep -q 'install.* musl-tools.* scdoc' "$work/calls"

[ "$status" -ne 0 ] || rm -rf "$work"
exit $status
