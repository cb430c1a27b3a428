# shellcheck shell=sh
# Rules with driver=: what the other commands say of a device that is, or shall be, on another
# driver than vfio-pci.

golden explain-driver explain --sysroot drivers 03:00.1 03:10.0 00:14.0
golden release-driver release --sysroot drivers --dry-run 03:00.1 03:10.0
golden add-driver add --sysroot drivers --dry-run 01:00.1 driver=pci-stub
golden add-driver-again add --sysroot drivers --dry-run --by address 03:00.1 driver=pci_stub
golden add-other-driver add --sysroot drivers --dry-run --by address 03:00.1 driver=vfio-pci
golden add-follow add --sysroot drivers --dry-run --by path 03:00.1 follow

# check says of a device on its rule's driver that this one has it, and knows a driver that no kernel has.
check drivers-check says 'pass devices: 0000:03:00.1 [^ ]*: pci-stub has it' check --sysroot drivers
cp -a doctor drivers-typo
echo 'bind 10ee:5000,10ee:5001 driver=xclmgnt' >drivers-typo/etc/earlybind.conf
check drivers-typo says 'FAIL vfio: kernel 6[^ ]* has no module xclmgnt, which a rule names (/etc/earlybind.conf:1)' \
	check --sysroot drivers-typo
check drivers-newer says 'note devices: 0000:01:00.0 [^ ]*: vfio-pci has it; its rule .* is newer than this boot' \
	check --sysroot drivers-typo
