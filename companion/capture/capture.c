/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind capture: a recording of the machine that --sysroot accepts. */

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <zlib.h>

#include "bdf.h"
#include "arena.h"
#include "boot_entries.h"
#include "bootloader.h"
#include "commands.h"
#include "compiler.h"
#include "framebuffer.h"
#include "group_facts.h"
#include "depmod_index.h"
#include "files.h"
#include "hotplug.h"
#include "inventory.h"
#include "message.h"
#include "modload.h"
#include "module_tree.h"
#include "next_boot.h"
#include "options.h"
#include "paths.h"
#include "reason.h"
#include "redact.h"
#include "routes.h"
#include "run.h"
#include "recording.h"
#include "text.h"
#include "world.h"

enum capture_kind { CAPTURE_DIR, CAPTURE_FILE, CAPTURE_LINK };

struct capture_entry {
	enum capture_kind kind;
	const char *name;
	struct text bytes; /* of a file; the target of a link */
	struct capture_entry *next;
};

struct capture {
	const char *sysroot;
	const char *output;
	bool has_serial; /* serial numbers are told */

	struct arena *arena;
	struct world *world;
	struct inventory inventory;
	const struct inventory *named; /* those that a rule names */
	struct capture_entry *first;
	size_t count;
	struct redact redact;
	size_t file_count; /* of those with another name */
	bool is_full; /* the arena is */
};

struct capture_names {
	const char **items; /* sorted */
	size_t count;
};

#define ENTRIES_MAX 65536
#define NAMES_MAX   4096
#define KERNELS_MAX 32

/* Modules that are told whether or not a device is theirs. */
static const char *const always[] = {
	"irqbypass", "pci_stub",      "vfio",	     "vfio_iommu_type1",
	"vfio_pci",  "vfio_pci_core", "vfio_virqfd",
};

struct kernel {
	struct capture *c;
	const char **aliases; /* one per different function */
	size_t alias_count;
	const char *names[NAMES_MAX]; /* modules that are told */
	size_t name_count;
	struct index_entry *entries; /* of the index that is being written */
	size_t entry_count;
	bool is_all; /* every key is wanted that is the name of a module that is told */
};

static bool has_name(const struct kernel *k, struct text name)
{
	for (size_t i = 0; i < k->name_count; i++)
		if (text_is(name, k->names[i]))
			return true;
	return false;
}

static const char *capture_print(struct capture *c, const char *format, ...)
	printf_like(2, 3);

static void add_name(struct kernel *k, struct text name)
{
	if (k->name_count < NAMES_MAX && !has_name(k, name))
		k->names[k->name_count++] =
			capture_print(k->c, "%.*s", (int)name.n, name.p);
}

static void add_entry(struct kernel *k, struct text key, struct text value,
		      uint32_t priority)
{
	if (k->entry_count == ENTRIES_MAX)
		return;
	k->entries[k->entry_count++] = (struct index_entry){
		.key = capture_print(k->c, "%.*s", (int)key.n, key.p),
		.value = capture_print(k->c, "%.*s", (int)value.n, value.p),
		.priority = priority,
	};
}

/* An alias of a function: "pci:v...", or a variant driver's "vfio_pci:v...". */
static int each_alias(void *arg, struct text key, struct text value)
{
	struct kernel *k = arg;
	char pattern[INDEX_KEY_MAX + 1];
	size_t skip = text_has_prefix(key, "vfio_") ? strlen("vfio_") : 0;

	memcpy(pattern, key.p, key.n);
	pattern[key.n] = '\0';
	if (strncmp(pattern + skip, "pci:", 4) != 0)
		return 0;
	for (size_t i = 0; i < k->alias_count; i++)
		if (fnmatch(pattern + skip, k->aliases[i], 0) == 0) {
			add_entry(k, key, value, index_priority(value));
			add_name(k, value);
			break;
		}
	return 0;
}

static int each_name(void *arg, struct text key, struct text value)
{
	struct kernel *k = arg;

	if (has_name(k, key))
		add_entry(k, key, value, index_priority(value));
	return 0;
}

/* "PATH: PATH...": a path that is none of the kernel's own keeps the name of the file only. */
static int each_path(void *arg, struct text key, struct text value)
{
	const char *shown = "";
	struct kernel *k = arg;
	uint32_t priority;
	struct text word;

	if (!has_name(k, key))
		return 0;
	priority = index_priority(value);
	while (text_word(&value, &word)) {
		const char *slash = memrchr(word.p, '/', word.n);
		bool is_own = text_has_prefix(word, "kernel/");

		if (!is_own && slash) {
			word.n = (size_t)(word.p + word.n - slash - 1);
			word.p = slash + 1;
		}
		shown = capture_print(k->c, "%s%s%s%.*s", shown, shown[0] ? " " : "",
				      is_own ? "" : "updates/", (int)word.n, word.p);
	}
	add_entry(k, key, text_of(shown), priority);
	return 0;
}

static void capture_put_file(struct capture *c, const char *name, struct text bytes);

static bool capture_read(struct capture *c, const char *name, char **ret, size_t *ret_n);

static void put_index(struct kernel *k, const char *folder, const char *shown,
		      const char *file,
		      int (*each)(void *arg, struct text key, struct text value))
{
	const char *name = capture_print(k->c, "%s/%s", folder, file);
	struct text bytes;
	size_t n;
	char *p;
	int r;

	k->entry_count = 0;
	if (!capture_read(k->c, name, &p, &n))
		return;
	/* What a damaged index gave until then is better than nothing. */
	r = index_each((struct text){p, n}, each, k);
	if (r < 0)
		say_error("%s is damaged: not all modules are recorded", name);
	if (index_write(k->entries, k->entry_count, k->c->arena, &bytes) < 0)
		k->c->is_full = true;
	else
		capture_put_file(k->c, capture_print(k->c, "%s/%s", shown, file), bytes);
}

/* What loaders name after the kernel. */
static const struct {
	const char *before, *after;
} images[] = {
	{"vmlinuz-", ""},
	{"initrd.img-", ""},
	{"initrd-", ""},
	{"initramfs-", ".img"},
};

static void put_kernel(struct kernel *k, const char *version)
{
	const char *folder = capture_print(k->c, "lib/modules/%s", version);
	const char *shown = capture_print(k->c, "lib/modules/%s",
					  redact_kernel(&k->c->redact, text_of(version)));

	for (size_t i = 0; i < ARRAY_SIZE(images); i++)
		redact_set_alias(
			&k->c->redact,
			text_of(capture_print(k->c, "%s%s%s", images[i].before, version,
					      images[i].after)),
			capture_print(k->c, "%s%s%s", images[i].before,
				      redact_kernel(&k->c->redact, text_of(version)),
				      images[i].after));
	k->name_count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		add_name(k, text_of(always[i]));
	put_index(k, folder, shown, "modules.alias.bin", each_alias);
	put_index(k, folder, shown, "modules.builtin.alias.bin", each_alias);
	/* The names are known now. */
	put_index(k, folder, shown, "modules.builtin.bin", each_name);
	put_index(k, folder, shown, "modules.dep.bin", each_path);
	put_index(k, folder, shown, "modules.symbols.bin", each_name);
	for (size_t i = 0; i < k->name_count; i++)
		redact_keep_module(&k->c->redact, text_of(k->names[i]));
}

static const char *format_alias(struct capture *c, const struct pci_ids *ids)
{
	return capture_print(c, "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X",
			     ids->vendor, ids->device, ids->subvendor, ids->subdevice,
			     ids->class >> 16 & 0xff, ids->class >> 8 & 0xff,
			     ids->class & 0xff);
}

static bool has_alias(const struct kernel *k, const char *alias)
{
	for (size_t i = 0; i < k->alias_count; i++)
		if (strcmp(k->aliases[i], alias) == 0)
			return true;
	return false;
}

static struct capture_names capture_list(struct capture *c, const char *name);

