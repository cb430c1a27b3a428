/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "variant.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "modalias.h"
#include "driver.h"
#include "plan.h"

#define FIND_TIME   (2 * SECOND) /* for all functions together */
#define RELEASE_MAX 128

static const char *ask(struct world *world, struct arena *arena, const char *release,
		       const struct pci_ids *ids, uint64_t until, int *ret_error)
{
	struct job job = {.kind = JOB_FIND_VARIANT};
	struct job_result result;
	int r;

	snprintf(job.path, sizeof(job.path), "%s", release);
	snprintf(job.value, sizeof(job.value),
		 "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", ids->vendor, ids->device,
		 ids->subvendor, ids->subdevice, ids->class >> 16 & 0xff,
		 ids->class >> 8 & 0xff, ids->class & 0xff);
	r = world_run(world, &job, until, &result);
	if (r == 0)
		r = result.error;
	*ret_error = r;
	return r == 0 ? arena_copy(arena, (struct text){result.text, result.length})
		      : NULL;
}

/* The release becomes part of a path: a name, not a way out of the directory. */
static bool read_release(struct world *world, char *buf, size_t size)
{
	struct text t;

	if (world_read_text(world, WORLD_PROC, "sys/kernel/osrelease", buf, size, &t) <
		    0 ||
	    t.n == 0 || t.n >= size || memchr(t.p, '/', t.n) || memchr(t.p, '\0', t.n) ||
	    t.p[0] == '.')
		return false;
	memmove(buf, t.p, t.n);
	buf[t.n] = '\0';
	return true;
}

/* What else than the functions that its selector matches a rule with driver=auto may want. */
struct reach {
	bool companions, followed;
};

static bool has_auto_rule(const struct policy *policy, struct reach *ret)
{
	bool has_rule = false;

	*ret = (struct reach){false, false};
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!text_is(rule->driver, AUTO_DRIVER) ||
		    !policy_has_rule_active(policy, rule))
			continue;
		has_rule = true;
		ret->companions |= rule->with != WITH_NOTHING;
		ret->followed |= rule->follow;
	}
	return has_rule;
}

void variants_read(struct world *world, struct arena *arena, const struct policy *policy,
		   struct inventory *inventory)
{
	uint64_t until = world->ops->now(world) + FIND_TIME;
	char release[RELEASE_MAX];
	struct reach reach;
	bool has_release;

	if (!has_auto_rule(policy, &reach))
		return;
	has_release = read_release(world, release, sizeof(release));
	for (size_t i = 0; i < inventory->count; i++) {
		struct pci_device *d = &inventory->devices[i];
		int error = -ETIMEDOUT;

		if (!text_is(match_driver(policy, d), AUTO_DRIVER) &&
		    !(reach.companions && d->is_companion) &&
		    !(reach.followed && d->is_interesting))
			continue;
		if (has_release && world->ops->now(world) < until)
			d->variant = ask(world, arena, release, &d->ids, until, &error);
		d->has_no_variants = !has_release || (!d->variant && error != -ENOENT);
	}
}
