/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unit of systemd and a drop-in behind it: the first NUL ends the unit. Every word lies in what the
 * parser copied, and a drop-in of nothing changes nothing.
 */
#include "fuzz.h"

#include "image_check_order.h"

static void check_list(const struct unit_list *list)
{
	require(list->count <= UNIT_WORDS_MAX);
	for (size_t i = 0; i < list->count; i++) {
		require(list->words[i].n > 0 && list->words[i].p);
		for (size_t k = 0; k < list->words[i].n; k++)
			require(list->words[i].p[k] != '\n' &&
				list->words[i].p[k] != ' ');
	}
}

static void check(const struct unit *unit)
{
	check_list(&unit->before);
	check_list(&unit->after);
	check_list(&unit->commands);
	check_list(&unit->paths);
	require(unit->type.n == 0 || !memchr(unit->type.p, '\n', unit->type.n));
	require(unit->timeout.n == 0 || !memchr(unit->timeout.p, '\n', unit->timeout.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct unit unit, before;
	const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t n = end ? (size_t)(end - data) : size;
	struct arena *arena = fuzz_arena(0);
	struct text first = fuzz_text(data, n);
	struct text second = fuzz_text(end ? end + 1 : data, end ? size - n - 1 : 0);

	unit = (struct unit){0};
	if (unit_parse(first, arena, &unit) == 0) {
		check(&unit);
		before = unit;
		require(unit_parse(TEXT("# nothing\n\n"), arena, &unit) == 0);
		require(memcmp(&before, &unit, sizeof(unit)) == 0);
		if (unit_parse(second, arena, &unit) == 0)
			check(&unit);
	}
	free((char *)first.p);
	free((char *)second.p);
	return 0;
}
