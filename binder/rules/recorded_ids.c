/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recorded_ids.h"

#define ID_LENGTH (KNOWN_ID_SIZE - 1)
#define ID_USAGE  "a known ID is vendor:device:subvendor:subdevice, 4 digits each"

bool known_has_use(const struct selector *s)
{
	return (s->terms & (PLACE_TERMS | TERM_SERIAL)) &&
	       (!(s->terms & TERM_ID) || s->id.device == PCI_ANY);
}

int recorded_id_parse(struct text t, struct pci_match *ret)
{
	struct parse_error error;
	struct selector s;

	if (t.n != ID_LENGTH || selector_parse(t, &s, &error) < 0 || s.terms != TERM_ID)
		return -1;
	*ret = s.id;
	return 0;
}

/* NULL, or what is wrong with the list, and where. */
static const char *judge_ids(struct text ids, struct text *ret_at)
{
	struct pci_match id;
	size_t count = 0;

	while (text_cut(&ids, ',', ret_at)) {
		if (recorded_id_parse(*ret_at, &id) < 0)
			return ID_USAGE;
		if (count++ == KNOWN_IDS_MAX)
			return "a card is known by 8 IDs at most";
	}
	return count > 0 ? NULL : ID_USAGE;
}

void known_add(struct policy *policy, struct text selector, struct text ids,
	       const struct origin *origin)
{
	struct known known = {.ids = text_trim(ids), .origin = *origin};
	char normal[SELECTOR_SIZE];
	struct parse_error error;
	struct text at = selector;
	const char *wrong;
	struct selector s;

	if (selector_parse(selector, &s, &error) < 0)
		wrong = error.message;
	else if (!known_has_use(&s))
		wrong = "a known card is named by its place or its serial number, "
			"without a device ID";
	else
		wrong = judge_ids(known.ids, &at);
	if (!wrong && policy->known_count == KNOWN_MAX)
		wrong = "more than 64 known cards: this one is ignored";
	if (!wrong) {
		known.selector =
			arena_copy(policy->arena, text_of(selector_format(&s, normal)));
		wrong = known.selector ? NULL : "out of memory";
	}
	if (wrong)
		policy_add_problem(policy, origin, at.n > 0 ? at : selector, wrong, true);
	else
		policy->known[policy->known_count++] = known;
}
