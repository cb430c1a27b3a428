# shellcheck shell=sh
# dracut's command line files: those of an image against the machine's dracut.conf, in both
# directions, by check, check --image, apply and plan.
# shellcheck disable=SC2154 # here, work and so on are of run.sh

mkdir "$work/image-words"
cd "$work/image-words" || exit
version=6.1.0-17-amd64
words=vfio-pci.ids=10ee:5000
"$here/mktree.py" "$here/trees/alveo.tree" words
echo root=/dev/sda1 >words/proc/cmdline
mkdir -p words/usr/sbin words/usr/lib/earlybind words/boot "words/lib/modules/$version" \
	words/etc/dracut.conf.d words/usr/lib/dracut/dracut.conf.d
cp /bin/true words/usr/sbin/dracut
cp "$BINDER" words/usr/lib/earlybind/binder
: >"words/boot/vmlinuz-$version"
dracut_conf() { printf '%s\n' "$@" >words/etc/dracut.conf.d/cards.conf; }
image_words() { # BINDER PATH=TEXT...
	inside=$1
	shift
	"$here/make_image.py" dracut-systemd "$inside" "words/boot/initramfs-$version.img" $version "$@"
}
in_image() { image_words "$BINDER" "etc/cmdline.d/01-default.conf=$1"; }

