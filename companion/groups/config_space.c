/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config_space.h"

#include <string.h>

/* PCI Local Bus Specification and PCI Express Base Specification: offsets and values. */
#define HEADER_SIZE	  64
#define STATUS		  0x06
#define STATUS_HAS_LIST	  0x10
#define HEADER_TYPE	  0x0e
#define TYPE_BRIDGE	  0x01
#define MULTIFUNCTION	  0x80
#define SECONDARY_BUS	  0x19
#define LIST_START	  0x34
#define LIST_MAX	  48 /* the kernel's PCI_FIND_CAP_TTL */
#define ID_PCIE		  0x10
#define PCIE_FLAGS	  2
#define PCIE_HAS_SLOT	  0x0100
#define CONVENTIONAL_SIZE 256
#define ID_ACS		  0x000d
#define INTEL_MPC_IRBNCE  (1u << 26)

static uint16_t get_u16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get_u32(const unsigned char *p)
{
	return get_u16(p) | (uint32_t)get_u16(p + 2) << 16;
}

/* The place of a capability, or 0. @each learns of all on the way. The list may be a circle. */
static size_t find_capability(const unsigned char *p, size_t n, uint8_t id,
			      void (*each)(void *arg, size_t at), void *arg)
{
	size_t at;

	if (!(p[STATUS] & STATUS_HAS_LIST))
		return 0;
	at = p[LIST_START] & ~3u;
	for (int i = 0; i < LIST_MAX && at >= HEADER_SIZE && at + 4 <= n; i++) {
		if (each)
			each(arg, at);
		if (p[at] == 0xff)
			return 0;
		if (p[at] == id)
			return at;
		at = p[at + 1] & ~3u;
	}
	return 0;
}

static size_t find_acs(const unsigned char *p, size_t n,
		       void (*each)(void *arg, size_t at), void *arg)
{
	size_t at = CONVENTIONAL_SIZE;

	for (size_t i = 0; i < n / 8 && at >= CONVENTIONAL_SIZE && at + 4 <= n; i++) {
		uint32_t head = get_u32(p + at);

		if (each)
			each(arg, at);
		if (head == 0 || head == UINT32_MAX)
			return 0;
		if ((head & 0xffff) == ID_ACS)
			return at + CONFIG_SPACE_ACS_SIZE <= n ? at : 0;
		at = head >> 20 & ~3u;
	}
	return 0;
}

bool config_space_read(struct text config, struct group_function *f)
{
	const unsigned char *p = (const unsigned char *)config.p;
	size_t n = MIN(config.n, (size_t)CONFIG_SPACE_SIZE), at;

	f->is_unknown = true;
	if (n < HEADER_SIZE || get_u16(p) != f->ids.vendor ||
	    get_u16(p + 2) != f->ids.device)
		return false;
	f->is_bridge = (p[HEADER_TYPE] & 0x7f) == TYPE_BRIDGE;
	f->is_multifunction |= (p[HEADER_TYPE] & MULTIFUNCTION) != 0;
	f->secondary = f->is_bridge ? p[SECONDARY_BUS] : 0;
	f->type = PCIE_NONE;
	f->has_acs = f->has_slot = f->has_bus_check = false;
	/* Without a list of capabilities it is conventional: the rest need not be read. */
	if (n < CONVENTIONAL_SIZE && (p[STATUS] & STATUS_HAS_LIST))
		return false;
	f->is_unknown = false;
	at = find_capability(p, n, ID_PCIE, NULL, NULL);
	if (at == 0)
		return true;
	f->type = get_u16(p + at + PCIE_FLAGS) >> 4 & 0xf;
	f->has_slot = get_u16(p + at + PCIE_FLAGS) & PCIE_HAS_SLOT;
	f->has_bus_check = get_u32(p + CONFIG_SPACE_INTEL_MPC) & INTEL_MPC_IRBNCE;
	at = find_acs(p, n, NULL, NULL);
	if (at == 0)
		return true;
	f->has_acs = true;
	f->acs_cap = get_u16(p + at + 4);
	f->acs_ctl = get_u16(p + at + 6);
	f->acs_ctl_high = get_u16(p + at + 8);
	return true;
}

struct kept {
	unsigned char bytes[CONFIG_SPACE_SIZE];
	const unsigned char *from;
	size_t end;
};

static void keep(struct kept *kept, size_t at, size_t n)
{
	memcpy(kept->bytes + at, kept->from + at, n);
	kept->end = MAX(kept->end, at + n);
}

static void keep_head(void *arg, size_t at)
{
	keep(arg, at, 4);
}

size_t config_space_strip(unsigned char *p, size_t n)
{
	struct kept kept = {.from = p};
	size_t at;

	n = MIN(n, (size_t)CONFIG_SPACE_SIZE);
	if (n < CONVENTIONAL_SIZE)
		return MIN(n, (size_t)HEADER_SIZE);
	keep(&kept, 0, HEADER_SIZE);
	/* The length says that this much was there. */
	kept.end = CONVENTIONAL_SIZE;
	at = find_capability(p, n, ID_PCIE, keep_head, &kept);
	if (at != 0) {
		keep(&kept, CONFIG_SPACE_INTEL_MPC, 4);
		at = find_acs(p, n, keep_head, &kept);
	}
	if (at != 0)
		keep(&kept, at, CONFIG_SPACE_ACS_SIZE);
	memcpy(p, kept.bytes, kept.end);
	return kept.end;
}
