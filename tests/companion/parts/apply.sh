# shellcheck shell=sh
# apply: what would be done on trees; then, below a root of its own in a namespace, what is done,
# with a stand-in for update-initramfs. The real generators are in the image tests.
# shellcheck disable=SC2154,SC2016 # here, tab and so on are of run.sh; shells in the root

mkdir "$work/apply"
cd "$work/apply" || exit
old=6.1.0-17-amd64
new=6.1.0-18-amd64
image() { "$here/make_image.py" "$@"; }

# A machine with rules, two kernels, and an image that a binder without rules came into.
machine() { # NAME SHAPE PROGRAM...
	tree=$1
	shape=$2
	shift 2
	cp -a ../configured "$tree"
	mkdir -p "$tree/usr/lib/earlybind" "$tree/usr/sbin" "$tree/boot" "$tree/lib/modules/$old" \
		"$tree/lib/modules/$new" "$tree/lib/modules/6.1.0-1-amd64"
	cp "$BINDER" "$tree/usr/lib/earlybind/binder"
	"$EARLYBIND" embed --sysroot "$tree" --binder "$BINDER" --output with-rules >/dev/null
	image "$shape" "$BINDER" "$tree/boot/initrd.img-$old" "$old"
	image "$shape" with-rules "$tree/boot/initrd.img-$new" "$new"
	for program in "$@"; do
		cp /bin/true "$tree/usr/sbin/$program"
	done
}

machine tools initramfs-tools update-initramfs
golden apply-initramfs-tools apply --sysroot tools --dry-run
golden apply-force apply --sysroot tools --dry-run --force --kernel $new
golden apply-one-kernel apply --sysroot tools --dry-run --kernel $new
golden apply-lost-kernel apply --sysroot tools --dry-run --kernel 5.10.0-1-amd64
cp ../typo.conf .
golden apply-config apply --sysroot tools --dry-run --config typo.conf
golden apply-sysroot apply --sysroot tools
golden apply-config-for-real apply --config other.conf
# A comment moves the lines, and so the places that messages name.
cp -a tools moved
sed -i '1i # another comment' moved/etc/earlybind.conf
golden apply-moved apply --sysroot moved --dry-run --kernel $new
# Another binder with the same rules.
cp -a tools upgraded
sed 's/earlybind binder [0-9]/earlybind binder 9/' "$BINDER" >upgraded/usr/lib/earlybind/binder
golden apply-upgraded apply --sysroot upgraded --dry-run --kernel $new
mkdir -p upgraded/etc/initramfs-tools
printf 'update_initramfs=all\nupdate_initramfs="no" \n' \
	>upgraded/etc/initramfs-tools/update-initramfs.conf
golden apply-switched-off apply --sysroot upgraded --dry-run
# strip(1) of dracut's changes the file, and nothing that is loaded.
stripped() {
	cp with-rules stripped &&
		objcopy --add-section .test="$here/run.sh" stripped &&
		! cmp -s stripped with-rules &&
		image initramfs-tools stripped tools/boot/initrd.img-$new $new &&
		"$EARLYBIND" apply --sysroot tools --dry-run --kernel $new | grep -q 'up to date'
}
check apply-stripped stripped

machine both dracut-systemd update-initramfs dracut
golden apply-dracut apply --sysroot both --dry-run
# An image that tells nothing: then the hooks of the kernel's package do.
cp -a both torn
: >torn/boot/initrd.img-$old
golden apply-torn apply --sysroot torn --dry-run
rm torn/boot/initrd.img-$new
golden apply-torn-alone apply --sysroot torn --dry-run --kernel $old
mkdir -p torn/etc/kernel/postinst.d
: >torn/etc/kernel/postinst.d/initramfs-tools
golden apply-torn-hook apply --sysroot torn --dry-run --kernel $old
rm both/usr/sbin/dracut
golden apply-other-generator apply --sysroot both --dry-run
rm both/usr/sbin/update-initramfs
golden apply-no-generator apply --sysroot both --dry-run
image booster - both/boot/initrd.img-$old
cp /bin/true both/usr/sbin/dracut
golden apply-booster apply --sysroot both --dry-run --kernel $old
# dracut's module stays away where there are no rules.
rm -r both/etc/earlybind.conf both/etc/earlybind.conf.d
image dracut - both/boot/initrd.img-$old $old
golden apply-dracut-no-rules apply --sysroot both --dry-run --kernel $old
# apply and check are of one mind about such an image, whatever there is of a configuration; what
# the machine cannot do without is recorded with an image, and is no rule.
agree() { # NAME WANTED: "fine" or "due"
	said=fine
	"$EARLYBIND" apply --sysroot both --dry-run --kernel $old 2>&1 | grep -q '^ *would run' && said=due
	"$EARLYBIND" check --sysroot both --only image --kernel $old >check.txt 2>&1 && checked=fine || checked=due
	check "$1" test "$said $checked" = "$2 $2"
}
cp "$here/../../docs/earlybind.conf" both/etc/earlybind.conf
agree apply-check-empty fine
echo 'keep 02:00.*' >both/etc/earlybind.conf
agree apply-check-keep due
echo 'bind 10ee:5000 optional' >both/etc/earlybind.conf
agree apply-check-bind due
rm both/etc/earlybind.conf
mkdir -p both/etc/modprobe.d
echo 'options vfio-pci ids=10ee:5000' >both/etc/modprobe.d/vfio.conf
agree apply-check-modprobe due
rm -r both/etc/modprobe.d
agree apply-check-none fine