/* Each puts what can be read; what cannot is left out. */
static void capture_modules(struct capture *c)
{
	static struct kernel k;
	struct capture_names versions = capture_list(c, "lib/modules");

	k = (struct kernel){
		.c = c,
		.aliases = arena_alloc(c->arena, c->inventory.count, sizeof(*k.aliases)),
		.entries = arena_alloc(c->arena, ENTRIES_MAX, sizeof(*k.entries)),
	};
	if (!k.aliases || !k.entries) {
		c->is_full = true;
		return;
	}
	for (size_t i = 0; i < c->inventory.count; i++) {
		const char *alias = format_alias(c, &c->inventory.devices[i].ids);

		if (!has_alias(&k, alias))
			k.aliases[k.alias_count++] = alias;
	}
	for (size_t i = 0; i < versions.count && i < KERNELS_MAX; i++)
		if (module_tree_is_version(versions.items[i]))
			put_kernel(&k, versions.items[i]);
}

/* What is told of pci.ids, from the head of the vendor, device or class on. */
struct ids_state {
	unsigned vendor;
	unsigned device;
	bool is_class;
	bool is_told; /* the line above the indented ones */
};

static bool has_ids(const struct capture *c, unsigned vendor, long device)
{
	for (size_t i = 0; i < c->inventory.count; i++) {
		const struct pci_ids *ids = &c->inventory.devices[i].ids;

		if (ids->vendor == vendor && (device < 0 || ids->device == device))
			return true;
		if (ids->subvendor == vendor && device < 0)
			return true;
	}
	return false;
}

static bool has_class(const struct capture *c, unsigned base, long sub)
{
	for (size_t i = 0; i < c->inventory.count; i++) {
		uint32_t class = c->inventory.devices[i].ids.class;

		if (class >> 16 == base && (sub < 0 || (class >> 8 & 0xff) == sub))
			return true;
	}
	return false;
}

static bool has_subsystem(const struct capture *c, const struct ids_state *s,
			  unsigned vendor, unsigned device)
{
	for (size_t i = 0; i < c->inventory.count; i++) {
		const struct pci_ids *ids = &c->inventory.devices[i].ids;

		if (ids->vendor == s->vendor && ids->device == s->device &&
		    ids->subvendor == vendor && ids->subdevice == device)
			return true;
	}
	return false;
}

/* pci.ids(5): vendors at the start of a line, devices behind a tab, subsystems behind two. */
static bool is_line_told(const struct capture *c, struct ids_state *s, struct text line)
{
	char copy[32] = "";
	unsigned one, two;

	memcpy(copy, line.p, line.n < sizeof(copy) ? line.n : sizeof(copy) - 1);
	if (sscanf(copy, "C %2x ", &one) == 1 && copy[0] == 'C') {
		*s = (struct ids_state){.vendor = one, .is_class = true};
		return s->is_told = has_class(c, one, -1);
	}
	if (char_hex(copy[0]) >= 0 && sscanf(copy, "%4x ", &one) == 1) {
		*s = (struct ids_state){.vendor = one};
		return s->is_told = has_ids(c, one, -1);
	}
	if (!s->is_told || copy[0] != '\t')
		return s->is_told = false;
	if (copy[1] == '\t')
		return !s->is_class && sscanf(copy, "\t\t%4x %4x", &one, &two) == 2 &&
		       has_subsystem(c, s, one, two);
	if (sscanf(copy, "\t%4x", &one) != 1)
		return false;
	s->device = one;
	return s->is_class ? has_class(c, s->vendor, one) : has_ids(c, s->vendor, one);
}

/* Each puts what can be read; what cannot is left out. */
static void capture_pci_ids(struct capture *c)
{
	static const char *const paths[] = {PCI_IDS_PATHS};
	struct ids_state state = {0};
	struct text rest, line;
	size_t n, used = 0;
	char *p, *kept;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (!capture_read(c, paths[i] + 1, &p, &n))
			continue;
		kept = arena_alloc(c->arena, n + 1, 1);
		if (!kept) {
			c->is_full = true;
			return;
		}
		rest = (struct text){p, n};
		while (text_cut(&rest, '\n', &line)) {
			if (!is_line_told(c, &state, line))
				continue;
			memcpy(kept + used, line.p, line.n);
			kept[used + line.n] = '\n';
			used += line.n + 1;
		}
		capture_put_file(c, paths[i] + 1, (struct text){kept, used});
		return;
	}
}

/* Folders beside modprobe.d whose *.conf files may have lines about vfio, and files of that kind. */
static const char *const line_folders[] = {"etc/dracut.conf.d", "etc/modules-load.d"};
static const char *const line_files[] = {
	"etc/booster.yaml",	      "etc/dracut.conf", "etc/initramfs-tools/modules",
	"etc/mkinitcpio.conf",	      "etc/modules",	 "etc/sysconfig/kernel",
	"etc/tiny-initramfs/modules",
};

/* Words that make a line one about vfio, or about who else may have a device. */
static const char *const line_words[] = {
	"vfio", "pci-stub", "pci_stub", "blacklist", "softdep",
};

/* Of os-release and cpuinfo: the lines that begin so. */
static const char *const release_keys[] = {
	"ID=", "ID_LIKE=", "VARIANT_ID=", "VERSION_ID=", "VERSION_CODENAME=",
};
static const char *const cpu_keys[] = {
	"vendor_id",
	"cpu family",
	"model\t",
	"flags",
	"CPU implementer",
	"CPU architecture",
	"CPU part",
	/* POWER, RISC-V */
	"cpu\t",
	"platform\t",
	"hart\t",
	"isa\t",
};

/* Mount points that are the same everywhere; the others are somebody's. */
static const char *const mount_points[] = {
	"/", "/boot", "/boot/efi", "/efi", "/etc", "/home", "/usr", "/var",
};

struct lines {
	char *p;
	size_t used;
};

/* Room for what becomes of @n bytes, which gets no longer. */
static bool begin(struct capture *c, struct lines *lines, size_t n)
{
	*lines = (struct lines){.p = arena_alloc(c->arena, n + 1, 1)};
	c->is_full = c->is_full || !lines->p;
	return lines->p != NULL;
}

static void keep(struct lines *lines, struct text line)
{
	memcpy(lines->p + lines->used, line.p, line.n);
	lines->p[lines->used + line.n] = '\n';
	lines->used += line.n + 1;
}

static bool begins(struct text line, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text_has_prefix(line, keys[i]))
			return true;
	return false;
}

static bool has_word(struct text t)
{
	for (size_t i = 0; i < ARRAY_SIZE(line_words); i++)
		if (memmem(t.p, t.n, line_words[i], strlen(line_words[i])))
			return true;
	return false;
}

/* A line that ends in a backslash goes on in the next one. */
static bool take_line(struct text *rest, struct text *ret)
{
	struct text part;

	if (!text_cut(rest, '\n', ret))
		return false;
	while (ret->n > 0 && ret->p[ret->n - 1] == '\\' && text_cut(rest, '\n', &part))
		ret->n = (size_t)(part.p + part.n - ret->p);
	return true;
}

static void capture_put_words(struct capture *c, const char *name, struct text bytes,
			      unsigned kinds);

static void put_lines_about_vfio(struct capture *c, const char *name, const char *shown)
{
	struct lines kept;
	struct text rest, line;
	size_t n;
	char *p;

	if (!capture_read(c, name, &p, &n) || !begin(c, &kept, n))
		return;
	redact_comments(p, n);
	rest = (struct text){p, n};
	while (take_line(&rest, &line))
		if (has_word(line))
			keep(&kept, text_trim(line));
	if (kept.used > 0)
		capture_put_words(c, shown, (struct text){kept.p, kept.used}, REDACT_ALL);
}

static bool is_conf(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".conf") == 0;
}

/*
 * People choose the names of files, whose order counts: digits in front stay, and the first
 * letter.
 */
static const char *file_alias(struct capture *c, const char *name)
{
	struct text stem = {name, strlen(name) - strlen(".conf")};
	size_t digits = MIN(strspn(name, "0123456789"), (size_t)3);
	char letter;

	stem.p += digits;
	stem.n -= digits;
	if (stem.n > 0 && stem.p[0] == '-') {
		stem.p++;
		stem.n--;
	}
	if (redact_is_told(&c->redact, stem, REDACT_WORD | REDACT_MODULE)) {
		redact_set_alias(&c->redact, text_of(name), name);
	} else {
		letter = stem.p[0] >= 'a' && stem.p[0] <= 'z' ? stem.p[0] : 'x';
		redact_set_alias(&c->redact, text_of(name),
				 capture_print(c, "%.*s%cx%03zu.conf",
					       (int)(stem.p - name), name, letter,
					       ++c->file_count));
	}
	return redact_name(&c->redact, text_of(name), REDACT_ALL);
}

