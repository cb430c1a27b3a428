#!/bin/sh
# Makes sure that the Debian packages of the named groups (mk/packages.list) are installed.
#
# Usage: mk/packages.sh GROUP...
#
# On Debian, missing packages are installed with apt-get, as root or through sudo.
# PACKAGES=check only lists what is missing and fails: what builds and installs earlybind asks
# so, and "make packages" installs it. Elsewhere the list of needed tools is printed.
# Exit code: 0 all there, 1 something is missing.
set -eu

list=$(dirname "$0")/packages.list

wanted=""
for group in "$@"; do
	wanted="$wanted $(awk -v g="$group" '$1 == g { print $2 }' "$list")"
done

if ! command -v dpkg-query >/dev/null 2>&1; then
	stamp="${BUILD:-build}/packages-told"
	[ -e "$stamp" ] && exit 0
	echo "This is not Debian: please see to it that these are installed (Debian's names):" >&2
	for group in "$@"; do
		awk -v g="$group" '$1 == g { name = $2; $1 = $2 = ""; printf "  %-20s%s\n", name, $0 }' \
			"$list" >&2
	done
	mkdir -p "${BUILD:-build}"
	: > "$stamp"
	exit 0
fi

missing=""
for package in $wanted; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "${PACKAGES:-install}" = check ]; then
	echo "missing packages:$missing" >&2
	case " $* " in
	*" test "* | *" lab "* | *" lint "* | *" coverage "*) ;;
	*) echo "install them with: make packages" >&2 ;;
	esac
	echo "or with: apt-get install$missing" >&2
	exit 1
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "missing packages:$missing" >&2
		echo "neither root nor sudo here: ask for: apt-get install$missing" >&2
		exit 1
	fi
	as_root=sudo
fi
echo "installing missing packages:$missing"
echo "(PACKAGES=check only lists them)"
export DEBIAN_FRONTEND=noninteractive
install() {
	# shellcheck disable=SC2086 # lists of package names
	$as_root apt-get install -y -q --no-install-recommends $missing >"$log" 2>&1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The package lists may be absent or old on a new machine: one retry after an update.
if ! install; then
	$as_root apt-get update -q >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
	install || { tail -n 20 "$log" >&2; exit 1; }
fi
