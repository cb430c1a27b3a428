/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a device was not bound: one list, reason.def. */
#pragma once

#include "compiler.h"

enum reason {
#define REASON(name, word, sentence) REASON_##name,
#include "reason.def"
#undef REASON
	REASON_COUNT
};

/* Long enough for every sentence with its detail; a longer detail is cut. */
#define REASON_MESSAGE_SIZE 384

/* The stable word for scripts, "" for REASON_NONE. */
const char *reason_word(enum reason reason);

/* The sentence with its detail put in, into @buf. */
const char *reason_message(enum reason reason, const char *detail,
			   char buf[static REASON_MESSAGE_SIZE]);

/*
 * The message about a rule that names no device, into @buf; @elsewhere says where its device is
 * instead, NULL: nowhere.
 */
const char *reason_missing(const char *elsewhere, char buf[static REASON_MESSAGE_SIZE]);
