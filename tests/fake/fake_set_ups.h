/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What scenarios make of the Alveo machine: vfio-pci, its modules, and what it has taken. */
#pragma once

#include "fake_world.h"

#define VARIANT "nvgrace-gpu-vfio-pci" /* its module has another name */

void set_up_grabbed(struct fake_world *w);
void set_up_built_in(struct fake_world *w);
void set_up_lost_claim(struct fake_world *w);
void set_up_missing_module(struct fake_world *w);
void set_up_hung_module(struct fake_world *w);
void set_up_no_index(struct fake_world *w);
void set_up_refusal(struct fake_world *w);
void set_up_refusal_free(struct fake_world *w);
void set_up_slow_native_back(struct fake_world *w);
void set_up_failing_native_back(struct fake_world *w);
void set_up_hung_native_back(struct fake_world *w);
void set_up_deferred_for_ever(struct fake_world *w);
void set_up_supplier(struct fake_world *w);
void set_up_late_group(struct fake_world *w);
void set_up_no_iommu(struct fake_world *w);
void set_up_taken_by_ids(struct fake_world *w);
void set_up_taken_before(struct fake_world *w);
void set_up_taken_for_long(struct fake_world *w);
void set_up_taken_by_hand(struct fake_world *w);
void set_up_variant(struct fake_world *w);
void set_up_variant_of_grabbed(struct fake_world *w);
void set_up_variant_fails(struct fake_world *w);
void set_up_stub(struct fake_world *w);
void set_up_stub_grabbed(struct fake_world *w);
void set_up_missing_stub(struct fake_world *w);
