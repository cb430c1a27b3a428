# shellcheck shell=sh
# Verdicts have their colour on a terminal, in all commands; with NO_COLOR, on a dumb terminal and
# in a file the text is the same without.
# Needs: check

colors_on() { # VARIABLE=VALUE WORD... : what the terminal gets
	script -qec "stty cols 80; exec env -u NO_COLOR -u COLUMNS LC_ALL=C.UTF-8 $* 2>/dev/null" \
		/dev/null </dev/null | tr -d '\r'
}
escape=$(printf '\033')
colors_same() { # CODE PATTERN COMMAND WORD...: that colour is in front of what matches
	color=$1 pattern=$2
	shift 2
	colors_on TERM=xterm "$EARLYBIND" "$@" >colored.txt
	colors_on TERM=xterm NO_COLOR=1 "$EARLYBIND" "$@" >plain.txt
	colors_on TERM=dumb "$EARLYBIND" "$@" >dumb.txt
	"$EARLYBIND" "$@" >file.txt 2>err.txt || true
	grep -q "$escape\\[${color}m *$pattern" colored.txt &&
		! grep -q "$escape" plain.txt && ! grep -q "$escape" dumb.txt && ! grep -q "$escape" file.txt &&
		sed "s/$escape\\[[0-9]*m//g" colored.txt | diff - plain.txt && diff plain.txt dumb.txt
}
check colors-check colors_same 32 pass check --sysroot doctor
check colors-check-fails colors_same 31 FAIL check --sysroot doctor-drift
check colors-plan colors_same 32 recover: plan --sysroot alveo
check colors-plan-refused colors_same 31 refuse: plan --sysroot refused
check colors-plan-group colors_same 31 'not viable' plan --sysroot alveo
check colors-status colors_same 32 'bound to vfio-pci' status --sysroot bound
check colors-status-changed colors_same 33 'bound to vfio-pci' status --sysroot changed
check colors-status-fails colors_same 31 'not bound' status --sysroot failed
check colors-explain colors_same 1 'device:' explain --sysroot bound 01:00.0
check colors-explain-why colors_same 31 why: explain --sysroot refused 02:00.0
check colors-list colors_same 1 ADDRESS list --sysroot busy
check colors-import colors_same 32 'is bound to' import --sysroot alveo
check colors-import-refused colors_same 31 'is not bound:' import --sysroot drift
check colors-cmdline colors_same 32 on cmdline --sysroot bound
check colors-cmdline-off colors_same 31 off cmdline --sysroot no-iommu
check colors-add-bound colors_same 32 'will be bound to' add 02:00.1 --dry-run --sysroot alveo
check colors-add-off colors_same 31 'the next boot does not bind it:' \
	add 00:1a.0 --dry-run --sysroot hpe
check colors-add colors_same 31 'not viable' add 01:00.0 --dry-run --force --sysroot groups

# JSON has none, on a terminal either.
colors_json() {
	colors_on TERM=xterm "$EARLYBIND" add 02:00.1 --dry-run --json --sysroot alveo >colored.json
	jq -e '.schema == 1' colored.json >/dev/null && ! grep -q 'u001b' colored.json
}
check colors-json colors_json

# --color means the same for all commands, behind them and in front.
colors_asked() { # COMMAND WORD...
	"$EARLYBIND" "$@" >file.txt 2>err.txt || true
	! grep -q "$escape" file.txt || return
	"$EARLYBIND" "$@" --color always >colored.txt 2>err.txt || true
	grep -q "$escape" colored.txt || return
	"$EARLYBIND" --color=always "$@" 2>err.txt | cmp - colored.txt || return
	colors_on TERM=xterm "$EARLYBIND" "$@" --color never >plain.txt
	! grep -q "$escape" plain.txt
}
check colors-asked-list colors_asked list --sysroot busy
check colors-asked-plan colors_asked plan --sysroot alveo
check colors-asked-check colors_asked check --sysroot doctor
check colors-asked-status colors_asked status --sysroot bound
check colors-asked-explain colors_asked explain --sysroot bound 01:00.0
check colors-asked-add colors_asked add 01:00.0 --dry-run --force --sysroot groups
# shellcheck disable=SC2016 # not for this shell
check colors-asked-json sh -c '"$0" plan --sysroot alveo --json --color always | jq -e .schema' "$EARLYBIND"
colors_wrong() { # COMMAND WORD...
	code=0
	"$EARLYBIND" "$@" --color sometimes >out.txt 2>err.txt || code=$?
	[ "$code" -eq 2 ] && [ ! -s out.txt ] &&
		grep -qx "earlybind: $1: --color is auto, always or never, not \"sometimes\"" err.txt
}
colors_taken() { # COMMAND
	colors_wrong "$1" && "$EARLYBIND" "$1" --help | grep -q -e '^  --color WHEN ' &&
		"$EARLYBIND" complete "$1" --color al | grep -q '^always'
}
for command in list plan add remove keep select import check apply cmdline status explain bind \
	release capture export embed image; do
	check "colors-option-$command" colors_taken "$command"
done
