/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot_device.h"

#include <string.h>

#include "sentences.h"

bool boot_device_is_bound(const struct boot_device *b)
{
	return strcmp(b->verdict, "bound") == 0;
}

bool boot_device_is_by_hand(const struct boot_device *b)
{
	return b->is_late && strcmp(b->origin, ORIGIN_BY_HAND) == 0;
}

bool boot_device_is_released(const struct boot_device *b)
{
	return strcmp(b->action, ACTION_RELEASE) == 0 &&
	       strcmp(b->verdict, "restored") == 0;
}

const char *boot_device_when(const struct boot_device *b)
{
	if (boot_device_is_by_hand(b))
		return "by hand";
	return b->is_late ? "when it appeared" : "at boot";
}

struct pci_ids boot_device_ids(const struct boot_device *b)
{
	struct text rest = text_of(b->id), part;
	struct pci_ids ids = {0};
	uint64_t value;

	if (text_cut(&rest, ':', &part) && text_hex(part, 0xffff, &value) == 0)
		ids.vendor = (uint16_t)value;
	if (rest.p && text_hex(rest, 0xffff, &value) == 0)
		ids.device = (uint16_t)value;
	return ids;
}

const struct pci_device *boot_device_now(const struct boot_device *b,
					 const struct inventory *now)
{
	const struct pci_device *d = inventory_find(now, b->bdf);
	char id[ID_SIZE];

	return d && strcmp(format_id(&d->ids, id), b->id) == 0 ? d : NULL;
}

bool boot_device_is_changed(const struct boot_device *b, const struct inventory *now)
{
	const struct pci_device *d = boot_device_now(b, now);

	/* What came once may go: a virtual function, a card that is pulled out. */
	if (b->is_late && !d)
		return false;
	if (boot_device_is_bound(b))
		return !d || strcmp(d->driver, b->after) != 0;
	if (strcmp(b->verdict, "held") == 0)
		return !d || d->driver[0] != '\0';
	return false;
}

bool boot_device_is_well(const struct boot_device *b, const struct inventory *now)
{
	if (boot_device_is_changed(b, now))
		return false;
	return boot_device_is_bound(b) || strcmp(b->action, "keep") == 0 ||
	       boot_device_is_released(b);
}
