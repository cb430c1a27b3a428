/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole runs on machines that nobody has built: devices, drivers and their habits, what
 * happens meanwhile, and what fails come from the input, and so do the command line and the
 * configuration. What must hold after every run is in fake_check().
 *
 * Bytes are taken from the front for numbers; the text behind them is the command line and,
 * behind a line end, the configuration.
 */
#include "fuzz.h"

#include "fake_report.h"

struct input {
	const uint8_t *p;
	size_t n;
};

static unsigned take(struct input *in, unsigned below)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++ % below;
}

static uint64_t take_time(struct input *in)
{
	static const uint64_t times[] = {0,
					 300,
					 20000,
					 FAKE_SECOND,
					 4 * FAKE_SECOND,
					 15 * FAKE_SECOND,
					 200 * (uint64_t)FAKE_SECOND,
					 FAKE_FOREVER};

	return times[take(in, ARRAY_SIZE(times))];
}

static int take_error(struct input *in)
{
	static const int errors[] = {0, 0, 0, 0, -EINVAL, -EIO, -ENODEV, -EBUSY};

	return errors[take(in, ARRAY_SIZE(errors))];
}

static struct fake_driver *add_driver(struct fake_world *w, struct input *in,
				      const char *name, uint16_t vendor)
{
	bool is_builtin = take(in, 2);
	struct fake_driver *driver =
		fake_add_driver(&w->bus, name, is_builtin ? "" : name);

	driver->ids[driver->id_count++] =
		(struct pci_match){vendor, PCI_ANY, PCI_ANY, PCI_ANY, 0, 0};
	driver->probe_time = take_time(in);
	driver->remove_time = take_time(in);
	driver->probe_error = take_error(in);
	driver->has_no_bind_files = take(in, 8) == 7;
	driver->is_async = take(in, 8) == 7;
	driver->link_time = take(in, 4) * 300;
	driver->state = is_builtin || take(in, 2) ? DRIVER_REGISTERED : DRIVER_ABSENT;
	return driver;
}

static void add_device(struct fake_world *w, struct input *in, unsigned number,
		       struct fake_driver *const drivers[2])
{
	static const uint32_t classes[] = {0x120000, 0x030000, 0x030200, 0x020000,
					   0x060400, 0x080600, 0x068000, 0x038000};
	char address[BDF_SIZE];
	struct fake_device *d;
	unsigned vendor = take(in, 3);

	snprintf(address, sizeof(address), "0000:%02x:00.%x", 1 + number / 2, number % 2);
	d = fake_add_device(&w->bus, address,
			    (struct pci_ids){vendor ? 0x10de : 0x10ee,
					     (uint16_t)(0x5000 + take(in, 2)), 0, 0,
					     classes[take(in, ARRAY_SIZE(classes))]},
			    (int)take(in, 4) - 1);
	d->has_bus_behind = take(in, 16) == 15;
	d->is_boot_vga = take(in, 4) == 3;
	d->vf_count = take(in, 8) == 7;
	d->vfio_error = take_error(in);
	d->deferrals = take(in, 4) == 3 ? take(in, 200) : 0;
	d->is_iommu_late = take(in, 8) == 7;
	d->is_dead = take(in, 16) == 15;
	if (take(in, 16) == 15 && number > 0)
		d->supplier = &w->bus.devices[take(in, number)];
	if (take(in, 2) && drivers[vendor ? 1 : 0]->state == DRIVER_REGISTERED)
		fake_bind_now(d, drivers[vendor ? 1 : 0]);
}

static void register_driver(struct fake_bus *bus, void *arg)
{
	struct fake_driver *driver = arg;

	if (driver->state == DRIVER_ABSENT)
		fake_start(bus, OP_REGISTER, NULL, driver);
}

static void vanish(struct fake_bus *bus, void *arg)
{
	fake_vanish(bus, arg);
}

