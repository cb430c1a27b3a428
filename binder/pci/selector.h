/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A selector: terms joined by '+', all of which must hold. And the match of IDs that the
 * kernel makes for an entry of a driver's ID table.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bdf.h"
#include "compiler.h"
#include "device.h"
#include "text.h"

#define SLOT_NAME_MAX 63

#define PCI_ANY 0xffffffffu /* the kernel's PCI_ANY_ID */

/* An entry of an ID table: struct pci_device_id of the kernel. */
struct pci_match {
	uint32_t vendor;
	uint32_t device;
	uint32_t subvendor;
	uint32_t subdevice;
	uint32_t class;
	uint32_t class_mask;
};

enum selector_term {
	TERM_ID = 1 << 0,
	TERM_ADDRESS = 1 << 1,
	TERM_CLASS = 1 << 2,
	TERM_PATH = 1 << 3,
	TERM_SERIAL = 1 << 4,
	TERM_SLOT = 1 << 5,
	TERM_ACCEL = 1 << 6,
	TERM_PF = 1 << 7,
};

/* Where a device is, not which one. */
#define PLACE_TERMS (TERM_ADDRESS | TERM_PATH | TERM_SLOT)

struct selector {
	unsigned terms; /* of enum selector_term */
	struct pci_match id;
	struct bdf address;
	bool any_function;
	uint32_t class;
	uint32_t class_mask;
	struct pci_path path;
	uint64_t serial;
	unsigned accel; /* a group of accel.h */
	struct text slot; /* a view of what was parsed */
	struct bdf pf; /* the virtual functions of this one */
};

/* Long enough for every selector that selector_format() writes. */
#define SELECTOR_SIZE 352

/* ---- slot ---- */

/*
 * Physical slots: what /sys/bus/pci/slots calls the place that a card is plugged into. The
 * kernel has them where a hot-plug driver or the firmware registered them.
 */

/*
 * A name that a rule can say: printable ASCII but blanks, quotation marks, ',', '+', ';' and
 * '/'. -EINVAL with position and reason. *ret is a view of @t.
 */
int slot_parse(struct text t, struct text *ret, struct parse_error *reterr) must_check
	nonnull(2, 3);

/*
 * Parses one selector, whole. -EINVAL with position and reason in @reterr.
 * The grammar is described in earlybind.conf(5).
 */
int selector_parse(struct text t, struct selector *ret,
		   struct parse_error *reterr) must_check nonnull(2, 3);

/* The same selector in its normal form: lower case, padded, domain written out. */
const char *selector_format(const struct selector *selector,
			    char buf[static SELECTOR_SIZE]) nonnull(1);

/* By what is known of the device: a term about what is not known does not hold. */
bool selector_has_match(const struct selector *selector, const struct pci_device *device)
	nonnull(1, 2);

/* Whether its terms about what is always known hold: the ID, the address, the class. */
bool selector_has_near_match(const struct selector *selector,
			     const struct pci_device *device) nonnull(1, 2);

/* What must be read (of enum pci_fact) to know whether it matches, since all else does. */
unsigned selector_open_facts(const struct selector *selector,
			     const struct pci_device *device) nonnull(1, 2);

/* Whether the selector names this address (if it names one at all). */
bool selector_is_address_of(const struct selector *selector, struct bdf bdf) nonnull(1);

/*
 * Whether the path of the selector (if it has one) leads to the device: it is that function,
 * or below it. Never to a bridge, so that the path of a root port means the card behind it.
 */
bool selector_is_path_of(const struct selector *selector, const struct pci_device *device)
	nonnull(1, 2);

/* The same for its slot: whether the device is in it. Never a bridge. */
bool selector_is_slot_of(const struct selector *selector, const struct pci_device *device)
	nonnull(1, 2);

/* Whether it tells a device from others wherever it is: by a serial number, an ID, accel=. */
bool selector_has_identity(const struct selector *selector) nonnull(1);

/* The same terms but those of @terms (enum selector_term). */
struct selector selector_without(const struct selector *selector, unsigned terms)
	nonnull(1);

/* Class 06 is a bridge, but for 0680, which holds endpoints too, such as NVSwitch. */
bool pci_is_bridge_class(const struct pci_ids *ids) nonnull(1);

/* drivers/pci/pci.h: pci_match_one_device() */
bool pci_match_has(const struct pci_match *match, const struct pci_ids *ids)
	nonnull(1, 2);

/* Whether both are written the same way in their normal form. */
bool selector_is_same(const struct selector *a, const struct selector *b) nonnull(1, 2);
