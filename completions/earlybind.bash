# shellcheck shell=bash
# Completion of earlybind(8) for bash. The program itself knows what could come next.

_earlybind() {
	local line value prefix words
	# By blanks: bash breaks addresses at their colons.
	read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
	[[ ${COMP_LINE:0:COMP_POINT} != *[[:space:]] ]] || words+=("")
	value=${words[-1]}
	prefix=${value%"${value##*[:=]}"}
	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
		:files) mapfile -t COMPREPLY < <(compgen -f -- "${value#"$prefix"}") ;;
		:dirs) mapfile -t COMPREPLY < <(compgen -d -- "${value#"$prefix"}") ;;
		*)
			line=${line%%$'\t'*}
			COMPREPLY+=("${line#"$prefix"}")
			;;
		esac
	done < <("${words[0]}" complete "${words[@]:1}" 2>/dev/null)
}
complete -o bashdefault -F _earlybind earlybind
