/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices that vfio-pci has now, in the form that the next tool takes. */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "boot_report.h"
#include "compiler.h"
#include "inventory.h"
#include "pci_names.h"
#include "options.h"
#include "device_selection.h"
#include "world.h"

struct exporter {
	const char *sysroot;
	const char *pci_ids;
	struct strings words; /* the format, then devices */
	struct strings device_words;
	struct selection selection;

	struct arena *arena;
	struct world *world;
	struct names *names; /* NULL: there are none */
	struct boot boot;
	bool has_boot; /* otherwise there is no report */
	struct inventory now; /* all functions */
	const struct pci_device **devices; /* those to export, sorted by address */
	size_t count;
};

struct export_format {
	const char *name;
	const char *summary;
	bool is_picture; /* of all that is there: nothing is left out of it */
	int (*write)(struct exporter *e); /* 0 or -errno */
};

/* NULL behind the last one. */
const struct export_format *export_format(size_t i);

int export_libvirt(struct exporter *e) must_check nonnull(1);
int export_qemu(struct exporter *e) must_check nonnull(1);
int export_kubevirt(struct exporter *e) must_check nonnull(1);
int export_proxmox(struct exporter *e) must_check nonnull(1);
int export_prometheus(struct exporter *e) must_check nonnull(1);
int export_json(struct exporter *e) must_check nonnull(1);
int export_dot(struct exporter *e) must_check nonnull(1);

/* ---- for the formats ---- */

/* Foreign text on the standard output, made safe, with a backslash before each of @special. */
void export_put(const char *text, const char *special) nonnull(1, 2);
/* "Xilinx Corporation Device", "" without names. */
const char *export_name(struct exporter *e, const struct pci_device *d) nonnull(1, 2);
/* The first of the devices from @from on that is in another slot. */
size_t export_slot_end(const struct exporter *e, size_t from) nonnull(1);
/* Whether a VM can use the device's IOMMU group. */
int export_is_viable(struct exporter *e, int group, bool *ret) must_check nonnull(1, 3);
