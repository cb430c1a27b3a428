/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device_words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "accel.h"

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct text device_word_expand(struct text word, char buf[static DEVICE_WORD_SIZE])
{
	struct parse_error error;
	struct selector s;

	if (word.n + sizeof(".*") > DEVICE_WORD_SIZE ||
	    selector_parse(word, &s, &error) == 0)
		return word;
	snprintf(buf, DEVICE_WORD_SIZE, "%.*s.*", (int)word.n, word.p);
	if (selector_parse(text_of(buf), &s, &error) < 0 || s.terms != TERM_ADDRESS)
		return word;
	return text_of(buf);
}

int device_word_parse(struct text word, struct selector *ret, struct parse_error *reterr)
{
	char buf[DEVICE_WORD_SIZE];
	struct text expanded = device_word_expand(word, buf);
	struct parse_error error;

	/* An address is no view. */
	if (expanded.p == buf)
		return selector_parse(expanded, ret, &error);
	return selector_parse(word, ret, reterr);
}

bool device_word_is_name(struct text word)
{
	size_t count = 0;

	for (size_t i = 0; i < word.n; i++) {
		if (strchr(":.=+*,/", word.p[i]))
			return false;
		count += is_alnum(word.p[i]);
	}
	return count >= 2;
}

/* @part begins a word of @name. */
static bool has_part(const char *name, struct text part)
{
	for (const char *at = name; at && *at; at++)
		if ((at == name || !is_alnum(at[-1])) &&
		    strncasecmp(at, part.p, part.n) == 0)
			return true;
	return false;
}

bool device_has_name(struct names *names, const struct pci_ids *ids, struct text name,
		     struct arena *arena)
{
	const char *const known[] = {
		names_vendor(names, ids->vendor, arena),
		names_device(names, ids, arena),
		names_subsystem(names, ids, arena),
		accel_card_name(accel_find(ids)),
	};
	struct text part;

	while (text_word(&name, &part)) {
		bool is_found = false;

		for (size_t i = 0; i < ARRAY_SIZE(known) && !is_found; i++)
			is_found = has_part(known[i], part);
		if (!is_found)
			return false;
	}
	return true;
}
