/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of modprobe.d through libkmod. It keeps one context, so each case is a process. */
#include "tree.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "modload.h"

#define FILES_MAX 4

struct modprobe_case {
	const char *name;
	const char *files[FILES_MAX][2]; /* path below the root, content */
	const char *ids; /* NULL: there are none */
	bool is_denylist_off;
	const char *cmdline; /* of the host; NULL: as it is */
};

static const struct modprobe_case cases[] = {
	{"nothing", {{NULL}}, NULL, false, NULL},
	{"one file",
	 {{"etc/modprobe.d/vfio.conf", "options vfio-pci ids=10ee:5000,10ee:5001\n"}},
	 "10ee:5000,10ee:5001",
	 false,
	 NULL},
	{"underscore",
	 {{"etc/modprobe.d/vfio.conf", "options vfio_pci ids=10ee:5000\n"}},
	 "10ee:5000",
	 false,
	 NULL},
	{"quotes",
	 {{"etc/modprobe.d/a.conf", "options vfio-pci ids=\"10ee:5000, 10ee:5001\"\n"}},
	 "10ee:5000, 10ee:5001",
	 false,
	 NULL},
	{"empty",
	 {{"etc/modprobe.d/a.conf", "options vfio-pci ids=\n"}},
	 "",
	 false,
	 NULL},
	{"among others",
	 {{"etc/modprobe.d/a.conf",
	   "# ids=1:1\noptions vfio-pci disable_vga=1 ids=10ee:5000 disable_idle_d3=1\n"}},
	 "10ee:5000",
	 false,
	 NULL},
	{"continued line",
	 {{"etc/modprobe.d/a.conf", "options vfio-pci \\\n  ids=10ee:5000\n"}},
	 "10ee:5000",
	 false,
	 NULL},
	{"the last line wins",
	 {{"etc/modprobe.d/a.conf",
	   "options vfio-pci ids=1:1\noptions vfio-pci ids=2:2\n"}},
	 "2:2",
	 false,
	 NULL},
	{"the last file wins",
	 {{"etc/modprobe.d/b.conf", "options vfio-pci ids=2:2\n"},
	  {"etc/modprobe.d/a.conf", "options vfio-pci ids=1:1\n"}},
	 "2:2",
	 false,
	 NULL},
	{"files of all folders, by name",
	 {{"lib/modprobe.d/c.conf", "options vfio-pci ids=3:3\n"},
	  {"run/modprobe.d/b.conf", "options vfio-pci ids=2:2\n"},
	  {"etc/modprobe.d/a.conf", "options vfio-pci ids=1:1\n"}},
	 "3:3",
	 false,
	 NULL},
	{"the administrator's file hides the packager's",
	 {{"lib/modprobe.d/a.conf", "options vfio-pci ids=3:3\n"},
	  {"etc/modprobe.d/a.conf", "options vfio-pci ids=1:1\n"}},
	 "1:1",
	 false,
	 NULL},
	{"only .conf",
	 {{"etc/modprobe.d/a.conf.dpkg-old", "options vfio-pci ids=1:1\n"}},
	 NULL,
	 false,
	 NULL},
	{"other modules",
	 {{"etc/modprobe.d/a.conf",
	   "options vfio ids=1:1\noptions xvfio-pci ids=1:1\noptions pci-stub ids=1:1\n"}},
	 NULL,
	 false,
	 NULL},
	{"other lines",
	 {{"etc/modprobe.d/a.conf",
	   "softdep nvidia pre: vfio-pci\nblacklist nvidia\nalias x vfio-pci\n"
	   "options vfio-pci ids=1:1\n"}},
	 "1:1",
	 false,
	 NULL},
	{"a line that ends within words",
	 {{"etc/modprobe.d/a.conf", "opti\\\nons vf\\\nio-pci ids=10ee:5000\n"}},
	 "10ee:5000",
	 false,
	 NULL},
	{"denylist",
	 {{"etc/modprobe.d/a.conf", "options vfio-pci disable_denylist=1\n"}},
	 NULL,
	 true,
	 NULL},
	{"denylist, no value",
	 {{"etc/modprobe.d/a.conf", "options vfio-pci disable_denylist ids=1:1\n"}},
	 "1:1",
	 true,
	 NULL},
	{"denylist, off",
	 {{"etc/modprobe.d/a.conf", "options vfio-pci disable_denylist=0\n"}},
	 NULL,
	 false,
	 NULL},
	{"nonsense",
	 {{"etc/modprobe.d/a.conf", "options\noptions vfio-pci\n\xff\xfe=\"\n"}},
	 NULL,
	 false,
	 NULL},
	/* The binder reads the command line itself, by the kernel's grammar. */
	{"the host's command line",
	 {{"etc/modprobe.d/a.conf", "options vfio-pci ids=1:1\n"}},
	 "1:1",
	 false,
	 "vfio-pci.ids=2:2 vfio-pci.disable_denylist=1"},
	{"only the host's command line",
	 {{NULL}},
	 NULL,
	 false,
	 "vfio-pci.ids=2:2 -- vfio-pci.ids=3:3"},
};

