/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a card was when the image was built: "known SELECTOR ID[,ID...]", recorded by
 * "earlybind embed" for rules that name a place or a serial number and no device ID. It binds nothing.
 * An FPGA that was given another image has another ID, and a rule of that kind still holds; then
 * this is how it can be told.
 */
#pragma once

#include <stdbool.h>

#include "arena.h"
#include "compiler.h"
#include "policy.h"

#define KNOWN_IDS_MAX 8 /* of one selector: a card has that many functions */

/* "10ee:5000:10ee:000e" */
#define KNOWN_ID_SIZE sizeof("vvvv:dddd:ssss:dddd")

struct known {
	const char *selector; /* in normal form */
	struct text ids; /* joined by commas */
	struct origin origin;
};

/* Adds one line to @policy. What is wrong with it is a problem. */
void known_add(struct policy *policy, struct text selector, struct text ids,
	       const struct origin *origin) nonnull(1, 4);

/* Whether @selector is of the kind that goes with a known line. */
bool known_has_use(const struct selector *selector) nonnull(1);

/* "10ee:5000:10ee:000e" of a known line. 0, or -1. */
int recorded_id_parse(struct text t, struct pci_match *ret) must_check nonnull(2);
