/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network interfaces: which are up, and which the default route needs. */
#include "usage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_cmdline.h"
#include "text.h"
#include "usage_parts.h"

#define NET	  "net"
#define UPPER	  "upper_"
#define DEPTH_MAX 16
#define IFF_UP	  0x1
#define RTF_UP	  0x1

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

/* net/ipv4/fib_trie.c: fib_route_seq_show(); net/ipv6/route.c: rt6_info_route() */
static void read_routes(struct networks *n)
{
	struct text rest, line, w[10];

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

	if (l->visit == n->visits || depth > DEPTH_MAX)
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

static void usage_read_networks(struct collector *c)
{
	struct networks n = {.c = c};

	read_links(&n);
	read_routes(&n);
	read_boot(&n);
	for (size_t i = 0; i < n.count && !c->is_full; i++) {
		struct link *l = &n.items[i];
		struct usage usage = {.kind = USAGE_NETWORK, .name = l->name};
		const char *parts = "";
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
			parts = usage_join(c, parts, ", ", l->uppers.items[k]);
		if (parts[0])
			parts = usage_join(c, "part of", " ", parts);
		usage.what = usage_join(c, usage.what, ", ", parts);
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

static void usage_read_displays(struct collector *c)
{
	struct displays d = {.c = c};
	size_t count = 0;

	read_all(&d);
	/* A card for computing has a DRM device and nothing to plug a monitor in. */
	for (const struct display *i = d.first; i; i = i->next)
		count += i->has_connector;
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

int usage_list(struct collector *c, const char *path, const char *prefix,
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

void usage_owners(struct collector *c, const char *class, const char *name,
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

const char *usage_attribute(struct collector *c, const char *class, const char *name,
			    const char *attribute)
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

struct text usage_proc_file(struct collector *c, const char *path)
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
	c->arena->used = (size_t)(buf - c->arena->base) + (size_t)(n > 0 ? n : 0);
	return (struct text){buf, (size_t)(n > 0 ? n : 0)};
}

const char *usage_join(struct collector *c, const char *one, const char *separator,
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

void usage_add(struct collector *c, const struct owners *owners,
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
