/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where modules are found, which of them are inserted, and in which form: real trees, real
 * compressed files, and a kernel that only takes notes. libkmod keeps its contexts and reads
 * /sys/module, so each case is a process, with a /sys/module of its own.
 */
#include "module_tree.h"

#include <elf.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "modload.h"

#define NORMAL	"lib/modules/1"
#define PRIVATE "earlybind/modules/1"

/* 3004 bytes: ELF's first four and a line a hundred times. Made with xz --check=crc32
 * --lzma2=dict=2MiB as the kernel's build does, zstd -19, and gzip -9n. */
static const unsigned char xz_file[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36,
	0x02, 0x00, 0x21, 0x01, 0x12, 0x00, 0x00, 0x00, 0x23, 0xb8, 0x87, 0x2c,
	0xe0, 0x0b, 0xbb, 0x00, 0x39, 0x5d, 0x00, 0x3f, 0x91, 0x45, 0x84, 0x6b,
	0xcf, 0xdb, 0x65, 0x52, 0x7b, 0xdb, 0x58, 0xce, 0x6a, 0x88, 0x10, 0x9b,
	0xc0, 0x97, 0x13, 0x2f, 0x6d, 0x67, 0x51, 0x2c, 0xbd, 0xdc, 0xa1, 0x7f,
	0x3f, 0x32, 0xe7, 0xea, 0x0b, 0x92, 0xf2, 0x72, 0x7c, 0x46, 0x1c, 0x67,
	0x30, 0xc1, 0x38, 0x5c, 0x6a, 0x14, 0x53, 0xac, 0xa1, 0x25, 0xbb, 0xc4,
	0x04, 0xcf, 0x38, 0x00, 0x00, 0x00, 0x00, 0x00, 0x32, 0x2f, 0x3d, 0x49,
	0x00, 0x01, 0x51, 0xbc, 0x17, 0x00, 0x00, 0x00, 0xbc, 0x85, 0x7e, 0x1c,
	0x3e, 0x30, 0x0d, 0x8b, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5a};
static const unsigned char zstd_file[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x64, 0xbc, 0x0a, 0x5d, 0x01, 0x00, 0x24, 0x02,
	0x7f, 0x45, 0x4c, 0x46, 0x61, 0x20, 0x6d, 0x6f, 0x64, 0x75, 0x6c, 0x65,
	0x20, 0x6f, 0x66, 0x20, 0x65, 0x61, 0x72, 0x6c, 0x79, 0x62, 0x69, 0x6e,
	0x64, 0x27, 0x73, 0x20, 0x74, 0x65, 0x73, 0x74, 0x73, 0x0a, 0x01, 0x00,
	0xba, 0x5c, 0xf0, 0xd5, 0x13, 0x1a, 0x95, 0x49, 0x5d};
static const unsigned char gzip_file[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x77, 0xf5,
	0x71, 0x4b, 0x54, 0xc8, 0xcd, 0x4f, 0x29, 0xcd, 0x49, 0x55, 0xc8, 0x4f, 0x53,
	0x48, 0x4d, 0x2c, 0xca, 0xa9, 0x4c, 0xca, 0xcc, 0x4b, 0x51, 0x2f, 0x56, 0x28,
	0x49, 0x2d, 0x2e, 0x29, 0xe6, 0x1a, 0x95, 0x1d, 0x95, 0x1d, 0x95, 0x1d, 0x95,
	0x1d, 0x95, 0x1d, 0x95, 0x1d, 0x95, 0x1d, 0x95, 0x1d, 0x95, 0x1d, 0x95, 0x1d,
	0x95, 0x1d, 0x0c, 0xb2, 0x00, 0x32, 0x2f, 0x3d, 0x49, 0xbc, 0x0b, 0x00, 0x00};

struct tree_case {
	const char *name;
	/* "MODULE.ko DEPENDENCY.ko...;" per module; '!' before one: its file is lost. */
	const char *normal, *private;
	const char *live; /* modules that /sys/module has, with '*': without a state */
	const char *builtin; /* of the normal tree's modules.builtin.bin */
	int error;
	enum module_state state;
	const char *calls;
	int finit_error, init_error;
};

