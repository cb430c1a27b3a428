#!/bin/sh
# Binds devices to vfio-pci before udev loads their own drivers. binder(8)
#
# A pre-udev hook of images without systemd; dracut sources it.

# It limits its own time and reports to the kernel log and /run/earlybind/report.json. The
# boot goes on whatever comes of it.
if [ -x /usr/lib/earlybind/binder ]; then
	/usr/lib/earlybind/binder
	# A rule with on-failure=shell was not met.
	# shellcheck source=/dev/null
	[ $? -ne 3 ] || . /usr/lib/earlybind/shell
fi
