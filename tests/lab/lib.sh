# shellcheck shell=bash
# lib.sh: what the lab's scripts share. Sourced by them, after `set -eu`.

# shellcheck disable=SC2034 # used by the scripts that source this file
LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034
TOP=$(cd "$LAB/../.." && pwd)
case ${BUILD:=build} in
/*) LAB_BUILD=$BUILD/lab ;;
*) LAB_BUILD=$TOP/$BUILD/lab ;;
esac
export BUILD
CACHE=${EARLYBIND_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/earlybind}/lab

# LAB_START makes the elapsed time of all scripts of one run count from the same moment.
: "${LAB_START:=$(date +%s)}"
export LAB_START

say() {
	printf 'lab: [%3d s] %s\n' $(($(date +%s) - LAB_START)) "$*" >&2
}

die() {
	say "error: $*"
	exit 1
}

# Runs a command as root: mmdebstrap, chroot and device nodes need it.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo --preserve-env=LAB_START "$@"
	else
		die "needs root, or a user with sudo, for: $1"
	fi
}

# content_key [TEXT...] <LIST: one name for the content of the files on standard input
# (one path a line; folders are walked; their modes and links count) and of the arguments.
content_key() {
	local path
	{
		printf '%s\n' "$@"
		while read -r path; do
			if [ -d "$path" ]; then
				(cd "$path" && find . -printf '%p %y %#m %l\n' | LC_ALL=C sort)
				(cd "$path" && find . -type f -print0 | LC_ALL=C sort -z |
					xargs -0 -r sha256sum)
			else
				sha256sum <"$path"
			fi
		done
	} | sha256sum | cut -c 1-16
}

# slowly LABEL LOG COMMAND...: runs a command with its output in LOG and says every ten
# seconds that it is still at it; shows the end of LOG when the command fails.
slowly() {
	local label=$1 log=$2 pid begin rc=0 ticks=0
	shift 2
	begin=$(date +%s)
	say "$label ..."
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	# shellcheck disable=SC2064 # $pid as it is now
	trap "kill $pid 2>/dev/null || true; exit 130" INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.5
		ticks=$((ticks + 1))
		[ $((ticks % 20)) -ne 0 ] || say "$label: $(($(date +%s) - begin)) s so far"
	done
	wait "$pid" || rc=$?
	trap - INT TERM
	if [ "$rc" -ne 0 ]; then
		tail -n 30 "$log" >&2
		die "$label: failed with status $rc (all of its output: $log)"
	fi
	say "$label: done in $(($(date +%s) - begin)) s"
}

# locked NAME COMMAND...: one run of the command at a time on this machine.
locked() {
	local lock_of=$1
	shift
	mkdir -p "$CACHE/tmp"
	(
		if ! flock --timeout 3 9; then
			say "waiting for another run that makes $lock_of"
			flock 9
		fi
		"$@"
	) 9>"$CACHE/$lock_of.lock"
}

# cached NAME FILE KEEP KEY TEXT COMMAND...: the folder NAME-KEY of the cache. COMMAND, as root and with
# a new folder behind its words, fills it where there is none with FILE; TEXT says what that makes.
# The KEEP folders of NAME that were used last stay. To be called in locked().
cached() {
	local name=$1 file=$2 keep=$3 dir=$CACHE/$1-$4 text=$5 work
	shift 5
	if [ ! -e "$dir/$file" ]; then
		work=$(as_root mktemp -d "$CACHE/tmp/$name.XXXXXX")
		slowly "$text" "$CACHE/$name.log" as_root "$@" "$work"
		as_root mv "$work" "$dir"
		prune "$name" "$keep"
	fi
	as_root touch "$dir"
	echo "$dir"
}

# prune PREFIX KEEP: removes all but the KEEP most recently used entries of the cache.
# A folder that was used in the last hour stays: another run may be reading it. What an
# interrupted run left behind goes after a day.
prune() {
	local path
	find "$CACHE/tmp" -mindepth 1 -maxdepth 1 -mtime +0 | while read -r path; do
		as_root rm -rf --one-file-system "$path"
	done
	find "$CACHE" -maxdepth 1 -type d -name "$1-*" -printf '%T@ %p\n' | sort -rn |
		tail -n +$(($2 + 1)) | while read -r _ path; do
			[ -n "$(find "$path" -maxdepth 0 -mmin +60)" ] || continue
			as_root rm -rf --one-file-system "$path"
		done
}

# The archive as apt knows it. Machines have other archives configured as well; a machine
# that never ran `apt-get update` knows no origins yet, hence the second and third try.
# shellcheck disable=SC2016 # apt's own variables
mirror() {
	local field='$(ORIGIN)/$(LABEL) $(REPO_URI)' uri
	if [ -n "${EARLYBIND_MIRROR:-}" ]; then
		echo "$EARLYBIND_MIRROR"
		return
	fi
	uri=$(apt-get indextargets --format "$field" 'Created-By: Packages' 2>/dev/null |
		awk '$1 == "Debian/Debian" { print $2; exit }')
	[ -n "$uri" ] || uri=$(apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null | grep -m1 -E '/debian/?$' || true)
	[ -n "$uri" ] || die "apt knows no Debian archive here: set EARLYBIND_MIRROR=URL"
	echo "$uri"
}

# lab_cc SOURCE PROGRAM: a static program for the guest.
lab_cc() {
	musl-gcc -static -Os -Wall -Wextra -idirafter /usr/include \
		-idirafter "/usr/include/$(uname -m)-linux-gnu" -o "$2" "$1"
}

# Installs earlybind into a folder as a packager's `make install` does, and builds the lab's programs.
# STAGE is that folder; it is empty if earlybind cannot be built or installed.
prepare_lab() {
	mkdir -p "$LAB_BUILD/bin"
	"$TOP/mk/packages.sh" build lab docs
	lab_cc "$LAB/preinit.c" "$LAB_BUILD/bin/preinit"
	lab_cc "$LAB/ids.c" "$LAB_BUILD/bin/ids"
	lab_cc "$LAB/dma.c" "$LAB_BUILD/bin/dma"
	lab_cc "$LAB/vm.c" "$LAB_BUILD/bin/vm"
	STAGE=$LAB_BUILD/stage
	rm -rf "$STAGE"
	# The files of the package; tests/packages installs the package itself.
	if ! "${MAKE:-make}" -C "$TOP" install DESTDIR="$STAGE" PREFIX=/usr BINDIR=/usr/bin \
		MANDIR=/usr/share/man UNITDIR=/usr/lib/systemd/system \
		>"$LAB_BUILD/install.log" 2>&1
	then
		tail -n 20 "$LAB_BUILD/install.log" >&2
		say "error: make install failed (all of its output: $LAB_BUILD/install.log)"
		STAGE=
	fi
}

# mount_proc ROOT: /proc for a root in which an image is made. Where the kernel of this
# machine has no modules it has no list of them, and dracut would not believe in a machine
# that needs only some drivers: the list is added, empty.
mount_proc() {
	local name
	mount -t proc proc "$1/proc"
	[ ! -e "$1/proc/modules" ] || return 0
	umount "$1/proc"
	mkdir "$1/proc.real"
	mount -t proc proc "$1/proc.real"
	mount -t tmpfs -o mode=0755 proc "$1/proc"
	for name in "$1"/proc.real/[a-z]*; do
		ln -s "../proc.real/${name##*/}" "$1/proc/${name##*/}"
	done
	: >"$1/proc/modules"
}
