#!/usr/bin/env bats
# info.bats: pmem info, on files in memory and on disk; the other media are the lab's
# SPDX-License-Identifier: BSD-3-Clause

bats_require_minimum_version 1.5.0

setup() {
	memory=$(mktemp /dev/shm/pmem-info.XXXXXX)
	disk=$BATS_TEST_TMPDIR/file
	echo content >"$disk"
	unset NO_COLOR
}

teardown() {
	rm -f "$memory"
}

# in_terminal COMMAND...: its stdout is a terminal. script gives the line to $SHELL, and %q writes bash.
in_terminal() {
	TERM=xterm SHELL=$BASH script --quiet --return --command "$(printf '%q ' "$@")" /dev/null
}

@test "a file in memory is volatile, and says why" {
	run --separate-stderr "$PMEM" info "$memory"
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${lines[0]}" = "$memory" ]
	[[ $output == *"volatile: tmpfs keeps files in memory only; nothing makes them durable"* ]]
	[[ $output =~ granularity\ +none ]]
}

@test "a file on disk is in the page cache, and says why" {
	run --separate-stderr "$PMEM" info "$disk"
	[ "$status" -eq 0 ]
	[[ $output == *"page cache: MAP_SYNC refused by "* ]]
	[[ $output == *"persist goes through msync"* ]]
	[[ $output =~ granularity\ +page ]]
}

@test "the words are those of PMEM_IS_PMEM_FORCE, too" {
	PMEM_IS_PMEM_FORCE=1 run "$PMEM" info "$memory"
	[[ $output == *"PMEM_IS_PMEM_FORCE=1"* ]]
	PMEM_IS_PMEM_FORCE=0 run "$PMEM" info "$disk"
	[[ $output == *"page cache: msync was asked for"* ]]
}

@test "every attribute is told, with its value or as unknown" {
	run "$PMEM" info "$disk"
	for name in MAP_COPY_ON_WRITE_CAPABLE FUNDAMENTAL_ERROR_RANGE FILE_MODE GRANULARITY UNSAFE_SHUTDOWNS; do
		[[ $output =~ "    $name"\ +([0-9]+|unknown) ]]
	done
}

@test "a directory is examined by a file without a name" {
	mkdir "$BATS_TEST_TMPDIR/directory"
	run --separate-stderr "$PMEM" info "$BATS_TEST_TMPDIR/directory"
	[ "$status" -eq 0 ]
	[[ $output == *"page cache: "* ]]
	[ -z "$(ls -A "$BATS_TEST_TMPDIR/directory")" ]
}

@test "an empty file is examined" {
	: >"$disk"
	run "$PMEM" info "$disk"
	[ "$status" -eq 0 ]
}

@test "a file is not changed" {
	before=$(stat --format '%s %y %z' "$disk")
	"$PMEM" info "$disk"
	[ "$(stat --format '%s %y %z' "$disk")" = "$before" ]
	[ "$(cat "$disk")" = content ]
}

@test "what cannot be examined is told on stderr, the rest on stdout, and the status is 1" {
	run --separate-stderr "$PMEM" info /nonexistent "$memory" /dev/null
	[ "$status" -eq 1 ]
	[[ $output == *"$memory"* ]]
	[[ $output != *nonexistent* ]]
	[ "${stderr_lines[0]}" = "pmem info: /nonexistent: No such file or directory" ]
	[ "${stderr_lines[1]}" = "pmem info: /dev/null: only regular files and device-dax can be mapped" ]
	run --separate-stderr "$PMEM" info --json /nonexistent
	[ "$status" -eq 1 ]
	[ "$(jq -r '.paths[0].error' <<<"$output")" = "No such file or directory" ]
}

@test "a pipe without a writer does not hang it" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	run timeout 10 "$PMEM" info "$BATS_TEST_TMPDIR/pipe"
	[ "$status" -eq 1 ]
}

@test "without a path: the processor and the regions" {
	run --separate-stderr "$PMEM" info
	[ "$status" -eq 0 ]
	[[ $output =~ flush\ +[a-z] ]]
	[[ $output =~ copy\ +[a-z] ]]
	[[ $output == *region* ]]
	run --separate-stderr "$PMEM" info --json
	[ "$(jq -c '(.processor | keys), (.regions | type)' <<<"$output")" = $'["copy","flush"]\n"array"' ]
}

@test "JSON has raw numbers, and null for what is unknown" {
	"$PMEM" info --json "$memory" "$disk" >"$BATS_TEST_TMPDIR/json"
	[ "$(jq -c '.paths | map([.granularity, .bad_ranges])' "$BATS_TEST_TMPDIR/json")" = '[["none",null],["page",null]]' ]
	[ "$(jq -c '.paths[1] | [.alignment, .attributes.GRANULARITY]' "$BATS_TEST_TMPDIR/json")" = "[$(getconf PAGE_SIZE),2]" ]
	[ "$(jq -c '.paths | map(.attributes.FILE_MODE)' "$BATS_TEST_TMPDIR/json")" = '[null,1]' ]
}

@test "JSON is valid whatever a path is made of" {
	strange=$BATS_TEST_TMPDIR/$'quote" back\\slash \x01 tab\t not UTF-8 \xff\xfe \xc3'
	echo >"$strange"
	run --separate-stderr "$PMEM" info --json "$strange"
	[ "$status" -eq 0 ]
	iconv -f UTF-8 <<<"$output"
	[ "$(jq '.paths[0].path | endswith("not UTF-8 ?? ?")' <<<"$output")" = true ]
}

@test "no path makes a terminal do things" {
	strange=$BATS_TEST_TMPDIR/$'red \x1b[31m'
	echo >"$strange"
	run in_terminal "$PMEM" info "$strange"
	[[ $output == *"red ?[31m"* ]]
}

@test "colour is for terminals only" {
	run "$PMEM" info "$memory"
	[[ $output != *$'\e'* ]]
	run in_terminal "$PMEM" info "$memory"
	[[ $output == *$'\e[31mvolatile'* ]]
	run in_terminal "$PMEM" info "$disk"
	[[ $output == *$'\e[33mpage cache'* ]]
	NO_COLOR=1 run in_terminal "$PMEM" info "$memory"
	[[ $output != *$'\e'* ]]
	run in_terminal env TERM=dumb "$PMEM" info "$memory"
	[[ $output != *$'\e'* ]]
}
