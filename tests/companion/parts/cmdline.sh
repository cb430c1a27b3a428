# shellcheck shell=sh
# cmdline: what is needed and where it goes, on trees, and the files that come of it. The
# programs that tell the boot loader are in the image tests.
# shellcheck disable=SC2154,SC2016 # here and so on are of run.sh; shells' files in words

mkdir "$work/cmdline"
cd "$work/cmdline" || exit

# The Alveo machine, with a processor and files: lines FILE=TEXT, "\n" for line ends.
loader() { # NAME VENDOR CMDLINE FILE=TEXT...
	tree=$1
	cp -a ../empty "$tree"
	[ -z "$2" ] || printf 'processor\t: 0\nvendor_id\t: %s\n\n' "$2" >"$tree/proc/cpuinfo"
	printf '%s\n' "$3" >"$tree/proc/cmdline"
	shift 3
	for file in "$@"; do
		mkdir -p "$tree/$(dirname "${file%%=*}")"
		printf '%b' "${file#*=}" >"$tree/${file%%=*}"
	done
}
# A program that is never run.
program() { # TREE NAME
	mkdir -p "$1/usr/sbin"
	cp /bin/true "$1/usr/sbin/$2"
}
# All files below etc, boot and var, with their contents.
files() { # TREE
	(cd "$1" && find etc boot var -type f ! -name earlybind.conf 2>/dev/null | LC_ALL=C sort |
		while read -r file; do sed "s|^|$file: |" "$file"; done)
}
# What --set writes, the same again, and what --remove leaves.
round() { # NAME TREE ARGUMENT...
	what=$1
	tree=$2
	shift 2
	files "$tree" >before.txt
	golden "$what" cmdline --sysroot "$tree" "$@"
	golden "$what-again" cmdline --sysroot "$tree" "$@"
	golden "$what-remove" cmdline --sysroot "$tree" --remove
	files "$tree" | grep -v 'earlybind-backup: ' >left.txt
	check "$what-leaves-nothing" diff before.txt left.txt
}

# No file is touched, and nothing is called done; for the parts that need this one.
untouched() { # PATTERN TREE
	find "$2" -type f ! -path "*/run/*" -exec sha256sum {} + | sort >before.txt
	code=0
	"$EARLYBIND" cmdline --sysroot "$2" --set >set.txt 2>&1 || code=$?
	tr -s ' \n' ' ' <set.txt >set.line
	find "$2" -type f ! -path "*/run/*" -exec sha256sum {} + | sort >after.txt
	cat set.txt
	cmp after.txt before.txt && [ "$code" -eq 3 ] && grep -q -e "$1" set.line &&
		! grep -q 'next: reboot' set.txt
}

grub='etc/default/grub=GRUB_DEFAULT=0\nGRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`\nGRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\nGRUB_CMDLINE_LINUX=""\n'
started='BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet'

