/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one way to change a file of the machine: what stays, what is refused, who waits. */
#include "tree.h"

#include <signal.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "edit_file.h"
#include "files.h"
#include "wall.h"

#define LEFTOVER "etc/.earlybind-new"

static struct arena arena;
static const char *root;

static int new_root(void **state unused)
{
	arena = test_arena((size_t)8 * 1024 * 1024);
	root = tree_new();
	tree_mkdir(root, "etc");
	assert_int_equal(wall_set(root), 0);
	return 0;
}

static int remove_root(void **state unused)
{
	test_arena_free(&arena);
	assert_int_equal(wall_set(NULL), 0);
	tree_remove(root);
	return 0;
}

static struct edit_file file(const char *name)
{
	return (struct edit_file){.name = name, .sysroot = root, .mode = 0644};
}

static struct text read_it(const char *name)
{
	const struct edit_file f = file(name);
	struct text t;

	check_int(name, edit_file_read(&f, &arena, 4096, &t), 0);
	return t;
}

static int replace(const struct edit_file *f, const char *new)
{
	struct text old, none = {NULL, 0};
	int r = edit_file_read(f, &arena, 4096, &old);

	return r < 0 ? r : edit_file_replace(f, old, new ? text_of(new) : none, &arena);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(tree_path(root, path), &st) == 0;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(tree_path(root, path), &st), 0);
	return st.st_mode;
}

static void test_life(void **state unused)
{
	const struct edit_file f = file("/etc/a.conf");

	check_text("none", read_it("/etc/a.conf"), NULL);
	assert_int_equal(replace(&f, "one\n"), 0);
	check_text("new", read_it("/etc/a.conf"), "one\n");
	check_int("mode", mode_of("etc/a.conf") & 07777, 0644);
	assert_int_equal(replace(&f, ""), 0);
	check_text("empty", read_it("/etc/a.conf"), "");
	assert_int_equal(replace(&f, NULL), 0);
	check_text("gone", read_it("/etc/a.conf"), NULL);
	assert_int_equal(replace(&f, NULL), 0);
	assert_false(is_there(LEFTOVER));
}

static void test_folders(void **state unused)
{
	const struct edit_file f = file("/var/lib/earlybind/cmdline");

	assert_int_equal(replace(&f, "x"), 0);
	check_text("new", read_it("/var/lib/earlybind/cmdline"), "x");
}

/* Links are followed, absolute ones and ".." not out of the tree, and kept. */
static void test_links(void **state unused)
{
	static const struct {
		const char *target, *real;
	} cases[] = {
		{"../real/b.conf", "real/b.conf"},
		{"/real/b.conf", "real/b.conf"},
		{"/../../real/b.conf", "real/b.conf"},
		{"/linked/b.conf", "real/b.conf"},
		{"second", "etc/third"},
		{"/real/new.conf", "real/new.conf"},
	};
	const struct edit_file f = file("/etc/link.conf");

	tree_write(root, "real/b.conf", "old");
	tree_write(root, "etc/third", "old");
	assert_int_equal(symlink("third", tree_path(root, "etc/second")), 0);
	assert_int_equal(symlink("/real", tree_path(root, "linked")), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)unlink(tree_path(root, "etc/link.conf"));
		assert_int_equal(
			symlink(cases[i].target, tree_path(root, "etc/link.conf")), 0);
		check_int(cases[i].target, replace(&f, cases[i].target), 0);
		check_true(cases[i].target, S_ISLNK(mode_of("etc/link.conf")));
		check_true(cases[i].target, S_ISREG(mode_of(cases[i].real)));
		check_text(cases[i].target, read_it(tree_path("", cases[i].real)),
			   cases[i].target);
	}
	/* What goes is the link. */
	assert_int_equal(replace(&f, NULL), 0);
	assert_false(is_there("etc/link.conf"));
	assert_true(is_there("real/new.conf"));
}

static void test_no_file(void **state unused)
{
	static const char *const names[] = {"/etc/fifo", "/etc/folder", "/etc/null"};

	assert_int_equal(mkfifo(tree_path(root, "etc/fifo"), 0600), 0);
	tree_mkdir(root, "etc/folder");
	tree_mkdir(root, "dev");
	assert_int_equal(mkfifo(tree_path(root, "dev/null"), 0600), 0);
	assert_int_equal(symlink("/dev/null", tree_path(root, "etc/null")), 0);
	assert_int_equal(symlink("loop", tree_path(root, "etc/loop")), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct edit_file f = file(names[i]);
		struct text t;

		check_int(names[i], edit_file_read(&f, &arena, 4096, &t), -EINVAL);
		check_int(
			names[i],
			edit_file_replace(&f, (struct text){NULL, 0}, TEXT("x"), &arena),
			-EINVAL);
	}
	{
		const struct edit_file f = file("/etc/loop");

		assert_int_equal(replace(&f, "x"), -ELOOP);
	}
	assert_true(S_ISFIFO(mode_of("dev/null")));
}

