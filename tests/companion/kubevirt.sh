#!/bin/bash
# What "earlybind export kubevirt" prints, read by KubeVirt's own model of its configuration: the
# program text that is generated of its OpenAPI document and published for its user interface.
#
# Usage: tests/companion/kubevirt.sh      after "make"; results go to $RESULTS. A part of make test-all
# shellcheck disable=SC2317 # functions are called through check
set -eu -o pipefail

TOP=$(realpath "$(dirname "$0")/../..")
# shellcheck source=tests/packages/check.sh
. "$TOP/tests/packages/check.sh"
RESULTS=$(realpath "${RESULTS:-$TOP/build/results.tsv}")
PACKAGE=@kubevirt-ui-ext/kubevirt-api@1.7.0
INTEGRITY=sha512-FG/kkL5fR3relVUoWimvqYqiSMuW95L4hor8HW7TVUPbUnxgvkh9L1RxNEMN6cgnQ+I7LlrPZhsSSUxt8+vd/g==
EARLYBIND=${EARLYBIND:-$TOP/build/earlybind}
export EARLYBIND
work=$TOP/build/kubevirt
rm -rf "$work"
mkdir -p "$work"
cd "$work"

# Nothing of the package runs while it is fetched, and its bytes are those that were looked at.
fetch() {
	npm pack --ignore-scripts "$PACKAGE" && mv kubevirt-ui-ext-*.tgz model.tgz &&
		[ "sha512-$(openssl dgst -sha512 -binary model.tgz | base64 -w0)" = "$INTEGRITY" ] &&
		tar -xzf model.tgz
}

# What the model does not know it leaves out, and what it misses it says.
cat >read.cjs <<'END'
const model = require("./package/dist/kubevirt/index.cjs");
const given = JSON.parse(require("fs").readFileSync(0, "utf8")).permittedHostDevices;
const read = model.V1PermittedHostDevicesToJSON(model.V1PermittedHostDevicesFromJSON(given));
if (JSON.stringify(read) !== JSON.stringify(given) || given.pciHostDevices.length < 1 ||
    !given.pciHostDevices.every((d) => model.instanceOfV1PciHostDevice(d)))
	throw new Error(JSON.stringify(read) + " is not " + JSON.stringify(given));
END

is_read() { # TREE
	"$TOP/tests/companion/mktree.py" "$TOP/tests/companion/trees/$1.tree" "$1"
	"$TOP/tests/companion/exports.py" kubevirt "$1" >"$1.json"
	node read.cjs <"$1.json"
}

is_refused() { # WORD WORD
	sed "s/$1/$2/" four-gpus-bound.json >damaged.json
	! node read.cjs <damaged.json
}

command -v npm >/dev/null || "$TOP/mk/packages.sh" npm
check "the model is fetched" fetch
check "export kubevirt: two cards of two functions" is_read four-gpus-bound
check "export kubevirt: a card" is_read bound
check "a field that is missing is seen" is_refused pciVendorSelector vendor
check "another field is seen" is_refused '"resourceName"' '"more": 1, "resourceName"'
exit $status