machine arch mkinitcpio mkinitcpio
echo linux >arch/lib/modules/$new/pkgbase
: >arch/lib/modules/$new/vmlinuz
rm arch/boot/*
image mkinitcpio "$BINDER" arch/boot/initramfs-linux.img $new
image mkinitcpio "$BINDER" arch/boot/initramfs-linux-fallback.img $new
golden apply-mkinitcpio apply --sysroot arch --dry-run
rm arch/boot/*
golden apply-no-image apply --sysroot arch --dry-run
golden apply-first-image apply --sysroot arch --dry-run --kernel $new
: >arch/run/ostree-booted
golden apply-ostree apply --sysroot arch --dry-run
golden help-apply apply --help
golden apply-no-kernels apply --sysroot ../empty --dry-run

# ---- for real ------------------------------------------------------------------------------

# A root with the programs of this one and folders of its own, in namespaces of its own.
real=$PWD/real
rm -f tools/usr/sbin/update-initramfs
mv tools "$real"
mkdir -p "$real/host" "$real/dev" "$real/stand-in" "$real/usr/bin"
for folder in bin sbin lib lib64 usr/bin; do
	[ -e "/$folder" ] || continue
	mkdir -p "$real/${folder%/*}"
	for entry in "/$folder"/*; do
		[ -e "$real$entry" ] || ln -s "/host$entry" "$real$entry" 2>/dev/null || {
			mkdir -p "$real/$folder"
			ln -s "/host$entry" "$real$entry"
		}
	done
done
for folder in /usr/lib /usr/lib64; do
	[ -d "$folder" ] || continue
	mkdir -p "$real$folder"
	for entry in "$folder"/*; do
		[ -e "$real$entry" ] || ln -s "/host$entry" "$real$entry"
	done
done
rm -r "$real/etc/earlybind.conf.d"
echo 'bind 10ee:5000' >"$real/etc/earlybind.conf"
(cd "$real" && "$EARLYBIND" embed --sysroot . --binder "$BINDER" --output ../with-rules >/dev/null)
cp "$EARLYBIND" "$real/usr/bin/earlybind"
cat >"$real/usr/sbin/update-initramfs" <<'END'
#!/bin/sh
# update-initramfs -u -k VERSION, as /stand-in/VERSION says.
echo "$*" >>/stand-in/runs
case $(cat "/stand-in/$3") in
good) cp "/stand-in/initrd-$3" "/boot/initrd.img-$3" ;;
whole)
	cp "/stand-in/initrd-$3" "/stand-in/new-$3" && mv "/stand-in/new-$3" "/boot/initrd.img-$3"
	;;
slow)
	echo $$ >/stand-in/pid
	until [ -e /stand-in/let-go ]; do sleep 0.1; done
	cp "/stand-in/initrd-$3" "/boot/initrd.img-$3"
	;;
lie) echo "update-initramfs: Not updating" ;;
fail)
	i=0
	while [ $((i += 1)) -le 30 ]; do echo "line $i"; done
	printf 'E: the disk is \033[2J full' >&2
	exit 3
	;;
daemon)
	cp "/stand-in/initrd-$3" "/boot/initrd.img-$3"
	sleep 60 >/dev/null 2>&1 &
	echo $! >>/stand-in/pid
	;;
hang)
	trap 'echo stopped >>/stand-in/runs; exit 130' INT TERM
	echo $$ >/stand-in/pid
	sleep 60 &
	wait
	;;
esac
END
chmod +x "$real/usr/sbin/update-initramfs"
image initramfs-tools with-rules "$real/stand-in/initrd-$old" $old
image initramfs-tools with-rules "$real/stand-in/initrd-$new" $new
in_root() { # COMMAND: in a shell in that root, as its root
	unshare --user --map-root-user --mount sh -c '
		mount --rbind / "$1/host" && mount --rbind /dev "$1/dev" &&
		cd "$1" && exec chroot . env -i PATH=/usr/bin:/bin sh -c "$2"' - "$real" "$1"
}
# Both images are old; the stand-in does this for each.
stand_in() { # OLD NEW
	rm -f "$real"/stand-in/runs "$real"/stand-in/pid
	: >"$real/stand-in/runs"
	echo "$1" >"$real/stand-in/$old"
	echo "$2" >"$real/stand-in/$new"
	image initramfs-tools "$BINDER" "$real/boot/initrd.img-$old" $old
	image initramfs-tools "$BINDER" "$real/boot/initrd.img-$new" $new
}
really() { # NAME COMMAND: as golden, and what the stand-in was told
	name=$1
	code=0
	in_root "$2" >out.txt 2>err.txt || code=$?
	{
		echo "\$ $2"
		sed 's/in [0-9]* s$/in N s/; s/after [0-9]* s/after N s/' out.txt
		# The sanitizers' own remarks on a root without /proc are no finding.
		sed '/^==[0-9]*==WARNING: reading executable name failed/d
			/^==[0-9]*==WARNING: ASan is ignoring requested __asan_handle_no_return/d
			/^False positive error reports may follow$/d
			/^For details see .*sanitizers.issues.189$/d
			s/^/! /; s/after [0-9]* s/after N s/; s/process [0-9]*/process N/' err.txt
		echo "=> $code"
		sed 's/^/ran: update-initramfs /' "$real/stand-in/runs"
	} >actual.txt
	if $update; then
		cp actual.txt "$here/golden/$name.txt"
	fi
	check "$name" diff -u "$here/golden/$name.txt" actual.txt
}

