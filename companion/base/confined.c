/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "confined.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "paths.h"

#define CONFINED_SECONDS 900 /* 4 GiB behind bzip2, on a slow machine */
/* Beside what is mapped already: dictionaries of 256 MiB, and what is unpacked. */
#define MEMORY_MAX ((rlim_t)1024 * 1024 * 1024)
#define FD_MAX	   4096 /* descriptors that are closed where close_range() is not there */

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

/* Sanitizers map terabytes and use other system calls. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static unsigned seconds_of(const struct confined *c)
{
	return c->seconds ? c->seconds : CONFINED_SECONDS;
}

/* ---- the child ----------------------------------------------------------------------------- */

#ifdef ARCH
#define LOAD(member) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define ALLOW		 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL		 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define FAIL		 BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES)
#define ALLOW_CALL(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), ALLOW
#define FAIL_CALL(name)	 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), FAIL
/* Memory, but none that can be executed: the third argument is the protection. */
#define ALLOW_MEMORY(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD(args[2]), \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), KILL, ALLOW

/*
 * What memory, the socket and the end of the process need. The low half of an argument is its
 * first one on both machines. A number with the bit of x32 is equal to none of these.
 * Libraries look for one more file, and do without: that is no reason to end the process.
 */
static int filter_calls(void)
{
	static struct sock_filter filter[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		KILL,
		LOAD(nr),
		ALLOW_CALL(read),
		ALLOW_CALL(write),
		ALLOW_MEMORY(mmap),
		ALLOW_MEMORY(mprotect),
		ALLOW_CALL(munmap),
		ALLOW_CALL(mremap),
		ALLOW_CALL(madvise),
		ALLOW_CALL(brk),
		ALLOW_CALL(clock_gettime),
		ALLOW_CALL(rt_sigreturn),
		ALLOW_CALL(exit),
		ALLOW_CALL(exit_group),
#ifdef SYS_open
		FAIL_CALL(open),
		FAIL_CALL(stat),
		FAIL_CALL(lstat),
#endif
		FAIL_CALL(openat),
		FAIL_CALL(openat2),
		FAIL_CALL(newfstatat),
		KILL,
	};
	const struct sock_fprog program = {ARRAY_SIZE(filter), filter};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#else
static int filter_calls(void)
{
	return -1;
}
#endif

static void limit(int resource, rlim_t most)
{
	const struct rlimit l = {most, most};

	(void)setrlimit(resource, &l);
}

/* Bytes of the address space, which RLIMIT_AS counts; 0 if nobody says. */
static rlim_t mapped_now(void)
{
	cleanup_with(close_fd) int fd = open(STATM_PATH, O_RDONLY | O_CLOEXEC);
	char buf[64];
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	struct text rest, word;
	uint64_t pages;

	if (n <= 0)
		return 0;
	rest = (struct text){buf, (size_t)n};
	if (!text_word(&rest, &word) || text_decimal(word, UINT64_MAX, &pages) < 0)
		return 0;
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* All but @kept, which gets the lowest number. */
static int close_others(int kept)
{
	int fd = dup2(kept, STDIN_FILENO);

	if (fd < 0)
		return -1;
	/* A sanitizer says there what it found. */
	if (IS_SANITIZED)
		return fd;
	if (syscall(SYS_close_range, 1u, ~0u, 0u) < 0)
		for (int i = 1; i < FD_MAX; i++)
			close(i);
	return fd;
}

static void confine(unsigned seconds, bool has_files)
{
	rlim_t mapped = mapped_now();

	limit(RLIMIT_CORE, 0);
	/* The parent's clock ends it first, and says why; this is for a parent that is gone. */
	limit(RLIMIT_CPU, seconds + 1);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* A sanitizer opens a file for what it found. */
	if (IS_SANITIZED)
		return;
	limit(RLIMIT_FSIZE, 0);
	if (mapped > 0)
		limit(RLIMIT_AS, mapped + MEMORY_MAX);
	if (has_files)
		return;
	limit(RLIMIT_NOFILE, 0);
	/* A kernel without seccomp goes on without. */
	(void)filter_calls();
}

void confined_flush(struct confined_out *out)
{
	for (size_t at = 0; at < out->used;) {
		ssize_t n = write(out->fd, out->buffer + at, out->used - at);

		if (n < 0 && errno != EINTR)
			_exit(1);
		if (n > 0)
			at += (size_t)n;
	}
	out->used = 0;
}

void confined_put(struct confined_out *out, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n > 0) {
		size_t part = MIN(n, sizeof(out->buffer) - out->used);

		memcpy(out->buffer + out->used, p, part);
		out->used += part;
		p += part;
		n -= part;
		if (out->used == sizeof(out->buffer))
			confined_flush(out);
	}
}

void confined_put_text(struct confined_out *out, struct text t)
{
	const uint32_t n = (uint32_t)t.n;

	confined_put(out, &n, sizeof(n));
	if (t.n > 0)
		confined_put(out, t.p, t.n);
}

void confined_take(struct confined_out *out, void *question, size_t n)
{
	char *p = question;

	confined_flush(out);
	while (n > 0) {
		ssize_t got = read(out->fd, p, n);

		if (got == 0 || (got < 0 && errno != EINTR))
			_exit(0);
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

static _Noreturn void run_child(const struct confined *c, int fd, pid_t parent,
				void (*run)(void *arg, struct confined_out *out),
				void *arg)
{
	static struct confined_out out;
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (c->prepare)
		c->prepare(arg);
	out.fd = c->has_files ? fd : close_others(fd);
	if (out.fd < 0)
		_exit(1);
	confine(seconds_of(c), c->has_files);
	run(arg, &out);
	confined_flush(&out);
	_exit(0);
}

/* ---- the parent ---------------------------------------------------------------------------- */

static void give_time(struct confined *c)
{
	c->until = now() + (uint64_t)seconds_of(c) * 1000;
}

int confined_start(struct confined *c, void (*run)(void *arg, struct confined_out *out),
		   void *arg)
{
	pid_t parent = getpid();
	int pair[2];

	c->pid = 0;
	c->fd = -1;
	c->at = c->filled = 0;
	c->is_ended = false;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	/* Where the caller ignores it, the kernel forgets how a child ended: wait(2). */
	(void)signal(SIGCHLD, SIG_DFL);
	/* What is buffered is written once. */
	fflush(stdout);
	c->pid = fork();
	if (c->pid < 0) {
		int error = errno;

		close(pair[0]);
		close(pair[1]);
		c->pid = 0;
		return -error;
	}
	if (c->pid == 0) {
		close(pair[0]);
		run_child(c, pair[1], parent, run, arg);
	}
	close(pair[1]);
	c->fd = pair[0];
	give_time(c);
	return 0;
}

static int fill(struct confined *c)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	ssize_t n;

	for (;;) {
		uint64_t at = now();
		int r = poll(&p, 1, at < c->until ? (int)(c->until - at) : 0);

		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r < 0)
			continue;
		n = read(c->fd, c->buffer, sizeof(c->buffer));
		if (n < 0 && errno == EINTR)
			continue;
		/* The child ended, or ended with a question that it did not take. */
		c->is_ended = n == 0 || (n < 0 && errno == ECONNRESET);
		if (n <= 0)
			return c->is_ended ? -EPIPE : -errno;
		c->at = 0;
		c->filled = (size_t)n;
		return 0;
	}
}

int confined_read(struct confined *c, void *buf, size_t n)
{
	char *p = buf;

	while (n > 0) {
		size_t part;
		int r = c->at < c->filled ? 0 : fill(c);

		if (r < 0)
			return r;
		part = MIN(n, c->filled - c->at);
		memcpy(p, c->buffer + c->at, part);
		c->at += part;
		p += part;
		n -= part;
	}
	return 0;
}

int confined_read_text(struct confined *c, size_t max, struct arena *arena,
		       struct text *ret)
{
	uint32_t n;
	int r = confined_read(c, &n, sizeof(n));
	char *buf;

	if (r < 0)
		return r;
	if (n > max)
		return -EPROTO;
	buf = arena_alloc(arena, (size_t)n + 1, 1);
	if (!buf)
		return -ENOMEM;
	*ret = (struct text){buf, n};
	return confined_read(c, buf, n);
}

int confined_ask(struct confined *c, const void *question, size_t n)
{
	ssize_t sent;

	give_time(c);
	/* It is small: all of it or nothing. */
	do
		sent = send(c->fd, question, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)n ? 0 : -EPIPE;
}

static const char *ending(int status, bool is_late)
{
	if (is_late)
		return "reading it took too long, and was ended";
	if (!WIFSIGNALED(status))
		return NULL;
	switch (WTERMSIG(status)) {
	case SIGBUS:
		return CONFINED_CHANGED;
	case SIGXCPU:
		return "reading it took too long, and was ended";
	case SIGKILL:
		return "the process that read it was killed: is there enough memory?";
	case SIGSYS:
		return "the process that read it did something forbidden, and was ended: "
		       "do not boot it";
	default:
		return "the process that read it crashed: do not boot it";
	}
}

const char *confined_end(struct confined *c)
{
	bool is_late;
	int status = 0;

	if (c->pid == 0)
		return NULL;
	is_late = !c->is_ended && now() >= c->until;
	close_fd(&c->fd);
	c->fd = -1;
	/* Nobody waits for what it may do behind its answer. */
	if (!c->is_ended)
		(void)kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR) {
			status = 0;
			break;
		}
	c->pid = 0;
	return c->is_ended || is_late ? ending(status, is_late) : NULL;
}