/* Calls @put for the *.conf files of a folder, with the names that they get. */
static void each_conf(struct capture *c, const char *folder,
		      void (*put)(struct capture *c, const char *name, const char *shown))
{
	struct capture_names names = capture_list(c, folder);

	for (size_t i = 0; i < names.count; i++) {
		const char *shown;

		if (!is_conf(names.items[i]))
			continue;
		shown = file_alias(c, names.items[i]);
		put(c, capture_print(c, "%s/%s", folder, names.items[i]),
		    capture_print(c, "%s/%s", folder, shown));
	}
}

static void put_all_about_vfio(struct capture *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(line_folders); i++)
		each_conf(c, line_folders[i], put_lines_about_vfio);
	for (size_t i = 0; i < MODPROBE_FOLDERS; i++)
		each_conf(c, modprobe_folders[i] + 1, put_lines_about_vfio);
	for (size_t i = 0; i < ARRAY_SIZE(line_files); i++)
		put_lines_about_vfio(c, line_files[i], line_files[i]);
}

static void put_lines_with(struct capture *c, const char *name, const char *const *keys,
			   size_t count, unsigned kinds)
{
	struct lines kept;
	struct text rest, line;
	size_t n;
	char *p;

	if (!capture_read(c, name, &p, &n) || !begin(c, &kept, n))
		return;
	rest = (struct text){p, n};
	while (text_cut(&rest, '\n', &line) && line.n > 0)
		if (begins(line, keys, count))
			keep(&kept, line);
	capture_put_words(c, name, (struct text){kept.p, kept.used}, kinds);
}

static void put_configuration(struct capture *c, const char *name, const char *shown)
{
	size_t n;
	char *p;

	if (!capture_read(c, name, &p, &n))
		return;
	redact_comments(p, n);
	capture_put_words(c, shown, (struct text){p, n}, REDACT_ALL);
}

static void put_cmdline(struct capture *c)
{
	size_t n;
	char *p;

	if (capture_read(c, "proc/cmdline", &p, &n))
		capture_put_file(c, "proc/cmdline",
				 redact_cmdline(&c->redact, (struct text){p, n}));
}

static const char *hide_text(struct capture *c, struct text t)
{
	struct text shown = redact_words(&c->redact, t, REDACT_ALL);

	return capture_print(c, "%.*s", (int)shown.n, shown.p);
}

/* "/dev/sda1", "/dev/mapper/dm-0"; "none" for what is no device, as a share of a server. */
static const char *hide_source(struct capture *c, struct text source)
{
	return text_has_prefix(source, "/dev/") ? hide_text(c, source) : "none";
}

static const char *hide_mount_point(struct capture *c, struct text point)
{
	for (size_t i = 0; i < ARRAY_SIZE(mount_points); i++)
		if (text_is(point, mount_points[i]))
			return mount_points[i];
	return capture_print(c, "/x");
}

/* Puts the words of a line that has at least @count of them into @words. */
static bool split(struct text line, struct text *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!text_word(&line, &words[i]))
			return false;
	return true;
}

/* Documentation/filesystems/proc.rst, 3.5: ID PARENT MAJOR:MINOR ROOT POINT ... - TYPE SOURCE */
static const char *hide_mount(struct capture *c, struct text line)
{
	const char *dash = memmem(line.p, line.n, " - ", 3);
	struct text w[5], tail[2];

	if (!dash || !split(line, w, 5) ||
	    !split((struct text){dash + 3, (size_t)(line.p + line.n - dash - 3)}, tail,
		   2) ||
	    !text_has_prefix(tail[1], "/dev/"))
		return NULL;
	return capture_print(c, "%s %s %s / %s rw - %s %s rw", hide_text(c, w[0]),
			     hide_text(c, w[1]), hide_text(c, w[2]),
			     hide_mount_point(c, w[4]), hide_text(c, tail[0]),
			     hide_source(c, tail[1]));
}

/* The same for /proc/mounts: SOURCE POINT TYPE. */
static const char *hide_old_mount(struct capture *c, struct text line)
{
	struct text w[3];

	if (!split(line, w, 3) || !text_has_prefix(w[0], "/dev/"))
		return NULL;
	return capture_print(c, "%s %s %s rw 0 0", hide_source(c, w[0]),
			     hide_mount_point(c, w[1]), hide_text(c, w[2]));
}

/* Swap in a file has a name of its own. */
static const char *hide_swap(struct capture *c, struct text line)
{
	struct text w[2];

	if (!split(line, w, 2) || !text_is(w[1], "partition"))
		return NULL;
	return capture_print(c, "%s partition 0 0 0", hide_source(c, w[0]));
}

static bool is_zero(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] != '0')
			return false;
	return true;
}

static const char *hide_hex(struct capture *c, struct text t)
{
	return redact_name(&c->redact, t, REDACT_HEX);
}

/* net/ipv4/fib_trie.c: fib_route_seq_show(): only default routes, without their gateway. */
static const char *hide_route(struct capture *c, struct text line)
{
	struct text w[8];

	if (!split(line, w, 8) || !is_zero(w[1]) || !is_zero(w[7]))
		return NULL;
	return capture_print(c, "%s\t00000000\t00000000\t%s\t0\t0\t0\t00000000",
			     redact_name(&c->redact, w[0], REDACT_ALL),
			     hide_hex(c, w[3]));
}

/* net/ipv6/route.c: rt6_info_route() */
static const char *hide_route6(struct capture *c, struct text line)
{
	static const char any[] = "00000000000000000000000000000000";
	struct text w[10];

	if (!split(line, w, 10) || !is_zero(w[0]) || !is_zero(w[1]))
		return NULL;
	return capture_print(c, "%s 00 %s 00 %s 00000000 00000000 00000000 %s %s", any,
			     any, any, hide_hex(c, w[8]),
			     redact_name(&c->redact, w[9], REDACT_ALL));
}

/* NAME SIZE COUNT USERS STATE ADDRESS TAINT (kernel/module/procfs.c: m_show()) */
static const char *hide_module(struct capture *c, struct text line)
{
	struct text w[5];

	if (!split(line, w, 5))
		return NULL;
	return capture_print(c, "%s %s %s %s %s 0x0000000000000000", hide_text(c, w[0]),
			     hide_text(c, w[1]), hide_text(c, w[2]), hide_text(c, w[3]),
			     hide_text(c, w[4]));
}

/* routes_read(): "inet 254 eth0" */
static const char *hide_hop(struct capture *c, struct text line)
{
	struct text w[3];

	if (!split(line, w, 3))
		return NULL;
	return capture_print(c, "%.*s %.*s %s", (int)w[0].n, w[0].p, (int)w[1].n, w[1].p,
			     redact_name(&c->redact, w[2], REDACT_ALL));
}

/* Puts what @hide leaves of each line. */
static void put_lines(struct capture *c, const char *name, struct text rest,
		      const char *(*hide)(struct capture *c, struct text line))
{
	/* A line may get longer, by the word that stands for an empty one: never twice. */
	size_t room = 4 * rest.n;
	struct lines kept;
	struct text line;

	if (!begin(c, &kept, room))
		return;
	while (text_cut(&rest, '\n', &line)) {
		const char *text = hide(c, line);

		if (text && kept.used + strlen(text) < room)
			keep(&kept, text_of(text));
	}
	capture_put_file(c, name, (struct text){kept.p, kept.used});
}

static void put_hidden(struct capture *c, const char *name,
		       const char *(*hide)(struct capture *c, struct text line))
{
	size_t n;
	char *p;

	if (capture_read(c, name, &p, &n))
		put_lines(c, name, (struct text){p, n}, hide);
}

