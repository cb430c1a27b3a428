/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes wrong at an access. */
#include <errno.h>

#include "fake_jobs.h"

const char *fake_fault_name(enum fake_fault fault)
{
	static const char *const names[FAULT_COUNT] = {
		[FAULT_NONE] = "none",
		[FAULT_ERROR] = "error",
		[FAULT_GONE] = "gone",
		[FAULT_INTERRUPTED] = "interrupted",
		[FAULT_SHORT] = "short read",
		[FAULT_GARBAGE] = "garbage",
		[FAULT_RESULT] = "failing write",
		[FAULT_LOST] = "lost worker",
		[FAULT_HANG] = "hang",
		[FAULT_HANG_DONE] = "hang after the deed",
		[FAULT_VANISH] = "device vanishes",
		[FAULT_REPLACE] = "another device in its place",
		[FAULT_GRAB] = "its driver grabs it",
		[FAULT_JUMP] = "5 s go by",
	};

	return names[fault];
}

int fake_fault_error(enum fake_fault fault)
{
	return fault == FAULT_ERROR	    ? -EIO
	       : fault == FAULT_GONE	    ? -ENOENT
	       : fault == FAULT_INTERRUPTED ? -EINTR
					    : 0;
}

/* What anybody can do at any time. */
static void do_meanwhile(struct fake_world *w, enum fake_fault fault,
			 struct fake_device *d)
{
	/* An NVMe disk: nothing that a rule for a card means. */
	static const struct pci_ids other = {0x144d, 0xa808, 0x144d, 0xa801, 0x010802};

	if (fault == FAULT_VANISH)
		fake_vanish(&w->bus, d);
	else if (fault == FAULT_REPLACE)
		(void)fake_replace(&w->bus, d, other);
	else if (fault == FAULT_GRAB)
		fake_grab(&w->bus, d);
	else if (fault == FAULT_JUMP)
		fake_run(&w->bus, w->bus.now + FAKE_JUMP, NULL);
}

/* What @w is to suffer at this access, out of @faults. */
static enum fake_fault next_fault(const struct fake_world *w, unsigned faults)
{
	if (w->accesses == w->fault_at && (faults & 1u << w->fault))
		return w->fault;
	if (w->accesses == w->second_at && (faults & 1u << w->second))
		return w->second;
	return FAULT_NONE;
}

enum fake_fault fake_access(struct fake_world *w, unsigned faults, struct fake_device *d)
{
	enum fake_fault fault;

	fake_run(&w->bus, w->bus.now + 2, NULL);
	faults |= 1u << FAULT_JUMP;
	if (d && d->is_present)
		faults |= 1u << FAULT_VANISH | 1u << FAULT_REPLACE;
	if (d && d->is_present && !d->driver && fake_native_driver(&w->bus, d))
		faults |= 1u << FAULT_GRAB;
	if (w->accesses < FAKE_ACCESSES_MAX)
		w->possible[w->accesses] = (uint16_t)faults;
	w->accesses++;
	fault = next_fault(w, faults);
	if (fault == FAULT_NONE)
		return fault;
	w->fault_count++;
	if (fault < FAULT_VANISH)
		return fault;
	do_meanwhile(w, fault, d);
	fake_run(&w->bus, w->bus.now, NULL);
	return FAULT_NONE;
}
