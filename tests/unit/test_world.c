/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real door, over a tree of files in a temporary folder. */
#include "tree.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "jobs.h"
#include "world.h"

static struct world *new_world(const char *root)
{
	struct world *world;

	assert_int_equal(world_open(root, &world), 0);
	return world;
}

static void test_read(void **state unused)
{
	const char *root = tree_new();
	struct world *world;
	struct text t;
	char buf[8];

	tree_write(root, "sys/a/short", "abc\n");
	tree_write(root, "sys/a/fits", "1234567");
	tree_write(root, "sys/a/long", "12345678");
	tree_write(root, "sys/a/empty", "");
	tree_write(root, "proc/cmdline", "quiet\n");
	assert_int_equal(mkfifo(tree_path(root, "sys/a/fifo"), 0644), 0);
	world = new_world(root);
	assert_int_equal(world->ops->read(world, WORLD_SYS, "a/short", buf, sizeof(buf)),
			 4);
	assert_int_equal(world->ops->read(world, WORLD_SYS, "a/fits", buf, sizeof(buf)),
			 7);
	assert_int_equal(world->ops->read(world, WORLD_SYS, "a/long", buf, sizeof(buf)),
			 -E2BIG);
	assert_memory_equal(buf, "12345678", 8);
	assert_int_equal(world->ops->read(world, WORLD_SYS, "a/empty", buf, sizeof(buf)),
			 0);
	assert_int_equal(world->ops->read(world, WORLD_SYS, "a/none", buf, sizeof(buf)),
			 -ENOENT);
	assert_int_equal(world->ops->read(world, WORLD_SYS, "a", buf, sizeof(buf)),
			 -EISDIR);
	/* A FIFO without a writer does not hold up the boot. */
	assert_int_equal(world->ops->read(world, WORLD_SYS, "a/fifo", buf, sizeof(buf)),
			 0);
	assert_int_equal(
		world_read_text(world, WORLD_PROC, "cmdline", buf, sizeof(buf), &t), 0);
	check_text("text", t, "quiet");
	/* There is no such root in this tree. */
	assert_int_equal(world->ops->read(world, WORLD_ETC, "x", buf, sizeof(buf)),
			 -ENOENT);
	world_close(world);
	tree_remove(root);
}

static void test_link(void **state unused)
{
	const char *root = tree_new();
	struct world *world;
	char buf[8];

	tree_write(root, "sys/file", "");
	assert_int_equal(symlink("../../drivers/abc", tree_path(root, "sys/driver")), 0);
	assert_int_equal(symlink("plain", tree_path(root, "sys/plain")), 0);
	assert_int_equal(symlink("x/1234567", tree_path(root, "sys/seven")), 0);
	assert_int_equal(symlink("x/12345678", tree_path(root, "sys/eight")), 0);
	world = new_world(root);
	assert_int_equal(world->ops->link(world, WORLD_SYS, "driver", buf, sizeof(buf)),
			 3);
	assert_string_equal(buf, "abc");
	assert_int_equal(world->ops->link(world, WORLD_SYS, "plain", buf, sizeof(buf)),
			 5);
	assert_int_equal(world->ops->link(world, WORLD_SYS, "seven", buf, sizeof(buf)),
			 7);
	assert_int_equal(world->ops->link(world, WORLD_SYS, "eight", buf, sizeof(buf)),
			 -ENAMETOOLONG);
	assert_int_equal(world->ops->target(world, WORLD_SYS, "plain", buf, sizeof(buf)),
			 5);
	assert_string_equal(buf, "plain");
	assert_int_equal(world->ops->target(world, WORLD_SYS, "plain", buf, 6), 5);
	assert_int_equal(world->ops->target(world, WORLD_SYS, "plain", buf, 5),
			 -ENAMETOOLONG);
	assert_int_equal(world->ops->target(world, WORLD_SYS, "none", buf, sizeof(buf)),
			 -ENOENT);
	assert_int_equal(world->ops->link(world, WORLD_SYS, "file", buf, sizeof(buf)),
			 -EINVAL);
	assert_int_equal(world->ops->link(world, WORLD_SYS, "none", buf, sizeof(buf)),
			 -ENOENT);
	world_close(world);
	tree_remove(root);
}

