/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "modalias.h"

#include <string.h>

#include "selector.h"

static bool take_prefix(struct text *rest, const char *prefix)
{
	if (!text_has_prefix(*rest, prefix))
		return false;
	rest->p += strlen(prefix);
	rest->n -= strlen(prefix);
	return true;
}

/* '*', or as many digits as the field has to have: those of PCI_ANY are never written. */
static bool take_value(struct text *rest, size_t digits, uint32_t *ret)
{
	uint64_t value = PCI_ANY;
	size_t n = 1;

	if (rest->n == 0 || rest->p[0] != '*') {
		n = digits;
		if (rest->n < n ||
		    text_hex((struct text){rest->p, n}, PCI_ANY - 1, &value) < 0)
			return false;
	}
	rest->p += n;
	rest->n -= n;
	*ret = (uint32_t)value;
	return true;
}

bool alias_parse(struct text alias, const char *prefix, uint32_t ret[static ALIAS_FIELDS])
{
	static const struct {
		char tag[3];
		uint8_t digits;
	} fields[ALIAS_FIELDS] = {{"v", 8},  {"d", 8},	{"sv", 8}, {"sd", 8},
				  {"bc", 2}, {"sc", 2}, {"i", 2}};

	if (!take_prefix(&alias, prefix))
		return false;
	for (size_t i = 0; i < ALIAS_FIELDS; i++)
		if (!take_prefix(&alias, fields[i].tag) ||
		    !take_value(&alias, fields[i].digits, &ret[i]))
			return false;
	return alias.n == 0;
}

void alias_fields(const struct pci_ids *ids, uint32_t ret[static ALIAS_FIELDS])
{
	ret[0] = ids->vendor;
	ret[1] = ids->device;
	ret[2] = ids->subvendor;
	ret[3] = ids->subdevice;
	ret[4] = ids->class >> 16 & 0xff;
	ret[5] = ids->class >> 8 & 0xff;
	ret[6] = ids->class & 0xff;
}
