/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_jobs.h"
#include "run.h"

#define DEVICES "bus/pci/devices"
#define SLOTS	"bus/pci/slots"

static struct fake_world *fake(struct world *world)
{
	return (struct fake_world *)world;
}

/* What is in use is said by files, not by the model of the bus. */
static bool is_class(const char *path)
{
	return strncmp(path, "class/", 6) == 0;
}

/* Splits "bus/pci/devices/ADDRESS/ATTRIBUTE"; NULL if the device is not there. */
struct fake_device *fake_device_of(struct fake_world *w, const char *path,
				   const char **ret_attribute)
{
	char address[BDF_SIZE];
	const char *start = path + sizeof(DEVICES), *end;

	if (strncmp(path, DEVICES "/", sizeof(DEVICES)) != 0)
		fake_abort("unknown path: %s", path);
	end = strchr(start, '/');
	*ret_attribute = end ? end + 1 : "";
	snprintf(address, sizeof(address), "%.*s",
		 end ? (int)(end - start) : (int)strlen(start), start);
	return fake_find_device(&w->bus, address);
}

int fake_put(char *buf, size_t size, const char *format, ...)
{
	char text[4096];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* Like the real one: what fits is there, and only an end that was seen is an end. */
	memcpy(buf, text, MIN((size_t)n, size));
	return (size_t)n < size ? n : -E2BIG;
}

/* The device that a path of /sys is about, NULL for none. */
static struct fake_device *subject_of(struct fake_world *w, enum world_root root,
				      const char *path)
{
	const char *name;

	if (root != WORLD_SYS || strncmp(path, DEVICES "/", sizeof(DEVICES)) != 0)
		return NULL;
	return fake_device_of(w, path, &name);
}

static int read_override(struct fake_world *w, const struct fake_device *d, char *buf,
			 size_t size)
{
	/* driver_override_show() took the device's lock as well. */
	if (d->lock && w->bus.kernel != FAKE_7_1)
		fake_abort("reads driver_override, which would block");
	return fake_put(buf, size, "%s\n", d->has_override ? d->override : "(null)");
}

static int read_whole(struct fake_world *w, enum world_root root, const char *path,
		      char *buf, size_t size)
{
	char text[FAKE_TEXT_SIZE];
	const struct fake_device *d;
	const char *name;

	if (root == WORLD_PROC && strcmp(path, "cmdline") == 0)
		return w->cmdline ? fake_put(buf, size, "%s\n", w->cmdline) : -ENOENT;
	if (root == WORLD_PROC && strcmp(path, "iomem") == 0) {
		fake_iomem(w, text);
		return fake_put(buf, size, "%s", text);
	}
	if (root == WORLD_ETC && strcmp(path, EARLIER_NAME) == 0)
		return -ENOENT;
	if (root == WORLD_SYS && strncmp(path, SLOTS "/", sizeof(SLOTS)) == 0)
		return fake_read_slot(w, path, buf, size);
	if (root != WORLD_SYS || strncmp(path, DEVICES "/", sizeof(DEVICES)) != 0)
		return fake_read_file(w, root, path, buf, size);
	d = fake_device_of(w, path, &name);
	if (!d)
		return -ENOENT;
	if (strcmp(name, "resource") == 0) {
		fake_resource(d, text);
		return fake_put(buf, size, "%s", text);
	}
	if (strcmp(name, "modalias") == 0)
		return fake_put(buf, size,
				"pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X\n",
				d->ids.vendor, d->ids.device, d->ids.subvendor,
				d->ids.subdevice, d->ids.class >> 16,
				d->ids.class >> 8 & 0xff, d->ids.class & 0xff);
	if (strcmp(name, "secondary_bus_number") == 0)
		return d->has_bus_behind ? fake_put(buf, size, "1\n") : -ENOENT;
	if (strcmp(name, "boot_vga") == 0)
		return fake_put(buf, size, "%d\n", d->is_boot_vga);
	if (strcmp(name, "power_state") == 0)
		return d->power_state ? fake_put(buf, size, "%s\n", d->power_state)
				      : -ENOENT;
	if (strcmp(name, "serial_number") == 0)
		return d->serial_number ? fake_put(buf, size, "%s\n", d->serial_number)
					: -ENOENT;
	if (strcmp(name, "driver_override") == 0)
		return read_override(w, d, buf, size);
	fake_abort("unknown attribute: %s", path);
}

#define GARBAGE 40

/*
 * Nothing that any parser expects, and more than it has room for. As read(2), it writes no more
 * than it says (world_read_arena() goes by that).
 */
static int put_garbage(char *buf, size_t size)
{
	for (size_t i = 0; i < MIN(size, (size_t)GARBAGE); i++)
		buf[i] = (char)(0x80 + i * 37 % 0x7f);
	return size > GARBAGE ? GARBAGE : -E2BIG;
}

static int fake_read(struct world *world, enum world_root root, const char *path,
		     char *buf, size_t size)
{
	struct fake_world *w = fake(world);
	enum fake_fault fault;
	int n;

	fault = fake_access(w, FAULTS_OF_READS, subject_of(w, root, path));
	n = fake_fault_error(fault);

	if (n == 0)
		n = read_whole(w, root, path, buf, size);
	if (n > 0 && fault == FAULT_SHORT) {
		memset(buf + n / 2, 0, (size_t)(n - n / 2));
		return n / 2;
	}
	return n > 0 && fault == FAULT_GARBAGE ? put_garbage(buf, size) : n;
}

/* A link is read. */
static enum fake_fault access_link(struct fake_world *w, enum world_root root,
				   const char *path)
{
	if (root != WORLD_SYS)
		fake_abort("unknown link: %s", path);
	return fake_access(w, FAULTS_OF_READS & ~(1u << FAULT_SHORT),
			   subject_of(w, root, path));
}

