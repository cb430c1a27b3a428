/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libpci's build configuration: names of devices from a pci.ids file whose path the caller sets
 * with pci_set_name_list_path(). No access to devices, no network, no udev database.
 * It is installed as pci/config.h, where pci/pci.h looks for it.
 */
#define PCI_CONFIG_H
#define PCI_OS_LINUX
#define PCI_HAVE_LINUX_BYTEORDER_H
#define PCI_HAVE_64BIT_ADDRESS
#define PCI_IDS		 "pci.ids"
#define PCI_PATH_IDS_DIR "/usr/share/misc"
#define PCILIB_VERSION	 "3.13.0"
