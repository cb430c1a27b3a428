/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network interfaces: which are up, and which the default route needs. */
#include "usage.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "driver.h"
#include "kernel_cmdline.h"
#include "routes.h"
#include "text.h"

#define USAGE_PATH_SIZE 512
#define OWNERS_MAX	4

/* The functions that a class device is lost with. */
struct owners {
	struct bdf items[OWNERS_MAX];
	size_t count;
};

struct usage_item {
	struct usage usage;
	struct usage_item *next;
};

struct collector {
	struct world *world;
	struct arena *arena;
	struct usage_item *first;
	size_t count;
	enum usage_root root; /* since usage_read_disks() */
	bool is_full; /* out of memory */
};

/* Names in a folder, sorted. */
struct name_list {
	const char *prefix;
	const char **items;
	size_t count;
	size_t max;
	struct arena *arena;
	bool is_full;
};

/* A file of /proc as far as USAGE_FILE_MAX, or nothing. */
#define USAGE_FILE_MAX ((size_t)1024 * 1024)

#define NET		 "net"
#define UPPER		 "upper_"
#define UPPERS_DEPTH_MAX 16
#define IFF_UP		 0x1
#define RTF_UP		 0x1

struct link {
	const char *name;
	struct owners owners;
	struct name_list uppers; /* bonds, bridges, VLANs that it is a part of */
	bool has_route; /* the default route is its own */
	bool is_of_boot; /* the command line names it for booting */
	size_t visit;
};

struct networks {
	struct collector *c;
	struct link *items; /* sorted by name */
	size_t count;
	size_t visits;
};

static int compare_links(const void *a, const void *b)
{
	return strcmp(((const struct link *)a)->name, ((const struct link *)b)->name);
}

static struct link *find_link(const struct networks *n, const char *name)
{
	const struct link key = {.name = name};

	return n->count ? bsearch(&key, n->items, n->count, sizeof(key), compare_links)
			: NULL;
}

static int usage_list(struct collector *c, const char *path, const char *prefix,
		      struct name_list *ret);

static void usage_owners(struct collector *c, const char *class, const char *name,
			 struct owners *ret, char ret_parent[static USAGE_PATH_SIZE]);

static void read_links(struct networks *n)
{
	char path[USAGE_PATH_SIZE], parent[USAGE_PATH_SIZE];
	struct name_list names;

	if (usage_list(n->c, "class/" NET, "", &names) < 0)
		return;
	n->items = arena_alloc(n->c->arena, names.count, sizeof(*n->items));
	if (!n->items) {
		n->c->is_full = true;
		return;
	}
	n->count = names.count;
	for (size_t i = 0; i < names.count; i++) {
		struct link *l = &n->items[i];

		l->name = names.items[i];
		usage_owners(n->c, NET, l->name, &l->owners, parent);
		/* "upper_NAME" (net/core/dev.c: netdev_adjacent_sysfs_add()). */
		snprintf(path, sizeof(path), "class/" NET "/%s", l->name);
		if (usage_list(n->c, path, "upper_", &l->uppers) < 0)
			return;
	}
}

static void note_route(struct networks *n, struct text name)
{
	for (size_t i = 0; i < n->count; i++)
		if (text_is(name, n->items[i].name))
			n->items[i].has_route = true;
}

/* Takes @count words off @line. */
static bool take_words(struct text *line, struct text *ret, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!text_word(line, &ret[i]))
			return false;
	return true;
}

static bool is_zero(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] != '0')
			return false;
	return t.n > 0;
}

static bool is_route_up(struct text flags)
{
	uint64_t value;

	return text_hex(flags, UINT32_MAX, &value) == 0 && (value & RTF_UP);
}

static struct text usage_proc_file(struct collector *c, const char *path);

/* net/ipv4/fib_trie.c: fib_route_seq_show(); net/ipv6/route.c: rt6_info_route() */
static void read_routes(struct networks *n)
{
	struct text rest, line, w[10];

	if (routes_read(n->c->world, n->c->arena, &rest) == 0) {
		while (text_cut(&rest, '\n', &line))
			if (take_words(&line, w, 3))
				note_route(n, w[2]);
		return;
	}
	rest = usage_proc_file(n->c, "net/route");
	while (text_cut(&rest, '\n', &line))
		if (take_words(&line, w, 8) && is_zero(w[1]) && is_zero(w[7]) &&
		    is_route_up(w[3]))
			note_route(n, w[0]);
	rest = usage_proc_file(n->c, "net/ipv6_route");
	while (text_cut(&rest, '\n', &line))
		/* The one that refuses everything is on lo. */
		if (take_words(&line, w, 10) && is_zero(w[0]) && is_zero(w[1]) &&
		    is_route_up(w[8]))
			note_route(n, w[9]);
}

/* "01-52-54-00-12-34-56" names the interface with the address "52:54:00:12:34:56". */
static bool is_boot_address(struct text bootif, const char *address)
{
	if (bootif.n != strlen(address) + 3)
		return false;
	for (size_t i = 0; address[i] != '\0'; i++) {
		char want = address[i] == ':' ? '-' : address[i];

		if ((bootif.p[i + 3] | 0x20) != (want | 0x20))
			return false;
	}
	return true;
}

/* A name among the fields of "ip=10.0.0.2::10.0.0.1:255.255.255.0::eth0:off" or "ip=eth0:dhcp". */
static void note_boot_names(struct networks *n, struct text value)
{
	struct text part;

	while (text_cut(&value, ':', &part))
		for (size_t i = 0; i < n->count; i++)
			n->items[i].is_of_boot |= text_is(part, n->items[i].name);
}

static const char *usage_attribute(struct collector *c, const char *class,
				   const char *name, const char *attribute);

/* What the initramfs brings up: nfsroot.rst, dracut.cmdline(7), initramfs-tools(7). */
static void read_boot(struct networks *n)
{
	static const char *const names[] = {"ip", "bootdev"};
	struct text rest = usage_proc_file(n->c, "cmdline");
	struct cmdline_arg arg;

	while (cmdline_next(&rest, &arg)) {
		if (!arg.value.p)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (text_is(arg.name, names[i]))
				note_boot_names(n, arg.value);
		if (!text_is(arg.name, "BOOTIF"))
			continue;
		for (size_t i = 0; i < n->count; i++) {
			const char *name = n->items[i].name;

			n->items[i].is_of_boot |= is_boot_address(
				arg.value, usage_attribute(n->c, NET, name, "address"));
		}
	}
}

