#!/bin/sh
# Finds the sources named in third_party/sources.lock, verifies them and, if asked, unpacks them.
#
# Usage: fetch.sh NAME...              print the path of each verified tarball
#        fetch.sh -x DIR NAME          unpack it into DIR, check its licence file, apply patches
#        fetch.sh -o DIR [NAME...]     copy verified tarballs into DIR, to be used as DISTFILES
#                                      (without a NAME: all of them)
#
# A source is looked for in this order; every copy must have the SHA-256 of its line in the lock:
#   1. $DISTFILES, if set: a folder with the tarballs. It is only read, and nothing is downloaded.
#   2. the cache, ${EARLYBIND_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/earlybind}/distfiles
#   3. the origins of the lock, in its order: the Debian mirror that this machine's apt uses,
#      then the upstream sites. Downloads go to the cache.
#
# Exit code: 0 done, 1 not found or not unpacked, 2 wrong usage, 71 a hash does not match.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
lock=${SOURCES_LOCK:-$here/sources.lock}
cache=${EARLYBIND_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/earlybind}/distfiles
tmp=""
trap '[ -z "$tmp" ] || rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

say() {
	printf '          %s\n' "$*" >&2
}

fail() {
	printf 'third_party/fetch.sh: %s\n' "$*" >&2
	exit 1
}

# verify FILE SHA256 WHAT HINT: exits with 71 unless the file has this hash.
verify() {
	got=$(sha256sum <"$1") || fail "cannot read $1"
	got=${got%% *}
	[ "$got" = "$2" ] && return 0
	{
		printf 'third_party/fetch.sh: SHA-256 mismatch: %s\n' "$3"
		printf '  expected %s (third_party/sources.lock)\n' "$2"
		printf '  found    %s\n' "$got"
		printf '  %s\n' "$4"
	} >&2
	exit 71
}

# Prints the base URIs of Debian mirrors in this machine's apt configuration, best first.
# The configured lists say which archive is Debian's own; a machine that never ran
# "apt-get update" has no lists, there the URIs themselves have to do.
debian_mirrors() {
	command -v apt-get >/dev/null 2>&1 || return 0
	{
		# shellcheck disable=SC2016 # apt's own placeholders
		apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' \
			'Created-By: Packages' 2>/dev/null |
			sed -n 's/^Debian|Debian|//p'
		apt-get update --print-uris 2>/dev/null |
			sed -n "s|^'\(.*/debian/\)dists/.*|\1|p"
	} | sed 's|/*$|/|' | awk '!/^cdrom:/ && !seen[$0]++'
}

# download URL FILE: brings one URL; the messages of a failure go to $tmp/log.
download() {
	rm -f "$2"
	case $1 in
	http://* | https://*)
		if command -v curl >/dev/null 2>&1; then
			curl -fsSL --connect-timeout 20 --retry 2 -o "$2" "$1" 2>"$tmp/log" </dev/null
			return
		elif command -v wget >/dev/null 2>&1; then
			wget -q -T 20 -t 3 -O "$2" "$1" 2>"$tmp/log" </dev/null
			return
		fi
		;;
	esac
	apt_download "$1" "$2"
}

# The same through apt, which knows this machine's proxies and credentials.
apt_download() {
	helper=/usr/lib/apt/apt-helper
	if [ ! -x "$helper" ]; then
		echo "neither curl, wget nor apt-helper is installed" >"$tmp/log"
		return 1
	fi
	rm -f "$2"
	"$helper" -q -o Acquire::Retries=2 -o Acquire::http::Timeout=20 \
		-o Acquire::https::Timeout=20 download-file "$1" "$2" >"$tmp/log" 2>&1 </dev/null &&
		[ -f "$2" ]
}

# accept FILE SHA256 NAME ORIGIN: verifies a download and moves it into the cache.
accept() {
	verify "$1" "$2" "$3 from $4" \
		"The file was discarded. Is a proxy in between, or has the origin changed its file?"
	path=$cache/$3
	mv -f "$1" "$path"
}

