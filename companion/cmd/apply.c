/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has the images made, one after the other, and looks at each of them. */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmdline_words.h"
#include "arena.h"
#include "binder_copy.h"
#include "commands.h"
#include "compiler.h"
#include "files.h"
#include "installed.h"
#include "iommu_advice.h"
#include "judgement.h"
#include "cmdline.h"
#include "message.h"
#include "next_boot.h"
#include "options.h"
#include "paths.h"
#include "process.h"
#include "reason.h"
#include "rebuild.h"
#include "result.h"
#include "world.h"

#define EXIT_NO_IMAGES 3

struct apply_image {
	struct installed_image image;
	struct rebuild_verdict verdict;
	enum generator generator; /* who makes it now */
	const char *argv[REBUILD_ARGUMENTS_MAX];
	bool has_command;
	bool is_due;
	bool is_run; /* its command was run, for it or for another image */
	bool is_good; /* afterwards */
};

struct apply {
	/* Options. */
	bool is_dry_run, is_forced, is_verbose;
	struct result result;
	struct strings kernels;
	struct strings configs;
	const char *sysroot;

	struct arena *arena;
	struct world *world;
	struct binder_copy binder_copy;
	struct rebuild_machine machine;
	size_t other_rules; /* those that are not in the table */
	struct apply_image images[INSTALLED_MAX];
	size_t count;
	unsigned installed; /* generators */
	size_t due_count;
	bool is_made; /* all that was due */
	bool is_stuck; /* there is nothing to make one of them with */
	const char *obstacle; /* what keeps update-initramfs from doing anything */
};

#define INDENT	     4
#define COMMAND_SIZE 1024
#define CMDLINE_MAX  ((size_t)64 * 1024)
#define LOG_MODE     0600
#define TAIL_SIZE    4096 /* of the log, and lines of it, that are shown */
#define TAIL_LINES   20
#define SECONDS(us)  ((unsigned long long)((us) / SECOND))

struct progress {
	const char *command;
	bool is_terminal;
};

/* Keeps a second one from running, and one beside a generator. Says what is wrong; -errno. */
static int apply_lock(int *ret)
{
	char who[PROCESS_WHO_SIZE];
	int r = process_lock(APPLY_LOCK, 0, who, ret);

	if (r == -EBUSY)
		say_error("another earlybind apply%s, or a generator that it started, is "
			  "running: wait until it has ended",
			  who);
	else if (r < 0)
		say_error("%s: it cannot be opened: %s", APPLY_LOCK, errno_text(r));
	return r;
}

static const char *join(const char *const *argv, char buf[static COMMAND_SIZE])
{
	struct text_buffer b = {.buf = buf, .size = COMMAND_SIZE};

	buf[0] = '\0';
	text_add_command(&b, argv, REBUILD_ARGUMENTS_MAX);
	return text_shown(&b);
}

static const char *name_of(const struct apply_image *image, struct arena *arena)
{
	const char *name = image->image.path;

	if (!name)
		name = arena_printf(arena, "kernel %s", image->image.kernel);
	return name ? name : "";
}

/* ---- one program -------------------------------------------------------------------------- */

static void put_command(const char *before, const char *command)
{
	printf("%s%*s", before, INDENT, "");
	put_text(stdout, text_of(command));
}

static void show_progress(void *arg, uint64_t microseconds)
{
	const struct progress *p = arg;

	put_command("\r", p->command);
	printf(" ... %llu s", SECONDS(microseconds));
	fflush(stdout);
}