/*
 * Of the interrupts only what tells whether the IOMMU remaps them: what their controllers' names begin
 * with (iommu.c: read_interrupts()).
 */
static void put_interrupts(struct capture *c)
{
	static const char name[] = "proc/interrupts";
	static const char *const marks[] = {" IR-", " ITS-", " IO-APIC"};
	const char *kept = "";
	size_t n;
	char *p;

	if (!capture_read(c, name, &p, &n))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (memmem(p, n, marks[i], strlen(marks[i])))
			kept = capture_print(c, "%s%zu: 0%s\n", kept, i, marks[i]);
	capture_put_file(c, name, text_of(kept));
}

/*
 * Memory of framebuffers, by whoever draws there; and of PCI buses, which tells whether addresses are
 * hidden (framebuffer.c: framebuffer_find(), iomem_is_hidden()).
 */
static const char *hide_region(struct capture *c, struct text line)
{
	static const char bus[] = "PCI Bus ";
	struct text range, name = line;

	if (!text_cut(&name, ':', &range))
		return NULL;
	name = text_trim(name);
	if (framebuffer_of_region(name))
		return capture_print(c, "%.*s: %.*s", (int)range.n, range.p, (int)name.n,
				     name.p);
	return text_has_prefix(name, bus)
		       ? capture_print(c, "%.*s: %s0000:00", (int)range.n, range.p, bus)
		       : NULL;
}

static void put_routes(struct capture *c)
{
	struct text routes;

	if (routes_read(c->world, c->arena, &routes) == 0)
		put_lines(c, "proc/" ROUTES_RECORDED, routes, hide_hop);
}

static bool has_ending(const char *name, const char *ending)
{
	return text_has_suffix(text_of(name), ending);
}

/* What the binder says of this boot; what the generators say to "earlybind apply" is not told. */
static bool is_report(const char *name)
{
	static const char *const told[] = {REPORT_FILE, REPORT_FIRST_FILE,
					   "/" LATE_RULES_NAME, "/" LATE_JUDGED_NAME,
					   "/" SHELL_NAME};
	struct text address = text_of(name);
	struct bdf bdf;
	size_t from;

	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (strcmp(name, told[i] + 1) == 0)
			return true;
	/* Of a device: the address, and what kind of file it is. */
	from = MIN(address.n, (size_t)8);
	address.n = MIN(address.n, strcspn(name + from, ".") + 8);
	address.n = address.n + 2 <= strlen(name) ? address.n + 2 : address.n;
	return bdf_parse(address, &bdf) == 0 &&
	       (name[address.n] == '\0' || has_ending(name, ".json") ||
		has_ending(name, LATE_VERDICT_SUFFIX) || has_ending(name, ".stuck"));
}

static void put_report_folder(struct capture *c, const char *folder)
{
	struct capture_names names = capture_list(c, folder);
	size_t n;
	char *p;

	for (size_t i = 0; i < names.count; i++) {
		const char *name = capture_print(c, "%s/%s", folder, names.items[i]);

		if (is_report(names.items[i]) && capture_read(c, name, &p, &n))
			capture_put_words(c, name, (struct text){p, n},
					  REDACT_ALL | REDACT_JSON);
	}
}

/* Which groups have a node; nobody opens these. */
static void put_nodes(struct capture *c)
{
	struct capture_names names = capture_list(c, "dev/vfio");

	for (size_t i = 0; i < names.count; i++)
		if (strcmp(names.items[i], "devices") != 0)
			capture_put_file(
				c,
				capture_print(c, "dev/vfio/%s",
					      redact_name(&c->redact,
							  text_of(names.items[i]),
							  REDACT_ALL)),
				TEXT(""));
}

/* The version of the kernel. */
static void put_release(struct capture *c)
{
	static const char name[] = "proc/sys/kernel/osrelease";
	size_t n;
	char *p;

	if (capture_read(c, name, &p, &n))
		capture_put_file(c, name,
				 text_of(capture_print(
					 c, "%s\n",
					 redact_kernel(&c->redact,
						       text_trim((struct text){p, n})))));
}

static bool capture_has(struct capture *c, const char *name);

static void capture_put_dir(struct capture *c, const char *name);

/* A unified image has the kernel's version in its name, and often the machine's ID. */
static const char *image_alias(struct capture *c, const char *folder, const char *name)
{
	struct text stem = {name, strlen(name) - strlen(".efi")};

	return capture_print(c, "%s/%s.efi", folder, redact_kernel(&c->redact, stem));
}

/*
 * The words of an entry, and the parameters of what it appends; titles and other keys are left
 * out.
 */
static const char *hide_loader_line(struct capture *c, struct text line)
{
	static const char *const keys[] = {"label", "linux", "kernel", "initrd",
					   "append"};
	struct text key, value, shown;

	if (!boot_entry_line(line, &key, &value))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (key.n != strlen(keys[i]) || strncasecmp(key.p, keys[i], key.n) != 0)
			continue;
		shown = strcmp(keys[i], "append") == 0
				? redact_cmdline(&c->redact, value)
				: redact_words(&c->redact, value, REDACT_ALL);
		return capture_print(c, "%s %.*s", keys[i], (int)shown.n, shown.p);
	}
	return NULL;
}

