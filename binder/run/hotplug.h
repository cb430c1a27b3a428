/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot's run leaves below /run for devices that appear later: its rules, rules for
 * udev that call the binder, and what came of each device, so that "udevadm trigger" does
 * not start over with one that has been judged.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "bdf.h"
#include "compiler.h"
#include "policy.h"
#include "report.h"
#include "world.h"

/* ---- udev rules ---- */

/* Rules for udev that call the binder for devices that appear after it ran. */

#define UDEV_RULES_NAME \
	"00-earlybind.rules" /* in front of what loads modules: 80-drivers */
#define UDEV_RULES_SIZE ((size_t)64 * 1024)

/*
 * Writes rules into @buf that run "binder --device" for every PCI function that an active
 * bind rule of @policy may name, and for few others: the binder decides. Nothing but
 * formatted numbers is taken over. What does not fit is replaced by one rule for all
 * functions. @seen: the functions that the boot's run could have judged, or NULL; where a rule
 * does not tell udev what it is about, the coldplug starts no process for these. Returns the
 * length, or -E2BIG if @size does not even hold that.
 */
int udev_rules_write(const struct policy *policy, const struct inventory *seen, char *buf,
		     size_t size) must_check nonnull(1, 3);

/* Below /run/earlybind. */
#define LATE_RULES_NAME	 "rules"
#define LATE_JUDGED_NAME "judged"
#define LATE_JUDGED_SIZE ((size_t)256 * 1024) /* no more is written */
/* Below its folder of devices, behind the address. */
#define LATE_VERDICT_SUFFIX ".verdict"

/* udev ends a program after 180 s (systemd: udev.conf(5), event_timeout=). In seconds. */
#define LATE_TIMEOUT_MAX	  30
#define LATE_RECOVERY_TIMEOUT_MAX 120

/* Publishes all three. What fails is said in the log: devices that come later are not bound. */
void hotplug_publish(struct world *world, struct arena *arena,
		     const struct report *report) nonnull(1, 2, 3);

/* Whether a run of this boot published its rules. */
bool hotplug_has_rules(struct world *world) nonnull(1);

/*
 * Adds the published rules to @policy. -ENOENT: there are none; other problems are recorded
 * in @policy.
 */
int hotplug_read_rules(struct world *world, struct arena *arena,
		       struct policy *policy) must_check nonnull(1, 2, 3);

enum hotplug_judgement {
	LATE_NEW, /* this device has not been judged in this boot */
	LATE_JUDGED,
	LATE_STUCK, /* the kernel did not come back: it must not be touched */
};

/* Whether any device may have been judged in this boot: at its start none has. */
bool hotplug_has_judged(struct world *world) nonnull(1);

/* What was made of the device with these IDs at this address in this boot. */
enum hotplug_judgement hotplug_find(struct world *world, struct bdf bdf,
				    const struct pci_ids *ids) nonnull(1, 3);

/* Publishes what came of the one device of @report. 0 or -errno. */
int hotplug_judge(struct world *world, const struct report *report) must_check
	nonnull(1, 2);
