/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PID 1: whatever fails, /init is executed; over a kernel that fails, and with real children. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pid1.h"

#define CHILD	   1234
#define CALL_TIME  100 /* microseconds */
#define SHELL_CODE 3
#define SHELL_TIME (PID1_LIMIT + 5 * SECOND)
#define TRACE_MAX  8192

enum child {
	CHILD_EXITS,
	CHILD_CRASHES,
	CHILD_HANGS, /* until it is killed */
	CHILD_IS_STUCK, /* in the kernel */
	CHILD_IS_REAPED, /* by somebody else */
	CHILD_WANTS_SHELL, /* and its user stays there for a while */
};

static struct kernel {
	enum child child;
	unsigned mounted; /* one bit for each of the places */
	unsigned mounted_at_start;
	bool is_busy; /* nothing can be unmounted, only detached */
	const char *no_program; /* cannot be executed; "*": none can */

	unsigned fail_at; /* the call that fails, from 1 */
	unsigned
		fail_all_from; /* and all of them from this one on; never those of exec */
	bool is_exec_failed;

	unsigned calls;
	bool has_child, is_killed;
	unsigned forks;
	bool is_in_shell;
	uint64_t now;
	char trace[TRACE_MAX];
	char log[TRACE_MAX];
	jmp_buf executed;
	char path[32]; /* what was executed */
	char **argv;
} k;

static const char *const paths[] = {"/dev", "/proc", "/sys"};

static void add(char *buf, const char *format, ...) printf_like(2, 3);
static void add(char *buf, const char *format, ...)
{
	size_t used = strlen(buf);
	va_list ap;

	va_start(ap, format);
	vsnprintf(buf + used, TRACE_MAX - used, format, ap);
	va_end(ap);
}

/* Takes time, and says whether the call is to fail. */
static bool call(const char *name, const char *argument)
{
	k.calls++;
	k.now += CALL_TIME;
	if (name)
		add(k.trace, "%s%s%s\n", name, argument[0] ? " " : "", argument);
	return k.calls == k.fail_at || (k.fail_all_from && k.calls >= k.fail_all_from);
}

static unsigned bit_of(const char *path)
{
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++)
		if (strcmp(path, paths[i]) == 0)
			return 1u << i;
	fail_msg("another path: %s", path);
	return 0;
}

static int fake_hold_descriptors(void)
{
	return call("hold", "") ? -EMFILE : 0;
}

static int fake_make_folder(const char *path)
{
	return call("mkdir", path) ? -EROFS : bit_of(path) ? -EEXIST : 0;
}

static bool fake_is_type(const char *path, long magic)
{
	assert_true(magic != 0);
	/* A statfs() that fails says no; the mount is then refused. */
	return !call(NULL, "") && (k.mounted & bit_of(path));
}

static int fake_mount(const char *type, const char *path, unsigned long flags)
{
	static const char *const types[] = {"devtmpfs", "proc", "sysfs"};
	unsigned bit = bit_of(path);

	check_string(path, type, types[bit >> 1]);
	check_true(path, flags & MS_NOSUID);
	if (call("mount", path))
		return -ENODEV;
	if (k.mounted & bit)
		return -EBUSY;
	k.mounted |= bit;
	return 0;
}

static int fake_unmount(const char *path, int flags)
{
	if (call(flags == MNT_DETACH ? "detach" : "umount", path))
		return -EIO;
	if (k.is_busy && flags != MNT_DETACH)
		return -EBUSY;
	if (!(k.mounted & bit_of(path)))
		return -EINVAL;
	k.mounted &= ~bit_of(path);
	return 0;
}

static pid_t fake_fork(void)
{
	if (call("fork", ""))
		return -ENOMEM;
	k.has_child = true;
	k.is_in_shell = ++k.forks > 1;
	return CHILD;
}

static int fake_wait(pid_t pid, int *ret_status)
{
	assert_int_equal(pid, CHILD);
	if (call(NULL, ""))
		return -EINTR;
	assert_true(k.has_child);
	switch (k.child) {
	case CHILD_EXITS:
		*ret_status = 1 << 8;
		break;
	case CHILD_CRASHES:
		*ret_status = SIGSEGV;
		break;
	case CHILD_HANGS:
		if (!k.is_killed)
			return -EAGAIN;
		*ret_status = SIGKILL;
		break;
	case CHILD_IS_STUCK:
		return -EAGAIN;
	case CHILD_IS_REAPED:
		return -ECHILD;
	case CHILD_WANTS_SHELL:
		if (k.is_in_shell && k.now < SHELL_TIME)
			return -EAGAIN;
		*ret_status = k.is_in_shell ? 0 : SHELL_CODE << 8;
		break;
	}
	k.has_child = false;
	return 0;
}