#ifdef COVERAGE
void __gcov_dump(void);
#endif

static void leave(int code) __attribute__((noreturn));
static void leave(int code)
{
#ifdef COVERAGE
	__gcov_dump();
#endif
	_exit(code);
}

/* In a process of its own: another text in the place of /proc/cmdline. */
static bool replace_cmdline(const char *root, const char *text)
{
	tree_write(root, "host-cmdline", text);
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	(void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	return mount(tree_path(root, "host-cmdline"), "/proc/cmdline", NULL, MS_BIND,
		     NULL) == 0;
}

/* What is found without libkmod: whether there may be such options. */
static bool may_have_options(const char *root)
{
	struct world *world;
	bool may;

	if (world_open(root, &world) < 0)
		return false;
	may = world->ops->has_module_options(world);
	world_close(world);
	return may;
}

/* 0: as wanted; 2: cannot be tried here; 3: nobody would have asked libkmod. */
static int try_case(const struct modprobe_case *c, const char *root)
{
	static struct job_result result;
	int r;

	if (c->cmdline && !replace_cmdline(root, c->cmdline))
		return 2;
	r = modload_read_options(root, &result);
	if (r < 0 || result.is_found != (c->ids != NULL) ||
	    result.is_denylist_off != c->is_denylist_off)
		return 1;
	if ((c->ids || c->is_denylist_off) && !may_have_options(root))
		return 3;
	return c->ids && !text_is((struct text){result.text, result.length}, c->ids);
}

/* libkmod is asked only where a file may have options of vfio's modules. */
static void test_may_have_options(void **state unused)
{
	static const struct {
		const char *path, *bytes; /* NULL: a folder */
		bool may;
	} files[] = {
		{"etc/modprobe.d", NULL, false},
		{"etc/modprobe.d/a.conf", "# options vfio-pci ids=1:1\n", false},
		{"etc/modprobe.d/a.conf", "softdep nouveau pre: vfio-pci\n", false},
		{"etc/modprobe.d/a.conf", "options snd index=-2\nblacklist vfio\n",
		 false},
		{"etc/modprobe.d/a.conf", "options vfio-pci\n", true},
		{"lib/modprobe.d/a.conf", "x\n \toptions  vfio_iommu_type1 x=1", true},
		{"usr/local/lib/modprobe.d/a.conf", "options a\\", true},
		/* What cannot be read so is libkmod's. */
		{"run/modprobe.d/a.conf", "", true},
		{"usr/lib/modprobe.d/a.conf", NULL, true},
		{"etc/modprobe.d", "options vfio-pci ids=1:1\n", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const char *root = tree_new();

		if (files[i].bytes)
			tree_write(root, files[i].path, files[i].bytes);
		else
			tree_mkdir(root, files[i].path);
		check_int(files[i].bytes ? files[i].bytes : files[i].path,
			  may_have_options(root), files[i].may);
		tree_remove(root);
	}
}

static void test_options(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *root = tree_new();
		int status;
		pid_t pid;

		tree_mkdir(root, "lib/modules/1");
		for (size_t k = 0; k < FILES_MAX && cases[i].files[k][0]; k++)
			tree_write(root, cases[i].files[k][0], cases[i].files[k][1]);
		pid = fork();
		if (pid == 0)
			leave(try_case(&cases[i], root));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		/* Without root there is no namespace to be had; as root nothing is skipped. */
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2 && geteuid() != 0)
			print_message("# not tried, no namespaces here: %s\n",
				      cases[i].name);
		else
			check_int(cases[i].name, status, 0);
		tree_remove(root);
	}
}

