/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_jobs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "serial.h"

#define DEVICES "bus/pci/devices"
#define DRIVERS "bus/pci/drivers/"

static struct fake_world *fake(struct world *world)
{
	return (struct fake_world *)world;
}

void fake_trace(struct fake_world *w, const char *format, ...)
{
	size_t used = strlen(w->trace);
	va_list ap;

	va_start(ap, format);
	vsnprintf(w->trace + used, sizeof(w->trace) - used, format, ap);
	va_end(ap);
}

void fake_answer(struct fake_world *w, uint64_t time, int error)
{
	struct fake_task *task = fake_start(&w->bus, OP_SLEEP, NULL, NULL);

	task->wake = time == FAKE_FOREVER ? FAKE_FOREVER : w->bus.now + time;
	task->error = error;
	w->job = task;
}

static void start_override(struct fake_world *w, struct fake_device *d, const char *value)
{
	struct fake_task *task;

	if (!d) {
		fake_answer(w, 1, -ENOENT);
	} else if (value[0] == '\0') {
		/* kernfs does not call the store for an empty write: nothing is cleared. */
		fake_answer(w, 1, 0);
	} else if (strlen(value) >= 4095) {
		fake_answer(w, 1, -EINVAL);
	} else {
		task = fake_start(&w->bus, OP_OVERRIDE, d, NULL);
		snprintf(task->value, sizeof(task->value), "%s", value);
		w->job = task;
	}
}

#define REMOVE_ID DRIVERS "vfio-pci/remove_id"

/* True if it is one into drivers/NAME/remove_id, whose list only dynamic IDs are on. */
static bool start_remove_id(struct fake_world *w, const char *path, const char *value)
{
	struct fake_driver *driver;

	if (strcmp(path, REMOVE_ID) != 0)
		return false;
	driver = fake_find_driver(&w->bus, "vfio-pci");
	fake_answer(w, 1,
		    driver->state == DRIVER_REGISTERED ? fake_remove_id(driver, value)
						       : -ENOENT);
	return true;
}

/* Stores into drivers/NAME/{bind,unbind} and drivers_probe. */
static void start_driver_store(struct fake_world *w, const char *path, const char *value)
{
	struct fake_device *d = fake_find_device(&w->bus, value);
	struct fake_driver *driver = NULL;
	enum fake_op op = OP_DRIVERS_PROBE;
	char name[FAKE_NAME_SIZE] = "", file[16] = "";

	if (strncmp(path, DRIVERS, sizeof(DRIVERS) - 1) == 0 &&
	    sscanf(path + sizeof(DRIVERS) - 1, "%63[^/]/%15[a-z]", name, file) == 2 &&
	    (strcmp(file, "bind") == 0 || strcmp(file, "unbind") == 0)) {
		op = file[0] == 'b' ? OP_BIND : OP_UNBIND;
		driver = fake_find_driver(&w->bus, name);
		if (!driver || driver->state != DRIVER_REGISTERED ||
		    driver->has_no_bind_files) {
			fake_answer(w, 1, -ENOENT);
			return;
		}
	} else if (strcmp(path, "bus/pci/drivers_probe") != 0) {
		fake_abort("unknown write of \"%s\" to %s", value, path);
	}
	if (!d) {
		fake_answer(w, 1, -ENODEV);
		return;
	}
	w->job = fake_start(&w->bus, op, d, driver);
}

/* What udev makes of an "add": it loads the modules that match (80-drivers.rules). */
static void load_for(struct fake_bus *bus, void *arg)
{
	const struct fake_device *d = arg;

	for (size_t i = 0; i < bus->driver_count; i++) {
		struct fake_driver *driver = &bus->drivers[i];

		for (size_t k = 0; k < driver->id_count; k++)
			if (driver->state == DRIVER_ABSENT && driver->module[0] != '\0' &&
			    pci_match_has(&driver->ids[k], &d->ids))
				(void)fake_start(bus, OP_REGISTER, NULL, driver);
	}
}

