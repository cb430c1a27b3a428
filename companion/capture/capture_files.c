/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of a recording that are below /proc, /etc and /run. */
#include <stdio.h>
#include <string.h>

#include "capture.h"
#include "redact.h"

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
