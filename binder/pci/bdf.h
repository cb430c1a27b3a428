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

/* The kernel's name of a function, as below /sys/bus/pci/devices. -EINVAL otherwise. */
int bdf_parse(struct text t, struct bdf *ret) must_check nonnull(2);

/*
 * An address as people write it: "[domain:]bus:device.function", where the function may
 * be "*" if @ret_any_function is not NULL. -EINVAL with the offset of the error.
 */
int bdf_parse_loose(struct text t, struct bdf *ret, bool *ret_any_function,
		    struct parse_error *reterr) must_check nonnull(2, 4);

/* Only "device.function": what has no bus in it is 0 in @ret. */
int bdf_parse_slot(struct text t, struct bdf *ret, bool *ret_any_function,
		   struct parse_error *reterr) must_check nonnull(2, 4);

const char *bdf_format(struct bdf bdf, char buf[static BDF_SIZE]);
int bdf_compare(struct bdf a, struct bdf b);
bool bdf_is_same_slot(struct bdf a, struct bdf b);
