/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "modalias.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "selector.h"

#define VARIANT_PREFIX "vfio_pci:"

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

/* What a function says of itself, in the same order. */
static void alias_fields(const struct pci_ids *ids, uint32_t ret[static ALIAS_FIELDS])
{
	ret[0] = ids->vendor;
	ret[1] = ids->device;
	ret[2] = ids->subvendor;
	ret[3] = ids->subdevice;
	ret[4] = ids->class >> 16 & 0xff;
	ret[5] = ids->class >> 8 & 0xff;
	ret[6] = ids->class & 0xff;
}

/* The number of '*', or -1 if it is not of the function. */
static int count_stars(struct text alias, const uint32_t own[static ALIAS_FIELDS])
{
	uint32_t field[ALIAS_FIELDS];
	int stars = 0;

	if (!alias_parse(alias, VARIANT_PREFIX, field))
		return -1;
	for (size_t i = 0; i < ALIAS_FIELDS; i++) {
		if (field[i] != PCI_ANY && field[i] != own[i])
			return -1;
		stars += field[i] == PCI_ANY;
	}
	return stars;
}

/* "alias vfio_pci:PATTERN MODULE" */
static bool parse_line(struct text line, struct text *ret_alias, struct text *ret_module)
{
	struct text word;

	return text_word(&line, &word) && text_is(word, "alias") &&
	       text_word(&line, ret_alias) &&
	       text_has_prefix(*ret_alias, VARIANT_PREFIX) &&
	       text_word(&line, ret_module) && driver_is_name(*ret_module);
}

struct text variant_of_line(struct text line)
{
	struct text alias, module;

	return parse_line(line, &alias, &module) &&
			       !text_is_param(module, driver_module(DEFAULT_DRIVER))
		       ? module
		       : (struct text){NULL, 0};
}

int variant_find(struct text aliases, const struct pci_ids *ids, variant_filter filter,
		 void *arg, char ret[static DRIVER_NAME_SIZE])
{
	struct text line, alias, module;
	uint32_t own[ALIAS_FIELDS];
	int best = ALIAS_FIELDS;

	alias_fields(ids, own);
	while (text_cut(&aliases, '\n', &line)) {
		char name[DRIVER_NAME_SIZE];
		int stars;

		if (!parse_line(line, &alias, &module))
			continue;
		stars = count_stars(alias, own);
		if (stars < 0 || stars >= best)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)module.n, module.p);
		if (!filter(arg, name))
			continue;
		memcpy(ret, name, sizeof(name));
		best = stars;
	}
	/* It may be vfio-pci itself. */
	return best < ALIAS_FIELDS ? 0 : -ENOENT;
}

int modalias_parse(struct text t, struct pci_ids *ret)
{
	uint32_t v[ALIAS_FIELDS];

	/* A '*' is PCI_ANY: more than 16 bits. */
	if (!alias_parse(t, "pci:", v) || v[0] > 0xffff || v[1] > 0xffff ||
	    v[2] > 0xffff || v[3] > 0xffff || v[4] > 0xff || v[5] > 0xff || v[6] > 0xff)
		return -EINVAL;
	*ret = (struct pci_ids){
		.vendor = (uint16_t)v[0],
		.device = (uint16_t)v[1],
		.subvendor = (uint16_t)v[2],
		.subdevice = (uint16_t)v[3],
		.class = v[4] << 16 | v[5] << 8 | v[6],
	};
	return 0;
}
