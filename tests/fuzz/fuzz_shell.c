/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A shell's assignments. The first byte chooses the dialect. */
#include "fuzz.h"

#include "shell_assign.h"

/* A place is one of the text. */
static void check_place(struct text whole, struct shell_place place)
{
	unsigned line = 1;
	size_t start = 0;

	for (size_t i = 0; i < whole.n && line < place.line; i++)
		if (whole.p[i] == '\n') {
			line++;
			start = i + 1;
		}
	require(place.line == line && place.column >= 1);
	require(place.column <= whole.n - start + 1);
}

static void check(struct text whole, const struct shell_assignment *a)
{
	require(a->name.n > 0 && is_within(a->name, whole) && is_within(a->raw, whole));
	require(a->raw.p > a->name.p && a->raw.p[-1] == '=');
	check_place(whole, a->place);
	if (a->why) {
		check_place(whole, a->why_place);
		require(a->value.n == 0 && a->itself.n == 0);
		return;
	}
	require(a->value.n <= SHELL_VALUE_MAX && a->value.p[a->value.n] == '\0');
	require(!memchr(a->value.p, '\0', a->value.n));
	if (a->has_itself)
		require(is_within(a->itself, a->value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shell_assignment *list;
	struct shell shell;
	struct text whole, value = {NULL, 0};

	if (size == 0)
		return 0;
	whole = fuzz_text(data + 1, size - 1);
	shell_init(&shell, fuzz_arena(0), data[0] % 2 ? SHELL_BASH : SHELL_SH);
	require(shell_define(&shell, "A", "a") == 0);
	if (shell_read(&shell, whole, &list) == 0) {
		for (; list; list = list->next)
			check(whole, list);
		if (shell.lost)
			check_place(whole, shell.lost_place);
		require(shell.lost || !shell.is_endless);
		require(shell_get(&shell, "A", &value) != SHELL_UNSET);
	}
	free((char *)whole.p);
	return 0;
}
