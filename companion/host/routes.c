/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NET_CLASS    "class/net"
#define RECORDED_MAX ((size_t)64 * 1024)
#define RECEIVED_MAX ((size_t)64 * 1024) /* the kernel sends at most 32 KiB at once */
#define DUMP_TIME    (2 * SECOND) /* of both families: a router has a million of routes */

/* ---- messages ---- */

/* The attribute's value if it has at least @size bytes. */
static const void *value_of(const struct rtattr *a, size_t size)
{
	return RTA_PAYLOAD(a) >= size ? RTA_DATA(a) : NULL;
}

static void add_hop(struct route_hops *hops, struct route_hop hop, uint32_t interface)
{
	hop.interface = interface;
	if (interface != 0 && hops->count < ROUTE_HOPS_MAX)
		hops->items[hops->count++] = hop;
}

/* include/uapi/linux/rtnetlink.h: RTA_MULTIPATH has a struct rtnexthop per hop. */
static void add_hops(struct route_hops *hops, struct route_hop hop, const char *p,
		     size_t n)
{
	struct rtnexthop next;

	while (n >= sizeof(next)) {
		size_t step;

		memcpy(&next, p, sizeof(next));
		step = RTNH_ALIGN(next.rtnh_len);
		if (next.rtnh_len < sizeof(next) || next.rtnh_len > n)
			return;
		add_hop(hops, hop, (uint32_t)next.rtnh_ifindex);
		if (step >= n)
			return;
		p += step;
		n -= step;
	}
}

/* Those of the table "local" and of lookups that the kernel keeps are no default routes. */
static bool is_default(const struct rtmsg *route)
{
	return route->rtm_dst_len == 0 && route->rtm_type == RTN_UNICAST &&
	       !(route->rtm_flags & RTM_F_CLONED) &&
	       (route->rtm_family == AF_INET || route->rtm_family == AF_INET6);
}

static void take_route(struct route_hops *hops, const struct nlmsghdr *message)
{
	const struct rtmsg *route = NLMSG_DATA(message);
	struct route_hop hop;
	int n;

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*route)) || !is_default(route))
		return;
	hop = (struct route_hop){.family = route->rtm_family, .table = route->rtm_table};
	n = (int)RTM_PAYLOAD(message);
	/* The table's whole number comes before or after the hops. */
	for (int pass = 0; pass < 2; pass++) {
		int left = n; /* the macros let it fall below 0 */

		for (const struct rtattr *a = RTM_RTA(route); RTA_OK(a, left);
		     a = RTA_NEXT(a, left)) {
			const void *value = value_of(a, sizeof(uint32_t));
			uint32_t number = 0;

			if (value)
				memcpy(&number, value, sizeof(number));
			if (pass == 0 && value && a->rta_type == RTA_TABLE)
				hop.table = number;
			else if (pass == 1 && value && a->rta_type == RTA_OIF)
				add_hop(hops, hop, number);
			else if (pass == 1 && a->rta_type == RTA_MULTIPATH)
				add_hops(hops, hop, RTA_DATA(a), RTA_PAYLOAD(a));
		}
	}
}

/* NLMSG_OK(), which not all compilers take without a warning. */
static bool is_message(const struct nlmsghdr *m, int left)
{
	return left >= (int)sizeof(*m) && m->nlmsg_len >= sizeof(*m) &&
	       m->nlmsg_len <= (unsigned)left;
}

int routes_parse(struct text received, struct route_hops *hops)
{
	int left = (int)received.n; /* the macros let it fall below 0 */

	for (const struct nlmsghdr *m = (const void *)received.p; is_message(m, left);
	     m = NLMSG_NEXT(m, left)) {
		const struct nlmsgerr *error = NLMSG_DATA(m);

		switch (m->nlmsg_type) {
		case NLMSG_DONE:
			return 1;
		case NLMSG_ERROR:
			return m->nlmsg_len >= NLMSG_LENGTH(sizeof(*error)) &&
					       error->error < 0
				       ? error->error
				       : -EINVAL;
		case RTM_NEWROUTE:
			take_route(hops, m);
			break;
		default:
			break;
		}
	}
	return left <= 0 ? 0 : -EINVAL;
}

/* ---- the kernel ---- */

