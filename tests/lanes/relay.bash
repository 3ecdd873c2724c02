# relay.bash: what programs in the lab's guest say, as tests of a lane
# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause

# show_notes NOTE...: what a section said for people; only failures need it.
show_notes() {
	(($# == 0)) || printf '# %s\n' "${@#\# }"
}

# relay NAME FILE: the guest's sections and TAP; a section that ends badly without saying why has failed.
relay() {
	local line section="" bad=0 ended=0 notes=()
	while IFS= read -r line; do
		case $line in
		"== end") ended=1 ;;
		"== exit "*)
			if ((bad == 0)) && [[ $line != "== exit 0" ]]; then
				failed "$1, $section: ended with exit status ${line#== exit }"
				bad=1
			fi
			((bad == 0)) || show_notes "${notes[@]}"
			notes=()
			;;
		"== "*)
			section=${line#== }
			bad=0
			;;
		*"ok "*"# SKIP"*) skipped "$1, $section: ${line##*# SKIP }" "not on this media" ;; # cmocka says "not ok"
		"ok "*) passed "$1, $section: ${line#ok *- }" ;;
		"not ok "*)
			failed "$1, $section: ${line#not ok *- }"
			bad=1
			;;
		"# ok"* | 1..*) ;;
		*) notes+=("$line") ;;
		esac
	done <"$2"
	if ((ended == 0)); then
		failed "$1: the guest did not come to its end"
		show_notes "${notes[@]}"
	fi
}
