#!/bin/bash
# The packages that Debian's tools do not build: RPM, by the real rpmbuild, and the functions of
# Arch's PKGBUILD, which run in makepkg's order with its variables. Both have the same programs as
# build/, and neither package's removal can fail.
#
# Usage: tests/packages/others.sh      after "make"; results go to $RESULTS
# shellcheck disable=SC2317 # functions are called through check
set -eu -o pipefail

TOP=$(realpath "$(dirname "$0")/../..")
# shellcheck source=tests/packages/check.sh
. "$TOP/tests/packages/check.sh"
cd "$TOP"
RESULTS=$(realpath "${RESULTS:-build/results.tsv}")
work=$TOP/build/packages-others
rm -rf "$work"
mkdir -p "$work"

same_programs() { # FOLDER
	cmp "$1/usr/lib/earlybind/binder" build/binder && cmp "$1/usr/bin/earlybind" build/earlybind
}

# What "make install" installs, but for the folder of zsh.
same_files() { # FOLDER
	local other=$work/installed
	rm -rf "$other"
	env -u PREFIX -u SBINDIR -u MANDIR -u UNITDIR -u MAKEFLAGS make install DESTDIR="$other" \
		ZSH_COMPLETION_DIR=/usr/share/zsh/site-functions
	diff <(cd "$other" && find . ! -type d | sort) \
		<(cd "$1" && find . ! -type d ! -path '*/licenses/*' | sort)
}

rpm_package() {
	env -u PREFIX -u SBINDIR -u MANDIR -u UNITDIR -u MAKEFLAGS make rpm
}

unpack_rpm() {
	mkdir -p "$work/rpm"
	rpm2cpio build/rpm/RPMS/*/earlybind-*.rpm | (cd "$work/rpm" && cpio -idm --quiet)
}

# As "rpm -e" runs them, where no program of ours is there any more.
rpm_removal() {
	local part
	for part in preuninstall postuninstall; do
		rpm -qp --scripts build/rpm/RPMS/*/earlybind-*.rpm | awk -v part="$part" '
			/ scriptlet / { on = $1 == part; next } on' >"$work/$part"
		[ -s "$work/$part" ]
		env -i PATH="$work/no-programs" /bin/sh "$work/$part" 0
	done
}

make_dist() {
	env -u MAKEFLAGS make dist
}

mk/packages.sh rpm docs
check "rpm: rpmbuild builds it from the tarballs" rpm_package
check "rpm: it can be unpacked" unpack_rpm
check "rpm: the programs are those of make" same_programs "$work/rpm"
check "rpm: the files are those of make install" same_files "$work/rpm"
check "rpm: its removal ends without an error" rpm_removal

# makepkg: srcdir holds what the sources unpack to.
pkgbuild() { # FUNCTION
	srcdir=$work/src pkgdir=$work/pkg bash -eu -c \
		'. packaging/arch/PKGBUILD && cd "$srcdir" && "$1"' pkgbuild "$1"
}

unpack_sources() {
	local file
	mkdir -p "$work/src" "$work/pkg"
	make_dist
	for file in $(bash -c '. packaging/arch/PKGBUILD && printf "%s\n" "${source[@]}"'); do
		tar -C "$work/src" -xf "build/dist/$file" || return
	done
}

arch_removal() {
	env PATH="$work/no-programs" /bin/bash -c \
		'. packaging/arch/earlybind.install && pre_remove && post_remove'
}

check "arch: the sources of PKGBUILD are those of make dist" unpack_sources
for function in build check package; do
	check "arch: $function() of PKGBUILD" pkgbuild "$function"
done
check "arch: the programs are those of make" same_programs "$work/pkg"
check "arch: the files are those of make install" same_files "$work/pkg"
check "arch: nothing is in /usr/sbin, which is a link there" test ! -e "$work/pkg/usr/sbin"
check "arch: its removal ends without an error" arch_removal
exit $status