static int receive(int fd, int wait, char *buf, struct route_hops *hops)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	struct sockaddr_nl from = {0};
	socklen_t n = sizeof(from);
	ssize_t received;
	int r = poll(&ready, 1, wait);

	if (r <= 0)
		return r == 0 ? -ETIMEDOUT : errno == EINTR ? 0 : -errno;
	received = recvfrom(fd, buf, RECEIVED_MAX, MSG_DONTWAIT | MSG_TRUNC,
			    (struct sockaddr *)&from, &n);
	if (received < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if ((size_t)received > RECEIVED_MAX)
		return -EMSGSIZE;
	/* Any process may send to a netlink socket; the kernel has the number 0. */
	return from.nl_pid == 0 ? routes_parse((struct text){buf, (size_t)received}, hops)
				: 0;
}

static int dump_family(struct world *world, int fd, unsigned char family, uint64_t end,
		       char *buf, struct route_hops *hops)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
	} request = {
		.head = {.nlmsg_len = sizeof(request),
			 .nlmsg_type = RTM_GETROUTE,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			 .nlmsg_seq = family},
		.route = {.rtm_family = family},
	};
	int r = 0;

	if (send(fd, &request, sizeof(request), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	while (r == 0) {
		uint64_t now = world->ops->now(world);

		if (now >= end)
			return -ETIMEDOUT;
		r = receive(fd, (int)((end - now) / MILLISECOND) + 1, buf, hops);
	}
	return r < 0 ? r : 0;
}

static int dump(struct world *world, struct arena *arena, struct route_hops *hops)
{
	char *buf = arena_alloc(arena, RECEIVED_MAX, 1);
	uint64_t end = world->ops->now(world) + DUMP_TIME;
	int fd, r;

	if (!buf)
		return -ENOMEM;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	r = dump_family(world, fd, AF_INET, end, buf, hops);
	if (r == 0)
		r = dump_family(world, fd, AF_INET6, end, buf, hops);
	close(fd);
	/* A kernel without IPv6 has none of its routes. */
	return r == -EOPNOTSUPP ? 0 : r;
}

struct naming {
	struct world *world;
	const struct route_hops *hops;
	struct text_buffer lines;
};

/* The kernel names interfaces by numbers in routes. */
static int put_interface(void *arg, const char *name)
{
	struct naming *n = arg;
	char path[sizeof(NET_CLASS) + 280], buf[32];
	uint64_t number;
	struct text t;

	snprintf(path, sizeof(path), NET_CLASS "/%.255s/ifindex", name);
	if (world_read_text(n->world, WORLD_SYS, path, buf, sizeof(buf), &t) < 0 ||
	    text_decimal(t, UINT32_MAX, &number) < 0)
		return 0;
	for (size_t i = 0; i < n->hops->count; i++) {
		const struct route_hop *hop = &n->hops->items[i];

		if (hop->interface == number)
			text_add(&n->lines, "%s %u %s\n",
				 hop->family == AF_INET ? "inet" : "inet6", hop->table,
				 name);
	}
	return 0;
}

/* Whether /proc is that of this process, and so the kernel's routes are those of @world. */
static bool is_this_machine(struct world *world)
{
	char buf[32], own[32];

	snprintf(own, sizeof(own), "%d", (int)getpid());
	return world->ops->link(world, WORLD_PROC, "self", buf, sizeof(buf)) >= 0 &&
	       strcmp(buf, own) == 0;
}

int routes_read(struct world *world, struct arena *arena, struct text *ret)
{
	struct route_hops *hops = arena_alloc(arena, 1, sizeof(*hops));
	struct naming naming = {.world = world, .hops = hops, .lines = {.arena = arena}};
	char *buf = arena_alloc(arena, RECORDED_MAX, 1);
	int r;

	if (!hops || !buf)
		return -ENOMEM;
	r = world->ops->read(world, WORLD_PROC, ROUTES_RECORDED, buf, RECORDED_MAX);
	if (r >= 0) {
		*ret = (struct text){buf, (size_t)r};
		return 0;
	}
	if (r != -ENOENT || !is_this_machine(world))
		return r;
	r = dump(world, arena, hops);
	if (r < 0)
		return r;
	(void)world->ops->list(world, WORLD_SYS, NET_CLASS, put_interface, &naming);
	if (naming.lines.is_full)
		return -ENOMEM;
	*ret = (struct text){naming.lines.buf ? naming.lines.buf : "", naming.lines.used};
	return 0;
}
