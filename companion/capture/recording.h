/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that "earlybind capture" wrote, in place of a tree: --sysroot FILE. */
#pragma once

#include "compiler.h"

/*
 * @path itself if it is a folder, or nothing. A recording, compressed by gzip or not, is unpacked
 * into a folder of our own, which goes when the program ends; its name is returned. NULL: said.
 */
const char *recording_open(const char *path) nonnull(1);
