/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keyboards: what a local console is worked with. */
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "usage_parts.h"

#define INPUT "input"

/* KEY_ESC to KEY_S, the bits 1 to 31, as in systemd's udev-builtin-input_id.c. */
#define KEYBOARD_KEYS UINT64_C(0xfffffffe)

struct keyboard {
	const char *name; /* "input3" */
	struct owners owners;
	struct keyboard *next;
};

/* drivers/input/input.c: input_print_bitmap(): words of a long, the highest first. */
static bool is_keyboard(struct collector *c, const char *name)
{
	char path[USAGE_PATH_SIZE], buf[USAGE_PATH_SIZE];
	struct text rest, word;
	uint64_t low = 0;

	snprintf(path, sizeof(path), "class/" INPUT "/%s/capabilities/key", name);
	if (world_read_text(c->world, WORLD_SYS, path, buf, sizeof(buf), &rest) < 0)
		return false;
	while (text_word(&rest, &word))
		if (text_hex(word, UINT64_MAX, &low) < 0)
			return false;
	return (low & KEYBOARD_KEYS) == KEYBOARD_KEYS;
}

/* Made by a program, or of Bluetooth, whose adapter is somewhere else. */
static bool is_virtual(struct collector *c, const char *name)
{
	char path[USAGE_PATH_SIZE], target[USAGE_PATH_SIZE];

	snprintf(path, sizeof(path), "class/" INPUT "/%s", name);
	return c->world->ops->target(c->world, WORLD_SYS, path, target, sizeof(target)) <
		       0 ||
	       strstr(target, "/virtual/");
}

/* Whether the kernel's console is on a screen: "tty0 ttyS0" */
static bool has_console(struct collector *c)
{
	struct text rest = text_of(usage_attribute(c, "tty", "console", "active"));
	struct text word;

	while (text_word(&rest, &word))
		if (text_is(word, "tty0"))
			return true;
	return false;
}

static bool is_alone(const struct keyboard *first)
{
	const struct owners *a = &first->owners;

	for (const struct keyboard *k = first; k; k = k->next)
		if (bdf_compare(k->owners.items[k->owners.count - 1],
				a->items[a->count - 1]) != 0)
			return false;
	return true;
}

void usage_read_inputs(struct collector *c)
{
	struct keyboard *first = NULL;
	char parent[USAGE_PATH_SIZE];
	struct name_list names;
	bool has_other = false, is_used;

	if (usage_list(c, "class/" INPUT, "input", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = usage_join(c, "input", "", names.items[i]);
		struct keyboard *k;
		struct owners owners;

		if (!is_keyboard(c, name))
			continue;
		usage_owners(c, INPUT, name, &owners, parent);
		/* That of a laptop is no PCI device, and stays whatever is bound. */
		has_other |= owners.count == 0 && !is_virtual(c, name);
		k = owners.count > 0 ? arena_alloc(c->arena, 1, sizeof(*k)) : NULL;
		c->is_full = c->is_full || (owners.count > 0 && !k);
		if (!k)
			continue;
		*k = (struct keyboard){name, owners, first};
		first = k;
	}
	is_used = !has_other && has_console(c);
	for (const struct keyboard *k = first; k && !c->is_full; k = k->next)
		usage_add(c, &k->owners,
			  &(struct usage){
				  .kind = USAGE_INPUT,
				  .name = k->name,
				  .what = is_used && is_alone(first) ? "the only keyboard"
								     : "a keyboard",
				  .is_in_use = is_used,
				  .is_critical = is_used && is_alone(first),
			  });
}
