# shellcheck shell=sh
# cmdline --set for boot loaders whose files are plain, and what it says of the others. The
# helpers are those of cmdline.sh, which is read before.
# Needs: cmdline
# shellcheck disable=SC2154 # here and so on are of run.sh

mkdir "$work/cmdlines"
cd "$work/cmdlines" || exit

loader lines-extlinux GenuineIntel 'root=UUID=1 ro quiet' \
	'boot/extlinux/extlinux.conf=DEFAULT l0\nLABEL l0\n\tLINUX /vmlinuz\n\tAPPEND root=UUID=1 ro quiet\nLABEL l1\n\tappend root=UUID=1 ro single\n'
round lines-extlinux lines-extlinux --set
loader lines-limine GenuineIntel 'root=UUID=1 rw quiet' \
	'boot/limine.conf=timeout: 3\n/Arch\n    protocol: linux\n    cmdline: root=UUID=1 rw quiet\n/Windows\n    protocol: efi\n    cmdline: fast\n'
round lines-limine lines-limine --set
loader lines-refind GenuineIntel 'root=UUID=1 rw initrd=\\initramfs.img' \
	'boot/refind_linux.conf="Boot"  "root=UUID=1 rw"\r\n"Single" "root=UUID=1 rw single"\r\n'
round lines-refind lines-refind --set
# Stanzas of refind.conf: each that starts a Linux, within its quotes.
loader lines-stanza GenuineIntel 'root=UUID=1 rw' \
	'boot/efi/EFI/refind/refind.conf=timeout 20\nmenuentry "Windows" {\n\toptions "fast"\n}\nmenuentry Arch {\n\tloader /vmlinuz\n\tOptions  "root=UUID=1 rw" # mine\n\tsubmenuentry "Fallback" {\n\t\toptions "root=UUID=1 rw single"\n\t}\n}\n' \
	'boot/refind_linux.conf="Boot" "root=UUID=2 ro"\n'
round lines-stanza lines-stanza --set
# A quote that is written twice stands for one: such a line is left alone.
loader lines-stanza-quotes GenuineIntel 'root=UUID=1 a="b c"' \
	'efi/EFI/refind/refind.conf=menuentry A {\n options "root=UUID=1 a=""b c"""\n}\n'
lines_stanza_quotes() {
	untouched 'if your boot loader reads /efi/EFI/refind/refind.conf' lines-stanza-quotes
}
loader lines-pi '' 'coherent_pool=1M console=tty1 root=PARTUUID=1 rootwait' \
	'boot/firmware/cmdline.txt=console=tty1 root=PARTUUID=1 rootwait\n'
round lines-pi lines-pi --add iommu.passthrough=1
loader lines-kernelstub GenuineIntel 'root=UUID=1 ro initrd=\\EFI\\Pop\\initrd.img' \
	'etc/kernelstub/configuration={}\n' 'etc/default/grub=GRUB_CMDLINE_LINUX=""\n'
program lines-kernelstub kernelstub
golden lines-kernelstub cmdline --sysroot lines-kernelstub --set

# Of what stands behind the first line, nothing is set.
loader lines-proxmox GenuineIntel 'root=ZFS=a initrd=\\EFI\\proxmox\\x' \
	'etc/kernel/cmdline=root=ZFS=a\nintel_iommu=on\n' 'etc/kernel/proxmox-boot-uuids=A\n'
program lines-proxmox proxmox-boot-tool
check lines-proxmox says 'several lines, and proxmox-boot-tool reads only the first one' \
	cmdline --sysroot lines-proxmox --set

# Another value there is refused, and replaced only with --force.
loader lines-against GenuineIntel 'root=UUID=1 intel_iommu=off' \
	'boot/extlinux/extlinux.conf=LABEL l0\n\tAPPEND root=UUID=1 intel_iommu=off\n'
lines_against() {
	says 'intel_iommu=off is set already' cmdline --sysroot lines-against --set &&
		says '+.APPEND root=UUID=1 intel_iommu=on' cmdline --sysroot lines-against --set --force
}
check lines-against lines_against

# A file that did not boot this machine.
for file in boot/extlinux/extlinux.conf boot/limine.conf boot/refind_linux.conf boot/firmware/cmdline.txt; do
	name=lines-other-$(basename "$file" .conf)
	loader "$name" GenuineIntel 'root=UUID=2 ro' \
		"$file=append root=UUID=1\ncmdline: root=UUID=1\n\"Boot\" \"root=UUID=1\"\n"
	check "$name" untouched 'so another boot loader started it.*add intel_iommu=on to' "$name"