static const struct tree_case cases[] = {
	{"normal tree", "vfio_pci.ko vfio.ko;vfio.ko;", NULL, "", NULL, 0, MODULE_LOADED,
	 "finit lib/modules/1/vfio.ko\nfinit lib/modules/1/vfio_pci.ko\n", 0, 0},
	{"the normal tree comes first", "vfio_pci.ko;", "vfio_pci.ko;", "", NULL, 0,
	 MODULE_LOADED, "finit lib/modules/1/vfio_pci.ko\n", 0, 0},
	{"not known to the normal tree", "xclmgmt.ko;", "vfio_pci.ko vfio.ko;vfio.ko;",
	 "", NULL, 0, MODULE_LOADED,
	 "finit earlybind/modules/1/vfio.ko\nfinit earlybind/modules/1/vfio_pci.ko\n", 0,
	 0},
	{"no normal tree at all", NULL, "vfio_pci.ko;", "", NULL, 0, MODULE_LOADED,
	 "finit earlybind/modules/1/vfio_pci.ko\n", 0, 0},
	{"its file is lost", "!vfio_pci.ko;", "vfio_pci.ko;", "", NULL, 0, MODULE_LOADED,
	 "finit earlybind/modules/1/vfio_pci.ko\n", 0, 0},
	/* libkmod does not say so: vfio_pci is tried, and lacks symbols. */
	{"the file of a dependency is lost", "vfio_pci.ko !vfio.ko;!vfio.ko;",
	 "vfio_pci.ko vfio.ko;vfio.ko;", "", NULL, 0, MODULE_LOADED,
	 "finit lib/modules/1/vfio_pci.ko\nfinit earlybind/modules/1/vfio.ko\n"
	 "finit earlybind/modules/1/vfio_pci.ko\n",
	 TRAP_FIRST(ENOENT), 0},
	{"some dependencies are live", "vfio.ko;",
	 "vfio_pci.ko vfio.ko irqbypass.ko;vfio.ko;irqbypass.ko;", "vfio", NULL, 0,
	 MODULE_LOADED,
	 "finit earlybind/modules/1/irqbypass.ko\nfinit "
	 "earlybind/modules/1/vfio_pci.ko\n",
	 0, 0},
	{"live", "vfio_pci.ko vfio.ko;vfio.ko;", "vfio_pci.ko;", "vfio vfio_pci", NULL, 0,
	 MODULE_LIVE, "", 0, 0},
	{"live, and in no tree", NULL, NULL, "vfio_pci", NULL, 0, MODULE_LIVE, "", 0, 0},
	{"built in", "vfio.ko;", "vfio_pci.ko;", "", "vfio_pci", 0, MODULE_BUILTIN, "", 0,
	 0},
	{"a dependency is built in", "xclmgmt.ko;", "vfio_pci.ko vfio.ko;vfio.ko;",
	 "vfio*", NULL, 0, MODULE_LOADED,
	 "finit earlybind/modules/1/vfio.ko\nfinit earlybind/modules/1/vfio_pci.ko\n", 0,
	 0},
	{"built in, and nothing says so", NULL, NULL, "vfio_pci*", NULL, 0,
	 MODULE_BUILTIN, "", 0, 0},
	{"in no tree", "vfio.ko;", "vfio.ko;", "", NULL, -ENOENT, MODULE_UNKNOWN, "", 0,
	 0},
	{"no tree", NULL, NULL, "", NULL, -ENOENT, MODULE_UNKNOWN, "", 0, 0},
	{"lost in both", "!vfio_pci.ko;", "!vfio_pci.ko;", "", NULL, -ENOENT,
	 MODULE_UNKNOWN, "", 0, 0},
	{"another one was faster", "vfio_pci.ko;", NULL, "", NULL, 0, MODULE_LOADED,
	 "finit lib/modules/1/vfio_pci.ko\n", -EEXIST, 0},
	{"a symbol is missing in both", "vfio_pci.ko;", "vfio_pci.ko;", "", NULL,
	 -ENOEXEC, MODULE_UNKNOWN,
	 "finit lib/modules/1/vfio_pci.ko\nfinit earlybind/modules/1/vfio_pci.ko\n",
	 -ENOENT, 0},
	{"a symbol is missing, and there is no other", "vfio_pci.ko;", NULL, "", NULL,
	 -ENOEXEC, MODULE_UNKNOWN, "finit lib/modules/1/vfio_pci.ko\n", -ENOENT, 0},
	/* The kernel's word: not a reason to try another file. */
	{"a dependency is refused", "vfio_pci.ko vfio.ko;vfio.ko;", "vfio_pci.ko;", "",
	 NULL, -EKEYREJECTED, MODULE_UNKNOWN, "finit lib/modules/1/vfio.ko\n",
	 -EKEYREJECTED, 0},
	{"a kernel without modules", "vfio_pci.ko;", NULL, "", NULL, -ENOSYS,
	 MODULE_UNKNOWN, "finit lib/modules/1/vfio_pci.ko\ninit 23\n", -ENOSYS, -ENOSYS},
};

