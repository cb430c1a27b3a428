/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of a recording that says which modules there are for the devices, and what the
 * devices are called: of the indexes of depmod and of pci.ids only what is about them.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "capture.h"
#include "depmod_index.h"
#include "message.h"
#include "module_tree.h"
#include "paths.h"
#include "redact.h"

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

static void add_name(struct kernel *k, struct text name)
{
	if (k->name_count < NAMES_MAX && !has_name(k, name))
		k->names[k->name_count++] =
			capture_print(k->c, "%.*s", (int)name.n, name.p);
}

static void add_entry(struct kernel *k, struct text key, struct text value)
{
	if (k->entry_count == ENTRIES_MAX)
		return;
	k->entries[k->entry_count++] = (struct index_entry){
		.key = capture_print(k->c, "%.*s", (int)key.n, key.p),
		.value = capture_print(k->c, "%.*s", (int)value.n, value.p),
		.priority = index_priority(value),
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
			add_entry(k, key, value);
			add_name(k, value);
			break;
		}
	return 0;
}

static int each_name(void *arg, struct text key, struct text value)
{
	struct kernel *k = arg;

	if (has_name(k, key))
		add_entry(k, key, value);
	return 0;
}

static void put_index(struct kernel *k, const char *folder, const char *file,
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
		capture_put_file(k->c, name, bytes);
}

static void put_kernel(struct kernel *k, const char *version)
{
	const char *folder = capture_print(k->c, "lib/modules/%s", version);

	k->name_count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		add_name(k, text_of(always[i]));
	put_index(k, folder, "modules.alias.bin", each_alias);
	put_index(k, folder, "modules.builtin.alias.bin", each_alias);
	/* The names are known now. */
	put_index(k, folder, "modules.builtin.bin", each_name);
	put_index(k, folder, "modules.dep.bin", each_name);
	put_index(k, folder, "modules.symbols.bin", each_name);
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

void capture_modules(struct capture *c)
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

void capture_pci_ids(struct capture *c)
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

/* Folders whose *.conf files may have lines about vfio, and files of that kind. */
static const char *const line_folders[] = {
	"etc/dracut.conf.d",	    "etc/modprobe.d", "etc/modules-load.d",
	"lib/modprobe.d",	    "run/modprobe.d", "usr/lib/modprobe.d",
	"usr/local/lib/modprobe.d",
};
static const char *const line_files[] = {
	"etc/dracut.conf",
	"etc/initramfs-tools/modules",
	"etc/mkinitcpio.conf",
	"etc/modules",
};

/* Words that make a line one about vfio, or about who else may have a device. */
static const char *const line_words[] = {
	"vfio", "pci-stub", "pci_stub", "blacklist", "softdep",
};

/* Of os-release and cpuinfo: the lines that begin so. */
static const char *const release_keys[] = {
	"ID=",	       "ID_LIKE=",	    "NAME=", "PRETTY_NAME=", "VARIANT_ID=",
	"VERSION_ID=", "VERSION_CODENAME=",
};
static const char *const cpu_keys[] = {
	"vendor_id",	   "cpu family",       "model",	   "flags",
	"CPU implementer", "CPU architecture", "CPU part",
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

static void put_lines_about_vfio(struct capture *c, const char *name)
{
	struct lines kept;
	struct text rest, line;
	size_t n;
	char *p;

	if (!capture_read(c, name, &p, &n) || !begin(c, &kept, n))
		return;
	redact_comments(p, n);
	redact_text(p, n, c->has_serial);
	rest = (struct text){p, n};
	while (take_line(&rest, &line))
		if (has_word(line))
			keep(&kept, text_trim(line));
	if (kept.used > 0)
		capture_put_file(c, name, (struct text){kept.p, kept.used});
}

static bool is_conf(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".conf") == 0;
}

static void put_all_about_vfio(struct capture *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(line_folders); i++) {
		struct capture_names names = capture_list(c, line_folders[i]);

		for (size_t k = 0; k < names.count; k++)
			if (is_conf(names.items[k]))
				put_lines_about_vfio(c, capture_print(c, "%s/%s",
								      line_folders[i],
								      names.items[k]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(line_files); i++)
		put_lines_about_vfio(c, line_files[i]);
}

static void put_lines_with(struct capture *c, const char *name, const char *const *keys,
			   size_t count)
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
	capture_put_file(c, name, (struct text){kept.p, kept.used});
}

static void put_configuration(struct capture *c, const char *name)
{
	size_t n;
	char *p;

	if (!capture_read(c, name, &p, &n))
		return;
	redact_comments(p, n);
	redact_text(p, n, c->has_serial);
	capture_put_file(c, name, (struct text){p, n});
}

static void put_cmdline(struct capture *c)
{
	size_t n;
	char *p;

	if (!capture_read(c, "proc/cmdline", &p, &n))
		return;
	redact_cmdline(p, n);
	redact_text(p, n, c->has_serial);
	capture_put_file(c, "proc/cmdline", (struct text){p, n});
}

/* "/dev/sda1", "/dev/mapper/dm-0"; "none" for what is no device, as a share of a server. */
static const char *hide_source(struct capture *c, struct text source)
{
	static const char mapper[] = "/dev/mapper/";
	struct text name = source;

	if (!text_has_prefix(source, "/dev/"))
		return "none";
	if (!text_has_prefix(source, mapper))
		return memchr(source.p + 5, '/', source.n - 5)
			       ? "none"
			       : capture_print(c, "%.*s", (int)source.n, source.p);
	name.p += sizeof(mapper) - 1;
	name.n -= sizeof(mapper) - 1;
	for (const struct capture_alias *a = c->maps; a; a = a->next)
		if (text_is(name, a->name))
			return capture_print(c, "%s%s", mapper, a->shown);
	return "none";
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
	return capture_print(c, "%.*s %.*s %.*s / %s rw - %.*s %s rw", (int)w[0].n,
			     w[0].p, (int)w[1].n, w[1].p, (int)w[2].n, w[2].p,
			     hide_mount_point(c, w[4]), (int)tail[0].n, tail[0].p,
			     hide_source(c, tail[1]));
}

/* The same for /proc/mounts: SOURCE POINT TYPE. */
static const char *hide_old_mount(struct capture *c, struct text line)
{
	struct text w[3];

	if (!split(line, w, 3) || !text_has_prefix(w[0], "/dev/"))
		return NULL;
	return capture_print(c, "%s %s %.*s rw 0 0", hide_source(c, w[0]),
			     hide_mount_point(c, w[1]), (int)w[2].n, w[2].p);
}

/* Swap in a file has a name of its own. */
static const char *hide_swap(struct capture *c, struct text line)
{
	struct text w[2];

	if (!split(line, w, 2) || !text_is(w[1], "partition"))
		return NULL;
	return capture_print(c, "%s partition 0 0 0", hide_source(c, w[0]));
}

static const char *shown_interface(struct capture *c, struct text name)
{
	const char *shown = capture_interface(c, name);

	return shown ? shown : capture_print(c, "%.*s", (int)name.n, name.p);
}

static bool is_zero(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] != '0')
			return false;
	return true;
}

