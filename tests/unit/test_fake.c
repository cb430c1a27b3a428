/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model of the PCI bus does what the kernel does: one statement after the other, each with
 * its source. A model that is wrong makes every test on it worthless.
 *
 * bus.c, dd.c: drivers/base; pci-driver.c: drivers/pci; vfio_pci.c: drivers/vfio/pci. "Seen"
 * are statements that were checked on running kernels in QEMU (5.10, 6.1, 6.12, 7.2).
 */
#include "test.h"

#include "fake_world.h"

#define CARD	"0000:01:00.0"
#define CARD_1	"0000:01:00.1"
#define PENDING 1
#define VFIO	"vfio-pci"
#define SHORT	1000 /* microseconds in which everything quick is over */

static struct fake_world *w;
static struct fake_device *card, *second;
static struct fake_driver *native, *vfio;

/* Two functions without a driver; their driver is not registered, vfio-pci is. */
static int set_up(void **state unused)
{
	w = fake_new();
	fake_load_machine(w, "alveo", false);
	card = fake_find_device(&w->bus, CARD);
	second = fake_find_device(&w->bus, CARD_1);
	native = fake_find_driver(&w->bus, "xclmgmt");
	vfio = fake_find_driver(&w->bus, VFIO);
	vfio->state = DRIVER_REGISTERED;
	native->probe_time = native->remove_time = 100;
	return 0;
}

static int tear_down(void **state unused)
{
	fake_free(w);
	return 0;
}

static int outcome(const struct fake_task *task)
{
	return task->step == STEP_DONE ? task->error : PENDING;
}

static struct fake_task *start(enum fake_op op, struct fake_device *d,
			       struct fake_driver *driver, const char *value)
{
	struct fake_task *task = fake_start(&w->bus, op, d, driver);

	task->is_awaited = true;
	snprintf(task->value, sizeof(task->value), "%s", value);
	return task;
}

static void go_on(uint64_t time)
{
	fake_run(&w->bus, w->bus.now + time, NULL);
}

/* What a write says within SHORT; PENDING if it blocks. */
static int say(enum fake_op op, struct fake_device *d, struct fake_driver *driver,
	       const char *value)
{
	struct fake_task *task = start(op, d, driver, value);

	go_on(SHORT);
	return outcome(task);
}

static int override(struct fake_device *d, const char *value)
{
	return say(OP_OVERRIDE, d, NULL, value);
}

static int bind(struct fake_device *d, struct fake_driver *driver)
{
	return say(OP_BIND, d, driver, "");
}

static int unbind(struct fake_device *d, struct fake_driver *driver)
{
	return say(OP_UNBIND, d, driver, "");
}

static int drivers_probe(struct fake_device *d)
{
	return say(OP_DRIVERS_PROBE, d, NULL, "");
}

static struct fake_task *load_native(void)
{
	return start(OP_REGISTER, NULL, native, "");
}

static const char *driver_of(const struct fake_device *d)
{
	return fake_driver_of(d);
}

static void each_kernel(void (*f)(void))
{
	static const enum fake_kernel kernels[] = {FAKE_5_10, FAKE_6_1, FAKE_7_1};

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		(void)set_up(NULL);
		w->bus.kernel = kernels[i];
		f();
		fake_free(w);
	}
}

/* ---- driver_override ---- */

/* pci_match_device(): only the driver of exactly that name, which needs no ID. Seen. */
static void check_match(void)
{
	assert_int_equal(override(card, "vfio_pci"), 0);
	assert_int_equal(bind(card, vfio), -ENODEV);
	assert_int_equal(override(card, " " VFIO), 0);
	assert_int_equal(bind(card, vfio), -ENODEV);
	native->state = DRIVER_REGISTERED;
	assert_int_equal(override(card, VFIO), 0);
	assert_int_equal(bind(card, native), -ENODEV);
	assert_int_equal(bind(card, vfio), 0);
	assert_string_equal(driver_of(card), VFIO);
}

