# Installation below DESTDIR. Images are not rebuilt: the README says how.

INSTALL ?= install
MANUAL_SOURCES := $(sort $(wildcard docs/*.scd))
MANUAL_PAGES := $(patsubst docs/%.scd,$(BUILD)/man/%,$(MANUAL_SOURCES))

.PHONY: install uninstall manual packages-docs
packages-docs:
	$(Q)mk/packages.sh docs

manual: packages-docs
	$(Q)$(MAKE) --no-print-directory $(MANUAL_PAGES)

$(BUILD)/man/%: docs/%.scd
	$(call say,SCDOC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-1795305600} scdoc <$< >$@

# Files that are laid out in the source as they are installed.
INITRAMFS_FILES := hooks/earlybind scripts/init-top/00-earlybind
DRACUT_SCRIPTS := 50earlybind/module-setup.sh 50earlybind/earlybind.sh
UNITS := earlybind.service earlybind-shell.service
MKINITCPIO_FILES := install/earlybind hooks/earlybind

# Where Debian's shells look; other distributions' zsh looks in site-functions.
BASH_COMPLETION := /usr/share/bash-completion/completions/earlybind
ZSH_COMPLETION ?= /usr/share/zsh/vendor-completions/_earlybind
FISH_COMPLETION := /usr/share/fish/vendor_completions.d/earlybind.fish

install: all manual
	$(Q)$(INSTALL) -D -m 755 $(BUILD)/binder $(DESTDIR)/usr/lib/earlybind/binder
	$(Q)$(INSTALL) -D -m 755 $(BUILD)/earlybind $(DESTDIR)/usr/sbin/earlybind
	$(Q)for file in $(INITRAMFS_FILES); do \
		$(INSTALL) -D -m 755 initramfs-hooks/$$file \
			$(DESTDIR)/usr/share/initramfs-tools/$$file || exit 1; \
	done
	$(Q)for file in $(DRACUT_SCRIPTS); do \
		$(INSTALL) -D -m 755 dracut-module/$$file \
			$(DESTDIR)/usr/lib/dracut/modules.d/$$file || exit 1; \
	done
	$(Q)for unit in $(UNITS); do \
		$(INSTALL) -D -m 644 dracut-module/50earlybind/$$unit \
			$(DESTDIR)/usr/lib/dracut/modules.d/50earlybind/$$unit && \
		$(INSTALL) -D -m 644 dracut-module/50earlybind/$$unit \
			$(DESTDIR)/usr/lib/systemd/system/$$unit || exit 1; \
	done
	$(Q)$(INSTALL) -D -m 755 dracut-module/shell $(DESTDIR)/usr/lib/earlybind/shell
	$(Q)for file in $(MKINITCPIO_FILES); do \
		$(INSTALL) -D -m 755 packaging/arch/$$file \
			$(DESTDIR)/usr/lib/initcpio/$$file || exit 1; \
	done
	$(Q)for page in $(MANUAL_PAGES); do \
		$(INSTALL) -D -m 644 $$page \
			$(DESTDIR)/usr/share/man/man$${page##*.}/$${page##*/} || exit 1; \
	done
	$(Q)$(INSTALL) -D -m 644 completions/earlybind.bash $(DESTDIR)$(BASH_COMPLETION)
	$(Q)$(INSTALL) -D -m 644 completions/_earlybind $(DESTDIR)$(ZSH_COMPLETION)
	$(Q)$(INSTALL) -D -m 644 completions/earlybind.fish $(DESTDIR)$(FISH_COMPLETION)
	$(Q)[ -e $(DESTDIR)/etc/earlybind.conf ] || \
		$(INSTALL) -D -m 644 docs/earlybind.conf $(DESTDIR)/etc/earlybind.conf

# Leaves /etc/earlybind.conf. Images keep the binder until they are rebuilt.
uninstall:
	$(Q)rm -f $(addprefix $(DESTDIR)/usr/lib/earlybind/,binder shell) \
		$(DESTDIR)/usr/sbin/earlybind
	$(Q)rm -f $(patsubst %,$(DESTDIR)/usr/share/initramfs-tools/%,$(INITRAMFS_FILES))
	$(Q)rm -rf $(DESTDIR)/usr/lib/dracut/modules.d/50earlybind
	$(Q)rm -f $(patsubst %,$(DESTDIR)/usr/lib/initcpio/%,$(MKINITCPIO_FILES))
	$(Q)rm -f $(addprefix $(DESTDIR)/usr/lib/systemd/system/,$(UNITS))
	$(Q)rm -f $(addprefix $(DESTDIR),$(BASH_COMPLETION) $(ZSH_COMPLETION) $(FISH_COMPLETION))
	$(Q)rmdir $(DESTDIR)/usr/lib/earlybind 2>/dev/null || true
