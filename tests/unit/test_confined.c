/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child that reads foreign bytes: what it may do, and how each of its ends is told. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "confined.h"

/* With sanitizers there is neither a list of system calls nor a limit of files or memory. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_LIMITED false
#else
#define IS_LIMITED true
#endif

#define LONG_ANSWER (3 * CONFINED_BUFFER + 5)

static struct confined c;

/* What the child answers with: one byte, "y" if it could do what it should not. */
static char ask(void (*run)(void *arg, struct confined_out *out), void *arg,
		unsigned seconds, int *ret_error, const char **ret_why)
{
	char answer = '-';

	c.seconds = seconds;
	assert_int_equal(confined_start(&c, run, arg), 0);
	*ret_error = confined_read(&c, &answer, 1);
	*ret_why = confined_end(&c);
	return answer;
}

static void check_end(const char *label, void (*run)(void *arg, struct confined_out *out),
		      void *arg, unsigned seconds, int error, const char *words)
{
	const char *why;
	int r;

	(void)ask(run, arg, seconds, &r, &why);
	check_int(label, r, error);
	if (!why || !strstr(why, words))
		fail_msg("%s: \"%s\", not \"%s\"", label, why ? why : "", words);
}

static void answer_long(void *arg, struct confined_out *out)
{
	for (size_t i = 0; i < LONG_ANSWER; i++)
		confined_put(out, (const char *)arg + i % 7, 1);
}

static void test_answer(void **state unused)
{
	static char buf[LONG_ANSWER], letters[] = "abcdefg";
	char more;

	c.seconds = 0;
	assert_int_equal(confined_start(&c, answer_long, letters), 0);
	assert_int_equal(confined_read(&c, buf, sizeof(buf)), 0);
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], letters[i % 7]);
	assert_int_equal(confined_read(&c, &more, 1), -EPIPE);
	assert_null(confined_end(&c));
	assert_null(confined_end(&c));
}

static void yes(struct confined_out *out, bool is_done)
{
	confined_put(out, is_done ? "y" : "n", 1);
}

static void open_file(void *arg, struct confined_out *out)
{
	yes(out, open(arg, O_RDONLY | O_CLOEXEC) >= 0);
}

static void look_at_file(void *arg, struct confined_out *out)
{
	struct stat st;

	yes(out, stat(arg, &st) == 0);
}

static void make_socket(void *arg unused, struct confined_out *out)
{
	yes(out, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0);
}

