/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hotplug.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "udev_rules.h"

#define RULES_SIZE  CONFIG_WRITE_SIZE(RULES_MAX + KNOWN_MAX)
#define LINE_SIZE   64 /* "0000:01:00.0 10ee:5000 bound" */
#define FILE_SUFFIX ".verdict"

/* "ADDRESS VENDOR:DEVICE VERDICT" */
static int format_line(const struct outcome *o, char buf[static LINE_SIZE])
{
	const struct pci_device *d = o->plan->device;
	char address[BDF_SIZE];

	return snprintf(buf, LINE_SIZE, "%s %04x:%04x %s\n", bdf_format(d->bdf, address),
			d->ids.vendor, d->ids.device,
			o->verdict ? verdict_name(o->verdict) : "kept");
}

static int publish_rules(struct world *world, struct arena *arena,
			 const struct policy *policy)
{
	size_t size = CONFIG_WRITE_SIZE(policy->rule_count + policy->known_count);
	char *buf = arena_alloc(arena, size, 1);
	int n = buf ? config_write(policy, buf, size) : -ENOMEM;

	return n < 0 ? n
		     : world->ops->publish(world, PUBLISH_OWN, LATE_RULES_NAME,
					   (struct text){buf, (size_t)n});
}

static int publish_judged(struct world *world, struct arena *arena,
			  const struct report *report)
{
	size_t count = report->plan ? report->plan->device_count : 0, used = 0;
	size_t size = MIN(count * LINE_SIZE, LATE_JUDGED_SIZE);
	char *buf = arena_alloc(arena, size + 1, 1);

	if (!buf)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		char line[LINE_SIZE];
		int n = format_line(&report->outcomes[i], line);

		if (n < 0 || (size_t)n > size - used)
			return -E2BIG;
		memcpy(buf + used, line, (size_t)n);
		used += (size_t)n;
	}
	return world->ops->publish(world, PUBLISH_OWN, LATE_JUDGED_NAME,
				   (struct text){buf, used});
}

static int publish_udev_rules(struct world *world, struct arena *arena,
			      const struct policy *policy)
{
	char *buf = arena_alloc(arena, UDEV_RULES_SIZE, 1);
	int n = buf ? udev_rules_write(policy, buf, UDEV_RULES_SIZE) : -ENOMEM;

	return n < 0 ? n
		     : world->ops->publish(world, PUBLISH_UDEV, UDEV_RULES_NAME,
					   (struct text){buf, (size_t)n});
}

void late_publish(struct world *world, struct arena *arena, const struct report *report)
{
	int r = publish_rules(world, arena, report->policy);

	if (r == 0)
		r = publish_judged(world, arena, report);
	/* Last: what it calls finds the rest. */
	if (r == 0)
		r = publish_udev_rules(world, arena, report->policy);
	if (r < 0)
		world_log(world, LOG_LEVEL_WARNING,
			  "devices that appear later will not be bound: %s",
			  errno_text(r));
}

bool late_has_rules(struct world *world)
{
	char byte;

	/* One that cannot be read is there: then rules are missing, and that is said. */
	return world->ops->read(world, WORLD_RUN, RUN_OWN LATE_RULES_NAME, &byte, 1) !=
	       -ENOENT;
}

int late_read_rules(struct world *world, struct arena *arena, struct policy *policy)
{
	const struct origin origin = {.source = SOURCE_TABLE};
	char *buf = arena_alloc(arena, RULES_SIZE, 1);
	int n = buf ? world->ops->read(world, WORLD_RUN, RUN_OWN LATE_RULES_NAME, buf,
				       RULES_SIZE)
		    : -ENOMEM;

	if (n == -ENOENT)
		return n;
	if (n < 0)
		policy_lose_source(policy, &origin, TEXT("rules of this boot"),
				   "cannot be read");
	else
		config_parse(policy, SOURCE_TABLE, (struct text){"", 0},
			     (struct text){buf, (size_t)n});
	return 0;
}

/* Looks for the device in lines of format_line(). */
static enum late_judgement find_in(struct text bytes, struct bdf bdf,
				   const struct pci_ids *ids)
{
	char address[BDF_SIZE], id[16];
	struct text line, word;

	bdf_format(bdf, address);
	snprintf(id, sizeof(id), "%04x:%04x", ids->vendor, ids->device);
	while (text_cut(&bytes, '\n', &line)) {
		if (!text_word(&line, &word) || !text_is(word, address) ||
		    !text_word(&line, &word) || !text_is(word, id))
			continue;
		return text_word(&line, &word) &&
				       text_is(word, verdict_name(VERDICT_STUCK))
			       ? LATE_STUCK
			       : LATE_JUDGED;
	}
	return LATE_NEW;
}

enum late_judgement late_find(struct world *world, struct bdf bdf,
			      const struct pci_ids *ids)
{
	static char buf[LATE_JUDGED_SIZE + 1];
	char path[sizeof(RUN_DEVICE) + BDF_SIZE + sizeof(FILE_SUFFIX)];
	char address[BDF_SIZE];
	enum late_judgement judgement = LATE_NEW;
	int n;

	snprintf(path, sizeof(path), RUN_DEVICE "%s" FILE_SUFFIX,
		 bdf_format(bdf, address));
	n = world->ops->read(world, WORLD_RUN, path, buf, sizeof(buf));
	if (n > 0)
		judgement = find_in((struct text){buf, (size_t)n}, bdf, ids);
	if (judgement != LATE_NEW)
		return judgement;
	n = world->ops->read(world, WORLD_RUN, RUN_OWN LATE_JUDGED_NAME, buf,
			     sizeof(buf));
	return n > 0 ? find_in((struct text){buf, (size_t)n}, bdf, ids) : LATE_NEW;
}

int late_judge(struct world *world, const struct report *report)
{
	char name[BDF_SIZE + sizeof(FILE_SUFFIX)], line[LINE_SIZE], address[BDF_SIZE];
	const struct outcome *o = &report->outcomes[0];
	int n = format_line(o, line);

	if (n < 0)
		return -EINVAL;
	snprintf(name, sizeof(name), "%s" FILE_SUFFIX,
		 bdf_format(o->plan->device->bdf, address));
	return world->ops->publish(world, PUBLISH_DEVICE, name,
				   (struct text){line, (size_t)n});
}
