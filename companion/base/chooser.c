/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "chooser.h"

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

#define ESCAPE	   '\x1b'
#define CLEAR_LINE "\x1b[K"

static const char help[] = "space: bind or leave  g: group  enter: write  q: no change";
static const char legend[] = "!: without this one, a VM can use nothing of the group";

/* Up to the final byte of a control sequence (ECMA-48, 5.4): 0 if it is not there yet. */
static size_t sequence_length(struct text bytes)
{
	for (size_t i = 2; i < bytes.n; i++)
		if (bytes.p[i] >= 0x40 && bytes.p[i] <= 0x7e)
			return i + 1;
	return 0;
}

static enum chooser_key sequence_key(struct text t)
{
	static const struct {
		const char *text; /* behind the escape and its [ or O */
		enum chooser_key key;
	} sequences[] = {
		{"A", CHOOSER_KEY_UP},	     {"B", CHOOSER_KEY_DOWN},
		{"H", CHOOSER_KEY_HOME},     {"F", CHOOSER_KEY_END},
		{"1~", CHOOSER_KEY_HOME},    {"4~", CHOOSER_KEY_END},
		{"7~", CHOOSER_KEY_HOME},    {"8~", CHOOSER_KEY_END},
		{"5~", CHOOSER_KEY_PAGE_UP}, {"6~", CHOOSER_KEY_PAGE_DOWN},
	};
	struct text rest = {t.p + 2, t.n - 2};

	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++)
		if (text_is(rest, sequences[i].text))
			return sequences[i].key;
	return CHOOSER_KEY_NONE;
}

static enum chooser_key plain_key(char c)
{
	static const struct {
		char c;
		enum chooser_key key;
	} keys[] = {
		{'k', CHOOSER_KEY_UP},	     {'j', CHOOSER_KEY_DOWN},
		{' ', CHOOSER_KEY_TOGGLE},   {'g', CHOOSER_KEY_GROUP},
		{'\r', CHOOSER_KEY_ENTER},   {'\n', CHOOSER_KEY_ENTER},
		{'q', CHOOSER_KEY_LEAVE},    {ESCAPE, CHOOSER_KEY_LEAVE},
		{'\x03', CHOOSER_KEY_LEAVE}, /* Ctrl-C, Ctrl-D */
		{'\x04', CHOOSER_KEY_LEAVE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].c == c)
			return keys[i].key;
	return CHOOSER_KEY_NONE;
}

size_t chooser_decode(struct text bytes, bool is_all, enum chooser_key *ret)
{
	size_t n;

	*ret = CHOOSER_KEY_NONE;
	if (bytes.n == 0)
		return 0;
	if (bytes.p[0] != ESCAPE) {
		*ret = plain_key(bytes.p[0]);
		return 1;
	}
	if (bytes.n == 1) {
		*ret = CHOOSER_KEY_LEAVE;
		return is_all ? 1 : 0;
	}
	/* With anything else an escape is the Alt key. */
	if (bytes.p[1] != '[' && bytes.p[1] != 'O')
		return 2;
	n = sequence_length(bytes);
	if (n > 0)
		*ret = sequence_key((struct text){bytes.p, n});
	else if (is_all)
		n = bytes.n;
	return n;
}

static bool is_choice(const struct chooser *c, size_t i)
{
	return c->items[i].kind == CHOOSER_CHOICE;
}

/* The cursor goes to a choice, @steps of them on, or as far as there are any. */
static void move(struct chooser *c, size_t steps, bool is_down)
{
	size_t at = c->cursor;

	while (steps > 0 && (is_down ? at + 1 < c->count : at > 0)) {
		at = is_down ? at + 1 : at - 1;
		if (!is_choice(c, at))
			continue;
		c->cursor = at;
		steps--;
	}
}

bool chooser_start(struct chooser *c)
{
	c->cursor = 0;
	c->top = 0;
	if (c->count == 0)
		return false;
	if (!is_choice(c, 0))
		move(c, 1, true);
	return is_choice(c, c->cursor);
}

/* All of the group, or none of it if all are chosen. */
static void toggle_group(struct chooser *c)
{
	int group = c->items[c->cursor].group;
	bool is_full = true;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < c->count; i++) {
			struct chooser_item *item = &c->items[i];
			bool is_meant = group < 0 ? i == c->cursor : item->group == group;

			if (!is_meant || item->kind != CHOOSER_CHOICE)
				continue;
			if (pass == 0)
				is_full = is_full && item->is_chosen;
			else
				item->is_chosen = !is_full;
		}
}

/* Lines for items: the rest is the foot, and one is left so that nothing scrolls. */
static size_t height(const struct chooser *c)
{
	return MIN(c->count, c->rows - 3);
}

