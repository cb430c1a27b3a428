# shellcheck shell=sh
# The candidates that the program gives, and that each shell offers them.

# shellcheck disable=SC2154 # of run.sh
completions=$here/../../completions
for words in 'l' 'export ' 'export q' 'export qemu ' 'plan --' 'plan --cm' \
	'plan --kernel ' 'image --kernel ' 'list --sysroot ' 'embed --output ' \
	'explain 01' 'explain 0000:01' 'frobnicate ' 'check --kernel 6'; do
	set -- complete
	# shellcheck disable=SC2086
	case $words in
	*' ' | '') set -- complete $words '' ;;
	*) set -- complete $words ;;
	esac
	# The tree stands in front of the last word, where the command takes one.
	if [ "$#" -gt 2 ] && [ "$2" != frobnicate ]; then
		command=$2
		shift 2
		set -- complete "$command" --sysroot configured "$@"
	fi
	name=$(echo "$words" | tr ' :' '__')
	golden "completion-_$name" "$@"
done

# The words of a rule, and what names the devices of the machine.
golden completion-term complete add --sysroot identity s
golden completion-path complete add --sysroot identity path=
golden completion-serial complete keep --sysroot identity serial=00
golden completion-rule-options complete add --sysroot identity 01:00.0 o
golden completion-with complete add --sysroot identity 01:00.0 with=
golden completion-no-rule-option complete keep --sysroot identity 01:00.0 with=
golden completion-way complete add --by ''
golden completion-allow complete add --sysroot identity 01:00.0 allow=
golden completion-order complete list --by ''
golden completion-order-begun complete list --by=t
golden completion-color complete list --color a
golden completion-only complete check --only i
golden completion-help complete help s
golden completion-in-front complete --sysroot identity ex
golden completion-in-front-value complete --root ''
golden completion-in-front-option complete --
golden completion-in-front-device complete --root identity add 01:00

mkdir -p bin
: >finish-me.conf
ln -sf "$EARLYBIND" bin/earlybind
offered() { # SHELL LINE WANT...: what it offers has all of these
	shell=$1 line=$2
	shift 2
	PATH=$PWD/bin:$PATH "offers_$shell" "$line" >offered.txt 2>err.txt
	for want in "$@"; do
		if ! grep -qxF -e "$want" offered.txt; then
			echo "$shell does not offer $want for \"$line\", but:"
			cat offered.txt err.txt
			return 1
		fi
	done
}
offers_bash() {
	# shellcheck disable=SC2016
	bash -c '. "$1"; COMP_LINE=$2 COMP_POINT=${#2}; _earlybind
		printf "%s\n" "${COMPREPLY[@]}"' bash "$completions/earlybind.bash" "$1"
}
# Its functions for descriptions and files need a terminal: these take note instead.
offers_zsh() {
	# shellcheck disable=SC2016
	zsh -fc '_describe() { print -rl -- ${${(P)2}//\\:/:} }
		_files() { print -rl -- files$1 }
		words=("${(@s: :)2}"); CURRENT=$#words; . "$1"' zsh "$completions/_earlybind" "$1" |
		sed 's/:[^0-9].*//'
}
offers_fish() {
	HOME=$PWD fish --no-config -c "source $completions/earlybind.fish; complete -C '$1'" |
		cut -f 1
}
for shell in bash zsh fish; do
	check "completion-$shell-commands" offered "$shell" 'earlybind ' list plan capture export
	check "completion-$shell-options" offered "$shell" 'earlybind plan --c' --cmdline --config
	check "completion-$shell-formats" offered "$shell" 'earlybind export ' libvirt dot
	check "completion-$shell-kernels" offered "$shell" \
		'earlybind image --sysroot configured --kernel ' 6.1.0-18-amd64
done
check completion-bash-values offered bash 'earlybind list --by ' group topology rule
check completion-bash-values-behind-equals offered bash 'earlybind list --by=t' topology
check completion-bash-values-may-be-none offered bash 'earlybind list --accel=' all
# Bash itself, with the Tab key: it breaks words at their colons and "=".
echo "PS1='$ ' HISTFILE=; . $completions/earlybind.bash" >tab.rc
tab_bash() { # LINE WANT: what stands there in place of LINE and a tab
	printf '%s\t\n' "$1" | PATH=$PWD/bin:$PATH INPUTRC=/dev/null TERM=dumb timeout 20 \
		script -qec 'bash --noprofile --rcfile tab.rc -i' /dev/null | tr -d '\r' >tab.txt
	grep -qF -e "$2" tab.txt || {
		cat tab.txt
		return 1
	}
}
tab_bash_all() {
	tab_bash 'earlybind list --sysroot configured --by=t' 'list --sysroot configured --by=topology ' &&
		tab_bash 'earlybind explain --sysroot configured 0000:00:1' 'explain --sysroot configured 0000:00:14.0 ' &&
		tab_bash 'earlybind add --dry-run --sysroot identity 01:00.0 allow=n' '01:00.0 allow=network ' &&
		tab_bash 'earlybind --root configured check --only io' 'check --only iommu '
}
check completion-bash-tab tab_bash_all
check completion-zsh-values-behind-equals offered zsh 'earlybind list --by=t' --by=topology
check completion-fish-values-behind-equals offered fish 'earlybind list --by=t' --by=topology
check completion-bash-in-front offered bash 'earlybind --root configured check --only i' iommu interrupts
check completion-bash-devices offered bash \
	'earlybind explain --sysroot configured 01:0' 00.0 00.1
check completion-bash-devices-domain offered bash \
	'earlybind explain --sysroot configured 0000:01:0' 00.0 00.1
check completion-bash-files offered bash 'earlybind embed --config finish' finish-me.conf
check completion-bash-files-behind-equals offered bash 'earlybind embed --config=finish' finish-me.conf
check completion-bash-folders offered bash 'earlybind plan --sysroot confi' configured
check completion-zsh-devices offered zsh \
	'earlybind explain --sysroot configured 01:0' 01:00.0 01:00.1
check completion-zsh-files offered zsh 'earlybind embed --config x' files
check completion-zsh-folders offered zsh 'earlybind add --sysroot x' files-/
check completion-fish-devices offered fish \
	'earlybind explain --sysroot configured 01:0' 01:00.0 01:00.1
check completion-fish-files offered fish 'earlybind embed --config finish' finish-me.conf
check completion-bash-syntax bash -n "$completions/earlybind.bash"
check completion-zsh-syntax zsh -n "$completions/_earlybind"
check completion-fish-syntax fish --no-execute "$completions/earlybind.fish"
