/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#define EARLYBIND_VERSION "0.2.0"
