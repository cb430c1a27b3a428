/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "slot.h"

#include <errno.h>
#include <string.h>

int slot_parse(struct text t, struct text *ret, struct parse_error *reterr)
{
	size_t n = 0;

	while (n < t.n && t.p[n] > ' ' && t.p[n] < 0x7f && !strchr(",+;/\"", t.p[n]))
		n++;
	if (n == 0 || n < t.n || n > SLOT_NAME_MAX) {
		*reterr = (struct parse_error){
			MIN(n, (size_t)SLOT_NAME_MAX),
			"a slot is a name of /sys/bus/pci/slots: up to 63 characters, none "
			"of which is a blank, a quotation mark, or one of , + ; /"};
		return -EINVAL;
	}
	*ret = t;
	return 0;
}

bool slot_has_name(const char *names, struct text name)
{
	struct text rest = text_of(names), part;

	while (text_cut(&rest, '/', &part))
		if (part.n == name.n && memcmp(part.p, name.p, name.n) == 0)
			return true;
	return false;
}
