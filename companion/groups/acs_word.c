/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "acs_word.h"

#include <string.h>

/* "pci:VENDOR:DEVICE[:...]", in hexadecimal, where 0 is any; what follows is not looked at. */
static bool names_id(struct text t, const struct pci_ids *ids)
{
	uint64_t vendor, device;
	struct text word, part;

	return text_cut(&t, ':', &word) && text_cut(&t, ':', &part) &&
	       text_hex(part, UINT16_MAX, &vendor) == 0 && text_cut(&t, ':', &part) &&
	       text_hex(part, UINT16_MAX, &device) == 0 &&
	       (vendor == 0 || vendor == ids->vendor) &&
	       (device == 0 || device == ids->device);
}

/* "[domain:]bus:device.function[/device.function...]": the first may be any bridge above. */
static bool names_path(struct text t, const struct group_function *functions, size_t at)
{
	struct parse_error error;
	struct pci_path path;

	if (path_parse(t, &path, &error) < 0 || path.any_function)
		return false;
	for (size_t n = path.hop_count; n > 0; n--) {
		const struct bdf bdf = functions[at].bdf;

		if (path.hops[n - 1] != (bdf.device << 3 | bdf.function) ||
		    functions[at].above == NO_FUNCTION)
			return false;
		at = functions[at].above;
	}
	return bdf_compare(path.root, functions[at].bdf) == 0;
}

/* "DEVICE[;DEVICE...]", each with "BITS@" in front of it in config_acs=. */
static bool names_function(struct text list, const struct group_function *functions,
			   size_t at)
{
	struct text entry;

	while (text_cut(&list, ';', &entry)) {
		struct text bits, device = entry;

		if (memchr(entry.p, '@', entry.n) && text_cut(&device, '@', &bits))
			entry = device;
		if (text_has_prefix(entry, "pci:") ? names_id(entry, &functions[at].ids)
						   : names_path(entry, functions, at))
			return true;
	}
	return false;
}

/* The options of "pci=" are separated by commas. */
static bool names_in_options(struct text options, const struct group_function *functions,
			     size_t at)
{
	static const char *const names[] = {"disable_acs_redir=", "config_acs="};
	struct text option;

	while (text_cut(&options, ',', &option))
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			struct text list = option, name;

			if (text_has_prefix(option, names[i]) &&
			    text_cut(&list, '=', &name) &&
			    names_function(list, functions, at))
				return true;
		}
	return false;
}

struct text acs_word(struct text cmdline, const struct group_function *functions,
		     size_t at)
{
	struct text word, ret = TEXT("");

	while (text_word(&cmdline, &word) && !text_is(word, "--")) {
		struct text name, options = word;

		/* The value, or all of it, may be in quotes. */
		if (!text_cut(&options, '=', &name) ||
		    (!text_is(name, "pci") && !text_is(name, "\"pci")))
			continue;
		if (text_has_prefix(options, "\""))
			options = (struct text){options.p + 1, options.n - 1};
		if (options.n > 0 && options.p[options.n - 1] == '"')
			options.n--;
		if (names_in_options(options, functions, at))
			ret = word;
	}
	return ret;
}