/* Which entries there are; of unified images only that they exist. */
static void put_loaders(struct capture *c)
{
	static const char *const files[] = {
		"boot/extlinux/extlinux.conf",
		"boot/syslinux/syslinux.cfg",
		"extlinux/extlinux.conf",
		"syslinux/syslinux.cfg",
	};
	static const char *const partitions[] = {"boot", "efi", "boot/efi"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		put_hidden(c, files[i], hide_loader_line);
	for (size_t i = 0; i < ARRAY_SIZE(partitions); i++) {
		const char *folder = capture_print(c, "%s/EFI/Linux", partitions[i]);
		struct capture_names names = capture_list(c, folder);

		if (capture_has(c, folder))
			capture_put_dir(c, folder);
		for (size_t k = 0; k < names.count; k++)
			if (has_ending(names.items[k], ".efi"))
				capture_put_file(c,
						 image_alias(c, folder, names.items[k]),
						 TEXT(""));
	}
}

/* Each puts what can be read; what cannot is left out. */
static void capture_files(struct capture *c)
{
	put_configuration(c, "etc/earlybind.conf", "etc/earlybind.conf");
	each_conf(c, "etc/earlybind.conf.d", put_configuration);

	put_nodes(c);
	put_cmdline(c);
	put_release(c);
	put_lines_with(c, "proc/cpuinfo", cpu_keys, ARRAY_SIZE(cpu_keys),
		       REDACT_NUMBER | REDACT_WORD | REDACT_DROP);
	put_interrupts(c);
	put_hidden(c, "proc/iomem", hide_region);
	put_hidden(c, "proc/modules", hide_module);
	put_hidden(c, "proc/self/mountinfo", hide_mount);
	put_hidden(c, "proc/mounts", hide_old_mount);
	put_hidden(c, "proc/swaps", hide_swap);
	put_hidden(c, "proc/net/route", hide_route);
	put_hidden(c, "proc/net/ipv6_route", hide_route6);
	put_routes(c);

	put_lines_with(c, "etc/os-release", release_keys, ARRAY_SIZE(release_keys),
		       REDACT_NUMBER | REDACT_WORD);
	put_lines_with(c, "usr/lib/os-release", release_keys, ARRAY_SIZE(release_keys),
		       REDACT_NUMBER | REDACT_WORD);
	put_all_about_vfio(c);
	put_loaders(c);

	put_report_folder(c, "run/earlybind");
	put_report_folder(c, "run/earlybind/devices");
	put_report_folder(c, "dev/.earlybind");
}

#define CAPTURE_FILE_MAX ((size_t)16 * 1024 * 1024)

#define TABLE_HEAD_SIZE 36 /* of a table of ACPI */
#define MODEL_MAX	64

#define EFI_IS_VOLATILE 6 /* attributes of a variable: only until the next boot */
#define EFI_IS_KEPT	7

/* Of a function. Reading them wakes no device. */
static const char *const attributes[] = {
	"ari_enabled",
	"boot_vga",
	"broken_parity_status",
	"class",
	"d3cold_allowed",
	"device",
	"driver_override",
	"enable",
	"irq",
	"local_cpulist",
	"modalias",
	"msi_bus",
	"numa_node",
	"power/control",
	"power/runtime_status",
	"power_state",
	"removable",
	"reset_method",
	"resource",
	"revision",
	"secondary_bus_number",
	"serial_number",
	"sriov_drivers_autoprobe",
	"sriov_numvfs",
	"sriov_totalvfs",
	"sriov_vf_device",
	"subordinate_bus_number",
	"subsystem_device",
	"subsystem_vendor",
	"vendor",
};

static const char *const links[] = {"driver", "iommu", "iommu_group", "physfn"};

/* Beside the bus. */
static const char *const model_files[] = {
	"sys/class/dmi/id/bios_date",	      "sys/class/dmi/id/bios_version",
	"sys/class/dmi/id/board_name",	      "sys/class/dmi/id/board_vendor",
	"sys/class/dmi/id/product_name",      "sys/class/dmi/id/sys_vendor",
	"sys/firmware/devicetree/base/model",
};

static const char *const copied_files[] = {
	"sys/class/tty/console/active",
	"sys/kernel/security/lockdown",
	"sys/hypervisor/type",
	"sys/module/kvm/parameters/ignore_msrs",
	"sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
	"sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts",
	"sys/module/vfio_pci/parameters/disable_denylist",
	"sys/module/vfio_pci/parameters/disable_idle_d3",
	"sys/module/vfio_pci/parameters/ids",
	"sys/power/resume",
};

static const char *const folders[] = {
	"sys/bus/pci/devices", "sys/firmware/efi",    "sys/kernel/iommu_groups",
	"sys/class/iommu",     "sys/module/vfio",     "sys/module/vfio_pci",
	"sys/module/kvm",      "sys/module/pci_stub", "sys/module/vfio_iommu_type1",
};

/*
 * Where the link @name leads, as a name of the tree: relative targets only, and none that
 * leaves /sys. NULL otherwise.
 */
static const char *resolve(struct capture *c, const char *name, const char *target)
{
	size_t n = strlen(name);
	struct text rest = text_of(target), part;
	const char *path;

	while (n > 0 && name[n - 1] != '/')
		n--;
	path = capture_print(c, "%.*s", (int)(n > 0 ? n - 1 : 0), name);
	while (text_cut(&rest, '/', &part)) {
		const char *slash = strrchr(path, '/');

		if (text_is(part, "..") && !slash)
			return NULL;
		if (text_is(part, ".."))
			path = capture_print(c, "%.*s", (int)(slash - path), path);
		else if (part.n > 0)
			path = capture_print(c, "%s/%.*s", path, (int)part.n, part.p);
	}
	return strncmp(path, "sys/", 4) == 0 ? path : NULL;
}

static void capture_put_link(struct capture *c, const char *name, const char *target);

static const char *capture_target(struct capture *c, const char *name);

/* Puts the link, if it is one, and returns where its folder stands; NULL: it is not told. */
static const char *put_place(struct capture *c, const char *name)
{
	const char *target = capture_target(c, name);
	const char *place = target ? resolve(c, name, target) : name;

	if (!place)
		return NULL;
	if (target)
		capture_put_link(c, name, target);
	capture_put_dir(c, place);
	return place;
}

/* @from is where the file is read, @to where it is put. */
static void put_attribute(struct capture *c, const char *from, const char *to,
			  const char *attribute, unsigned kinds)
{
	char *p;
	size_t n;

	if (!capture_read(c, capture_print(c, "%s/%s", from, attribute), &p, &n))
		return;
	capture_put_words(c, capture_print(c, "%s/%s", to, attribute),
			  (struct text){p, n}, kinds);
}

static void put_link(struct capture *c, const char *from, const char *to,
		     const char *name)
{
	const char *target = capture_target(c, capture_print(c, "%s/%s", from, name));

	if (target)
		capture_put_link(c, capture_print(c, "%s/%s", to, name), target);
}

/*
 * Reading a configuration space wakes the device (drivers/pci/pci-sysfs.c: pci_read_config()):
 * that of one that sleeps is left out.
 */
static bool is_awake(struct capture *c, const char *from)
{
	char *p;
	size_t n;

	return !capture_read(c, capture_print(c, "%s/power_state", from), &p, &n) ||
	       !text_has_prefix((struct text){p, n}, "D3");
}

static void put_config_space(struct capture *c, const char *from, const char *to,
			     bool is_named)
{
	char *p;
	size_t n;

	if (!is_awake(c, from) ||
	    !capture_read(c, capture_print(c, "%s/config", from), &p, &n))
		return;
	if (!is_named)
		n = config_space_strip((unsigned char *)p, n);
	redact_config_space(&c->redact, (unsigned char *)p, n);
	capture_put_file(c, capture_print(c, "%s/config", to), (struct text){p, n});
}

static const struct pci_device *find_named(const struct capture *c, const char *address)
{
	struct bdf bdf;

	if (!c->named || bdf_parse(text_of(address), &bdf) < 0)
		return NULL;
	return inventory_find(c->named, bdf);
}

/* Some attributes take the device's lock, which a driver that hangs has for ever. */
static bool can_wait_for_ever(struct capture *c, const struct pci_device *d,
			      const char *attribute)
{
	return d &&
	       (strcmp(attribute, "driver_override") == 0 ||
		strcmp(attribute, "sriov_numvfs") == 0) &&
	       hotplug_find(c->world, d->bdf, &d->ids) == LATE_STUCK;
}

static void put_function(struct capture *c, const char *address)
{
	const char *from = capture_print(c, "sys/bus/pci/devices/%s", address);
	const struct pci_device *d = find_named(c, address);
	const char *to = put_place(c, from);
	struct capture_names names;

	if (!to)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		if (!can_wait_for_ever(c, d, attributes[i]))
			put_attribute(c, from, to, attributes[i], REDACT_ALL);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		put_link(c, from, to, links[i]);
	names = capture_list(c, capture_print(c, "%s/vfio-dev", from));
	for (size_t i = 0; i < names.count; i++)
		if (strncmp(names.items[i], "vfio", 4) == 0 &&
		    names.items[i][strspn(names.items[i] + 4, "0123456789") + 4] == '\0')
			capture_put_dir(c, capture_print(c, "%s/vfio-dev/%s", to,
							 names.items[i]));
	put_config_space(c, from, to, d && d->is_interesting);
	if (!capture_has(c, capture_print(c, "%s/sriov_totalvfs", from)))
		return;
	names = capture_list(c, from);
	for (size_t i = 0; i < names.count; i++)
		if (strncmp(names.items[i], "virtfn", strlen("virtfn")) == 0)
			put_link(c, from, to, names.items[i]);
}

static void put_group(struct capture *c, const char *id)
{
	const char *group = capture_print(c, "sys/kernel/iommu_groups/%s", id);
	const char *devices = capture_print(c, "%s/devices", group);
	struct capture_names names = capture_list(c, devices);

	put_attribute(c, group, group, "reserved_regions", REDACT_ALL);
	put_attribute(c, group, group, "type", REDACT_ALL);
	capture_put_dir(c, devices);
	for (size_t i = 0; i < names.count; i++)
		put_link(c, devices, devices, names.items[i]);
}

static void put_driver(struct capture *c, const char *name)
{
	const char *driver = capture_print(c, "sys/bus/pci/drivers/%s", name);

	capture_put_dir(c, driver);
	put_link(c, driver, driver, "module");
}

static void put_slot(struct capture *c, const char *name)
{
	const char *slot = capture_print(c, "sys/bus/pci/slots/%s", name);

	put_attribute(c, slot, slot, "address", REDACT_ALL);
}

static void put_iommu(struct capture *c, const char *name)
{
	static const char *const wanted[] = {
		"amd-iommu/cap",    "amd-iommu/features",  "intel-iommu/cap",
		"intel-iommu/ecap", "intel-iommu/version",
	};
	const char *from = capture_print(c, "sys/class/iommu/%s", name);
	const char *to = put_place(c, from);

	for (size_t i = 0; to && i < ARRAY_SIZE(wanted); i++)
		put_attribute(c, from, to, wanted[i], REDACT_ALL | REDACT_HEX);
}

/* Whether it is, or stands on, what a PCI function has: the rest says nothing about them. */
static bool is_told(const char *place, const struct capture_names *inside)
{
	struct text rest = text_of(place), part;
	struct bdf bdf;

	while (text_cut(&rest, '/', &part))
		if (bdf_parse(part, &bdf) == 0)
			return true;
	for (size_t i = 0; i < inside->count; i++)
		if (strncmp(inside->items[i], "lower_", strlen("lower_")) == 0 ||
		    strcmp(inside->items[i], "slaves") == 0)
			return true;
	return false;
}

static void put_interface(struct capture *c, const char *name)
{
	static const char *const wanted[] = {"flags", "carrier", "operstate"};
	const char *from = capture_print(c, "sys/class/net/%s", name);
	const char *target = capture_target(c, from);
	struct capture_names inside = capture_list(c, from);
	const char *to;

	if (strncmp(name, "veth", 4) == 0 || !is_told(target ? target : from, &inside))
		return;
	to = put_place(c, from);
	for (size_t i = 0; to && i < ARRAY_SIZE(wanted); i++)
		put_attribute(c, from, to, wanted[i], REDACT_ALL | REDACT_HEX);
	for (size_t i = 0; to && i < inside.count; i++)
		if (strncmp(inside.items[i], "upper_", 6) == 0 ||
		    strncmp(inside.items[i], "lower_", 6) == 0)
			capture_put_dir(c,
					capture_print(c, "%s/%s", to, inside.items[i]));
}

/* Names in the device mapper are often those of hosts and people. */
static void put_map(struct capture *c, const char *block, const char *from,
		    const char *to)
{
	if (capture_has(c, capture_print(c, "%s/dm/name", from)))
		capture_put_file(c, capture_print(c, "%s/dm/name", to),
				 text_of(capture_print(c, "%s\n", block)));
}

static void put_block(struct capture *c, const char *name)
{
	const char *from = capture_print(c, "sys/class/block/%s", name);
	const char *target = capture_target(c, from);
	struct capture_names inside = {0};
	const char *to;

	if (strncmp(name, "loop", 4) == 0 || strncmp(name, "ram", 3) == 0)
		return;
	if (!target || strstr(target, "/virtual/"))
		inside = capture_list(c, from);
	if (!is_told(target ? target : from, &inside))
		return;
	to = put_place(c, from);
	if (!to)
		return;
	put_attribute(c, from, to, "dev", REDACT_NUMBER | REDACT_ID);
	put_map(c, name, from, to);
	inside = capture_list(c, capture_print(c, "%s/slaves", from));
	for (size_t i = 0; i < inside.count; i++)
		capture_put_dir(c, capture_print(c, "%s/slaves/%s", to, inside.items[i]));
}

static void put_display(struct capture *c, const char *name)
{
	const char *from = capture_print(c, "sys/class/drm/%s", name);
	const char *to = strncmp(name, "card", 4) == 0 ? put_place(c, from) : NULL;

	if (to)
		put_attribute(c, from, to, "status", REDACT_WORD);
}

static void put_framebuffer(struct capture *c, const char *name)
{
	(void)put_place(c, capture_print(c, "sys/class/graphics/%s", name));
}

/* Which keys it has: whether it is a keyboard. */
static void put_input(struct capture *c, const char *name)
{
	const char *from = capture_print(c, "sys/class/input/%s", name);
	const char *to = strncmp(name, "input", 5) == 0 ? put_place(c, from) : NULL;

	if (to)
		put_attribute(c, from, to, "capabilities/key", REDACT_HEX);
}

/* The members of a btrfs, whose UUID becomes a number. */
static void put_btrfs(struct capture *c)
{
	struct capture_names systems = capture_list(c, "sys/fs/btrfs");

	for (size_t i = 0; i < systems.count; i++) {
		struct capture_names devices = capture_list(
			c, capture_print(c, "sys/fs/btrfs/%s/devices", systems.items[i]));

		for (size_t k = 0; k < devices.count; k++)
			capture_put_dir(c, capture_print(c, "sys/fs/btrfs/%zu/devices/%s",
							 i + 1, devices.items[k]));
	}
}

/* The maker and the model, as the firmware says them: one line that can be printed. */
static void put_model(struct capture *c, const char *name)
{
	size_t n, i = 0;
	char *p;

	if (!capture_read(c, name, &p, &n))
		return;
	while (i < n && i < MODEL_MAX && p[i] >= ' ' && p[i] <= '~')
		i++;
	/* That of a device tree ends with a NUL. */
	if (i == n || p[i] == '\n' || p[i] == '\0')
		capture_put_file(c, name, text_of(capture_print(c, "%.*s\n", (int)i, p)));
}

/* drivers/xen/sys-hypervisor.c: zeros say dom0. Any other one is a VM's own. */
static void put_hypervisor(struct capture *c)
{
	static const char name[] = "sys/hypervisor/uuid",
			  zeros[] = "00000000-0000-0000-0000-000000000000",
			  ones[] = "11111111-1111-1111-1111-111111111111";
	size_t n;
	char *p;

	if (capture_read(c, name, &p, &n))
		capture_put_file(c, name,
				 text_has_prefix((struct text){p, n}, zeros)
					 ? text_of(zeros)
					 : text_of(ones));
}

/* A variable of EFI as it is made. */
struct variable {
	char *bytes;
	size_t used;
};

static void add_number(struct variable *v, unsigned number, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		v->bytes[v->used++] = (char)(number >> (8 * i));
}

/* @t is ASCII; UTF-16, with the zero at its end. */
static void add_utf16(struct variable *v, struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		add_number(v, (unsigned char)t.p[i], 2);
	add_number(v, 0, 2);
}

#define EFI_LABEL "name not recorded"

/* Room for numbers of at most 16 bytes, a label, and @t. */
static bool begin_variable(struct capture *c, struct variable *v, struct text t)
{
	*v = (struct variable){
		.bytes =
			arena_alloc(c->arena, 16 + 2 * (t.n + 1 + sizeof(EFI_LABEL)), 1)};
	c->is_full = c->is_full || !v->bytes;
	return v->bytes != NULL;
}

static void put_variable(struct capture *c, const char *name, const struct variable *v)
{
	const char *base = strrchr(name, '/') + 1;

	redact_set_alias(&c->redact, TEXT("efivars"), "efivars");
	redact_set_alias(&c->redact, text_of(base), base);
	capture_put_file(c, capture_print(c, "sys/%s", name),
			 (struct text){v->bytes, v->used});
}

/* The firmware's entry that started this boot, with its command line alone. */
static void put_efi_entry(struct capture *c)
{
	struct efi_entry entry;
	struct variable v;
	struct text options;
	const char *name;

	if (efi_entry_read(c->world, c->arena, &entry) < 0 ||
	    !begin_variable(c, &v, TEXT("")))
		return;
	add_number(&v, EFI_IS_VOLATILE, EFI_ATTRIBUTES);
	add_number(&v, entry.number, 2);
	put_variable(c, BOOT_CURRENT, &v);
	options = redact_cmdline(&c->redact, text_of(entry.options));
	name = efi_entry_name(c->arena, entry.number);
	if (!name || !begin_variable(c, &v, options))
		return;
	add_number(&v, EFI_IS_KEPT, EFI_ATTRIBUTES);
	add_number(&v, 1, 4); /* LOAD_OPTION_ACTIVE */
	add_number(&v, 0, 2); /* no path */
	add_utf16(&v, TEXT(EFI_LABEL));
	add_utf16(&v, options);
	put_variable(c, name, &v);
}

/* What bootloader_find() reads. Of other loaders than systemd-boot it asks nothing. */
static void put_efi(struct capture *c)
{
	const struct text name = TEXT("systemd-boot");
	struct variable v;
	size_t n;
	char *p;

	if (capture_read(c, "sys/" LOADER_INFO, &p, &n) &&
	    loader_info_is_systemd_boot((struct text){p, n}) &&
	    begin_variable(c, &v, name)) {
		add_number(&v, EFI_IS_VOLATILE, EFI_ATTRIBUTES);
		add_utf16(&v, name);
		put_variable(c, LOADER_INFO, &v);
	}
	put_efi_entry(c);
}

/* "SSDT12": what the firmware has is told, not what is in it. */
static bool is_table_name(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

	return n >= 4 && n <= 7 && name[n] == '\0' &&
	       strspn(name + 4, "0123456789") == n - 4;
}

/* A table that lists the IOMMUs, as long as its head says (ACPI specification, 5.2.6). */
static struct text read_table(struct capture *c, const char *path, const char *name)
{
	const unsigned char *u;
	size_t n, length;
	char *p;

	if (!capture_read(c, path, &p, &n) || n < TABLE_HEAD_SIZE ||
	    memcmp(p, name, 4) != 0)
		return TEXT("");
	u = (const unsigned char *)p + 4;
	length = u[0] | (size_t)u[1] << 8 | (size_t)u[2] << 16 | (size_t)u[3] << 24;
	return (struct text){p, MIN(n, MAX(length, (size_t)TABLE_HEAD_SIZE))};
}

static void put_tables(struct capture *c)
{
	static const char folder[] = "sys/firmware/acpi/tables";
	static const char *const whole[] = {"DMAR", "IORT", "IVRS"};
	struct capture_names names = capture_list(c, folder);

	if (capture_has(c, folder))
		capture_put_dir(c, folder);
	for (size_t i = 0; i < names.count; i++) {
		const char *path = capture_print(c, "%s/%s", folder, names.items[i]);
		struct text bytes = {"", 0};

		if (!is_table_name(names.items[i]))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(whole); k++)
			if (strcmp(names.items[i], whole[k]) == 0)
				bytes = read_table(c, path, whole[k]);
		redact_set_alias(&c->redact, text_of(names.items[i]), names.items[i]);
		capture_put_file(c, path, bytes);
	}
}