/* driver_set_override(): cut at the first line end; a line end alone clears. Seen. */
static void check_override_text(void)
{
	assert_int_equal(override(card, VFIO "\njunk"), 0);
	assert_string_equal(card->override, VFIO);
	assert_int_equal(override(card, "\n"), 0);
	assert_false(card->has_override);
	/* It unbinds nothing, and clearing it neither. */
	assert_int_equal(override(card, VFIO), 0);
	assert_string_equal(driver_of(card), "");
	assert_int_equal(bind(card, vfio), 0);
	assert_int_equal(override(card, "\n"), 0);
	assert_string_equal(driver_of(card), VFIO);
}

/* driver_override_store() takes the device's lock up to 6.12; a spinlock of its own in 7.1. */
static void check_override_lock(void)
{
	native->probe_time = FAKE_SECOND;
	(void)load_native();
	go_on(SHORT);
	assert_string_equal(driver_of(card), "xclmgmt");
	assert_int_equal(override(card, VFIO), w->bus.kernel == FAKE_7_1 ? 0 : PENDING);
	go_on(2 * FAKE_SECOND);
	assert_true(card->has_override);
	/* Written into a probe that is past its second match: the driver keeps it. Seen. */
	assert_string_equal(driver_of(card), "xclmgmt");
	assert_true(card->is_bound);
}

/* __pci_device_probe() matches again: one that is between link and match fails. */
static void test_second_match(void **state unused)
{
	w->bus.kernel = FAKE_7_1;
	native->link_time = 50;
	(void)load_native();
	go_on(20);
	assert_string_equal(driver_of(card), "xclmgmt");
	(void)start(OP_OVERRIDE, card, NULL, VFIO);
	go_on(100);
	assert_string_equal(driver_of(card), "");
	assert_false(card->is_bound);
}

/* The override goes with its device. */
static void test_override_of_a_new_device(void **state unused)
{
	struct pci_ids other = {0x144d, 0xa808, 0, 0, 0x010802};
	struct fake_device *d;

	assert_int_equal(override(card, VFIO), 0);
	d = fake_replace(&w->bus, card, other);
	assert_ptr_equal(fake_find_device(&w->bus, CARD), d);
	assert_false(d->has_override);
	assert_int_equal(bind(d, vfio), -ENODEV);
	assert_int_equal(bind(card, vfio), -ENODEV);
}

/* ---- bind and unbind ---- */

/* bind_store(), __driver_probe_device(): EBUSY for any driver; ENODEV in 5.10. Seen. */
static void check_bind_of_a_bound_device(void)
{
	(void)load_native();
	go_on(SHORT);
	assert_int_equal(override(card, VFIO), 0);
	assert_int_equal(bind(card, vfio), w->bus.kernel == FAKE_5_10 ? -ENODEV : -EBUSY);
}

/* What the probe says, and in 5.10 ENODEV (5.14: "also return probe errors"). Seen. */
static void check_probe_errors(void)
{
	static const int errors[] = {-EINVAL, -EBUSY, -ENOMEM, -EIO};

	assert_int_equal(override(card, VFIO), 0);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		card->vfio_error = errors[i];
		assert_int_equal(bind(card, vfio),
				 w->bus.kernel == FAKE_5_10 ? -ENODEV : errors[i]);
		assert_string_equal(driver_of(card), "");
	}
	card->vfio_error = 0;
	card->vf_count = 1; /* vfio_pci_core.c: a card with functions */
	assert_int_equal(bind(card, vfio), w->bus.kernel == FAKE_5_10 ? -ENODEV : -EBUSY);
	card->vf_count = 0;
	card->group = FAKE_NO_GROUP;
	assert_int_equal(bind(card, vfio),
			 w->bus.kernel == FAKE_5_10 ? -ENODEV : -EINVAL);
}

/*
 * It waits for the device's lock. But who does not match is told so at once, and before 5.14
 * whoever binds what has a driver or is losing it. Seen.
 */
