/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PCI address: domain:bus:device.function. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "text.h"

/* Domains wider than 16 bits exist (Intel VMD starts at 10000); 8 digits is the limit. */
#define BDF_SIZE sizeof("ffffffff:ff:1f.7")

struct bdf {
	uint32_t domain;
	uint8_t bus;
	uint8_t device;
	uint8_t function;
};

/* Below the root. Six Thunderbolt docks in a row and a card with a switch make 15. */
#define PATH_HOPS_MAX 16
#define PATH_SIZE     (BDF_SIZE + PATH_HOPS_MAX * sizeof("1f.7"))

struct pci_path {
	struct bdf root;
	uint8_t hop_count; /* PATH_HOPS_MAX + 1: more than these */
	uint8_t hops[PATH_HOPS_MAX]; /* device << 3 | function */
	bool any_function; /* of the last hop: a pattern */
};

/* The kernel's name of a function, as below /sys/bus/pci/devices. -EINVAL otherwise. */
int bdf_parse(struct text t, struct bdf *ret) must_check nonnull(2);

/*
 * An address as people write it: "[domain:]bus:device.function", where the function may
 * be "*" if @ret_any_function is not NULL. -EINVAL with the offset of the error.
 */
int bdf_parse_loose(struct text t, struct bdf *ret, bool *ret_any_function,
		    struct parse_error *reterr) must_check nonnull(2, 4);

const char *bdf_format(struct bdf bdf, char buf[static BDF_SIZE]);
int bdf_compare(struct bdf a, struct bdf b);
/* The same of two struct bdf, for qsort() and bsearch(). */
int bdf_order(const void *a, const void *b);
bool bdf_is_same_slot(struct bdf a, struct bdf b);

/* ---- path ---- */

/*
 * The path of a PCI function: a function on a root bus, then device and function of each hop
 * behind a bridge. The numbers of the buses in between, which change when a card is added,
 * are no part of it.
 */

/*
 * "[domain:]bus:device.function[/device.function...]", where the last function may be "*".
 * -EINVAL with position and reason.
 */
int path_parse(struct text t, struct pci_path *ret, struct parse_error *reterr) must_check
	nonnull(2, 3);

/*
 * The target of a link in /sys/bus/pci/devices: "../../../devices/pci0000:00/0000:00:01.0/
 * 0000:01:00.0". What is no PCI address (the root complex, the one that a VMD controller
 * makes, a platform device) is no hop. -EINVAL if the last component is no address.
 */
int path_parse_link(struct text target, struct pci_path *ret) must_check nonnull(2);

const char *path_format(const struct pci_path *path, char buf[static PATH_SIZE])
	nonnull(1);

/* Whether @path is what @pattern names, or is below it. */
bool path_has(const struct pci_path *pattern, const struct pci_path *path) nonnull(1, 2);
