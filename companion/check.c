/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind check: whether a finished image will do what the configuration says. */
#include "check.h"

#include <stdio.h>

#include "commands.h"
#include "describe.h"
#include "message.h"
#include "options.h"
#include "output.h"

#define EXIT_NO_IMAGE 3

struct arguments {
	const char *image;
	const char *kernel;
	const char *sysroot;
	struct strings configs;
	bool is_json;
};

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
	for (size_t i = 0; i < c->findings.count; i++)
		finding_print(&c->findings.items[i]);
	if (c->findings.lost_count > 0)
		paragraph_line(stdout, 0, "and %zu more", c->findings.lost_count);
}

static int print_json(const struct check *c)
{
	struct json json;

	if (begin_json(c->arena, c->findings.count + c->image.segment_count, &json) < 0)
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
	findings_write(&c->findings, &json);
	json_close(&json, '}');
	return end_json(&json);
}

static int check_one(const struct arguments *a, struct arena *arena)
{
	static struct check c;
	static struct sources sources;
	const char *message;
	int r;

	c = (struct check){.file = a->image,
			   .kernel = a->kernel,
			   .arena = arena,
			   .sources = &sources,
			   .findings = {.arena = arena}};
	if (open_world(a->sysroot, &c.world) < 0 ||
	    sources_read(c.world, arena, &a->configs, &sources) < 0)
		return EXIT_NO_IMAGE;
	r = check_run(&c, &message);
	if (r < 0) {
		say_error("%s: %s", a->image, message);
		return EXIT_NO_IMAGE;
	}
	if (a->is_json && print_json(&c) != 0)
		return EXIT_NO_IMAGE;
	if (!a->is_json)
		print_text(&c);
	return c.findings.counts[FINDING_FAIL] > 0 ? EXIT_FAILED : EXIT_OK;
}

int command_check(int argc, char **argv, struct arena *arena)
{
	static struct arguments a;
	const struct option_spec options[] = {
		{"image", "FILE", "the image of the initramfs", .ret_string = &a.image},
		{"kernel", "VERSION", "the kernel that it is for, if it has several",
		 .ret_string = &a.kernel},
		{"config", "FILE", "read FILE, not /etc/earlybind.conf; may be repeated",
		 .ret_strings = &a.configs},
		{"json", NULL, "print JSON for scripts", .ret_flag = &a.is_json},
		{"sysroot", "DIR", "compare with the tree below DIR, not this machine",
		 .ret_string = &a.sysroot},
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

	a = (struct arguments){0};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	if (!a.image) {
		say_error("check: say which image with --image FILE");
		return EXIT_WRONG_USAGE;
	}
	return check_one(&a, arena);
}
