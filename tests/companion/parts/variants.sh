# shellcheck shell=sh
# driver=: the variants of vfio-pci by a real index of depmod's, and the modules an image needs.
# copy() is that of edit.sh.
# Needs: edit

variants_release=6.1.0-variants
variants_dir=variants/lib/modules/$variants_release

# A module file with nothing but what modinfo shows.
variants_module() { # NAME ALIAS...
	name=$1
	shift
	{
		echo '.section .modinfo,"a"'
		for line in license=GPL "$@"; do
			printf '.asciz "%s"\n' "$line"
		done
	} | as -o "$variants_dir/kernel/$name.ko" -
}

copy alveo variants
mkdir -p "$variants_dir/kernel" variants/proc/sys/kernel
echo "$variants_release" >variants/proc/sys/kernel/osrelease
variants_module vfio-pci 'alias=vfio_pci:v*d*sv*sd*bc*sc*i*'
variants_module vfio_iommu_type1
variants_module card-vfio-pci 'alias=vfio_pci:v000010EEd00005000sv*sd*bc*sc*i*'
variants_module any_vfio_pci 'alias=vfio_pci:v000010EEd*sv*sd*bc*sc*i*'
variants_module other_vfio_pci 'alias=vfio_pci:v00001234d00005678sv*sd*bc*sc*i*'
variants_module pci-stub
: >"$variants_dir/modules.order"
: >"$variants_dir/modules.builtin"
depmod -b variants "$variants_release" 2>/dev/null

cat >variants.conf <<'EOF'
bind 01:00.* driver=auto
bind 02:00.0 driver=pci-stub allow=console
[profile xen]
bind 02:00.1 driver=xen-pciback
EOF
golden embed-modules embed --sysroot variants --config variants.conf --modules "$variants_dir"
golden embed-modules-generic embed --sysroot variants --config variants.conf \
	--modules "$variants_dir" --generic
golden embed-modules-no-index embed --sysroot variants --config variants.conf --modules nowhere
golden plan-driver-auto plan --sysroot variants \
	--cmdline 'intel_iommu=on rd.earlybind.bind=01:00.*,02:00.1;driver=auto'
golden plan-driver-name plan --sysroot variants \
	--cmdline 'intel_iommu=on rd.earlybind.bind=01:00.0;driver=pci-stub rd.earlybind.bind=01:00.1;driver=uio_pci_generic'
golden plan-driver-typo plan --sysroot variants \
	--cmdline 'rd.earlybind.bind=01:00.0;driver=vfio/pci'
contract plan-json-driver 0 plan --sysroot variants \
	--cmdline 'intel_iommu=on rd.earlybind.bind=01:00.*;driver=auto'