static void check_bind_waits(void)
{
	struct fake_task *task;

	native->remove_time = FAKE_SECOND;
	(void)load_native();
	go_on(SHORT);
	(void)start(OP_UNBIND, card, native, "");
	go_on(SHORT);
	assert_int_equal(bind(card, vfio), -ENODEV);
	task = start(OP_BIND, card, native, "");
	go_on(SHORT);
	assert_int_equal(outcome(task), w->bus.kernel == FAKE_5_10 ? -ENODEV : PENDING);
	go_on(2 * FAKE_SECOND);
	assert_int_equal(outcome(task), w->bus.kernel == FAKE_5_10 ? -ENODEV : 0);
}

/* control_store() of power/sysfs.c: it waits in every kernel, and changes nothing. */
static void check_fence(void)
{
	struct job job = {.kind = JOB_FENCE, .value = "fence"};
	struct job_result result;

	native->probe_time = FAKE_SECOND;
	(void)load_native();
	go_on(SHORT);
	snprintf(job.path, sizeof(job.path), "bus/pci/devices/" CARD "/power/control");
	assert_int_equal(world_run(&w->world, &job, w->bus.now + SHORT, &result),
			 -ETIMEDOUT);
	go_on(2 * FAKE_SECOND);
	assert_int_equal(world_run(&w->world, &job, w->bus.now + SHORT, &result), 0);
	assert_int_equal(result.error, -EINVAL);
	assert_true(card->is_bound);
}

/* __device_release_driver(): the link goes before remove() runs; the write returns after. */
static void check_unbind(void)
{
	struct fake_task *task;

	native->remove_time = FAKE_SECOND;
	(void)load_native();
	go_on(SHORT);
	assert_int_equal(unbind(card, vfio), -ENODEV);
	task = start(OP_UNBIND, card, native, "");
	go_on(SHORT);
	assert_string_equal(driver_of(card), "");
	assert_int_equal(outcome(task), PENDING);
	/* Seen: no link, and drivers_probe says success at once, as if all were well. */
	assert_int_equal(drivers_probe(card), 0);
	go_on(FAKE_SECOND);
	assert_int_equal(outcome(task), 0);
	assert_int_equal(unbind(card, native), -ENODEV);
}

/* unbind_store() looks before it waits: what has let go in between is success. */
static void test_unbind_after_unbind(void **state unused)
{
	struct fake_task *first, *again;

	native->remove_time = FAKE_SECOND;
	(void)load_native();
	go_on(SHORT);
	first = start(OP_UNBIND, card, native, "");
	again = start(OP_UNBIND, card, native, "");
	go_on(2 * FAKE_SECOND);
	assert_int_equal(outcome(first), 0);
	assert_int_equal(outcome(again), 0);
}

/* A remove() that hangs holds the lock for ever. Seen. */
static void check_hung_remove(void)
{
	native->remove_time = FAKE_FOREVER;
	(void)load_native();
	go_on(SHORT);
	assert_int_equal(unbind(card, native), PENDING);
	assert_int_equal(override(card, VFIO), w->bus.kernel == FAKE_7_1 ? 0 : PENDING);
	go_on(1000 * (uint64_t)FAKE_SECOND);
	assert_int_equal(bind(card, native),
			 w->bus.kernel == FAKE_6_1 ? PENDING : -ENODEV);
	/* Registering a driver that the override names waits behind it. Seen. */
	if (w->bus.kernel != FAKE_7_1)
		return;
	vfio->state = DRIVER_ABSENT;
	assert_int_equal(say(OP_REGISTER, NULL, vfio, ""), PENDING);
	assert_int_equal(vfio->state, DRIVER_REGISTERING);
}

/* ---- drivers_probe ---- */

/* bus_rescan_devices_helper(): success, whatever became of it. Seen. */
static void check_drivers_probe(void)
{
	assert_int_equal(drivers_probe(card), 0);
	assert_string_equal(driver_of(card), "");
	assert_int_equal(override(card, VFIO), 0);
	card->vfio_error = -EIO;
	assert_int_equal(drivers_probe(card), 0);
	assert_string_equal(driver_of(card), "");
	card->vfio_error = 0;
	assert_int_equal(drivers_probe(card), 0);
	assert_string_equal(driver_of(card), VFIO);
}

