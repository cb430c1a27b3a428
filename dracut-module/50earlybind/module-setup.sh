#!/bin/bash
# dracut module: puts the binder, its table and the vfio modules into the image, runs the
# binder before any driver can load, and proves that order. earlybind(8), dracut.modules(7)

# Of dracut's functions and variables:
# shellcheck disable=SC2154

# Nothing of ours ends the build: a kernel without an image would not boot. In the form that
# it has for all generators, at every verbosity.
_earlybind_warn() {
	echo "W: earlybind: $*" >&2
}

# Whether this machine has rules for the binder, or will have them from the kernel's command
# line at its next boot.
_earlybind_is_configured() {
	local parameters='(^|[[:space:]"'\''])(vfio[-_]pci\.ids|rd\.earlybind\.bind)='
	local root=${dracutsysrootdir-}

	grep -qsE '^[[:space:]]*(bind|keep)[[:space:]]' \
		"$root"/etc/earlybind.conf "$root"/etc/earlybind.conf.d/*.conf && return 0
	grep -qsE '^[[:space:]]*options[[:space:]]+vfio[-_]pci[[:space:]](.*[[:space:]])?ids=' \
		"$root"/{etc,run,usr/lib,lib}/modprobe.d/*.conf && return 0
	[[ ${kernel_cmdline-} =~ $parameters ]] && return 0
	grep -qsE "$parameters" /proc/cmdline "$root"/etc/kernel/cmdline "$root"/etc/cmdline \
		"$root"/etc/cmdline.d/*.conf "$root"/etc/default/grub \
		"$root"/etc/default/grub.d/*.cfg "$root"/boot/loader/entries/*.conf
}

# Where nothing is configured the module comes only when asked for:
# add_dracutmodules+=" earlybind "
check() {
	[[ ${mount_needs-} ]] && return 1
	require_binaries /usr/lib/earlybind/binder || return 1
	_earlybind_is_configured && return 0
	return 255
}

depends() {
	return 0
}

# What the rules need, of what this kernel has: vfio's modules, those of driver=NAME, and for
# driver=auto the variants of vfio-pci, for this machine or for any. hostonly='': what the
# building machine has loaded at the moment does not matter.
installkernel() {
	local module file needed found=
	local -a options=()

	[[ ${hostonly-} ]] || options+=(--generic)
	needed=$(/usr/lib/earlybind/image-build modules "$srcmods" "$initdir" "${options[@]}") ||
		needed="vfio_pci vfio_iommu_type1"
	for module in $needed; do
		file=${module//[-_]/[-_]}
		if grep -qs "/$file\.ko" "$srcmods/modules.builtin"; then
			found+=" $module (built in)"
		elif grep -qs "/$file\.ko[.a-z]*:" "$srcmods/modules.dep"; then
			hostonly='' instmods "$module"
			found+=" $module"
		elif [[ $module != vfio_* ]]; then
			dwarn "earlybind: kernel $kernel has no $module, which a rule's driver= names"
		fi
	done
	[[ $found == *vfio_pci* ]] ||
		dwarn "earlybind: kernel $kernel has no vfio-pci: with this image nothing will be bound to it"
	dinfo "earlybind: modules:${found:- none}"
	return 0
}

# With the rules, or without them where the companion cannot be asked.
_earlybind_embed() {
	local -a options=()

	# An image for any machine: what this one is and needs is of no interest there.
	[[ ${hostonly-} ]] || options+=(--generic)
	[[ -x /usr/lib/earlybind/image-build ]] || {
		_earlybind_warn "/usr/lib/earlybind/image-build is missing, and nothing will be bound with" \
			"this image: install earlybind again, then run earlybind apply"
		return 1
	}
	# The folder by dracut's own means, which know about merged /usr and the owner.
	inst_binary /usr/lib/earlybind/binder
	rm -f "$initdir/usr/lib/earlybind/binder"
	/usr/lib/earlybind/image-build embed "$initdir" "${options[@]}" >&2
}

# "options vfio-pci ids=" counts as a rule. Of modprobe.d only what packages bring is in every
# image, so that what the administrator says must come along.
_earlybind_install_options() {
	local file

	for file in "${dracutsysrootdir-}"/etc/modprobe.d/*.conf; do
		grep -qsE '^[[:space:]]*(options|softdep)[[:space:]].*vfio' "$file" &&
			inst_simple "$file" "${file#"${dracutsysrootdir-}"}"
	done
	return 0
}

# With systemd in the image. What the unit's place in the order rests on is looked up in the
# image: an administrator's copy or drop-in may have changed it.
_earlybind_install_unit() {
	local unit=$initdir$systemdsystemunitdir/earlybind.service service order

	for service in earlybind earlybind-shell; do
		inst_simple "$moddir/$service.service" "$systemdsystemunitdir/$service.service"
		$SYSTEMCTL -q --root "$initdir" add-wants sysinit.target "$service.service"
	done
	order=" $(sed -n 's/^Before=//p' "$unit" 2>/dev/null | tr '\n' ' ') "
	for service in systemd-modules-load systemd-udevd systemd-udev-trigger; do
		[[ $order == *" $service.service "* ]] ||
			_earlybind_warn "earlybind.service is not ordered before $service.service:" \
				"correct what changes it, then run earlybind apply"
	done
	[[ -L $initdir/etc/systemd/system/sysinit.target.wants/earlybind.service ||
		-L $initdir$systemdsystemunitdir/sysinit.target.wants/earlybind.service ]] ||
		_earlybind_warn "earlybind.service is not wanted by sysinit.target, and nothing will be" \
			"bound with this image: install earlybind again, then run earlybind apply"
}

# Without systemd. dracut runs the hooks of one place in the order of their names.
_earlybind_install_hook() {
	local hook

	inst_hook pre-udev 00 "$moddir/earlybind.sh"
	hook=$(cd "$initdir" && find . -path '*/hooks/pre-udev/00-earlybind.sh' | head -n 1)
	[[ $hook ]] || {
		_earlybind_warn "the pre-udev hook is not in the image, and nothing will be bound with it:" \
			"install earlybind again, then run earlybind apply"
		return
	}
	dinfo "earlybind: ${hook#.} runs before udev"
}

install() {
	_earlybind_embed || return 0
	inst_script /usr/lib/earlybind/shell
	_earlybind_install_options
	if dracut_module_included systemd; then
		_earlybind_install_unit
	else
		_earlybind_install_hook
	fi
	return 0
}
