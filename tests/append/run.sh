#!/bin/bash
# earlybind image: what it appends to images, read back by cpio, bsdcpio and modprobe, with
# real modules of the lab's root file systems.
#
# Usage: tests/append/run.sh [-u]     -u writes the golden output anew
#
# RESULTS=FILE  where one line per check is added (build/results.tsv)
set -eu -o pipefail
. "$(dirname "$0")/../lab/lib.sh"

here=$TOP/tests/append
results=$(realpath "${RESULTS:-$TOP/build/results.tsv}")
EARLYBIND=$(realpath "${EARLYBIND:-$TOP/build/earlybind}")
BINDER=$(realpath "${BINDER:-$TOP/build/binder}")
update=false
[ "${1-}" != -u ] || update=true
failures=0
bookworm=$("$LAB/base.sh" bookworm)
trixie=$("$LAB/base.sh" trixie)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir tmp
export LC_ALL=C.UTF-8 TZ=UTC TMPDIR=$work/tmp
unset SOURCE_DATE_EPOCH
PATH=$PATH:/usr/sbin:/sbin

pass() { # NAME
	echo "PASS append: $1"
	printf 'pass\tappend\t%s\n' "$1" >>"$results"
}

fail() { # NAME REASON
	echo "FAIL append: $1: $2"
	printf 'fail\tappend\t%s\t%s\n' "$1" "$(echo "$2" | tr '\t\n' '  ')" >>"$results"
	failures=$((failures + 1))
}

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >check.log 2>&1; then
		pass "$name"
	else
		fail "$name" "$(tail -n 3 check.log)"
	fi
}

same_as_golden() { # NAME FILE
	if $update; then
		cp "$2" "$here/golden/$1.txt"
	fi
	if diff -u "$here/golden/$1.txt" "$2"; then
		pass "$1"
	else
		fail "$1" "differs from golden/$1.txt"
	fi
}

# Output, errors and exit code of "earlybind image ARGUMENT..."; sizes are the compiler's.
golden() { # NAME ARGUMENT...
	local name=$1 code=0
	shift
	"$EARLYBIND" image "$@" >out.txt 2>err.txt || code=$?
	{
		echo "\$ earlybind image${*:+ $*}"
		cat out.txt
		sed 's/^/! /' err.txt
		echo "=> $code"
	} | sed -e 's/[0-9]* \(more \)\{0,1\}bytes/N \1bytes/' -e 's/earlybind\.[A-Za-z0-9]\{6\}/earlybind.XXXXXX/' \
		-e "s,$work,WORK,g" >actual.txt
	same_as_golden "$name" actual.txt
}

image() { "$EARLYBIND" image "$@"; }
quiet() { "$@" >/dev/null; }
not() { ! "$@"; }
size() { stat -c %s "$1"; }
is() { [ "$1" = "$2" ] || { echo "\"$1\", not \"$2\""; return 1; }; }

# ---- machines ---------------------------------------------------------------------------

# A small machine with what it takes of a real kernel, under a version that stays the same.
machine() { # FOLDER BASE VERSION
	local from to=$1/lib/modules/$3 file
	from=$2/tree/lib/modules/$(cat "$2/version")
	mkdir -p "$to" "$1"/{etc,proc,sys,usr/lib/earlybind}
	cp "$from"/modules.{builtin,builtin.modinfo,order} "$to"
	for file in $(cd "$from" && find kernel -name 'vfio*' -type f -o -name 'irqbypass.ko*' -o -name 'e1000e.ko*'); do
		mkdir -p "$to/${file%/*}"
		cp "$from/$file" "$to/$file"
	done
	depmod -b "$1" "$3"
	cp "$BINDER" "$1/usr/lib/earlybind/binder"
	echo 'bind 10ee:5000,10ee:5001' >"$1/etc/earlybind.conf"
}

machine one "$bookworm" 6.1.0-1-amd64
machine two "$bookworm" 6.1.0-1-amd64
machine two "$trixie" 6.12.1-amd64
mkdir -p two/lib/modules/6.0-removed/updates

