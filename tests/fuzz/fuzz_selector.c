/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A selector and its normal form mean the same. */
#include "fuzz.h"

#include "selector.h"

static void match(const struct selector *a, const struct selector *b)
{
	static const struct pci_ids ids[] = {{0x10ee, 0x5000, 0x10ee, 0xe, 0x120000},
					     {0, 0, 0, 0, 0},
					     {0xffff, 0xffff, 0xffff, 0xffff, 0xffffff}};

	char slot[2 * SLOT_NAME_MAX] = "0/";

	snprintf(slot + 2, sizeof(slot) - 2, "%.*s", (int)a->slot.n,
		 a->slot.n > 0 ? a->slot.p : "");
	for (size_t i = 0; i < ARRAY_SIZE(ids) * 8; i++) {
		struct pci_device d = {
			.bdf = a->address,
			.ids = ids[i / 8],
			.has_path = i & 2,
			.path = a->path,
			.serial = i & 4 ? a->serial : 1,
			.slot = slot,
			.has_pf = i & 1,
			.pf = a->pf,
			.known = FACT_PATH | FACT_SERIAL | FACT_SLOT | FACT_PF,
		};

		d.bdf.function ^= i & 1;
		d.path.any_function = false;
		if ((i & 1) && d.path.hop_count > 0)
			d.path.hops[d.path.hop_count - 1] ^= 1;
		require(selector_has_match(a, &d) == selector_has_match(b, &d));
		require(selector_open_facts(a, &d) == 0);
		d.known = 0;
		require(selector_open_facts(a, &d) == selector_open_facts(b, &d));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text whole = fuzz_text(data, size);
	char normal[SELECTOR_SIZE], again[SELECTOR_SIZE];
	struct selector selector, second;
	struct parse_error error = {0, NULL};

	if (selector_parse(whole, &selector, &error) < 0) {
		require(error.message && error.message[0]);
		require(error.offset <= size);
	} else {
		require(selector.terms != 0);
		selector_format(&selector, normal);
		require(selector_parse(text_of(normal), &second, &error) == 0);
		require(strcmp(selector_format(&second, again), normal) == 0);
		match(&selector, &second);
	}
	free((char *)whole.p);
	return 0;
}
