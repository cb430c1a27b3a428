/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One PCI function, as far as it is known. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bdf.h"

#define DRIVER_NAME_SIZE 64 /* longest driver name handled, with its NUL */
#define NO_GROUP	 (-1)

/* What a function says it is. */
struct pci_ids {
	uint16_t vendor;
	uint16_t device;
	uint16_t subvendor;
	uint16_t subdevice;
	uint32_t class; /* 24 bits: base class, subclass, programming interface */
};

/* What is read only where a rule asks for it. */
enum pci_fact {
	FACT_PATH = 1 << 0,
	FACT_SLOT = 1 << 1,
	FACT_SERIAL = 1 << 2,
	FACT_PF = 1 << 3,
};
#define FACT_LAST FACT_PF

struct framebuffer;

struct pci_device {
	struct bdf bdf;
	struct pci_ids ids;
	unsigned known; /* of enum pci_fact: it was looked for */
	bool has_path;
	struct pci_path path;
	uint64_t serial; /* 0 where it has none */
	const char *slot; /* the slots it is in, see selector.h; NULL: not looked for */
	bool has_pf; /* a virtual function */
	struct bdf pf; /* then: of which one */

	int iommu_group; /* NO_GROUP where it has none */
	const char
		*direct; /* memory that keeps its group from VMs, or NULL: see iommu.h */
	char driver[DRIVER_NAME_SIZE]; /* "" where it has none */
	const char *variant; /* of vfio-pci for it: a module, where driver=auto asked */
	bool has_no_variants; /* and it could not be found out */
	bool is_unread; /* a fact could not be read: no rule may act on it */
	bool has_hung; /* for that reason: the kernel did not come back from it */
	bool is_interesting; /* passed the filter, or is a companion; otherwise a neighbour */
	bool is_companion; /* a rule wants it along with one that it names */
	unsigned brings; /* of FACT_WITH_*: what a rule wants along with it */
	bool is_bridge; /* by class, or it has buses behind it */
	bool is_boot_vga;
	bool is_virtual; /* a function of SR-IOV; looked at for displays only: no screen is on one */
	const struct framebuffer
		*framebuffer; /* of the firmware, on its memory; NULL: none */
	bool is_held; /* kept away from every driver, on purpose */
	bool is_judged; /* by this run: its driver was read at the end */
	unsigned vf_count; /* virtual functions that exist */
	unsigned uses; /* what the running system has on it (enum allow) */
	const char
		*used_by[2]; /* of storage and network: how, for people; NULL: unknown */
};