# Kernels without vfio-pci, and with all of it built in.
machine none "$bookworm" 6.1.0-1-amd64
find none/lib/modules -name 'vfio*.ko' -delete
depmod -b none 6.1.0-1-amd64
cp -a none builtin
printf 'kernel/drivers/vfio/%s\n' vfio.ko vfio_iommu_type1.ko pci/vfio-pci-core.ko pci/vfio-pci.ko \
	>>builtin/lib/modules/6.1.0-1-amd64/modules.builtin
depmod -b builtin 6.1.0-1-amd64

# An image: of the real ones only the first bytes count here.
mkdir -p content/etc
echo text >content/etc/file
(cd content && find . | cpio -o -H newc --quiet | gzip -9n) >initrd.img-6.1.0-1-amd64

# ---- what is appended -------------------------------------------------------------------

# The archive as cpio lists it: mode, owner, group, time, name; sizes are Debian's.
listing() { # FILE
	cpio -tv --quiet <"$1" | awk '{ print $1, $3, $4, $6, $7, $8, $9 }'
}

golden alone --sysroot one --output alone.img
listing alone.img >actual.txt
same_as_golden alone-listing actual.txt
golden two-kernels --sysroot two --output two.img
listing two.img >actual.txt
same_as_golden two-kernels-listing actual.txt
check "alone: its permissions" is "$(stat -c %a alone.img)" 644
check "alone: a whole number of blocks" is "$(($(size alone.img) % 512))" 0
check "nothing under lib/modules" not grep -q ' lib\| usr/lib/modules' "$here/golden/two-kernels-listing.txt"

mkdir unpacked unpacked-bsd
(cd unpacked && cpio -id --quiet <../two.img)
(cd unpacked-bsd && bsdcpio -id --quiet <../two.img)
check "bsdcpio reads the same" diff -r unpacked unpacked-bsd
"$EARLYBIND" embed --sysroot two --output embedded >/dev/null
check "the binder is the one that embed makes" cmp embedded unpacked/usr/lib/earlybind/binder
check "the binder can run" test -x unpacked/usr/lib/earlybind/binder

# The private tree is one that libkmod can load from, with the same steps as from the whole.
for version in 6.1.0-1-amd64 6.12.1-amd64; do
	private=unpacked/usr/lib/earlybind/modules/$version
	mkdir -p "as-tree/lib/modules"
	cp -a "$private" "as-tree/lib/modules/$version"
	steps() { modprobe -C /dev/null -d "$1" -S "$version" --show-depends "$2" | sed "s,.*/$version/,,"; }
	for module in vfio-pci vfio_iommu_type1; do
		check "$version: modprobe $module goes the same way" \
			is "$(steps as-tree $module)" "$(steps two $module)"
		check "$version: $module is there" grep -q "$module.ko" <<<"$(steps as-tree $module)"
	done
	for file in $(cd "$private" && find . -name '*.ko*'); do
		check "$version: ${file##*/} is as it was" cmp "$private/$file" "two/lib/modules/$version/$file"
	done
	check "$version: builtin is known" cmp <(strings "$private/modules.builtin.bin") \
		<(strings "two/lib/modules/$version/modules.builtin.bin")
done
check "trixie's modules stay compressed" test -e unpacked/usr/lib/earlybind/modules/6.12.1-amd64/kernel/drivers/vfio/pci/vfio-pci.ko.xz
check "modules of no concern stay out" not grep -q e1000e "$here/golden/two-kernels-listing.txt"

# ---- behind an image --------------------------------------------------------------------

golden append --append initrd.img-6.1.0-1-amd64 --sysroot two --output out.img
cp initrd.img-6.1.0-1-amd64 before
begins_with() { cmp -n "$(size "$2")" "$1" "$2"; }
# Whatever the image's length, the archive begins at the next block, behind four NUL bytes.
aligned() { # LENGTH
	local start=$((($1 + 4 + 511) / 512 * 512))
	head -c "$1" <(cat before /dev/urandom) >image
	image --append image --sysroot one --output appended
	begins_with appended image && cmp <(tail -c "+$((start + 1))" appended) alone.img &&
		cmp <(head -c "$start" appended | tail -c "+$(($1 + 1))") <(head -c $((start - $1)) /dev/zero)
}
for length in 508 509 512 513 1023 1024 1500000; do
	check "behind $length bytes" aligned "$length"
