# shellcheck shell=sh
# Entries of boot loaders beside the images: kernels that none boots, entries that boot nothing,
# addons of unified kernel images. The helpers and images are those of loaders.sh, read before.
# shellcheck disable=SC2154
# Needs: loaders

cd "$work/loaders" || exit
# As it was before other parts wrote to it.
"$here/mktree.py" "$here/trees/configured.tree" entries
export look_at=entries

# A kernel in /boot that no entry boots.
unbooted_kernel() {
	look machine_id good.img
	mkdir -p tree/lib/modules/6.1.0-99-amd64
	: >tree/boot/vmlinuz-6.1.0-99-amd64
	cp good.img tree/boot/initrd.img-6.1.0-99-amd64
	says 'note image: no entry of the boot loader that was found boots kernel 6.1.0-99-amd64' \
		check --sysroot tree --only image
}
check entries-unbooted-kernel unbooted_kernel
all_booted() {
	look machine_id good.img
	! says 'no entry of the boot loader' check --sysroot tree --only image
}
check entries-all-booted all_booted
# The kernel of an entry is not there; of a kernel that was removed, nothing is.
lost_kernel() {
	look machine_id good.img
	sed -i 's|^linux.*|linux /gone/linux|' "tree/boot/efi/loader/entries/x-$version.conf"
	says 'FAIL image: .*does not boot: there is no file [^ ]*/gone/linux' check --sysroot tree --only image
}
check entries-lost-kernel lost_kernel
removed_kernel() {
	look machine_id good.img
	printf 'title Old\nversion 5.1.0-1\nlinux /5.1.0-1/linux\ninitrd /5.1.0-1/initrd\n' \
		>tree/boot/efi/loader/entries/old.conf
	says 'note image: .*old.conf: the entry "Old" does not boot: there is no file' \
		check --sysroot tree --only image
}
check entries-removed-kernel removed_kernel
# Entries of other systems, which os-prober puts into GRUB's menu.
other_system() {
	look grub good.img
	printf 'menuentry "Fedora" {\n linux /boot/vmlinuz-5.1.0 root=/dev/sdb1\n initrd /boot/x.img\n}\n' \
		>>tree/boot/grub/grub.cfg
	! says 'does not boot' check --sysroot tree --only image
}
check entries-other-system other_system

# Addons: beside the UKI, and on its partition.
addon() { # PATTERN FOLDER WORD...
	pattern=$1
	folder=$2
	shift 2
	look uki good.img
	mkdir -p "tree$(dirname "$path")/$folder"
	"$here/make_uki.py" "tree$(dirname "$path")/$folder/off.addon.efi" "$@"
	says "$pattern" check --sysroot tree --only image
}
off='FAIL image: .*rd.earlybind=0 is on its kernel command line (section .cmdline of an addon)'
check addon-beside addon "$off" arch.efi.extra.d .cmdline=rd.earlybind=0
check addon-of-partition addon "$off" ../../loader/addons .cmdline=rd.earlybind=0
check addon-of-kernel addon "$off" arch.efi.extra.d .cmdline=rd.earlybind=0 ".uname=$version"
check addon-of-other-kernel addon 'pass image: .*arch.efi' arch.efi.extra.d .cmdline=rd.earlybind=0 .uname=5.1.0
check addon-damaged addon 'pass image: .*arch.efi' arch.efi.extra.d .cmdline=
# What starts the binder as the first process can be on the command line of an addon.
addon_rdinit() {
	: >empty.img
	"$here/make_uki.py" y.efi .linux=x .cmdline=ro ".uname=$version" .initrd=@good.img
	mkdir -p y.efi.extra.d
	"$here/make_uki.py" y.efi.extra.d/a.addon.efi '.cmdline=rd.earlybind=0'
	says 'FAIL cmdline: .*of an addon' check --sysroot entries --image y.efi
}
check addon-of-image addon_rdinit
unset look_at
cd "$work" || exit