/* An ACL: owner rw, user 1000 @named, group @group, mask @mask, others nothing. */
static bool put_acl(const char *path, uint16_t named, uint16_t group, uint16_t mask)
{
	const struct {
		uint32_t version;
		struct {
			uint16_t tag, permissions;
			uint32_t id;
		} entries[5];
	} acl = {2,
		 {{1, 6, UINT32_MAX},
		  {2, named, 1000},
		  {4, group, UINT32_MAX},
		  {16, mask, UINT32_MAX},
		  {32, 0, UINT32_MAX}}};

	/* A file system may have none: there is nothing to be kept then. */
	return setxattr(path, "system.posix_acl_access", &acl, sizeof(acl), 0) == 0;
}

static void test_attributes(void **state unused)
{
	const struct edit_file f = file("/etc/a.conf");
	char path[PATH_MAX], value[8], before[256], after[256];
	struct stat st;
	ssize_t n;

	tree_write(root, "etc/a.conf", "old");
	snprintf(path, sizeof(path), "%s/etc/a.conf", root);
	if (geteuid() == 0)
		assert_int_equal(chown(path, 12, 34), 0);
	assert_int_equal(chmod(path, 0640), 0);
	/* The owning group gets nothing, though the mode shows rw for the mask. */
	if (setxattr(path, "user.note", "kept", 4, 0) < 0 || !put_acl(path, 4, 0, 6))
		return;
	n = getxattr(path, "system.posix_acl_access", before, sizeof(before));
	assert_int_equal(replace(&f, "new"), 0);
	assert_int_equal(stat(path, &st), 0);
	check_int("mode", st.st_mode & 07777, 0660);
	if (geteuid() == 0) {
		check_int("owner", st.st_uid, 12);
		check_int("group", st.st_gid, 34);
	}
	check_int("user.note", getxattr(path, "user.note", value, sizeof(value)), 4);
	check_int("ACL", getxattr(path, "system.posix_acl_access", after, sizeof(after)),
		  n);
	assert_memory_equal(before, after, (size_t)n);
}

/* The owner or the group alone is kept as well. */
static void test_owner(void **state unused)
{
	static const uid_t owners[][2] = {{12, 0}, {0, 34}};
	const struct edit_file f = file("/etc/a.conf");
	struct stat st;

	if (geteuid() != 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		const char *path = tree_path(root, "etc/a.conf");

		tree_write(root, "etc/a.conf", "old");
		assert_int_equal(chown(path, owners[i][0], owners[i][1]), 0);
		assert_int_equal(replace(&f, "new"), 0);
		assert_int_equal(stat(tree_path(root, "etc/a.conf"), &st), 0);
		check_int("owner", st.st_uid, (int)owners[i][0]);
		check_int("group", st.st_gid, (int)owners[i][1]);
	}
}

/* What the folder has for new files is not for one that is there. */
static void test_default_acl(void **state unused)
{
	const struct edit_file f = file("/etc/a.conf");
	const struct edit_file backup = {
		.name = "/etc/b.conf", .sysroot = root, .like = "/etc/a.conf"};
	char path[PATH_MAX], acl[256];
	ssize_t n;

	tree_write(root, "etc/a.conf", "old");
	snprintf(path, sizeof(path), "%s/etc/a.conf", root);
	if (!put_acl(path, 6, 6, 6))
		return;
	n = getxattr(path, "system.posix_acl_access", acl, sizeof(acl));
	assert_int_equal(setxattr(tree_path(root, "etc"), "system.posix_acl_default", acl,
				  (size_t)n, 0),
			 0);
	assert_int_equal(removexattr(path, "system.posix_acl_access"), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(replace(&f, "new"), 0);
	assert_int_equal(replace(&backup, "old"), 0);
	for (size_t i = 0; i < 2; i++) {
		const char *name = tree_path(root, i ? "etc/b.conf" : "etc/a.conf");

		check_int(name, getxattr(name, "system.posix_acl_access", acl, 256), -1);
		check_int(name, mode_of(i ? "etc/b.conf" : "etc/a.conf") & 07777, 0640);
	}
}

static int refuse(const void *arg, struct text bytes)
{
	return text_is(bytes, arg) ? -EINVAL : 0;
}

static void test_refused(void **state unused)
{
	struct edit_file f = file("/etc/a.conf");

	tree_write(root, "etc/a.conf", "old");
	tree_write(root, LEFTOVER, "of an edit that was killed");
	f.check = refuse;
	f.arg = "bad";
	assert_int_equal(replace(&f, "bad"), -EBADMSG);
	check_text("old", read_it("/etc/a.conf"), "old");
	assert_false(is_there(LEFTOVER));
	/* Changed, made or removed since it was read. */
	assert_int_equal(edit_file_replace(&f, TEXT("older"), TEXT("x"), &arena),
			 -ESTALE);
	assert_int_equal(edit_file_replace(&f, TEXT("ol"), TEXT("x"), &arena), -ESTALE);
	assert_int_equal(edit_file_replace(&f, (struct text){NULL, 0}, TEXT("x"), &arena),
			 -ESTALE);
	assert_int_equal(unlink(tree_path(root, "etc/a.conf")), 0);
	assert_int_equal(edit_file_replace(&f, TEXT("old"), TEXT("x"), &arena), -ESTALE);
	assert_false(is_there("etc/a.conf"));
}

static int take_its_name(const void *arg unused, struct text bytes unused)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", tree_path(root, LEFTOVER));
	assert_int_equal(unlink(path), 0);
	tree_write(root, LEFTOVER, "of another edit");
	return 0;
}