static struct text read_text(struct world *world, const char *path)
{
	static char buf[32];
	struct text t = TEXT("?");

	return world_read_text(world, WORLD_SYS, path, buf, sizeof(buf), &t) < 0
		       ? TEXT("none")
		       : t;
}

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

#define DEVICE_FOLDER "sys/bus/pci/devices/0000:01:00.0"

/* A folder that was entered stays the same one, until nothing is left in it. */
static void test_enter(void **state unused)
{
	const char *root = tree_new(), *devices = "bus/pci/devices";
	struct world *world = new_world(root);
	char path[128], buf[32];
	int descriptors;

	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:%02x:00.0/number",
			 i);
		snprintf(buf, sizeof(buf), "%d", i);
		tree_write(root, path, buf);
	}
	tree_write(root, "sys/bus/pci/devices/a_name_that_is_much_too_long/x", "long");
	tree_write(root, "sys/bus/pci/devices/file", "file");
	check_text("none entered",
		   read_text(world, "bus/pci/devices/0000:03:00.0/number"), "3");
	descriptors = count_descriptors();
	world->ops->enter(world, devices);
	/* More than there is room for: each one is found all the same. */
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 200; i++) {
			snprintf(path, sizeof(path), "bus/pci/devices/0000:%02x:00.0", i);
			world->ops->enter(world, path);
			strcat(path, "/number");
			snprintf(buf, sizeof(buf), "%d", i);
			check_text(path, read_text(world, path), buf);
			check_text("first",
				   read_text(world, "bus/pci/devices/0000:00:00.0/"
						    "number"),
				   "0");
		}
	world->ops->enter(world, "bus/pci/devices/a_name_that_is_much_too_long");
	world->ops->enter(world, "bus/pci/devices/none");
	world->ops->enter(world, "bus/pci/devices/");
	check_text("long",
		   read_text(world, "bus/pci/devices/a_name_that_is_much_too_long/x"),
		   "long");
	check_text("none", read_text(world, "bus/pci/devices/none/x"), "none");
	check_text("file", read_text(world, "bus/pci/devices/file"), "file");
	check_text("another folder", read_text(world, "bus/pci/devices2/x"), "none");
	assert_true(count_descriptors() > descriptors);
	world->ops->enter(world, NULL);
	assert_int_equal(count_descriptors(), descriptors);
	check_text("left", read_text(world, "bus/pci/devices/0000:03:00.0/number"), "3");
	world_close(world);
	tree_remove(root);
}