static int fake_kill(pid_t pid)
{
	assert_int_equal(pid, CHILD);
	if (call("kill", ""))
		return -EPERM;
	k.is_killed = true;
	return 0;
}

static uint64_t fake_now(void)
{
	return k.now;
}

static int fake_pause(uint64_t microseconds)
{
	if (call(NULL, ""))
		return -EINTR;
	k.now += microseconds;
	return 0;
}

static int fake_open_shell(void)
{
	fail_msg("PID 1 itself became a shell");
	return -EIO;
}

static int fake_log(enum log_level level, const char *line)
{
	if (call(NULL, ""))
		return -EIO;
	add(k.log, "<%d>%s\n", level, line);
	return 0;
}

static int fake_execute(const char *path, char **argv)
{
	k.calls++;
	add(k.trace, "exec %s\n", path);
	check_string("argv[0]", argv[0], path);
	if (k.calls == k.fail_at) {
		k.is_exec_failed = true;
		return -EIO;
	}
	if (k.no_program && (k.no_program[0] == '*' || strcmp(k.no_program, path) == 0))
		return -ENOENT;
	snprintf(k.path, sizeof(k.path), "%s", path);
	k.argv = argv;
	longjmp(k.executed, 1);
}

static const struct pid1_ops fake_ops = {
	.hold_descriptors = fake_hold_descriptors,
	.make_folder = fake_make_folder,
	.is_type = fake_is_type,
	.mount = fake_mount,
	.unmount = fake_unmount,
	.fork = fake_fork,
	.leave = _exit,
	.wait = fake_wait,
	.kill = fake_kill,
	.now = fake_now,
	.pause = fake_pause,
	.open_shell = fake_open_shell,
	.log = fake_log,
	.execute = fake_execute,
};

static int never_called(void)
{
	fail_msg("bound in PID 1 itself");
	return 0;
}

/* Whether something was executed. */
static bool has_executed(const struct pid1_ops *ops, char **argv, int (*bind)(void))
{
	if (setjmp(k.executed) == 0) {
		pid1_run(ops, argv, bind, SHELL_CODE);
		return false;
	}
	return true;
}

static bool boot(struct kernel start)
{
	static char binder[] = "/usr/lib/earlybind/binder", single[] = "single",
		    help[] = "--help";
	static char *argv[] = {binder, single, help, NULL};

	k = start;
	k.mounted_at_start = k.mounted;
	argv[0] = binder;
	if (!has_executed(&fake_ops, argv, never_called))
		return false;
	/* What the kernel gave goes on. */
	check_string("argv", k.argv[1], "single");
	check_string("argv", k.argv[2], "--help");
	assert_null(k.argv[3]);
	return true;
}

