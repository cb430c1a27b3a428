/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bdf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"

static int fail(struct parse_error *reterr, size_t offset, const char *message)
{
	*reterr = (struct parse_error){offset, message};
	return -EINVAL;
}

/* Only "device.function": what has no bus in it is 0 in @ret. */
static int bdf_parse_slot(struct text t, struct bdf *ret, bool *ret_any_function,
			  struct parse_error *reterr)
{
	uint64_t device, function = 0;
	struct text rest = t, slot;
	bool any = false;
	size_t at;

	if (!text_cut(&rest, '.', &slot) || !rest.p)
		return fail(reterr, 0, "the function is missing (\".0\" to \".7\")");
	if (slot.n > 2 || text_hex(slot, 0x1f, &device) < 0)
		return fail(reterr, 0,
			    "the device is a hexadecimal number from 00 to 1f");
	at = (size_t)(rest.p - t.p);
	if (ret_any_function && text_is(rest, "*"))
		any = true;
	else if (rest.n != 1 || text_hex(rest, 7, &function) < 0)
		return fail(reterr, at,
			    ret_any_function ? "the function is a digit from 0 to 7, or *"
					     : "the function is a digit from 0 to 7");

	*ret = (struct bdf){.device = (uint8_t)device, .function = (uint8_t)function};
	if (ret_any_function)
		*ret_any_function = any;
	return 0;
}

int bdf_parse_loose(struct text t, struct bdf *ret, bool *ret_any_function,
		    struct parse_error *reterr)
{
	uint64_t domain = 0, bus;
	struct text rest = t, parts[3], part;
	struct bdf bdf;
	size_t n = 0;
	int r;

	while (text_cut(&rest, ':', &part)) {
		if (n == ARRAY_SIZE(parts))
			return fail(reterr, (size_t)(part.p - t.p),
				    "an address is [domain:]bus:device.function");
		parts[n++] = part;
	}
	if (n < 2)
		return fail(reterr, 0, "an address is [domain:]bus:device.function");
	if (n == 3 && (parts[0].n > 8 || text_hex(parts[0], UINT32_MAX, &domain) < 0))
		return fail(reterr, 0,
			    "the domain is a hexadecimal number of at most 8 digits");
	if (parts[n - 2].n > 2 || text_hex(parts[n - 2], 0xff, &bus) < 0)
		return fail(reterr, (size_t)(parts[n - 2].p - t.p),
			    "the bus is a hexadecimal number from 00 to ff");
	r = bdf_parse_slot(parts[n - 1], &bdf, ret_any_function, reterr);
	if (r < 0) {
		reterr->offset += (size_t)(parts[n - 1].p - t.p);
		return r;
	}
	bdf.domain = (uint32_t)domain;
	bdf.bus = (uint8_t)bus;
	*ret = bdf;
	return 0;
}

int bdf_parse(struct text t, struct bdf *ret)
{
	struct parse_error error;
	char again[BDF_SIZE];
	struct bdf bdf;
	int r;

	r = bdf_parse_loose(t, &bdf, NULL, &error);
	if (r < 0)
		return r;
	/* Only the spelling of the kernel: padded, lower case, with a domain. */
	if (!text_is(t, bdf_format(bdf, again)))
		return -EINVAL;
	*ret = bdf;
	return 0;
}

/* At least @digits hexadecimal digits; returns their end. */
static char *put_hex(char *p, uint32_t value, int digits)
{
	while (digits < 8 && value >> 4 * digits)
		digits++;
	while (digits-- > 0)
		*p++ = "0123456789abcdef"[value >> 4 * digits & 15];
	return p;
}

/* By hand: it is done for every attribute of every function. */
const char *bdf_format(struct bdf bdf, char buf[static BDF_SIZE])
{
	char *p = put_hex(buf, bdf.domain, 4);

	*p++ = ':';
	p = put_hex(p, bdf.bus, 2);
	*p++ = ':';
	p = put_hex(p, bdf.device & 0x1f, 2);
	*p++ = '.';
	p = put_hex(p, bdf.function & 7, 1);
	*p = '\0';
	return buf;
}

