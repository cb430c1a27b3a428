/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio_ids.h"

#include <errno.h>

/*
 * "%x" of the kernel's vsscanf(): blanks are skipped, "0x" is accepted, digits wrap at 64
 * bits and the result is cut to 32. Moves @pos behind the number, false if there is none.
 */
static bool scan_hex(struct text t, size_t *pos, uint32_t *ret)
{
	uint64_t value = 0;
	size_t i = *pos;

	while (i < t.n && char_is_space(t.p[i]))
		i++;
	if (i == t.n || char_hex(t.p[i]) < 0)
		return false;
	if (t.p[i] == '0' && i + 1 < t.n && (t.p[i + 1] == 'x' || t.p[i + 1] == 'X'))
		i += 2;
	for (; i < t.n && char_hex(t.p[i]) >= 0; i++)
		value = value * 16 + (unsigned)char_hex(t.p[i]);
	*pos = i;
	*ret = (uint32_t)value;
	return true;
}

bool ids_next(struct text *rest, struct ids_entry *ret)
{
	uint32_t field[] = {0, 0, PCI_ANY, PCI_ANY, 0, 0};
	struct text part;
	size_t n, pos = 0;

	do {
		if (!text_cut(rest, ',', &part))
			return false;
	} while (part.n == 0);

	for (n = 0; n < ARRAY_SIZE(field); n++) {
		size_t before = pos;

		if (n > 0) {
			if (pos == part.n || part.p[pos] != ':')
				break;
			pos++;
		}
		if (!scan_hex(part, &pos, &field[n])) {
			pos = before;
			break;
		}
	}

	*ret = (struct ids_entry){.text = part, .warning = IDS_FINE};
	if (n < 2) {
		ret->warning = IDS_INVALID;
		return true;
	}
	ret->match = (struct pci_match){field[0], field[1], field[2],
					field[3], field[4], field[5]};
	if (pos < part.n)
		ret->warning = IDS_TRAILING;
	else if (n == 5)
		ret->warning = IDS_CLASS_UNUSED;
	for (size_t i = 0; i < 4; i++)
		if (field[i] > 0xffff && field[i] != PCI_ANY)
			ret->warning = IDS_TOO_WIDE;
	return true;
}

const char *ids_warning_message(enum ids_warning warning)
{
	switch (warning) {
	case IDS_FINE:
		return "";
	case IDS_INVALID:
		return "not an ID: vfio-pci skips it; write vendor:device, each 4 "
		       "hexadecimal digits";
	case IDS_TRAILING:
		return "text after the ID is ignored by vfio-pci: entries are separated "
		       "by commas only";
	case IDS_CLASS_UNUSED:
		return "a class without a mask is ignored by vfio-pci: add :ffff00";
	case IDS_TOO_WIDE:
		return "no device can match: a field has more than 4 digits";
	}
	return "";
}
