# A Debian package of what `make install` installs. Fixed times and owners: the same source
# gives the same bytes.

DEB_VERSION := $(shell sed -n 's/.*EARLYBIND_VERSION "\(.*\)"/\1/p' binder/base/version.h)
DEB_ARCH = $(shell dpkg --print-architecture)
DEB_EPOCH = $${SOURCE_DATE_EPOCH:-1795305600}
DEB_ROOT := $(BUILD)/deb/root
# Whatever the environment says, a package has Debian's folders.
DEB_PATHS := PREFIX=/usr SBINDIR=/usr/sbin MANDIR=/usr/share/man UNITDIR=/usr/lib/systemd/system

.PHONY: deb
deb:
	$(Q)rm -rf $(BUILD)/deb
	$(Q)$(MAKE) --no-print-directory install DESTDIR=$(DEB_ROOT) $(DEB_PATHS)
	$(Q)gzip -9n $(DEB_ROOT)/usr/share/man/man?/*
	$(Q)$(INSTALL) -D -m 644 packaging/debian/copyright \
		$(DEB_ROOT)/usr/share/doc/earlybind/copyright
	$(Q)$(INSTALL) -d $(DEB_ROOT)/DEBIAN
	$(Q)sed -e 's/@VERSION@/$(DEB_VERSION)/' -e "s/@ARCH@/$(DEB_ARCH)/" \
		-e "s/@SIZE@/$$(du -sk --apparent-size $(DEB_ROOT) | cut -f 1)/" \
		packaging/debian/control >$(DEB_ROOT)/DEBIAN/control
	$(Q)$(INSTALL) -m 644 packaging/debian/conffiles packaging/debian/triggers \
		$(DEB_ROOT)/DEBIAN
	$(Q)SOURCE_DATE_EPOCH=$(DEB_EPOCH) dpkg-deb --root-owner-group -Zxz --build \
		$(DEB_ROOT) $(BUILD)/earlybind_$(DEB_VERSION)_$(DEB_ARCH).deb >/dev/null
	$(Q)ln -sf earlybind_$(DEB_VERSION)_$(DEB_ARCH).deb $(BUILD)/earlybind.deb
	@echo $(BUILD)/earlybind_$(DEB_VERSION)_$(DEB_ARCH).deb