int bdf_compare(struct bdf a, struct bdf b)
{
	if (a.domain != b.domain)
		return a.domain < b.domain ? -1 : 1;
	if (a.bus != b.bus)
		return a.bus < b.bus ? -1 : 1;
	if (a.device != b.device)
		return a.device < b.device ? -1 : 1;
	return a.function - b.function;
}

int bdf_order(const void *a, const void *b)
{
	return bdf_compare(*(const struct bdf *)a, *(const struct bdf *)b);
}

bool bdf_is_same_slot(struct bdf a, struct bdf b)
{
	return a.domain == b.domain && a.bus == b.bus && a.device == b.device;
}

static void add_hop(struct pci_path *path, struct bdf bdf)
{
	if (path->hop_count < PATH_HOPS_MAX)
		path->hops[path->hop_count] = (uint8_t)(bdf.device << 3 | bdf.function);
	if (path->hop_count <= PATH_HOPS_MAX)
		path->hop_count++;
}

int path_parse(struct text t, struct pci_path *ret, struct parse_error *reterr)
{
	struct pci_path path = {.hop_count = 0};
	struct text rest = t, part;
	struct bdf hop;
	bool is_root = true;
	int r;

	while (text_cut(&rest, '/', &part)) {
		bool *ret_any = rest.p ? NULL : &path.any_function;

		if (is_root)
			r = bdf_parse_loose(part, &path.root, ret_any, reterr);
		else if (part.n > 0 && memchr(part.p, ':', part.n))
			r = fail(reterr, 0,
				 "behind the first address, a hop is device.function "
				 "without a bus");
		else
			r = bdf_parse_slot(part, &hop, ret_any, reterr);
		if (r < 0) {
			reterr->offset += (size_t)(part.p - t.p);
			return r;
		}
		if (!is_root)
			add_hop(&path, hop);
		is_root = false;
	}
	if (is_root)
		return fail(reterr, 0,
			    "a path is the address of a root port, then device.function "
			    "of each hop");
	if (path.hop_count > PATH_HOPS_MAX)
		return fail(reterr, 0, "a path has at most 16 hops behind the first");
	*ret = path;
	return 0;
}

int path_parse_link(struct text target, struct pci_path *ret)
{
	struct pci_path path = {.hop_count = 0};
	bool has_root = false, is_address = false;
	struct text part;

	while (text_cut(&target, '/', &part)) {
		struct bdf bdf;

		is_address = bdf_parse(part, &bdf) == 0;
		if (!is_address)
			continue;
		if (has_root)
			add_hop(&path, bdf);
		else
			path.root = bdf;
		has_root = true;
	}
	if (!is_address)
		return -EINVAL;
	*ret = path;
	return 0;
}

const char *path_format(const struct pci_path *path, char buf[static PATH_SIZE])
{
	struct text_buffer b = {.buf = buf, .size = PATH_SIZE};
	char root[BDF_SIZE];

	text_add(&b, "%s", bdf_format(path->root, root));
	for (size_t i = 0; i < MIN(path->hop_count, (size_t)PATH_HOPS_MAX); i++)
		text_add(&b, "/%02x.%x", path->hops[i] >> 3, path->hops[i] & 7);
	if (path->any_function)
		buf[b.used - 1] = '*';
	return buf;
}

bool path_has(const struct pci_path *pattern, const struct pci_path *path)
{
	size_t last = pattern->hop_count;

	if (path->hop_count < last)
		return false;
	if (last == 0)
		return pattern->any_function ? bdf_is_same_slot(pattern->root, path->root)
					     : !bdf_compare(pattern->root, path->root);
	if (bdf_compare(pattern->root, path->root) != 0 ||
	    memcmp(pattern->hops, path->hops, last - 1) != 0)
		return false;
	return pattern->hops[last - 1] >> (pattern->any_function ? 3 : 0) ==
	       path->hops[last - 1] >> (pattern->any_function ? 3 : 0);
}
