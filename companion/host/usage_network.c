/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network interfaces: which are up, and which the default route needs. */
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

void usage_read_networks(struct collector *c)
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