static void test_sequences(void **state unused)
{
	static const struct {
		const char *name;
		struct kernel start;
		const char *trace;
		const char *log; /* a part of it; NULL: nothing is said */
	} cases[] = {
		{"as it should be",
		 {0},
		 "hold\nmkdir /dev\nmount /dev\nmkdir /proc\nmount /proc\nmkdir /sys\n"
		 "mount /sys\nfork\numount /sys\numount /proc\numount /dev\nexec /init\n",
		 NULL},
		{"all is mounted",
		 {.mounted = 7},
		 "hold\nmkdir /dev\nmount /dev\nfork\nexec /init\n",
		 NULL},
		{"/proc is mounted",
		 {.mounted = 2},
		 "hold\nmkdir /dev\nmount /dev\nmkdir /sys\nmount /sys\nfork\numount /sys\numount /dev\nexec /init\n",
		 NULL},
		{"a worker is left behind",
		 {.is_busy = true},
		 "hold\nmkdir /dev\nmount /dev\nmkdir /proc\nmount /proc\nmkdir /sys\n"
		 "mount /sys\nfork\numount /sys\ndetach /sys\numount /proc\ndetach /proc\n"
		 "umount /dev\ndetach /dev\nexec /init\n",
		 NULL},
		{"crash",
		 {.child = CHILD_CRASHES, .mounted = 7},
		 "hold\nmkdir /dev\nmount /dev\nfork\nexec /init\n",
		 "<3>PID 1: binding was ended by signal 11: devices may be without a "
		 "driver\n"},
		{"hang",
		 {.child = CHILD_HANGS, .mounted = 7},
		 "hold\nmkdir /dev\nmount /dev\nfork\nkill\nexec /init\n",
		 "<3>PID 1: binding did not end within 300 s and is given up: devices may "
		 "be without a driver\n"},
		{"reaped by somebody else",
		 {.child = CHILD_IS_REAPED, .mounted = 7},
		 "hold\nmkdir /dev\nmount /dev\nfork\nexec /init\n",
		 NULL},
		{"a shell, longer than the child's limit",
		 {.child = CHILD_WANTS_SHELL, .mounted = 7},
		 "hold\nmkdir /dev\nmount /dev\nfork\nfork\nexec /init\n",
		 NULL},
		{"no process for the shell",
		 {.child = CHILD_WANTS_SHELL, .mounted = 7, .fail_at = 8},
		 "hold\nmkdir /dev\nmount /dev\nfork\nfork\nexec /init\n",
		 "<3>PID 1: no shell, the boot goes on: out of memory (ENOMEM)\n"},
		{"no /init",
		 {.no_program = "/init", .mounted = 6},
		 "hold\nmkdir /dev\nmount /dev\nfork\numount /dev\nexec /init\nmkdir /dev\nmount /dev\n"
		 "umount /dev\nexec /sbin/init\n",
		 "<3>PID 1: /init cannot be executed: no such file (ENOENT)\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check_true(cases[i].name, boot(cases[i].start));
		check_string(cases[i].name, k.trace, cases[i].trace);
		check_string(cases[i].name, k.log, cases[i].log ? cases[i].log : "");
		check_int(cases[i].name, k.mounted, k.mounted_at_start);
	}
}

static void test_nothing_can_be_executed(void **state unused)
{
	assert_false(boot((struct kernel){.no_program = "*", .mounted = 7}));
	check_contains("list", k.trace,
		       "exec /init\nmkdir /dev\nmount /dev\nexec /sbin/init\nmkdir /dev\n"
		       "mount /dev\nexec /etc/init\nmkdir /dev\nmount /dev\nexec "
		       "/bin/init\nmkdir /dev\nmount /dev\nexec /bin/sh\n");
	check_contains("log", k.log, "/bin/sh cannot be executed");
}

static void test_stuck_child_is_left_behind(void **state unused)
{
	assert_true(boot((struct kernel){.child = CHILD_IS_STUCK, .is_busy = true}));
	assert_true(k.has_child);
	assert_true(k.now >= PID1_LIMIT);
	assert_true(k.now < PID1_LIMIT + PID1_GRACE + SECOND);
	assert_int_equal(k.mounted, 0);
}

/* The promise: for every call that may fail, alone or with all that come after it. */
static void test_every_failure_ends_in_init(void **state unused)
{
	static const struct kernel starts[] = {
		{.child = CHILD_EXITS},
		{.child = CHILD_EXITS, .is_busy = true},
		{.child = CHILD_EXITS, .mounted = 3},
		{.child = CHILD_CRASHES},
		{.child = CHILD_WANTS_SHELL},
		{.child = CHILD_HANGS},
		{.child = CHILD_IS_STUCK, .is_busy = true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		unsigned calls, hold = 0;

		assert_true(boot(starts[i]));
		calls = k.calls;
		/* One pause is like another: not all of 150,000. */
		for (unsigned at = 1; at <= calls;
		     at += hold++ < 40 ? 1 : calls / 60 + 1) {
			for (int all = 0; all < 2; all++) {
				struct kernel start = starts[i];
				char label[64];

				snprintf(label, sizeof(label), "start %zu, call %u%s", i,
					 at, all ? " and all behind it" : "");
				*(all ? &start.fail_all_from : &start.fail_at) = at;
				check_true(label, boot(start));
				check_string(label, k.path,
					     k.is_exec_failed ? "/sbin/init" : "/init");
				check_true(label,
					   k.now < PID1_LIMIT + PID1_GRACE + 10 * SECOND);
				/* A detached mount is gone, a failed unmount is retried. */
				if (!all && !start.is_busy)
					check_int(label, k.mounted, k.mounted_at_start);
				check_int(label, k.mounted & k.mounted_at_start,
					  k.mounted_at_start);
			}
		}
		/* The last calls one by one: unmounting and the exec itself. */
		for (unsigned back = 0; back < 12 && back < calls; back++) {
			struct kernel start = starts[i];

			start.fail_at = calls - back;
			assert_true(boot(start));
			check_string("end", k.path,
				     k.is_exec_failed ? "/sbin/init" : "/init");
		}
	}
}

static void test_no_argument_at_all(void **state unused)
{
	/* The environment comes right behind the arguments. */
	char environment[] = "HOME=/";
	char *argv[] = {NULL, environment, NULL};

	k = (struct kernel){.mounted = 7};
	assert_true(has_executed(&fake_ops, argv, never_called));
	check_string("path", k.path, "/init");
	check_string("argv[0]", k.argv[0], "/init");
	assert_null(k.argv[1]);
	assert_null(argv[0]);
}

/* ---- real processes ------------------------------------------------------------------- */

/* A clock on which the limit passes in a third of a second. */
static uint64_t fast_now(void)
{
	return pid1_ops.now() * 1000;
}

static int bind_well(void)
{
	return 0;
}

static int bind_and_crash(void)
{
	raise(SIGKILL);
	return 0;
}

static int bind_for_ever(void)
{
	while (pause() < 0)
		;
	return 0;
}

static int bind_stopped(void)
{
	raise(SIGSTOP);
	return 0;
}

static void test_real_children(void **state unused)
{
	static const struct {
		const char *name;
		int (*bind)(void);
		const char *log;
	} cases[] = {
		{"exits", bind_well, ""},
		{"crashes", bind_and_crash, "ended by signal 9"},
		{"hangs", bind_for_ever, "did not end within 300 s"},
		{"is stopped", bind_stopped, "did not end within 300 s"},
	};
	struct pid1_ops ops = fake_ops;
	int status;

	ops.fork = pid1_ops.fork;
	ops.wait = pid1_ops.wait;
	ops.kill = pid1_ops.kill;
	ops.pause = pid1_ops.pause;
	ops.now = fast_now;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char binder[] = "binder";
		char *argv[] = {binder, NULL};

		k = (struct kernel){0};
		check_true(cases[i].name, has_executed(&ops, argv, cases[i].bind));
		check_string(cases[i].name, k.path, "/init");
		check_contains(cases[i].name, k.log, cases[i].log);
		/* It is not left behind: it has ended, or does so now (the grace is 1 ms). */
		if (waitpid(-1, &status, 0) > 0)
			check_int(cases[i].name, status, SIGKILL);
		check_int(cases[i].name, waitpid(-1, NULL, WNOHANG), -1);
	}
}

/* Without standard descriptors no file that is opened may become one. */
static void test_descriptors_are_held(void **state unused)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int code = 0;

		for (int fd = 0; fd < 64; fd++)
			if (fd != STDOUT_FILENO)
				close(fd);
		if (pid1_ops.hold_descriptors() < 0)
			code = 1;
		if (!(fcntl(STDIN_FILENO, F_GETFL) & O_PATH) ||
		    !(fcntl(STDERR_FILENO, F_GETFL) & O_PATH) ||
		    (fcntl(STDOUT_FILENO, F_GETFL) & O_PATH))
			code = 2;
		if (!(fcntl(STDIN_FILENO, F_GETFD) & FD_CLOEXEC) ||
		    (fcntl(STDOUT_FILENO, F_GETFD) & FD_CLOEXEC))
			code = 3;
		if (fcntl(STDERR_FILENO + 1, F_GETFD) >= 0)
			code = 4;
		_exit(code);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_real_errors(void **state unused)
{
	char none[] = "/nonexistent/init";
	char *argv[] = {none, NULL};
	int status;

	assert_int_equal(pid1_ops.execute(none, argv), -ENOENT);
	assert_int_equal(pid1_ops.unmount(none, 0), geteuid() == 0 ? -ENOENT : -EPERM);
	assert_int_equal(pid1_ops.make_folder("/"), -EEXIST);
	assert_true(pid1_ops.mount("nonexistent", none, 0) < 0);
	assert_int_equal(pid1_ops.wait(getpid(), &status), -ECHILD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_nothing_can_be_executed),
		cmocka_unit_test(test_stuck_child_is_left_behind),
		cmocka_unit_test(test_every_failure_ends_in_init),
		cmocka_unit_test(test_no_argument_at_all),
		cmocka_unit_test(test_real_children),
		cmocka_unit_test(test_descriptors_are_held),
		cmocka_unit_test(test_real_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