done
# systemd-boot started it, whatever GRUB's settings say.
loader lines-not-grub GenuineIntel 'root=UUID=1 ro' 'etc/default/grub=GRUB_CMDLINE_LINUX=""\n' \
	'boot/efi/loader/entries/x.conf=title x\nlinux /x\noptions root=UUID=1 ro\n'
mkdir -p lines-not-grub/sys/firmware/efi/efivars
printf '\006\0\0\0s\0y\0s\0t\0e\0m\0d\0' \
	>lines-not-grub/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
check lines-not-grub untouched 'GRUB is set up, too.*to the line options of each file /boot/efi/loader/entries/' lines-not-grub
check lines-stanza-quotes lines_stanza_quotes
# Programs that make the loader's file anew: their settings are named, with what to write.
helper() { # NAME PROGRAM SETTINGS[=TEXT] FILE TEXT PATTERN [CMDLINE]
	case $3 in *=*) settings=$3 ;; *) settings="$3=x\n" ;; esac
	loader "$1" GenuineIntel "${7:-root=UUID=1 ro}" "$settings" "$4=$5"
	program "$1" "$2"
	check "$1" untouched "$6" "$1"
}
helper lines-u-boot u-boot-update 'etc/default/u-boot=#U_BOOT_PARAMETERS="a"\n' boot/extlinux/extlinux.conf 'append root=UUID=1 ro\n' \
	'nothing sets U_BOOT_PARAMETERS in /etc/default/u-boot: .*run: u-boot-update U_BOOT_PARAMETERS="ro quiet intel_iommu=on"'
helper lines-u-boot-line u-boot-update 'etc/default/u-boot=# x\nU_BOOT_PARAMETERS="a"\n' boot/extlinux/extlinux.conf 'append root=UUID=1 ro\n' \
	'add intel_iommu=on to U_BOOT_PARAMETERS in /etc/default/u-boot:2, within quotes; then run: u-boot-update'
helper lines-update-extlinux update-extlinux 'etc/update-extlinux.conf=overwrite=1\n default_kernel_opts=quiet\n' boot/extlinux.conf 'APPEND root=UUID=1 ro\n' \
	'add intel_iommu=on to default_kernel_opts in /etc/update-extlinux.conf:2, within quotes; then run: update-extlinux'
helper lines-limine-update limine-update etc/default/limine boot/limine.conf 'cmdline: root=UUID=1 ro\n' \
	'in /etc/default/limine: .*run: limine-update KERNEL_CMDLINE.default.+=" intel_iommu=on"'
helper lines-raspi update-initramfs etc/default/raspi-firmware boot/firmware/cmdline.txt 'root=UUID=1 ro\n' \
	'add intel_iommu=on to the line of /etc/default/raspi-extra-cmdline.*run: update-initramfs -u'
helper lines-sdboot-manage sdboot-manage 'etc/sdboot-manage.conf=LINUX_OPTIONS="quiet"\n' boot/loader/entries/a.conf 'options root=UUID=1 ro\n' \
	'add intel_iommu=on to LINUX_OPTIONS in /etc/sdboot-manage.conf:1.*run: sdboot-manage gen' 'root=UUID=1 ro initrd=\\i.img'
# Systems of one configuration: their entries are made of it. Boot loaders where there is no other.
nixos='init=/nix/store/x/init root=x initrd=\\x'
helper lines-nixos nixos-rebuild etc/nixos/configuration.nix boot/loader/entries/nixos.conf 'options root=x\n' \
	'in /etc/nixos/configuration.nix: .*run: nixos-rebuild boot boot.kernelParams = \[ "intel_iommu=on" \];' "$nixos"
helper lines-nixos-line nixos-rebuild 'etc/nixos/configuration.nix={\n  boot = {\n    # kernelParams = [ ];\n    kernelParams = [ "quiet" ];\n  };\n}\n' \
	boot/loader/entries/nixos.conf 'options root=x\n' \
	'add "intel_iommu=on" to the list boot.kernelParams in /etc/nixos/configuration.nix:4; then run: nixos-rebuild boot' "$nixos"
