/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the firmware left on a screen: drivers/firmware/sysfb.c, efifb.c, vesafb.c. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake_world.h"

#define MEMORY_SIZE 0x10000000ull

/* The first BAR of each function. */
static unsigned long long memory_of(const struct fake_device *d)
{
	unsigned long long number = (unsigned long long)d->bdf.domain << 16 |
				    (unsigned)d->bdf.bus << 8 |
				    (unsigned)d->bdf.device << 3 | d->bdf.function;

	return 0x8000000000ull + (number << 28);
}

void fake_resource(const struct fake_device *d, char text[static FAKE_TEXT_SIZE])
{
	snprintf(text, FAKE_TEXT_SIZE, "0x%016llx 0x%016llx 0x%016x\n%s", memory_of(d),
		 memory_of(d) + MEMORY_SIZE - 1, 0x14220c,
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
}

void fake_iomem(const struct fake_world *w, char text[static FAKE_TEXT_SIZE])
{
	const struct fake_framebuffer *fb = &w->bus.framebuffer;
	char address[BDF_SIZE], region[128] = "";

	strcpy(text, "00000000-00000fff : Reserved\n");
	if (!fb->driver)
		return;
	if (fb->region && (fb->is_bound || fb->keeps_region))
		snprintf(region, sizeof(region), "  %llx-%llx : %s\n", memory_of(fb->on),
			 memory_of(fb->on) + 0x2fffff, fb->region);
	snprintf(text + strlen(text), FAKE_TEXT_SIZE - strlen(text), "%llx-%llx : %s\n%s",
		 memory_of(fb->on), memory_of(fb->on) + MEMORY_SIZE - 1,
		 bdf_format(fb->on->bdf, address), region);
}

bool fake_is_platform(const char *path)
{
	return strncmp(path, "bus/platform/", 13) == 0;
}

int fake_platform_target(struct fake_world *w, const char *path,
			 char text[static FAKE_TEXT_SIZE])
{
	const struct fake_framebuffer *fb = &w->bus.framebuffer;
	char name[FAKE_NAME_SIZE], rest[FAKE_NAME_SIZE] = "";
	bool is_driver;

	if (sscanf(path, "bus/platform/devices/%63[^.].0%63s", name, rest) < 1 ||
	    (rest[0] != '\0' && strcmp(rest, "/driver") != 0))
		fake_abort("unknown link: %s", path);
	is_driver = rest[0] != '\0';
	if (!fb->driver || strcmp(fb->driver, name) != 0 || (is_driver && !fb->is_bound))
		return -ENOENT;
	if (is_driver) {
		snprintf(text, FAKE_TEXT_SIZE, "../../bus/platform/drivers/%s", name);
		return 0;
	}
	strcpy(text, "../../../devices/platform");
	if (fb->is_child)
		fake_put_place(&w->bus, fb->on, text, FAKE_TEXT_SIZE);
	snprintf(text + strlen(text), FAKE_TEXT_SIZE - strlen(text), "/%s.0", name);
	return 0;
}

int fake_platform_unbind(struct fake_world *w, const char *path, const char *value,
			 uint64_t *ret_time)
{
	struct fake_framebuffer *fb = &w->bus.framebuffer;
	char name[FAKE_NAME_SIZE] = "", file[16] = "";

	*ret_time = 1;
	if (sscanf(path, "bus/platform/drivers/%63[^/]/%15[a-z]", name, file) != 2 ||
	    strcmp(file, "unbind") != 0)
		fake_abort("unknown write of \"%s\" to %s", value, path);
	if (!fb->driver || strcmp(fb->driver, name) != 0)
		return -ENOENT;
	if (!fb->is_bound || strncmp(value, name, strlen(name)) != 0 ||
	    strcmp(value + strlen(name), ".0") != 0)
		return -ENODEV;
	if (fb->error == 0 && fb->remove_time != FAKE_FOREVER)
		fb->is_bound = false;
	*ret_time = fb->remove_time;
	return fb->error;
}
