/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes out of a recording what is nobody's business. Every function writes over the text in
 * place: what is left keeps its length, its lines and its columns, so that messages about it
 * stay right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

/*
 * In any text: UUIDs and MAC addresses become x's. Unless @with_serial, the serial numbers of
 * PCIe devices, also those in rules, become zeros.
 */
void redact_text(char *p, size_t n, bool with_serial) nonnull(1);

/*
 * In a kernel command line: the values of all parameters that are not known to be harmless
 * become x's, also words without a value that speak of a secret, and all behind "--".
 */
void redact_cmdline(char *p, size_t n) nonnull(1);

/* In a configuration: comments become blanks. */
void redact_comments(char *p, size_t n) nonnull(1);

/*
 * In a configuration space of @n bytes: the capability Device Serial Number (PCI Express Base
 * Specification, 7.9.3) becomes zeros.
 */
void redact_config_space(unsigned char *p, size_t n) nonnull(1);
