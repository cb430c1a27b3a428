/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "by_hand.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "commands.h"
#include "message.h"
#include "command_output.h"
#include "reason.h"

/* Those that a terminal, a session or a pipe sends. A worker inherits that they are held. */
static sigset_t held_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGPIPE};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	return set;
}

static void hold_signals(int how)
{
	sigset_t set = held_signals();

	(void)sigprocmask(how, &set, NULL);
}

bool by_hand_has_signal(void)
{
	sigset_t set, held = held_signals();

	if (sigpending(&set) < 0)
		return false;
	/* A reader that is gone ends nothing. */
	sigdelset(&held, SIGPIPE);
	sigandset(&set, &set, &held);
	return !sigisemptyset(&set);
}

void by_hand_end(struct by_hand *h)
{
	world_close(h->world);
	fflush(stdout);
	hold_signals(SIG_UNBLOCK);
}

static int check_conditions(struct by_hand *h)
{
	if (h->words.count == 0) {
		say_error(
			"%s: name a device: an address as 01:00.0, or another selector; "
			"\"earlybind list\" shows them",
			h->command);
		return EXIT_WRONG_USAGE;
	}
	if (h->sysroot && !h->is_dry_run) {
		say_error(
			"%s: a tree of files is no machine: --sysroot goes with --dry-run",
			h->command);
		return EXIT_WRONG_USAGE;
	}
	if (selection_parse(h->command, &h->words, &h->selection) < 0)
		return EXIT_WRONG_USAGE;
	if (!h->is_dry_run && geteuid() != 0) {
		say_error("%s: only root may do that: sudo earlybind %s %s", h->command,
			  h->command, h->words.items[0]);
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

int by_hand_begin(struct by_hand *h)
{
	static const struct strings none;
	int r, code = check_conditions(h);

	if (code != EXIT_OK)
		return code;
	if (!h->is_dry_run)
		hold_signals(SIG_BLOCK);
	if (open_world(h->sysroot, &h->world) < 0)
		return EXIT_FAILED;
	r = inventory_read(h->world, h->arena, selection_filter, &h->selection, &h->now);
	if (r == 0)
		r = guards_read(h->world, h->arena, h->sysroot, &h->guards);
	if (r < 0) {
		say_no_inventory(r);
		return EXIT_FAILED;
	}
	if (sources_read(h->world, h->arena, &none, &h->sources) < 0 ||
	    next_boot_read(h->world, h->arena, &h->sources, NULL, &h->files, &h->next) <
		    0)
		return EXIT_FAILED;
	return selection_say_missing(&h->selection, &h->now) > 0 ? EXIT_FAILED : EXIT_OK;
}

static int set_limit(const struct by_hand *h, const char *name, const char *value,
		     unsigned *ret)
{
	uint64_t number;

	if (!value)
		return EXIT_OK;
	if (text_decimal(text_of(value), TIMEOUT_MAX, &number) < 0 || number == 0) {
		say_error("%s: --%s %s: a timeout is 1 to %d seconds", h->command, name,
			  value, TIMEOUT_MAX);
		return EXIT_WRONG_USAGE;
	}
	*ret = (unsigned)number;
	return EXIT_OK;
}

int by_hand_set_limits(const struct by_hand *h, struct policy *policy)
{
	int code;

	policy->timeout = h->next.policy.timeout;
	policy->recovery_timeout = h->next.policy.recovery_timeout;
	code = set_limit(h, "timeout", h->timeout, &policy->timeout);
	if (code == EXIT_OK)
		code = set_limit(h, "recovery-timeout", h->recovery_timeout,
				 &policy->recovery_timeout);
	return code;
}
