/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command_output.h"

#include <errno.h>
#include <stdio.h>

#include "commands.h"
#include "message.h"
#include "reason.h"

/* What surrounds the items, and the longest item. */
#define JSON_FRAME_SIZE ((size_t)4 * 1024 * 1024)
#define JSON_ITEM_SIZE	2048

int open_world(const char *sysroot, struct world **ret)
{
	int r = world_open(sysroot, ret);

	if (r < 0)
		say_error("%s: it cannot be opened: %s", sysroot ? sysroot : "/",
			  errno_text(r));
	return r;
}

void say_no_inventory(int error)
{
	char message[REASON_MESSAGE_SIZE];

	if (error == -ENOMEM)
		reason_message(REASON_LIMIT, "memory for devices", message);
	else
		reason_message(REASON_NO_SYSFS, errno_text(error), message);
	say_error("%s", message);
}

int begin_json(struct arena *arena, size_t items, struct json *ret)
{
	*ret = (struct json){.size = JSON_FRAME_SIZE + items * JSON_ITEM_SIZE};
	ret->buf = arena_alloc(arena, ret->size, 1);
	if (ret->buf)
		return 0;
	say_error("out of memory");
	return -ENOMEM;
}

int end_json(const struct json *json)
{
	if (json->is_full) {
		say_error("the result is too large to be written as JSON");
		return EXIT_FAILED;
	}
	fwrite(json->buf, 1, json->used, stdout);
	return 0;
}
