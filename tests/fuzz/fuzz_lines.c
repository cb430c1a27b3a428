/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of boot loaders with command lines in them. The first byte chooses the form: '0' the
 * first one. A word that is added is in each line, and nothing else changes.
 */
#include "fuzz.h"

#include "cmdline_words.h"
#include "loader_files.h"

#define WORD "intel_iommu=on"

static size_t count_lines(enum line_form form, struct text bytes, bool is_with)
{
	struct text rest = bytes, line, other;
	size_t count = 0;

	while (line_next(form, &rest, &line)) {
		require(line.n == 0 ||
			(line.p >= bytes.p && line.p + line.n <= bytes.p + bytes.n));
		/* Only ukify's goes on in further lines. */
		require(form == LINE_UKIFY || line.n == 0 ||
			!memchr(line.p, '\n', line.n));
		if (!line_is_linux(form, line))
			continue;
		count++;
		if (is_with)
			require(words_find(line, TEXT(WORD), &other) == 1);
	}
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *added, *again, *removed;
	struct arena *arena = fuzz_arena(0);
	enum line_form form;
	struct text bytes;
	size_t count;

	if (size < 2 || memchr(data, '\0', size))
		return 0;
	form = (enum line_form)((uint8_t)(data[0] - '0') % 6);
	bytes = fuzz_text(data + 1, size - 1);
	count = count_lines(form, bytes, false);
	added = line_file_add(form, bytes, TEXT(WORD), true, arena);
	removed = line_file_remove(form, bytes, TEXT(WORD), arena);
	if (added && removed && !memmem(bytes.p, bytes.n, "\"", 1)) {
		require(count_lines(form, text_of(added), true) == count);
		require(count_lines(form, text_of(removed), false) <= count);
		again = line_file_add(form, text_of(added), TEXT(WORD), true, arena);
		require(!again || strcmp(again, added) == 0);
	}
	free((char *)bytes.p);
	return 0;
}