/* Makes a tree of what a case says. */
static void make_tree(const char *root, const char *folder, const char *modules)
{
	static struct index_entry entries[16];
	char copy[256], path[128], *modules_left = copy;
	size_t count = 0;

	if (!modules)
		return;
	snprintf(copy, sizeof(copy), "%s", modules);
	for (char *module; (module = strtok_r(modules_left, ";", &modules_left));) {
		struct index_entry *e = &entries[count++];
		size_t used = 0;

		for (char *word; (word = strtok_r(module, " ", &module));) {
			const char *file = word + (word[0] == '!');

			if (used == 0) {
				snprintf(e->key, sizeof(e->key), "%.*s",
					 (int)strcspn(file, "."), file);
				snprintf(path, sizeof(path), "%s/%s", folder, file);
				if (word[0] != '!')
					tree_write(root, path, "not really a module: it");
			}
			used += (size_t)snprintf(e->value + used, sizeof(e->value) - used,
						 used == 0 ? "%s:" : " %s", file);
		}
	}
	snprintf(path, sizeof(path), "%s/modules.dep.bin", folder);
	index_write(root, path, entries, count);
}

/* Another /sys/module for this process: false without the right to. */
static bool replace_sys_module(const char *root, const char *live,
			       const char *compression)
{
	char copy[128], path[256], *left = copy;

	tree_mkdir(root, "sys-module");
	if (compression)
		tree_write(root, "sys-module/compression", compression);
	snprintf(copy, sizeof(copy), "%s", live);
	for (char *word; (word = strtok_r(left, " ", &left));) {
		size_t n = strcspn(word, "*");

		snprintf(path, sizeof(path), "sys-module/%.*s/initstate", (int)n, word);
		if (word[n] == '*')
			path[strlen(path) - strlen("/initstate")] = '\0';
		if (word[n] == '*')
			tree_mkdir(root, path);
		else
			tree_write(root, path, "live\n");
	}
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return false;
	(void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	return mount(tree_path(root, "sys-module"), "/sys/module", NULL, MS_BIND, NULL) ==
	       0;
}

struct loading {
	const char *live, *compression;
	const char *
		seen; /* of modprobe.d, by modprobe_may_name_vfio(); NULL: not all of it */
	bool is_seen_in_part; /* a second look at it did not come to an end */
	enum module_state state;
	int error;
	struct job_result result;
};

/* Loads vfio_pci in a process of its own. False if that cannot be tried here. */
static bool load(const char *root, struct loading *loading)
{
	struct {
		int error;
		struct job_result result;
	} *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	assert_true(shared != MAP_FAILED);
	pid = fork();
	if (pid == 0) {
		char normal[PATH_MAX], private[PATH_MAX];
		const char *dirs[MODULE_DIRS_MAX] = {normal, private};

		if (!replace_sys_module(root, loading->live, loading->compression))
			_exit(2);
		if (access(tree_path(root, "modprobe.d"), F_OK) == 0 &&
		    mount(tree_path(root, "modprobe.d"), "/etc/modprobe.d", NULL, MS_BIND,
			  NULL) < 0)
			_exit(3);
		if (loading->seen) {
			if (modprobe_may_name_vfio(text_of(loading->seen)))
				_exit(4);
			modprobe_set_seen(true);
			if (loading->is_seen_in_part)
				modprobe_set_seen(false);
		}
		snprintf(normal, sizeof(normal), "%s/" NORMAL, root);
		snprintf(private, sizeof(private), "%s/" PRIVATE, root);
		trap_arm();
		shared->error = modload_load(dirs, "vfio_pci", "1:2", &shared->result);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	loading->error = shared->error;
	loading->result = shared->result;
	loading->state = shared->result.state;
	munmap(shared, sizeof(*shared));
	/* Without root there is no namespace to be had; as root nothing is skipped. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2 && geteuid() != 0) {
		print_message("# not tried, no namespaces here\n");
		return false;
	}
	check_int("the process that loads", status, 0);
	return true;
}

static void test_trees(void **state unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tree_case *c = &cases[i];
		struct loading loading = {.live = c->live};
		const char *root = tree_new();

		make_tree(root, NORMAL, c->normal);
		make_tree(root, PRIVATE, c->private);
		/* Another kernel's: never used. */
		make_tree(root, "lib/modules/2", "vfio_pci.ko;");
		make_tree(root, "earlybind/modules/2", "vfio_pci.ko;");
		if (c->builtin) {
			struct index_entry entry = {0};

			snprintf(entry.key, sizeof(entry.key), "%s", c->builtin);
			index_write(root, NORMAL "/modules.builtin.bin", &entry, 1);
		}
		*trap = (struct trap){.finit_error = c->finit_error,
				      .init_error = c->init_error};
		if (load(root, &loading)) {
			check_int(c->name, loading.error, c->error);
			check_int(c->name, loading.state, c->state);
			check_string(c->name, trap->calls, c->calls);
			if (c->state == MODULE_LOADED)
				check_string(c->name, trap->options, "ids=\"1:2\"");
		}
		tree_remove(root);
	}
}

/*
 * The files are read once more only where they may have options of what is loaded. What is in
 * them here is what tells whether they were.
 */
static void test_options_that_were_seen(void **state unused)
{
	static const struct {
		const char *seen;
		bool is_read;
		bool is_seen_in_part;
	} seen[] = {
		{NULL, true, false},
		{"options bonding max_bonds=0\n", true, true},
		{"", false, false},
		{"options bonding max_bonds=0\noptions dummy numdummies=0\n", false,
		 false},
		{"# options irqbypass a=1\nsoftdep irqbypass pre: dummy\n", false, false},
		{"options irqbypass a=1\n", true, false},
		{"options bonding a=1\n\toptions  irq-bypass\tb=2\n", false, false},
		{"options kvm_irq a=1\noptions kvm-amd b=2", true, false},
		/* One too many to remember; as many as there can be. */
		{"options a a\noptions b a\noptions c a\noptions d a\noptions e a\n"
		 "options f a\noptions g a\noptions h a\noptions i a\noptions j a\n"
		 "options k a\noptions l a\noptions m a\noptions n a\noptions o a\n"
		 "options p a\noptions q a\n",
		 true, false},
		{"options a a\noptions b a\noptions c a\noptions d a\noptions e a\n"
		 "options f a\noptions g a\noptions h a\noptions i a\noptions j a\n"
		 "options k a\noptions l a\noptions m a\noptions n a\noptions o a\n"
		 "options p a\n",
		 false, false},
		/* Longer than any module's name. */
		{"options aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345 "
		 "a\n",
		 true, false},
	};

	if (access("/etc/modprobe.d", F_OK) != 0)
		fail_msg("this machine has no /etc/modprobe.d");
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		struct loading loading = {.live = "",
					  .seen = seen[i].seen,
					  .is_seen_in_part = seen[i].is_seen_in_part};
		const char *root = tree_new();

		make_tree(root, NORMAL,
			  "vfio_pci.ko irqbypass.ko kvm_amd.ko;irqbypass.ko;kvm_amd.ko;");
		tree_write(root, "modprobe.d/x.conf",
			   "options vfio_pci disable_idle_d3=1\n");
		*trap = (struct trap){0};
		if (!load(root, &loading)) {
			tree_remove(root);
			break;
		}
		check_int(seen[i].seen, loading.error, 0);
		check_string(seen[i].seen, trap->options,
			     seen[i].is_read ? "disable_idle_d3=1 ids=\"1:2\""
					     : "ids=\"1:2\"");
		check_string(seen[i].seen, trap->calls,
			     "finit lib/modules/1/kvm_amd.ko\n"
			     "finit lib/modules/1/irqbypass.ko\n"
			     "finit lib/modules/1/vfio_pci.ko\n");
		tree_remove(root);
	}
}

