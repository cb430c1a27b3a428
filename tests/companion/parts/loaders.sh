# shellcheck shell=sh
# Loaders: the image that boots is found, a stale and a damaged one are seen. Prints the table.
# shellcheck disable=SC2154 # here and so on are of run.sh

mkdir "$work/loaders"
cd "$work/loaders" || exit
version=6.1.0-18-amd64
token=0123456789abcdef0123456789abcdef
"$EARLYBIND" embed --sysroot ../configured --binder "$BINDER" --output with-rules >/dev/null
"$here/make_image.py" initramfs-tools with-rules good.img $version
"$here/make_image.py" initramfs-tools "$BINDER" stale.img $version
head -c 4096 with-rules >broken.img

# What the loader has, with IMAGE as the image that boots: *path is where that is. A good one
# for the same kernel stands in /boot wherever the loader boots a copy.
loader_grub() { # TREE IMAGE
	path=/boot/initrd.img-$version
	mkdir -p "$1/boot/grub"
	sed "s/VERSION/$version/" >"$1/boot/grub/grub.cfg" <<-'END'
		menuentry 'Debian' --class debian {
		linux /vmlinuz-VERSION root=/dev/sda1
		initrd /ucode.img /initrd.img-VERSION
		}
	END
	cp "$2" "$1$path"
}

entry() { # TREE IMAGE FOLDER INITRD
	path=/boot/efi$3/$4
	mkdir -p "$1/boot/efi$3" "$1/boot/efi/loader/entries"
	printf 'title Debian\nversion %s\noptions root=/dev/sda1\nlinux %s/linux\ninitrd %s/%s\n' \
		$version "$3" "$3" "$4" >"$1/boot/efi/loader/entries/x-$version.conf"
	cp "$2" "$1$path"
	: >"$1/boot/efi$3/linux"
}
loader_machine_id() { entry "$1" "$2" /$token/$version initrd.img-$version; }
loader_token() { entry "$1" "$2" /debian/$version initrd; }
loader_proxmox() {
	entry "$1" "$2" /EFI/proxmox/$version initrd.img-$version
	mkdir -p "$1/etc/kernel"
	echo 1234-ABCD >"$1/etc/kernel/proxmox-boot-uuids"
}

loader_extlinux() { # TREE IMAGE
	path=/boot/other-$version.img
	mkdir -p "$1/boot/extlinux"
	printf 'DEFAULT l0\nLABEL l0\n\tKERNEL /boot/vmlinuz-%s\n\tAPPEND initrd=/boot/other-%s.img ro\n' \
		$version $version >"$1/boot/extlinux/extlinux.conf"
	cp "$2" "$1$path"
}

loader_uki() { # TREE IMAGE
	path=/boot/efi/EFI/Linux/arch.efi
	mkdir -p "$1/boot/efi/EFI/Linux"
	"$here/make_uki.py" "$1$path" .linux=x ".uname=$version" .cmdline=ro ".initrd=@$2"
}

# A machine of LOADER whose image is IMAGE; what check says of its images, on one line.
look() { # LOADER IMAGE
	rm -rf tree
	cp -a "${look_at:-../configured}" tree
	mkdir -p tree/boot tree/lib/modules/$version
	echo $token >tree/etc/machine-id
	: >tree/boot/vmlinuz-$version
	[ "$1" = grub ] || cp good.img tree/boot/initrd.img-$version
	"loader_$1" tree "$2"
	"$EARLYBIND" check --sysroot tree --only image --json >said.json || true
	jq -r --arg path "$path" '.checks[] | select(.message | contains($path)) | "\(.verdict) \(.message)"' \
		said.json >said.txt
}

cell() { # LOADER IMAGE PATTERN
	look "$1" "$2"
	if grep -q "$3" said.txt; then
		pass "loader-$1-${2%.img}" >&2
		echo yes
	else
		fail "loader-$1-${2%.img}" "$(tail -n 3 said.json)" >&2
		echo no
	fi
}

row() { # LOADER
	printf '%-12s %-6s %-6s %s\n' "$1" "$(cell "$1" good.img '^pass')" \
		"$(cell "$1" stale.img '^[Ff][Aa][Ii][Ll].*table: ')" \
		"$(cell "$1" broken.img '^[Ff][Aa][Ii][Ll].*damaged')"
}

