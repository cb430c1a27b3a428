/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two binders at once, and one after another. */
#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "fake_check.h"
#include "run.h"
#include "tree.h"

#define CARD	 "0000:01:00.0"
#define CARD_1	 "0000:01:00.1"
#define CMDLINE	 "vfio-pci.ids=10ee:5000,10ee:5001 rd.earlybind.timeout=4"
#define FIRST	 RUN_OWN REPORT_FIRST_NAME
#define NO_WRITE ""

static struct fake_world *alveo(const char *cmdline)
{
	struct fake_world *w = fake_new();

	fake_load_machine(w, "alveo", false);
	w->cmdline = cmdline;
	return w;
}

static const char *file_of(const struct fake_world *w, const char *path)
{
	const struct fake_file *file = fake_find_file(w, WORLD_RUN, path);

	return file ? file->bytes : "";
}

static void boot_ok(struct fake_world *w, int code)
{
	struct fake_boot boot;
	const char *message;

	fake_boot(w, NULL, &boot);
	message = fake_check(w, &boot);
	if (message)
		fail_msg("%s", message);
	assert_int_equal(boot.code, code);
	fake_boot_free(&boot);
}

/* The one that is first works for ever: the second waits for its timeout, and no longer. */
static void test_lost_turn(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	struct fake_boot boot;

	w->lock_error = -EAGAIN;
	w->lock_until = FAKE_FOREVER;
	fake_boot(w, NULL, &boot);
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	assert_true(boot.end - boot.start >= 4 * SECOND);
	assert_true(boot.end - boot.start < 5 * SECOND);
	check_contains("log", w->log, "<6>another binder is at work: waiting for it\n");
	check_contains("log", w->log,
		       "<4>nothing was done: another binder is still at work after 4 s, "
		       "and the report will be its own\n");
	/* Nothing but modprobe.d was asked for, and no report stands in the other's way. */
	assert_null(strstr(w->trace, "write"));
	assert_int_equal(w->publishes, 0);
	assert_int_equal(fake_find_device(&w->bus, CARD)->writes, 0);
	fake_boot_free(&boot);
	fake_free(w);
}

static void first_one_is_done(struct fake_world *w)
{
	struct fake_driver *vfio = fake_find_driver(&w->bus, "vfio-pci");

	fake_put_file(w, WORLD_RUN, RUN_OWN REPORT_NAME, TEXT("{\"of\": \"the first\"}"));
	fake_find_module(w, "vfio_pci")->state = MODULE_IS_LIVE;
	vfio->state = DRIVER_REGISTERED;
	fake_bind_now(fake_find_device(&w->bus, CARD), vfio);
	fake_bind_now(fake_find_device(&w->bus, CARD_1), vfio);
}

static void test_waits_and_finds_all_done(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	w->lock_error = -EAGAIN;
	w->lock_until = 3 * SECOND;
	w->lock_end = first_one_is_done;
	boot_ok(w, EXIT_ALL_BOUND);
	assert_int_equal(fake_find_device(&w->bus, CARD)->writes, 0);
	check_contains("report", w->report, "\"action\": \"done\"");
	check_string("first", file_of(w, FIRST), "{\"of\": \"the first\"}");
	fake_free(w);
}

static void test_without_a_lock(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);

	w->lock_error = -EROFS;
	boot_ok(w, EXIT_ALL_BOUND);
	check_contains("log", w->log,
		       "<7>it is unknown whether another binder is running: read-only");
	fake_free(w);
}

/* Run after run: what the first one has found is not lost, and no third one takes its place. */
static void test_one_after_another(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE);
	char *first;

	fake_give(w, CARD, "xclmgmt");
	boot_ok(w, EXIT_ALL_BOUND);
	check_contains("report", w->report, "\"before\": \"xclmgmt\"");
	check_string("first", file_of(w, FIRST), "");
	first = strdup(w->report);
	for (int i = 0; i < 2; i++) {
		unsigned writes = fake_find_device(&w->bus, CARD)->writes;

		boot_ok(w, EXIT_ALL_BOUND);
		check_contains("report", w->report, "\"action\": \"done\"");
		assert_int_equal(fake_find_device(&w->bus, CARD)->writes, writes);
		check_string("first", file_of(w, FIRST), first);
	}
	free(first);
	fake_free(w);
}

static void test_stuck_stays_alone(void **state unused)
{
	struct fake_world *w = alveo(CMDLINE " rd.earlybind.recovery_timeout=2");
	struct fake_boot boot;
	unsigned writes;

	fake_give(w, CARD, "xclmgmt")->remove_time = FAKE_FOREVER;
	boot_ok(w, EXIT_NOT_ALL);
	check_contains("report", w->report, "\"verdict\": \"stuck\"");
	writes = fake_find_device(&w->bus, CARD)->writes;
	w->log[0] = '\0';
	fake_boot(w, NULL, &boot);
	assert_int_equal(boot.code, EXIT_NOT_ALL);
	assert_true(boot.end - boot.start < SECOND);
	assert_int_equal(fake_find_device(&w->bus, CARD)->writes, writes);
	check_contains("log", w->log,
		       CARD
		       " [10ee:5000] stuck: the kernel did not come back from a write of "
		       "an earlier run: the device is not touched again");
	check_contains("judged", file_of(w, RUN_OWN "judged"), CARD " 10ee:5000 stuck");
	fake_boot_free(&boot);
	fake_free(w);
}