/* Every index that is cut off or has a byte changed: an error or a load, never a crash. */
static void test_damaged_index(void **state unused)
{
	const char *root = tree_new();
	static unsigned char bytes[65536];
	size_t size;
	FILE *file;

	make_tree(root, NORMAL, "vfio_pci.ko vfio.ko;vfio.ko;");
	file = fopen(tree_path(root, NORMAL "/modules.dep.bin"), "r");
	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	for (size_t at = 0; at<2 * size; at += size> 128 ? size / 64 : 1) {
		struct loading loading = {.live = ""};
		unsigned char was = bytes[at % size];

		if (at >= size)
			bytes[at % size] = (unsigned char)~was;
		file = fopen(tree_path(root, NORMAL "/modules.dep.bin"), "w");
		assert_non_null(file);
		assert_int_equal(fwrite(bytes, 1, at < size ? at : size, file),
				 at < size ? at : size);
		fclose(file);
		bytes[at % size] = was;
		*trap = (struct trap){0};
		if (!load(root, &loading))
			break;
		if (at < 12)
			check_int("no header", loading.error, -ENOENT);
	}
	tree_remove(root);
}

static void write_bytes(const char *root, const char *path, const unsigned char *bytes,
			size_t size)
{
	FILE *file;

	tree_write(root, path, "");
	file = fopen(tree_path(root, path), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static const unsigned char *content(size_t *ret_size)
{
	static unsigned char bytes[4096];
	static const char line[] = "a module of earlybind's tests\n";
	size_t used = 4;

	memcpy(bytes,
	       "\x7f"
	       "ELF",
	       4);
	for (int i = 0; i < 100; i++, used += sizeof(line) - 1)
		memcpy(bytes + used, line, sizeof(line) - 1);
	*ret_size = used;
	return bytes;
}

static void test_compressed_modules(void **state unused)
{
	static const struct {
		const char *suffix;
		const unsigned char *bytes;
		size_t size;
		const char *type; /* /sys/module/compression of a kernel that reads it */
	} files[] = {
		{"", NULL, 0, ""},
		{".xz", xz_file, sizeof(xz_file), "xz\n"},
		{".zst", zstd_file, sizeof(zstd_file), "zstd\n"},
		{".gz", gzip_file, sizeof(gzip_file), "gzip\n"},
	};
	static const struct {
		const char *name, *compression; /* NULL: none; "=" that of the file */
		int finit_error, compressed_error, init_error;
		/* Calls of finit_module(): with the file as it is, with the flag; and
		 * whether init_module() gets the content. */
		bool is_given_compressed, is_decompressed;
		int error;
	} kernels[] = {
		{"decompresses", "=", -EIO, 0, -EIO, true, false, 0},
		{"does not decompress", NULL, -EIO, -EIO, 0, false, true, 0},
		{"of another type", "lz4\n", -EIO, -EIO, 0, false, true, 0},
		{"does not, after all", "=", -EIO, -EOPNOTSUPP, 0, true, true, 0},
		{"does not know the flag", "=", -EIO, -EINVAL, 0, true, true, 0},
		{"has no finit_module", "=", -ENOSYS, -ENOSYS, 0, true, true, 0},
		{"refuses", "=", -EIO, -EKEYREJECTED, 0, true, false, -EKEYREJECTED},
		{"refuses the content", NULL, -EIO, -EIO, -ENOEXEC, false, true,
		 -ENOEXEC},
		{"has no modules", "=", -ENOSYS, -ENOSYS, -ENOSYS, true, true, -ENOSYS},
	};
	size_t size;
	const unsigned char *bytes = content(&size);

	for (size_t i = 0; i < ARRAY_SIZE(files) * ARRAY_SIZE(kernels); i++) {
		size_t f = i / ARRAY_SIZE(kernels), n = i % ARRAY_SIZE(kernels);
		struct loading loading = {.live = "",
					  .compression = kernels[n].compression};
		const char *root = tree_new();
		char label[64], name[64], tree[64], want[256] = "";
		bool is_plain = !files[f].bytes;

		if (loading.compression && loading.compression[0] == '=')
			loading.compression = files[f].type;
		snprintf(label, sizeof(label), "%s: %s", kernels[n].name,
			 files[f].suffix);
		snprintf(tree, sizeof(tree), "vfio_pci.ko%s;", files[f].suffix);
		make_tree(root, NORMAL, tree);
		snprintf(name, sizeof(name), NORMAL "/vfio_pci.ko%s", files[f].suffix);
		write_bytes(root, name, is_plain ? bytes : files[f].bytes,
			    is_plain ? size : files[f].size);
		*trap = (struct trap){.finit_error = is_plain
							     ? kernels[n].compressed_error
							     : kernels[n].finit_error,
				      .compressed_error = kernels[n].compressed_error,
				      .init_error = kernels[n].init_error};
		if (!load(root, &loading)) {
			tree_remove(root);
			break;
		}
		if (is_plain) {
			/* Given as it is; another way only where there is no finit_module. */
			snprintf(want, sizeof(want),
				 "finit lib/modules/1/vfio_pci.ko\n%s",
				 trap->finit_error == -ENOSYS ? "init 3004\n" : "");
			check_int(label, loading.error,
				  trap->finit_error == -ENOSYS ? trap->init_error
							       : trap->finit_error);
		} else {
			snprintf(want, sizeof(want), "%s%s%s%s",
				 kernels[n].is_given_compressed ? "finit-compressed "
								: "",
				 kernels[n].is_given_compressed ? name : "",
				 kernels[n].is_given_compressed ? "\n" : "",
				 kernels[n].is_decompressed ? "init 3004\n" : "");
			check_int(label, loading.error, kernels[n].error);
			if (kernels[n].is_decompressed)
				assert_memory_equal(trap->bytes, bytes, size);
		}
		check_string(label, trap->calls, want);
		if (loading.error == 0)
			check_string(label, trap->options, "ids=\"1:2\"");
		tree_remove(root);
	}
}

/* Cut off: an error. */
static void test_cut_compression(void **state unused)
{
	static const struct {
		const char *suffix;
		const unsigned char *bytes;
		size_t size;
	} files[] = {
		{"xz", xz_file, sizeof(xz_file)},
		{"zst", zstd_file, sizeof(zstd_file)},
		{"gz", gzip_file, sizeof(gzip_file)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(files) * 3; i++) {
		size_t f = i / 3, size = files[f].size / (i % 3 ? 2 : 30) + i % 3;
		struct loading loading = {.live = ""};
		const char *root = tree_new();
		char name[64], tree[64];

		snprintf(tree, sizeof(tree), "vfio_pci.ko.%s;", files[f].suffix);
		make_tree(root, NORMAL, tree);
		snprintf(name, sizeof(name), NORMAL "/vfio_pci.ko.%s", files[f].suffix);
		write_bytes(root, name, files[f].bytes, size);
		*trap = (struct trap){.init_error = -ENOEXEC};
		if (load(root, &loading)) {
			check_true(name, loading.error < 0);
			/* zlib takes a cut file as far as it goes; it is no ELF file. */
			if (files[f].suffix[0] != 'g')
				check_string(name, trap->calls, "");
			check_true(name, trap->size < 3004);
		}
		tree_remove(root);
	}
}

/* ---- what is to be seen of a file that the kernel refuses ---- */

/* An object with a section .modinfo, as small as it may be. Its size. */
static size_t make_module(unsigned char *bytes, const char *vermagic)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	Elf64_Shdr sections[3] = {0};
	Elf64_Ehdr header = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(header),
		.e_shentsize = sizeof(sections[0]),
		.e_shnum = ARRAY_SIZE(sections),
		.e_shstrndx = 2,
	};
	size_t used = sizeof(header);
	int n = snprintf((char *)bytes + used, 512, "vermagic=%s", vermagic);

	sections[1] = (Elf64_Shdr){.sh_name = 1,
				   .sh_type = SHT_PROGBITS,
				   .sh_offset = used,
				   .sh_size = (size_t)n + 1,
				   .sh_addralign = 1};
	used += (size_t)n + 1;
	memcpy(bytes + used, names, sizeof(names));
	sections[2] = (Elf64_Shdr){.sh_name = 10,
				   .sh_type = SHT_STRTAB,
				   .sh_offset = used,
				   .sh_size = sizeof(names),
				   .sh_addralign = 1};
	used = (used + sizeof(names) + 7) / 8 * 8;
	header.e_shoff = used;
	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + used, sections, sizeof(sections));
	return used + sizeof(sections);
}