/* drivers/base/power/sysfs.c: control_store() */
static void start_fence(struct fake_world *w, struct fake_device *d, const char *value)
{
	if (strcmp(value, "auto") == 0 || strcmp(value, "on") == 0)
		fake_abort("changes power/control to \"%s\"", value);
	if (d)
		w->job = fake_start(&w->bus, OP_FENCE, d, NULL);
	else
		fake_answer(w, 1, -ENOENT);
}

static void start_uevent(struct fake_world *w, struct fake_device *d, const char *value)
{
	if (strcmp(value, "add") != 0)
		fake_abort("unknown event \"%s\"", value);
	fake_answer(w, 1, d ? 0 : -ENOENT);
	if (d)
		fake_at(&w->bus, w->bus.now + 1000, load_for, d);
}

/* A fence writes nothing, but it waits. */
static void count_write(struct fake_world *w, struct fake_device *d, bool is_fence)
{
	if (!d)
		return;
	d->writes += !is_fence;
	for (size_t i = 0; i < w->bus.task_count; i++) {
		const struct fake_task *t = &w->bus.tasks[i];

		/* A module's load may be at any device: nobody can know. */
		if (t->device != d || t->op == OP_REGISTER || t->step == STEP_DONE)
			continue;
		if (t->is_abandoned)
			fake_abort("touches a device that is stuck");
		if (t->is_awaited)
			fake_abort("touches a device that is waited for");
	}
}

static void start_store(struct fake_world *w, const char *path, const char *value)
{
	bool is_fence = strstr(path, "/power/control");
	struct fake_device *d;
	const char *name;

	if (fake_is_platform(path)) {
		uint64_t time;
		int error;

		fake_trace(w, "%s %s\n", path + sizeof("bus"), value);
		error = fake_platform_unbind(w, path, value, &time);
		fake_answer(w, time, error);
		return;
	}
	if (!is_fence)
		fake_trace(w, "%s %s\n", path + sizeof("bus/pci"),
			   value[0] == '\n' ? "(clear)" : value);
	if (strncmp(path, DEVICES "/", sizeof(DEVICES)) == 0) {
		d = fake_device_of(w, path, &name);
		count_write(w, d, is_fence);
		if (strcmp(name, "driver_override") == 0)
			start_override(w, d, value);
		else if (strcmp(name, "uevent") == 0)
			start_uevent(w, d, value);
		else if (strcmp(name, "power/control") == 0)
			start_fence(w, d, value);
		else
			fake_abort("unknown write of \"%s\" to %s", value, path);
		return;
	}
	if (start_remove_id(w, path, value))
		return;
	d = fake_find_device(&w->bus, value);
	count_write(w, d, false);
	start_driver_store(w, path, value);
}

static int read_config(void *arg, unsigned offset, uint32_t *ret)
{
	const struct fake_device *d = arg;

	if (offset < 0x100 || offset % 4 != 0 ||
	    offset >= 0x100 + FAKE_CONFIG_WORDS * sizeof(*ret))
		fake_abort("a look at %#x of config space", offset);
	if (d->config_size != 0 && offset - 0x100 + 4 > d->config_size)
		return -EACCES;
	*ret = d->config[(offset - 0x100) / 4];
	return 0;
}

static void start_read_serial(struct fake_world *w, const char *path)
{
	const char *name;
	struct fake_device *d = fake_device_of(w, path, &name);

	fake_trace(w, "serial of %s\n", path + sizeof(DEVICES));
	if (strcmp(name, "config") != 0)
		fake_abort("no config space: %s", path);
	if (d && d->power_state && strcmp(d->power_state, "D3cold") == 0 &&
	    w->fault_count == 0)
		fake_abort("wakes %s", path);
	w->serial = 0;
	if (d)
		d->config_reads++;
	fake_answer(w, d ? d->config_time : 1,
		    !d		 ? -ENOENT
		    : !d->config ? -ENODATA
				 : serial_find(read_config, d, &w->serial));
	if (d && d->config_time == FAKE_FOREVER)
		w->job->device = d;
}

