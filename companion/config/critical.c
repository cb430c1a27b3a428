/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "critical.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "inventory.h"
#include "rule.h"
#include "usage.h"

struct recorder {
	struct world *world;
	struct usages usages;
	char *buf; /* CRITICAL_MAX lines */
	size_t used;
	struct recorded critical;
};

/* A whole rule: kind, selector, word, what it carries. */
#define LINE_MAX (SELECTOR_SIZE + CARRIES_SHOWN + 32)

/* What lifts the guard of a usage; 0 where none is needed. */
static unsigned guard_of(const struct usage *u)
{
	switch (u->kind) {
	case USAGE_DISK:
		return u->is_critical ? ALLOW_STORAGE : 0;
	case USAGE_NETWORK:
		return u->is_critical ? ALLOW_NETWORK : 0;
	case USAGE_INPUT:
		/* Of several, the binder guards the last. */
		return u->is_in_use ? ALLOW_CONSOLE : 0;
	case USAGE_DISPLAY: /* the binder sees for itself */
	case USAGE_VFIO:
		break;
	}
	return 0;
}

/* "path=0000:00:1d.0/00.0+144d:a808": the same card, whatever its bus is numbered. */
static const char *name_function(struct recorder *r, struct bdf bdf,
				 char buf[static SELECTOR_SIZE])
{
	struct selector s = {.terms = TERM_ID};
	struct pci_ids ids;

	if (inventory_read_ids(r->world, bdf, &ids) < 0)
		return NULL;
	s.id = (struct pci_match){
		.vendor = ids.vendor,
		.device = ids.device,
		.subvendor = PCI_ANY,
		.subdevice = PCI_ANY,
	};
	if (inventory_read_path(r->world, bdf, &s.path) == 0 &&
	    s.path.hop_count <= PATH_HOPS_MAX) {
		s.terms |= TERM_PATH;
	} else {
		s.terms |= TERM_ADDRESS;
		s.address = bdf;
	}
	return selector_format(&s, buf);
}

/* Names of devices may be anything: what would end the line or start a comment is replaced. */
static void put_words(char *buf, size_t size, const char *words)
{
	size_t n = strnlen(buf, size - 1);

	for (; *words && n + 1 < size; words++) {
		bool is_plain = *words >= ' ' && *words <= '~' && *words != '#';

		buf[n++] = '?';
		if (is_plain)
			buf[n - 1] = *words;
	}
	buf[n] = '\0';
}

/* What one function carries of one kind. */
static void describe(const struct usage *u, size_t count, unsigned guard,
		     char buf[static CARRIES_SHOWN + 1])
{
	const char *join = "";

	buf[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (guard_of(&u[i]) != guard)
			continue;
		put_words(buf, CARRIES_SHOWN + 1, join);
		put_words(buf, CARRIES_SHOWN + 1, u[i].name);
		put_words(buf, CARRIES_SHOWN + 1, ": ");
		put_words(buf, CARRIES_SHOWN + 1, u[i].what);
		join = "; ";
	}
}

static void record(struct recorder *r, const struct usage *u, size_t count,
		   unsigned guard)
{
	char selector[SELECTOR_SIZE], carries[CARRIES_SHOWN + 1];

	if (!name_function(r, u->bdf, selector))
		return;
	if (r->critical.count == CRITICAL_MAX) {
		r->critical.why = "they are too many: some are not guarded";
		return;
	}
	describe(u, count, guard, carries);
	r->used += (size_t)snprintf(r->buf + r->used, LINE_MAX, "critical %s %s %s\n",
				    selector, allow_name(guard), carries);
	r->critical.count++;
}

static void record_all(struct recorder *r)
{
	static const unsigned guards[] = {ALLOW_STORAGE, ALLOW_NETWORK, ALLOW_CONSOLE};
	const struct usages *all = &r->usages;
	size_t count;

	for (size_t i = 0; i < all->count; i += count) {
		const struct usage *u = usages_find(all, all->items[i].bdf, &count);

		for (size_t g = 0; g < ARRAY_SIZE(guards); g++) {
			bool has_guard = false;

			for (size_t k = 0; k < count; k++)
				has_guard |= guard_of(&u[k]) == guards[g];
			if (has_guard)
				record(r, u, count, guards[g]);
		}
	}
}

void critical_read(struct world *world, struct arena *arena, struct recorded *ret)
{
	struct recorder r = {.world = world};

	r.buf = arena_alloc(arena, CRITICAL_MAX, LINE_MAX);
	if (!r.buf || usages_read(world, arena, &r.usages) < 0) {
		*ret = (struct recorded){.why = "out of memory"};
		return;
	}
	if (r.usages.root == ROOT_UNKNOWN) {
		r.critical.why = NOT_THIS_MACHINE;
	} else {
		record_all(&r);
		if (r.usages.root == ROOT_OTHER)
			r.critical.why =
				"the disks of / cannot be told (ZFS, or no PCI device): name "
				"them with \"critical SELECTOR storage\" in "
				"/etc/earlybind.conf";
		else if (r.critical.count == 0 && !r.critical.why)
			r.critical.why = "no PCI device is critical here";
	}
	r.critical.lines = (struct text){r.buf, r.used};
	*ret = r.critical;
}