static void late_one_is_done(struct fake_world *w)
{
	first_one_is_done(w);
	fake_put_file(w, WORLD_RUN, RUN_DEVICE CARD ".verdict",
		      TEXT(CARD " 10ee:5000 bound\n"));
	fake_put_file(w, WORLD_RUN, RUN_DEVICE CARD ".json", TEXT("of the first"));
}

/* Two events for one device: the second run leaves it, and the report, to the first. */
static void test_one_device_twice(void **state unused)
{
	static const struct {
		uint64_t until;
		int code;
		const char *log;
	} cases[] = {
		{2 * SECOND, EXIT_ALL_BOUND,
		 "<7>" CARD " is left alone: it was judged in this boot"},
		{FAKE_FOREVER, EXIT_NOT_ALL,
		 "<4>" CARD
		 " is left to another binder, which is still at work after 4 s"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_world *w = alveo(CMDLINE);
		struct fake_boot boot;

		w->lock_error = -EAGAIN;
		w->lock_until = cases[i].until;
		w->lock_end = late_one_is_done;
		fake_late(w, NULL, CARD, false, &boot);
		check_int(cases[i].log, boot.code, cases[i].code);
		check_contains("log", w->log, cases[i].log);
		assert_int_equal(fake_find_device(&w->bus, CARD)->writes, 0);
		if (i == 0)
			check_string("report", file_of(w, RUN_DEVICE CARD ".json"),
				     "of the first");
		fake_boot_free(&boot);
		fake_free(w);
	}
}

static void bind_it(struct fake_bus *bus, void *arg)
{
	struct fake_driver *vfio = fake_find_driver(bus, "vfio-pci");

	vfio->state = DRIVER_REGISTERED;
	if (!fake_find_device(bus, arg)->has_link)
		fake_bind_now(fake_find_device(bus, arg), vfio);
}

/* udev's run for a device, beside the boot's: whoever binds it, both find it bound. */
static void test_another_one_binds_it(void **state unused)
{
	for (uint64_t at = 0; at < 12 * MILLISECOND; at += MILLISECOND / 4) {
		struct fake_world *w = alveo(CMDLINE);

		fake_at(&w->bus, w->bus.now + at, bind_it, (void *)CARD);
		boot_ok(w, EXIT_ALL_BOUND);
		fake_free(w);
	}
}

/* ---- real processes ------------------------------------------------------------------- */

static struct world *new_world(const char *root)
{
	struct world *world;

	assert_int_equal(world_open(root, &world), 0);
	return world;
}

static int lock(struct world *world)
{
	return world->ops->lock(world, PUBLISH_OWN, TURN_BOOT_NAME);
}

/* What another process says of the lock while this one has it. */
static int ask_child(const char *root)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(-lock(new_world(root)));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void test_real_lock(void **state unused)
{
	const char *root = tree_new();
	struct world *world;
	int ends[2];
	pid_t stuck;

	tree_mkdir(root, "run");
	world = new_world(root);
	assert_int_equal(lock(world), 0);
	assert_int_equal(lock(world), 0);
	assert_int_equal(ask_child(root), -EAGAIN);
	/* A worker that is left behind in the kernel keeps what it has open for ever. */
	assert_int_equal(pipe(ends), 0);
	stuck = fork();
	if (stuck == 0) {
		char byte;

		close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	close(ends[0]);
	world_close(world);
	assert_int_equal(ask_child(root), 0);
	close(ends[1]);
	assert_int_equal(waitpid(stuck, NULL, 0), stuck);
	tree_remove(root);
}

static void test_real_lock_cannot_be_had(void **state unused)
{
	const char *root = tree_new();
	struct world *world = new_world(root);

	assert_int_equal(lock(world), -ENOENT);
	world_close(world);
	tree_mkdir(root, "run/earlybind");
	assert_int_equal(symlink("/etc/passwd", tree_path(root, "run/earlybind/lock")),
			 0);
	world = new_world(root);
	assert_int_equal(lock(world), -ELOOP);
	world_close(world);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_turn),
		cmocka_unit_test(test_waits_and_finds_all_done),
		cmocka_unit_test(test_without_a_lock),
		cmocka_unit_test(test_one_after_another),
		cmocka_unit_test(test_stuck_stays_alone),
		cmocka_unit_test(test_one_device_twice),
		cmocka_unit_test(test_another_one_binds_it),
		cmocka_unit_test(test_real_lock),
		cmocka_unit_test(test_real_lock_cannot_be_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