stand_in good good
really apply-real 'earlybind apply'
really apply-real-again 'earlybind apply'
stand_in good good
really apply-real-verbose 'earlybind apply --verbose --kernel 6.1.0-18-amd64'
stand_in good fail
really apply-real-failure 'earlybind apply'
check apply-real-log grep -q '^line 1$' "$real/run/earlybind/apply.log"
stand_in lie good
really apply-real-lie 'earlybind apply'
cp "$real/etc/earlybind.conf" right.conf
echo 'bnd 01:00.0' >>"$real/etc/earlybind.conf"
stand_in good good
really apply-real-typo 'earlybind apply'
cp right.conf "$real/etc/earlybind.conf"

# The way back: the entry of the menu that apply offers can be made, and then it is named.
mkdir -p "$real/etc/default" "$real/etc/grub.d" "$real/boot/grub"
echo 'GRUB_CMDLINE_LINUX="quiet"' >"$real/etc/default/grub"
: >"$real/boot/grub/grub.cfg"
cp "$real/proc/cmdline" cmdline.before
echo 'BOOT_IMAGE=/vmlinuz quiet' >"$real/proc/cmdline"
rm -f "$real/usr/sbin/update-grub"
cp /bin/true "$real/usr/sbin/update-grub"
stand_in good good
really apply-real-way-back 'earlybind apply && earlybind cmdline --menu-entry >/dev/null &&
	earlybind apply --force --kernel 6.1.0-18-amd64 | tail -n 2'
rm -r "$real/etc/default" "$real/etc/grub.d" "$real/boot/grub"
cp cmdline.before "$real/proc/cmdline"

# The copy that systemd-boot boots: by the generator's own hook, by kernel-install, by neither.
esp=boot/efi/debian/$new
mkdir -p "$real/$esp" "$real/boot/efi/loader/entries"
printf 'version %s\nlinux /debian/%s/linux\ninitrd /debian/%s/initrd.img-%s\n' $new $new $new $new \
	>"$real/boot/efi/loader/entries/debian-$new.conf"
