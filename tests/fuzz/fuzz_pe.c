/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A unified kernel image: the sections of any bytes lie within them. */
#include "fuzz.h"

#include "uki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text bytes = fuzz_text(data, size);
	const char *message = NULL;
	struct uki uki;

	if (uki_parse(bytes, &uki, &message) == 0) {
		const struct text all[] = {uki.linux_image, uki.initrd, uki.cmdline,
					   uki.uname, uki.ucode};

		require(uki_is_program(bytes));
		for (size_t i = 0; i < ARRAY_SIZE(all); i++)
			require(!all[i].p || is_within(all[i], bytes));
	} else {
		require(message);
	}
	free((char *)bytes.p);
	return 0;
}