/* Each puts what can be read; what cannot is left out. */
static void capture_sys(struct capture *c)
{
	static const struct {
		const char *folder;
		void (*put)(struct capture *c, const char *name);
	} parts[] = {
		{"sys/bus/pci/devices", put_function},
		{"sys/bus/pci/drivers", put_driver},
		{"sys/bus/pci/slots", put_slot},
		{"sys/kernel/iommu_groups", put_group},
		{"sys/class/iommu", put_iommu},
		{"sys/class/net", put_interface},
		{"sys/class/block", put_block},
		{"sys/class/drm", put_display},
		{"sys/class/graphics", put_framebuffer},
		{"sys/class/input", put_input},
	};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (capture_has(c, folders[i]))
			capture_put_dir(c, folders[i]);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct capture_names names = capture_list(c, parts[i].folder);

		for (size_t k = 0; k < names.count; k++)
			parts[i].put(c, names.items[k]);
	}
	put_btrfs(c);
	put_tables(c);
	put_hypervisor(c);
	put_efi(c);
	for (size_t i = 0; i < ARRAY_SIZE(model_files); i++)
		put_model(c, model_files[i]);
	for (size_t i = 0; i < ARRAY_SIZE(copied_files); i++)
		put_attribute(c, "sys", "sys", copied_files[i] + strlen("sys/"),
			      REDACT_ALL);
}