static int fake_link(struct world *world, enum world_root root, const char *path,
		     char *buf, size_t size)
{
	struct fake_world *w = fake(world);
	const struct fake_device *d;
	char target[FAKE_NAME_SIZE];
	enum fake_fault fault;
	const char *name;
	unsigned vf;

	fault = access_link(w, root, path);
	if (fake_fault_error(fault) < 0)
		return fake_fault_error(fault);
	if (fake_is_platform(path)) {
		char text[FAKE_TEXT_SIZE];

		if (fake_platform_target(w, path, text) < 0)
			return -ENOENT;
		return snprintf(buf, size, "%s", strrchr(text, '/') + 1);
	}
	d = fake_device_of(w, path, &name);
	if (!d)
		return -ENOENT;
	if (name[0] == '\0') {
		bdf_format(d->bdf, target);
	} else if (strcmp(name, "driver") == 0) {
		if (!d->has_link)
			return -ENOENT;
		snprintf(target, sizeof(target), "%s", d->driver->name);
	} else if (strcmp(name, "physfn") == 0) {
		if (!d->physfn)
			return -ENOENT;
		snprintf(target, sizeof(target), "%s", d->physfn);
	} else if (sscanf(name, "virtfn%u", &vf) == 1) {
		if (vf >= d->vf_count)
			return -ENOENT;
		snprintf(target, sizeof(target), "0000:01:10.%u", vf % 8);
	} else if (strcmp(name, "iommu_group") == 0) {
		if (d->group == FAKE_NO_GROUP || w->is_without_iommu)
			return -ENOENT;
		snprintf(target, sizeof(target), "%d", d->group);
	} else {
		fake_abort("unknown link: %s", path);
	}
	if (fault == FAULT_GARBAGE)
		strcpy(target, "\x80 \" \\ ?");
	if (strlen(target) >= size)
		return -ENAMETOOLONG;
	strcpy(buf, target);
	return (int)strlen(target);
}

static int fake_target(struct world *world, enum world_root root, const char *path,
		       char *buf, size_t size)
{
	struct fake_world *w = fake(world);
	const struct fake_device *d;
	char target[LINK_SIZE];
	enum fake_fault fault;
	const char *name;

	fault = access_link(w, root, path);
	if (fake_fault_error(fault) < 0)
		return fake_fault_error(fault);
	if (fake_is_platform(path)) {
		char text[FAKE_TEXT_SIZE];

		if (fake_platform_target(w, path, text) < 0)
			return -ENOENT;
		return snprintf(buf, size, "%s", text);
	}
	if (is_class(path))
		return fake_read_file(w, root, path, buf, size);
	d = fake_device_of(w, path, &name);
	if (!d)
		return -ENOENT;
	if (name[0] != '\0')
		fake_abort("unknown link: %s", path);
	w->targets++;
	if (d->link)
		snprintf(target, sizeof(target), "%s", d->link);
	else
		fake_put_place(&w->bus, d, target, sizeof(target));
	if (fault == FAULT_GARBAGE)
		strcpy(target, "\x80 \" \\ ?");
	if (strlen(target) >= size)
		return -ENAMETOOLONG;
	strcpy(buf, target);
	return (int)strlen(target);
}

static void fake_enter(struct world *world unused, const char *folder unused)
{
}

static void fake_log(struct world *world, enum log_level level, const char *line)
{
	struct fake_world *w = fake(world);
	size_t used = strlen(w->log);

	snprintf(w->log + used, sizeof(w->log) - used, "<%d>%s\n", level, line);
}

static uint64_t fake_now(struct world *world)
{
	return fake(world)->bus.now;
}

static void fake_pause(struct world *world, uint64_t microseconds)
{
	struct fake_world *w = fake(world);

	fake_run(&w->bus, w->bus.now + microseconds, NULL);
}

/* One that is free again: whole runs are made by the thousand. */
static struct fake_world *spare;

struct fake_world *fake_new(void)
{
	static const struct world_ops ops = {
		.read = fake_read,
		.link = fake_link,
		.target = fake_target,
		.enter = fake_enter,
		.list = fake_list,
		.has_module_options = fake_has_module_options,
		.submit = fake_submit,
		.await = fake_await,
		.ended = fake_ended,
		.stop = fake_stop,
		.abandon = fake_abandon,
		.park = fake_park,
		.resume = fake_resume,
		.publish = fake_publish,
		.lock = fake_lock,
		.log = fake_log,
		.now = fake_now,
		.pause = fake_pause,
	};
	struct fake_world *w = spare;
	struct fake_driver *vfio;

	spare = NULL;
	if (w)
		memset(w, 0, offsetof(struct fake_world, trace) + 1);
	else
		w = calloc(1, sizeof(*w));

	if (!w)
		fake_abort("out of memory");
	w->log[0] = w->report[0] = '\0';
	w->world.ops = &ops;
	w->cmdline = "";
	w->modprobe_time = 200;
	w->bus.kernel = FAKE_6_1;
	/* A machine that has been up for a second. */
	w->bus.now = FAKE_SECOND;
	vfio = fake_add_driver(&w->bus, "vfio-pci", "vfio_pci");
	vfio->is_vfio = true;
	w->modules[0] = (struct fake_module){
		.name = "vfio_iommu_type1", .state = MODULE_IS_FILE, .time = 2000};
	w->modules[1] = (struct fake_module){.name = "vfio_pci",
					     .state = MODULE_IS_FILE,
					     .time = 2000,
					     .driver = vfio};
	return w;
}

void fake_free(struct fake_world *w)
{
	for (size_t i = 0; i < w->file_count; i++)
		free(w->files[i].bytes);
	free(spare);
	spare = w;
}
