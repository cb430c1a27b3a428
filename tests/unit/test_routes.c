/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Default routes, out of what the kernel sends: all tables and next hops, and damaged messages. */
#include "tree.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "routes.h"

struct message {
	_Alignas(8) char bytes[1024];
	size_t n, start;
};

static void put(struct message *m, const void *p, size_t n)
{
	assert_true(m->n + NLMSG_ALIGN(n) <= sizeof(m->bytes));
	memcpy(m->bytes + m->n, p, n);
	memset(m->bytes + m->n + n, 0, NLMSG_ALIGN(n) - n);
	m->n += NLMSG_ALIGN(n);
}

static void end(struct message *m)
{
	uint32_t n = (uint32_t)(m->n - m->start);

	memcpy(m->bytes + m->start, &n, sizeof(n));
}

static void start(struct message *m, uint16_t type, const void *p, size_t n)
{
	struct nlmsghdr head = {.nlmsg_type = type};

	m->start = m->n;
	put(m, &head, sizeof(head));
	put(m, p, n);
	end(m);
}

static void start_route(struct message *m, struct rtmsg route)
{
	start(m, RTM_NEWROUTE, &route, sizeof(route));
}

static void add(struct message *m, uint16_t type, const void *p, size_t n)
{
	struct rtattr a = {.rta_type = type, .rta_len = (uint16_t)(sizeof(a) + n)};

	put(m, &a, sizeof(a));
	put(m, p, n);
	end(m);
}

static void add_number(struct message *m, uint16_t type, uint32_t number)
{
	add(m, type, &number, sizeof(number));
}

static int parse(const struct message *m, struct route_hops *hops)
{
	*hops = (struct route_hops){.count = 0};
	return routes_parse((struct text){m->bytes, m->n}, hops);
}

static const struct rtmsg plain = {.rtm_family = AF_INET,
				   .rtm_table = RT_TABLE_MAIN,
				   .rtm_type = RTN_UNICAST};

static void test_hops(void **state)
{
	static const struct rtnexthop two[] = {{.rtnh_len = 8, .rtnh_ifindex = 4},
					       {.rtnh_len = 8, .rtnh_ifindex = 5}};
	struct rtmsg route = plain;
	static struct route_hops hops;
	struct message m = {.n = 0};

	(void)state;
	start_route(&m, plain);
	add_number(&m, RTA_OIF, 2);
	start_route(&m, plain);
	add(&m, RTA_MULTIPATH, two, sizeof(two));
	/* Behind the hop, as the kernel never sends it. */
	route.rtm_table = RT_TABLE_COMPAT;
	start_route(&m, route);
	add_number(&m, RTA_OIF, 6);
	add_number(&m, RTA_TABLE, 1000);
	route = plain;
	route.rtm_family = AF_INET6;
	start_route(&m, route);
	add_number(&m, RTA_OIF, 7);
	assert_int_equal(parse(&m, &hops), 0);
	assert_int_equal(hops.count, 5);
	assert_int_equal(hops.items[0].interface, 2);
	assert_int_equal(hops.items[1].interface, 4);
	assert_int_equal(hops.items[2].interface, 5);
	assert_int_equal(hops.items[3].table, 1000);
	assert_int_equal(hops.items[4].family, AF_INET6);
}

static void test_no_defaults(void **state)
{
	struct rtmsg routes[] = {plain, plain, plain, plain};
	static struct route_hops hops;
	struct message m = {.n = 0};

	(void)state;
	routes[0].rtm_dst_len = 24;
	routes[1].rtm_type = RTN_UNREACHABLE;
	routes[2].rtm_flags = RTM_F_CLONED;
	routes[3].rtm_family = AF_MAX - 1;
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		start_route(&m, routes[i]);
		add_number(&m, RTA_OIF, 2);
	}
	start_route(&m, plain); /* a black hole has no interface */
	start(&m, NLMSG_DONE, "\0\0\0", 4);
	assert_int_equal(parse(&m, &hops), 1);
	assert_int_equal(hops.count, 0);
}

static void test_errors(void **state)
{
	const struct nlmsgerr error = {.error = -EOPNOTSUPP};
	static struct route_hops hops;
	struct message m = {.n = 0};

	(void)state;
	start(&m, NLMSG_ERROR, &error, sizeof(error));
	assert_int_equal(parse(&m, &hops), -EOPNOTSUPP);
	m.n = 0;
	start(&m, NLMSG_ERROR, "", 0);
	assert_int_equal(parse(&m, &hops), -EINVAL);
}

/* Every byte of a message as another one, and each length: no read behind the end. */
static void test_damaged(void **state)
{
	static const struct rtnexthop one = {.rtnh_len = 8, .rtnh_ifindex = 4};
	static struct route_hops hops;
	struct message m = {.n = 0}, damaged;

	(void)state;
	start_route(&m, plain);
	add_number(&m, RTA_TABLE, 7);
	add(&m, RTA_MULTIPATH, &one, sizeof(one));
	for (size_t n = 0; n <= m.n; n++) {
		char *exact = malloc(n + 1);

		memcpy(exact, m.bytes, n);
		hops.count = 0;
		(void)!routes_parse((struct text){exact, n}, &hops);
		free(exact);
	}
	for (size_t at = 0; at < m.n; at++)
		for (int byte = 0; byte < 256; byte++) {
			char *exact = malloc(m.n);

			damaged = m;
			damaged.bytes[at] = (char)byte;
			memcpy(exact, damaged.bytes, m.n);
			hops.count = 0;
			(void)!routes_parse((struct text){exact, m.n}, &hops);
			assert_true(hops.count <= 2);
			free(exact);
		}
}

static void test_too_many(void **state)
{
	static struct route_hops hops;
	struct message m = {.n = 0};

	(void)state;
	start_route(&m, plain);
	add_number(&m, RTA_OIF, 2);
	hops.count = 0;
	for (int i = 0; i < ROUTE_HOPS_MAX + 5; i++)
		assert_int_equal(routes_parse((struct text){m.bytes, m.n}, &hops), 0);
	assert_int_equal(hops.count, ROUTE_HOPS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hops),	 cmocka_unit_test(test_no_defaults),
		cmocka_unit_test(test_errors),	 cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
