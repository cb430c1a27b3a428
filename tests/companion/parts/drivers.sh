# shellcheck shell=sh
# Rules with driver=: what the other commands say of a device that is, or shall be, on another
# driver than vfio-pci.

golden explain-driver explain --sysroot drivers 03:00.1 03:10.0 00:14.0
golden release-driver release --sysroot drivers --dry-run 03:00.1 03:10.0
golden add-driver add --sysroot drivers --dry-run 01:00.1 driver=pci-stub
golden add-driver-again add --sysroot drivers --dry-run --by address 03:00.1 driver=pci_stub
golden add-other-driver add --sysroot drivers --dry-run --by address 03:00.1 driver=vfio-pci
golden add-follow add --sysroot drivers --dry-run --by path 03:00.1 follow