/* A mount over one of the device's files, or its end. */
static void start_cover(struct fake_world *w, const char *path, const char *text)
{
	const char *name;
	struct fake_device *d = fake_device_of(w, path, &name);

	if (strcmp(name, "uevent") != 0 && strcmp(name, "driver_override") != 0)
		fake_abort("covers %s", path);
	if (!d || (text[0] == '\0' && d->covers == 0)) {
		fake_answer(w, 1, d ? -EINVAL : -ENOENT);
		return;
	}
	d->covers = text[0] != '\0' ? d->covers + 1 : d->covers - 1;
	fake_answer(w, 1, 0);
}

/* Not in the trace: each device is asked before anything else is done with it. */
static void start_ask(struct fake_world *w, const char *path)
{
	const char *name;
	struct fake_device *d = fake_device_of(w, path, &name);

	if (strcmp(name, "config") != 0)
		fake_abort("no config space: %s", path);
	fake_answer(w, d ? d->config_time : 1, !d ? -ENOENT : d->is_dead ? -ENXIO : 0);
	if (d && d->config_time == FAKE_FOREVER)
		w->job->device = d;
}

static void start_job(struct fake_world *w)
{
	const struct job *job = &w->current;
	const struct fake_device *d;
	const char *name;

	switch (job->kind) {
	case JOB_PAUSE:
		fake_answer(w, JOB_PAUSE_TIME, 0);
		return;
	case JOB_FENCE:
		d = fake_device_of(w, job->path, &name);
		if (d && d->has_link)
			start_store(w, job->path, job->value);
		else
			fake_answer(w, 1, -ENODEV);
		return;
	case JOB_STORE:
		start_store(w, job->path, job->value);
		return;
	case JOB_MODULE_IDS:
		fake_answer(w, w->modprobe_time, w->modprobe_error);
		return;
	case JOB_LOAD_MODULE:
		fake_start_load(w, job->value);
		return;
	case JOB_READ_SERIAL:
		start_read_serial(w, job->path);
		return;
	case JOB_COVER:
		start_cover(w, job->path, job->value);
		return;
	case JOB_ASK_DEVICE:
		start_ask(w, job->path);
		return;
	case JOB_FIND_VARIANT:
		fake_trace(w, "variant for %s\n", job->value);
		fake_answer(w, 500, w->aliases_error);
		return;
	case JOB_GROUP_STATUS:
		fake_answer(w, 10,
			    !w->has_group_files		    ? -ENOENT
			    : fake_is_viable(w, job->value) ? 0
							    : -EBUSY);
		return;
	}
	fake_abort("unknown job %d", job->kind);
}

/* The device that a store is about; NULL for other jobs. */
static struct fake_device *device_of_job(struct fake_world *w)
{
	const char *name;

	if (w->current.kind != JOB_STORE && w->current.kind != JOB_FENCE &&
	    w->current.kind != JOB_READ_SERIAL && w->current.kind != JOB_ASK_DEVICE)
		return NULL;
	if (strncmp(w->current.path, DEVICES "/", sizeof(DEVICES)) == 0)
		return fake_device_of(w, w->current.path, &name);
	if (strcmp(w->current.path, REMOVE_ID) == 0)
		return fake_find_holder(&w->bus, w->current.value);
	return fake_find_device(&w->bus, w->current.value);
}

/* JOB_MODULE_IDS tells. */
bool fake_has_module_options(struct world *world unused)
{
	return true;
}

/* Begins the next job of the list. */
static int begin_job(struct fake_world *w)
{
	unsigned faults = FAULTS_OF_JOBS;
	enum fake_fault fault;

	jobs_next(&w->list, &w->list_used, &w->current);
	w->job_error = 0;
	w->since = w->bus.now;
	/* The worker is there already. */
	if (w->ended > 0)
		faults &= ~(1u << FAULT_ERROR);
	fault = fake_access(w, faults, device_of_job(w));
	switch (fault) {
	case FAULT_ERROR:
		fake_trace(w, "no worker\n");
		return -EAGAIN;
	case FAULT_RESULT:
	case FAULT_INTERRUPTED:
		fake_trace(w, "fails: %s %s\n", w->current.path, w->current.value);
		fake_answer(w, 1, fault == FAULT_RESULT ? -EIO : -EINTR);
		break;
	case FAULT_LOST:
		start_job(w);
		w->job_error = -EPIPE;
		break;
	case FAULT_HANG:
		fake_trace(w, "hangs: %s %s\n", w->current.path, w->current.value);
		fake_answer(w, FAKE_FOREVER, 0);
		break;
	case FAULT_HANG_DONE:
		start_job(w);
		w->job_error = -EINPROGRESS;
		break;
	default:
		start_job(w);
		break;
	}
	if (!w->job->device)
		w->job->device = device_of_job(w);
	w->job->is_awaited = true;
	return 0;
}