done
check "the image is not changed" cmp before initrd.img-6.1.0-1-amd64
chmod 640 image
check "the image's permissions" quiet image --append image --sysroot one --output appended
check "the image's permissions are kept" is "$(stat -c %a appended)" 640
golden again --append out.img --sysroot one --output again.img
check "again: behind the first" begins_with again.img out.img
# A name that is cut between two reads is found as well.
at=$(grep -abo -m 1 'usr/lib/earlybind/binder' alone.img | head -n 1 | cut -d : -f 1)
for cut in 0 1 12 23 24 25; do
	length=$((1024 * 1024 - at - cut))
	{ cat before; head -c $((length - $(size before))) /dev/zero; cat alone.img; } >image
	check "again: found with $cut bytes before the cut" grep -q 'has a binder already' \
		<(image --append image --sysroot one --output appended)
done
check "no binder in the first" not grep -q 'has a binder already' "$here/golden/append.txt"

cp before initramfs-6.12.1-amd64.img
golden initramfs-name --append initramfs-6.12.1-amd64.img --sysroot two --output out2.img
cp before initramfs-linux.img
golden no-version-in-name --append initramfs-linux.img --sysroot two --output out2.img
golden named-kernel --append initrd.img-6.1.0-1-amd64 --kernel 6.12.1-amd64 --kernel 6.12.1-amd64 --sysroot two --output out2.img
golden builtin --sysroot builtin --output builtin.img
listing builtin.img >actual.txt
same_as_golden builtin-listing actual.txt
golden no-rules --config /dev/null --sysroot one --output out2.img

# What "earlybind check" makes of it, by its own reader.
echo rdinit=/usr/lib/earlybind/binder >two/proc/cmdline
"$EARLYBIND" check --image two.img --kernel 6.12.1-amd64 --sysroot two >check.txt 2>&1 || true
for part in image binder table modules; do
	check "earlybind check: $part" grep -q "^pass $part: " check.txt
done

# ---- same input, same bytes -------------------------------------------------------------

# The same files, but created in another order, at another time, by another umask.
mkdir mirror other-tmp
(cd one && find . -depth | sort -r | cpio -pd --quiet ../mirror)
find mirror -exec touch -d 2001-01-01 {} +
reproducible() {
	(umask 077 && TMPDIR=$work/other-tmp image --sysroot mirror --output mirror.img) && cmp alone.img mirror.img
}
check "same input, same bytes" reproducible
dated() {
	SOURCE_DATE_EPOCH=86400 image --sysroot one --output dated.img
	! listing dated.img | grep -v ' Jan 2 1970 '
}
check "SOURCE_DATE_EPOCH" dated
SOURCE_DATE_EPOCH=tomorrow golden bad-date --sysroot one --output never

# ---- what cannot be done ----------------------------------------------------------------

printf 'bind 10ee:5000\nbnd 01:00.0\n' >typo.conf
golden typo --config typo.conf --sysroot one --output never
golden no-binder --binder nowhere --sysroot one --output never
golden no-output
golden unknown-kernel --kernel 5.4.0 --sysroot one --output never
golden bad-kernel --kernel ../6.1.0-1-amd64 --sysroot one --output never
golden no-vfio --kernel 6.1.0-1-amd64 --sysroot none --output never
golden no-vfio-at-all --sysroot none --output never
golden no-modules --sysroot content --config /dev/null --binder one/usr/lib/earlybind/binder --output never
cp before initrd.img-9.9
golden image-of-unknown-kernel --append initrd.img-9.9 --sysroot one --output never
golden lost-image --append lost --sysroot one --output never
golden folder --append content --sysroot one --output never
mkfifo fifo
golden fifo --append fifo --sysroot one --output never
golden text --append typo.conf --sysroot one --output never
: >empty
golden empty --append empty --sysroot one --output never
{ printf MZ; cat before; } >uki.efi
golden uki --append uki.efi --sysroot one --output never
golden in-place --append initrd.img-6.1.0-1-amd64 --sysroot one --output initrd.img-6.1.0-1-amd64
ln initrd.img-6.1.0-1-amd64 link
golden in-place-by-link --append initrd.img-6.1.0-1-amd64 --sysroot one --output link
golden no-folder --sysroot one --output nowhere/never
mkdir -p a-folder/x
golden output-is-folder --sysroot one --output a-folder
unreadable() {
	cp before secret
	chmod 000 secret
	chmod 755 . tmp
	cp "$EARLYBIND" earlybind
	local as=()
	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid 65534 --clear-groups)
	! "${as[@]}" ./earlybind image --append secret --sysroot one --output never 2>err.txt &&
		grep -q '^earlybind: secret: it cannot be read: ' err.txt
}
check "unreadable image" unreadable
check "refusals leave the image as it was" cmp before initrd.img-6.1.0-1-amd64