#define DEFAULT_OUTPUT "earlybind-capture.tar.gz"
#define TARGET_MAX     4096
#define MAC_DIGITS     12

static const char *capture_print(struct capture *c, const char *format, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, format);
	text = arena_vprintf(c->arena, format, ap);
	va_end(ap);
	c->is_full = c->is_full || !text;
	return text ? text : "";
}

/* The parts of a path below /sys: what is no name of the kernel's gets its alias. */
static const char *hide_path(struct capture *c, const char *path)
{
	static const char *const prefixes[] = {"upper_", "lower_"};
	struct text rest = text_of(path), part;
	const char *shown = "";

	while (text_cut(&rest, '/', &part)) {
		const char *prefix = "";

		for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
			if (text_has_prefix(part, prefixes[i]))
				prefix = prefixes[i];
		part.p += strlen(prefix);
		part.n -= strlen(prefix);
		if (!text_is(part, "..") && part.n > 0)
			shown = capture_print(c, "%s%s%s%s", shown, shown[0] ? "/" : "",
					      prefix,
					      redact_name(&c->redact, part, REDACT_ALL));
		else if (part.n > 0)
			shown = capture_print(c, "%s%s..", shown, shown[0] ? "/" : "");
	}
	return shown;
}

static void add(struct capture *c, enum capture_kind kind, const char *name,
		struct text bytes)
{
	struct capture_entry *e = arena_alloc(c->arena, 1, sizeof(*e));

	if (!e) {
		c->is_full = true;
		return;
	}
	*e = (struct capture_entry){
		kind, strncmp(name, "sys/", 4) == 0 ? hide_path(c, name) : name, bytes,
		c->first};
	c->first = e;
	c->count++;
}

static void capture_put_dir(struct capture *c, const char *name)
{
	add(c, CAPTURE_DIR, name, TEXT(""));
}

static void capture_put_file(struct capture *c, const char *name, struct text bytes)
{
	add(c, CAPTURE_FILE, name, bytes);
}

static void capture_put_link(struct capture *c, const char *name, const char *target)
{
	/* What leaves the tree would be another machine's. */
	if (target[0] != '/')
		add(c, CAPTURE_LINK, name, text_of(hide_path(c, target)));
}

static const char *below(struct capture *c, const char *name)
{
	return capture_print(c, "%s/%s", c->sysroot ? c->sysroot : "", name);
}

/* A whole file, which the caller may write over; false if it cannot be read. */
static bool capture_read(struct capture *c, const char *name, char **ret, size_t *ret_n)
{
	struct text bytes;
	int r = file_read(below(c, name), c->arena, CAPTURE_FILE_MAX, &bytes, NULL);

	/* Sysfs may say so too. */
	c->is_full =
		c->is_full || c->arena->size - c->arena->used <= 2 * CAPTURE_FILE_MAX;
	if (r < 0)
		return false;
	*ret = c->arena->base + (bytes.p - c->arena->base);
	*ret_n = bytes.n;
	return true;
}

/* The target of a link, NULL if it is none. */
static const char *capture_target(struct capture *c, const char *name)
{
	char target[TARGET_MAX];
	ssize_t n = readlink(below(c, name), target, sizeof(target));

	return n < 0 || (size_t)n == sizeof(target)
		       ? NULL
		       : capture_print(c, "%.*s", (int)n, target);
}

