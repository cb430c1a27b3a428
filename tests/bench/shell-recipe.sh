#!/bin/sh
# shell-recipe.sh ADDRESS...: what guides tell people to put into an init-top script.
# Write the overrides, load the module, read the links.
for address in "$@"; do
	echo vfio-pci >"/sys/bus/pci/devices/$address/driver_override"
done
modprobe vfio-pci
for address in "$@"; do
	driver=$(readlink "/sys/bus/pci/devices/$address/driver")
	[ "${driver##*/}" = vfio-pci ] || exit 1
done
