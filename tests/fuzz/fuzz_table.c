/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The embedded table: any bytes can be read, and what was written is read back. */
#include "fuzz.h"

#include "table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct table_section section;
	struct text whole = fuzz_text(data, size), text = {NULL, 0};
	int r = table_decode(whole.p, whole.n, &text);

	require(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT);
	require(r < 0 ? !text.p : is_within(text, whole));
	r = table_encode(whole, &section);
	require(r == (size > TABLE_CAPACITY ? -ENOSPC : 0));
	if (r == 0) {
		require(table_decode(&section, sizeof(section), &text) == 0);
		require(text.n == size && memcmp(text.p, whole.p, size) == 0);
		/* Cut, it is not a table. */
		if (size > 0)
			require(table_decode(&section,
					     offsetof(struct table_section, text) + size -
						     1,
					     &text) == -EBADMSG);
	}
	free((char *)whole.p);
	return 0;
}