/* ---- registering ---- */

/* bus_add_driver(): one device after the other, its files come last. Seen. */
static void test_registering(void **state unused)
{
	struct fake_device *other =
		fake_add_device(&w->bus, "0000:03:00.0", card->ids, 9);
	struct job job = {.kind = JOB_STORE, .path = "bus/pci/drivers/xclmgmt/unbind"};
	struct job_result result;

	native->probe_time = FAKE_SECOND;
	(void)load_native();
	go_on(FAKE_SECOND + SHORT);
	assert_true(card->is_bound);
	assert_string_equal(driver_of(other), "xclmgmt");
	assert_false(other->is_bound);
	snprintf(job.value, sizeof(job.value), "%s", CARD);
	assert_int_equal(world_run(&w->world, &job, w->bus.now + SHORT, &result), 0);
	assert_int_equal(result.error, -ENOENT);
	go_on(FAKE_SECOND);
	assert_true(other->is_bound);
	assert_int_equal(world_run(&w->world, &job, w->bus.now + SHORT, &result), 0);
	assert_int_equal(result.error, 0);
}

/* bus.c: suppress_bind_attrs */
static void test_no_bind_files(void **state unused)
{
	struct job job = {.kind = JOB_STORE, .path = "bus/pci/drivers/xclmgmt/unbind"};
	struct job_result result;

	native->has_no_bind_files = true;
	(void)load_native();
	go_on(SHORT);
	snprintf(job.value, sizeof(job.value), "%s", CARD);
	assert_int_equal(world_run(&w->world, &job, w->bus.now + SHORT, &result), 0);
	assert_int_equal(result.error, -ENOENT);
	assert_string_equal(driver_of(card), "xclmgmt");
}

/* vfio_pci_init(): what the overrides name first, then ids=, which overrides keep away. */
static void test_module_with_ids(void **state unused)
{
	struct fake_device *other =
		fake_add_device(&w->bus, "0000:03:00.0", card->ids, 9);
	struct job job = {.kind = JOB_LOAD_MODULE, .value = "vfio_pci", .ids = "10ee:*"};
	struct job_result result;

	snprintf(job.ids, sizeof(job.ids), "10ee:5000");
	vfio->state = DRIVER_ABSENT;
	assert_int_equal(override(second, VFIO), 0);
	assert_int_equal(override(other, "none"), 0);
	assert_int_equal(world_run(&w->world, &job, w->bus.now + FAKE_SECOND, &result),
			 0);
	assert_int_equal(result.error, 0);
	assert_string_equal(driver_of(card), VFIO);
	assert_string_equal(driver_of(second), VFIO);
	assert_string_equal(driver_of(other), "");
}

/* do_init_module(): async_synchronize_full(), for every module. Seen: 1.5 s. */
static void test_load_waits_for_async_probes(void **state unused)
{
	struct job job = {.kind = JOB_LOAD_MODULE, .value = "vfio_iommu_type1"};
	struct job_result result;

	native->is_async = true;
	native->probe_time = 2 * FAKE_SECOND;
	assert_int_equal(outcome(load_native()), PENDING);
	go_on(SHORT);
	/* The registration is over, the probe is not. */
	assert_int_equal(native->state, DRIVER_REGISTERED);
	assert_false(card->is_bound);
	assert_int_equal(world_run(&w->world, &job, w->bus.now + FAKE_SECOND, &result),
			 -ETIMEDOUT);
	assert_int_equal(
		world_run(&w->world, &job, w->bus.now + 2 * FAKE_SECOND, &result), 0);
	assert_true(card->is_bound);
}

/* ---- what is put off ---- */

