/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wall around a sysroot: whatever the links below it say, the C library's functions reach
 * nothing outside. Everything is done by openat2() and by the walk of our own.
 */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wall.h"

#define LINKS_MAX 40

/* "top/host" is of the machine, "top/root" is the sysroot. */
static char top[] = "/tmp/earlybind-wall.XXXXXX";
static char root[sizeof(top) + 8];

static const char *below(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", root, name);
	return path;
}

static void put(const char *path, const char *bytes)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fputs(bytes, f) >= 0, true);
	assert_int_equal(fclose(f), 0);
}

static void link_to(const char *name, const char *format, ...) printf_like(2, 3);

static void link_to(const char *name, const char *format, ...)
{
	char target[PATH_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(target, sizeof(target), format, ap);
	va_end(ap);
	assert_int_equal(symlink(target, below(name)), 0);
}

static int make(void **state unused)
{
	char path[PATH_MAX];

	if (top[sizeof(top) - 2] == 'X')
		assert_non_null(mkdtemp(top));
	else
		assert_int_equal(mkdir(top, 0700), 0);
	snprintf(root, sizeof(root), "%s/root", top);
	snprintf(path, sizeof(path), "%s/host", top);
	put(path, "host");
	assert_int_equal(mkdir(root, 0755), 0);
	assert_int_equal(mkdir(below("etc"), 0755), 0);
	assert_int_equal(mkdir(below("etc/deep"), 0755), 0);
	put(below("etc/file"), "tree");
	link_to("etc/absolute", "/etc/file");
	link_to("etc/deep/relative", "../file");
	link_to("etc/deep/clamped", "../../../../../../etc/file");
	link_to("middle", "/etc/deep/");
	link_to("etc/out", "%s/host", top);
	link_to("etc/up", "../../host");
	link_to("top", "%s", top);
	link_to("above", "..");
	link_to("loop", "loop");
	link_to("first", "second/x");
	link_to("second", "first/x");
	link_to("etc/new", "/etc/deep/made");
	link_to("etc/new-out", "%s/made", top);
	put(below("chain-0"), "tree");
	for (int i = 1; i <= LINKS_MAX + 1; i++) {
		char name[32];

		snprintf(name, sizeof(name), "chain-%d", i);
		link_to(name, "chain-%d", i - 1);
	}
	assert_int_equal(mkfifo(below("fifo"), 0644), 0);
	assert_int_equal(wall_set(root), 0);
	return 0;
}

static int remove_one(const char *path, const struct stat *st unused, int kind unused,
		      struct FTW *ftw unused)
{
	return remove(path);
}

static int clean(void **state unused)
{
	struct dirent *entry;
	size_t count = 0;
	DIR *d;

	assert_int_equal(wall_set(NULL), 0);
	wall_set_walk(false);
	d = opendir(top);
	assert_non_null(d);
	while ((entry = readdir(d)))
		count++;
	closedir(d);
	assert_int_equal(count, 4); /* ".", "..", "host", "root" */
	return nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Every test runs by the kernel's look-up, then by our own. */
static void each_way(void (*test)(void))
{
	test();
	assert_int_equal(clean(NULL), 0);
	assert_int_equal(make(NULL), 0);
	wall_set_walk(true);
	test();
}

/* What the file has in it; "-ENOENT" and the like as a number where it cannot be opened. */
static void check_read(const char *name, const char *want, int error)
{
	char buf[16] = "";
	FILE *f;
	int fd;

	errno = 0;
	fd = open(below(name), O_RDONLY | O_CLOEXEC);
	check_int(name, fd < 0 ? errno : 0, error);
	f = fopen(below(name), "re");
	check_int(name, f ? 0 : errno, error);
	if (fd < 0)
		return;
	assert_int_equal(read(fd, buf, sizeof(buf) - 1) >= 0, true);
	assert_string_equal(buf, want);
	assert_non_null(fgets(buf, sizeof(buf), f));
	assert_string_equal(buf, want);
	close(fd);
	fclose(f);
}

static void read_files(void)
{
	check_read("etc/file", "tree", 0);
	check_read("etc/absolute", "tree", 0);
	check_read("etc/deep/relative", "tree", 0);
	check_read("etc/deep/clamped", "tree", 0);
	check_read("etc/deep/../file", "tree", 0);
	check_read("middle/relative", "tree", 0);
	check_read("middle/../file", "tree", 0);
	check_read("../../../etc/file", "tree", 0);
	check_read("/etc//./file", "tree", 0);
	check_read("etc/out", "", ENOENT);
	check_read("etc/up", "", ENOENT);
	check_read("top/host", "", ENOENT);
	check_read("above/host", "", ENOENT);
	check_read("../host", "", ENOENT);
	check_read("etc/file/x", "", ENOTDIR);
	check_read("etc/file/", "", ENOTDIR);
	check_read("loop", "", ELOOP);
	check_read("first", "", ELOOP);
	check_read("chain-40", "tree", 0);
	check_read("chain-41", "", ELOOP);
	check_read("fifo", "", EBADMSG);
}

static void test_read(void **state unused)
{
	each_way(read_files);
}

static void look_at_files(void)
{
	char buf[PATH_MAX], want[PATH_MAX];
	struct stat st, file;
	ssize_t n;

	assert_int_equal(stat(below("etc/file"), &file), 0);
	assert_int_equal(stat(below("etc/absolute"), &st), 0);
	assert_int_equal(st.st_ino, file.st_ino);
	assert_int_equal(lstat(below("etc/absolute"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat(below("middle/relative"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(below("fifo"), &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	assert_int_equal(stat(below("etc/out"), &st), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(stat(below("top/host"), &st), -1);
	assert_int_equal(stat(root, &st), 0);
	assert_int_equal(access(below("middle/clamped"), F_OK), 0);
	assert_int_equal(access(below("etc/absolute"), R_OK), 0);
	assert_int_equal(access(below("etc/up"), F_OK), -1);
	n = readlink(below("middle/relative"), buf, sizeof(buf));
	assert_int_equal(n, strlen("../file"));
	assert_int_equal(readlink(below("etc/file"), buf, sizeof(buf)), -1);
	assert_int_equal(errno, EINVAL);
	assert_non_null(realpath(below("middle/clamped"), buf));
	snprintf(want, sizeof(want), "%s/etc/file", root);
	assert_string_equal(buf, want);
	assert_non_null(realpath(below("middle"), buf));
	snprintf(want, sizeof(want), "%s/etc/deep", root);
	assert_string_equal(buf, want);
	assert_null(realpath(below("etc/out"), buf));
}

static void test_look(void **state unused)
{
	each_way(look_at_files);
}

static size_t count_entries(DIR *d)
{
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* A descriptor of a folder is inside as well, and so is what is opened from it. */
static void use_folders(void)
{
	int etc = open(below("etc"), O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	struct stat st;
	char buf[8];

	assert_true(etc >= 0);
	assert_int_equal(count_entries(opendir(below("middle"))), 4);
	assert_null(opendir(below("top")));
	/* The root is above itself. */
	assert_int_equal(count_entries(opendir(below("above"))),
			 count_entries(opendir(root)));
	fd = openat(etc, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstatat(fd, "clamped", &st, 0), 0);
	assert_int_equal(fstatat(fd, "../../../host", &st, 0), -1);
	assert_int_equal(fstatat(fd, "../up", &st, 0), -1);
	assert_int_equal(fstatat(fd, "../up", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(readlinkat(fd, "relative", buf, sizeof(buf)), 7);
	assert_int_equal(openat(etc, "out", O_RDONLY | O_CLOEXEC), -1);
	assert_int_equal(errno, ENOENT);
	close(fd);
	close(etc);
}

static void test_folders(void **state unused)
{
	each_way(use_folders);
}

static void check_written(const char *name)
{
	struct stat st;

	check_int(name, lstat(below(name), &st), 0);
}

static void write_files(void)
{
	char template[PATH_MAX];
	int fd;

	put(below("etc/new"), "x");
	check_written("etc/deep/made");
	/* There is no such folder in the tree. */
	assert_null(fopen(below("etc/new-out"), "we"));
	assert_null(fopen(below("top/made"), "we"));
	/* The root's parent is the root. */
	put(below("above/made"), "x");
	check_written("made");
	assert_int_equal(mkdir(below("middle/folder"), 0755), 0);
	check_written("etc/deep/folder");
	assert_int_equal(mkdir(below("top/folder"), 0755), -1);
	assert_int_equal(mkdir(below("above/folder"), 0755), 0);
	assert_int_equal(mkdir(below("middle/.."), 0755), -1);
	assert_int_equal(errno, EEXIST);
	check_written("folder");
	assert_int_equal(symlink("/x", below("middle/link")), 0);
	check_written("etc/deep/link");
	snprintf(template, sizeof(template), "%s", below("middle/file.XXXXXX"));
	fd = mkostemp(template, O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(rename(template, below("above/etc/renamed")), 0);
	check_written("etc/renamed");
	assert_int_equal(rename(below("etc/renamed"), below("top/renamed")), -1);
	assert_int_equal(unlink(below("top/host")), -1);
	assert_int_equal(unlink(below("above/host")), -1);
	assert_int_equal(unlink(below("middle/link")), 0);
	assert_int_equal(unlink(below("..")), -1);
	snprintf(template, sizeof(template), "%s", below("top/file.XXXXXX"));
	assert_int_equal(mkostemp(template, O_CLOEXEC), -1);
	assert_int_equal(open(below("fifo"), O_WRONLY | O_CLOEXEC), -1);
	assert_int_equal(errno, EBADMSG);
}

static void test_write(void **state unused)
{
	each_way(write_files);
}

/* A folder that is open stays the one that is written to, wherever it is moved. */
static void write_in_folder(void)
{
	int etc = open(below("etc"), O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	struct stat st;

	assert_true(etc >= 0);
	assert_int_equal(rename(below("etc"), below("moved")), 0);
	assert_int_equal(mkdir(below("etc"), 0755), 0);
	fd = openat(etc, "temporary", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fstatat(etc, "temporary", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(renameat(etc, "temporary", etc, "written"), 0);
	check_written("moved/written");
	assert_int_equal(unlinkat(etc, "written", 0), 0);
	assert_int_equal(unlinkat(etc, "../host", 0), -1);
	assert_int_equal(unlinkat(etc, "..", 0), -1);
	assert_int_equal(mkdirat(etc, "folder", 0755), 0);
	check_written("moved/folder");
	close(etc);
}

static void test_write_in_folder(void **state unused)
{
	each_way(write_in_folder);
}

/* What is not below the sysroot is as ever: only a FIFO is not waited for. */
static void test_outside(void **state unused)
{
	char path[PATH_MAX], beside[PATH_MAX];
	int pair[2], fd;

	snprintf(path, sizeof(path), "%s/host", top);
	put(path, "host");
	/* "ROOT-x" is not in ROOT. */
	snprintf(beside, sizeof(beside), "%s-x", root);
	put(beside, "x");
	assert_int_equal(access(beside, W_OK), 0);
	assert_int_equal(unlink(beside), 0);
	assert_int_equal(mkfifo(beside, 0644), 0);
	assert_int_equal(open(beside, O_RDONLY | O_CLOEXEC), -1);
	assert_int_equal(errno, EBADMSG);
	assert_null(fopen(beside, "r"));
	assert_int_equal(unlink(beside), 0);
	/* "<(COMMAND)" of a shell. */
	assert_int_equal(pipe(pair), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", pair[0]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	close(fd);
	close(pair[0]);
	close(pair[1]);
}

/* libkmod and libpci would read a file without an end until there is no memory. */
static void test_huge(void **state unused)
{
	FILE *file;
	int fd;

	fd = open(below("etc/huge"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	for (unsigned i = 0; i < 2; i++) {
		bool is_huge = i == 0;

		assert_int_equal(ftruncate(fd, ((off_t)64 << 20) + is_huge), 0);
		file = fopen(below("etc/huge"), "re");
		assert_true(!file == is_huge);
		if (file)
			fclose(file);
		file = fdopen(fcntl(fd, F_DUPFD_CLOEXEC, 0), "r");
		assert_true(!file == is_huge);
		if (file)
			fclose(file);
	}
	close(fd);
}

static void test_no_wall(void **state unused)
{
	char buf[8] = "";
	int fd;

	assert_int_equal(wall_set("/"), 0);
	fd = open(below("etc/out"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, buf, sizeof(buf) - 1), 4);
	assert_string_equal(buf, "host");
	close(fd);
	assert_int_equal(wall_set(below("nowhere")), -ENOENT);
	assert_int_equal(wall_set(below("etc/file")), -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, make, clean),
		cmocka_unit_test_setup_teardown(test_look, make, clean),
		cmocka_unit_test_setup_teardown(test_folders, make, clean),
		cmocka_unit_test_setup_teardown(test_write, make, clean),
		cmocka_unit_test_setup_teardown(test_write_in_folder, make, clean),
		cmocka_unit_test_setup_teardown(test_outside, make, clean),
		cmocka_unit_test_setup_teardown(test_huge, make, clean),
		cmocka_unit_test_setup_teardown(test_no_wall, make, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
