// SPDX-License-Identifier: GPL-2.0
/*
 * lab_bus - invents PCI functions: as many as a large server has, and more
 *
 *   insmod lab_bus.ko functions=10000
 *
 * They are in a domain of their own, 256 on each of its root buses, and answer config space with
 * the IDs of a virtual function of an Intel E810 and with zeros: no BAR, no capability, no
 * driver, no IOMMU group. sysfs has of each what it has of any function. There is no exit
 * function.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pci.h>

#define DOMAIN	0x0001
#define PER_BUS 256
#define BUSES	256
#define ID	0x18898086
#define CLASS	0x02000000
#define HEADER	0x00800000 /* several functions in one slot */

static unsigned int functions = 1000;
module_param(functions, uint, 0444);

static struct pci_sysdata sysdata = {.domain = DOMAIN, .node = NUMA_NO_NODE};
static struct resource numbers[BUSES];

static u32 dword_at(int where)
{
	switch (where & ~3) {
	case PCI_VENDOR_ID:
	case PCI_SUBSYSTEM_VENDOR_ID:
		return ID;
	case PCI_CLASS_REVISION:
		return CLASS;
	case PCI_CACHE_LINE_SIZE:
		return HEADER;
	default:
		return 0;
	}
}

static int bus_read(struct pci_bus *bus, unsigned int devfn, int where, int size,
		    u32 *val)
{
	u32 mask = size == 4 ? ~0U : (1U << (size * 8)) - 1;

	if (bus->number * PER_BUS + devfn >= functions) {
		*val = mask;
		return PCIBIOS_DEVICE_NOT_FOUND;
	}
	*val = dword_at(where) >> ((where & 3) * 8) & mask;
	return PCIBIOS_SUCCESSFUL;
}

static int bus_write(struct pci_bus *bus, unsigned int devfn, int where, int size,
		     u32 val)
{
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops ops = {.read = bus_read, .write = bus_write};

static int add_bus(unsigned int number)
{
	struct resource *range = &numbers[number];
	struct pci_bus *bus;
	LIST_HEAD(windows);

	range->name = "lab_bus";
	range->start = range->end = number;
	range->flags = IORESOURCE_BUS;
	pci_add_resource(&windows, range);
	bus = pci_create_root_bus(NULL, number, &ops, &sysdata, &windows);
	if (!bus)
		return -ENOMEM;
	pci_scan_child_bus(bus);
	pci_bus_add_devices(bus);
	return 0;
}

static int __init lab_bus_init(void)
{
	unsigned int i, buses = min(DIV_ROUND_UP(functions, PER_BUS), BUSES);
	int rc = 0;

	pci_lock_rescan_remove();
	for (i = 0; i < buses && !rc; i++) {
		rc = add_bus(i);
		cond_resched();
	}
	pci_unlock_rescan_remove();
	/* What was added stays; who looks at the bus sees how much that is. */
	if (rc)
		pr_err("lab_bus: %u of %u buses\n", i, buses);
	return 0;
}
module_init(lab_bus_init);

MODULE_DESCRIPTION("earlybind lab: invents PCI functions");
MODULE_LICENSE("GPL");
