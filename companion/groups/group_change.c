/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "group_change.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* No domain of a machine: what moves is on no bus of those that stay. */
#define MOVED_DOMAIN 0x80000000u

static const struct group_function *function(const struct group_change *c, size_t at)
{
	return &c->now->facts.functions[at];
}

/* -EINVAL with a sentence about a function. */
static int refuse(const struct group_causes *now, struct bdf bdf, const char *what,
		  const char **ret_why)
{
	char address[BDF_SIZE];

	*ret_why = arena_printf(now->arena, "%s %s", bdf_format(bdf, address), what);
	return *ret_why ? -EINVAL : -ENOMEM;
}

static int refuse_unread(const struct group_causes *now, size_t at, const char **ret_why)
{
	const struct bdf bdf = now->facts.functions[at].bdf;
	const char *why = unread_sentence(now->arena, now->facts.unread[at], bdf,
					  "its config space");
	const char *what =
		why ? arena_printf(now->arena, "cannot be judged: %s", why) : NULL;

	return what ? refuse(now, bdf, what, ret_why) : -ENOMEM;
}

static bool is_port(const struct group_function *f)
{
	return f->is_bridge && (f->type == PCIE_ROOT_PORT || f->type == PCIE_DOWNSTREAM);
}

/* Whether the function is behind a bridge. Those above have smaller numbers. */
static bool is_behind(const struct group_causes *now, size_t at, size_t bridge)
{
	const struct group_function *f = now->facts.functions;

	for (size_t i = at; f[i].above < i; i = f[i].above)
		if (f[i].above == bridge)
			return true;
	return false;
}

bool group_change_moves(const struct group_change *c, size_t at)
{
	return c->port != c->target && is_behind(c->now, at, c->port);
}

int group_change_check(const struct group_causes *now, const char **ret_why)
{
	*ret_why =
		now->facts.inventory->iommu.is_on
			? group_why_unknown(now)
			: "No IOMMU is enabled. Only with one the kernel enables ACS in the "
			  "ports: enable it and ask again.";
	return *ret_why ? -EINVAL : 0;
}

/* ---- the machine after it ------------------------------------------------------------------ */

static int compute(struct group_change *c)
{
	int r = predict_groups(&c->apart, c->now->arena);

	return r == 0 ? predict_groups(&c->together, c->now->arena) : r;
}

/* Room for all functions of now. */
static struct group_function *make_functions(struct group_change *c)
{
	size_t count = c->now->facts.inventory->count;
	struct group_function *f = arena_alloc(c->now->arena, count, sizeof(*f));

	c->was = arena_alloc(c->now->arena, count, sizeof(*c->was));
	c->apart = (struct prediction){.functions = f,
				       .has_amd_iommu = c->now->facts.has_amd_iommu,
				       .is_optimistic = true};
	c->together = c->apart;
	c->together.is_optimistic = false;
	return c->was ? f : NULL;
}

/* Of functions that stay (first) and that move (second), so that a bridge comes first. */
static int rearrange(struct group_change *c)
{
	size_t count = c->now->facts.inventory->count, n = 0, *to;
	struct group_function *f = make_functions(c);

	to = arena_alloc(c->now->arena, count, sizeof(*to));
	if (!f || !to)
		return -ENOMEM;
	for (int moved = 0; moved < 2; moved++)
		for (size_t i = 0; i < count; i++) {
			if (moved == 0)
				to[i] = NO_FUNCTION;
			if (group_change_moves(c, i) != (moved == 1) ||
			    (moved == 0 && is_behind(c->now, i, c->target)))
				continue;
			c->was[n] = i;
			to[i] = n++;
		}
	for (size_t i = 0; i < n; i++) {
		f[i] = *function(c, c->was[i]);
		if (f[i].above == c->port && group_change_moves(c, c->was[i]))
			f[i].above = c->target;
		f[i].above = f[i].above < count ? to[f[i].above] : NO_FUNCTION;
		if (group_change_moves(c, c->was[i])) {
			f[i].bdf.domain |= MOVED_DOMAIN;
			f[i].dma_as = function(c, c->target)->dma_as;
		}
		f[i].dma_as = f[i].dma_as < count ? to[f[i].dma_as] : NO_FUNCTION;
	}
	c->apart.count = c->together.count = n;
	return compute(c);
}

/* ---- a card -------------------------------------------------------------------------------- */

/* The port whose slot the card of a function is in: ports of the card itself have none. */
static int find_port(struct group_change *c, size_t at, const char **ret_why)
{
	size_t from = at, port = function(c, at)->above;

	/* A bridge has a smaller number than what is behind it: no circle. */
	for (; port < from; from = port, port = function(c, port)->above) {
		if (function(c, port)->is_unknown)
			return refuse_unread(c->now, port, ret_why);
		if (is_port(function(c, port)) &&
		    (function(c, port)->has_slot ||
		     function(c, port)->type == PCIE_ROOT_PORT))
			break;
	}
	if (port >= from)
		return refuse(
			c->now, function(c, at)->bdf,
			"is on the root bus: it is part of the chipset, and cannot be "
			"moved",
			ret_why);
	if (!function(c, port)->has_slot)
		return refuse(c->now, function(c, at)->bdf,
			      "is not in a slot: it is part of the board, and cannot be "
			      "moved",
			      ret_why);
	c->port = port;
	for (c->card = 0; function(c, c->card)->above != port; c->card++)
		;
	return 0;
}