# One verdict, by three commands: "fine" or "due".
agree() { # NAME WANTED [PATTERN]
	image=words/boot/initramfs-$version.img
	"$EARLYBIND" check --image "$image" --sysroot words >check.txt 2>&1 && one=fine || one=due
	"$EARLYBIND" check --only image --sysroot words >/dev/null 2>&1 && two=fine || two=due
	"$EARLYBIND" apply --dry-run --sysroot words 2>&1 | grep -q 'would run: dracut' && three=due || three=fine
	check "$1" test "$one $two $three" = "$2 $2 $2"
	tr -s ' \n' ' ' <check.txt >check.line
	[ $# -lt 3 ] || check "$1-says" grep -q "$3" check.line
}

in_image $words
dracut_conf "kernel_cmdline=\"quiet $words\""
agree words-same fine
golden words-plan plan --sysroot words
golden words-check check --only image --sysroot words
image_words "$BINDER"
agree words-missing due "FAIL cmdline: the image lacks \"$words\""
golden words-missing apply --dry-run --sysroot words
# plan says what the image lacks of the files that it shows, and with --image the other way round.
golden words-plan-old-image plan --sysroot words
in_image vfio-pci.ids=10ee:5001
golden words-plan-image plan --image "words/boot/initramfs-$version.img" --sysroot words
plan_json() {
	"$EARLYBIND" plan --json --sysroot words >out.json || return
	jq -e '[.images[].image] == ["/boot/initramfs-6.1.0-17-amd64.img", "/boot/initramfs-6.1.0-17-amd64.img"] and
		(.images[0].difference | test("lacks .vfio-pci.ids=10ee:5000"))' out.json
}
check words-plan-json plan_json
cd "$work" || exit
contract words-plan-contract 0 plan --sysroot image-words/words
cd image-words || exit
other_config() { ! "$EARLYBIND" plan --sysroot words --config /dev/null | grep note:; }
check words-plan-config other_config
agree words-other due "FAIL cmdline: the image has \"vfio-pci.ids=10ee:5001\""
in_image "$words rd.earlybind.log=debug"
agree words-more due "FAIL cmdline: the image has \"rd.earlybind.log=debug\""
sized=words/boot/initramfs-$version.img
golden words-more check --image "$sized" --sysroot words
sized=
dracut_conf "kernel_cmdline+=\" vfio-pci.ids=10ee:5001 \"" "kernel_cmdline+=\" $words \""
in_image "$words vfio-pci.ids=10ee:5001"
agree words-order due 'in another order'
in_image "vfio-pci.ids=10ee:5001 $words"
agree words-in-order fine
# Without any rule: then dracut's module stays away, and no word may be left.
rm words/etc/dracut.conf.d/cards.conf
agree words-gone due "FAIL cmdline: the image has \"vfio-pci.ids=10ee:5001\", \"$words\""
image_words -
check words-none says 'there are no rules, and earlybind is not in it' apply --dry-run --sysroot words
check words-none-check "$EARLYBIND" check --only image --sysroot words
# With words alone an image without a binder is no good one.
dracut_conf "kernel_cmdline=\"$words\""
agree words-no-binder due 'FAIL binder: earlybind is not in the image'

# The administrator's file hides that of the vendor; files that are installed count as well.
in_image $words
mv words/etc/dracut.conf.d/cards.conf words/usr/lib/dracut/dracut.conf.d
agree words-vendor fine
dracut_conf '# nothing'
agree words-hidden due 'which is not in the machine.s dracut.conf'
dracut_conf 'install_items+=" /etc/cmdline.d/cards.conf /etc/other "'
mkdir words/etc/cmdline.d
echo "quiet $words" >words/etc/cmdline.d/cards.conf
agree words-installed fine
# What cannot be told is no pass, and only a file that is about it makes it so.
# shellcheck disable=SC2016 # for dracut's shell
dracut_conf 'kernel_cmdline="$(cat /etc/cards)"'
check words-unclear says 'cannot tell cmdline: .*kernel_cmdline= of dracut.conf is unknown' \
	check --image "words/boot/initramfs-$version.img" --sysroot words
echo 'eval true' >words/etc/dracut.conf.d/cards.conf
image_words "$BINDER"
rm words/usr/lib/dracut/dracut.conf.d/cards.conf
check words-lost says 'pass binder' check --image "words/boot/initramfs-$version.img" --sysroot words
check words-lost-quiet sh -c '! grep -q cmdline said.line'
# A machine with another generator has nothing of that.
dracut_conf "kernel_cmdline=\"$words\""
cp /bin/true words/usr/sbin/update-initramfs
rm words/usr/sbin/dracut
check words-other-generator says 'nothing to do' plan --sysroot words
: >"words/boot/initramfs-$version.img"
check words-unread says 'note: /boot/initramfs-[^ ]*: it cannot be compared: ' plan --sysroot words
# modprobe.d, with the other generator: both directions.
rm -r words/etc/dracut.conf.d words/etc/cmdline.d words/boot/initramfs-*
mkdir -p words/etc/modprobe.d
echo 'options vfio-pci ids=10ee:5000' >words/etc/modprobe.d/vfio.conf
"$here/make_image.py" initramfs-tools "$BINDER" "words/boot/initrd.img-$version" $version
golden words-plan-modprobe plan --sysroot words
mv words/etc/modprobe.d/vfio.conf .
"$here/make_image.py" initramfs-tools "$BINDER" "words/boot/initrd.img-$version" $version \
	"etc/modprobe.d/vfio.conf=$(cat vfio.conf)"
golden words-plan-modprobe-left plan --sysroot words
golden words-plan-modprobe-image plan --image "words/boot/initrd.img-$version" --sysroot words
# All who read modprobe.d read the same folders: the binder's list.
modprobe_folder() { # FOLDER
	mkdir -p "words/$1"
	cp vfio.conf "words/$1/vfio.conf"
	"$here/make_image.py" initramfs-tools "$BINDER" "words/boot/initrd.img-$version" $version \
		"$1/vfio.conf=$(cat vfio.conf)"
	says '10ee:5000 (modprobe.d) .*1 to bind' plan --sysroot words &&
		says '10ee:5000 (modprobe.d) .*1 to bind' plan --sysroot words \
			--image "words/boot/initrd.img-$version" &&
		! says 'FAIL modprobe.d' check --sysroot words \
			--image "words/boot/initrd.img-$version" &&
		says "$1/vfio.conf" import --sysroot words &&
		"$EARLYBIND" capture --sysroot words --output words.tar &&
		tar -xOf words.tar "$1/vfio.conf" | grep -q 10ee:5000 || return
	rm "words/$1/vfio.conf"
	says 'FAIL modprobe.d' check --sysroot words --image "words/boot/initrd.img-$version"
}
for folder in etc/modprobe.d run/modprobe.d usr/local/lib/modprobe.d usr/lib/modprobe.d \
	lib/modprobe.d; do
	check "modprobe-folder-$(echo $folder | tr / -)" modprobe_folder $folder
	rm -f "words/$folder/vfio.conf" words.tar
done
cd "$work" || exit
