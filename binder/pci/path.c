/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int fail(struct parse_error *reterr, size_t offset, const char *message)
{
	*reterr = (struct parse_error){offset, message};
	return -EINVAL;
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
	size_t used;

	bdf_format(path->root, buf);
	used = strlen(buf);
	for (size_t i = 0; i < MIN(path->hop_count, PATH_HOPS_MAX); i++)
		used += (size_t)snprintf(buf + used, PATH_SIZE - used, "/%02x.%x",
					 path->hops[i] >> 3, path->hops[i] & 7);
	if (path->any_function)
		buf[used - 1] = '*';
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