/* device_driver_attach(): EAGAIN, never 517, and not queued; 5.10: really_probe() queues. */
static void check_deferred_bind(void)
{
	assert_int_equal(override(card, VFIO), 0);
	card->deferrals = 1;
	assert_int_equal(bind(card, vfio),
			 w->bus.kernel == FAKE_5_10 ? -ENODEV : -EAGAIN);
	assert_int_equal(card->is_deferred, w->bus.kernel == FAKE_5_10);
}

/* driver_deferred_probe_trigger(): a device that is bound has the others tried again. */
static void check_deferred_list(void)
{
	assert_int_equal(override(card, VFIO), 0);
	card->deferrals = 1;
	assert_int_equal(drivers_probe(card), 0);
	assert_true(card->is_deferred);
	assert_string_equal(driver_of(card), "");
	assert_int_equal(override(second, VFIO), 0);
	assert_int_equal(bind(second, vfio), 0);
	go_on(SHORT);
	assert_string_equal(driver_of(card), VFIO);
	assert_false(card->is_deferred);
}

/* The list matches again, under the override. Seen. */
static void test_deferred_native_under_an_override(void **state unused)
{
	struct fake_driver *xocl = fake_find_driver(&w->bus, "xocl");

	card->supplier = second;
	(void)load_native();
	go_on(SHORT);
	assert_true(card->is_deferred);
	vfio->state = DRIVER_ABSENT;
	assert_int_equal(override(card, VFIO), 0);
	(void)start(OP_REGISTER, NULL, xocl, "");
	go_on(SHORT);
	assert_string_equal(driver_of(second), "xocl");
	assert_string_equal(driver_of(card), "");
}

/* device_links_check_suppliers(), device_links_unbind_consumers() */
static void test_suppliers(void **state unused)
{
	card->supplier = second;
	assert_int_equal(override(card, VFIO), 0);
	assert_int_equal(override(second, VFIO), 0);
	assert_int_equal(bind(card, vfio), -EAGAIN);
	assert_int_equal(bind(second, vfio), 0);
	assert_int_equal(bind(card, vfio), 0);
	assert_int_equal(unbind(second, vfio), 0);
	assert_string_equal(driver_of(card), "");
}

/* pci_bus_add_device(): the event of a new device comes before it may be bound. */
static void test_settling(void **state unused)
{
	native->state = DRIVER_REGISTERED;
	fake_plug(&w->bus, card, FAKE_SECOND);
	assert_int_equal(override(card, VFIO), 0);
	assert_int_equal(bind(card, vfio), -ENODEV);
	go_on(FAKE_SECOND);
	assert_string_equal(driver_of(card), VFIO);
}

/* sriov_disable(): a card that goes takes its functions along. */
static void test_virtual_functions_go_with_their_card(void **state unused)
{
	second->physfn = CARD;
	fake_vanish(&w->bus, card);
	assert_null(fake_find_device(&w->bus, CARD_1));
}

static void test_on_each_kernel(void **state)
{
	each_kernel((void (*)(void))(uintptr_t)*state);
}

#define ON_EACH(name) \
	{ \
		"test_" #name, test_on_each_kernel, NULL, NULL, \
			(void *)(uintptr_t)check_##name \
	}
#define ONCE(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_EACH(match),
		ON_EACH(override_text),
		ON_EACH(override_lock),
		ONCE(second_match),
		ONCE(override_of_a_new_device),
		ON_EACH(bind_of_a_bound_device),
		ON_EACH(probe_errors),
		ON_EACH(bind_waits),
		ON_EACH(fence),
		ON_EACH(unbind),
		ONCE(unbind_after_unbind),
		ON_EACH(hung_remove),
		ON_EACH(drivers_probe),
		ONCE(registering),
		ONCE(no_bind_files),
		ONCE(module_with_ids),
		ONCE(load_waits_for_async_probes),
		ON_EACH(deferred_bind),
		ON_EACH(deferred_list),
		ONCE(deferred_native_under_an_override),
		ONCE(suppliers),
		ONCE(settling),
		ONCE(virtual_functions_go_with_their_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