/* The last lines of what the program said, from @start on. */
static void show_tail(int fd, off_t start)
{
	char buf[TAIL_SIZE];
	off_t end = lseek(fd, 0, SEEK_END), from = MAX(start, end - TAIL_SIZE);
	ssize_t n = pread(fd, buf, sizeof(buf), from);
	struct text rest = {buf, n > 0 ? (size_t)n : 0}, line;
	size_t lines = 0, skip;

	/* Not the end of a line that was cut. */
	if (from > start)
		(void)text_cut(&rest, '\n', &line);
	while (rest.n > 0 && rest.p[rest.n - 1] == '\n')
		rest.n--;
	for (size_t i = 0; i < rest.n; i++)
		lines += rest.p[i] == '\n';
	skip = lines >= TAIL_LINES ? lines + 1 - TAIL_LINES : 0;
	for (size_t i = 0; rest.n > 0 && text_cut(&rest, '\n', &line); i++) {
		if (i < skip)
			continue;
		fputs("    | ", stderr);
		put_text(stderr, line);
		fputc('\n', stderr);
	}
}

/* True if the command ended well. What it said is in the log. */
static bool run_command(const struct apply *a, const struct apply_image *image, int log,
			int *ret_signal)
{
	char command[COMMAND_SIZE];
	struct progress progress = {join(image->argv, command),
				    isatty(STDOUT_FILENO) == 1};
	struct process p = {.log_fd = log, .is_live = a->is_verbose, .arg = &progress};
	off_t start;
	int r;

	memcpy(p.argv, image->argv, sizeof(image->argv));
	dprintf(log, "$ %s\n", command);
	start = lseek(log, 0, SEEK_END);
	if (progress.is_terminal && !a->is_verbose)
		p.tick = show_progress;
	put_command("", command);
	fputs(a->is_verbose ? " ...\n" : " ...", stdout);
	r = process_run(&p);
	*ret_signal = p.signal;
	if (p.tick) {
		put_command("\r", command);
		fputs(" ...", stdout);
	}
	if (r == 0 && p.code == 0 && p.signal == 0) {
		printf("%*sdone in %llu s\n", a->is_verbose ? INDENT : 1, "",
		       SECONDS(p.microseconds));
		return true;
	}
	printf("%*sfailed\n", a->is_verbose ? INDENT : 1, "");
	if (r < 0)
		say_error("%s cannot be run: %s", p.argv[0], errno_text(r));
	else if (p.signal != 0)
		say_error("%s was interrupted after %llu s; the old image stays",
			  p.argv[0], SECONDS(p.microseconds));
	else
		say_error("%s ended with exit code %d after %llu s; the old image stays. "
			  "it said:",
			  p.argv[0], p.code, SECONDS(p.microseconds));
	if (r == 0 && p.signal == 0 && !a->is_verbose)
		show_tail(log, start);
	return false;
}

/* ---- all images --------------------------------------------------------------------------- */

static bool has_same_command(const struct apply_image *a, const struct apply_image *b)
{
	size_t i = 0;

	while (i < REBUILD_ARGUMENTS_MAX && a->argv[i] && b->argv[i] &&
	       strcmp(a->argv[i], b->argv[i]) == 0)
		i++;
	return i == REBUILD_ARGUMENTS_MAX || (!a->argv[i] && !b->argv[i]);
}

/* mkinitcpio -P has made this one, too. */
static bool is_made_before(const struct apply *a, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (a->images[i].is_run &&
		    has_same_command(&a->images[i], &a->images[at]))
			return true;
	return false;
}

static void say_checked(enum style style, const char *verdict, const char *name,
			const char *more)
{
	struct paragraph p = {stdout, INDENT, INDENT, false};

	printf("%*s", INDENT, "");
	paragraph_add(&p, "checked:");
	paragraph_verdict(&p, style, "%s", verdict);
	paragraph_add(&p, "%s%s %s", name, name[0] ? ":" : "", more);
	paragraph_end(&p);
}