/* Where a process may have few descriptors, the folders leave enough of them. */
static void test_enter_with_few_descriptors(void **state unused)
{
	const struct rlimit few = {40, 40};
	const char *root = tree_new();
	struct world *world;
	char path[64];
	int status;
	pid_t pid;

	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:%02x:00.0/number",
			 i);
		tree_write(root, path, "x");
	}
	pid = fork();
	if (pid == 0) {
		if (setrlimit(RLIMIT_NOFILE, &few) < 0 || world_open(root, &world) < 0)
			_exit(99);
		world->ops->enter(world, "bus/pci/devices");
		for (int i = 0; i < 100; i++) {
			snprintf(path, sizeof(path), "bus/pci/devices/0000:%02x:00.0", i);
			world->ops->enter(world, path);
			strcat(path, "/number");
			if (!text_is(read_text(world, path), "x"))
				_exit(1);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	tree_remove(root);
}

/* Makes what is at the device's place another device. */
static void replace_device(const char *root)
{
	assert_int_equal(unlink(tree_path(root, DEVICE_FOLDER "/subsystem")), 0);
	assert_int_equal(unlink(tree_path(root, DEVICE_FOLDER "/number")), 0);
	assert_int_equal(
		rename(tree_path(root, DEVICE_FOLDER), tree_path(root, "sys/removed")),
		0);
	tree_write(root, DEVICE_FOLDER "/number", "new");
	tree_write(root, DEVICE_FOLDER "/driver_override", "");
}

static void test_enter_device_that_is_replaced(void **state unused)
{
	const char *folder = "bus/pci/devices/0000:01:00.0";
	const char *root = tree_new();
	struct world *world;
	char link[16];

	tree_write(root, DEVICE_FOLDER "/number", "old");
	assert_int_equal(symlink("../pci", tree_path(root, DEVICE_FOLDER "/subsystem")),
			 0);
	world = new_world(root);
	world->ops->enter(world, "bus/pci/devices");
	world->ops->enter(world, folder);
	check_text("old", read_text(world, "bus/pci/devices/0000:01:00.0/number"), "old");
	/* What is not there is not there, in a device that is. */
	world->ops->enter(world, "bus/pci/devices");
	world->ops->enter(world, folder);
	check_text("nothing", read_text(world, "bus/pci/devices/0000:01:00.0/no"),
		   "none");
	assert_int_equal(
		rename(tree_path(root, DEVICE_FOLDER), tree_path(root, "sys/moved")), 0);
	check_text("still open", read_text(world, "bus/pci/devices/0000:01:00.0/number"),
		   "old");
	assert_int_equal(
		rename(tree_path(root, "sys/moved"), tree_path(root, DEVICE_FOLDER)), 0);
	replace_device(root);
	assert_int_equal(world->ops->link(world, WORLD_SYS,
					  "bus/pci/devices/0000:01:00.0/driver", link,
					  sizeof(link)),
			 -ENOENT);
	check_text("new", read_text(world, "bus/pci/devices/0000:01:00.0/number"), "new");
	world_close(world);
	tree_remove(root);
}

/* The same where the place of its folder was that of another device before. */
static void test_enter_device_that_shares_its_place(void **state unused)
{
	const char *root = tree_new();
	struct world *world;
	char path[64];

	tree_write(root, DEVICE_FOLDER "/number", "old");
	assert_int_equal(symlink("../pci", tree_path(root, DEVICE_FOLDER "/subsystem")),
			 0);
	world = new_world(root);
	world->ops->enter(world, "bus/pci/devices");
	world->ops->enter(world, "bus/pci/devices/0000:01:00.0");
	/* As a snapshot does: many more than there are places for. */
	for (int i = 0; i < 2000; i++) {
		snprintf(path, sizeof(path), "sys/bus/pci/devices/0000:%02x:%02x.%d",
			 2 + i / 256, i / 8 % 32, i % 8);
		tree_mkdir(root, path);
		world->ops->enter(world, path + 4);
	}
	/* As the run does: this one has to be opened anew. */
	world->ops->enter(world, "bus/pci/devices");
	world->ops->enter(world, "bus/pci/devices/0000:01:00.0");
	check_text("old", read_text(world, "bus/pci/devices/0000:01:00.0/number"), "old");
	replace_device(root);
	check_text("new", read_text(world, "bus/pci/devices/0000:01:00.0/number"), "new");
	world_close(world);
	tree_remove(root);
}

static int count_until_third(void *arg, const char *name)
{
	int *count = arg;

	assert_true(name[0] != '.');
	return ++*count == 3 ? 7 : 0;
}

static void test_list(void **state unused)
{
	const char *root = tree_new();
	struct world *world;
	int count = 0;

	tree_mkdir(root, "sys/few");
	tree_write(root, "sys/few/1", "");
	tree_write(root, "sys/few/2", "");
	world = new_world(root);
	assert_int_equal(
		world->ops->list(world, WORLD_SYS, "few", count_until_third, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(
		world->ops->list(world, WORLD_SYS, "few", count_until_third, &count), 7);
	assert_int_equal(count, 3);
	assert_int_equal(
		world->ops->list(world, WORLD_SYS, "none", count_until_third, &count),
		-ENOENT);
	assert_int_equal(
		world->ops->list(world, WORLD_SYS, "few/1", count_until_third, &count),
		-ENOTDIR);
	world_close(world);
	tree_remove(root);
}

/* A tree of files is not a machine. */
static void test_nothing_is_written_below_a_tree(void **state unused)
{
	static const enum job_kind kinds[] = {JOB_STORE, JOB_LOAD_MODULE,
					      JOB_GROUP_STATUS};
	const char *root = tree_new();
	struct world *world;

	tree_write(root, "sys/bus/pci/drivers_probe", "untouched");
	world = new_world(root);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct job job = {.kind = kinds[i], .path = "bus/pci/drivers_probe"};
		struct job_result result;

		assert_int_equal(
			world_run(world, &job, world->ops->now(world) + SECOND, &result),
			-EROFS);
	}
	assert_string_equal(tree_read(root, "sys/bus/pci/drivers_probe"), "untouched");
	world_close(world);
	tree_remove(root);
}

static void test_modprobe_d_of_a_tree(void **state unused)
{
	const struct job job = {.kind = JOB_MODULE_IDS};
	const char *root = tree_new();
	static struct job_result result;
	struct world *world;

	tree_write(root, "etc/modprobe.d/vfio.conf", "options vfio-pci ids=10ee:5000\n");
	world = new_world(root);
	assert_int_equal(
		world_run(world, &job, world->ops->now(world) + 20 * SECOND, &result), 0);
	assert_int_equal(result.error, 0);
	assert_true(result.is_found);
	check_text("ids", ((struct text){result.text, result.length}), "10ee:5000");
	world_close(world);
	tree_remove(root);
}

static void test_publish(void **state unused)
{
	const char *root = tree_new();
	struct world *world;

	tree_mkdir(root, "run");
	world = new_world(root);
	assert_int_equal(world->ops->publish(world, PUBLISH_OWN, "report.json",
					     TEXT("first, longer")),
			 0);
	assert_int_equal(
		world->ops->publish(world, PUBLISH_OWN, "report.json", TEXT("second")),
		0);
	assert_string_equal(tree_read(root, "run/earlybind/report.json"), "second");
	assert_int_equal(access(tree_path(root, "run/earlybind/.report.json.new"), F_OK),
			 -1);
	world_close(world);
	tree_remove(root);
}

static void test_publish_places(void **state unused)
{
	const char *root = tree_new();
	struct world *world;

	tree_mkdir(root, "run");
	world = new_world(root);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(world->ops->publish(world, PUBLISH_DEVICE, "a.json",
						     TEXT("device")),
				 0);
		assert_int_equal(
			world->ops->publish(world, PUBLISH_UDEV, "a.rules", TEXT("udev")),
			0);
	}
	assert_string_equal(tree_read(root, "run/earlybind/devices/a.json"), "device");
	assert_string_equal(tree_read(root, "run/udev/rules.d/a.rules"), "udev");
	world_close(world);
	tree_remove(root);
	/* No link is followed on the way. */
	root = tree_new();
	tree_mkdir(root, "elsewhere/rules.d");
	tree_mkdir(root, "run");
	assert_int_equal(symlink("../elsewhere", tree_path(root, "run/udev")), 0);
	world = new_world(root);
	assert_true(world->ops->publish(world, PUBLISH_UDEV, "a.rules", TEXT("x")) < 0);
	assert_int_equal(access(tree_path(root, "elsewhere/rules.d/a.rules"), F_OK), -1);
	world_close(world);
	tree_remove(root);
}

/* Somebody else's link in the place of the folder or the file is not followed. */
static void test_publish_follows_no_link(void **state unused)
{
	char victim[PATH_MAX];
	const char *root = tree_new();
	struct world *world;

	tree_write(root, "elsewhere/victim", "untouched");
	tree_mkdir(root, "run");
	assert_int_equal(symlink("../elsewhere", tree_path(root, "run/earlybind")), 0);
	world = new_world(root);
	assert_true(world->ops->publish(world, PUBLISH_OWN, "victim", TEXT("x")) < 0);
	assert_string_equal(tree_read(root, "elsewhere/victim"), "untouched");
	assert_int_equal(unlink(tree_path(root, "run/earlybind")), 0);
	tree_mkdir(root, "run/earlybind");
	/* What is in the place of the file that is renamed is not written to. */
	assert_int_equal(symlink("../../elsewhere/victim",
				 tree_path(root, "run/earlybind/.report.json.new")),
			 0);
	assert_int_equal(
		world->ops->publish(world, PUBLISH_OWN, "report.json", TEXT("x")), 0);
	assert_string_equal(tree_read(root, "run/earlybind/report.json"), "x");
	assert_string_equal(tree_read(root, "elsewhere/victim"), "untouched");
	snprintf(victim, sizeof(victim), "%s", tree_path(root, "elsewhere/victim"));
	assert_int_equal(link(victim, tree_path(root, "run/earlybind/.report.json.new")),
			 0);
	assert_int_equal(
		world->ops->publish(world, PUBLISH_OWN, "report.json", TEXT("y")), 0);
	assert_int_equal(mkfifo(tree_path(root, "run/earlybind/.report.json.new"), 0600),
			 0);
	assert_int_equal(
		world->ops->publish(world, PUBLISH_OWN, "report.json", TEXT("z")), 0);
	assert_string_equal(tree_read(root, "run/earlybind/report.json"), "z");
	assert_string_equal(tree_read(root, "elsewhere/victim"), "untouched");
	world_close(world);
	tree_remove(root);
}

/* Before /init: what is published in a /run that is no mount would be hidden by one. */
static void test_publish_before_init(void **state unused)
{
	const char *root = tree_new();
	struct world *world;
	int status;
	pid_t pid;

	tree_mkdir(root, "run");
	tree_mkdir(root, "dev");
	world = new_world(root);
	world_set_early(world);
	assert_int_equal(
		world->ops->publish(world, PUBLISH_OWN, "report.json", TEXT("early")), 0);
	assert_string_equal(tree_read(root, "dev/.earlybind/report.json"), "early");
	assert_int_equal(access(tree_path(root, "run/earlybind"), F_OK), -1);
	world_close(world);

	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			_exit(geteuid() == 0 ? 99 : 0);
		(void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
		if (mount("run", tree_path(root, "run"), "tmpfs", 0, NULL) < 0)
			_exit(98);
		if (world_open(root, &world) < 0)
			_exit(97);
		world_set_early(world);
		if (world->ops->publish(world, PUBLISH_OWN, "report.json",
					TEXT("mounted")) < 0)
			_exit(96);
		_exit(strcmp(tree_read(root, "run/earlybind/report.json"), "mounted") ||
		      strcmp(tree_read(root, "dev/.earlybind/report.json"), "early"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	/* Without a /dev nothing is published: it would be lost without a word. */
	tree_remove(root);
	root = tree_new();
	tree_mkdir(root, "run");
	world = new_world(root);
	world_set_early(world);
	assert_int_equal(
		world->ops->publish(world, PUBLISH_OWN, "report.json", TEXT("x")),
		-ENOENT);
	world_close(world);
	tree_remove(root);
}

static void test_no_run(void **state unused)
{
	const char *root = tree_new();
	struct world *world = new_world(root);

	assert_int_equal(
		world->ops->publish(world, PUBLISH_OWN, "report.json", TEXT("x")),
		-ENOENT);
	world_close(world);
	tree_remove(root);
}

static void test_roots_that_are_none(void **state unused)
{
	const char *root = tree_new();
	char path[PATH_MAX + 1];
	struct world *world;

	tree_write(root, "file", "");
	assert_int_equal(world_open(tree_path(root, "file"), &world), -ENOTDIR);
	assert_int_equal(world_open(tree_path(root, "none"), &world), -ENOENT);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(world_open(path, &world), -ENAMETOOLONG);
	tree_remove(root);
}

/* What an unbind is covered with: a file of an earlier run, or a trap, is in its place. */
static int cover_over(const char *target)
{
	struct job_context context = {.sysroot = ""};
	struct job job = {.kind = JOB_COVER, .value = "covered"};
	struct job_result result;

	snprintf(job.path, sizeof(job.path), "..%s", target);
	job_execute(&context, &job, &result);
	return result.error;
}

static void test_cover(void **state unused)
{
	const char *root = tree_new();
	char target[PATH_MAX], text[8] = "";
	int status;
	pid_t pid;

	tree_write(root, "uevent", "kernel");
	snprintf(target, sizeof(target), "%s", tree_path(root, "uevent"));
	pid = fork();
	if (pid == 0) {
		int fd;

		if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			_exit(geteuid() == 0 ? 99 : 0);
		(void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
		if (mount("run", "/run", "tmpfs", 0, NULL) < 0)
			_exit(98);
		if (cover_over(target) < 0 || umount2(target, MNT_DETACH) < 0)
			_exit(97);
		fd = open("/run/earlybind/cover", O_WRONLY | O_CREAT, 0600);
		close(fd);
		if (cover_over(target) < 0 || umount2(target, MNT_DETACH) < 0)
			_exit(96);
		(void)mkdir("/run/earlybind/cover", 0700);
		if (cover_over(target) < 0)
			_exit(95);
		fd = open(target, O_RDONLY);
		_exit(read(fd, text, sizeof(text)) != 7 ||
		      memcmp(text, "covered", 7) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(tree_read(root, "uevent"), "kernel");
	tree_remove(root);
}

static void test_clock(void **state unused)
{
	const char *root = tree_new();
	struct world *world = new_world(root);
	uint64_t before = world->ops->now(world), after;

	world->ops->pause(world, 20 * MILLISECOND);
	after = world->ops->now(world);
	assert_true(after - before >= 20 * MILLISECOND);
	assert_true(after - before < 10 * SECOND);
	world_close(world);
	tree_remove(root);
}

/* A store is one write into a file that is there. */
static void test_store(void **state unused)
{
	const char *root = tree_new();
	struct job_context context = {.sysroot = ""};
	struct job job = {
		.kind = JOB_STORE, .path = "driver_override", .value = "vfio-pci"};
	static struct job_result result;

	tree_write(root, "driver_override", "");
	context.sys_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(context.sys_fd >= 0);
	job_execute(&context, &job, &result);
	assert_int_equal(result.error, 0);
	assert_string_equal(tree_read(root, "driver_override"), "vfio-pci");
	/* A line end is written as it is. */
	strcpy(job.value, "\n");
	job_execute(&context, &job, &result);
	assert_int_equal(result.error, 0);
	assert_string_equal(tree_read(root, "driver_override"), "\nfio-pci");
	/* A fence is one where its link is there. */
	tree_write(root, "control", "");
	job = (struct job){
		.kind = JOB_FENCE, .path = "control", .value = "fence", .ids = "driver"};
	job_execute(&context, &job, &result);
	assert_int_equal(result.error, -ENODEV);
	assert_string_equal(tree_read(root, "control"), "");
	assert_int_equal(symlink("../vfio-pci", tree_path(root, "driver")), 0);
	job_execute(&context, &job, &result);
	assert_int_equal(result.error, 0);
	assert_string_equal(tree_read(root, "control"), "fence");
	job.kind = JOB_STORE;
	strcpy(job.path, "bind");
	job_execute(&context, &job, &result);
	assert_int_equal(result.error, -ENOENT);
	assert_int_equal(access(tree_path(root, "bind"), F_OK), -1);
	close(context.sys_fd);
	context.sys_fd = -ENOENT;
	job_execute(&context, &job, &result);
	assert_int_equal(result.error, -ENOENT);
	tree_remove(root);
}

static void test_group_that_is_none(void **state unused)
{
	const struct job_context context = {.sysroot = "", .sys_fd = -1};
	const struct job job = {.kind = JOB_GROUP_STATUS, .value = "no-such-group"};
	static struct job_result result;

	job_execute(&context, &job, &result);
	assert_int_equal(result.error, -ENOENT);
}

static void write_config(const char *root, const char *name, const unsigned char *bytes,
			 size_t n)
{
	FILE *file;

	tree_write(root, name, "");
	file = fopen(tree_path(root, name), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	fclose(file);
}

/* The file that the kernel has; its size says how much config space there is. */
static void test_serial_of_a_tree(void **state unused)
{
	static const unsigned char dsn[] = {0x03, 0,	0x01, 0,    0x34, 0x12,
					    0x00, 0xff, 0xff, 0x35, 0x0a, 0x00};
	static const struct {
		const char *name;
		size_t size;
		unsigned at; /* of the capability; 0: there is none */
		int error;
	} cases[] = {{"pci", 256, 0, -ENODATA},	     {"empty", 0, 0, -ENODATA},
		     {"none", 4096, 0, -ENODATA},    {"first", 4096, 0x100, 0},
		     {"second", 4096, 0x200, 0},     {"last", 4096, 0xff4, 0},
		     {"cut", 0x10a, 0x100, -EACCES}, {"cut", 0x102, 0x100, -EACCES}};
	const char *root = tree_new();
	struct world *world = new_world(root);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct job job = {.kind = JOB_READ_SERIAL};
		static struct job_result result;
		unsigned char bytes[4096] = {0};
		unsigned at = cases[i].at;

		if (at > 0x100) {
			bytes[0x100] = 1;
			bytes[0x102] = (unsigned char)(at << 4 & 0xf0);
			bytes[0x103] = (unsigned char)(at >> 4);
		}
		if (at > 0)
			memcpy(bytes + at, dsn, sizeof(dsn));
		write_config(root, "sys/config", bytes, cases[i].size);
		strcpy(job.path, "config");
		assert_int_equal(world_run(world, &job,
					   world->ops->now(world) + 10 * SECOND, &result),
				 0);
		check_int(cases[i].name, result.error, cases[i].error);
		if (cases[i].error == 0)
			check_true(cases[i].name,
				   result.serial == UINT64_C(0x000a35ffff001234));
	}
	world_close(world);
	tree_remove(root);
}

/* Dead is what reads as ones throughout; a virtual function does so where its IDs should be. */
static void test_device_that_does_not_answer(void **state unused)
{
	static const struct {
		const char *name;
		size_t size, from, to; /* bytes that are not ones */
		int error;
	} cases[] = {{"dead", 256, 0, 0, -ENXIO},    {"dead, 4096", 4096, 0, 0, -ENXIO},
		     {"alive", 256, 0, 256, 0},	     {"virtual", 256, 6, 8, 0},
		     {"header only", 64, 14, 15, 0}, {"cut", 8, 0, 0, -EACCES},
		     {"empty", 0, 0, 0, -EACCES}};
	const char *root = tree_new();
	struct job_context context = {.sysroot = ""};
	struct job job = {.kind = JOB_ASK_DEVICE, .path = "config"};
	static struct job_result result;

	context.sys_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	job_execute(&context, &job, &result);
	assert_int_equal(result.error, -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned char bytes[4096];

		memset(bytes, 0xff, sizeof(bytes));
		memset(bytes + cases[i].from, 0x10, cases[i].to - cases[i].from);
		write_config(root, "config", bytes, cases[i].size);
		job_execute(&context, &job, &result);
		check_int(cases[i].name, result.error, cases[i].error);
	}
	close(context.sys_fd);
	context.sys_fd = -ENOENT;
	job_execute(&context, &job, &result);
	assert_int_equal(result.error, -ENOENT);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_enter),
		cmocka_unit_test(test_enter_device_that_is_replaced),
		cmocka_unit_test(test_enter_with_few_descriptors),
		cmocka_unit_test(test_enter_device_that_shares_its_place),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_nothing_is_written_below_a_tree),
		cmocka_unit_test(test_modprobe_d_of_a_tree),
		cmocka_unit_test(test_serial_of_a_tree),
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_publish_places),
		cmocka_unit_test(test_publish_follows_no_link),
		cmocka_unit_test(test_publish_before_init),
		cmocka_unit_test(test_no_run),
		cmocka_unit_test(test_roots_that_are_none),
		cmocka_unit_test(test_cover),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_group_that_is_none),
		cmocka_unit_test(test_device_that_does_not_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