loader grub GenuineIntel "$started" "$grub"
mkdir -p grub/etc/default/grub.d
program grub update-grub
golden cmdline-grub cmdline --sysroot grub
golden cmdline-grub-dry-run cmdline --sysroot grub --set --dry-run
check cmdline-dry-run-writes-nothing test ! -e grub/etc/default/grub.d/earlybind.cfg
round cmdline-grub-set grub --set
round cmdline-grub-add grub --set --add iommu=pt --add 'a.b=01:*;c'
golden cmdline-grub-menu cmdline --sysroot grub --menu-entry
check cmdline-grub-menu-mode test -x grub/etc/grub.d/42_earlybind
golden cmdline-grub-menu-remove cmdline --sysroot grub --remove
# What was set by --set and is not in this boot yet.
"$EARLYBIND" cmdline --sysroot grub --set >/dev/null
golden cmdline-grub-reboot cmdline --sysroot grub
# A shell reads from it what was meant.
drop_in() {
	"$EARLYBIND" cmdline --sysroot grub --add 'a=b;c' --add 'd=*' >/dev/null &&
		value=$(sh -euc 'GRUB_CMDLINE_LINUX=quiet; . "$1"; echo "$GRUB_CMDLINE_LINUX"' - \
			./grub/etc/default/grub.d/earlybind.cfg) &&
		[ "$value" = "quiet intel_iommu=on 'a=b;c' 'd=*'" ]
}
check cmdline-drop-in-in-a-shell drop_in
# Two quoted lists of 95 IDs: more than 2 KiB, and the file is whole.
long_drop_in() {
	ids=$(i=0 c=; while [ $i -lt 95 ]; do printf '%s10ee:%04x' "$c" $i; c=, i=$((i + 1)); done)
	echo 'GRUB_CMDLINE_LINUX_DEFAULT="quiet vfio-pci.ids=10ee:ffff"' >>grub-long/etc/default/grub &&
		"$EARLYBIND" cmdline --sysroot grub-long --force --add "vfio-pci.ids=$ids" >/dev/null &&
		value=$(sh -euc 'GRUB_CMDLINE_LINUX= GRUB_CMDLINE_LINUX_DEFAULT=; . "$1"
			echo "$GRUB_CMDLINE_LINUX;$GRUB_CMDLINE_LINUX_DEFAULT"' - \
			./grub-long/etc/default/grub.d/earlybind.cfg) &&
		[ "$value" = " intel_iommu=on vfio-pci.ids=$ids; vfio-pci.ids=$ids" ]
}
loader grub-long GenuineIntel "$started" "$grub"
mkdir -p grub-long/etc/default/grub.d
program grub-long update-grub
check cmdline-long-drop-in long_drop_in
golden cmdline-bad-parameter cmdline --sysroot grub --add 'a b'
golden cmdline-bad-shell cmdline --sysroot grub --add 'a=$(reboot)'
golden cmdline-no-parameter cmdline --sysroot grub --add =on
golden cmdline-both cmdline --sysroot grub --set --remove

loader grub-off GenuineIntel "$started intel_iommu=off" "$grub" \
	'etc/default/grub.d/60-site.cfg=GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT \\\n  intel_iommu=off"\n'
golden cmdline-against cmdline --sysroot grub-off --set
round cmdline-against-force grub-off --set --force
loader grub-has GenuineIntel "$started intel_iommu=on,sm_on" "$grub" \
	"etc/default/grub.d/60-site.cfg=GRUB_CMDLINE_LINUX+=' intel_iommu=on,sm_on'\n"
# Only bash adds with +=: it is the shell of this tree.
mkdir -p grub-has/usr/bin
ln -s bash grub-has/usr/bin/sh
golden cmdline-has cmdline --sysroot grub-has
golden cmdline-has-set cmdline --sysroot grub-has --set
loader grub-strange GenuineIntel "$started" "$grub" \
	'etc/default/grub.d/60-site.cfg=GRUB_CMDLINE_LINUX="$(cat /etc/site) x"\n'
golden cmdline-strange cmdline --sysroot grub-strange --set
loader grub-broken GenuineIntel "$started" 'etc/default/grub=A=1\nGRUB_CMDLINE_LINUX="quiet\nB=2\n'
golden cmdline-broken cmdline --sysroot grub-broken --set
# GNU's grub-mkconfig knows no such folder.
loader grub-gnu GenuineIntel "$started" "$grub" 'usr/sbin/grub-mkconfig=. /etc/default/grub\n' \
	'boot/grub/grub.cfg='
mkdir -p grub-gnu/etc/default/grub.d
chmod +x grub-gnu/usr/sbin/grub-mkconfig
round cmdline-gnu grub-gnu --set

loader stub GenuineIntel 'root=/dev/sda2 initrd=\\EFI\\x\\initrd rw' "$grub" \
	'etc/kernel/cmdline=root=/dev/sda2 rw\n'
golden cmdline-stub cmdline --sysroot stub
round cmdline-stub-set stub --set --add iommu=pt
loader stub-off GenuineIntel 'root=/dev/sda2 rw' 'etc/kernel/cmdline=root=/dev/sda2 intel_iommu=off rw'
golden cmdline-stub-against cmdline --sysroot stub-off --set
golden cmdline-stub-force cmdline --sysroot stub-off --set --force
loader proxmox GenuineIntel 'root=ZFS=rpool initrd=\\EFI\\x' \
	'etc/kernel/cmdline=root=ZFS=rpool boot=zfs\n' 'etc/kernel/proxmox-boot-uuids=A\n'
program proxmox proxmox-boot-tool
golden cmdline-proxmox cmdline --sysroot proxmox --set --dry-run
loader two GenuineIntel "$started" "$grub" 'etc/kernel/cmdline=root=/dev/sda1\n'
golden cmdline-two cmdline --sysroot two
loader fedora GenuineIntel "$started" "$grub" \
	"boot/loader/entries/0a-6.9.conf=title Fedora 6.9\nversion 6.9\nlinux /vmlinuz-6.9\noptions root=/dev/sda1 ro\n" \
	"boot/loader/entries/0a-6.11.conf=title Fedora 6.11\nversion 6.11\nsort-key fedora\nlinux /vmlinuz-6.11\noptions root=/dev/sda1 ro\n"
sed -i '1i GRUB_ENABLE_BLSCFG=true' fedora/etc/default/grub
golden cmdline-blscfg cmdline --sysroot fedora --menu-entry --dry-run
program fedora grubby
golden cmdline-grubby cmdline --sysroot fedora --set --add iommu=pt --dry-run
golden cmdline-grubby-menu cmdline --sysroot fedora --menu-entry
golden cmdline-grubby-menu-remove cmdline --sysroot fedora --remove
loader silverblue GenuineIntel "$started" 'run/ostree-booted='
golden cmdline-ostree cmdline --sysroot silverblue --set --dry-run
loader entries GenuineIntel 'root=/dev/sda1' \
	'boot/loader/entries/arch.conf=title Arch\nlinux /vmlinuz\noptions root=/dev/sda1\n'
golden cmdline-entries cmdline --sysroot entries
golden cmdline-entries-set cmdline --sysroot entries --set
golden cmdline-entries-menu cmdline --sysroot entries --menu-entry
loader nothing GenuineIntel 'root=/dev/sda1'
golden cmdline-nothing cmdline --sysroot nothing
golden cmdline-nothing-set cmdline --sysroot nothing --set
golden cmdline-nothing-menu cmdline --sysroot nothing --menu-entry

loader amd AuthenticAMD "$started" "$grub"
golden cmdline-amd cmdline --sysroot amd
golden cmdline-amd-set cmdline --sysroot amd --set
mkdir -p amd/sys/firmware/acpi/tables
golden cmdline-amd-firmware cmdline --sysroot amd
loader on GenuineIntel "$started" "$grub"
mkdir -p on/sys/class/iommu/dmar0
golden cmdline-on cmdline --sysroot on
loader firmware GenuineIntel "$started intel_iommu=on" "$grub" 'sys/firmware/acpi/tables/APIC='
golden cmdline-firmware cmdline --sysroot firmware
loader arm '' "$started" 'proc/cpuinfo=processor\t: 0\nCPU implementer\t: 0x41\n'
golden cmdline-arm cmdline --sysroot arm
golden help-cmdline cmdline --help

# GRUB's script, with a 10_linux that prints what Debian's does.
grub_script() {
	"$EARLYBIND" cmdline --sysroot grub --menu-entry >/dev/null &&
		sed 's|/etc/grub.d/10_linux|./10_linux|' grub/etc/grub.d/42_earlybind >script &&
		GRUB_CMDLINE_LINUX=intel_iommu=on sh -eu ./script >menu.txt &&
		diff - menu.txt <<'END'
menuentry 'Debian GNU/Linux (without earlybind)' --class debian --class gnu-linux $menuentry_id_option 'earlybind-off' {
	load_video
	if [ x$grub_platform = xxen ]; then insmod xzio; fi
	linux	/vmlinuz-6.1.0 root=UUID=1 ro intel_iommu=on rd.earlybind=0 quiet
}
END
}
cat >10_linux <<'END'
#!/bin/sh
echo "Found linux image: /boot/vmlinuz-6.1.0" >&2
cat <<EOF
function gfxmode {
	set gfxpayload="\${1}"
}
set linux_gfx_mode=
menuentry 'Debian GNU/Linux' --class debian --class gnu-linux \$menuentry_id_option 'gnulinux-simple-1' {
	load_video
	if [ x\$grub_platform = xxen ]; then insmod xzio; fi
	linux	/vmlinuz-6.1.0 root=UUID=1 ro $GRUB_CMDLINE_LINUX quiet
}
submenu 'Advanced options' \$menuentry_id_option 'gnulinux-advanced-1' {
	menuentry 'Debian GNU/Linux, with Linux 6.1.0' --class debian {
		linux	/vmlinuz-6.1.0
	}
}
EOF
END
chmod +x 10_linux
check cmdline-grub-script grub_script
no_entry_script() {
	printf '#!/bin/sh\necho blscfg\n' >10_linux && GRUB_CMDLINE_LINUX='' sh -eu ./script >menu.txt && [ ! -s menu.txt ]
}
check cmdline-grub-script-without-entries no_entry_script
cd "$work" || exit
