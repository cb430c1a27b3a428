# Installation below DESTDIR. Images are not rebuilt: the README says how.

INSTALL ?= install
PREFIX ?= /usr
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
UNITDIR ?= $(PREFIX)/lib/systemd/system
# Where Debian's shells look; other distributions' zsh looks in site-functions.
BASH_COMPLETION_DIR ?= $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETION_DIR ?= $(PREFIX)/share/zsh/vendor-completions
FISH_COMPLETION_DIR ?= $(PREFIX)/share/fish/vendor_completions.d
DOCDIR ?= $(PREFIX)/share/doc/earlybind
SCHEMADIR ?= $(PREFIX)/share/earlybind/schema

# PREFIX does not apply to these. /usr/lib/earlybind/binder is the binder's path in every image
# and on every machine: the hooks, the udev rules and rdinit= rely on it. initramfs-tools, dracut
# and mkinitcpio look for hooks in their own folders only, and all programs read
# /etc/earlybind.conf.
OWN_DIR := /usr/lib/earlybind
INITRAMFS_TOOLS_DIR := /usr/share/initramfs-tools
DRACUT_DIR := /usr/lib/dracut/modules.d/50earlybind
MKINITCPIO_DIR := /usr/lib/initcpio
CONFIG := /etc/earlybind.conf
# Where the companion was before version 0.2, and other scripts may still call it: a link replaces
# a program of then, which root's PATH has before the new one. Not where both folders are one.
OLD_PROGRAM := $(PREFIX)/sbin/earlybind

MANUAL_SOURCES := $(sort $(wildcard docs/*.scd))
MANUAL_PAGES := $(patsubst docs/%.scd,$(BUILD)/man/%,$(MANUAL_SOURCES))

# What is installed: MODE:SOURCE:TARGET. No configuration: it is the administrator's alone, and
# "earlybind add" makes it.
INSTALLED := 755:$(BUILD)/binder:$(OWN_DIR)/binder \
	755:dracut-module/shell:$(OWN_DIR)/shell \
	755:initramfs-hooks/image-build:$(OWN_DIR)/image-build \
	755:$(BUILD)/earlybind:$(BINDIR)/earlybind \
	$(foreach file,hooks/earlybind scripts/init-top/00-earlybind, \
		755:initramfs-hooks/$(file):$(INITRAMFS_TOOLS_DIR)/$(file)) \
	$(foreach file,module-setup.sh earlybind.sh, \
		755:dracut-module/50earlybind/$(file):$(DRACUT_DIR)/$(file)) \
	$(foreach unit,earlybind.service earlybind-shell.service, \
		644:dracut-module/50earlybind/$(unit):$(DRACUT_DIR)/$(unit) \
		644:dracut-module/50earlybind/$(unit):$(UNITDIR)/$(unit)) \
	$(foreach file,install/earlybind hooks/earlybind, \
		644:packaging/arch/$(file):$(MKINITCPIO_DIR)/$(file)) \
	$(foreach page,$(MANUAL_PAGES), \
		644:$(page):$(MANDIR)/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page))) \
	644:completions/earlybind.bash:$(BASH_COMPLETION_DIR)/earlybind \
	644:completions/_earlybind:$(ZSH_COMPLETION_DIR)/_earlybind \
	644:completions/earlybind.fish:$(FISH_COMPLETION_DIR)/earlybind.fish \
	$(foreach schema,$(sort $(wildcard docs/schema/*.json)), \
		644:$(schema):$(SCHEMADIR)/$(notdir $(schema))) \
	644:debian/copyright:$(DOCDIR)/copyright \
	644:docs/earlybind.conf:$(DOCDIR)/examples/earlybind.conf

.PHONY: install uninstall manual packages-docs pictures
# Of the README, drawn from text.
pictures:
	$(Q)set -e; for text in docs/pictures/*.txt; do mk/svg.py $$text >$${text%.txt}.svg; done

packages-docs:
	$(Q)PACKAGES=check mk/packages.sh docs

manual: packages-docs
	$(Q)$(MAKE) --no-print-directory $(MANUAL_PAGES)

$(BUILD)/man/%: docs/%.scd
	$(call say,SCDOC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-1795305600} scdoc <$< >$@

install: all manual
	$(Q)set -e; for file in $(INSTALLED); do \
		mode=$${file%%:*} target=$${file##*:} source=$${file#*:}; \
		$(INSTALL) -D -m $$mode "$${source%:*}" "$(DESTDIR)$$target"; \
	done
	$(Q)old="$(DESTDIR)$(OLD_PROGRAM)" new="$(DESTDIR)$(BINDIR)/earlybind"; \
	[ ! -e "$$old" ] || [ "$$old" -ef "$$new" ] || ln -srf "$$new" "$$old"

# Removes the files and the folders that are empty then. The configuration stays. Images keep the
# binder until they are rebuilt.
uninstall:
	$(Q)[ ! -L "$(DESTDIR)$(OLD_PROGRAM)" ] || rm "$(DESTDIR)$(OLD_PROGRAM)"
	$(Q)rm -f $(foreach file,$(INSTALLED),"$(DESTDIR)$(lastword $(subst :, ,$(file)))")
	$(Q)[ ! -e "$(DESTDIR)$(CONFIG)" ] || echo '$(DESTDIR)$(CONFIG) stays'
	$(Q)cd "$(DESTDIR)/" && for folder in $(sort $(dir $(foreach file,$(INSTALLED),$(lastword \
		$(subst :, ,$(file)))))); do \
		[ ! -d ".$$folder" ] || rmdir -p --ignore-fail-on-non-empty "$${folder#/}"; \
	done
