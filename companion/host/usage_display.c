/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Displays: the cards of DRM with their monitors, and framebuffers. */
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "usage_parts.h"

#define DRM	     "drm"
#define GRAPHICS     "graphics"
#define CONSOLE_NAME "fb0" /* the kernel's console is on the first framebuffer */

/* A function with a display of its own. */
struct display {
	struct owners owners;
	struct bdf bdf; /* the last of them */
	const char *name; /* "card0", or "fb0" where there is no card */
	const char *monitors; /* connectors with something on them */
	bool has_connector;
	bool is_console;
	struct display *next;
};

struct displays {
	struct collector *c;
	struct display *first;
};

static struct display *find(const struct displays *d, struct bdf bdf)
{
	for (struct display *i = d->first; i; i = i->next)
		if (bdf_compare(i->bdf, bdf) == 0)
			return i;
	return NULL;
}

/* That of the function that @name belongs to, made if need be; NULL if it has none. */
static struct display *get(struct displays *d, const char *class, const char *name)
{
	char parent[USAGE_PATH_SIZE], path[USAGE_PATH_SIZE], address[BDF_SIZE], buf[8];
	struct display *display;
	struct owners owners;
	struct text t;
	struct bdf bdf;

	usage_owners(d->c, class, name, &owners, parent);
	if (owners.count == 0)
		return NULL;
	bdf = owners.items[owners.count - 1];
	display = find(d, bdf);
	if (display)
		return display;
	display = arena_alloc(d->c->arena, 1, sizeof(*display));
	if (!display) {
		d->c->is_full = true;
		return NULL;
	}
	snprintf(path, sizeof(path), "bus/pci/devices/%s/boot_vga",
		 bdf_format(bdf, address));
	*display = (struct display){
		.owners = owners,
		.bdf = bdf,
		.name = name,
		.monitors = "",
		.is_console = world_read_text(d->c->world, WORLD_SYS, path, buf,
					      sizeof(buf), &t) == 0 &&
			      text_is(t, "1"),
		.next = d->first,
	};
	d->first = display;
	return display;
}

/* Takes "card0-HDMI-A-1", a connector, and "card0", a card. */
static void read_card(struct displays *d, const char *name)
{
	const char *connector = strchr(name, '-');
	struct display *display = get(d, DRM, name);

	if (!display || !connector)
		return;
	/* A connector without hardware, for writing into memory. */
	if (strstr(connector, "Writeback"))
		return;
	display->has_connector = true;
	if (strcmp(usage_attribute(d->c, DRM, name, "status"), "connected") == 0)
		display->monitors =
			usage_join(d->c, display->monitors, ", ", connector + 1);
}

static void read_all(struct displays *d)
{
	struct name_list names;

	/* Sorted: a card comes before its connectors. */
	if (usage_list(d->c, "class/" DRM, "", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++)
		if (strncmp(names.items[i], "card", 4) == 0)
			read_card(d, names.items[i]);
	if (usage_list(d->c, "class/" GRAPHICS, "", &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		struct display *display;

		if (strncmp(names.items[i], "fb", 2) != 0 ||
		    strcmp(names.items[i], "fbcon") == 0)
			continue;
		display = get(d, GRAPHICS, names.items[i]);
		if (!display)
			continue;
		display->has_connector = true;
		if (strcmp(names.items[i], CONSOLE_NAME) == 0)
			display->is_console = true;
	}
}

void usage_read_displays(struct collector *c)
{
	struct displays d = {.c = c};
	size_t count = 0;

	read_all(&d);
	/* A card for computing has a DRM device and nothing to plug a monitor in. */
	for (const struct display *i = d.first; i; i = i->next)
		count += i->has_connector;
	for (const struct display *i = d.first; i && !c->is_full; i = i->next) {
		bool is_only = i->has_connector && count == 1;
		const char *what = i->is_console ? "the console" : "";

		if (is_only)
			what = usage_join(c, what, ", ", "the only display");
		if (i->monitors[0])
			what = usage_join(
				c, what, ", ",
				usage_join(c, "a monitor on", " ", i->monitors));
		else if (!what[0])
			what = i->has_connector ? "no monitor" : "no connector";
		usage_add(c, &i->owners,
			  &(struct usage){
				  .kind = USAGE_DISPLAY,
				  .name = i->name,
				  .what = what,
				  .is_in_use = i->is_console || is_only || i->monitors[0],
				  .is_critical = i->is_console || is_only,
			  });
	}
}