# find_source NAME: sets $path to a verified tarball.
find_source() {
	name=$1
	lines=$(awk -v n="$name" '$1 == n' "$lock")
	[ -n "$lines" ] || fail "$name is not in $lock"
	path=""

	while read -r _ _ _ sha file _; do
		if [ -n "${DISTFILES:-}" ] && [ -f "$DISTFILES/$file" ]; then
			verify "$DISTFILES/$file" "$sha" "$DISTFILES/$file" \
				"DISTFILES holds another file under this name."
			path=$DISTFILES/$file
			return 0
		fi
	done <<-EOF
		$lines
	EOF
	while read -r _ _ _ sha file _; do
		if [ -f "$cache/$file" ]; then
			verify "$cache/$file" "$sha" "$cache/$file" \
				"The cached copy is damaged: remove it to fetch it again."
			path=$cache/$file
			return 0
		fi
	done <<-EOF
		$lines
	EOF

	if [ -n "${DISTFILES:-}" ]; then
		names=$(printf '%s\n' "$lines" | awk '!seen[$5]++ { printf "%s%s", sep, $5; sep = " or " }')
		fail "$name: DISTFILES=$DISTFILES has no $names, and with DISTFILES nothing is downloaded"
	fi
	if ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
		say "$name: cannot write to $cache; using ${BUILD:-build}/distfiles"
		cache=${BUILD:-build}/distfiles
		mkdir -p "$cache" || fail "cannot make $cache"
	fi
	tmp=$(mktemp -d "$cache/$name.tmp.XXXXXX") || fail "cannot write to $cache"

	while read -r _ version _ sha file origin; do
		case $origin in
		debian:*)
			mirrors=$(debian_mirrors)
			[ -n "$mirrors" ] || say "$name: apt on this machine knows no Debian mirror"
			for mirror in $mirrors; do
				say "$name $version: from the Debian mirror of this machine's apt"
				if apt_download "$mirror${origin#debian:}" "$tmp/$file"; then
					accept "$tmp/$file" "$sha" "$file" "the Debian mirror"
					break 2
				fi
				say "$name: not there: $(tail -n 1 "$tmp/log")"
			done
			;;
		*)
			say "$name $version: from $origin"
			if download "$origin" "$tmp/$file"; then
				accept "$tmp/$file" "$sha" "$file" "$origin"
				break
			fi
			say "$name: not there: $(tail -n 1 "$tmp/log")"
			;;
		esac
	done <<-EOF
		$lines
	EOF
	rm -rf "$tmp"
	tmp=""
	[ -n "$path" ] || fail "$name: no origin answered; put the tarball into a folder and set DISTFILES"
}

# unpack NAME DIR: makes DIR anew from $path, with the licence checked and the patches applied.
unpack() {
	rm -rf "$2" "$2.tmp"
	mkdir -p "$2.tmp"
	tar -xf "$path" -C "$2.tmp" --strip-components=1 --no-same-owner ||
		fail "cannot unpack $path"
	licence=$(awk -v n="$1" '$1 == "licence-file" && $2 == n { print $3, $4 }' "$lock")
	[ -n "$licence" ] || fail "$1 has no licence-file line in $lock"
	verify "$2.tmp/${licence#* }" "${licence%% *}" "${licence#* } of $1" \
		"The licence file is another one: read it, then correct the lock."
	for patch in "$here/patches/$1"/*.patch; do
		[ -f "$patch" ] || continue
		patch -p1 -s -d "$2.tmp" <"$patch" || fail "$patch does not apply"
	done
	mv "$2.tmp" "$2"
}

mode=print
dir=""
case ${1:-} in
-x | -o)
	mode=$1
	dir=${2:-}
	[ -n "$dir" ] || { sed -n '4,7p' "$0" >&2; exit 2; }
	shift 2
	;;
-*)
	sed -n '4,7p' "$0" >&2
	exit 2
	;;
esac
if [ "$mode" = -o ] && [ $# -eq 0 ]; then
	# shellcheck disable=SC2046 # a list of words
	set -- $(awk '!/^#/ && NF == 6 && !seen[$1]++ { print $1 }' "$lock")
fi
if [ $# -eq 0 ] || { [ "$mode" = -x ] && [ $# -ne 1 ]; }; then
	sed -n '4,7p' "$0" >&2
	exit 2
fi

for source in "$@"; do
	find_source "$source"
	case $mode in
	-x)
		unpack "$source" "$dir"
		;;
	-o)
		mkdir -p "$dir"
		cp "$path" "$dir/.tmp.$$"
		mv "$dir/.tmp.$$" "$dir/${path##*/}"
		;;
	*)
		printf '%s\n' "$path"
		;;
	esac
done