/* What the image is now: the word of the generator does not count. */
static void check_image_again(struct apply *a, struct apply_image *image)
{
	static struct findings findings;
	static struct installed found;
	struct rebuild_verdict v;

	/* It may be there for the first time. */
	if (!image->image.path && installed_find(a->sysroot, a->arena, &found) == 0)
		for (size_t i = 0; i < found.count; i++)
			if (strcmp(found.items[i].kernel, image->image.kernel) == 0)
				image->image = found.items[i];
	v = rebuild_judge(&image->image, &a->machine, a->arena, &findings);
	image->is_good = v.state == REBUILD_CURRENT || v.is_doubtful;
	if (image->is_good) {
		say_checked(STYLE_GOOD, "pass", "", "");
		return;
	}
	if (findings.counts[FINDING_FAIL] == 0)
		say_checked(STYLE_BAD, "FAIL:", "", v.reason);
	for (size_t i = 0; i < findings.count; i++)
		if (findings.items[i].kind == FINDING_FAIL)
			say_checked(STYLE_BAD, "FAIL", findings.items[i].name,
				    findings.items[i].message);
}

/* A copy that the hooks of the generator have made when it made the image of this kernel. */
static bool is_copied_before(struct apply *a, size_t at)
{
	static struct findings findings;
	const struct apply_image *image = &a->images[at];

	for (size_t i = 0; i < at && image->image.copy_command[0]; i++)
		if (a->images[i].is_run &&
		    strcmp(a->images[i].image.kernel, image->image.kernel) == 0)
			return rebuild_judge(&image->image, &a->machine, a->arena,
					     &findings)
				       .state == REBUILD_CURRENT;
	return false;
}

static bool is_known(enum generator generator)
{
	return generator != GENERATOR_UNKNOWN && generator != GENERATOR_OTHER;
}

static void say_due(const struct apply *a, const struct apply_image *image)
{
	struct paragraph p = {stdout, 0, INDENT, false};

	paragraph_add(&p, "%s: %s", name_of(image, a->arena),
		      image->verdict.state == REBUILD_CURRENT ? "up to date; --force"
							      : image->verdict.reason);
	paragraph_end(&p);
	if (!image->has_command)
		paragraph_line(
			stdout, INDENT, "nothing can make it: %s",
			image->verdict.made_by == GENERATOR_BOOSTER
				? "an image of booster has no place for earlybind: see "
				  "\"earlybind image --help\""
			: image->verdict.made_by == GENERATOR_OTHER
				? "another program than update-initramfs, dracut and "
				  "mkinitcpio made it: see \"earlybind image --help\""
			: image->image.entry && image->image.entry->is_uki
				? "this unified kernel image boots, but no installed "
				  "program is known to make it: make it again with the "
				  "one that did (ukify, kernel-install)"
			: a->installed == 0
				? "none of update-initramfs, dracut and mkinitcpio is "
				  "installed: see \"earlybind image --help\""
				: "several generators are installed, and the image does "
				  "not say which made it: run the one that you use");
	else if (image->verdict.made_by != image->generator &&
		 is_known(image->verdict.made_by))
		paragraph_line(stdout, INDENT,
			       "%s made it, which is not installed any "
			       "more: %s does it now",
			       generator_name(image->verdict.made_by),
			       generator_name(image->generator));
	else if ((a->installed & (a->installed - 1)) != 0 &&
		 is_known(image->verdict.made_by))
		paragraph_line(stdout, INDENT,
			       "%s made it: of the generators that are "
			       "installed it is the one in use",
			       generator_name(image->generator));
}

static int show(struct apply *a)
{
	for (size_t i = 0; i < a->count; i++) {
		struct apply_image *image = &a->images[i];
		char command[COMMAND_SIZE];

		if (!image->is_due)
			continue;
		say_due(a, image);
		if (image->has_command)
			paragraph_line(stdout, INDENT, "would run: %s%s",
				       join(image->argv, command),
				       is_made_before(a, i) ? " (once for all)" : "");
		image->is_run = image->has_command;
	}
	return a->is_stuck ? EXIT_NO_IMAGES : EXIT_OK;
}

