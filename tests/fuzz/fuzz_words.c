/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A word that is put on a kernel command line, and taken off: it is there, it is gone, and all
 * other words are as before. The word is the first line of the input.
 */
#include "fuzz.h"

#include "cmdline_words.h"

static size_t length_of_name(struct text word)
{
	const char *end = memchr(word.p, '=', word.n);

	return end ? (size_t)(end - word.p) : word.n;
}

static bool is_same_name(struct text a, struct text b)
{
	size_t n = length_of_name(a);

	if (n != length_of_name(b))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((a.p[i] == '-' ? '_' : a.p[i]) != (b.p[i] == '-' ? '_' : b.p[i]))
			return false;
	return true;
}

/* The next word that is not of @param's name, and whether what was passed had the end. */
static bool next_other(struct text *rest, struct text param, struct text *ret)
{
	while (words_next(rest, ret))
		if (!is_same_name(*ret, param))
			return true;
	return false;
}

static void compare(struct text before, struct text after, struct text param)
{
	struct text a, b;

	while (next_other(&before, param, &a)) {
		require(next_other(&after, param, &b));
		require(text_is_same(a, b));
	}
	require(!next_other(&after, param, &b));
}

static void split(struct text line)
{
	struct text rest = line, word;
	const char *end = line.p;

	while (words_next(&rest, &word)) {
		require(word.n > 0 && word.p >= end && is_within(word, line));
		require(memchr(word.p, '"', word.n) || !memchr(word.p, ' ', word.n));
		end = word.p + word.n;
	}
	require(rest.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = fuzz_arena(0);
	struct text line = fuzz_text(data, size), whole = line, param, other, word, rest;
	size_t quotes = 0;

	for (size_t i = 0; i < size; i++)
		quotes += data[i] == '"';
	split(line);
	if (text_cut(&line, '\n', &param) && line.p && !words_check(param) &&
	    quotes % 2 == 0 && !memchr(whole.p, '\0', whole.n)) {
		const char *added = words_add(line, param, true, arena);
		const char *more = words_add(line, param, false, arena);
		const char *removed = words_remove(line, param, arena);

		require(added && more && removed);
		require(words_find(text_of(added), param, &other) == 1);
		compare(line, text_of(added), param);
		compare(line, text_of(more), param);
		compare(line, text_of(removed), param);
		require(strlen(more) >= line.n + param.n);
		for (rest = text_of(removed); words_next(&rest, &word);)
			require(!text_is_same(word, param));
	}
	free((char *)whole.p);
	return 0;
}
