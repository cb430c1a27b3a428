# shellcheck shell=sh
# Where no boot loader has the kernel command line: a unified image by itself, and an entry of the
# firmware. The helpers are those of cmdline.sh, which is read before.
# shellcheck disable=SC2154
# Needs: cmdline

mkdir "$work/firmware"
cd "$work/firmware" || exit
words='root=UUID=1 rw vfio-pci.ids=10de:1b80'

loader uki GenuineIntel "$words"
mkdir -p uki/efi/EFI/Linux
"$here/make_uki.py" uki/efi/EFI/Linux/old.efi .linux=x .cmdline='root=UUID=1 rw' .initrd=x
"$here/make_uki.py" uki/efi/EFI/Linux/vfio.efi .linux=x ".cmdline=$words" .initrd=x
golden cmdline-uki cmdline --sysroot uki
golden cmdline-uki-set cmdline --sysroot uki --set
check import-uki says 'from the section .cmdline of /efi/EFI/Linux/vfio.efi: once' import --sysroot uki
# GRUB is installed, and started something else.
cp -a uki uki-grub
mkdir -p uki-grub/etc/default
echo 'GRUB_CMDLINE_LINUX=quiet' >uki-grub/etc/default/grub
check cmdline-uki-beside-grub says 'by the unified image /efi/EFI/Linux/vfio.efi' cmdline --sysroot uki-grub
# What makes the image is known by its file, if that has these words.
cp -a uki uki-file
mkdir -p uki-file/etc/kernel uki-file/etc/default
echo "$words" >uki-file/etc/kernel/cmdline
cp uki-grub/etc/default/grub uki-file/etc/default/
check cmdline-uki-by-file says 'by /etc/kernel/cmdline: the unified image' cmdline --sysroot uki-file
# Another image than that of this boot says nothing.
loader uki-other GenuineIntel 'root=UUID=2'
cp -a uki/efi uki-other/
check cmdline-uki-other says 'where its parameters are set is unknown' cmdline --sysroot uki-other

loader entry GenuineIntel "initrd=\\initramfs-linux.img $words"
"$here/make_efi.py" entry 0003 "Arch's own" 1 '\vmlinuz-linux' "initrd=\\initramfs-linux.img $words"
golden cmdline-entry cmdline --sysroot entry
cmdline_entry_set() {
	says '^.*efibootmgr --bootnum 0003 --delete-bootnum efibootmgr --create --bootnum 0003 --disk DISK --part 1 . ' \
		cmdline --sysroot entry --set &&
		grep -qFx "        --label 'Arch'\\''s own' --loader '\\vmlinuz-linux' \\" said.txt &&
		grep -qFx "        --unicode 'initrd=\\initramfs-linux.img $words intel_iommu=on'" said.txt
}
check cmdline-entry-set cmdline_entry_set
check import-entry says 'from the entry Boot0003 of the firmware: once' import --sysroot entry
# The entry of a boot loader has other words, or none.
cp -a entry entry-loader
"$here/make_efi.py" entry-loader 0003 rEFInd 1 '\EFI\refind\refind_x64.efi' ''
check cmdline-entry-of-a-loader says 'is unknown' cmdline --sysroot entry-loader --set
# Set already: nothing is left to do.
loader entry-done GenuineIntel "$words intel_iommu=on"
"$here/make_efi.py" entry-done 0003 Arch 1 '\vmlinuz-linux' "$words intel_iommu=on"
entry_done() { "$EARLYBIND" cmdline --sysroot entry-done --set >out.txt && ! grep 'left to do' out.txt; }
check cmdline-entry-done entry_done
damaged_entry() {
	entry=$(echo entry/sys/firmware/efi/efivars/Boot0003-*)
	"$here/mutate.py" 8 100 "$entry" sh -c \
		"cp \$0 entry-loader/${entry#entry/} && '$EARLYBIND' cmdline --sysroot entry-loader" @
}
check cmdline-survives-damaged-entries damaged_entry
cd "$work" || exit
