# shellcheck shell=sh
# Where import finds what people have: this boot, scripts, boot loaders, other tools.
: "${here:?}" "${EARLYBIND:?}"

# The selectors of the rules that import proposes for a tree, in one line.
proposed() { # TREE
	"$EARLYBIND" import --sysroot "$1" --json >out.json 2>err.txt || [ $? -eq 1 ] || return 1
	jq -r '[.rules[] | select(.state == "new") | .selector] | join(" ")' out.json
}

# ---- this boot ----------------------------------------------------------------------------

golden sources-running import --sysroot sources-running
# A rule of the configuration names them: nothing new.
cp -a sources-running sources-ruled
printf 'bind 10de:1b80,10de:10f0,1b21:0612\nbind 03:00.0\nkeep 03:02.0\n' >sources-ruled/etc/earlybind.conf
check sources-ruled test "$(proposed sources-ruled)" = ''
# A file that says the same is the place to take it from.
cp -a sources-running sources-grub
mkdir -p sources-grub/etc/default
echo 'GRUB_CMDLINE_LINUX="vfio-pci.ids=10de:1b80,10de:10f0"' >sources-grub/etc/default/grub
sources_from_file() {
	proposed sources-grub >/dev/null &&
		jq -e '.rules[0].file == "/etc/default/grub" and
			([.found[] | select(.file == "/proc/cmdline" and .effective) | .text]) ==
			["vfio-pci.disable_vga=1"]' out.json
}
check sources-from-file sources_from_file

# ---- programs and rules -------------------------------------------------------------------

golden sources-scripts import --sysroot sources-scripts

# ---- boot loaders, tools ------------------------------------------------------------------

sources_loaders() {
	ids=$(grep -o '1b21:a0..' "$here/trees/sources-loaders.tree" | sort) || return 1
	[ "$(proposed sources-loaders | tr ' ' '\n' | sort)" = "$ids" ]
}
check sources-loaders sources_loaders
sources_tools() {
	[ "$(proposed sources-tools)" = "0000:03:00.0+8086:1572 0000:04:00.0 0000:05:00.0 $(
		)0000:06:00.0 0000:07:00.0 0000:08:00.0" ]
}
check sources-tools sources_tools

# ---- mistakes -----------------------------------------------------------------------------

golden sources-mistakes import --sysroot sources-mistakes
golden sources-mistakes-check check --only recipes --only cmdline --sysroot sources-mistakes
golden sources-xen import --sysroot sources-xen
# Each installed kernel is asked for vfio_virqfd.
golden sources-virqfd check --only recipes --sysroot sources-virqfd
cp -a sources-mistakes/lib/modules/6.12.9-amd64 sources-virqfd/lib/modules/
golden sources-virqfd-some check --only recipes --sysroot sources-virqfd
# iommu=pt is offered where it is missing, and where there is such a parameter.
cp -a sources-running sources-pt
echo 'root=/dev/sda2 ro intel_iommu=on iommu=pt' >sources-pt/proc/cmdline
sources_pt() {
	says 'optional: iommu=pt' cmdline --sysroot sources-running &&
		! says 'iommu=pt' cmdline --sysroot sources-pt
}
check sources-pt sources_pt

# ---- hostile files ------------------------------------------------------------------------

# All sources as pipes, folders, loops of links, too large, and as noise: an end in time.
# (modprobe.d is also read by libkmod, which waits for a pipe as modprobe itself does.)
sources_hostile() {
	cp -a sources-scripts sources-all
	cp -a sources-loaders/. sources-tools/. sources-all
	(cd sources-all && find boot data etc usr -type f | grep -v '^etc/modprobe.d') >files.txt
	for kind in pipe folder loop huge noise; do
		rm -rf sources-hostile
		cp -a sources-all sources-hostile
		while read -r file; do
			path=sources-hostile/$file
			rm "$path"
			case $kind in
			pipe) mkfifo "$path" ;;
			folder) mkdir "$path" ;;
			loop) ln -s "$(basename "$path")" "$path" ;;
			huge) truncate -s 3G "$path" ;;
			noise) head -c 200000 "$EARLYBIND" >"$path" ;;
			esac
		done <files.txt
		code=0
		timeout 60 "$EARLYBIND" import --sysroot sources-hostile >/dev/null 2>&1 || code=$?
		[ "$code" -le 3 ] || { echo "$kind: $code"; return 1; }
	done
}
check sources-hostile sources_hostile