static void map_code(void *arg unused, struct confined_out *out)
{
	yes(out, mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static void kill_parent(void *arg unused, struct confined_out *out)
{
	yes(out, kill(getppid(), 0) == 0);
}

/*
 * Whether or not the kernel has seccomp: no file, no socket. With it a child that wants more than
 * to look for a file is ended.
 */
static void test_calls(void **state unused)
{
	static const struct {
		const char *label;
		void (*run)(void *arg, struct confined_out *out);
		bool is_limit_enough, is_answered;
	} calls[] = {
		{"open", open_file, true, true},      {"stat", look_at_file, false, true},
		{"socket", make_socket, true, false}, {"code", map_code, false, false},
		{"kill", kill_parent, false, false},
	};

	static char path[] = "/etc/passwd";

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		const char *why;
		int r;
		char answer = ask(calls[i].run, path, 0, &r, &why);
		bool is_ended = why && strstr(why, "something forbidden");

		if (IS_LIMITED && calls[i].is_limit_enough)
			check_true(calls[i].label, answer != 'y');
		/* A kernel without seccomp does not know the question. */
		if (IS_LIMITED && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0)
			check_true(calls[i].label,
				   calls[i].is_answered ? answer == 'n' : is_ended);
	}
}

static void use_memory(void *arg, struct confined_out *out)
{
	size_t n = *(const size_t *)arg;
	char *p = malloc(n);

	if (p)
		memset(p, 1, n);
	yes(out, p);
	free(p);
}

static void test_memory(void **state unused)
{
	size_t little = (size_t)64 << 20, much = (size_t)3 << 30;
	const char *why;
	int r;

	assert_int_equal(ask(use_memory, &little, 0, &r, &why), 'y');
	if (IS_LIMITED)
		assert_int_equal(ask(use_memory, &much, 0, &r, &why), 'n');
}

static void spin(void *arg unused, struct confined_out *out unused)
{
	for (;;) {
		volatile int x = 0;

		x++;
	}
}

static void crash(void *arg unused, struct confined_out *out unused)
{
	(void)signal(SIGSEGV, SIG_DFL);
	(void)raise(SIGSEGV);
}

static void overrun(void *arg unused, struct confined_out *out unused)
{
	__builtin_trap();
}

static void touch(void *arg, struct confined_out *out)
{
	confined_put(out, arg, 1);
}

static void end_early(void *arg unused, struct confined_out *out unused)
{
}

static void test_ends(void **state unused)
{
	char path[] = "/tmp/earlybind-confined.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	const char *why;
	void *map;
	int r;

	check_end("spin", spin, NULL, 1, -ETIMEDOUT, "too long");
	check_end("trap", overrun, NULL, 0, -EPIPE, "crashed");
	/* raise() itself is not on the list. */
	check_end("crash", crash, NULL, 0, -EPIPE, "do not boot it");
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(ftruncate(fd, 0), 0);
	check_end("cut", touch, map, 0, -EPIPE, "changed while it was read");
	munmap(map, 4096);
	close(fd);
	unlink(path);
	(void)ask(end_early, NULL, 0, &r, &why);
	assert_int_equal(r, -EPIPE);
	assert_null(why);
}

static void test_killed(void **state unused)
{
	const char *why;
	char answer;

	c.seconds = 0;
	assert_int_equal(confined_start(&c, spin, NULL), 0);
	assert_int_equal(kill(c.pid, SIGKILL), 0);
	assert_int_equal(confined_read(&c, &answer, 1), -EPIPE);
	why = confined_end(&c);
	assert_non_null(why);
	assert_non_null(strstr(why, "was killed"));
}

/* ---- a child that serves ---- */

static void note_file(void *arg)
{
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	*(bool *)arg = fd >= 0;
	close(fd);
}

/* Answers a length with a text of that length, "x" for what it prepared; hangs at 99. */
static void serve(void *arg, struct confined_out *out)
{
	static const char text[256];
	uint32_t n;

	confined_put_text(out, *(bool *)arg ? TEXT("x") : TEXT(""));
	for (;;) {
		confined_take(out, &n, sizeof(n));
		if (n == 99)
			spin(NULL, out);
		if (n == 100)
			__builtin_trap();
		confined_put_text(out, (struct text){text, n});
	}
}

static int ask_length(uint32_t n, struct arena *arena, struct text *ret)
{
	int r = confined_ask(&c, &n, sizeof(n));

	return r == 0 ? confined_read_text(&c, 50, arena, ret) : r;
}

static void test_serves(void **state unused)
{
	struct arena arena = test_arena(4096);
	bool is_prepared = false;
	struct text t;

	c = (struct confined){.seconds = 1, .prepare = note_file};
	for (uint32_t last = 99; last <= 100; last++) {
		assert_int_equal(confined_start(&c, serve, &is_prepared), 0);
		assert_int_equal(confined_read_text(&c, 50, &arena, &t), 0);
		assert_true(text_is(t, "x"));
		assert_false(is_prepared); /* here */
		for (uint32_t n = 0; n <= 50; n += 25) {
			assert_int_equal(ask_length(n, &arena, &t), 0);
			assert_int_equal(t.n, n);
			assert_int_equal(t.p[n], '\0');
		}
		assert_int_equal(ask_length(last, &arena, &t),
				 last == 99 ? -ETIMEDOUT : -EPIPE);
		assert_non_null(confined_end(&c));
	}
	assert_int_equal(confined_start(&c, serve, &is_prepared), 0);
	assert_int_equal(confined_read_text(&c, 50, &arena, &t), 0);
	assert_int_equal(ask_length(51, &arena, &t), -EPROTO);
	assert_null(confined_end(&c));
	c = (struct confined){0};
	test_arena_free(&arena);
}

/* Its time is for each answer, not for all of them. */
static void answer_slowly(void *arg unused, struct confined_out *out)
{
	char question;

	for (;;) {
		struct timespec until, t;

		confined_take(out, &question, 1);
		clock_gettime(CLOCK_MONOTONIC, &until);
		do
			clock_gettime(CLOCK_MONOTONIC, &t);
		while ((t.tv_sec - until.tv_sec) * 1000 +
			       (t.tv_nsec - until.tv_nsec) / 1000000 <
		       600);
		confined_put(out, "a", 1);
	}
}

static void test_time(void **state unused)
{
	char answer;

	c = (struct confined){.seconds = 3};
	assert_int_equal(confined_start(&c, answer_slowly, NULL), 0);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(confined_ask(&c, "q", 1), 0);
		assert_int_equal(confined_read(&c, &answer, 1), 0);
	}
	assert_null(confined_end(&c));
	c = (struct confined){0};
}

/* A parent that wants no more: the child does not write for ever. */
static void write_on(void *arg unused, struct confined_out *out)
{
	for (;;)
		confined_put(out, "x", 1);
}

static void test_left(void **state unused)
{
	char answer;

	c.seconds = 0;
	(void)signal(SIGCHLD, SIG_IGN);
	assert_int_equal(confined_start(&c, write_on, NULL), 0);
	assert_int_equal(confined_read(&c, &answer, 1), 0);
	assert_int_equal(answer, 'x');
	(void)confined_end(&c);
	assert_int_equal(c.pid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer), cmocka_unit_test(test_calls),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_ends),
		cmocka_unit_test(test_killed), cmocka_unit_test(test_left),
		cmocka_unit_test(test_serves), cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
