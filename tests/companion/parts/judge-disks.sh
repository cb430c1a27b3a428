# shellcheck shell=sh
# Disks of a ZFS pool are known by the labels that udev has; where it has none, that is said.
# shellcheck disable=SC2154 # here and so on are of run.sh

golden judge-list-zfs list --sysroot judge-zfs
check judge-zfs-root says 'the machine needs a disk on it (nvme0n1: mounted on /)' \
	add 03:00.0 --dry-run --sysroot judge-zfs
check judge-zfs-volumes says 'the host uses nvme1n1: part of tank' \
	add 04:00.0 --dry-run --sysroot judge-zfs
cp -a judge-zfs judge-zfs-unlabelled
rm -r judge-zfs-unlabelled/run/udev
check judge-zfs-unknown-add says 'which disks / is on is unknown' \
	add 03:00.0 --dry-run --sysroot judge-zfs-unlabelled
check judge-zfs-unknown-check says 'cannot tell usage: 0000:03:00.0 .*which disks / is on' \
	check 03:00.0 --sysroot judge-zfs-unlabelled
# A label is no path, and what is no file is left alone.
printf 'E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=../../x\n' >judge-zfs/run/udev/data/b259:4
rm judge-zfs/run/udev/data/b259:3
mkfifo judge-zfs/run/udev/data/b259:3
check judge-zfs-hostile says 'which disks / is on is unknown' \
	add 04:00.0 --dry-run --sysroot judge-zfs