/* Of the link, or of what it is a part of: the default route, or what boots the machine. */
static bool is_needed(struct networks *n, struct link *l, bool by_boot, int depth)
{
	bool found = by_boot ? l->is_of_boot : l->has_route;

	if (l->visit == n->visits || depth > UPPERS_DEPTH_MAX)
		return false;
	l->visit = n->visits;
	for (size_t i = 0; i < l->uppers.count && !found; i++) {
		struct link *upper = find_link(n, l->uppers.items[i]);

		found = upper && is_needed(n, upper, by_boot, depth + 1);
	}
	return found;
}

/* Without a carrier an interface can be on, and nothing goes through it. */
static const char *read_state(struct networks *n, const struct link *l)
{
	struct text flags = text_of(usage_attribute(n->c, NET, l->name, "flags"));
	uint64_t value;

	if (!text_has_prefix(flags, "0x"))
		return "down";
	flags.p += 2;
	flags.n -= 2;
	if (text_hex(flags, UINT32_MAX, &value) < 0 || !(value & IFF_UP))
		return "down";
	return strcmp(usage_attribute(n->c, NET, l->name, "carrier"), "1") == 0
		       ? "up"
		       : "no carrier";
}

static void usage_add(struct collector *c, const struct owners *owners,
		      const struct usage *usage);

static const char *usage_join(struct collector *c, const char *one, const char *separator,
			      const char *more);

static void usage_read_networks(struct collector *c)
{
	struct networks n = {.c = c};

	read_links(&n);
	read_routes(&n);
	read_boot(&n);
	for (size_t i = 0; i < n.count && !c->is_full; i++) {
		struct link *l = &n.items[i];
		struct usage usage = {.kind = USAGE_NETWORK, .name = l->name};
		struct text_buffer parts = {.arena = c->arena};
		bool has_route, is_boot;

		if (l->owners.count == 0)
			continue;
		n.visits++;
		has_route = is_needed(&n, l, false, 0);
		n.visits++;
		is_boot = is_needed(&n, l, true, 0);
		usage.what = read_state(&n, l);
		usage.is_in_use = strcmp(usage.what, "up") == 0;
		/* Through which of them it comes is not asked. */
		is_boot |= c->root == ROOT_NETWORK && usage.is_in_use;
		usage.is_critical = has_route || is_boot;
		usage.is_in_use |= usage.is_critical;
		for (size_t k = 0; k < l->uppers.count; k++)
			text_add(&parts, "%s%s", k == 0 ? "part of " : ", ",
				 l->uppers.items[k]);
		c->is_full = c->is_full || parts.is_full;
		usage.what = usage_join(c, usage.what, ", ", parts.buf);
		usage.what =
			usage_join(c, usage.what, ", ", has_route ? "default route" : "");
		usage.what = usage_join(c, usage.what, ", ",
					is_boot ? "the machine boots from it" : "");
		usage_add(c, &l->owners, &usage);
	}
}

#define DRM	     "drm"
#define GRAPHICS     "graphics"
#define CONSOLE_NAME "fb0" /* the kernel's console is on the first framebuffer */

/* A function with a display of its own. */
struct display {
	struct owners owners;
	struct bdf bdf; /* the last of them */
	const char *name; /* "card0", or "fb0" where there is no card */
	const char *monitors; /* connectors with something on them */
	bool has_connector;
	bool is_console;
	struct display *next;
};

struct displays {
	struct collector *c;
	struct display *first;
};

static struct display *find(const struct displays *d, struct bdf bdf)
{
	for (struct display *i = d->first; i; i = i->next)
		if (bdf_compare(i->bdf, bdf) == 0)
			return i;
	return NULL;
}

/* That of the function that @name belongs to, made if need be; NULL if it has none. */
static struct display *get(struct displays *d, const char *class, const char *name)
{
	char parent[USAGE_PATH_SIZE], path[USAGE_PATH_SIZE], address[BDF_SIZE], buf[8];
	struct display *display;
	struct owners owners;
	struct text t;
	struct bdf bdf;

	usage_owners(d->c, class, name, &owners, parent);
	if (owners.count == 0)
		return NULL;
	bdf = owners.items[owners.count - 1];
	display = find(d, bdf);
	if (display)
		return display;
	display = arena_alloc(d->c->arena, 1, sizeof(*display));
	if (!display) {
		d->c->is_full = true;
		return NULL;
	}
	snprintf(path, sizeof(path), "bus/pci/devices/%s/boot_vga",
		 bdf_format(bdf, address));
	*display = (struct display){
		.owners = owners,
		.bdf = bdf,
		.name = name,
		.monitors = "",
		.is_console = world_read_text(d->c->world, WORLD_SYS, path, buf,
					      sizeof(buf), &t) == 0 &&
			      text_is(t, "1"),
		.next = d->first,
	};
	d->first = display;
	return display;
}

/* Takes "card0-HDMI-A-1", a connector, and "card0", a card. */
static void read_card(struct displays *d, const char *name)
{
	const char *connector = strchr(name, '-');
	struct display *display = get(d, DRM, name);

	if (!display || !connector)
		return;
	/* A connector without hardware, for writing into memory. */
	if (strstr(connector, "Writeback"))
		return;
	display->has_connector = true;
	if (strcmp(usage_attribute(d->c, DRM, name, "status"), "connected") == 0)
		display->monitors =
			usage_join(d->c, display->monitors, ", ", connector + 1);
}

