/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of starting where systemd is the first process: a unit before what loads drivers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_check.h"
#include "paths.h"
#include "systemd_unit.h"

#define NAME	    "order"
#define UNIT	    "earlybind.service"
#define DROPINS_MAX 64

/* Where units are, the first one counts: systemd.unit(5). */
static const char *const places[] = {"etc/systemd/system", "usr/local/lib/systemd/system",
				     "usr/lib/systemd/system", "lib/systemd/system"};

/* What loads drivers. */
static const char *const loaders[] = {"systemd-modules-load.service",
				      "systemd-udevd.service",
				      "systemd-udev-trigger.service"};

static const struct tree_node *find_below(const struct check *c, const char *place,
					  const char *name, bool is_followed)
{
	char path[CPIO_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	return is_followed ? tree_find(&c->image.tree, path)
			   : tree_find_link(&c->image.tree, path);
}

/* The unit itself or the link that masks it, and its place. */
static const struct tree_node *find_unit(const struct check *c, const char **ret_place)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct tree_node *n = find_below(c, places[i], UNIT, false);

		if (!n)
			continue;
		*ret_place = places[i];
		return n;
	}
	return NULL;
}

bool check_has_unit(const struct check *check)
{
	const char *place;

	return find_unit(check, &place) != NULL;
}

static bool is_null_link(const struct tree_node *node)
{
	return tree_is_link(node) && text_is(node->file->target, "/dev/null");
}

/* ---- drop-ins ---------------------------------------------------------------------------- */

struct dropins {
	const struct tree_node *nodes[DROPINS_MAX];
	size_t count;
};

static int compare_nodes(const void *a, const void *b)
{
	const struct tree_node *const *x = a, *const *y = b;

	return strcmp((*x)->name.p, (*y)->name.p);
}

/* One of the same name from a place that counts more replaces it. */
static void add_dropin(struct dropins *d, const struct tree_node *node)
{
	const size_t n = node->name.n;

	if (n < 5 || memcmp(node->name.p + n - 5, ".conf", 5) != 0)
		return;
	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->nodes[i]->name.p, node->name.p) == 0)
			return;
	if (d->count < DROPINS_MAX)
		d->nodes[d->count++] = node;
}

static void find_dropins(const struct check *c, struct dropins *ret)
{
	static const char *const folders[] = {UNIT ".d", "service.d"};

	ret->count = 0;
	for (size_t f = 0; f < ARRAY_SIZE(folders); f++)
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			const struct tree_node *n =
				find_below(c, places[i], folders[f], true);

			for (n = n ? n->children : NULL; n; n = n->next)
				add_dropin(ret, n);
		}
	qsort(ret->nodes, ret->count, sizeof(void *), compare_nodes);
}

/* ---- the unit ---------------------------------------------------------------------------- */

/* The text of a file, or of what a link leads to. */
static bool text_of_node(const struct check *c, const struct tree_node *node,
			 struct text *ret)
{
	char path[CPIO_PATH_MAX];

	if (tree_is_link(node))
		node = tree_find(&c->image.tree, tree_path(node, path));
	if (!tree_is_file(node) || !node->file->data.p)
		return false;
	*ret = node->file->data;
	return true;
}

/* The unit with what its drop-ins say. False if it cannot be read. */
static bool read_unit(struct check *c, const struct tree_node *node, struct unit *ret,
		      struct dropins *ret_dropins)
{
	struct text text;

	if (!text_of_node(c, node, &text) || unit_parse(text, c->arena, ret) < 0)
		return false;
	find_dropins(c, ret_dropins);
	for (size_t i = 0; i < ret_dropins->count; i++)
		if (!is_null_link(ret_dropins->nodes[i]) &&
		    (!text_of_node(c, ret_dropins->nodes[i], &text) ||
		     unit_parse(text, c->arena, ret) < 0))
			return false;
	return true;
}

static bool is_wanted(const struct check *c)
{
	static const char *const kinds[] = {"sysinit.target.wants/" UNIT,
					    "sysinit.target.requires/" UNIT};

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			const struct tree_node *n =
				find_below(c, places[i], kinds[k], false);

			if (n)
				return !is_null_link(n);
		}
	return false;
}

