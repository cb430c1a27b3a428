# shellcheck shell=sh
# shellcheck disable=SC2154 # here is of run.sh
# Plain English: no sentence of the programs and of the documentation is long, and the README has at
# most 1,200 words.

check sentences-are-short "$here/longest.py" --most 30
readme_is_short() {
	[ "$(wc -w <"$here/../../README.md")" -le 1200 ]
}
check sentences-of-the-readme readme_is_short
