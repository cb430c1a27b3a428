/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serial.h"

#include <errno.h>
#include <stdio.h>

#define BYTES 8

/* include/uapi/linux/pci_regs.h */
#define EXTENDED_START 0x100u
#define EXTENDED_END   0x1000u
#define CAPABILITY_DSN 0x0003u

static bool is_number(uint64_t value)
{
	return value != 0 && value != UINT64_MAX;
}

int serial_parse(struct text t, uint64_t *ret, struct parse_error *reterr)
{
	static const char shape[] = "a serial number is 8 bytes like "
				    "00-0a-35-ff-ff-00-12-34: lspci -v shows it";
	uint64_t value = 0, byte;
	struct text rest = t, part;
	size_t n = 0;

	*reterr = (struct parse_error){0, shape};
	for (; text_cut(&rest, '-', &part); n++) {
		reterr->offset = (size_t)(part.p - t.p);
		if (n == BYTES || part.n != 2 || text_hex(part, 0xff, &byte) < 0)
			return -EINVAL;
		value = value << 8 | byte;
	}
	if (n < BYTES) {
		reterr->offset = t.n;
		return -EINVAL;
	}
	if (!is_number(value)) {
		*reterr = (struct parse_error){
			0, "all zeros or all ones mean that there is no serial number"};
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

const char *serial_format(uint64_t serial, char buf[static SERIAL_SIZE])
{
	for (unsigned i = 0; i < BYTES; i++)
		snprintf(buf + (size_t)3 * i, SERIAL_SIZE - (size_t)3 * i, "%02x%s",
			 (unsigned)(serial >> (56 - 8 * i) & 0xff),
			 i < BYTES - 1 ? "-" : "");
	return buf;
}

int serial_find(int (*read)(void *arg, unsigned offset, uint32_t *ret), void *arg,
		uint64_t *ret)
{
	/* The shortest capability has 8 bytes: a longer list goes round in circles. */
	unsigned left = (EXTENDED_END - EXTENDED_START) / 8, offset = EXTENDED_START;
	uint32_t header, low = 0, high = 0;
	int r;

	for (; left > 0 && offset >= EXTENDED_START; left--) {
		r = read(arg, offset, &header);
		if (r < 0)
			return r;
		/* Nothing, or nobody who answers. */
		if (header == 0 || header == UINT32_MAX)
			return -ENODATA;
		if ((header & 0xffff) == CAPABILITY_DSN) {
			if (offset + 8 >= EXTENDED_END)
				return -ENODATA;
			r = read(arg, offset + 4, &low);
			if (r == 0)
				r = read(arg, offset + 8, &high);
			if (r < 0)
				return r;
			if (!is_number((uint64_t)high << 32 | low))
				return -ENODATA;
			*ret = (uint64_t)high << 32 | low;
			return 0;
		}
		offset = header >> 20 & 0xffc;
	}
	return -ENODATA;
}