static int open_log(void)
{
	int fd;

	(void)unlink(APPLY_LOG);
	fd = open(APPLY_LOG, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, LOG_MODE);
	if (fd < 0)
		say_error("%s: it cannot be made: %s", APPLY_LOG, errno_text(-errno));
	return fd;
}

static int make(struct apply *a)
{
	cleanup_with(close_fd) int log = open_log();
	size_t bad = 0;
	int signal = 0;

	if (log < 0)
		return EXIT_FAILED;
	for (size_t i = 0; i < a->count && signal == 0; i++) {
		struct apply_image *image = &a->images[i];
		bool is_made = true;

		if (!image->is_due)
			continue;
		say_due(a, image);
		if (is_copied_before(a, i)) {
			check_image_again(a, image);
			continue;
		}
		if (image->has_command && !is_made_before(a, i)) {
			is_made = run_command(a, image, log, &signal);
			image->is_run = true;
		}
		if (image->has_command && is_made)
			check_image_again(a, image);
		bad += !image->is_good;
	}
	if (signal != 0) {
		say_error("interrupted: images that are not named above are as before");
		return EXIT_FAILED;
	}
	if (bad == 0)
		return EXIT_OK;
	say_error("%zu of %zu images are not good: the generator's output is in %s; "
		  "correct what is named above, then run \"earlybind apply\" again",
		  bad, a->due_count, APPLY_LOG);
	return a->is_stuck ? EXIT_NO_IMAGES : EXIT_FAILED;
}

/* Whether a rule wants a driver that needs the IOMMU. */
static bool has_vfio_rule(const struct apply *a)
{
	const struct policy *policy = &a->binder_copy.policy;

	for (size_t i = 0; i < policy->rule_count; i++) {
		struct text driver = policy->rules[i].driver;

		if (policy->rules[i].kind == RULE_BIND &&
		    (driver.n == 0 || text_is(driver, AUTO_DRIVER) ||
		     memmem(driver.p, driver.n, "vfio", 4)))
			return true;
	}
	return false;
}

/* What the images alone do not do. */
static void say_next(struct apply *a, bool is_new)
{
	struct text cmdline = {"", 0}, other;
	const char *why, *parameter, *obstacle;
	struct iommu iommu;

	iommu_read(a->world, a->arena, &iommu);
	parameter = iommu_parameter(&iommu, &why);
	if (file_read_world(a->world, WORLD_PROC, "cmdline", a->arena, CMDLINE_MAX,
			    &cmdline) < 0)
		cmdline = (struct text){"", 0};
	obstacle = has_vfio_rule(a) ? iommu_obstacle(&iommu, a->arena) : NULL;
	if (obstacle)
		paragraph_line(stdout, 0, "the IOMMU is off: %s", obstacle);
	else if (has_vfio_rule(a) && parameter && !iommu.is_on &&
		 words_find(cmdline, text_of(parameter), &other) != 1)
		paragraph_line(stdout, 0,
			       "the IOMMU is off: \"earlybind cmdline --set\" adds %s to "
			       "the kernel command line",
			       parameter);
	if (!is_new)
		return;
	paragraph_line(stdout, 0, "next: reboot, then \"earlybind status\"");
	if (a->machine.has_rules)
		cmdline_say_way_back(a->world, a->sysroot, a->arena);
}

/* "2 rules from /etc/earlybind.conf and 1 from modprobe.d" */
static const char *describe_rules(struct apply *a)
{
	const char *rules = binder_copy_describe(&a->binder_copy, a->arena), *text;

	if (a->other_rules == 0)
		return rules;
	text = arena_printf(
		a->arena, "%s and %zu rule%s from modprobe.d or the kernel command line",
		rules, a->other_rules, plural(a->other_rules));
	return text ? text : rules;
}

