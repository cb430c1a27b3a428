/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every absolute path that the companion knows; each is below --sysroot where one is given.
 * What is in /sys, /proc, /etc and /run is read through the world (world.h) by a relative
 * name, and named in messages with the prefixes here.
 */
#pragma once

#define BINDER_PATH  "/usr/lib/earlybind/binder"
#define MODULES_PATH "/lib/modules"

#define OS_RELEASE "os-release" /* below /etc */

/* What programs open. */
#define VFIO_PATH    "/dev/vfio"
#define IOMMUFD_PATH "/dev/iommu"

/* Where the modules of an appended image go: a folder per kernel (binder(8)). */
#define PRIVATE_MODULES_PATH "/usr/lib/earlybind/modules"

/* Of the machine that runs this, never below --sysroot. Users' PATH may lack sbin. */
#define TEMPORARY_PATH	"/tmp"
#define NULL_PATH	"/dev/null"
#define STATM_PATH	"/proc/self/statm"
#define PROGRAM_FOLDERS "/usr/sbin", "/usr/bin", "/sbin", "/bin"

#define PROC_PREFIX "/proc/"
#define PROC_LOCKS  PROC_PREFIX "locks"

/* What apply leaves while it runs, and what the generators said. */
#define APPLY_FOLDER "/run/earlybind"
#define APPLY_LOCK   APPLY_FOLDER "/apply.lock"
#define APPLY_LOG    APPLY_FOLDER "/apply.log"
/* What cmdline leaves while it changes files and runs the programs of the boot loader. */
#define CMDLINE_LOCK APPLY_FOLDER "/cmdline.lock"

/* What tells who moved a device: below /etc and /run, and what the kernel said. */
#define KERNEL_LOG_PATH	     "/dev/kmsg"
#define UDEV_DATA_PREFIX     "/run/udev/data/"
#define DRIVERCTL_NAME	     "driverctl.d"
#define LIBVIRT_DOMAINS_NAME "libvirt/qemu"

/* Where generators and distributions put the images of kernels. */
#define BOOT_PATH	      "/boot"
#define BOOT_FOLDERS	      "/boot", "/efi", "/boot/efi"
#define KERNEL_HOOKS	      "/etc/kernel/postinst.d"
#define MACHINE_ID_NAME	      "machine-id"
#define UPDATE_INITRAMFS_CONF "initramfs-tools/update-initramfs.conf"
#define DRACUT_CONF	      "/etc/dracut.conf"
#define DRACUT_CONF_FOLDER    "/etc/dracut.conf.d"
#define DRACUT_VENDOR_FOLDER  "/usr/lib/dracut/dracut.conf.d"

/* Where kernel command lines are set, and what tells who sets them. */
#define GRUB_FILE      "/etc/default/grub"
#define GRUB_FOLDER    "/etc/default/grub.d"
#define GRUB_DROP_IN   GRUB_FOLDER "/earlybind.cfg"
#define GRUB_SCRIPTS   "/etc/grub.d"
#define GRUB_SCRIPT    GRUB_SCRIPTS "/42_earlybind"
#define KERNEL_CMDLINE "/etc/kernel/cmdline"
/* ukify(1): its settings, with Cmdline= among them. */
#define UKIFY_FILES  "/etc/kernel/uki.conf", "/etc/systemd/ukify.conf"
#define PROXMOX_MARK "/etc/kernel/proxmox-boot-uuids"
#define ENTRIES_FOLDERS \
	"/boot/loader/entries", "/efi/loader/entries", "/boot/efi/loader/entries"
#define ENTRY_NAME "a-earlybind-off.conf"
/* Below /sys: variables of EFI, as efivarfs has them, with 4 bytes of attributes in front. */
#define EFI_VARIABLES  "firmware/efi/efivars/"
#define EFI_GLOBAL     "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define EFI_ATTRIBUTES 4
#define BOOT_CURRENT   EFI_VARIABLES "BootCurrent" EFI_GLOBAL
#define LOADER_INFO    EFI_VARIABLES "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
/* Parameters that "earlybind cmdline" added where the file itself cannot tell. */
#define STATE_FOLDER "/var/lib/earlybind"
#define ADDED_FILE   STATE_FOLDER "/cmdline"
/* The last valid rules, for images that are made while the configuration has errors. */
#define EARLIER_RULES_FILE STATE_FOLDER "/rules"

#define OSTREE_MARK "ostree-booted" /* below /run */

/* Below /etc, and how users know them. */
#define ETC_PREFIX	"/etc/"
#define CONFIG_NAME	"earlybind.conf"
#define CONFIG_DIR_NAME "earlybind.conf.d"

/* Below /run; and below /dev, where PID 1 put it before there was a /run. */
#define RUN_PREFIX	      "/run/"
#define DEV_PREFIX	      "/dev/"
#define REPORT_FILE	      "/report.json" /* in earlybind's directory there */
#define REPORT_FIRST_FILE     "/report-first.json" /* where there was more than one run */
#define DEVICE_REPORTS_FOLDER WORLD_RUN_DIR "/devices"

/* Read directly, where a whole tree of folders counts. */
#define SYS_PCI_DEVICES_PATH "/sys/bus/pci/devices"
/* Nodes of devices: a group's of vfio, and those of nvidia's cards, which sysfs does not name. */
#define VFIO_GROUP_PREFIX DEV_PREFIX "vfio/"
#define NVIDIA_NODES	  DEV_PREFIX "nvidia*"

/* Where distributions keep the names of PCI devices: the first one that exists counts. */
#define PCI_IDS_PATHS "/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"

/* Inside an image: relative, as names in it are. */
#define IMAGE_BINDER "usr/lib/earlybind/binder"
/* There where the rules are not those of the configuration: why, and since when. */
#define IMAGE_EARLIER_MARK	"etc/earlybind.earlier" /* run.h: EARLIER_NAME */
#define EARLIER_MARK_NAME	"../../../" IMAGE_EARLIER_MARK /* from IMAGE_BINDER's folder */
#define IMAGE_INIT_TOP		"scripts/init-top"
#define IMAGE_MKINITCPIO_CONFIG "config"
/* Where the binder looks for modules, in this order. */
#define IMAGE_MODULES_PLACES "lib/modules", "usr/lib/earlybind/modules"
