/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device_selection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentences.h"
#include "message.h"

#define NEAR_MAX 4

int selection_parse(const char *command, const struct strings *words,
		    struct selection *ret)
{
	ret->words = words;
	for (size_t i = 0; i < words->count; i++) {
		struct text word = text_of(words->items[i]);
		struct parse_error error;

		if (selector_parse(word, &ret->selectors[i], &error) == 0)
			continue;
		say_error("%s: \"%s\": %s", command, words->items[i], error.message);
		return -EINVAL;
	}
	return 0;
}

bool selection_has_match(const struct selection *s, const struct pci_device *d)
{
	for (size_t i = 0; i < s->words->count; i++)
		if (selector_has_match(&s->selectors[i], d))
			return true;
	return s->words->count == 0;
}

unsigned selection_filter(const void *arg, const struct pci_device *device)
{
	const struct selection *s = arg;
	unsigned wants = FACT_WANTED;

	for (size_t i = 0; i < s->words->count; i++)
		wants |= selector_open_facts(&s->selectors[i], device);
	return wants;
}

/* How unlike the function is what the selector names: 0 for a match of something. */
static unsigned distance(const struct selector *s, const struct pci_device *d)
{
	if (s->terms & TERM_ADDRESS) {
		if (s->address.domain != d->bdf.domain)
			return 1000;
		if (s->address.bus == d->bdf.bus)
			return 1 + (s->address.device != d->bdf.device);
		return 2 + (unsigned)abs((int)s->address.bus - (int)d->bdf.bus);
	}
	if (s->terms & TERM_ID)
		return s->id.vendor == d->ids.vendor ? 1 : 1000;
	return 1000;
}

/* Up to NEAR_MAX functions of the same, smallest distance. */
static void say_missing(const char *word, const struct selector *s,
			const struct inventory *inventory)
{
	char text[NEAR_MAX * (BDF_SIZE + ID_SIZE + 16)] = "";
	unsigned best = 999;
	size_t count = 0, used = 0;

	for (size_t i = 0; i < inventory->count; i++)
		best = MIN(best, distance(s, &inventory->devices[i]));
	for (size_t i = 0; i < inventory->count && count < NEAR_MAX; i++) {
		const struct pci_device *d = &inventory->devices[i];
		char address[BDF_SIZE], id[ID_SIZE];

		if (distance(s, d) != best)
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s [%s]",
					 count++ > 0 ? ", " : "",
					 bdf_format(d->bdf, address),
					 format_id(&d->ids, id));
	}
	if (count > 0)
		say_error("there is no device %s: near it %s %s; \"earlybind list\" "
			  "shows them all",
			  word, count == 1 ? "is" : "are", text);
	else
		say_error("there is no device %s: see \"earlybind list\"", word);
}

size_t selection_say_missing(const struct selection *s, const struct inventory *inventory)
{
	size_t missing = 0;

	for (size_t i = 0; i < s->words->count; i++) {
		bool is_there = false;

		for (size_t k = 0; k < inventory->count && !is_there; k++)
			is_there = selector_has_match(&s->selectors[i],
						      &inventory->devices[k]);
		if (is_there)
			continue;
		say_missing(s->words->items[i], &s->selectors[i], inventory);
		missing++;
	}
	return missing;
}