static void set_up_modules(struct fake_world *w, struct input *in)
{
	static const char *const ids[] = {NULL, "10ee:5000", "10de:*",
					  "10ee:5000,10de:5001"};

	for (size_t i = 0; i < 2; i++) {
		w->modules[i].time = take_time(in);
		w->modules[i].error = take_error(in);
		w->modules[i].state =
			take(in, 8) == 7 ? MODULE_IS_MISSING : MODULE_IS_FILE;
	}
	if (take(in, 3) == 2) {
		w->modules[1].state = MODULE_IS_BUILTIN;
		w->modules[1].time = w->modules[1].error = 0;
		w->modules[1].driver->state = DRIVER_REGISTERED;
	}
	/* Its probe is short: the link, which is all that can be read, comes before it. */
	w->modules[1].driver->probe_time = take(in, 3) * 300;
	w->modprobe_ids = ids[take(in, ARRAY_SIZE(ids))];
	w->modprobe_error = take_error(in);
	w->bus.kernel = take(in, 3);
	w->is_without_iommu = take(in, 8) == 7;
	w->is_without_bus = take(in, 32) == 31;
	w->has_group_files = take(in, 2);
	w->publish_error = take_error(in);
	w->fault_at = take(in, 200);
	w->fault = take(in, FAULT_COUNT);
	w->second_at = take(in, 4) == 3 ? take(in, 200) : 0;
	w->second = take(in, FAULT_COUNT);
}

static void add_framebuffer(struct fake_world *w, struct input *in)
{
	static const char *const drivers[] = {"efi-framebuffer", "vesa-framebuffer",
					      "simple-framebuffer"};
	static const char *const regions[] = {"efifb", "vesafb", "BOOTFB", NULL};
	struct fake_framebuffer *fb = &w->bus.framebuffer;

	fb->driver = drivers[take(in, ARRAY_SIZE(drivers))];
	fb->region = regions[take(in, ARRAY_SIZE(regions))];
	fb->on = &w->bus.devices[take(in, (unsigned)w->bus.device_count)];
	fb->is_child = take(in, 2);
	fb->is_bound = take(in, 4) != 3;
	fb->keeps_region = take(in, 2);
	fb->error = take_error(in);
	fb->remove_time = take_time(in);
}

static void set_up(struct fake_world *w, struct input *in)
{
	struct fake_driver *drivers[2];

	set_up_modules(w, in);
	drivers[0] = add_driver(w, in, "xclmgmt", 0x10ee);
	drivers[1] = add_driver(w, in, "nvidia", 0x10de);
	for (unsigned i = 1 + take(in, 8); i > 0; i--)
		add_device(w, in, (unsigned)w->bus.device_count, drivers);
	for (unsigned i = take(in, 4); i > 0; i--)
		fake_at(&w->bus, w->bus.now + take(in, 200) * 50, register_driver,
			drivers[take(in, 2)]);
	if (take(in, 4) == 3)
		fake_at(&w->bus, w->bus.now + take(in, 200) * 50, vanish,
			&w->bus.devices[take(in, (unsigned)w->bus.device_count)]);
	if (take(in, 4) == 3)
		add_framebuffer(w, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct fake_world *w = fake_new();
	char text[2048], *table;
	struct fake_boot boot;
	const char *message;
	size_t n;

	set_up(w, &in);
	n = MIN(in.n, sizeof(text) - 1);
	memcpy(text, in.p, n);
	text[n] = '\0';
	table = strchr(text, '\n');
	if (table)
		*table++ = '\0';
	w->cmdline = text;
	w->may_want_any_module = true;
	fake_boot(w, table, &boot);
	message = fake_check(w, &boot);
	if (!message)
		message = fake_check_report(w, &boot);
	if (message) {
		fprintf(stderr, "%s\ncommand line: %s\n%s%s", message, text, w->trace,
			w->log);
		abort();
	}
	fake_boot_free(&boot);
	fake_free(w);
	return 0;
}
