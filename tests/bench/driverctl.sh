#!/bin/sh
# driverctl.sh ADDRESS...: the devices to vfio-pci by Debian's driverctl, one after another, as its
# units do. The libraries of its shell are in /lab.
for address in "$@"; do
	LD_LIBRARY_PATH=/lab /lab/bash /lab/driverctl --nosave set-override "$address" vfio-pci || exit 1
done
