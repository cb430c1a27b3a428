# The RPM package, by rpmbuild (Fedora's, openSUSE's or Debian's), from what "make dist" writes.

RPM_TOP := $(BUILD)/rpm

.PHONY: rpm
# --nodeps where the packages are not RPM's own: mk/packages.sh has looked for them.
rpm: dist
	$(Q)PACKAGES=check mk/packages.sh build docs rpm
	$(Q)rm -rf $(RPM_TOP) && mkdir -p $(RPM_TOP)
	$(Q)env -u MAKEFLAGS -u MAKELEVEL SOURCE_DATE_EPOCH=$(DIST_EPOCH) rpmbuild \
		$(if $(wildcard /etc/debian_version),--nodeps) -ba --quiet \
		--define '_topdir $(CURDIR)/$(RPM_TOP)' --define '_sourcedir $(CURDIR)/$(DIST)' \
		--define 'earlybind_version $(DEB_VERSION)' \
		--define 'use_source_date_epoch_as_buildtime 1' \
		--define '_tmppath $(CURDIR)/$(RPM_TOP)' \
		--define 'clamp_mtime_to_source_date_epoch 1' --define '_buildhost localhost' \
		packaging/rpm/earlybind.spec >$(DIST)/rpm.log 2>&1 || { cat $(DIST)/rpm.log; false; }
	@ls $(RPM_TOP)/RPMS/*/*.rpm $(RPM_TOP)/SRPMS/*.rpm
