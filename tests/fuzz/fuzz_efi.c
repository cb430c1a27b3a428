/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An entry of the firmware: any bytes give texts, or nothing. */
#include "fuzz.h"

#include <string.h>

#include "boot_entries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text bytes = fuzz_text(data, size);
	struct efi_entry entry = {.number = 7};

	if (efi_entry_parse(bytes, fuzz_arena(0), &entry) == 0) {
		require(entry.number == 7 && entry.label && entry.options);
		require(strlen(entry.label) <= size * 2);
		require(strlen(entry.options) <= size * 2);
		require(!entry.program || strlen(entry.program) <= size * 2);
	} else {
		require(!entry.label);
	}
	free((char *)bytes.p);
	return 0;
}
