// SPDX-License-Identifier: GPL-2.0
/*
 * lab_identity - gives emulated PCI functions another identity
 *
 * QEMU has no Alveo card. It has cards with the right shape (PCIe, several BARs, extended
 * config space); this module lets them answer with the IDs and the class of another one:
 *
 *   insmod lab_identity.ko map=0000:01:00.0=10ee:5000:120000:10ee:000e,0000:01:00.1=...
 *                              address     =vendor:device:class:subvendor:subdevice
 *
 * The bus's config accessors are wrapped, so that the dwords at 0x00 (vendor, device), 0x08
 * (class, revision) and 0x2c (subsystem) read as wished; then the functions are removed
 * and the bus is scanned again. The PCI core meets new devices: sysfs, modalias, uevents,
 * lspci and config space all agree, BARs are assigned and the IOMMU group is found as for
 * any device. Nothing may be bound to the functions yet. A function that is not there yet
 * gets its identity when it is plugged in, if its bus is there.
 *
 * The wrapped accessors stay for ever: there is no exit function, the module cannot go.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/pci.h>

#define MAX_FUNCTIONS 64

struct identity {
	unsigned int domain, bus, slot, function;
	u32 id; /* config dword 0x00 */
	u32 class
		; /* config dword 0x08, bits 31..8; the revision stays the device's own */
	u32 subsystem; /* config dword 0x2c */
};

/* A bus whose accessors are wrapped, and what was there before. */
struct wrapped_bus {
	struct pci_bus *bus;
	struct pci_ops *inner;
	struct pci_ops ops;
};

static char *map[MAX_FUNCTIONS];
static int map_count;
module_param_array(map, charp, &map_count, 0444);
MODULE_PARM_DESC(map, "address=vendor:device:class:subvendor:subdevice, all in hex");

static struct identity identities[MAX_FUNCTIONS];
static struct wrapped_bus wrapped[MAX_FUNCTIONS];
static int wrapped_count;

static struct wrapped_bus *find_wrapped(const struct pci_bus *bus)
{
	int i;

	for (i = 0; i < wrapped_count; i++)
		if (wrapped[i].bus == bus)
			return &wrapped[i];
	return NULL;
}

static const struct identity *find_identity(struct pci_bus *bus, unsigned int devfn)
{
	int i;

	for (i = 0; i < map_count; i++) {
		const struct identity *id = &identities[i];

		if (id->domain == pci_domain_nr(bus) && id->bus == bus->number &&
		    PCI_DEVFN(id->slot, id->function) == devfn)
			return id;
	}
	return NULL;
}

static int wrapped_read(struct pci_bus *bus, unsigned int devfn, int where, int size,
			u32 *val)
{
	const struct identity *id = find_identity(bus, devfn);
	u32 mask = size == 4 ? ~0U : (1U << (size * 8)) - 1;
	int shift = (where & 3) * 8;
	u32 dword;
	int rc = find_wrapped(bus)->inner->read(bus, devfn, where, size, val);

	if (rc != PCIBIOS_SUCCESSFUL || !id)
		return rc;

	switch (where & ~3) {
	case PCI_VENDOR_ID:
		dword = id->id;
		break;
	case PCI_CLASS_REVISION:
		/* Put the revision back where it belongs before the wanted bytes are cut out. */
		dword = id->class | (((*val & mask) << shift) & 0xff);
		break;
	case PCI_SUBSYSTEM_VENDOR_ID:
		dword = id->subsystem;
		break;
	default:
		return rc;
	}
	*val = (dword >> shift) & mask;
	return rc;
}

static int wrapped_write(struct pci_bus *bus, unsigned int devfn, int where, int size,
			 u32 val)
{
	return find_wrapped(bus)->inner->write(bus, devfn, where, size, val);
}

static void __iomem *wrapped_map_bus(struct pci_bus *bus, unsigned int devfn, int where)
{
	return find_wrapped(bus)->inner->map_bus(bus, devfn, where);
}

static int parse(const char *text, struct identity *id)
{
	unsigned int vendor, device, class, subvendor, subdevice;
	int end = 0;

	if (sscanf(text, "%x:%x:%x.%x=%x:%x:%x:%x:%x%n", &id->domain, &id->bus, &id->slot,
		   &id->function, &vendor, &device, &class, &subvendor, &subdevice,
		   &end) != 9 ||
	    text[end] != '\0' || vendor > 0xffff || device > 0xffff || class > 0xffffff ||
	    subvendor > 0xffff || subdevice > 0xffff) {
		pr_err("lab_identity: '%s' is not address=vendor:device:class:subvendor:subdevice\n",
		       text);
		return -EINVAL;
	}
	id->id = device << 16 | vendor;
	id->class = class << 8;
	id->subsystem = subdevice << 16 | subvendor;
	return 0;
}

static void wrap_bus(struct pci_bus *bus)
{
	struct wrapped_bus *w = &wrapped[wrapped_count];

	if (find_wrapped(bus))
		return;
	w->bus = bus;
	w->inner = bus->ops;
	w->ops = (struct pci_ops){
		.read = wrapped_read,
		.write = wrapped_write,
		.map_bus = bus->ops->map_bus ? wrapped_map_bus : NULL,
	};
	/* The entry must be found by the accessors before the first access can reach them. */
	wrapped_count++;
	pci_bus_set_ops(bus, &w->ops);
}

/* Wraps the bus of one function and takes the function away, for the scan that follows. */
static int take_over(const struct identity *id)
{
	struct pci_bus *bus = pci_find_bus(id->domain, id->bus);
	struct pci_dev *dev;

	if (!bus) {
		pr_err("lab_identity: no bus %04x:%02x\n", id->domain, id->bus);
		return -ENODEV;
	}
	wrap_bus(bus);
	dev = pci_get_domain_bus_and_slot(id->domain, id->bus,
					  PCI_DEVFN(id->slot, id->function));
	if (dev)
		pci_stop_and_remove_bus_device(dev);
	pci_dev_put(dev);
	return 0;
}

static int __init lab_identity_init(void)
{
	int i, rc = 0;

	for (i = 0; i < map_count; i++) {
		rc = parse(map[i], &identities[i]);
		if (rc)
			return rc;
	}

	pci_lock_rescan_remove();
	/*
	 * From here on the module must stay, even if a function is missing: its accessors
	 * are in use. The caller sees what is wrong by what it finds on the bus.
	 */
	for (i = 0; i < map_count; i++)
		take_over(&identities[i]);
	for (i = 0; i < wrapped_count; i++)
		pci_rescan_bus(wrapped[i].bus);
	pci_unlock_rescan_remove();
	return 0;
}
module_init(lab_identity_init);

MODULE_DESCRIPTION("earlybind lab: gives emulated PCI functions another identity");
MODULE_LICENSE("GPL");