int fake_submit(struct world *world, const struct jobs *jobs)
{
	struct fake_world *w = fake(world);

	if (w->job)
		fake_abort("two lists at a time");
	w->list = *jobs;
	w->list_used = w->ended = 0;
	w->is_stopped = false;
	return begin_job(w);
}

size_t fake_ended(struct world *world, int errors[static JOBS_MAX], uint64_t *ret_since)
{
	struct fake_world *w = fake(world);

	*ret_since = w->since;
	memcpy(errors, w->errors, w->ended * sizeof(*errors));
	return w->ended;
}

size_t fake_stop(struct world *world)
{
	struct fake_world *w = fake(world);

	if (!w->job)
		fake_abort("stops no list");
	w->is_stopped = true;
	return w->ended;
}

static void fill_result(struct fake_world *w, struct job_result *ret)
{
	const struct fake_module *m;

	memset(ret, 0, offsetof(struct job_result, text));
	ret->error = w->job->error;
	switch (w->current.kind) {
	case JOB_STORE:
	case JOB_FENCE:
	case JOB_PAUSE:
	case JOB_COVER:
	case JOB_ASK_DEVICE:
	case JOB_GROUP_STATUS:
		return;
	case JOB_MODULE_IDS:
		ret->is_denylist_off = w->is_denylist_off;
		ret->is_unsafe = w->is_unsafe;
		ret->is_found = w->modprobe_ids != NULL;
		if (!w->modprobe_ids)
			return;
		if (strlen(w->modprobe_ids) > sizeof(ret->text)) {
			ret->error = -E2BIG;
			return;
		}
		ret->length = (uint32_t)strlen(w->modprobe_ids);
		memcpy(ret->text, w->modprobe_ids, ret->length);
		return;
	case JOB_LOAD_MODULE:
		m = fake_find_module(w, w->current.value);
		if (m && ret->error < 0 && m->file)
			fake_show_module(m, ret);
		if (ret->error == 0 && m)
			ret->state = m->state == MODULE_IS_BUILTIN ? MODULE_BUILTIN
				     : w->was_live		   ? MODULE_LIVE
								   : MODULE_LOADED;
		return;
	case JOB_READ_SERIAL:
		ret->serial = w->serial;
		return;
	case JOB_FIND_VARIANT:
		if (ret->error == 0)
			fake_find_variant(w, ret);
		return;
	}
}

/* Waits for the job at hand. */
static int await_job(struct fake_world *w, uint64_t until, struct job_result *ret)
{
	int error = w->job_error;

	fake_run(&w->bus, until, error == -EINPROGRESS ? NULL : w->job);
	if (error == -EINPROGRESS || w->job->step != STEP_DONE)
		return -EINPROGRESS;
	if (error == 0) {
		fill_result(w, ret);
		w->errors[w->ended++] = ret->error;
	}
	w->job->is_awaited = false;
	w->job = NULL;
	return error;
}

int fake_await(struct world *world, uint64_t until, struct job_result *ret)
{
	struct fake_world *w = fake(world);
	int r;

	if (!w->job)
		fake_abort("waits for no job");
	while ((r = await_job(w, until, ret)) == 0 && w->ended < w->list.count &&
	       !w->is_stopped) {
		if (w->current.kind == JOB_ASK_DEVICE && ret->error == -ENXIO) {
			jobs_next(&w->list, &w->list_used, &w->current);
			w->errors[w->ended++] = -ECANCELED;
			if (w->ended == w->list.count)
				return 0;
		}
		(void)begin_job(w);
	}
	return r;
}
