/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind image: the binder and the vfio modules as a piece of an initramfs. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binder_copy.h"
#include "arena.h"
#include "commands.h"
#include "compiler.h"
#include "cpio.h"
#include "files.h"
#include "message.h"
#include "module_tree.h"
#include "modules.h"
#include "options.h"
#include "paths.h"
#include "reason.h"

struct base_image {
	const char *path;
	int fd;
	struct stat st;
	bool has_binder; /* found by base_image_copy() */
};

#define CHUNK ((size_t)1024 * 1024)

/*
 * How an initramfs begins: cpio (init/initramfs.c: do_header()), or compressed in a way that
 * some kernel was built for (lib/decompress.c).
 */
static const struct text magics[] = {
	{"070701", 6},		 {"070702", 6},	 {"\037\213", 2},
	{"\037\236", 2},	 {"BZh", 3},	 {"\135\0\0", 3},
	{"\3757zXZ", 5},	 {"\211LZO", 4}, {"\002\041\114\030", 4},
	{"\050\265\057\375", 4},
};

static bool is_initramfs(struct text bytes)
{
	/* The kernel passes over NUL bytes in front of an archive. */
	while (bytes.n > 0 && bytes.p[0] == '\0') {
		bytes.p++;
		bytes.n--;
	}
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (bytes.n >= magics[i].n &&
		    memcmp(bytes.p, magics[i].p, magics[i].n) == 0)
			return true;
	return false;
}

