# Packages: the tarball of the sources, Debian's source package, and the Debian package of what
# "make install" installs. Fixed times, owners and modes: the same source gives the same bytes.

DEB_VERSION := $(shell sed -n 's/.*EARLYBIND_VERSION "\(.*\)"/\1/p' binder/base/version.h)
DEB_ARCH = $(shell dpkg --print-architecture)
DEB_WORK := $(BUILD)/deb
DIST := $(BUILD)/dist
DIST_NAME := earlybind-$(DEB_VERSION)
# As debian/changelog says: dpkg takes its time for what is in the package.
DIST_EPOCH = $${SOURCE_DATE_EPOCH:-1795305600}
# $(call tarball,FILE,FOLDER): FOLDER of $(DIST), whatever the umask and the clock are
tarball = tar -C $(DIST) --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
	--mode=u+rw,go=rX --mtime=@$(DIST_EPOCH) -c $(2) | xz -6 -T1 >$(1)
# In a folder that is no git clone, as the unpacked tarball, all that make has not made.
DIST_FILES = if [ -e .git ]; then git ls-files -z; \
	else find . -path ./$(BUILD) -prune -o -path ./distfiles -prune -o -type f -printf '%P\0'; fi

.PHONY: dist deb deb-source lintian packages-deb
packages-deb:
	$(Q)PACKAGES=check mk/packages.sh package

# With it: the third-party sources, for DISTFILES=.
dist:
	$(Q)rm -rf $(DIST)
	$(Q)mkdir -p $(DIST)/$(DIST_NAME) $(DIST)/distfiles
	$(Q)$(DIST_FILES) | xargs -0 cp -P --parents -t $(DIST)/$(DIST_NAME)
	$(Q)BUILD=$(BUILD) third_party/fetch.sh -o $(DIST)/distfiles
	$(Q)$(call tarball,$(DIST)/$(DIST_NAME).tar.xz,$(DIST_NAME))
	$(Q)$(call tarball,$(DIST)/$(DIST_NAME)-distfiles.tar.xz,distfiles)
	@echo $(DIST)/$(DIST_NAME).tar.xz $(DIST)/$(DIST_NAME)-distfiles.tar.xz

deb-source: packages-deb dist
	$(Q)ln -f $(DIST)/$(DIST_NAME).tar.xz $(DIST)/earlybind_$(DEB_VERSION).orig.tar.xz
	$(Q)ln -f $(DIST)/$(DIST_NAME)-distfiles.tar.xz \
		$(DIST)/earlybind_$(DEB_VERSION).orig-distfiles.tar.xz
	$(Q)mv $(DIST)/distfiles $(DIST)/$(DIST_NAME)
	$(Q)chmod -R u+rw,go=rX $(DIST)/$(DIST_NAME)
	$(Q)cd $(DIST) && SOURCE_DATE_EPOCH=$(DIST_EPOCH) dpkg-source -b $(DIST_NAME) >/dev/null
	@ls $(DIST)/*.dsc

# debian/rules beside the programs that are built here already.
deb: packages-deb all manual
	$(Q)rm -rf $(DEB_WORK)
	$(Q)mkdir -p $(DEB_WORK)/source
	$(Q)cp -R debian CHANGELOG.md $(DEB_WORK)/source
	$(Q)cd $(DEB_WORK)/source && env -u MAKEFLAGS -u MAKELEVEL DEB_RULES_REQUIRES_ROOT=no \
		DH_QUIET=1 debian/rules binary TOP=$(CURDIR) BUILD=$(BUILD) >../log 2>&1 || \
		{ cat ../log; false; }
	$(Q)mv $(DEB_WORK)/earlybind_$(DEB_VERSION)-*_$(DEB_ARCH).deb \
		$(BUILD)/earlybind_$(DEB_VERSION)_$(DEB_ARCH).deb
	$(Q)ln -sf earlybind_$(DEB_VERSION)_$(DEB_ARCH).deb $(BUILD)/earlybind.deb
	@echo $(BUILD)/earlybind_$(DEB_VERSION)_$(DEB_ARCH).deb

# What Debian's own checks say of both packages; an override has its reason beside it.
lintian: deb deb-source
	$(Q)mk/packages.sh lintian
	$(Q)lintian --allow-root --fail-on error,warning --tag-display-limit 0 \
		$(BUILD)/earlybind_$(DEB_VERSION)_$(DEB_ARCH).deb $(DIST)/earlybind_$(DEB_VERSION)-*.dsc
	@echo 'lintian: no errors, no warnings'
