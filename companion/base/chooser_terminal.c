/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "chooser_terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

/* What follows an escape that begins a sequence comes at once, over a slow line too. */
#define ESCAPE_TIME_NS 100000000L

#define ROWS_MAX    512
#define COLUMNS_MAX 512

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static volatile sig_atomic_t ending_signal;

/* SIGWINCH only ends the wait, and the next screen has the new size. */
static void on_signal(int number)
{
	if (number != SIGWINCH)
		ending_signal = number;
}

struct terminal {
	struct termios before;
	sigset_t mask; /* before, and while waiting */
	struct sigaction actions[ARRAY_SIZE(ending)];
	size_t lines; /* that the last screen had */
	char keys[64];
	size_t key_count;
};

static void read_size(struct chooser *c)
{
	struct winsize size = {.ws_row = 0};

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	c->rows = size.ws_row > 0 ? size.ws_row : 24;
	c->columns = size.ws_col > 0 ? size.ws_col : 80;
	c->rows = MIN(MAX(c->rows, (size_t)CHOOSER_ROWS_MIN), (size_t)ROWS_MAX);
	c->columns =
		MIN(MAX(c->columns, (size_t)CHOOSER_COLUMNS_MIN), (size_t)COLUMNS_MAX);
}

bool chooser_has_terminal(void)
{
	const char *term = getenv("TERM");
	struct winsize size;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return false;
	if (!term || term[0] == '\0' || strcmp(term, "dumb") == 0)
		return false;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 ||
	       (size.ws_row >= CHOOSER_ROWS_MIN && size.ws_col >= CHOOSER_COLUMNS_MIN);
}

static void draw(struct terminal *t, struct chooser *c, char *buf, size_t size)
{
	/* Over the screen before: its cursor stands in its last line. */
	putchar('\r');
	if (t->lines > 1)
		printf("\x1b[%zuA", t->lines - 1);
	t->lines = chooser_draw(c, buf, size);
	fputs(buf, stdout);
	/* A screen before that was higher. */
	fputs("\x1b[J", stdout);
	fflush(stdout);
}

/* Signals come only while ppoll() waits: none gets lost between a test and a wait. */
static void catch_signals(struct terminal *t)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGWINCH);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		sigaddset(&blocked, ending[i]);
	(void)sigprocmask(SIG_BLOCK, &blocked, &t->mask);
	(void)sigaction(SIGWINCH, &action, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++) {
		(void)sigaction(ending[i], NULL, &t->actions[i]);
		/* What the caller ignored stays ignored: nohup. */
		if (t->actions[i].sa_handler != SIG_IGN)
			(void)sigaction(ending[i], &action, NULL);
	}
}

static void release_signals(const struct terminal *t)
{
	signal(SIGWINCH, SIG_DFL);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		(void)sigaction(ending[i], &t->actions[i], NULL);
	/* Now that the terminal is as it was, the signal may do what it does. */
	if (ending_signal)
		(void)raise(ending_signal);
	(void)sigprocmask(SIG_SETMASK, &t->mask, NULL);
}

static int enter(struct terminal *t)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &t->before) < 0)
		return -errno;
	raw = t->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	/* Stopped in the middle, the shell would have a terminal without echo. */
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0 ? -errno : 0;
}

/*
 * Waits for more keys. 0; -EINTR for a signal, -ETIMEDOUT if @is_short and nothing followed,
 * -EPIPE if the terminal is gone.
 */
static int wait_keys(struct terminal *t, bool is_short)
{
	const struct timespec soon = {.tv_nsec = ESCAPE_TIME_NS};
	struct pollfd pollfd = {.fd = STDIN_FILENO, .events = POLLIN};
	int r = ppoll(&pollfd, 1, is_short ? &soon : NULL, &t->mask);
	ssize_t n;

	if (r < 0)
		return -errno;
	if (r == 0)
		return -ETIMEDOUT;
	n = read(STDIN_FILENO, t->keys + t->key_count, sizeof(t->keys) - t->key_count);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -EPIPE;
	t->key_count += (size_t)n;
	return 0;
}

/* The next key; errors as above, but for -ETIMEDOUT. */
static int next_key(struct terminal *t, enum chooser_key *ret)
{
	bool is_all = false;

	for (;;) {
		struct text keys = {t->keys, t->key_count};
		size_t n = chooser_decode(keys, is_all || t->key_count == sizeof(t->keys),
					  ret);
		int r;

		if (n > 0) {
			t->key_count -= n;
			memmove(t->keys, t->keys + n, t->key_count);
			return 0;
		}
		r = wait_keys(t, t->key_count > 0);
		is_all = r == -ETIMEDOUT;
		if (r < 0 && !is_all)
			return r;
	}
}

static int converse(struct terminal *t, struct chooser *c, char *buf, size_t size,
		    enum chooser_state *state)
{
	while (*state == CHOOSER_GO_ON) {
		enum chooser_key key;
		int r;

		read_size(c);
		draw(t, c, buf, size);
		r = next_key(t, &key);
		if (r == 0)
			*state = chooser_press(c, key);
		else if (r != -EINTR || ending_signal)
			return r;
	}
	return 0;
}

int chooser_run(struct chooser *c, struct arena *arena, enum chooser_state *ret)
{
	const size_t size = CHOOSER_SCREEN_SIZE((size_t)ROWS_MAX, (size_t)COLUMNS_MAX);
	enum chooser_state state = CHOOSER_GO_ON;
	struct terminal t = {.lines = 0};
	char *buf = arena_alloc(arena, size, 1);
	int r;

	if (!buf)
		return -ENOMEM;
	catch_signals(&t);
	r = enter(&t);
	if (r == 0) {
		r = converse(&t, c, buf, size, &state);
		putchar('\n');
		fflush(stdout);
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t.before);
	}
	release_signals(&t);
	if (r == 0)
		*ret = state;
	return r;
}
