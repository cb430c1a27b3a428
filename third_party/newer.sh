#!/bin/sh
# Compares the versions of third_party/sources.lock with those of Debian's archive.
#
# Usage: newer.sh [SUITE]     sid, unless another suite is named
#
# One line per source: its version here, the newest in the suite, and "behind" where they differ.
# A name that Debian does not have, or an archive that does not answer, is an error.
# Exit code: 0 nothing is behind, 1 something is, 2 could not be told.
#
# A version that only sid has is no origin to rely on: when the next one comes, its tarball leaves
# the archive, and a build on a new machine fails. Those of a stable release stay.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
suite=${1:-sid}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' HUP INT TERM

# shellcheck disable=SC2016 # apt's own placeholders
mirror=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
	sed -n 's/^Debian|Debian|//p' | head -n 1)
[ -n "$mirror" ] || { echo "newer.sh: apt on this machine knows no Debian mirror" >&2; exit 2; }
timeout 300 /usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file \
	"${mirror%/}/dists/$suite/main/source/Sources.xz" "$tmp/Sources.xz" >"$tmp/log" 2>&1 || {
	echo "newer.sh: no list of $suite's sources: $(tail -n 1 "$tmp/log")" >&2
	exit 2
}

# Name and version of Debian's packages, without epoch and revision.
xz -dc "$tmp/Sources.xz" | awk '
	/^Package: / { name = $2 }
	/^Version: / { version = $2
		sub(/^[0-9]+:/, "", version)
		sub(/-[^-]*$/, "", version)
		sub(/^.*\+really/, "", version)
		sub(/\+(dfsg|ds).*$/, "", version)
		print name, version }' >"$tmp/versions"

status=0
# shellcheck disable=SC2013 # words
for source in $(awk '!/^#/ && NF == 6 && !seen[$1]++ { print $1 "=" $2 }' "$here/sources.lock"); do
	name=${source%%=*}
	case $name in
	zstd) package=libzstd ;;
	xz) package=xz-utils ;;
	*) package=$name ;;
	esac
	newest=
	while read -r found version; do
		[ "$found" = "$package" ] || continue
		if [ -z "$newest" ] || dpkg --compare-versions "$version" gt "$newest"; then
			newest=$version
		fi
	done <"$tmp/versions"
	if [ -z "$newest" ]; then
		printf '%-10s %-10s %s has no package %s\n' "$name" "${source#*=}" "$suite" "$package"
		status=2
	elif [ "$newest" = "${source#*=}" ]; then
		printf '%-10s %-10s %s\n' "$name" "${source#*=}" "$newest"
	else
		printf '%-10s %-10s %-10s behind\n' "$name" "${source#*=}" "$newest"
		[ "$status" -eq 2 ] || status=1
	fi
done
exit $status
