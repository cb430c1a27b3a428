/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel_cmdline.h"

#include <errno.h>
#include <string.h>

/*
 *   vfio-pci.ids="10ee:5000,10ee:5001" next
 *   ^           ^                     ^
 *   0           equals                what is returned
 *
 * An '=' at the very start is part of the name, as in the kernel. A NUL ends the line: it is met
 * on the way, since to look for it first would read a long line once more for each word.
 */
static size_t measure(struct text t, bool in_quote, size_t *ret_equals)
{
	size_t i, equals = 0;

	for (i = 0; i < t.n; i++) {
		if (t.p[i] == '\0' || (char_is_space(t.p[i]) && !in_quote))
			break;
		if (equals == 0 && t.p[i] == '=')
			equals = i;
		if (t.p[i] == '"')
			in_quote = !in_quote;
	}
	*ret_equals = equals;
	return i;
}

bool cmdline_next(struct text *rest, struct cmdline_arg *ret)
{
	struct text t = *rest;
	struct text name, value = {NULL, 0};
	bool quoted = false;
	size_t i, end, equals;

	while (t.n > 0 && char_is_space(t.p[0])) {
		t.p++;
		t.n--;
	}
	if (t.n == 0 || t.p[0] == '\0') {
		*rest = (struct text){t.p, 0};
		return false;
	}
	if (t.p[0] == '"') {
		t.p++;
		t.n--;
		quoted = true;
	}
	end = i = measure(t, quoted, &equals);
	if (equals > 0) {
		size_t start = equals + 1;

		/*
		 * The kernel cuts a final quote twice where both the value and the whole
		 * parameter are quoted, but the second cut finds the first one's NUL.
		 */
		if (start < end && t.p[start] == '"') {
			start++;
			if (t.p[end - 1] == '"')
				end--;
		}
		if (quoted && end == i && end > 0 && t.p[end - 1] == '"')
			end--;
		/* name="  :  the opening quote was also the last one */
		value = (struct text){t.p + start, end > start ? end - start : 0};
		name = (struct text){t.p, equals};
	} else {
		if (quoted && end > 0 && t.p[end - 1] == '"')
			end--;
		name = (struct text){t.p, end};
	}

	*ret = (struct cmdline_arg){name, value};
	*rest = (struct text){t.p + i, i < t.n && t.p[i] == '\0' ? 0 : t.n - i};
	return true;
}

bool cmdline_is_end(const struct cmdline_arg *arg)
{
	return !arg->value.p && text_is(arg->name, "--");
}

int cmdline_bool(const struct cmdline_arg *arg, bool *ret)
{
	struct text v = arg->value;

	if (!v.p) {
		*ret = true;
		return 0;
	}
	if (v.n == 0)
		return -EINVAL;
	switch (v.p[0]) {
	case 'y':
	case 'Y':
	case 't':
	case 'T':
	case '1':
		*ret = true;
		return 0;
	case 'n':
	case 'N':
	case 'f':
	case 'F':
	case '0':
		*ret = false;
		return 0;
	case 'o':
	case 'O':
		if (v.n > 1 && (v.p[1] == 'n' || v.p[1] == 'N')) {
			*ret = true;
			return 0;
		}
		if (v.n > 1 && (v.p[1] == 'f' || v.p[1] == 'F')) {
			*ret = false;
			return 0;
		}
		return -EINVAL;
	default:
		return -EINVAL;
	}
}