/* net/ipv4/fib_trie.c: fib_route_seq_show(): only default routes, without their gateway. */
static const char *hide_route(struct capture *c, struct text line)
{
	struct text w[8];

	if (!split(line, w, 8) || !is_zero(w[1]) || !is_zero(w[7]))
		return NULL;
	return capture_print(c, "%s\t00000000\t00000000\t%.*s\t0\t0\t0\t00000000",
			     shown_interface(c, w[0]), (int)w[3].n, w[3].p);
}

/* net/ipv6/route.c: rt6_info_route() */
static const char *hide_route6(struct capture *c, struct text line)
{
	static const char any[] = "00000000000000000000000000000000";
	struct text w[10];

	if (!split(line, w, 10) || !is_zero(w[0]) || !is_zero(w[1]))
		return NULL;
	return capture_print(c, "%s 00 %s 00 %s 00000000 00000000 00000000 %.*s %s", any,
			     any, any, (int)w[8].n, w[8].p, shown_interface(c, w[9]));
}

/* NAME SIZE COUNT USERS STATE ADDRESS TAINT (kernel/module/procfs.c: m_show()) */
static const char *hide_module(struct capture *c, struct text line)
{
	struct text w[5];

	if (!split(line, w, 5))
		return NULL;
	return capture_print(c, "%.*s %.*s %.*s %.*s %.*s 0x0000000000000000",
			     (int)w[0].n, w[0].p, (int)w[1].n, w[1].p, (int)w[2].n,
			     w[2].p, (int)w[3].n, w[3].p, (int)w[4].n, w[4].p);
}

static void put_hidden(struct capture *c, const char *name,
		       const char *(*hide)(struct capture *c, struct text line))
{
	const char *text = "";
	struct text rest, line;
	struct lines kept;
	size_t n;
	char *p;

	/* A line may get longer, by the word that stands for an empty one: never twice. */
	if (!capture_read(c, name, &p, &n) || !begin(c, &kept, 4 * n))
		return;
	rest = (struct text){p, n};
	while (text_cut(&rest, '\n', &line)) {
		text = hide(c, line);
		if (text && kept.used + strlen(text) < 4 * n)
			keep(&kept, text_of(text));
	}
	capture_put_file(c, name, (struct text){kept.p, kept.used});
}

static void put_report_folder(struct capture *c, const char *folder)
{
	struct capture_names names = capture_list(c, folder);

	for (size_t i = 0; i < names.count; i++)
		capture_copy_text(c, capture_print(c, "%s/%s", folder, names.items[i]));
}

/* Which groups have a node; nobody opens these. */
static void put_nodes(struct capture *c)
{
	struct capture_names names = capture_list(c, "dev/vfio");

	for (size_t i = 0; i < names.count; i++)
		if (strcmp(names.items[i], "devices") != 0)
			capture_put_file(c,
					 capture_print(c, "dev/vfio/%s", names.items[i]),
					 TEXT(""));
}

void capture_files(struct capture *c)
{
	struct capture_names names = capture_list(c, "etc/earlybind.conf.d");

	put_nodes(c);

	put_cmdline(c);
	capture_copy(c, "proc/sys/kernel/osrelease");
	put_lines_with(c, "proc/cpuinfo", cpu_keys, ARRAY_SIZE(cpu_keys));
	put_hidden(c, "proc/modules", hide_module);
	put_hidden(c, "proc/self/mountinfo", hide_mount);
	put_hidden(c, "proc/mounts", hide_old_mount);
	put_hidden(c, "proc/swaps", hide_swap);
	put_hidden(c, "proc/net/route", hide_route);
	put_hidden(c, "proc/net/ipv6_route", hide_route6);

	put_configuration(c, "etc/earlybind.conf");
	for (size_t i = 0; i < names.count; i++)
		if (is_conf(names.items[i]))
			put_configuration(c, capture_print(c, "etc/earlybind.conf.d/%s",
							   names.items[i]));
	put_lines_with(c, "etc/os-release", release_keys, ARRAY_SIZE(release_keys));
	put_lines_with(c, "usr/lib/os-release", release_keys, ARRAY_SIZE(release_keys));
	put_all_about_vfio(c);

	put_report_folder(c, "run/earlybind");
	put_report_folder(c, "run/earlybind/devices");
	put_report_folder(c, "dev/.earlybind");
}