static int check_target(struct group_change *c, const char **ret_why)
{
	const struct group_function *f = function(c, c->target);

	if (f->is_unknown)
		return refuse_unread(c->now, c->target, ret_why);
	if (!is_port(f))
		return refuse(c->now, f->bdf,
			      "is no port of PCI Express: no card can be moved to it",
			      ret_why);
	if (!f->has_slot)
		return refuse(c->now, f->bdf, "has no slot: no card can be moved to it",
			      ret_why);
	if (c->target == c->port)
		return refuse(c->now, f->bdf, "is the port that the card is behind now",
			      ret_why);
	if (is_behind(c->now, c->target, c->port))
		return refuse(c->now, f->bdf, "is a part of the card that is to be moved",
			      ret_why);
	if (is_behind(c->now, c->port, c->target))
		return refuse(c->now, f->bdf,
			      "has the switch in its slot that the card is behind",
			      ret_why);
	return 0;
}

int group_change_move(const struct group_causes *now, struct bdf card, struct bdf target,
		      struct group_change *ret, const char **ret_why)
{
	struct group_change c = {.now = now, .occupant = NO_FUNCTION};
	size_t at = group_facts_find(&now->facts, card);
	int r;

	c.target = group_facts_find(&now->facts, target);
	if (at == NO_FUNCTION || c.target == NO_FUNCTION)
		return refuse(now, at == NO_FUNCTION ? card : target, "is not there",
			      ret_why);
	r = find_port(&c, at, ret_why);
	if (r == 0)
		r = check_target(&c, ret_why);
	if (r < 0)
		return r;
	for (size_t i = 0; c.occupant == NO_FUNCTION && i < now->facts.inventory->count;
	     i++)
		if (function(&c, i)->above == c.target)
			c.occupant = i;
	r = rearrange(&c);
	if (r == 0)
		*ret = c;
	return r;
}

/* ---- a port -------------------------------------------------------------------------------- */

int group_change_acs(const struct group_causes *now, struct bdf port,
		     struct group_change *ret, const char **ret_why)
{
	struct group_change c = {.now = now, .occupant = NO_FUNCTION};
	size_t count = now->facts.inventory->count,
	       at = group_facts_find(&now->facts, port);
	struct group_function *f;
	int r;

	if (at == NO_FUNCTION)
		return refuse(now, port, "is not there", ret_why);
	c.card = c.port = c.target = at;
	if (function(&c, at)->is_unknown)
		return refuse_unread(now, at, ret_why);
	if (!function(&c, at)->has_acs)
		return refuse(now, port, "has no ACS capability: nothing can enable it",
			      ret_why);
	if (predict_disabled(function(&c, at)) == 0)
		return refuse(now, port, "has all of its ACS enabled", ret_why);
	f = make_functions(&c);
	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		f[i] = *function(&c, i);
		c.was[i] = i;
	}
	f[at].acs_ctl |= f[at].acs_cap & ACS_NEEDED;
	f[at].acs_ctl_high |= f[at].acs_cap & ACS_NEEDED;
	c.apart.count = c.together.count = count;
	r = compute(&c);
	if (r == 0)
		*ret = c;
	return r;
}

/* ---- answers ------------------------------------------------------------------------------- */

bool group_change_find_slot(const struct group_causes *now, const char *name,
			    struct bdf *ret)
{
	char path[JOB_PATH_SIZE], buf[64];
	uint64_t domain, bus;
	struct text t, part;

	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') ||
	    (size_t)snprintf(path, sizeof(path), "bus/pci/slots/%s/address", name) >=
		    sizeof(path) ||
	    world_read_text(now->world, WORLD_SYS, path, buf, sizeof(buf), &t) < 0 ||
	    !text_cut(&t, ':', &part) || text_hex(part, UINT32_MAX, &domain) < 0 ||
	    !text_cut(&t, ':', &part) || text_hex(part, UINT8_MAX, &bus) < 0)
		return false;
	for (size_t i = 0; i < now->facts.inventory->count; i++) {
		const struct group_function *f = &now->facts.functions[i];

		if (is_port(f) && f->bdf.domain == domain && f->secondary == bus &&
		    bus != 0) {
			*ret = f->bdf;
			return true;
		}
	}
	return false;
}

size_t group_change_find(const struct group_change *c, size_t at)
{
	for (size_t i = 0; i < c->apart.count; i++)
		if (c->was[i] == at)
			return i;
	return NO_FUNCTION;
}

int group_change_is_one(const struct group_change *c, size_t a, size_t b)
{
	bool apart = c->apart.links[a].group == c->apart.links[b].group;
	bool together = c->together.links[a].group == c->together.links[b].group;

	return apart == together ? apart : -1;
}
