/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices for what runs VMs: libvirt, QEMU, KubeVirt, Proxmox VE. */
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "message.h"

#define FIRST_CHASSIS 101 /* others begin at 1 */
#define HOSTPCI_MAX   16 /* PVE/QemuServer/PCI.pm: $MAX_HOSTPCI_DEVICES */

/* In a comment of XML, "--" would be its end. */
static void put_xml_comment(const char *text)
{
	const char *dash;

	for (; (dash = strstr(text, "--")); text = dash + 1) {
		put_text(stdout, (struct text){text, (size_t)(dash - text) + 1});
		putchar(' ');
	}
	put_text(stdout, text_of(text));
}

int export_libvirt(struct exporter *e)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct pci_device *d = e->devices[i];
		const char *name = export_name(e, d);

		fputs("<!-- ", stdout);
		put_xml_comment(name);
		printf("%s[%04x:%04x], IOMMU group %d -->\n", name[0] ? " " : "",
		       d->ids.vendor, d->ids.device, d->iommu_group);
		printf("<hostdev mode='subsystem' type='pci' managed='no'>\n"
		       "  <source>\n"
		       "    <address domain='0x%04x' bus='0x%02x' slot='0x%02x' "
		       "function='0x%x'/>\n"
		       "  </source>\n"
		       "</hostdev>\n",
		       d->bdf.domain, d->bdf.bus, d->bdf.device, d->bdf.function);
	}
	return 0;
}

/*
 * The functions of one slot become those of one in the guest, behind a root port of their
 * own: a guest looks for others only where there is a function 0, and it says so.
 */
int export_qemu(struct exporter *e)
{
	unsigned port = 0;

	for (size_t i = 0, end; i < e->count; i = end) {
		bool is_multi;

		end = export_slot_end(e, i);
		is_multi = end - i > 1;
		if (is_multi) {
			printf("-device pcie-root-port,id=earlybind%u,chassis=%u\n", port,
			       FIRST_CHASSIS + port);
			port++;
		}
		for (size_t k = i; k < end; k++) {
			char address[BDF_SIZE];

			printf("-device vfio-pci,host=%s",
			       bdf_format(e->devices[k]->bdf, address));
			if (is_multi)
				printf(",bus=earlybind%u,addr=00.%zu%s", port - 1, k - i,
				       k == i ? ",multifunction=on" : "");
			putchar('\n');
		}
	}
	return 0;
}

static bool is_same_id(const struct pci_device *a, const struct pci_device *b)
{
	return a->ids.vendor == b->ids.vendor && a->ids.device == b->ids.device;
}

/* KubeVirt selects by ID, whatever vfio-pci has of it. */
int export_kubevirt(struct exporter *e)
{
	puts("permittedHostDevices:\n"
	     "  pciHostDevices:");
	for (size_t i = 0; i < e->count; i++) {
		const struct pci_device *d = e->devices[i];
		size_t before = 0, count = 0;

		while (before < i && !is_same_id(e->devices[before], d))
			before++;
		if (before < i)
			continue;
		for (size_t k = i; k < e->count; k++)
			count += is_same_id(e->devices[k], d);
		printf("  - pciVendorSelector: \"%04X:%04X\"\n", d->ids.vendor,
		       d->ids.device);
		printf("    resourceName: \"earlybind/%04x-%04x\" # %zu: ", d->ids.vendor,
		       d->ids.device, count);
		export_put(export_name(e, d), "");
		putchar('\n');
	}
	return 0;
}

/* Whether all functions that the slot has are among the devices from @from to @to. */
static bool is_whole_slot(const struct exporter *e, size_t from, size_t to)
{
	size_t count = 0;

	for (size_t i = 0; i < e->now.count; i++)
		count += bdf_is_same_slot(e->now.devices[i].bdf, e->devices[from]->bdf);
	return count == to - from;
}

int export_proxmox(struct exporter *e)
{
	unsigned n = 0;

	for (size_t i = 0, end; i < e->count; i = end, n++) {
		struct bdf bdf = e->devices[i]->bdf;
		char address[BDF_SIZE];

		end = export_slot_end(e, i);
		if (n == HOSTPCI_MAX)
			say_error("a VM of Proxmox VE can have %d cards: the lines from "
				  "hostpci%d on are for another one",
				  HOSTPCI_MAX, HOSTPCI_MAX);
		printf("hostpci%u: ", n);
		if (is_whole_slot(e, i, end)) {
			printf("%04x:%02x:%02x", bdf.domain, bdf.bus, bdf.device);
		} else {
			for (size_t k = i; k < end; k++)
				printf("%s%s", k > i ? ";" : "",
				       bdf_format(e->devices[k]->bdf, address));
		}
		puts(",pcie=1");
	}
	return 0;
}