printf '%-12s %-6s %-6s %s\n' loader found stale broken
for loader in ${LOADERS:-grub machine_id token uki extlinux proxmox}; do
	row "$loader"
done >table.txt
cat table.txt
# A row is made in a shell of its own, which counts for itself.
failures=$((failures + $(grep -c ' no' table.txt || true)))

# An entry whose image is not there, and one without any.
entry_without() { # LINE PATTERN
	look machine_id good.img
	sed -i "s|^initrd.*|$1|" "tree/boot/efi/loader/entries/x-$version.conf"
	says "$2" check --sysroot tree --only image
}
check loader-no-file entry_without "initrd /$token/$version/lost" 'FAIL image: .*lost.* there is no such file'
check loader-no-initrd entry_without '# none' 'FAIL image: .*boots kernel .* without an initramfs'
# Proxmox mounts its partitions only while it copies.
unmounted() {
	look grub good.img
	mkdir -p tree/etc/kernel
	echo 1234-ABCD >tree/etc/kernel/proxmox-boot-uuids
	says 'cannot tell image: .*are not mounted' check --sysroot tree --only image
}
check loader-unmounted unmounted
# Only the copy is old: what makes it is what is said, and what apply would run.
old_copy() {
	look token stale.img
	mkdir -p tree/usr/sbin tree/usr/bin tree/usr/lib/earlybind
	cp "$BINDER" tree/usr/lib/earlybind/binder
	cp /bin/true tree/usr/bin/kernel-install
	cp /bin/true tree/usr/sbin/update-initramfs
	command="kernel-install add $version /boot/vmlinuz-$version /boot/initrd.img-$version"
	says "run $command" check --sysroot tree --only image &&
		says "initrd.img-$version: up to date.*would run: $command" apply --sysroot tree --dry-run
}
check loader-old-copy old_copy
hostile_loader() {
	look grub good.img
	rm tree/boot/grub/grub.cfg
	mkfifo tree/boot/grub/grub.cfg
	mkdir -p tree/boot/loader/entries tree/boot/extlinux
	head -c 3000000 /dev/zero | tr '\0' 'x' >tree/boot/extlinux/extlinux.conf
	mkfifo tree/boot/loader/entries/fifo.conf
	ln -s loop.conf tree/boot/loader/entries/loop.conf
	printf 'linux /../../etc/passwd\ninitrd /../x-%s\n' $version >tree/boot/loader/entries/up.conf
	timeout 20 "$EARLYBIND" check --sysroot tree --only image >said.txt 2>&1
	[ $? -le 1 ] && grep -q 'pass image: /boot/initrd' said.txt && ! grep -q 'x-6' said.txt
}
check loader-hostile hostile_loader
# A UKI by itself.
uki_image() { # PATTERN WORD...
	pattern=$1
	shift
	"$here/make_uki.py" x.efi .linux=x "$@"
	says "$pattern" check --sysroot ../configured --image x.efi
}
check uki-good uki_image 'pass table' ".uname=$version" .initrd=@good.img
check uki-stale uki_image 'FAIL table.*run the program that made this unified' .initrd=@stale.img
check uki-off uki_image 'FAIL cmdline: rd.earlybind=0 is on its' .initrd=@good.img '.cmdline=ro rd.earlybind=0'
check uki-no-initrd uki_image 'no section .initrd' .cmdline=ro
"$here/make_uki.py" x.efi .linux=x .initrd=@good.img
damaged_uki() {
	"$here/mutate.py" 7 100 x.efi "$EARLYBIND" check --sysroot ../configured --image @
}
check uki-survives-damage damaged_uki
# Nothing known makes a UKI of that name, and no generator may write its image over it.
uki_apply() {
	look uki stale.img
	mkdir -p tree/usr/sbin tree/usr/lib/earlybind
	cp "$BINDER" tree/usr/lib/earlybind/binder
	cp /bin/true tree/usr/sbin/dracut
	says 'arch.efi: .*nothing can make it: this unified' apply --sysroot tree --dry-run
}
check uki-apply uki_apply
# Cut, it does not even say whose kernel it has.
cut_uki() {
	look uki good.img
	truncate -s 100 "tree$path"
	says 'cannot tell image: .*arch.efi: it is damaged' check --sysroot tree --only image
}
check uki-cut cut_uki
cd "$work" || exit
