/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_set_ups.h"

#include <errno.h>

#define CARD   "0000:01:00.0"
#define CARD_1 "0000:01:00.1"

static struct fake_device *device(struct fake_world *w, const char *address)
{
	struct fake_device *d = fake_find_device(&w->bus, address);

	if (!d)
		fake_abort("no %s", address);
	return d;
}

void set_up_grabbed(struct fake_world *w)
{
	fake_give(w, CARD, "xclmgmt");
	fake_give(w, CARD_1, "xocl");
	w->has_group_files = true;
}

void set_up_built_in(struct fake_world *w)
{
	fake_give(w, CARD, "xclmgmt");
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_BUILTIN;
	fake_find_driver(&w->bus, "vfio-pci")->state = DRIVER_REGISTERED;
}

/* Its claim gets lost: the kernel says ENODEV. */
void set_up_lost_claim(struct fake_world *w)
{
	set_up_built_in(w);
	fake_give(w, CARD_1, "xocl");
	device(w, CARD_1)->vfio_error = -ENODEV;
	fake_find_driver(&w->bus, "xclmgmt")->has_no_bind_files = true;
}

void set_up_missing_module(struct fake_world *w)
{
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_MISSING;
	fake_give(w, CARD_1, "xocl");
}

void set_up_hung_module(struct fake_world *w)
{
	fake_find_module(w, "vfio_pci")->time = FAKE_FOREVER;
	fake_give(w, CARD_1, "xocl");
}

/* Built in, in an image without any index of modules. */
void set_up_no_index(struct fake_world *w)
{
	w->modules[0].state = MODULE_IS_MISSING;
	w->modules[1].state = MODULE_IS_MISSING;
	fake_find_driver(&w->bus, "vfio-pci")->state = DRIVER_REGISTERED;
}

void set_up_refusal(struct fake_world *w)
{
	set_up_grabbed(w);
	device(w, CARD)->vfio_error = -EINVAL;
	device(w, CARD_1)->deferrals = 3;
}

void set_up_refusal_free(struct fake_world *w)
{
	device(w, CARD)->vfio_error = -EBUSY;
}

/* What took its time to let go takes its time to come back. */
void set_up_slow_native_back(struct fake_world *w)
{
	set_up_refusal(w);
	fake_find_driver(&w->bus, "xclmgmt")->probe_time = 6 * (uint64_t)FAKE_SECOND;
}

void set_up_failing_native_back(struct fake_world *w)
{
	set_up_refusal(w);
	fake_find_driver(&w->bus, "xclmgmt")->probe_error = -EIO;
}

void set_up_hung_native_back(struct fake_world *w)
{
	set_up_refusal(w);
	fake_find_driver(&w->bus, "xclmgmt")->probe_time = FAKE_FOREVER;
}

void set_up_deferred_for_ever(struct fake_world *w)
{
	device(w, CARD)->deferrals = 100000;
}

/* No driver without a driver of the other function. */
void set_up_supplier(struct fake_world *w)
{
	device(w, CARD)->supplier = device(w, CARD_1);
}

void set_up_late_group(struct fake_world *w)
{
	device(w, CARD)->group = FAKE_NO_GROUP;
	device(w, CARD)->is_iommu_late = true;
}

void set_up_no_iommu(struct fake_world *w)
{
	w->is_without_iommu = true;
	fake_give(w, CARD, "xclmgmt");
}

/* vfio-pci, built in or loaded before, has taken all with its ids=. */
void set_up_taken_by_ids(struct fake_world *w)
{
	struct fake_driver *vfio = fake_give(w, CARD, "vfio-pci");

	fake_give(w, CARD_1, "vfio-pci");
	device(w, CARD)->had_vfio = true;
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_BUILTIN;
	fake_add_id(vfio, 0x10ee, 0x5000);
	fake_add_id(vfio, 0x10ee, 0x5001);
}

/* And its own driver came too late. */
void set_up_taken_before(struct fake_world *w)
{
	set_up_taken_by_ids(w);
	fake_find_driver(&w->bus, "xocl")->state = DRIVER_REGISTERED;
}

void set_up_taken_for_long(struct fake_world *w)
{
	set_up_taken_before(w);
	fake_find_driver(&w->bus, "vfio-pci")->remove_time = FAKE_FOREVER;
}

/* By an ID that the command line does not know. */
void set_up_taken_by_hand(struct fake_world *w)
{
	set_up_taken_before(w);
	fake_find_driver(&w->bus, "vfio-pci")->ids[1].device = PCI_ANY;
}

/* ---- other drivers ---- */

#define MODULE "nvgrace_gpu_vfio_pci"

/* Its module has another name. */
void set_up_variant(struct fake_world *w)
{
	fake_put_file(w, WORLD_PROC, "sys/kernel/osrelease", TEXT("6.1.0\n"));
	fake_add_module(w, MODULE, VARIANT, true);
	w->aliases = "alias vfio_pci:v000010EEd00005000sv*sd*bc*sc*i* " MODULE "\n";
}

void set_up_variant_of_grabbed(struct fake_world *w)
{
	set_up_variant(w);
	fake_give(w, CARD, "vfio-pci");
	fake_give(w, CARD_1, "xocl");
}

void set_up_variant_fails(struct fake_world *w)
{
	set_up_variant(w);
	fake_find_module(w, MODULE)->error = -ENOEXEC;
	fake_give(w, CARD_1, "xocl");
}

void set_up_stub(struct fake_world *w)
{
	fake_add_module(w, "pci-stub", "pci-stub", false);
}

void set_up_stub_grabbed(struct fake_world *w)
{
	set_up_stub(w);
	set_up_grabbed(w);
}

void set_up_missing_stub(struct fake_world *w)
{
	set_up_stub_grabbed(w);
	fake_find_module(w, "pci-stub")->state = MODULE_IS_MISSING;
}