/* Makes what is due, or shows it; says how it ended, and gives the exit code. */
static int apply_run(struct apply *a)
{
	const char *rules = describe_rules(a);
	int code;

	for (size_t i = 0; i < a->count; i++) {
		const struct apply_image *image = &a->images[i];

		if (image->is_due)
			continue;
		if (image->image.path)
			paragraph_line(stdout, 0, "%s: %s", image->image.path,
				       image->verdict.reason);
		else
			paragraph_line(stdout, 0,
				       "kernel %s has no image: --kernel %s makes one",
				       image->image.kernel, image->image.kernel);
	}
	if (a->due_count == 0) {
		paragraph_line(stdout, 0, "nothing to do: %s, as in the images", rules);
		say_next(a, false);
		return EXIT_OK;
	}
	if (a->obstacle && (a->installed & GENERATOR_BIT(GENERATOR_INITRAMFS_TOOLS)))
		for (size_t i = 0; i < a->count; i++)
			if (a->images[i].is_due &&
			    a->images[i].generator == GENERATOR_INITRAMFS_TOOLS) {
				say_error("%s", a->obstacle);
				return EXIT_FAILED;
			}
	code = a->is_dry_run ? show(a) : make(a);
	if (code == EXIT_OK && !a->is_dry_run)
		paragraph_line(stdout, 0, "the images carry %s", rules);
	a->is_made = code == EXIT_OK && !a->is_dry_run;
	if (code == EXIT_OK)
		say_next(a, a->is_made);
	return code;
}

#define CONF_SIZE_MAX ((size_t)64 * 1024)

static bool is_wanted(const struct apply *a, const char *kernel)
{
	for (size_t i = 0; i < a->kernels.count; i++)
		if (strcmp(a->kernels.items[i], kernel) == 0)
			return true;
	return a->kernels.count == 0;
}

/* All images, each with its verdict. Says what is missing; the exit code. */
static int survey(struct apply *a)
{
	static struct findings findings;
	static struct installed found;
	unsigned made = 0, hooks;

	if (installed_find(a->sysroot, a->arena, &found) < 0) {
		say_error("%s" MODULES_PATH ": there are no kernels with modules here",
			  a->sysroot ? a->sysroot : "");
		return EXIT_NO_IMAGES;
	}
	if (found.is_cut)
		say_error("there are more than %d images: only the newest kernels count",
			  INSTALLED_MAX);
	a->installed = installed_generators(a->sysroot, a->arena);
	hooks = installed_hooks(a->sysroot, a->arena);
	for (size_t i = 0; i < found.count; i++) {
		struct apply_image *image = &a->images[a->count];

		if (!is_wanted(a, found.items[i].kernel))
			continue;
		*image = (struct apply_image){.image = found.items[i]};
		image->verdict =
			rebuild_judge(&image->image, &a->machine, a->arena, &findings);
		if (image->verdict.made_by != GENERATOR_UNKNOWN)
			made |= GENERATOR_BIT(image->verdict.made_by);
		a->count++;
	}
	for (size_t i = 0; i < a->count; i++) {
		struct apply_image *image = &a->images[i];

		image->generator = installed_choose(image->verdict.made_by, a->installed,
						    made, hooks);
		image->has_command =
			rebuild_command(image->generator, &image->image, image->argv);
	}
	return EXIT_OK;
}

/* Kernels that were named and are not there. */
static int check_names(const struct apply *a)
{
	for (size_t i = 0; i < a->kernels.count; i++) {
		bool is_there = false;

		for (size_t k = 0; k < a->count; k++)
			is_there = is_there || strcmp(a->images[k].image.kernel,
						      a->kernels.items[i]) == 0;
		if (!is_there) {
			say_error("kernel %s is not installed: see %s" MODULES_PATH,
				  a->kernels.items[i], a->sysroot ? a->sysroot : "");
			return EXIT_NO_IMAGES;
		}
	}
	return EXIT_OK;
}