static bool capture_has(struct capture *c, const char *name)
{
	return access(below(c, name), F_OK) == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The target of a link, NULL if it is none. */
static struct capture_names capture_list(struct capture *c, const char *name)
{
	DIR *d = opendir(below(c, name));
	struct capture_names names = {0};
	struct dirent *e;
	size_t max = 0;

	while (d && !c->is_full && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (names.count == max) {
			const char **items;

			max = max > 0 ? 2 * max : 32;
			items = arena_alloc(c->arena, max, sizeof(*items));
			if (!items) {
				c->is_full = true;
				break;
			}
			if (names.count > 0)
				memcpy(items, names.items, names.count * sizeof(*items));
			names.items = items;
		}
		names.items[names.count++] = capture_print(c, "%s", e->d_name);
	}
	if (d)
		closedir(d);
	if (names.count > 0)
		qsort(names.items, names.count, sizeof(*names.items), compare_names);
	return names;
}

static void capture_put_words(struct capture *c, const char *name, struct text bytes,
			      unsigned kinds)
{
	capture_put_file(c, name, redact_words(&c->redact, bytes, kinds));
}

/* A folder stands before what is in it: '/' comes before all other characters. */
static int compare_entries(const void *a, const void *b)
{
	const char *x = (*(const struct capture_entry *const *)a)->name;
	const char *y = (*(const struct capture_entry *const *)b)->name;

	while (*x != '\0' && *x == *y) {
		x++;
		y++;
	}
	return (*x == '/' ? 1 : (unsigned char)*x) - (*y == '/' ? 1 : (unsigned char)*y);
}

static int put_parents(struct tar_writer *w, const char *before, const char *name)
{
	int r = 0;

	for (const char *p = strchr(name, '/'); p && r == 0; p = strchr(p + 1, '/')) {
		char folder[TARGET_MAX];
		size_t n = (size_t)(p - name);

		if (strncmp(before, name, n) == 0 &&
		    (before[n] == '/' || before[n] == '\0'))
			continue;
		if (n >= sizeof(folder))
			return -ENAMETOOLONG;
		memcpy(folder, name, n);
		folder[n] = '\0';
		r = tar_put_dir(w, folder);
	}
	return r;
}

static int put_entry(struct tar_writer *w, const struct capture_entry *e)
{
	switch (e->kind) {
	case CAPTURE_DIR:
		return tar_put_dir(w, e->name);
	case CAPTURE_FILE:
		return tar_put_file(w, e->name, e->bytes);
	case CAPTURE_LINK:
		return tar_put_link(w, e->name, e->bytes.p);
	}
	return 0;
}

static int put_all(struct capture *c, struct tar_writer *w)
{
	const struct capture_entry **entries =
		arena_alloc(c->arena, c->count, sizeof(void *));
	const char *before = "";
	size_t count = 0;
	int r = 0;

	if (!entries)
		return -ENOMEM;
	for (const struct capture_entry *e = c->first; e; e = e->next)
		entries[count++] = e;
	if (count > 0)
		qsort(entries, count, sizeof(void *), compare_entries);
	for (size_t i = 0; i < count && r == 0; i++) {
		const char *name = entries[i]->name;

		if (strcmp(before, name) == 0)
			continue;
		r = put_parents(w, before, name);
		if (r == 0)
			r = put_entry(w, entries[i]);
		before = name;
	}
	return r == 0 ? tar_put_end(w) : r;
}

static int write_file(void *arg, struct text bytes)
{
	return new_file_write(arg, bytes);
}

static int write_stdout(void *arg unused, struct text bytes)
{
	/* A failure is said when the output is closed. */
	return fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n ? 0 : -EIO;
}

struct gzip {
	struct new_file *file;
	z_stream z;
};

/* Z_FINISH ends the file. */
static int gzip_write(struct gzip *g, struct text bytes, int flush)
{
	static unsigned char piece[64 * 1024];
	int r = 0;

	g->z.next_in = (z_const Bytef *)bytes.p;
	g->z.avail_in = (unsigned)bytes.n;
	do {
		g->z.next_out = piece;
		g->z.avail_out = sizeof(piece);
		if (deflate(&g->z, flush) == Z_STREAM_ERROR)
			return -EIO;
		r = new_file_write(g->file,
				   (struct text){(const char *)piece,
						 sizeof(piece) - g->z.avail_out});
	} while (r == 0 && g->z.avail_out == 0);
	return r;
}

static int gzip_put(void *arg, struct text bytes)
{
	return gzip_write(arg, bytes, Z_NO_FLUSH);
}

static int write_gzip(struct capture *c, struct new_file *f)
{
	struct gzip g = {.file = f};
	struct tar_writer w = {.put = gzip_put, .arg = &g};
	int r;

	if (deflateInit2(&g.z, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 9,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	r = put_all(c, &w);
	if (r == 0)
		r = gzip_write(&g, TEXT(""), Z_FINISH);
	deflateEnd(&g.z);
	return r;
}

static int write_tar(struct capture *c)
{
	struct tar_writer w = {.put = write_stdout};
	struct text name = text_of(c->output);
	struct new_file f;
	int r;

	if (text_is(name, "-"))
		return put_all(c, &w);
	r = new_file_open(&f, c->output);
	if (r < 0)
		return r;
	w = (struct tar_writer){.put = write_file, .arg = &f};
	r = text_has_suffix(name, ".gz") || text_has_suffix(name, ".tgz")
		    ? write_gzip(c, &f)
		    : put_all(c, &w);
	if (r == 0)
		return new_file_finish(&f, 0600);
	new_file_drop(&f);
	return r;
}

/* Functions that a rule names may tell more; without rules, or a machine, none does. */
static void read_rules(struct capture *c)
{
	const struct strings none = {0};
	static struct sources sources;
	static struct policy files;
	static struct run run;

	if (sources_read(c->world, c->arena, &none, &sources) < 0 ||
	    next_boot_read(c->world, c->sysroot, c->arena, &sources, NULL, &files, &run) <
		    0 ||
	    run_plan(c->world, c->arena, &run) < 0)
		return;
	c->named = &run.inventory;
}

/* Names that are told, and those that are told as others: before anything is put. */
static void learn_names(struct capture *c)
{
	struct capture_names drivers = capture_list(c, "sys/bus/pci/drivers");
	struct capture_names blocks = capture_list(c, "sys/class/block");
	struct text rest, line, name;
	size_t n;
	char *p;

	redact_init(&c->redact, c->arena, c->has_serial);
	for (size_t i = 0; i < drivers.count; i++)
		redact_keep_module(&c->redact, text_of(drivers.items[i]));
	if (capture_read(c, "proc/modules", &p, &n)) {
		rest = (struct text){p, n};
		while (text_cut(&rest, '\n', &line))
			if (text_word(&line, &name))
				redact_keep_module(&c->redact, name);
	}
	for (size_t i = 0; i < blocks.count; i++)
		if (strncmp(blocks.items[i], "dm-", 3) == 0 &&
		    capture_read(c,
				 capture_print(c, "sys/class/block/%s/dm/name",
					       blocks.items[i]),
				 &p, &n))
			redact_set_alias(&c->redact, text_trim((struct text){p, n}),
					 blocks.items[i]);
}

static int capture(struct capture *c)
{
	char message[REASON_MESSAGE_SIZE];
	int r;

	if (open_world(c->sysroot, &c->world) < 0)
		return EXIT_FAILED;
	r = inventory_read(c->world, c->arena, NULL, NULL, &c->inventory);
	if (r == -ENOENT) {
		say_error("%s", reason_message(REASON_NO_SYSFS, errno_text(r), message));
		return EXIT_FAILED;
	}
	if (r == 0)
		read_rules(c);
	learn_names(c);
	capture_modules(c);
	capture_sys(c);
	capture_files(c);
	capture_pci_ids(c);
	r = c->is_full || c->redact.is_full ? -ENOMEM : write_tar(c);
	if (r < 0) {
		say_error("%s: it cannot be written: %s", c->output, errno_text(r));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

int command_capture(int argc, char **argv, struct arena *arena)
{
	static struct capture c;
	const struct option_spec options[] = {
		{"output", "FILE",
		 "write to FILE, - for the standard output (not compressed)",
		 .ret_string = &c.output},
		{"serial", NULL, "keep serial numbers", .ret_flag = &c.has_serial},
		{"sysroot", OPTIONS_TREE, "record this folder, not this machine",
		 .ret_string = &c.sysroot},
	};
	const struct command_spec spec = {
		.name = "capture",
		.synopsis = "[OPTION...]",
		.text = "Records what earlybind knows of this machine as a small tar, by "
			"default " DEFAULT_OUTPUT
			", compressed if the name of FILE ends in .gz or .tgz. Send it with a "
			"report of an error: with --sysroot FILE, list, plan, check and status "
			"say the same as here.\n"
			"\n"
			"In it are the PCI functions with their attributes, IOMMU groups, "
			"drivers, what uses them, the configuration and the report of this "
			"boot. Only what is on a list is taken, and only words that are "
			"understood stay. Names that people chose, UUIDs, addresses of "
			"networks and unknown kernel parameters get aliases, the same one "
			"everywhere. Comments and what other programs said are left out. "
			"Devices that sleep are not woken.\n"
			"\n"
			"exit code: 0 done; 1 there is no PCI bus, or the file cannot be "
			"written; 2 wrong usage\n",
		.example = "earlybind check --sysroot " DEFAULT_OUTPUT,
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	c = (struct capture){.arena = arena, .output = DEFAULT_OUTPUT};
	return options_parse(&spec, argc, argv, &code) ? capture(&c) : code;
}