# A flake may be anywhere.
helper lines-nixos-flake nixos-rebuild etc/os-release boot/loader/entries/nixos.conf 'options root=x\n' \
	'NixOS, by a configuration that is not at its usual place: .*add "intel_iommu=on" to the list boot.kernelParams in your configuration; then run: nixos-rebuild boot --flake FOLDER' "$nixos"
helper lines-guix guix 'etc/config.scm=(operating-system\n  (kernel-arguments (list "quiet")))\n' boot/grub/grub.cfg 'linux /gnu/store/x\n' \
	'add "intel_iommu=on" to the list kernel-arguments in /etc/config.scm:2; then run: guix system reconfigure /etc/config.scm' \
	'BOOT_IMAGE=/x root=x gnu.system=/gnu/store/y'
helper lines-guix-elsewhere guix etc/os-release boot/grub/grub.cfg 'linux /gnu/store/x\n' \
	'in your configuration; then run: guix system reconfigure FILE' 'BOOT_IMAGE=/x root=x gnu.system=/gnu/store/y'
helper lines-zipl zipl 'etc/zipl.conf=[linux]\n\timage=/x\n\tparameters="root=x"\n' etc/os-release 'ID=x\n' \
	'add intel_iommu=on to parameters in /etc/zipl.conf:3, within quotes; then run: zipl' 'root=x BOOT_IMAGE=0'
helper lines-lilo lilo etc/lilo.conf etc/os-release 'ID=x\n' \
	'in /etc/lilo.conf: .*run: lilo append="intel_iommu=on"' 'auto BOOT_IMAGE=Linux ro root=801'
# Whatever the file is, an end in time and no change.
lines_hostile() {
	for kind in pipe folder loop huge noise; do
		rm -rf lines-hostile
		cp -a lines-other-extlinux lines-hostile
		path=lines-hostile/boot/extlinux/extlinux.conf
		rm "$path"
		case $kind in
		pipe) mkfifo "$path" ;;
		folder) mkdir "$path" ;;
		loop) ln -s extlinux.conf "$path" ;;
		huge) truncate -s 3G "$path" ;;
		noise) head -c 60000 "$EARLYBIND" >"$path" ;;
		esac
		code=0
		timeout 20 "$EARLYBIND" cmdline --sysroot lines-hostile --set >said.txt 2>&1 || code=$?
		[ "$code" -eq 3 ] || { cat said.txt; echo "$kind: $code"; return 1; }
	done
}
check lines-hostile lines_hostile
cd "$work" || exit

# Kernels that the parameters do not help.
cd "$work/cmdlines" || exit
lines_kernels() {
	loader lines-kernels GenuineIntel 'root=UUID=1 ro' \
		'boot/extlinux/extlinux.conf=LABEL l0\n\tLINUX /boot/vmlinuz-6.1\n\tINITRD /boot/initrd.img-6.1\n\tAPPEND root=UUID=1 ro\n'
	for version in 6.1 6.2 6.3; do
		mkdir -p "lines-kernels/lib/modules/$version"
		: >"lines-kernels/lib/modules/$version/modules.dep"
		: >"lines-kernels/boot/vmlinuz-$version"
		[ $version = 6.3 ] || : >"lines-kernels/boot/initrd.img-$version"
	done
	"$EARLYBIND" cmdline --sysroot lines-kernels --set >said.txt 2>&1 && tr -s ' \n' ' ' <said.txt >said.line
	cat said.txt
	grep -q 'warning: kernel 6.3 has no initramfs' said.line &&
		grep -q 'warning: no entry of the boot loader that was found boots kernel 6.2' said.line &&
		! grep -q 'warning:.*6\.1' said.line
}
check lines-kernels lines_kernels
# An image that an entry names is not there, and an entry has none.
lines_lost() {
	rm lines-kernels/boot/initrd.img-6.1
	printf 'LABEL l1\n\tLINUX /boot/vmlinuz-6.2\n\tAPPEND root=UUID=1 ro\n' \
		>>lines-kernels/boot/extlinux/extlinux.conf
	says 'warning: /boot/extlinux/extlinux.conf boots kernel 6.1 with /boot/initrd.img-6.1, and there is no such file' \
		cmdline --sysroot lines-kernels --set --dry-run || return
	grep -q 'warning: /boot/extlinux/extlinux.conf boots kernel 6.2 without an initramfs' said.line
}
check lines-lost lines_lost
cd "$work" || exit
