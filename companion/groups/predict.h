/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IOMMU groups that the kernel makes of a machine's PCI functions, computed from facts alone.
 * The rules are those of Linux 6.12: drivers/iommu/iommu.c: pci_device_group(), drivers/pci/pci.c:
 * pci_acs_enabled(), drivers/pci/search.c: pci_for_each_dma_alias(); what the kernel knows of
 * single devices is in quirks.def.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "device.h"

#define NO_FUNCTION SIZE_MAX

/* The bits of ACS capability and control register that groups depend on. */
#define ACS_SV	   0x01
#define ACS_RR	   0x04
#define ACS_CR	   0x08
#define ACS_UF	   0x10
#define ACS_NEEDED (ACS_SV | ACS_RR | ACS_CR | ACS_UF)

/* Device/port type of the PCI Express capability. */
enum pcie_type {
	PCIE_ENDPOINT = 0,
	PCIE_LEGACY_ENDPOINT = 1,
	PCIE_ROOT_PORT = 4,
	PCIE_UPSTREAM = 5,
	PCIE_DOWNSTREAM = 6,
	PCIE_TO_PCI = 7,
	PCI_TO_PCIE = 8,
	PCIE_RC_ENDPOINT = 9,
	PCIE_RC_EVENTS = 10,
	PCIE_NONE = 16, /* no such capability: conventional PCI */
};

struct group_function {
	struct bdf bdf;
	struct pci_ids ids;
	size_t above; /* the bridge that it is behind; NO_FUNCTION on a root bus */
	size_t dma_as; /* the function whose ID its DMA has (VMD); NO_FUNCTION: its own */
	bool is_bridge;
	bool is_multifunction; /* for the kernel: all but virtual functions above 0 are */
	bool is_unknown; /* what is below could not be read */
	uint8_t secondary; /* the bus behind a bridge; 0: unknown */
	bool has_slot; /* a port that is wired to a slot */
	unsigned type; /* enum pcie_type, or a value that no specification knows */
	bool has_acs;
	uint16_t acs_cap, acs_ctl;
	uint16_t
		acs_ctl_high; /* 8 behind the capability: where Intel's 100 series has it */
	bool has_bus_check; /* IRBNCE in the MPC register of Intel's older chipsets */
};

/* What joins a function to another one's group. */
enum merge {
	MERGE_NOTHING, /* it is the first of its group */
	MERGE_PORT, /* a port on the way to the root does not isolate */
	MERGE_BUS, /* it is behind a bridge to a conventional bus */
	MERGE_FUNCTIONS, /* both are functions of one device that does not isolate them */
	MERGE_ALIAS, /* one does DMA with the ID of the other */
	MERGE_VMD, /* its DMA is that of a controller */
};

struct group_link {
	size_t group; /* the first function of its group */
	enum merge why;
	size_t with; /* the function that it joined, whose index is smaller */
	size_t by; /* MERGE_PORT, MERGE_BUS: the port or bridge; else as @with */
};

struct prediction {
	const struct group_function *functions; /* sorted by address */
	size_t count;
	bool has_amd_iommu; /* the firmware has a table IVRS */
	bool is_optimistic; /* what is unknown isolates */
	struct group_link *links;
	bool *has_aliases; /* dma_aliases of quirks.def name it */
	size_t *blockers; /* of each bridge: the first from it to the root that merges */
};

/*
 * Fills links and what is behind them; the rest is given. In the order of addresses a bridge comes before
 * what is behind it; @above and @dma_as that are not smaller than their function are ignored.
 * -ENOMEM.
 */
int predict_groups(struct prediction *p, struct arena *arena) must_check nonnull(1, 2);

/* Whether the function isolates by itself: the kernel's pci_acs_enabled(). */
bool predict_isolates(const struct prediction *p, size_t at) nonnull(1);

/* The needed bits that its capability offers and that are off; 0 without the capability. */
uint16_t predict_disabled(const struct group_function *f) nonnull(1);

/* Whether its control register is at another place, which pci=config_acs= does not write. */
bool predict_has_own_registers(const struct group_function *f) nonnull(1);

/* Whether a card behind this bridge is in a group without the bridge and what is above it. */
bool predict_splits_below(const struct prediction *p, size_t bridge) nonnull(1);

#define GROUP_LINKS_MAX 32

/*
 * What merges two functions of one group: the links on the way from one to the other, each port
 * once. If none of them merged, the two would be apart. The number of links, at most
 * GROUP_LINKS_MAX; 0 if the functions are in different groups.
 */
size_t predict_between(const struct prediction *p, size_t a, size_t b,
		       const struct group_link *ret[static GROUP_LINKS_MAX])
	nonnull(1, 4);

/* The kernel that quirks.def is from. */
const char *predict_version(void);