/* Where there is nothing that could be made anew. */
static int say_no_images(struct apply *a)
{
	struct text mark;

	if (file_read_world(a->world, WORLD_RUN, OSTREE_MARK, a->arena, 1, &mark) == 0)
		say_error(
			"this system comes as an image (ostree), which has the "
			"initramfs in it: run rpm-ostree initramfs --enable --arg=--add "
			"--arg=earlybind, or put the rules on the kernel command line: "
			"earlybind-cmdline(7)");
	else if (world_has_entry(a->world, WORLD_ETC, "kernel/install.d") >= 0 &&
		 a->installed == 0)
		say_error("there is no image of an initramfs in /boot: where kernels are "
			  "unified images (UKI), run kernel-install add-all, then "
			  "\"earlybind check --image FILE\" on what goes into them");
	else
		say_error(
			"there is no image of an initramfs in /boot, /efi or /boot/efi: "
			"make one with the program of your distribution, or see "
			"\"earlybind image --help\"");
	return EXIT_NO_IMAGES;
}

/* Images that need to be made and cannot be. Counts the others. */
static int check_generators(struct apply *a)
{
	struct text conf;
	size_t images = 0;

	for (size_t i = 0; i < a->count; i++) {
		struct apply_image *image = &a->images[i];

		images += image->image.path != NULL;
		if (image->verdict.state == REBUILD_ABSENT && a->kernels.count == 0)
			continue;
		image->is_due = a->is_forced || image->verdict.state != REBUILD_CURRENT;
		if (!image->is_due)
			continue;
		a->due_count++;
		if (image->has_command)
			continue;
		a->is_stuck = true;
	}
	if (images == 0 && a->due_count == 0)
		return say_no_images(a);
	if (file_read_world(a->world, WORLD_ETC, UPDATE_INITRAMFS_CONF, a->arena,
			    CONF_SIZE_MAX, &conf) == 0)
		a->obstacle = rebuild_obstacle(conf, a->arena);
	return EXIT_OK;
}

/* The rules of the next boot, also those that stand in modprobe.d or on the command line. */
static int read_machine(struct apply *a)
{
	static struct policy rules;
	static struct run next;
	struct sources sources = a->binder_copy.sources;

	/* It is looked for again, and must not be there twice. */
	sources.critical = sources.known = (struct recorded){0};
	if (next_boot_read(a->world, a->sysroot, a->arena, &sources, NULL, &rules,
			   &next) < 0)
		return -EIO;
	for (size_t i = 0; i < next.policy.rule_count; i++)
		a->other_rules += next.policy.rules[i].origin.source == SOURCE_MODPROBE ||
				  next.policy.rules[i].origin.source == SOURCE_CMDLINE;
	a->machine = (struct rebuild_machine){
		a->sysroot, a->world, &a->binder_copy,
		sources_count_rules(&a->binder_copy.policy) + a->other_rules > 0};
	return 0;
}

static int apply(void *arg)
{
	cleanup_with(lock_release) int lock = -1;
	struct apply *a = arg;
	int code;

	if (binder_copy_configure(&a->binder_copy, a->sysroot, &a->configs, a->arena) <
	    0) {
		if (judge_config_error(&a->binder_copy.policy))
			say_error(IMAGES_WAIT);
		return EXIT_FAILED;
	}
	if (binder_copy_load(&a->binder_copy, a->sysroot, NULL, a->arena) < 0 ||
	    open_world(a->sysroot, &a->world) < 0)
		return EXIT_FAILED;
	if (!a->is_dry_run && apply_lock(&lock) < 0)
		return EXIT_FAILED;
	if (read_machine(a) < 0)
		return EXIT_FAILED;
	code = survey(a);
	if (code == EXIT_OK)
		code = check_names(a);
	if (code == EXIT_OK)
		code = check_generators(a);
	return code == EXIT_OK ? apply_run(a) : code;
}

static const char *state_name(enum rebuild_state state)
{
	switch (state) {
	case REBUILD_CURRENT:
		return "current";
	case REBUILD_STALE:
		return "stale";
	case REBUILD_ABSENT:
		return "absent";
	}
	return "";
}

