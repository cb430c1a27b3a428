/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "message.h"

#define HELD_MAX ((size_t)1024 * 1024)

/* An output whose descriptor leads into memory meanwhile; -1: it does not. */
struct held {
	int fd; /* STDOUT_FILENO, STDERR_FILENO */
	int own; /* where it leads otherwise */
};

static struct held out = {STDOUT_FILENO, -1}, err = {STDERR_FILENO, -1};

static int hold(struct held *h)
{
	int memory = memfd_create("output", MFD_CLOEXEC), r = 0;

	if (memory < 0)
		return -errno;
	/* No child that outlives us may hold it open. */
	h->own = fcntl(h->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (h->own < 0 || dup2(memory, h->fd) < 0)
		r = -errno;
	(void)close(memory);
	return r;
}

static void let_go(struct held *h)
{
	if (h->own < 0)
		return;
	(void)dup2(h->own, h->fd);
	(void)close(h->own);
	h->own = -1;
}

void result_abandon(void)
{
	let_go(&out);
	let_go(&err);
}

static int begin(struct result *r, struct arena *arena)
{
	int error = 0;

	r->arena = arena;
	if (!r->is_json && !r->is_quiet)
		return 0;
	fflush(stdout);
	error = hold(&out);
	if (error == 0 && r->is_json)
		error = hold(&err);
	if (error < 0) {
		result_abandon();
		say_error("the output cannot be kept back: %s", errno_text(error));
		return error;
	}
	if (!r->is_json)
		return 0;
	return terminal_set_color("never");
}

/* What was kept back of an output, which leads to its own place again. */
static int take(struct held *h, struct arena *arena, struct text *ret)
{
	struct stat st;
	char *copy;
	ssize_t n;

	*ret = (struct text){"", 0};
	if (h->own < 0)
		return 0;
	if (fstat(h->fd, &st) < 0)
		return -errno;
	if ((size_t)st.st_size > HELD_MAX)
		return -E2BIG;
	copy = arena_alloc(arena, (size_t)st.st_size + 1, 1);
	if (!copy)
		return -ENOMEM;
	n = pread(h->fd, copy, (size_t)st.st_size, 0);
	if (n < 0)
		return -errno;
	*ret = (struct text){copy, (size_t)n};
	let_go(h);
	return 0;
}

static void write_lines(struct json *json, const char *key, struct text all)
{
	struct text line;

	json_open(json, key, '[');
	while (all.n > 0 && text_cut(&all, '\n', &line))
		if (line.n > 0)
			json_put_text(json, NULL, line);
	json_close(json, ']');
}

static int end(struct result *r, int code, result_writer *write, const void *arg)
{
	struct text messages = {"", 0}, errors = {"", 0};
	struct json json;
	int error;

	fflush(stdout);
	if (!r->is_json) {
		/* Why something is not done stands in the other lines. */
		if (code != EXIT_OK && take(&out, r->arena, &messages) == 0)
			fwrite(messages.p, 1, messages.n, stderr);
		result_abandon();
		return code;
	}
	error = take(&out, r->arena, &messages);
	if (error == 0)
		error = take(&err, r->arena, &errors);
	if (error < 0) {
		result_abandon();
		say_error("the result cannot be written as JSON: %s", errno_text(error));
		return EXIT_FAILED;
	}
	fwrite(errors.p, 1, errors.n, stderr);
	if (begin_json(r->arena, 0, &json) < 0)
		return EXIT_FAILED;
	json_open(&json, NULL, '{');
	json_put_number(&json, "schema", SCHEMA);
	json_put_string(&json, "command", r->command);
	json_put_bool(&json, "dry_run", r->is_dry_run);
	json_put_number(&json, "exit_code", code);
	write(arg, &json);
	write_lines(&json, "messages", messages);
	write_lines(&json, "errors", errors);
	json_close(&json, '}');
	return end_json(&json) != EXIT_OK ? EXIT_FAILED : code;
}

int result_run(struct result *r, struct arena *arena, int (*run)(void *arg),
	       result_writer *write, void *arg)
{
	return begin(r, arena) < 0 ? EXIT_FAILED : end(r, run(arg), write, arg);
}
