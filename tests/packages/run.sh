#!/bin/bash
# The life of the built package on real systems: installed, used, upgraded, removed, purged, with
# the release's own dpkg, kernel hooks and generator, in the lab's root file systems.
#
# Usage: tests/packages/run.sh [SUITE/GENERATOR...]
#
# GENERATOR is initramfs-tools or dracut, or the name of a script beside this one: grub, switch, release, tiny, systemd-boot, readme.
# What is missing is installed by apt, whose downloads are cached. Without arguments
# initramfs-tools of two releases, GRUB, tiny-initramfs, and the commands of the README; with "all" all of every release.
#
# PACKAGE=FILE  the package, if it is not to be built
# RESULTS=FILE  where one line per check is added (build/results.tsv)
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lab/lib.sh"
. "$TOP/tests/roots.sh"

here=$TOP/tests/packages
build=$TOP/build/packages
results=${RESULTS:-$TOP/build/results.tsv}

# The guest's apt asks the archive as this machine's does. What was fetched before is below a layer
# of its own: apt locks the folder, and two run at once.
share_apt() { # ROOT SUITE LAYER
	local cache=$CACHE/apt-$2/archives
	mkdir -p "$cache" "$3/new" "$3/work"
	mount -t overlay -o "lowerdir=$cache,upperdir=$3/new,workdir=$3/work" apt "$1/var/cache/apt/archives"
	mkdir -p "$1/var/cache/apt/archives/partial"
	# A link that leads out of the guest's root must not be followed.
	rm -f "$1/etc/resolv.conf"
	cp /etc/resolv.conf "$1/etc/resolv.conf"
	apt-config dump | grep -E '^Acquire::(http|https|Retries)' >"$1/etc/apt/apt.conf.d/90machine" || true
	printf '%s\n' 'APT::Sandbox::User "root";' 'Binary::apt-get::APT::Keep-Downloaded-Packages "true";' \
		'APT::Keep-Downloaded-Packages "true";' 'Acquire::Check-Valid-Until "false";' \
		>>"$1/etc/apt/apt.conf.d/90machine"
}

# As root, in a mount namespace of its own: the mounts vanish with it.
if [ "${1:-}" = --in-namespace ]; then
	base=$2 work=$3 suite=$4 generator=$5
	mkdir -p "$work/root" "$work/layer"
	mount -t tmpfs -o mode=0755 packages "$work/layer"
	mkdir "$work/layer/upper" "$work/layer/work"
	mount -t overlay -o \
		"lowerdir=$base/tree,upperdir=$work/layer/upper,workdir=$work/layer/work" \
		packages "$work/root"
	mount_proc "$work/root"
	# A machine without cards: rules are for what is not there yet.
	mount -t tmpfs -o mode=0755 sys "$work/root/sys"
	mkdir -p "$work/root/sys/bus/pci/devices" "$work/root/sys/bus/pci/drivers"
	share_apt "$work/root" "$suite" "$work/layer/apt"
	mkdir "$work/root/package-tests"
	steps=$here/$generator.sh
	[ -e "$steps" ] || steps=$here/steps.sh
	cp "$steps" "$work/root/package-tests/steps.sh"
	cp "$here/lib.sh" "$TOP/README.md" "$work"/*.deb "$work/root/package-tests"
	status=0
	chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
		DEBIAN_FRONTEND=noninteractive \
		sh /package-tests/steps.sh "$(cat "$base/version")" "$generator" </dev/null || status=$?
	find "$work/layer/apt/new" -maxdepth 1 -name '*.deb' -type f \
		-exec cp -n -t "$CACHE/apt-$suite/archives" {} +
	exit "$status"
fi

# A package of the time when the configuration was a conffile, and the program in /usr/sbin.
make_old_package() {
	local root=$build/old
	rm -rf "$root"
	dpkg-deb -R "$build/new.deb" "$root"
	rm -f "$root/DEBIAN/postinst" "$root/DEBIAN/prerm" "$root/DEBIAN/postrm"
	sed -i 's/^Version:.*/Version: 0.1.0/' "$root/DEBIAN/control"
	mkdir "$root/usr/sbin"
	mv "$root/usr/bin/earlybind" "$root/usr/sbin"
	rmdir "$root/usr/bin"
	install -D -m 0644 "$TOP/docs/earlybind.conf" "$root/etc/earlybind.conf"
	echo /etc/earlybind.conf >"$root/DEBIAN/conffiles"
	echo 'activate-noawait update-initramfs' >"$root/DEBIAN/triggers"
	dpkg-deb --root-owner-group -Zgzip -b "$root" "$build/old.deb" >/dev/null
}

run_in() { # SUITE GENERATOR
	local base work log=$build/$1-$2
	base=$("$LAB/base.sh" "$1")
	work=$(as_root mktemp -d "$CACHE/tmp/packages.XXXXXX")
	as_root cp "$build/new.deb" "$build/old.deb" "$work"
	as_root unshare --mount --pid --fork timeout --kill-after=10 900 "$0" --in-namespace \
		"$base" "$work" "$1" "$2" >"$log.output" 2>"$log.errors" || {
		tail -n 30 "$log.errors" >&2
		echo "fail the steps: did not finish" >>"$log.output"
	}
	as_root rm -rf --one-file-system "$work"
}

# Releases and generators by steps: checks that passed, of all.
table() { # SUITE/GENERATOR...
	local name
	for name in "$@"; do
		awk -v label="$name" '
			$1 == "pass" || $1 == "fail" { step = $2; sub(/:$/, "", step)
				if (!(step in all)) order[++n] = step
				all[step]++; good[step] += $1 == "pass" }
			END { printf "%-26s", label
				for (i = 1; i <= n; i++)
					printf " %s %d/%d", order[i], good[order[i]], all[order[i]]
				print "" }' "$build/${name%/*}-${name#*/}.output"
	done
}

[ $# -gt 0 ] || set -- {bookworm,trixie}/{initramfs-tools,readme} bookworm/{grub,tiny}
[ "$1" != all ] || set -- {bookworm,trixie,forky}/{initramfs-tools,dracut} {bookworm,trixie}/{readme,grub,tiny,switch} trixie/systemd-boot bookworm/release

rm -rf "$build"
mkdir -p "$build"
if [ -z "${PACKAGE:-}" ]; then
	"$TOP/mk/packages.sh" build lab docs package
	"${MAKE:-make}" -C "$TOP" deb >"$build/deb.log" 2>&1 || { cat "$build/deb.log" >&2; exit 1; }
	PACKAGE=$TOP/build/earlybind.deb
fi
cp "$PACKAGE" "$build/new.deb"
make_old_package

run_in_roots packages "$@"
table "$@"
exit $status
