/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "variant.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"
#include "match.h"

#define FIND_TIME   (2 * SECOND) /* for all functions together */
#define RELEASE_MAX 128

/* Takes a field off the front of an alias: '*', or as many digits as it has to have. */
static bool has_field(struct text *rest, const char *tag, size_t digits, uint32_t want,
		      unsigned *stars)
{
	uint64_t value;

	if (!text_has_prefix(*rest, tag))
		return false;
	rest->p += strlen(tag);
	rest->n -= strlen(tag);
	if (rest->n > 0 && rest->p[0] == '*') {
		rest->p++;
		rest->n--;
		(*stars)++;
		return true;
	}
	if (rest->n < digits ||
	    text_hex((struct text){rest->p, digits}, UINT32_MAX, &value) < 0)
		return false;
	rest->p += digits;
	rest->n -= digits;
	return value == want;
}

#define FIELD_COUNT 7

/* scripts/mod/file2alias.c: do_pci_entry(). The number of '*', or -1. */
static int count_stars(struct text alias, const struct pci_ids *ids)
{
	const struct {
		const char *tag;
		size_t digits;
		uint32_t want;
	} fields[FIELD_COUNT] = {
		{"v", 8, ids->vendor},
		{"d", 8, ids->device},
		{"sv", 8, ids->subvendor},
		{"sd", 8, ids->subdevice},
		{"bc", 2, ids->class >> 16 & 0xff},
		{"sc", 2, ids->class >> 8 & 0xff},
		{"i", 2, ids->class & 0xff},
	};
	unsigned stars = 0;

	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (!has_field(&alias, fields[i].tag, fields[i].digits, fields[i].want,
			       &stars))
			return -1;
	return alias.n == 0 ? (int)stars : -1;
}

/* "alias vfio_pci:PATTERN MODULE" */
static bool parse_line(struct text line, struct text *ret_pattern,
		       struct text *ret_module)
{
	static const char prefix[] = "vfio_pci:";
	struct text word;

	if (!text_word(&line, &word) || !text_is(word, "alias") ||
	    !text_word(&line, ret_pattern) || !text_has_prefix(*ret_pattern, prefix) ||
	    !text_word(&line, ret_module) || !driver_is_name(*ret_module))
		return false;
	ret_pattern->p += sizeof(prefix) - 1;
	ret_pattern->n -= sizeof(prefix) - 1;
	return true;
}

struct text variant_of_line(struct text line)
{
	struct text pattern, module;

	return parse_line(line, &pattern, &module) &&
			       !text_is_param(module, driver_module(DEFAULT_DRIVER))
		       ? module
		       : (struct text){NULL, 0};
}

int variant_find(struct text aliases, const struct pci_ids *ids, variant_filter filter,
		 void *arg, char ret[static DRIVER_NAME_SIZE])
{
	struct text line, pattern, module;
	int best = FIELD_COUNT;

	while (text_cut(&aliases, '\n', &line)) {
		char name[DRIVER_NAME_SIZE];
		int stars;

		if (!parse_line(line, &pattern, &module))
			continue;
		stars = count_stars(pattern, ids);
		if (stars < 0 || stars >= best)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)module.n, module.p);
		if (!filter(arg, name))
			continue;
		memcpy(ret, name, sizeof(name));
		best = stars;
	}
	/* It may be vfio-pci itself. */
	return best < FIELD_COUNT ? 0 : -ENOENT;
}

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