/* Somebody without the lock edits too: the file of another one gets no name from here. */
static void test_another_temporary(void **state unused)
{
	struct edit_file f = file("/etc/a.conf");

	tree_write(root, "etc/a.conf", "old");
	f.check = take_its_name;
	assert_int_equal(replace(&f, "new"), -ESTALE);
	check_text("old", read_it("/etc/a.conf"), "old");
}

/* A process that holds the lock below @sysroot until it is killed. */
static pid_t hold(void)
{
	int ends[2], lock;
	pid_t pid;
	char c;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (edit_lock(root, 0, &lock) == 0 && write(ends[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	check_int("lock", read(ends[0], &c, 1), 1);
	close(ends[0]);
	return pid;
}

static void release(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* There is a /run, there is none, it is something else, it cannot be written to. */
static void test_lock(void **state unused)
{
	for (int i = 0; i < 5; i++) {
		int lock = -1;
		pid_t pid;

		if (i == 1)
			tree_mkdir(root, "run");
		if (i == 2)
			assert_int_equal(chmod(tree_path(root, "run"), 0500), 0);
		if (i == 3) {
			(void)chmod(tree_path(root, "run"), 0700);
			(void)unlink(tree_path(root, "run/earlybind/edit.lock"));
			(void)rmdir(tree_path(root, "run/earlybind"));
			tree_write(root, "run/earlybind", "a file");
		}
		if (i == 4) {
			(void)unlink(tree_path(root, "run/earlybind"));
			tree_mkdir(root, "run/earlybind");
			assert_int_equal(
				mkfifo(tree_path(root, "run/earlybind/edit.lock"), 0600),
				0);
		}
		pid = hold();
		check_int("held", edit_lock(root, 0, &lock), -EBUSY);
		check_int("not taken", lock, -1);
		release(pid);
		check_int("free", edit_lock(root, 1, &lock), 0);
		lock_release(&lock);
		check_int("given back", lock, -1);
		check_int("again", edit_lock(root, 0, &lock), 0);
		lock_release(&lock);
	}
}

/* Its folder is that of the reports, too. */
static void test_lock_folder(void **state unused)
{
	mode_t mask = umask(077);
	int lock;

	tree_mkdir(root, "run");
	assert_int_equal(edit_lock(root, 0, &lock), 0);
	lock_release(&lock);
	umask(mask);
	check_int("folder", mode_of("run/earlybind") & 07777, 0755);
	check_int("lock", mode_of("run/earlybind/edit.lock") & 07777, 0600);
}

/* A process that was started meanwhile does not keep it. */
static void test_lock_of_child(void **state unused)
{
	int lock, again;
	pid_t pid;

	assert_int_equal(edit_lock(root, 0, &lock), 0);
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(1);
	}
	lock_release(&lock);
	assert_int_equal(edit_lock(root, 0, &again), 0);
	lock_release(&again);
	release(pid);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, new_root, remove_root)
	const struct CMUnitTest tests[] = {
		TEST(test_life),	  TEST(test_folders),
		TEST(test_links),	  TEST(test_no_file),
		TEST(test_attributes),	  TEST(test_default_acl),
		TEST(test_refused),	  TEST(test_lock),
		TEST(test_lock_of_child), TEST(test_lock_folder),
		TEST(test_owner),	  TEST(test_another_temporary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