static void test_refused_files(void **state unused)
{
	static const struct {
		const char *name, *release; /* NULL: the one that runs */
		size_t cut; /* bytes that are missing at the end */
		const char *file;
		int finit_error;
		const char *built_for;
		bool is_damaged;
	} files[] = {
		{"of another kernel", "9.9.9-lab", 0, "vfio.ko", -ENOEXEC, "9.9.9-lab",
		 false},
		{"of this kernel", NULL, 0, "vfio.ko", -ENOEXEC, "", false},
		{"cut off", "9.9.9-lab", 100, "vfio.ko", -ENOEXEC, "", true},
		{"signed by nobody", NULL, 0, "vfio.ko", -EKEYREJECTED, "", false},
		{"the module itself", "9.9.9-lab", 0, "vfio_pci.ko", -ENOEXEC,
		 "9.9.9-lab", false},
	};
	static unsigned char bytes[4096];
	struct utsname uts;

	assert_int_equal(uname(&uts), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		bool is_dependency = strcmp(files[i].file, "vfio.ko") == 0;
		struct loading loading = {.live = is_dependency ? "" : "vfio"};
		const char *root = tree_new();
		char path[PATH_MAX], magic[256];
		size_t size;

		make_tree(root, NORMAL, "vfio_pci.ko vfio.ko;vfio.ko;");
		snprintf(magic, sizeof(magic), "%s SMP preempt mod_unload modversions ",
			 files[i].release ? files[i].release : uts.release);
		size = make_module(bytes, magic);
		snprintf(path, sizeof(path), NORMAL "/%s", files[i].file);
		write_bytes(root, path, bytes, size - files[i].cut);
		*trap = (struct trap){.finit_error = files[i].finit_error};
		if (load(root, &loading)) {
			const struct job_result *r = &loading.result;

			snprintf(path, sizeof(path), "%s/" NORMAL "/%s", root,
				 files[i].file);
			check_int(files[i].name, loading.error, files[i].finit_error);
			check_true(files[i].name,
				   text_is((struct text){r->text, r->length}, path));
			check_string(files[i].name, r->built_for, files[i].built_for);
			check_int(files[i].name, r->is_damaged, files[i].is_damaged);
		}
		tree_remove(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_options_that_were_seen),
		cmocka_unit_test(test_refused_files),
		cmocka_unit_test(test_damaged_index),
		cmocka_unit_test(test_compressed_modules),
		cmocka_unit_test(test_cut_compression),
	};

	trap_new();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