: >"$real/boot/vmlinuz-$new"
# Not through the link to this machine's own.
rm -f "$real/usr/bin/kernel-install"
cat >"$real/usr/bin/kernel-install" <<'END'
#!/bin/sh
echo "kernel-install $*" >>/stand-in/runs
[ ! -e /stand-in/copies ] || cp "$4" "/boot/efi/debian/$2/initrd.img-$2"
END
chmod +x "$real/usr/bin/kernel-install"
old_copy() {
	stand_in good good
	image initramfs-tools "$BINDER" "$real/$esp/initrd.img-$new" $new
}
old_copy
really apply-real-copy-lost 'earlybind apply --kernel 6.1.0-18-amd64'
: >"$real/stand-in/copies"
old_copy
really apply-real-copy 'earlybind apply --kernel 6.1.0-18-amd64'
sed -i 's|^good) cp .*|good) cp "/stand-in/initrd-$3" "/boot/initrd.img-$3"; cp "/stand-in/initrd-$3" "/boot/efi/debian/$3/initrd.img-$3" 2>/dev/null ;;|' \
	"$real/usr/sbin/update-initramfs"
old_copy
really apply-real-copy-by-hook 'earlybind apply --kernel 6.1.0-18-amd64'
rm "$real/usr/bin/kernel-install" "$real/boot/vmlinuz-$new"
rm -r "$real/boot/efi"

# The shell ignores SIGINT for what runs behind it.
stand_in hang hang
really apply-real-interrupted 'env --default-signal=INT earlybind apply & pid=$!
	until [ -s /stand-in/pid ]; do sleep 0.1; done
	kill -INT $pid
	wait $pid'
stand_in hang good
really apply-real-twice 'earlybind apply >/dev/null 2>&1 & pid=$!
	until [ -s /stand-in/pid ] || ! kill -0 $pid; do sleep 0.1; done
	earlybind apply; echo $?
	kill -TERM $pid
	wait $pid'
# kill -9: at each of its system calls; and while the generator runs, which goes on: no second one
# is started beside it, and when it has ended the lock is free.
mkdir "$real/state"
mv "$real/boot" "$real/state/boot"
ln -s state/boot "$real/boot"
stand_in whole whole
killed_anywhere() {
	unshare --user --map-root-user --mount sh -c '
		mount --rbind / "$1/host" && mount --rbind /dev "$1/dev" &&
		"$2" --root "$1" "$1/state" boot -- /usr/bin/earlybind apply' - "$real" "$here/kill_at.py"
}
[ "$SUITE" = companion-asan ] || check apply-killed killed_anywhere
rm -f "$real/stand-in/let-go"
stand_in slow slow
really apply-real-killed 'earlybind apply >/dev/null 2>&1 & pid=$!
	until [ -s /stand-in/pid ] || ! kill -0 $pid; do sleep 0.1; done
	kill -KILL $pid
	{ wait $pid; } 2>/dev/null
	timeout 30 earlybind apply; echo $?
	: >/stand-in/let-go
	while kill -0 $(cat /stand-in/pid) 2>/dev/null; do sleep 0.1; done
	earlybind apply'
# What a generator leaves behind keeps the lock of nobody that has ended.
stand_in daemon daemon
really apply-real-daemon 'earlybind apply >/dev/null 2>&1; earlybind apply
	kill $(cat /stand-in/pid)'
# cmdline: a slow update-grub that has read the old settings does not end after a quick one, whose menu
# it would replace.
mkdir -p "$real/etc/default/grub.d" "$real/boot/grub"
echo 'GRUB_CMDLINE_LINUX=""' >"$real/etc/default/grub"
cat >"$real/usr/sbin/update-grub" <<'END'
#!/bin/sh
menu=/boot/grub/new.$$
cat /etc/default/grub.d/earlybind.cfg >"$menu"
if [ ! -e /stand-in/first ]; then
	: >/stand-in/first
	sleep 2
fi
mv "$menu" /boot/grub/grub.cfg
END
chmod +x "$real/usr/sbin/update-grub"
two_at_once() {
	in_root 'earlybind cmdline --set --add first=1 & pid=$!
		until [ -e /stand-in/first ] || ! kill -0 $pid; do sleep 0.1; done
		earlybind cmdline --set --add second=1; echo $?; wait $pid; echo $?' >out.txt 2>&1 &&
		cat out.txt && [ "$(grep -cx 0 out.txt)" -eq 2 ] &&
		grep -q 'first=1.* second=1' "$real/boot/grub/grub.cfg" &&
		cmp "$real/etc/default/grub.d/earlybind.cfg" "$real/boot/grub/grub.cfg"
}
check cmdline-two-at-once two_at_once
only_root() {
	! unshare --user "$EARLYBIND" apply 2>err.txt && grep -q 'only root' err.txt
}
check apply-only-root only_root
cd "$work" || exit