static void read_all(struct displays *d)
{
	struct name_list names;

	/* Sorted: a card comes before its connectors. */
	if (usage_list(d->c, "class/" DRM, "", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++)
		if (strncmp(names.items[i], "card", 4) == 0)
			read_card(d, names.items[i]);
	if (usage_list(d->c, "class/" GRAPHICS, "", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		struct display *display;

		if (strncmp(names.items[i], "fb", 2) != 0 ||
		    strcmp(names.items[i], "fbcon") == 0)
			continue;
		display = get(d, GRAPHICS, names.items[i]);
		if (!display)
			continue;
		display->has_connector = true;
		if (strcmp(names.items[i], CONSOLE_NAME) == 0)
			display->is_console = true;
	}
}

struct screens {
	const struct displays *displays;
	size_t count;
};

/*
 * A VGA function that the firmware started, or that has a driver of its own, can show something,
 * though no connector is seen: NVIDIA's driver without modeset shows none.
 */
static int count_screen(void *arg, const char *name)
{
	struct screens *s = arg;
	struct world *world = s->displays->c->world;
	char path[USAGE_PATH_SIZE], buf[64];
	const struct display *display;
	struct bdf bdf;
	struct text t;

	if (bdf_parse(text_of(name), &bdf) < 0)
		return 0;
	display = find(s->displays, bdf);
	if (display && display->has_connector)
		return 0;
	snprintf(path, sizeof(path), "bus/pci/devices/%.32s/class", name);
	if (world_read_text(world, WORLD_SYS, path, buf, sizeof(buf), &t) < 0 ||
	    !(text_has_prefix(t, "0x0300") || text_has_prefix(t, "0x0301")))
		return 0;
	snprintf(path, sizeof(path), "bus/pci/devices/%.32s/boot_vga", name);
	if (world_read_text(world, WORLD_SYS, path, buf, sizeof(buf), &t) == 0 &&
	    text_is(t, "1")) {
		s->count++;
		return 0;
	}
	snprintf(path, sizeof(path), "bus/pci/devices/%.32s/driver", name);
	if (world->ops->link(world, WORLD_SYS, path, buf, sizeof(buf)) >= 0 &&
	    !driver_is_vfio(buf) && strcmp(buf, "pci-stub") != 0 &&
	    strcmp(buf, "pciback") != 0)
		s->count++;
	return 0;
}

static size_t count_screens(const struct displays *d)
{
	struct screens s = {.displays = d};

	/* A card for computing has a DRM device and nothing to plug a monitor in. */
	for (const struct display *i = d->first; i; i = i->next)
		s.count += i->has_connector;
	/* Of more than one, none is the only one. */
	if (s.count == 1)
		(void)d->c->world->ops->list(d->c->world, WORLD_SYS, "bus/pci/devices",
					     count_screen, &s);
	return s.count;
}

static void usage_read_displays(struct collector *c)
{
	struct displays d = {.c = c};
	size_t count;

	read_all(&d);
	count = count_screens(&d);
	for (const struct display *i = d.first; i && !c->is_full; i = i->next) {
		bool is_only = i->has_connector && count == 1;
		const char *what = i->is_console ? "the console" : "";

		if (is_only)
			what = usage_join(c, what, ", ", "the only display");
		if (i->monitors[0])
			what = usage_join(
				c, what, ", ",
				usage_join(c, "a monitor on", " ", i->monitors));
		else if (!what[0])
			what = i->has_connector ? "no monitor" : "no connector";
		usage_add(c, &i->owners,
			  &(struct usage){
				  .kind = USAGE_DISPLAY,
				  .name = i->name,
				  .what = what,
				  .is_in_use = i->is_console || is_only || i->monitors[0],
				  .is_critical = i->is_console || is_only,
			  });
	}
}

#define INPUT "input"

/* KEY_ESC to KEY_S, the bits 1 to 31, as in systemd's udev-builtin-input_id.c. */
#define KEYBOARD_KEYS UINT64_C(0xfffffffe)

struct keyboard {
	const char *name; /* "input3" */
	struct owners owners;
	struct keyboard *next;
};

/* drivers/input/input.c: input_print_bitmap(): words of a long, the highest first. */
static bool is_keyboard(struct collector *c, const char *name)
{
	char path[USAGE_PATH_SIZE], buf[USAGE_PATH_SIZE];
	struct text rest, word;
	uint64_t low = 0;

	snprintf(path, sizeof(path), "class/" INPUT "/%s/capabilities/key", name);
	if (world_read_text(c->world, WORLD_SYS, path, buf, sizeof(buf), &rest) < 0)
		return false;
	while (text_word(&rest, &word))
		if (text_hex(word, UINT64_MAX, &low) < 0)
			return false;
	return (low & KEYBOARD_KEYS) == KEYBOARD_KEYS;
}

/* Made by a program, or of Bluetooth, whose adapter is somewhere else. */
static bool is_virtual(struct collector *c, const char *name)
{
	char path[USAGE_PATH_SIZE], target[USAGE_PATH_SIZE];

	snprintf(path, sizeof(path), "class/" INPUT "/%s", name);
	return c->world->ops->target(c->world, WORLD_SYS, path, target, sizeof(target)) <
		       0 ||
	       strstr(target, "/virtual/");
}

/* Whether the kernel's console is on a screen: "tty0 ttyS0" */
static bool has_console(struct collector *c)
{
	struct text rest = text_of(usage_attribute(c, "tty", "console", "active"));
	struct text word;

	while (text_word(&rest, &word))
		if (text_is(word, "tty0"))
			return true;
	return false;
}

static bool is_alone(const struct keyboard *first)
{
	const struct owners *a = &first->owners;

	for (const struct keyboard *k = first; k; k = k->next)
		if (bdf_compare(k->owners.items[k->owners.count - 1],
				a->items[a->count - 1]) != 0)
			return false;
	return true;
}

static void usage_read_inputs(struct collector *c)
{
	struct keyboard *first = NULL;
	char parent[USAGE_PATH_SIZE];
	struct name_list names;
	bool has_other = false, is_used;

	if (usage_list(c, "class/" INPUT, "input", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = usage_join(c, "input", "", names.items[i]);
		struct keyboard *k;
		struct owners owners;

		if (!is_keyboard(c, name))
			continue;
		usage_owners(c, INPUT, name, &owners, parent);
		/* That of a laptop is no PCI device, and stays whatever is bound. */
		has_other |= owners.count == 0 && !is_virtual(c, name);
		k = owners.count > 0 ? arena_alloc(c->arena, 1, sizeof(*k)) : NULL;
		c->is_full = c->is_full || (owners.count > 0 && !k);
		if (!k)
			continue;
		*k = (struct keyboard){name, owners, first};
		first = k;
	}
	is_used = !has_other && has_console(c);
	for (const struct keyboard *k = first; k && !c->is_full; k = k->next)
		usage_add(c, &k->owners,
			  &(struct usage){
				  .kind = USAGE_INPUT,
				  .name = k->name,
				  .what = is_used && is_alone(first) ? "the only keyboard"
								     : "a keyboard",
				  .is_in_use = is_used,
				  .is_critical = is_used && is_alone(first),
			  });
}

static int add_name(void *arg, const char *name)
{
	struct name_list *list = arg;
	size_t skip = strlen(list->prefix);

	if (strncmp(name, list->prefix, skip) != 0)
		return 0;
	if (list->count == list->max) {
		size_t max = list->max > 0 ? 2 * list->max : 16;
		const char **items = arena_alloc(list->arena, max, sizeof(*items));

		if (!items) {
			list->is_full = true;
			return 1;
		}
		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->max = max;
	}
	list->items[list->count] = arena_copy(list->arena, text_of(name + skip));
	list->is_full = !list->items[list->count];
	list->count += !list->is_full;
	return list->is_full;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * What follows @prefix in the names of a folder below /sys that begin with it; none if it
 * cannot be read. -ENOMEM.
 */
static int usage_list(struct collector *c, const char *path, const char *prefix,
		      struct name_list *ret)
{
	*ret = (struct name_list){.prefix = prefix, .arena = c->arena};
	(void)c->world->ops->list(c->world, WORLD_SYS, path, add_name, ret);
	if (ret->count > 0)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_names);
	c->is_full = c->is_full || ret->is_full;
	return ret->is_full ? -ENOMEM : 0;
}

static void add_owner(struct owners *owners, struct bdf bdf)
{
	if (owners->count < OWNERS_MAX)
		owners->items[owners->count++] = bdf;
}

/* "pci10000:e0": a host bridge, of the machine or made by a driver. */
static bool is_host_bridge(struct text t)
{
	return text_has_prefix(t, "pci") && memchr(t.p, ':', t.n);
}

/*
 * Whose a class device is: the last PCI address on the way to it in /sys/devices, and those
 * that have a whole bus behind them (Intel VMD). @ret_parent is the folder that it stands in.
 */
static void usage_owners(struct collector *c, const char *class, const char *name,
			 struct owners *ret, char ret_parent[static USAGE_PATH_SIZE])
{
	char path[USAGE_PATH_SIZE], target[USAGE_PATH_SIZE];
	struct text rest, part;
	bool has_bdf = false;
	struct bdf bdf, last = {0};
	char *slash;

	*ret = (struct owners){0};
	ret_parent[0] = '\0';
	snprintf(path, sizeof(path), "class/%s/%s", class, name);
	if (c->world->ops->target(c->world, WORLD_SYS, path, target, sizeof(target)) < 0)
		return;
	rest = text_of(target);
	while (text_cut(&rest, '/', &part)) {
		if (bdf_parse(part, &bdf) == 0) {
			last = bdf;
			has_bdf = true;
		} else if (has_bdf && is_host_bridge(part)) {
			add_owner(ret, last);
		}
	}
	if (has_bdf)
		add_owner(ret, last);
	slash = strrchr(target, '/');
	if (!slash)
		return;
	*slash = '\0';
	slash = strrchr(target, '/');
	strcpy(ret_parent, slash ? slash + 1 : target);
}

/* A short attribute below /sys/class, or "". */
static const char *usage_attribute(struct collector *c, const char *class,
				   const char *name, const char *attribute)
{
	char path[USAGE_PATH_SIZE], buf[128];
	const char *copy;
	struct text t;

	snprintf(path, sizeof(path), "class/%s/%s/%s", class, name, attribute);
	if (world_read_text(c->world, WORLD_SYS, path, buf, sizeof(buf), &t) < 0)
		return "";
	copy = arena_copy(c->arena, t);
	c->is_full = c->is_full || !copy;
	return copy ? copy : "";
}

static struct text usage_proc_file(struct collector *c, const char *path)
{
	char *buf = arena_alloc(c->arena, USAGE_FILE_MAX, 1);
	int n;

	if (!buf) {
		c->is_full = true;
		return (struct text){"", 0};
	}
	n = c->world->ops->read(c->world, WORLD_PROC, path, buf, USAGE_FILE_MAX);
	/* Of one that is larger, what fits: / comes first. */
	if (n == -E2BIG)
		n = USAGE_FILE_MAX;
	/* What was not filled was never touched, and is given back. */
	n = MAX(n, 0);
	arena_shrink(c->arena, buf, (size_t)n);
	return (struct text){buf, (size_t)n};
}

/* @one and @more with @separator in between, unless one of them is NULL or "". */
static const char *usage_join(struct collector *c, const char *one, const char *separator,
			      const char *more)
{
	const char *text;

	if (!one || one[0] == '\0')
		return more ? more : "";
	if (!more || more[0] == '\0')
		return one;
	text = arena_printf(c->arena, "%s%s%s", one, separator, more);
	c->is_full = c->is_full || !text;
	return text ? text : one;
}

/* Adds @usage for each of @owners. */
static void usage_add(struct collector *c, const struct owners *owners,
		      const struct usage *usage)
{
	for (size_t i = 0; i < owners->count; i++) {
		struct usage_item *item = arena_alloc(c->arena, 1, sizeof(*item));

		if (!item) {
			c->is_full = true;
			return;
		}
		item->usage = *usage;
		item->usage.bdf = owners->items[i];
		item->next = c->first;
		c->first = item;
		c->count++;
	}
}

static int compare_usages(const void *a, const void *b)
{
	const struct usage *x = a, *y = b;
	int order = bdf_compare(x->bdf, y->bdf);

	if (order == 0)
		order = (int)x->kind - (int)y->kind;
	return order ? order : strcmp(x->name, y->name);
}

static void usage_read_disks(struct collector *c);

int usages_read(struct world *world, struct arena *arena, struct usages *ret)
{
	struct collector c = {.world = world, .arena = arena};
	struct usages usages = {0};
	char byte;

	usage_read_disks(&c);
	usage_read_networks(&c);
	usage_read_displays(&c);
	usage_read_inputs(&c);
	usages.items = arena_alloc(arena, c.count, sizeof(*usages.items));
	if (c.is_full || !usages.items)
		return -ENOMEM;
	for (const struct usage_item *item = c.first; item; item = item->next)
		usages.items[usages.count++] = item->usage;
	if (usages.count > 0)
		qsort(usages.items, usages.count, sizeof(*usages.items), compare_usages);
	/* systemd: container-interface; podman and its like. */
	usages.root = c.root;
	if (world->ops->read(world, WORLD_RUN, "systemd/container", &byte, 1) !=
		    -ENOENT ||
	    world->ops->read(world, WORLD_RUN, ".containerenv", &byte, 1) != -ENOENT)
		usages.root = ROOT_UNKNOWN;
	*ret = usages;
	return 0;
}

const struct usage *usages_find(const struct usages *usages, struct bdf bdf,
				size_t *ret_count)
{
	size_t low = 0, high = usages->count, count = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bdf_compare(usages->items[middle].bdf, bdf) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + count < usages->count &&
	       bdf_compare(usages->items[low + count].bdf, bdf) == 0)
		count++;
	*ret_count = count;
	return count > 0 ? &usages->items[low] : NULL;
}

struct edge {
	struct block *to;
	bool is_loop; /* a file on it: led on to by what is critical only */
	struct edge *next;
};

/* Some names of many. */
struct mention {
	const char *text; /* NULL: none */
	size_t shown, more;
};

struct block {
	const char *name;
	const char *number; /* "259:1" */
	const char *map; /* its name in /dev/mapper, or "" */
	const char *pool; /* of ZFS that it is a part of, or NULL */
	struct owners owners;
	struct block *disk; /* of a partition */
	struct block *head; /* of a path of an NVMe namespace: what is mounted */
	struct edge *below; /* what it is made of */
	size_t visit; /* the last use that came here */

	/* Of a disk: */
	struct mention critical, others; /* mount points */
	struct mention holders; /* what it is a part of */
	bool has_swap;
	bool has_resume;
};

/* What is mounted, of which some are in files again. */
struct mount {
	struct text point; /* as mountinfo has it: blanks as \\040 */
	struct text root; /* the part of the file system that is mounted there */
	struct text type;
	struct text pool; /* of ZFS; empty for others */
	struct block *block; /* NULL where there is none that is known */
	struct mount *next;
};

struct disks {
	struct collector *c;
	struct block *items; /* sorted by name */
	size_t count;
	size_t visits;
	bool has_disk, is_remote; /* what the last use came to */
	struct mount *mounts; /* in the order of mountinfo */
};

#define BLOCK	      "block"
#define BTRFS_PATH    "fs/btrfs"
#define BCACHEFS_PATH "fs/bcachefs"

static int compare_blocks(const void *a, const void *b)
{
	return strcmp(((const struct block *)a)->name, ((const struct block *)b)->name);
}

/* By its name, by "/dev/sda1" or "/dev/mapper/vg-root", by "259:1"; NULL if there is none. */
static struct block *blocks_find_name(const struct disks *d, const char *name)
{
	const struct block key = {.name = name};

	return d->count ? bsearch(&key, d->items, d->count, sizeof(key), compare_blocks)
			: NULL;
}

/* @from is lost with @to. Either may be NULL. */
static void blocks_add_edge(struct disks *d, struct block *from, struct block *to)
{
	struct edge *edge;

	if (!from || !to)
		return;
	edge = arena_alloc(d->c->arena, 1, sizeof(*edge));
	if (!edge) {
		d->c->is_full = true;
		return;
	}
	*edge = (struct edge){.to = to, .next = from->below};
	from->below = edge;
}

/*
 * "nvme0c1n1" is a path of "nvme0n1" (drivers/nvme/host/multipath.c:
 * nvme_mpath_set_disk_name()). NULL if @b is none.
 */
static struct block *find_head(const struct disks *d, const struct block *b)
{
	unsigned subsystem, controller, space;
	char head[64];
	int end = 0;

	if (sscanf(b->name, "nvme%9uc%9un%9u%n", &subsystem, &controller, &space, &end) !=
		    3 ||
	    b->name[end] != '\0')
		return NULL;
	snprintf(head, sizeof(head), "nvme%un%u", subsystem, space);
	return blocks_find_name(d, head);
}

static void read_slaves(struct disks *d, struct block *b)
{
	char path[USAGE_PATH_SIZE];
	struct name_list slaves;

	snprintf(path, sizeof(path), "class/" BLOCK "/%s/slaves", b->name);
	if (usage_list(d->c, path, "", &slaves) < 0)
		return;
	for (size_t i = 0; i < slaves.count; i++)
		blocks_add_edge(d, b, blocks_find_name(d, slaves.items[i]));
}

/* bcache: its slave is the backing device (drivers/md/bcache/super.c: bcache_cache_set_alloc()). */
static void read_caches(struct disks *d, struct block *b)
{
	char path[USAGE_PATH_SIZE], target[USAGE_PATH_SIZE];
	struct name_list caches;

	if (strncmp(b->name, "bcache", 6) != 0)
		return;
	snprintf(path, sizeof(path), "class/" BLOCK "/%s/bcache/cache", b->name);
	if (usage_list(d->c, path, "cache", &caches) < 0)
		return;
	for (size_t i = 0; i < caches.count; i++) {
		char *slash;

		/* "cache0" leads to the folder bcache in that of the device. */
		snprintf(path, sizeof(path), "class/" BLOCK "/%s/bcache/cache/cache%s",
			 b->name, caches.items[i]);
		if (d->c->world->ops->target(d->c->world, WORLD_SYS, path, target,
					     sizeof(target)) < 0)
			continue;
		slash = strrchr(target, '/');
		if (!slash)
			continue;
		*slash = '\0';
		slash = strrchr(target, '/');
		blocks_add_edge(d, b, blocks_find_name(d, slash ? slash + 1 : target));
	}
}

/* fs/bcachefs/super.c: bch2_dev_sysfs_online() makes the link "block". */
static struct block *find_member(struct disks *d, const char *system, const char *member)
{
	char path[USAGE_PATH_SIZE], name[USAGE_PATH_SIZE];

	snprintf(path, sizeof(path), BCACHEFS_PATH "/%s/dev-%s/block", system, member);
	if (d->c->world->ops->link(d->c->world, WORLD_SYS, path, name, sizeof(name)) < 0)
		return NULL;
	return blocks_find_name(d, name);
}

static void join_bcachefs(struct disks *d)
{
	struct name_list systems, members;
	char path[USAGE_PATH_SIZE];

	if (usage_list(d->c, BCACHEFS_PATH, "", &systems) < 0)
		return;
	for (size_t i = 0; i < systems.count; i++) {
		snprintf(path, sizeof(path), BCACHEFS_PATH "/%s", systems.items[i]);
		if (usage_list(d->c, path, "dev-", &members) < 0)
			return;
		for (size_t k = 0; members.count > 1 && k < members.count; k++)
			blocks_add_edge(
				d, find_member(d, systems.items[i], members.items[k]),
				find_member(d, systems.items[i],
					    members.items[(k + 1) % members.count]));
	}
}

/* Which of the devices of a btrfs is named as its source is chance: they become a ring. */
static void join_btrfs(struct disks *d)
{
	struct name_list systems, members;
	char path[USAGE_PATH_SIZE];

	if (usage_list(d->c, BTRFS_PATH, "", &systems) < 0)
		return;
	for (size_t i = 0; i < systems.count; i++) {
		snprintf(path, sizeof(path), BTRFS_PATH "/%s/devices", systems.items[i]);
		if (usage_list(d->c, path, "", &members) < 0)
			return;
		for (size_t k = 0; members.count > 1 && k < members.count; k++)
			blocks_add_edge(
				d, blocks_find_name(d, members.items[k]),
				blocks_find_name(d,
						 members.items[(k + 1) % members.count]));
	}
}

/*
 * ZFS tells the kernel nothing of its disks; udev's blkid knows the label of a member, which is
 * the name of its pool (/run/udev/data/b259:2).
 */
static void read_pool(struct disks *d, struct block *b)
{
	char path[USAGE_PATH_SIZE], buf[8192];
	struct text rest, line, name, pool = {"", 0};
	bool is_member = false;
	int n;

	snprintf(path, sizeof(path), "udev/data/b%s", b->number);
	n = d->c->world->ops->read(d->c->world, WORLD_RUN, path, buf, sizeof(buf));
	rest = (struct text){buf, n > 0 ? (size_t)n : 0};
	while (text_cut(&rest, '\n', &line)) {
		if (!text_cut(&line, '=', &name))
			continue;
		if (text_is(name, "E:ID_FS_TYPE"))
			is_member = text_is(line, "zfs_member");
		else if (text_is(name, "E:ID_FS_LABEL"))
			pool = line;
	}
	if (!is_member || pool.n == 0 || memchr(pool.p, '/', pool.n) || pool.p[0] == '.')
		return;
	b->pool = arena_copy(d->c->arena, pool);
	d->c->is_full = d->c->is_full || !b->pool;
}

/* Reads all block devices, and what each is made of. */
static void blocks_read(struct disks *d)
{
	char parent[USAGE_PATH_SIZE];
	struct name_list names;

	if (usage_list(d->c, "class/" BLOCK, "", &names) < 0)
		return;
	d->items = arena_alloc(d->c->arena, names.count, sizeof(*d->items));
	if (!d->items) {
		d->c->is_full = true;
		return;
	}
	for (size_t i = 0; i < names.count; i++)
		d->items[i].name = names.items[i];
	d->count = names.count;
	for (size_t i = 0; i < d->count; i++) {
		struct block *b = &d->items[i];

		usage_owners(d->c, BLOCK, b->name, &b->owners, parent);
		b->number = usage_attribute(d->c, BLOCK, b->name, "dev");
		b->map = b->owners.count == 0
				 ? usage_attribute(d->c, BLOCK, b->name, "dm/name")
				 : "";
		b->disk = blocks_find_name(d, parent);
		blocks_add_edge(d, b, b->disk);
		b->head = find_head(d, b);
		blocks_add_edge(d, b->head, b);
		if (!b->disk) {
			read_slaves(d, b);
			read_caches(d, b);
		}
		if (b->number[0])
			read_pool(d, b);
	}
	join_btrfs(d);
	join_bcachefs(d);
}

/* The block device of "/dev/sda1" or "/dev/mapper/vg-root", or NULL. */
static struct block *blocks_find_source(const struct disks *d, struct text source)
{
	bool is_map = text_has_prefix(source, "/dev/mapper/");
	size_t skip = is_map ? sizeof("/dev/mapper/") - 1 : sizeof("/dev/") - 1;

	if (!text_has_prefix(source, "/dev/"))
		return NULL;
	source.p += skip;
	source.n -= skip;
	if (source.n == 0)
		return NULL;
	for (size_t i = 0; i < d->count; i++)
		if (text_is(source, is_map ? d->items[i].map : d->items[i].name))
			return &d->items[i];
	return NULL;
}

static struct block *blocks_find_number(const struct disks *d, struct text number)
{
	for (size_t i = 0; i < d->count; i++)
		if (text_is(number, d->items[i].number))
			return &d->items[i];
	return NULL;
}

/* "UUID=x" is a link in /dev/disk/by-uuid. */
static const struct {
	const char *tag, *folder;
} tags[] = {
	{"UUID=", "disk/by-uuid/"},
	{"LABEL=", "disk/by-label/"},
	{"PARTUUID=", "disk/by-partuuid/"},
	{"PARTLABEL=", "disk/by-partlabel/"},
	{"/dev/", ""},
};

/* By a source, or as in root= and resume=: "UUID=...", "259:1" and the like; or NULL. */
static struct block *blocks_find_spec(struct disks *d, struct text spec)
{
	struct block *found;

	if (spec.n > 1 && spec.p[0] == '"' && spec.p[spec.n - 1] == '"')
		spec = (struct text){spec.p + 1, spec.n - 2};
	found = blocks_find_source(d, spec);
	if (!found && spec.n > 0)
		found = blocks_find_number(d, spec);
	for (size_t i = 0; i < ARRAY_SIZE(tags) && !found; i++) {
		size_t skip = strlen(tags[i].tag);
		char path[USAGE_PATH_SIZE], name[USAGE_PATH_SIZE];

		if (!text_has_prefix(spec, tags[i].tag) || spec.n > sizeof(path) / 2)
			continue;
		snprintf(path, sizeof(path), "%s%.*s", tags[i].folder,
			 (int)(spec.n - skip), spec.p + skip);
		if (d->c->world->ops->link(d->c->world, WORLD_DEV, path, name,
					   sizeof(name)) > 0)
			found = blocks_find_name(d, name);
	}
	return found;
}

/* Whether its data come over the network: iSCSI, NVMe over Fabrics, nbd, rbd. */
static bool block_is_remote(struct disks *d, const struct block *b)
{
	/* drivers/scsi/scsi_transport_iscsi.c, drivers/nvme/host/fabrics.c, drivers/block */
	static const char *const marks[] = {"/session", "/nvme-fabrics/", "/block/nbd",
					    "/rbd/", "/block/drbd"};
	char path[USAGE_PATH_SIZE], target[USAGE_PATH_SIZE];

	snprintf(path, sizeof(path), "class/" BLOCK "/%s", b->name);
	if (b->owners.count > 0 || d->c->world->ops->target(d->c->world, WORLD_SYS, path,
							    target, sizeof(target)) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strstr(target, marks[i]))
			return true;
	return false;
}

#define SHOWN_MAX	 4 /* mount points of one disk, and of the critical ones */
#define BLOCKS_DEPTH_MAX 32

/* What a block device is used for. */
struct use {
	const char *mount; /* a mount point, or NULL */
	const char *holder; /* a device that it is a part of, or NULL */
	bool is_critical;
	bool is_resume; /* hibernation */
};

static void add_mention(struct disks *d, struct mention *m, const char *name)
{
	if (m->shown == SHOWN_MAX) {
		m->more++;
		return;
	}
	m->text = m->text ? usage_join(d->c, m->text, ", ", name) : name;
	m->shown++;
}

static void note_use(struct disks *d, struct block *disk, const struct use *use)
{
	if (use->holder)
		add_mention(d, &disk->holders, use->holder);
	else if (use->is_resume)
		disk->has_resume = true;
	else if (!use->mount)
		disk->has_swap = true;
	else
		add_mention(d, use->is_critical ? &disk->critical : &disk->others,
			    use->mount);
}

/* Leads a use down to the disks. */
static void visit(struct disks *d, struct block *b, const struct use *use, int depth)
{
	if (b->visit == d->visits || depth > BLOCKS_DEPTH_MAX)
		return;
	b->visit = d->visits;
	if (b->owners.count > 0 && !b->disk) {
		note_use(d, b, use);
		d->has_disk = true;
	}
	if (use->is_critical && !b->below)
		d->is_remote |= block_is_remote(d, b);
	for (const struct edge *e = b->below; e; e = e->next)
		if (!e->is_loop || use->is_critical)
			visit(d, e->to, use, depth + 1);
}

/* Whether it came to a disk of a function. */
static bool use_block(struct disks *d, struct block *b, const struct use *use)
{
	d->has_disk = d->is_remote = false;
	if (!b)
		return false;
	d->visits++;
	visit(d, b, use, 0);
	return d->has_disk;
}

/* What a machine does not go on without. */
static bool is_critical_mount(struct text t)
{
	static const char *const exact[] = {"/",    "/boot", "/efi",	"/etc",
					    "/usr", "/var",  "/sysroot"};

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		if (text_is(t, exact[i]))
			return true;
	return text_has_prefix(t, "/boot/");
}

/* Documentation/filesystems/proc.rst, 3.5: ID PARENT MAJOR:MINOR ROOT POINT ... - TYPE SOURCE */
static bool parse_mountinfo(struct disks *d, struct text line, struct mount *ret)
{
	struct text word, number = {"", 0}, source = {"", 0};
	size_t n = 0;

	*ret = (struct mount){0};
	while (text_word(&line, &word) && !text_is(word, "-")) {
		if (n == 2)
			number = word;
		if (n == 3)
			ret->root = word;
		if (n == 4)
			ret->point = word;
		n++;
	}
	if (n < 5)
		return false;
	ret->block = blocks_find_number(d, number);
	(void)text_word(&line, &ret->type);
	/* btrfs and bcachefs have numbers of their own, and the latter several sources. */
	if (!ret->block && text_word(&line, &source)) {
		struct text first = source;

		if (text_is(ret->type, "zfs"))
			(void)text_cut(&source, '/', &ret->pool);

		if (text_is(ret->type, "bcachefs"))
			(void)text_cut(&source, ':', &first);
		ret->block = blocks_find_source(d, first);
	}
	return true;
}

static void read_mounts(struct disks *d)
{
	struct text rest = usage_proc_file(d->c, "self/mountinfo"), line, source;
	struct mount **end = &d->mounts;
	bool is_old = rest.n == 0;

	if (is_old)
		rest = usage_proc_file(d->c, "mounts");
	while (text_cut(&rest, '\n', &line)) {
		struct mount mount = {.root = TEXT("/")};

		if (!is_old && !parse_mountinfo(d, line, &mount))
			continue;
		if (is_old) {
			if (!text_word(&line, &source) || !text_word(&line, &mount.point))
				continue;
			(void)text_word(&line, &mount.type);
			mount.block = blocks_find_source(d, source);
			if (text_is(mount.type, "zfs"))
				(void)text_cut(&source, '/', &mount.pool);
		}
		*end = arena_alloc(d->c->arena, 1, sizeof(**end));
		if (!*end) {
			d->c->is_full = true;
			return;
		}
		**end = mount;
		end = &(*end)->next;
	}
}

/* The mount that a path is on; of several on one point the last one. */
static struct block *find_path(const struct disks *d, struct text path)
{
	const struct mount *best = NULL;

	for (const struct mount *m = d->mounts; m; m = m->next) {
		size_t n = m->point.n;

		if (n == 0 || n > path.n || memcmp(path.p, m->point.p, n) != 0)
			continue;
		if ((n == 1 || n == path.n || path.p[n] == '/') &&
		    (!best || n >= best->point.n))
			best = m;
	}
	return best ? best->block : NULL;
}

/* drivers/block/loop.c: loop_attr_backing_file_show() */
static void read_loops(struct disks *d)
{
	char path[USAGE_PATH_SIZE], buf[USAGE_PATH_SIZE];
	struct text file;

	for (size_t i = 0; i < d->count; i++) {
		struct block *b = &d->items[i];

		if (strncmp(b->name, "loop", 4) != 0 || b->disk)
			continue;
		snprintf(path, sizeof(path), "class/block/%s/loop/backing_file", b->name);
		if (world_read_text(d->c->world, WORLD_SYS, path, buf, sizeof(buf),
				    &file) < 0)
			continue;
		blocks_add_edge(d, b, find_path(d, file));
		if (b->below)
			b->below->is_loop = true;
	}
}

static bool is_one_of(struct text t, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text_is(t, list[i]))
			return true;
	return false;
}

/*
 * Whether this is the root of the machine: not a folder of another one (a chroot that is
 * mounted onto itself), as the part that is mounted tells. A btrfs has subvolumes, OSTree a
 * folder per version.
 */
static bool is_whole(const struct mount *m)
{
	static const char *const parted[] = {"btrfs", "bcachefs"};

	return text_is(m->root, "/") || text_has_prefix(m->root, "/ostree/") ||
	       is_one_of(m->type, parted, ARRAY_SIZE(parted));
}

/* What the root file system tells of the machine: @disks of it were found. */
static void note_root(struct disks *d, const struct mount *m, bool has_disk)
{
	static const char *const remote[] = {"nfs", "nfs4", "cifs", "smb3", "ceph"};
	static const char *const other[] = {"zfs", "9p", "virtiofs"};
	enum usage_root root = ROOT_UNKNOWN;

	if (!text_is(m->point, "/") && !text_is(m->point, "/sysroot"))
		return;
	if (m->block && !is_whole(m))
		root = ROOT_UNKNOWN;
	else if (has_disk)
		root = ROOT_DISK;
	else if (d->is_remote || is_one_of(m->type, remote, ARRAY_SIZE(remote)))
		root = ROOT_NETWORK;
	else if (m->block || is_one_of(m->type, other, ARRAY_SIZE(other)))
		root = ROOT_OTHER;
	if (root > d->c->root)
		d->c->root = root;
}

/* Whether one of its members came to a disk of a function. */
static bool use_pool(struct disks *d, struct text pool, const struct use *use)
{
	bool has_disk = false;

	for (size_t i = 0; pool.n > 0 && i < d->count; i++)
		if (d->items[i].pool && text_is(pool, d->items[i].pool))
			has_disk |= use_block(d, &d->items[i], use);
	return has_disk;
}

static void use_mounts(struct disks *d)
{
	for (const struct mount *m = d->mounts; m; m = m->next) {
		struct use use = {.is_critical = is_critical_mount(m->point)};
		bool has_disk;

		use.mount = arena_copy(d->c->arena, m->point);
		d->c->is_full = d->c->is_full || !use.mount;
		if (d->c->is_full)
			return;
		has_disk = m->pool.n > 0 ? use_pool(d, m->pool, &use)
					 : use_block(d, m->block, &use);
		note_root(d, m, has_disk);
	}
}

/* A pool that is imported, with nothing of it mounted: volumes of VMs. */
static void read_pools(struct disks *d)
{
	for (size_t i = 0; i < d->count; i++) {
		char path[USAGE_PATH_SIZE], state[64];
		struct text t;

		if (!d->items[i].pool)
			continue;
		/* zfs: module/zfs/spa_stats.c */
		snprintf(path, sizeof(path), "spl/kstat/zfs/%s/state", d->items[i].pool);
		if (world_read_text(d->c->world, WORLD_PROC, path, state, sizeof(state),
				    &t) < 0)
			continue;
		(void)use_block(d, &d->items[i],
				&(struct use){.holder = d->items[i].pool});
	}
}

/* Swap in a file is lost with the file system that it is on. */
static void read_swaps(struct disks *d)
{
	struct text rest = usage_proc_file(d->c, "swaps"), line, source, type;
	const struct use use = {.is_critical = true};

	while (text_cut(&rest, '\n', &line)) {
		if (!text_word(&line, &source) || !text_word(&line, &type))
			continue;
		if (text_is(type, "partition"))
			(void)use_block(d, blocks_find_source(d, source), &use);
		else if (text_is(type, "file"))
			(void)use_block(d, find_path(d, source), &use);
	}
}

/* initramfs-tools(7), RESUME; "auto" and "none" are no devices. */
static void read_resume_file(struct disks *d, const struct use *use)
{
	char buf[1024];
	int n = d->c->world->ops->read(d->c->world, WORLD_ETC,
				       "initramfs-tools/conf.d/resume", buf, sizeof(buf));
	struct text rest = {buf, n > 0 ? (size_t)n : 0}, line, value;

	while (text_cut(&rest, '\n', &line)) {
		value = text_trim(line);
		if (!text_has_prefix(value, "RESUME="))
			continue;
		value.p += sizeof("RESUME=") - 1;
		value.n -= sizeof("RESUME=") - 1;
		(void)use_block(d, blocks_find_spec(d, value), use);
	}
}

/* What the machine wakes up from: kernel/power/hibernate.c */
static void read_resume(struct disks *d)
{
	const struct use use = {.is_critical = true, .is_resume = true};
	struct text rest = usage_proc_file(d->c, "cmdline"), t;
	struct cmdline_arg arg;
	char buf[64];

	while (cmdline_next(&rest, &arg))
		if (text_is(arg.name, "resume") && arg.value.p)
			(void)use_block(d, blocks_find_spec(d, arg.value), &use);
	read_resume_file(d, &use);
	if (world_read_text(d->c->world, WORLD_SYS, "power/resume", buf, sizeof(buf),
			    &t) == 0)
		(void)use_block(d, blocks_find_number(d, t), &use);
}

static void read_holders(struct disks *d)
{
	for (size_t i = 0; i < d->count; i++) {
		struct block *b = &d->items[i];
		const struct use use = {.holder = b->map[0] ? b->map : b->name};

		/* A name of multipath is that of a namespace, not of something on it. */
		if (b->owners.count == 0 && b->below && !b->below->to->head)
			(void)use_block(d, b, &use);
	}
}

static const char *describe_disk(struct disks *d, const struct block *b)
{
	size_t more_count = b->critical.more + b->others.more;
	const char *text = usage_join(d->c, b->critical.text, ", ", b->others.text);
	char more[64];

	if (text[0]) {
		snprintf(more, sizeof(more), "and %zu more", more_count);
		text = usage_join(d->c, "mounted on", " ", text);
		text = usage_join(d->c, text, " ", more_count > 0 ? more : "");
	}
	text = usage_join(d->c, text, ", ", b->has_swap ? "swap" : "");
	/* Mostly it is the swap. */
	if (b->has_resume && !b->has_swap)
		text = usage_join(d->c, text, ", ", "hibernation");
	if (text[0] == '\0' && b->holders.text)
		text = usage_join(d->c, "part of", " ", b->holders.text);
	return text[0] ? text : "not mounted";
}

/* Each reads one kind. What cannot be read is left out. */
static void usage_read_disks(struct collector *c)
{
	struct disks d = {.c = c};

	blocks_read(&d);
	read_mounts(&d);
	read_loops(&d);
	use_mounts(&d);
	read_swaps(&d);
	read_resume(&d);
	read_holders(&d);
	read_pools(&d);
	for (size_t i = 0; i < d.count && !c->is_full; i++) {
		const struct block *b = &d.items[i];

		if (b->owners.count > 0 && !b->disk)
			usage_add(c, &b->owners,
				  &(struct usage){
					  .kind = USAGE_DISK,
					  .name = b->head ? b->head->name : b->name,
					  .what = describe_disk(&d, b),
					  .is_in_use = b->critical.text ||
						       b->others.text || b->has_swap ||
						       b->has_resume || b->holders.text,
					  .is_critical = b->critical.text ||
							 b->has_swap || b->has_resume,
				  });
	}
}
