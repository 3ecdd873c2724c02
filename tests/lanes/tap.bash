# tap.bash: what the lanes have in common: building, and reporting in TAP
# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail

builds=$(realpath -m "${PMEM_BUILDS:-build}")
source_root=$PWD
tests_run=0
unit_seconds=120 # a program that takes longer hangs

passed() {
	tests_run=$((tests_run + 1))
	echo "ok $tests_run - $1"
}

failed() {
	tests_run=$((tests_run + 1))
	echo "not ok $tests_run - $1"
}

skipped() {
	tests_run=$((tests_run + 1))
	echo "ok $tests_run - $1 # SKIP $2"
}

# check NAME COMMAND...: the test passes if the command does; its output is shown if it does not.
# A function is a command too, and ends at the first command in it that fails.
check() {
	local name=$1 output status
	shift
	set +e # "if" and "||" would switch it off inside of the command too
	output=$(
		set -e
		"$@" 2>&1
	)
	status=$?
	set -e
	if ((status == 0)); then
		passed "$name"
	else
		failed "$name"
		printf '%s\n' "$output" "exit status $status" | tail -40 | sed 's/^/# /'
	fi
}

# check_fails NAME PATTERN COMMAND...: the command must fail, and say what the pattern matches.
check_fails() {
	local name=$1 pattern=$2 output
	shift 2
	if output=$("$@" 2>&1); then
		failed "$name: the command succeeded"
	elif grep -q -- "$pattern" <<<"$output"; then
		passed "$name"
	else
		failed "$name: it did not say \"$pattern\""
		printf '%s\n' "$output" | tail -10 | sed 's/^/# /'
	fi
}

# run_unit NAME PROGRAM: a cmocka program's TAP, its tests named after it; dying half-way is a failure.
run_unit() {
	local name=$1 output status=0 line bad=0
	shift
	output=$(CMOCKA_MESSAGE_OUTPUT=TAP timeout --kill-after=5 "$unit_seconds" "$@" 2>&1) || status=$?
	while IFS= read -r line; do
		case $line in
		*"ok "*"# SKIP"*) skipped "$name: ${line##*# SKIP }" "not on this media or machine" ;; # some say "not ok"
		"ok "*) passed "$name: ${line#ok * - }" ;;
		"not ok "*)
			failed "$name: ${line#not ok * - }"
			bad=1
			;;
		1..* | "# ok"*) ;;
		"#"*) echo "$line" ;;
		*) echo "# $line" ;;
		esac
	done <<<"$output"
	if ((status != 0 && bad == 0)); then
		failed "$name: ended with exit status $status"
	fi
}

# build_tree NAME [MESON OPTION...]: configures a build tree once; prints nothing unless it fails.
build_tree() {
	local tree=$builds/$1
	shift
	if [[ ! -f $tree/build.ninja ]]; then
		meson setup "$tree" "$source_root" "$@" >"$tree.log" 2>&1 || {
			cat "$tree.log"
			return 1
		}
	fi
}

# build NAME TARGET...: builds in that tree; what the compiler says is shown if it fails.
build() {
	local tree=$builds/$1
	shift
	ninja -C "$tree" "$@" >"$tree.log" 2>&1 || {
		grep -E 'error|warning|FAILED|undefined' -A3 "$tree.log" || tail -20 "$tree.log"
		return 1
	}
}