enum chooser_state chooser_press(struct chooser *c, enum chooser_key key)
{
	switch (key) {
	case CHOOSER_KEY_NONE:
		break;
	case CHOOSER_KEY_UP:
		move(c, 1, false);
		break;
	case CHOOSER_KEY_DOWN:
		move(c, 1, true);
		break;
	case CHOOSER_KEY_PAGE_UP:
		move(c, height(c), false);
		break;
	case CHOOSER_KEY_PAGE_DOWN:
		move(c, height(c), true);
		break;
	case CHOOSER_KEY_HOME:
		move(c, c->count, false);
		break;
	case CHOOSER_KEY_END:
		move(c, c->count, true);
		break;
	case CHOOSER_KEY_TOGGLE:
		c->items[c->cursor].is_chosen = !c->items[c->cursor].is_chosen;
		break;
	case CHOOSER_KEY_GROUP:
		toggle_group(c);
		break;
	case CHOOSER_KEY_ENTER:
		return CHOOSER_TAKEN;
	case CHOOSER_KEY_LEAVE:
		return CHOOSER_LEFT;
	}
	return CHOOSER_GO_ON;
}

struct screen {
	struct text_buffer out;
	size_t column;
	size_t columns;
};

/* Text that is made safe and cut at the edge. */
static void put(struct screen *s, const char *text)
{
	struct text t = text_of(text);

	for (; t.n > 0 && s->column + 1 < s->columns; s->column++) {
		size_t n = text_safe_length(t);

		text_add(&s->out, "%.*s", (int)MAX(n, (size_t)1), n > 0 ? t.p : "?");
		n = MAX(n, (size_t)1);
		t.p += n;
		t.n -= n;
	}
}

static void end_line(struct screen *s, const char *end)
{
	text_add(&s->out, CLEAR_LINE "%s", end);
	s->column = 0;
}

/* Not chosen beside one of its group that is. */
static bool is_left_behind(const struct chooser *c, size_t at)
{
	const struct chooser_item *item = &c->items[at];
	size_t first = at;

	if (item->kind != CHOOSER_CHOICE || item->is_chosen || item->group < 0)
		return false;
	while (first > 0 && c->items[first - 1].group == item->group)
		first--;
	for (size_t i = first; i < c->count && c->items[i].group == item->group; i++)
		if (c->items[i].is_chosen)
			return true;
	return false;
}

static void put_item(struct screen *s, const struct chooser *c, size_t i)
{
	const struct chooser_item *item = &c->items[i];

	if (item->kind == CHOOSER_HEAD) {
		put(s, item->text);
	} else {
		put(s, i == c->cursor ? "> " : "  ");
		put(s, item->kind == CHOOSER_FIXED ? " -  "
		       : item->is_chosen	   ? "[x] "
		       : is_left_behind(c, i)	   ? "[!] "
						   : "[ ] ");
		put(s, item->text);
	}
	end_line(s, "\n");
}

/* The cursor in view, with the head of its group where there is room. */
static void scroll(struct chooser *c)
{
	size_t rows = height(c), above = c->cursor;

	while (above > 0 && c->items[above].kind != CHOOSER_HEAD)
		above--;
	if (c->cursor - above >= rows)
		above = c->cursor;
	if (above < c->top)
		c->top = above;
	if (c->cursor >= c->top + rows)
		c->top = c->cursor + 1 - rows;
	c->top = MIN(c->top, c->count - rows);
}

size_t chooser_draw(struct chooser *c, char *buf, size_t size)
{
	struct screen s = {.out = {.buf = buf, .size = size}, .columns = c->columns};
	size_t rows = height(c), chosen = 0;
	bool has_left = false;
	char line[64];

	scroll(c);
	for (size_t i = 0; i < c->count; i++) {
		chosen += c->items[i].is_chosen;
		has_left = has_left || is_left_behind(c, i);
	}
	for (size_t i = 0; i < rows; i++)
		put_item(&s, c, c->top + i);
	snprintf(line, sizeof(line), "%zu chosen%s%s%s", chosen,
		 c->top > 0 ? ", more above" : "",
		 c->top + rows < c->count ? ", more below" : "", has_left ? "; " : "");
	put(&s, line);
	if (has_left)
		put(&s, legend);
	end_line(&s, "\n");
	put(&s, help);
	end_line(&s, "");
	return rows + 2;
}

static bool read_range(struct text word, size_t max, uint64_t *ret_from, uint64_t *ret_to)
{
	struct text last = word, first;

	(void)text_cut(&last, '-', &first);
	if (text_decimal(first, max, ret_from) < 0 || *ret_from == 0)
		return false;
	*ret_to = *ret_from;
	return !last.p || (text_decimal(last, max, ret_to) == 0 && *ret_to >= *ret_from);
}

int chooser_read_numbers(struct text line, size_t max, bool *ret_named,
			 struct text *ret_word)
{
	struct text words, word;

	while (text_word(&line, &words)) {
		while (text_cut(&words, ',', &word)) {
			uint64_t from, to;

			if (word.n == 0)
				continue;
			if (!read_range(word, max, &from, &to)) {
				*ret_word = word;
				return -EINVAL;
			}
			for (uint64_t i = from; i <= to; i++)
				ret_named[i - 1] = true;
		}
	}
	return 0;
}

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