static void write_image(const struct apply_image *image, struct json *json)
{
	char command[COMMAND_SIZE];

	json_open(json, NULL, '{');
	json_put_string(json, "kernel", image->image.kernel);
	json_put_string(json, "image", image->image.path);
	json_put_string(json, "state", state_name(image->verdict.state));
	json_put_string(json, "reason", image->verdict.reason);
	json_put_bool(json, "due", image->is_due);
	json_put_string(json, "program",
			image->has_command ? join(image->argv, command) : NULL);
	json_put_bool(json, "good",
		      image->is_due ? image->is_good
				    : image->verdict.state == REBUILD_CURRENT);
	json_close(json, '}');
}

static void write_result(const void *arg, struct json *json)
{
	const struct apply *a = arg;

	json_open(json, "images", '[');
	for (size_t i = 0; i < a->count; i++)
		write_image(&a->images[i], json);
	json_close(json, ']');
	json_open(json, "next", '[');
	if (a->is_made) {
		json_put_string(json, NULL, "reboot");
		json_put_string(json, NULL, "earlybind status");
	}
	json_close(json, ']');
}

/* Of a generator's own words none is told where nobody reads along. */
static int apply_and_tell(struct apply *a)
{
	struct result *r = &a->result;

	r->command = "apply";
	r->is_dry_run = a->is_dry_run;
	a->is_verbose = a->is_verbose && !r->is_json && !r->is_quiet;
	return result_run(r, a->arena, apply, write_result, a);
}

int command_apply(int argc, char **argv, struct arena *arena)
{
	static struct apply a;
	const struct option_spec options[] = {
		{"dry-run", NULL, "show what would be done, and why",
		 .ret_flag = &a.is_dry_run},
		{"force", NULL, "make the images anew, also those that are up to date",
		 .ret_flag = &a.is_forced},
		{"kernel", "VERSION", "only for this kernel; may be repeated",
		 .ret_strings = &a.kernels},
		{"verbose", NULL, "show what the generator says while it runs",
		 .ret_flag = &a.is_verbose},
		{"config", "FILE", "with --dry-run: as if FILE were the configuration",
		 .ret_strings = &a.configs},
		{"sysroot", "DIR", "with --dry-run: the machine below DIR",
		 .ret_string = &a.sysroot},
		RESULT_OPTIONS(a.result),
	};
	const struct command_spec spec = {
		.name = "apply",
		.synopsis = "[OPTION...]",
		.text = "Brings the configuration into the images of all installed "
			"kernels. It validates the configuration and finds the images "
			"that lack it. The program that made them "
			"(update-initramfs, dracut or mkinitcpio) makes them again, and "
			"the result is checked. Images that are up to date stay. Where "
			"something fails the old image stays.\n"
			"\n"
			"exit code: 0 all images are good; 1 something failed; 2 wrong usage; "
			"3 there is no image, or nothing to make it with\n",
		.example = "earlybind apply --dry-run",
		.options = options,
		.option_count = ARRAY_SIZE(options),
	};
	int code;

	a = (struct apply){.arena = arena};
	if (!options_parse(&spec, argc, argv, &code))
		return code;
	if (!a.is_dry_run && (a.sysroot || a.configs.count > 0)) {
		say_error(
			a.sysroot
				? "apply: --sysroot is for --dry-run: to make the images "
				  "of another system, run earlybind there, with chroot"
				: "apply: --config is for --dry-run: images are made of "
				  "/etc/earlybind.conf and /etc/earlybind.conf.d");
		return EXIT_WRONG_USAGE;
	}
	if (!a.is_dry_run && geteuid() != 0) {
		say_error("apply: only root can make images: run it with sudo; --dry-run "
			  "shows what would be done");
		return EXIT_FAILED;
	}
	return apply_and_tell(&a);
}