static bool is_false(struct text t)
{
	static const char *const words[] = {"no", "false", "off", "0", "n", "f"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (text_is(t, words[i]))
			return true;
	return false;
}

/* What can be judged: paths that are made by nobody before the unit runs. */
static const struct text *failing_path(const struct check *c, const struct unit *unit)
{
	static const char *const others[] = {"/sys", "/proc", "/dev", "/run", "/tmp"};

	for (size_t i = 0; i < unit->paths.count; i++) {
		const struct text *t = &unit->paths.words[i];
		char path[CPIO_PATH_MAX];
		bool is_other = t->n == 0 || t->p[0] != '/' || t->n >= sizeof(path);

		for (size_t k = 0; k < ARRAY_SIZE(others) && !is_other; k++)
			is_other = text_has_prefix(*t, others[k]);
		if (is_other)
			continue;
		snprintf(path, sizeof(path), "%.*s", (int)t->n, t->p);
		if (!tree_find(&c->image.tree, path))
			return t;
	}
	return NULL;
}

/* What the unit lacks; false if it lacks something. */
static bool check_unit(struct check *c, const struct unit *unit, const char *hint)
{
	const struct text *path = failing_path(c, unit);
	const char *missing = "";
	bool is_fine = true;

	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
		const char *comma = *missing ? ", " : "";

		if (!unit_has(&unit->before, loaders[i]))
			missing = check_print(c, "%s%s%s", missing, comma, loaders[i]);
		if (unit_has(&unit->after, loaders[i])) {
			check_say(c, FINDING_FAIL, NAME,
				  UNIT
				  " has After=%s, when drivers are loaded already%s; "
				  "put that right and run %s",
				  loaders[i], hint, c->rebuild);
			is_fine = false;
		}
	}
	if (*missing) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT " has no Before= for %s, so that drivers may be loaded "
			       "first%s; put that right and run %s",
			  missing, hint, c->rebuild);
		is_fine = false;
	}
	if (!unit_has(&unit->commands, "/" IMAGE_BINDER)) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT " does not run /" IMAGE_BINDER " (ExecStart=)%s; put that "
			       "right and run %s",
			  hint, c->rebuild);
		is_fine = false;
	}
	if (!is_false(unit->default_dependencies)) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT " has no DefaultDependencies=no: it would wait for "
			       "sysinit.target, which waits for it%s; put that right and "
			       "run %s",
			  hint, c->rebuild);
		is_fine = false;
	}
	if (path) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT " will be skipped: it needs %.*s, which is not in the "
			       "image%s; run %s",
			  (int)path->n, path->p, hint, c->rebuild);
		is_fine = false;
	}
	if (unit->timeout.n == 0 || text_is(unit->timeout, "infinity") ||
	    text_is(unit->timeout, "0")) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT
			  " has no limit of time (TimeoutStartSec=): if it hangs, the "
			  "boot does%s; put that right and run %s",
			  hint, c->rebuild);
		is_fine = false;
	}
	return is_fine;
}

void check_order_systemd(struct check *check)
{
	static struct unit unit;
	struct check *c = check;
	const struct tree_node *node;
	const char *place, *hint = "";
	struct dropins dropins;

	node = find_unit(c, &place);
	if (!node) {
		check_say(
			c, FINDING_FAIL, NAME,
			"systemd is the first process of the image, and there is no unit " UNIT
			": nothing starts the binder in time; run %s",
			c->rebuild);
		return;
	}
	if (is_null_link(node) || (tree_is_file(node) && node->file->size == 0)) {
		check_say(c, FINDING_FAIL, NAME,
			  UNIT " is masked by /%s/" UNIT ": run systemctl unmask " UNIT
			       ", then %s",
			  place, c->rebuild);
		return;
	}
	unit = (struct unit){0};
	if (!read_unit(c, node, &unit, &dropins)) {
		check_say(c, FINDING_FAIL, NAME,
			  "/%s/" UNIT
			  " or a drop-in of it leads nowhere, or is too large: "
			  "run %s",
			  place, c->rebuild);
		return;
	}
	if (dropins.count > 0) {
		char path[CPIO_PATH_MAX];

		hint = check_print(c, " (a drop-in changes it: /%s)",
				   tree_path(dropins.nodes[dropins.count - 1], path));
	}
	if (!is_wanted(c))
		check_say(c, FINDING_FAIL, NAME,
			  "nothing starts " UNIT ": there is no link to it in "
			  "sysinit.target.wants; run %s",
			  c->rebuild);
	else if (check_unit(c, &unit, hint))
		check_say(c, FINDING_PASS, NAME,
			  UNIT " runs the binder before systemd-modules-load, "
			       "systemd-udevd and systemd-udev-trigger");
}
