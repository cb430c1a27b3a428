/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The default routes of this machine: of all tables, with all next hops, of IPv4 and IPv6.
 * /proc/net/route has the main table and one next hop of each route only.
 */
#pragma once

#include <stdint.h>

#include "arena.h"
#include "compiler.h"
#include "text.h"
#include "world.h"

/* Below WORLD_PROC, in a recorded machine: what routes_read() gives. */
#define ROUTES_RECORDED "net/earlybind-routes"

/*
 * A line "FAMILY TABLE INTERFACE" for each next hop, as "inet 254 eth0": as it was recorded, or
 * as the kernel says it (rtnetlink) if @world has the /proc of this machine. -ENOENT if it has
 * neither; otherwise -errno.
 */
int routes_read(struct world *world, struct arena *arena, struct text *ret) must_check
	nonnull(1, 2, 3);

struct route_hop {
	unsigned family; /* AF_INET, AF_INET6 */
	uint32_t table, interface;
};

#define ROUTE_HOPS_MAX 256

struct route_hops {
	struct route_hop items[ROUTE_HOPS_MAX];
	size_t count; /* more are left out: there are enough */
};

/*
 * Takes the default routes out of what was received of a dump: whole netlink messages. 1 at its
 * end, 0 if there is more to come, -errno if the kernel says so, -EINVAL for what it never sends.
 */
int routes_parse(struct text received, struct route_hops *hops) must_check nonnull(2);
