/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All checks of one image. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "image_check.h"
#include "cleanup.h"
#include "reason.h"

void check_say(struct check *check, enum finding_kind kind, const char *name,
	       const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	findings_vadd(&check->findings, kind, name, format, ap);
	va_end(ap);
}

const char *check_print(struct check *check, const char *format, ...)
{
	const char *line;
	va_list ap;

	va_start(ap, format);
	line = arena_vprintf(check->arena, format, ap);
	va_end(ap);
	return line ? line : "";
}

/* The bytes of the file: they stay until check_close(). */
static int map_image(struct check *c, const char **ret_message)
{
	cleanup_with(close_fd) int fd = open(c->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int error = errno;

		*ret_message =
			check_print(c, "it cannot be opened: %s", errno_text(error));
		return -error;
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0 ||
	    (uint64_t)st.st_size > IMAGE_SIZE_MAX) {
		*ret_message =
			!S_ISREG(st.st_mode) ? "this is no image: not a regular file"
			: st.st_size == 0    ? "this is no image: it is empty"
					     : "this is no image: it has more than 4 GiB";
		return -EINVAL;
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		int error = errno;

		*ret_message = check_print(c, "it cannot be read: %s", errno_text(error));
		return -error;
	}
	c->bytes = (struct text){bytes, (size_t)st.st_size};
	return 0;
}

int check_open(struct check *check, const char **ret_message)
{
	struct check *c = check;
	int r;

	r = map_image(c, ret_message);
	if (r < 0)
		return r;
	if (image_read(c->bytes, c->arena, check_wants, &c->image) < 0 ||
	    policy_init(&c->policy, c->arena) < 0) {
		*ret_message = "out of memory";
		return -ENOMEM;
	}
	if (c->image.entry_count == 0) {
		*ret_message = check_print(
			c, "nothing of it can be unpacked: at offset %llu: %s",
			(unsigned long long)c->image.error_offset,
			c->image.message ? c->image.message : "there is no file in it");
		return -EBADMSG;
	}
	return 0;
}

int check_run(struct check *check, const char **ret_message)
{
	struct check *c = check;
	struct text binder;
	int r;

	r = check_open(c, ret_message);
	if (r < 0)
		return r;
	check_image(c);
	if (check_binder(c, &binder)) {
		check_table(c, binder);
		check_order(c);
		check_modules(c);
		check_drivers(c);
	}
	return 0;
}

void check_close(struct check *check)
{
	if (check->bytes.p)
		munmap((void *)(uintptr_t)check->bytes.p, check->bytes.n);
	check->bytes = (struct text){NULL, 0};
}
