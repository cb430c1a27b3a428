/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a program that the companion runs gets of the caller, and how its end is told. */
#include "test.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "process.h"

static struct process shell(const char *script)
{
	return (struct process){.argv = {"sh", "-c", script}, .log_fd = -1};
}

static void check_script(const char *script)
{
	struct process p = shell(script);

	assert_int_equal(process_run(&p), 0);
	check_int(script, p.code, 0);
}

static void test_environment(void **state unused)
{
	assert_int_equal(setenv("PATH", "/nowhere", 1), 0);
	assert_int_equal(setenv("BASH_ENV", "/nowhere", 1), 0);
	assert_int_equal(setenv("ENV", "/nowhere", 1), 0);
	assert_int_equal(setenv("LD_EXAMPLE", "x", 1), 0);
	assert_int_equal(setenv("TERMINFO", "x", 1), 0);
	assert_int_equal(setenv("TERM", "dumb", 1), 0);
	assert_int_equal(setenv("LC_TIME", "C", 1), 0);
	assert_int_equal(setenv("DPKG_MAINTSCRIPT_PACKAGE", "x", 1), 0);
	check_script("[ \"$PATH\" = /usr/sbin:/usr/bin:/sbin:/bin ]");
	check_script("[ -z \"$BASH_ENV$ENV$LD_EXAMPLE$TERMINFO\" ]");
	check_script("[ \"$TERM $LC_TIME $DPKG_MAINTSCRIPT_PACKAGE\" = 'dumb C x' ]");
}

static void test_signals(void **state unused)
{
	struct process p = shell("kill -USR1 $$; exit 0");
	sigset_t mask, old;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	(void)signal(SIGUSR1, SIG_IGN);
	assert_int_equal(sigprocmask(SIG_BLOCK, &mask, &old), 0);
	assert_int_equal(process_run(&p), 0);
	(void)signal(SIGUSR1, SIG_DFL);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	assert_int_equal(p.code, 128 + SIGUSR1);
}

/* env --ignore-signal=CHLD: the kernel would forget how the child ended. */
static void test_ignored_children(void **state unused)
{
	struct process p = shell("exit 3");

	(void)signal(SIGCHLD, SIG_IGN);
	assert_int_equal(process_run(&p), 0);
	assert_int_equal(p.code, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_ignored_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