# A depmod that is not what it should be. It must be noticed, not appended. Whatever the caller's
# PATH says, the system's is run: the stand-in lies on top of it, in a mount namespace of its own.
mkdir -p bin/real
cp "$(readlink -f "$(command -v depmod)")" bin/real/depmod
cat >bin/earlybind <<END
#!/bin/sh
mount --bind "$work/bin/depmod" "$(readlink -f "$(command -v depmod)")" || exit 99
exec "$(readlink -f "$EARLYBIND")" "\$@"
END
cat >bin/in-namespace <<END
#!/bin/sh
exec unshare --user --map-root-user --mount "$work/bin/earlybind" "\$@"
END
chmod 755 bin/earlybind bin/in-namespace
depmod_that() { # NAME SCRIPT
	printf '#!/bin/sh\n%s\n' "$2" >bin/depmod
	chmod 755 bin/depmod
	EARLYBIND=$work/bin/in-namespace golden "$1" --sysroot one --output never
}
depmod_that depmod-fails 'exit 3'
depmod_that depmod-of-busybox 'exit 0'
depmod_that depmod-cannot-read ": >\$2/lib/modules/6.1.0-1-amd64/kernel/drivers/vfio/vfio.ko; exec $work/bin/real/depmod \"\$@\" 2>/dev/null"
TMPDIR=$work/nowhere golden no-temporary --sysroot one --output never

# No space: an old file of that name stays, and nothing half is left beside it.
full() {
	cat >full.sh <<'END'
mount -t tmpfs -o size=256k full full
echo old >full/out.img
"$0" image --append initrd.img-6.1.0-1-amd64 --sysroot one --output full/out.img 2>err.txt && exit 1
grep -q '^earlybind: full/out.img: it cannot be written: ' err.txt || { cat err.txt; exit 1; }
[ "$(ls -A full)" = out.img ] && [ "$(cat full/out.img)" = old ] || { ls -la full; exit 1; }
[ -z "$(ls -A tmp)" ]
END
	mkdir full
	as_root unshare --mount sh -euc "$(cat full.sh)" "$EARLYBIND"
}
check "no space" full

check "no failure writes anything" not test -e never
check "nothing temporary is left" is "$(find tmp other-tmp -mindepth 1)" ""
check "no half file is left" is "$(find . -maxdepth 1 -name '*.img.*' -o -maxdepth 1 -name 'never*')" ""

# ---- as the kernel unpacks it ------------------------------------------------------------

# An image of each length around a block's end, made by a file that does not compress.
lz4_image() { # BYTES-BEYOND-A-BLOCK
	local n
	for n in $(seq 1 600); do
		head -c "$n" <"$BINDER" >content/etc/binder
		(cd content && find . | LC_ALL=C sort | cpio -o -H newc --quiet) |
			lz4 -lcq >lz4.img
		[ $(($(size lz4.img) % 512)) -ne "$1" ] || return 0
	done
	echo "no image of this length"
	return 1
}
unpacked_whole() { # BYTES-BEYOND-A-BLOCK
	lz4_image "$1"
	rm -f lz4-vfio.img
	image --sysroot one --append lz4.img --output lz4-vfio.img
	"$EARLYBIND" check --image lz4-vfio.img --sysroot one --json >checked.json || true
	jq -c '.checks[] | select(.verdict == "FAIL")' checked.json
	is "$(jq -r '[.checks[] | select(.verdict == "pass") | .name] | unique | join(" ")' \
		checked.json)" "binder image modules table"
}
for over in 0 1 507 508 509 511; do
	check "check takes it behind lz4, $over bytes into a block" unpacked_whole "$over"
done

[ "$failures" -eq 0 ]