static int read_long(size_t length, const char *root)
{
	static struct job_result result;
	char *line = malloc(length + 64);
	int r;

	assert_non_null(line);
	strcpy(line, "options vfio-pci ids=");
	memset(line + strlen(line), 'x', length + 1);
	line[21 + length] = '\0';
	strcat(line, "\n");
	tree_write(root, "etc/modprobe.d/a.conf", line);
	free(line);
	r = modload_read_options(root, &result);
	return r < 0 ? -r : result.length == length ? 0 : 255;
}

static void test_long_ids(void **state unused)
{
	static const struct {
		size_t length;
		int code;
	} lengths[] = {{1024, 0}, {JOB_TEXT_SIZE, 0}, {JOB_TEXT_SIZE + 1, E2BIG}};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		const char *root = tree_new();
		int status;
		pid_t pid = fork();

		if (pid == 0)
			leave(read_long(lengths[i].length, root));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), lengths[i].code);
		tree_remove(root);
	}
}

static void test_replace_ids(void **state unused)
{
	static const struct {
		const char *options, *ids, *want;
	} replacements[] = {
		{"", "", ""},
		{"", "1:1", "ids=\"1:1\""},
		{"ids=2:2", "", ""},
		{"ids=2:2", "1:1,3:3", "ids=\"1:1,3:3\""},
		{"ids=2:2 disable_vga=1 ids=3:3", "1:1", "disable_vga=1 ids=\"1:1\""},
		{"disable_vga", "1:1", "disable_vga ids=\"1:1\""},
		{"ids disable_vga=1", "", "disable_vga=1"},
		{"ids=\"2:2, 3:3\" x=\"a b\" y", "", "x=\"a b\" y"},
		{"\"ids=2:2 3:3\"  x=1", "", "x=1"},
		{"xids=1 ids_x=2", "", "xids=1 ids_x=2"},
		{"x=ids", "1: 1", "x=ids ids=\"1: 1\""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(replacements); i++) {
		size_t n = strlen(replacements[i].want) + 1;

		/* Exactly what is needed is enough. */
		for (size_t size = 0; size <= n; size++) {
			char *buf = malloc(size + 1);

			assert_non_null(buf);
			check_int(replacements[i].options,
				  modload_replace_ids(replacements[i].options,
						      replacements[i].ids, buf, size),
				  size < n ? -E2BIG : 0);
			if (size == n)
				check_string(replacements[i].options, buf,
					     replacements[i].want);
			free(buf);
		}
	}
}

/* A module that is nowhere is missing, and its "install" line stays a line. */
static void test_missing_module(void **state unused)
{
	const char *root = tree_new();
	int status;
	pid_t pid;

	tree_mkdir(root, "lib/modules/1");
	pid = fork();
	if (pid == 0) {
		static struct job_result result;
		const char *dirs[MODULE_DIRS_MAX] = {tree_path(root, "lib/modules/1")};
		int r = modload_load(dirs, "earlybind_no_such_module", "", &result);

		leave(r == -ENOENT && result.state == MODULE_UNKNOWN && result.length == 0
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	tree_remove(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_may_have_options),
		cmocka_unit_test(test_long_ids),
		cmocka_unit_test(test_replace_ids),
		cmocka_unit_test(test_missing_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