static ssize_t read_some(int fd, char *buf, size_t n, off_t offset)
{
	ssize_t got;

	do {
		got = pread(fd, buf, n, offset);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static int check_start(const struct base_image *o)
{
	char buf[4096];
	ssize_t n = read_some(o->fd, buf, sizeof(buf), 0);

	if (n < 0) {
		say_error("%s: it cannot be read: %s", o->path, errno_text((int)n));
		return (int)n;
	}
	if (n >= 2 && memcmp(buf, "MZ", 2) == 0) {
		say_error("%s: this is an EFI program, and nothing can be appended to "
			  "one: write a file of its own, without --append, and give it "
			  "to ukify with a second --initrd",
			  o->path);
		return -EINVAL;
	}
	if (!is_initramfs((struct text){buf, (size_t)n})) {
		say_error("%s: this is no initramfs: it does not begin as one", o->path);
		return -EINVAL;
	}
	return 0;
}

/*
 * Opens @path, and says what is wrong: that it cannot be read, begins as no initramfs does,
 * or is the file @output itself. -errno then.
 */
static int base_image_open(struct base_image *o, const char *path, const char *output)
{
	struct stat out;
	int r;

	*o = (struct base_image){.path = path};
	/* Not blocked by a FIFO. */
	o->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (o->fd < 0 || fstat(o->fd, &o->st) < 0) {
		r = -errno;
		say_error("%s: it cannot be read: %s", path, errno_text(r));
		return r;
	}
	if (!S_ISREG(o->st.st_mode)) {
		say_error("%s: it is no file", path);
		return -EINVAL;
	}
	if (stat(output, &out) == 0 && out.st_dev == o->st.st_dev &&
	    out.st_ino == o->st.st_ino) {
		say_error("%s: this is the image itself: write another file, boot that, "
			  "and keep the one that boots today",
			  output);
		return -EINVAL;
	}
	return check_start(o);
}

/* Copies all of it. Notices a binder in its plain parts, as an earlier append leaves one. */
static int base_image_copy(struct base_image *o, struct new_file *to)
{
	/* As it stands in an archive: the name and its NUL. */
	static const char name[] = BINDER_PATH;
	static char buf[sizeof(name) + CHUNK];
	const size_t length = sizeof(name) - 1; /* without the slash in front */
	size_t kept = 0; /* the end of the piece before: the name may be cut */
	off_t offset = 0;

	while (offset < o->st.st_size) {
		ssize_t n = read_some(o->fd, buf + kept, CHUNK, offset);
		int r;

		if (n == 0)
			n = -ESTALE; /* it was cut meanwhile */
		if (n < 0)
			return (int)n;
		if (n > o->st.st_size - offset)
			n = (ssize_t)(o->st.st_size - offset);
		r = new_file_write(to, (struct text){buf + kept, (size_t)n});
		if (r < 0)
			return r;
		offset += n;
		kept += (size_t)n;
		o->has_binder = o->has_binder || memmem(buf, kept, name + 1, length);
		if (kept > length) {
			memmove(buf, buf + kept - length, length);
			kept = length;
		}
	}
	return 0;
}

/* The kernel's version that the name tells: initrd.img-VERSION; NULL if it tells none. */
static const char *base_image_version(const struct base_image *o, struct arena *arena)
{
	static const char *const prefixes[] = {"initrd.img-", "initramfs-", "initrd-"};
	static const char suffix[] = ".img";
	const char *slash = strrchr(o->path, '/');
	struct text name = text_of(slash ? slash + 1 : o->path);

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (!text_has_prefix(name, prefixes[i]))
			continue;
		name.n -= strlen(prefixes[i]);
		name.p += strlen(prefixes[i]);
		if (name.n > sizeof(suffix) - 1 &&
		    memcmp(name.p + name.n - (sizeof(suffix) - 1), suffix,
			   sizeof(suffix) - 1) == 0)
			name.n -= sizeof(suffix) - 1;
		/* Not the "linux" of initramfs-linux.img. */
		if (name.n > 0 && name.p[0] >= '0' && name.p[0] <= '9')
			return arena_copy(arena, name);
		return NULL;
	}
	return NULL;
}

struct image_command {
	struct strings configs;
	struct strings kernels;
	const char *append;
	const char *output;
	const char *binder;
	const char *sysroot;

	struct arena *arena;
	struct base_image original;
	struct binder_copy binder_copy;
	struct module_tree trees[STRINGS_MAX];
	size_t tree_count;
	uint32_t mtime;
	uint64_t size; /* of what is new */
};

/* ---- kernels ---------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All that have a folder of modules, sorted. */
static int list_kernels(struct image_command *c)
{
	const char *path = path_below(c->arena, c->sysroot, MODULES_PATH);
	struct strings *list = &c->kernels;
	DIR *d = path ? opendir(path) : NULL;
	struct dirent *e;

	if (!d) {
		say_error("%s: it cannot be read: %s", path ? path : MODULES_PATH,
			  errno_text(path ? -errno : -ENOMEM));
		return -ENOENT;
	}
	while ((e = readdir(d)) && list->count < STRINGS_MAX) {
		if (!module_tree_is_version(e->d_name))
			continue;
		list->items[list->count] = arena_copy(c->arena, text_of(e->d_name));
		list->count += list->items[list->count] != NULL;
	}
	closedir(d);
	if (e) {
		say_error("%s: more than %d kernels: name those to boot with --kernel",
			  path, STRINGS_MAX);
		return -E2BIG;
	}
	qsort(list->items, list->count, sizeof(*list->items), compare_names);
	return 0;
}

static const char *lack(int r)
{
	return r == -ENOENT ? "it has no vfio-pci, neither as a module nor built in"
			    : "it has no modules with depmod's indexes";
}

static int find_names(struct image_command *c, const char *version, struct strings *ret)
{
	const char *dir = arena_printf(c->arena, "%s" MODULES_PATH "/%s",
				       c->sysroot ? c->sysroot : "", version);
	struct world *world;
	int r = open_world(c->sysroot, &world);

	if (r < 0)
		return r;
	r = dir ? needs_find(c->binder_copy.is_generic ? NULL : world,
			     &c->binder_copy.policy, dir, c->arena, ret)
		: -ENOMEM;
	if (r < 0)
		say_error("out of memory");
	return r;
}

/* Adds the kernel's modules. One that @is_named must have them. */
static int add_kernel(struct image_command *c, const char *version, bool is_named)
{
	struct module_tree *tree = &c->trees[c->tree_count];
	struct strings names;
	int r;

	if (!module_tree_is_version(version)) {
		say_error("kernel %s: this is no version", version);
		return -EINVAL;
	}
	for (size_t i = 0; i < c->tree_count; i++)
		if (strcmp(c->trees[i].version, version) == 0)
			return 0;
	r = find_names(c, version, &names);
	if (r == 0)
		r = module_tree_make(c->sysroot, version, &names, c->arena, tree);
	if (r == 0)
		c->tree_count++;
	if (r != -ENOENT && r != -ENODATA)
		return r;
	if (is_named) {
		say_error("kernel %s below %s" MODULES_PATH ": %s", version,
			  c->sysroot ? c->sysroot : "", lack(r));
		return r;
	}
	paragraph_line(stdout, 0, "kernel %s is left out: %s", version, lack(r));
	return 0;
}

/*
 * Those that were named, or the one in the name of the image, or all: whichever of them boots
 * the result, its modules are there. The running one says nothing about the next boot.
 */
static int add_kernels(struct image_command *c)
{
	bool is_named = c->kernels.count > 0;
	int r = 0;

	if (!is_named && c->append) {
		const char *version = base_image_version(&c->original, c->arena);

		if (version) {
			paragraph_line(stdout, 0, "kernel %s, by the name of the image",
				       version);
			c->kernels.items[c->kernels.count++] = version;
			is_named = true;
		}
	}
	if (!is_named)
		r = list_kernels(c);
	for (size_t i = 0; i < c->kernels.count && r == 0; i++)
		r = add_kernel(c, c->kernels.items[i], is_named);
	if (r == 0 && c->tree_count == 0) {
		say_error("no kernel below %s" MODULES_PATH " has vfio-pci",
			  c->sysroot ? c->sysroot : "");
		return -ENOENT;
	}
	return r;
}

/* ---- writing ---------------------------------------------------------------------------- */

static int put(void *arg, struct text bytes)
{
	return new_file_write(arg, bytes);
}

/*
 * A file and, sorted before it, the folders on the way to it that are new: the kernel makes no
 * folder by itself. @last is the file before.
 *
 * A folder in an archive takes the place of a symbolic link of the same name that an earlier
 * one made (init/initramfs.c: clean_path()). The only ones that are not our own are usr and
 * usr/lib. In no image known are they links: where /usr is merged, bin and lib are links into
 * them, and where it is not, they are folders beside these.
 */
static int put_below(struct cpio_writer *w, const char *last, const char *path,
		     unsigned mode, struct text bytes, struct arena *arena)
{
	int r = 0;

	for (const char *p = path; r == 0 && (p = strchr(p, '/')); p++) {
		size_t n = (size_t)(p - path);
		const char *folder;

		if (strncmp(last, path, n + 1) == 0)
			continue;
		folder = arena_copy(arena, (struct text){path, n});
		r = folder ? cpio_put_dir(w, folder) : -ENOMEM;
	}
	return r == 0 ? cpio_put_file(w, path, mode, bytes) : r;
}

static int put_all(struct image_command *c, struct cpio_writer *w)
{
	const char *last = &BINDER_PATH[1];
	int r = put_below(w, "", last, 0755, c->binder_copy.bytes, c->arena);

	for (size_t i = 0; i < c->tree_count; i++) {
		const struct module_tree *tree = &c->trees[i];

		for (size_t k = 0; k < tree->file_count && r == 0; k++) {
			const struct module_tree_file *f = &tree->files[k];
			const char *path = arena_printf(c->arena, "%s/%s/%s",
							&PRIVATE_MODULES_PATH[1],
							tree->version, f->path);

			r = path ? put_below(w, last, path, 0644, f->bytes, c->arena)
				 : -ENOMEM;
			last = path;
		}
	}
	return r == 0 ? cpio_put_end(w) : r;
}

#define LZ4_END 4

/*
 * The kernel wants an archive to begin at a multiple of four, behind NUL bytes if need be. A
 * block of cpio's is taken, so that dd can cut it off again. Behind LZ4 it takes four of them:
 * its decoder reads the next four bytes as the length of a block, and 0 as the end
 * (lib/decompress_unlz4.c).
 */
static int put_padding(struct image_command *c, struct new_file *out)
{
	static const char zeros[CPIO_BLOCK + LZ4_END];
	size_t over = (size_t)((c->original.st.st_size + LZ4_END) % CPIO_BLOCK);

	c->size = LZ4_END + (over > 0 ? CPIO_BLOCK - over : 0);
	return new_file_write(out, (struct text){zeros, c->size});
}

static int write_file(struct image_command *c)
{
	struct cpio_writer w = {.put = put, .mtime = c->mtime};
	struct new_file out;
	int r = new_file_open(&out, c->output);

	if (r < 0)
		return r;
	w.arg = &out;
	if (c->append)
		r = base_image_copy(&c->original, &out);
	if (r == 0 && c->append)
		r = put_padding(c, &out);
	if (r == 0)
		r = put_all(c, &w);
	if (r == 0)
		r = new_file_finish(&out,
				    c->append ? c->original.st.st_mode & 07777 : 0644);
	new_file_drop(&out);
	c->size += w.written;
	return r;
}

/* ---- the command ------------------------------------------------------------------------ */

static void describe(const struct image_command *c)
{
	for (size_t i = 0; i < c->tree_count; i++) {
		const struct module_tree *tree = &c->trees[i];
		struct paragraph p = {stdout, 0, 4, false};

		paragraph_add(&p, "modules for kernel %s:", tree->version);
		for (size_t k = 0; k < tree->module_count; k++)
			paragraph_add(&p, "%s", tree->names[k]);
		if (tree->module_count == 0)
			paragraph_add(&p, "none, vfio-pci is built in");
		paragraph_end(&p);
	}
	if (c->original.has_binder)
		paragraph_line(
			stdout, 0,
			"note: %s has a binder already; the kernel unpacks the new "
			"one over it",
			c->append);
	if (c->append)
		paragraph_line(stdout, 0,
			       "%s: %s and %llu more bytes: the binder with %s",
			       c->output, c->append, (unsigned long long)c->size,
			       binder_copy_describe(&c->binder_copy, c->arena));
	else
		paragraph_line(stdout, 0, "%s: %llu bytes: the binder with %s", c->output,
			       (unsigned long long)c->size,
			       binder_copy_describe(&c->binder_copy, c->arena));
	paragraph_line(stdout, 0,
		       "next: boot it with rdinit=" BINDER_PATH
		       " on the kernel command line");
}

/* SOURCE_DATE_EPOCH, for those who date what they build; else always the same. */
static int read_time(uint32_t *ret)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t value = 0;

	if (text && text_decimal(text_of(text), UINT32_MAX, &value) < 0) {
		say_error("SOURCE_DATE_EPOCH: \"%s\" is no time in seconds", text);
		return -EINVAL;
	}
	*ret = (uint32_t)value;
	return 0;
}

