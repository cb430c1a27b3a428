/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind check: whether a finished image will do what the configuration says. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "commands.h"
#include "describe.h"
#include "message.h"
#include "output.h"
#include "reason.h"

#define EXIT_NO_IMAGE 3
#define SENTENCE_MAX  2048

static const char *verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return "pass";
	case VERDICT_FAIL:
		return "FAIL";
	case VERDICT_UNKNOWN:
		return "cannot tell";
	case VERDICT_NOTE:
		return "note";
	}
	return "";
}

void check_say(struct check *check, enum verdict verdict, const char *name,
	       const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	const char *message;
	va_list ap;

	va_start(ap, format);
	vsnprintf(sentence, sizeof(sentence), format, ap);
	va_end(ap);
	check->has_failed = check->has_failed || verdict == VERDICT_FAIL;
	if (check->finding_count == CHECK_FINDINGS_MAX) {
		check->lost_count++;
		return;
	}
	message = arena_copy(check->arena, text_of(sentence));
	check->findings[check->finding_count++] =
		(struct finding){name, verdict, message ? message : "out of memory"};
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

/* ---- output ------------------------------------------------------------------------------ */

static void print_text(const struct check *c)
{
	struct paragraph p = {stdout, 0, DEVICE_INDENT, false};

	paragraph_add(&p, "%s: %s%s", c->file, generator_name(c->generator),
		      c->has_systemd ? " with systemd" : "");
	for (size_t i = 0; i < c->kernel_count; i++)
		paragraph_add(&p, "%s %s%s", i == 0 ? "for kernel" : "", c->kernels[i],
			      i + 1 < c->kernel_count ? "," : "");
	paragraph_end(&p);
	for (size_t i = 0; i < c->image.segment_count; i++) {
		const struct image_segment *s = &c->image.segments[i];

		paragraph_line(stdout, DEVICE_INDENT,
			       "at %llu: %s, %llu bytes, %zu entr%s of %llu bytes",
			       (unsigned long long)s->offset,
			       compression_name(s->compression),
			       (unsigned long long)s->size, s->entry_count,
			       s->entry_count == 1 ? "y" : "ies",
			       (unsigned long long)s->unpacked);
	}
	for (size_t i = 0; i < c->finding_count; i++) {
		const struct finding *f = &c->findings[i];

		p = (struct paragraph){stdout, 0, DEVICE_INDENT, false};
		paragraph_add(&p, "%s %s: %s", verdict_name(f->verdict), f->name,
			      f->message);
		paragraph_end(&p);
	}
	if (c->lost_count > 0)
		paragraph_line(stdout, 0, "and %zu more", c->lost_count);
}

static int print_json(const struct check *c)
{
	struct json json;

	if (begin_json(c->arena, c->finding_count + c->image.segment_count, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_string(&json, "image", c->file);
	json_put_string(&json, "generator", generator_name(c->generator));
	json_put_bool(&json, "systemd", c->has_systemd);
	json_open(&json, "kernels", '[');
	for (size_t i = 0; i < c->kernel_count; i++)
		json_put_string(&json, NULL, c->kernels[i]);
	json_close(&json, ']');
	json_open(&json, "segments", '[');
	for (size_t i = 0; i < c->image.segment_count; i++) {
		const struct image_segment *s = &c->image.segments[i];

		json_open(&json, NULL, '{');
		json_put_number(&json, "offset", (int64_t)s->offset);
		json_put_string(&json, "compression", compression_name(s->compression));
		json_put_number(&json, "size", (int64_t)s->size);
		json_put_number(&json, "unpacked", (int64_t)s->unpacked);
		json_put_number(&json, "entries", (int64_t)s->entry_count);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_open(&json, "checks", '[');
	for (size_t i = 0; i < c->finding_count; i++) {
		json_open(&json, NULL, '{');
		json_put_string(&json, "name", c->findings[i].name);
		json_put_string(&json, "verdict", verdict_name(c->findings[i].verdict));
		json_put_string(&json, "message", c->findings[i].message);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	return end_json(&json);
}

/* ------------------------------------------------------------------------------------------ */

/* The bytes of the file: they stay until the end. Says what is wrong. */
static int map_image(const char *path, struct text *ret)
{
	cleanup_with(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *bytes;

	if (fd < 0 || fstat(fd, &st) < 0) {
		int error = errno;

		say_error("%s: it cannot be opened: %s", path, errno_text(error));
		return -error;
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0 ||
	    (uint64_t)st.st_size > IMAGE_SIZE_MAX) {
		say_error("%s: this is no image: %s", path,
			  !S_ISREG(st.st_mode) ? "not a regular file"
			  : st.st_size == 0    ? "it is empty"
					       : "it has more than 4 GiB");
		return -EINVAL;
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		int error = errno;

		say_error("%s: it cannot be read: %s", path, errno_text(error));
		return -error;
	}
	*ret = (struct text){bytes, (size_t)st.st_size};
	return 0;
}

static int check(struct check *c)
{
	struct text bytes = {NULL, 0}, binder;

	if (open_world(c->sysroot, &c->world) < 0)
		return EXIT_NO_IMAGE;
	if (map_image(c->file, &bytes) < 0)
		return EXIT_NO_IMAGE;
	if (image_read(bytes, c->arena, check_wants, &c->image) < 0 ||
	    policy_init(&c->policy, c->arena) < 0) {
		say_error("out of memory");
		return EXIT_NO_IMAGE;
	}
	if (c->image.entry_count == 0) {
		say_error("%s: nothing of it can be unpacked: at offset %llu: %s",
			  c->file, (unsigned long long)c->image.error_offset,
			  c->image.message ? c->image.message : "there is no file in it");
		return EXIT_NO_IMAGE;
	}
	check_image(c);
	if (check_binder(c, &binder)) {
		if (check_table(c, binder) < 0)
			return EXIT_NO_IMAGE;
		check_order(c);
		check_modules(c);
		check_drivers(c);
	}
	if (c->is_json && print_json(c) != 0)
		return EXIT_NO_IMAGE;
	if (!c->is_json)
		print_text(c);
	return c->has_failed ? EXIT_FAILED : EXIT_OK;
}

int command_check(int argc, char **argv, struct arena *arena)
{
	static struct check c;
	const struct option_spec options[] = {
		{"image", "FILE", "the image of the initramfs", .ret_string = &c.file},
		{"kernel", "VERSION", "the kernel that it is for, if it has several",
		 .ret_string = &c.kernel},
		{"config", "FILE", "read FILE, not /etc/earlybind.conf; may be repeated",
		 .ret_strings = &c.configs},
		{"json", NULL, "print JSON for scripts", .ret_flag = &c.is_json},
		{"sysroot", "DIR", "compare with the tree below DIR, not this machine",
		 .ret_string = &c.sysroot},
	};
	const struct command_spec spec = {
		.name = "check",
		.synopsis = "--image FILE [OPTION...]",
		.text = "Unpacks a finished image in memory, as the kernel will, and checks that "
			"the binder is in it, carries the rules of the configuration, runs before "
			"udev, and has the modules that it loads. Every line is a verdict, the "
			"name of the check and a sentence:\n"
			"\n"
			"  pass          it is as it must be\n"
			"  FAIL          the image will not do what the configuration says\n"
			"  cannot tell   it depends on what is not in the image\n"
			"  note          good to know\n"
			"\n"
			"exit code: 0 nothing fails; 1 something does; 2 wrong usage; 3 the image "
			"cannot be read\n",
		.example = "earlybind check --image /boot/initrd.img-$(uname -r)",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	c = (struct check){.arena = arena};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	if (!c.file) {
		say_error("check: say which image with --image FILE");
		return EXIT_WRONG_USAGE;
	}
	return check(&c);
}
