/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The value of vfio-pci's ids=. */
#include "fuzz.h"

#include "vfio_ids.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text whole = fuzz_text(data, size), rest = whole;
	struct ids_entry entry;
	size_t bytes = 0;

	while (ids_next(&rest, &entry)) {
		struct text alone = entry.text;
		struct ids_entry again;

		require(entry.text.n > 0 && is_within(entry.text, whole));
		require(!memchr(entry.text.p, ',', entry.text.n));
		require((entry.warning == IDS_FINE) ==
			(ids_warning_message(entry.warning)[0] == '\0'));
		/* What stands around an entry does not change it. */
		require(ids_next(&alone, &again) && again.warning == entry.warning);
		if (entry.warning != IDS_INVALID)
			require(memcmp(&again.match, &entry.match, sizeof(again.match)) ==
				0);
		require(!ids_next(&alone, &again));
		bytes += entry.text.n;
	}
	require(bytes <= size);
	free((char *)whole.p);
	return 0;
}