static int make(struct image_command *c)
{
	int r;

	if (read_time(&c->mtime) < 0 ||
	    (c->append && base_image_open(&c->original, c->append, c->output) < 0) ||
	    binder_copy_configure(&c->binder_copy, c->sysroot, &c->configs, c->arena) <
		    0 ||
	    binder_copy_load(&c->binder_copy, c->sysroot, c->binder, c->arena) < 0 ||
	    add_kernels(c) < 0)
		return EXIT_FAILED;
	r = write_file(c);
	if (r < 0) {
		say_error("%s: it cannot be written: %s", c->output, errno_text(r));
		return EXIT_FAILED;
	}
	describe(c);
	return EXIT_OK;
}

int command_image(int argc, char **argv, struct arena *arena)
{
	static struct image_command c;
	const struct option_spec options[] = {
		{"append", "IMAGE", "the image to begin with; it stays as it is",
		 .ret_string = &c.append},
		{"output", "FILE", "where the result goes", .ret_string = &c.output},
		{"kernel", "VERSION",
		 "the modules of this kernel; may be repeated (all kernels)",
		 .ret_strings = &c.kernels},
		{"config", "FILE", "read FILE, not /etc/earlybind.conf; may be repeated",
		 .ret_strings = &c.configs},
		{"binder", "FILE", "the binder to take (" BINDER_PATH ")",
		 .ret_string = &c.binder},
		{"generic", NULL, "the image is for other machines too: record nothing",
		 .ret_flag = &c.binder_copy.is_generic},
		{"no-critical", NULL, "do not record what this machine cannot do without",
		 .ret_flag = &c.binder_copy.is_without_critical},
		{"sysroot", "DIR", "read etc, lib/modules and the binder below DIR",
		 .ret_string = &c.sysroot},
	};
	const struct command_spec spec = {
		.name = "image",
		.synopsis = "[--append IMAGE] --output FILE [OPTION...]",
		.text = "Writes an archive that the kernel unpacks on top of an "
			"initramfs: the binder with the configuration, vfio-pci and what "
			"that needs. --append writes it behind a copy of IMAGE, which may "
			"be of any origin and is not changed. Without it the archive is a "
			"file of its own, for boot loaders and ukify, which take several. "
			"It takes effect with "
			"rdinit=" BINDER_PATH " on the kernel command line.\n"
			"\n"
			"exit code: 0 done; 1 the configuration is wrong, a kernel has no "
			"vfio-pci, or a file cannot be read or written; 2 wrong usage\n",
		.example = "earlybind image --append initrd.img --output initrd-vfio.img",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	c = (struct image_command){.arena = arena, .original = {.fd = -1}};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	if (!c.output) {
		say_error("image: say where the result goes with --output FILE");
		return EXIT_WRONG_USAGE;
	}
	code = make(&c);
	close_fd(&c.original.fd);
	return code;
}
