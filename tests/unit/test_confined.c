/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child that reads foreign bytes: what it may do, and how each of its ends is told. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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

/* Whether or not the kernel has seccomp: no file, no socket. With it the child is ended. */
static void test_calls(void **state unused)
{
	static const struct {
		const char *label;
		void (*run)(void *arg, struct confined_out *out);
		bool is_limit_enough;
	} calls[] = {
		{"open", open_file, true},
		{"socket", make_socket, true},
		{"code", map_code, false},
		{"kill", kill_parent, false},
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
			check_true(calls[i].label, is_ended);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
