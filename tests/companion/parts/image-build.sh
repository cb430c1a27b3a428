# shellcheck shell=sh
# image-build, which the hooks of all generators call: a companion that hangs costs one wait.
# shellcheck disable=SC2154 # here, work and so on are of run.sh

mkdir -p "$work/image-build/root"
cd "$work/image-build" || exit
cp "$BINDER" binder
printf '#!/bin/sh\necho called >>"%s/calls"\nexec sleep 30\n' "$PWD" >earlybind
chmod +x earlybind
# With a program and a binder of its own, and a second for a minute.
sed -e "s|^\(\tfor folder in\) .*; do|\1 $PWD; do|" -e "s|^binder=.*|binder=$PWD/binder|" \
	-e 's/timeout -k 5 60/timeout -k 5 1/' "$here/../../initramfs-hooks/image-build" >image-build.sh
hanging() {
	: >calls
	sh image-build.sh embed "$PWD/root" >out.txt 2>err.txt || return
	grep -q 'embed failed (exit code 124)' err.txt || return
	sh image-build.sh modules "$PWD/modules" "$PWD/root" --generic >out.txt || return
	[ "$(cat out.txt)" = 'vfio_pci vfio_iommu_type1' ] && [ "$(wc -l <calls)" -eq 1 ]
}
check image-build-hanging hanging
# One that works is asked both times, with the words that it had before.
working() {
	: >calls
	rm -rf root/*
	printf '#!/bin/sh\necho "$*" >>"%s/calls"\n' "$PWD" >earlybind
	sh image-build.sh embed "$PWD/root" >out.txt 2>err.txt || return
	sh image-build.sh modules "$PWD/modules" "$PWD/root" --generic >out.txt || return
	cat calls
	grep -q "^embed --image-build --generic --modules $PWD/modules\$" calls && [ "$(wc -l <calls)" -eq 2 ]
}
check image-build-working working
cd "$work" || exit
