/* SPDX-License-Identifier: GPL-2.0-or-later */
/* earlybind check: the machine, or a finished image, against the configuration. */
#include "image_check.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "sentences.h"
#include "machine_check.h"
#include "message.h"
#include "options.h"

#define EXIT_NO_IMAGE 3

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

static int check_one(const char *file, const struct machine *o)
{
	static struct check c;
	static struct sources sources;
	const char *message;
	int r;

	c = (struct check){.file = file,
			   .kernel = o->kernel,
			   .sysroot = o->sysroot,
			   .arena = o->arena,
			   .sources = &sources,
			   .findings = {.arena = o->arena}};
	if (open_world(o->sysroot, &c.world) < 0 ||
	    sources_read(c.world, o->arena, &o->configs, &sources) < 0)
		return EXIT_NO_IMAGE;
	r = check_run(&c, &message);
	if (r < 0) {
		say_error("%s: %s", file, message);
		return EXIT_NO_IMAGE;
	}
	if (o->is_json && print_json(&c) != 0)
		return EXIT_NO_IMAGE;
	if (!o->is_json)
		print_text(&c);
	return c.findings.counts[FINDING_FAIL] > 0 ? EXIT_FAILED : EXIT_OK;
}

/* Images are made again by apply, which looks at each of them by itself. */
static int fix(struct machine *d)
{
	char name[] = "apply", option[] = "--kernel";
	char *kernel = d->kernel ? arena_copy(d->arena, text_of(d->kernel)) : NULL;
	char *argv[] = {name, kernel ? option : NULL, kernel, NULL};

	if (command_apply(kernel ? 3 : 1, argv, d->arena) != EXIT_OK)
		return EXIT_FAILED;
	return d->findings.counts[FINDING_FAIL] > d->image_failures ? EXIT_FAILED
								    : EXIT_OK;
}

static const char *check_name(const void *arg unused, size_t i)
{
	return machine_check_name(i);
}

static bool has_check(const char *name, size_t *ret_count)
{
	const char *other;
	bool is_there = false;

	for (*ret_count = 0; (other = machine_check_name(*ret_count)); (*ret_count)++)
		is_there |= strcmp(other, name) == 0;
	return is_there;
}

/* Exit code; EXIT_OK if the words go together. */
static int validate(const struct machine *d, const char *image)
{
	size_t count;

	if (image && (d->words.count > 0 || d->only.count > 0 || d->is_fix)) {
		say_error("check: --image takes neither devices nor --only nor --fix");
		return EXIT_WRONG_USAGE;
	}
	if (d->is_fix && (d->is_json || d->sysroot || d->configs.count > 0)) {
		say_error(
			"check: --fix is for this machine as it is: it takes neither --json "
			"nor --sysroot nor --config");
		return EXIT_WRONG_USAGE;
	}
	for (size_t i = 0; i < d->only.count; i++)
		if (!has_check(d->only.items[i], &count)) {
			const char *near =
				nearest_name(d->only.items[i], check_name, NULL, count);

			say_error("check: there is no check \"%s\"%s%s%s",
				  d->only.items[i],
				  near ? ": did you mean \"" : ": see earlybind(8)",
				  near ? near : "", near ? "\"?" : "");
			return EXIT_WRONG_USAGE;
		}
	return EXIT_OK;
}

int command_check(int argc, char **argv, struct arena *arena)
{
	static struct machine d;
	const char *image = NULL;
	const struct option_spec options[] = {
		{"only", "NAME", "this check only; may be repeated",
		 .ret_strings = &d.only, .value = machine_check_name},
		{"fix", NULL, "run \"earlybind apply\" where an image fails",
		 .ret_flag = &d.is_fix},
		{"image", "FILE", "check the image of an initramfs, not the machine",
		 .ret_string = &image},
		{"kernel", "VERSION",
		 "this kernel only, of those installed or in the image",
		 .ret_string = &d.kernel},
		{"config", "FILE", "read FILE, not /etc/earlybind.conf; may be repeated",
		 .ret_strings = &d.configs},
		{"json", NULL, "print JSON for scripts", .ret_flag = &d.is_json},
		{"sysroot", OPTIONS_TREE,
		 "read this folder or recording, not this machine",
		 .ret_string = &d.sysroot},
	};
	const struct command_spec spec = {
		.name = "check",
		.synopsis = "[DEVICE...] [OPTION...]",
		.text = "Looks for what keeps the rules' devices, or those that are "
			"named, from a VM: in the firmware, the kernels, the images of "
			"the initramfs, the configuration, this boot and the devices. No "
			"device is woken, and without --fix nothing is changed. DEVICE "
			"is a selector: 01:00.0, 10ee:5000, class=0302. With --image it "
			"unpacks a finished image in memory, as the kernel will, and "
			"checks that it will do what the configuration says. Every line "
			"is a verdict, the name of the check and a sentence:\n\n  "
			"FAIL          what is wrong, and what to do\n  cannot tell   it "
			"cannot be seen from here, or not without root\n  note          "
			"good to know\n  pass          it is correct\n\nexit code: 0 "
			"nothing fails; 1 something does; 2 wrong usage; 3 the machine, "
			"the configuration or the image cannot be read\n",
		.example = "earlybind check 01:00.0",
		.options = options,
		.option_count = ARRAY_SIZE(options),
		.ret_words = &d.words,
	};
	int code;

	d = (struct machine){.arena = arena};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	code = validate(&d, image);
	if (code != EXIT_OK)
		return code;
	if (image)
		return check_one(image, &d);
	code = machine_check_run(&d);
	return d.is_fix && d.image_failures > 0 ? fix(&d) : code;
}
