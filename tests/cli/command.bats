#!/usr/bin/env bats
# command.bats: what all subcommands of pmem have in common
# SPDX-License-Identifier: BSD-3-Clause

bats_require_minimum_version 1.5.0

# The names of the subcommands, as completion asks for them.
commands() {
	"$PMEM" --list-cmds
}

@test "--help names every command, on stdout" {
	run --separate-stderr "$PMEM" --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	for command in $(commands); do
		[[ $output == *"$command"* ]]
	done
}

@test "--version tells the version of the project" {
	run --separate-stderr "$PMEM" --version
	[ "$status" -eq 0 ]
	[ "$output" = "pmem $(sed -n "s/^  version: '\(.*\)',/\1/p" meson.build)" ]
}

@test "--list-cmds has a word a line" {
	run "$PMEM" --list-cmds
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -ge 3 ]
	for line in "${lines[@]}"; do
		[[ $line =~ ^[a-z+]+$ ]]
	done
}

@test "no command is a usage error, on stderr" {
	run --separate-stderr "$PMEM"
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ $stderr == usage:* ]]
}

@test "an unknown command is refused by name" {
	run --separate-stderr "$PMEM" nonsense
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ $stderr == *"no command nonsense"* ]]
}

@test "every command has --help, with its usage on stdout" {
	for command in $(commands); do
		[ "$command" != help ] || continue
		run --separate-stderr "$PMEM" "$command" --help
		[ "$status" -eq 0 ]
		[[ $output == "usage: pmem $command"* ]]
		[ -z "$stderr" ]
	done
}

@test "help COMMAND is the same as COMMAND --help" {
	for command in $(commands); do
		[ "$command" != help ] || continue
		diff <("$PMEM" help "$command") <("$PMEM" "$command" --help)
	done
	diff <("$PMEM" help) <("$PMEM" --help)
}

@test "help of an unknown command is refused" {
	run --separate-stderr "$PMEM" help nonsense
	[ "$status" -eq 2 ]
	[[ $stderr == *"no command nonsense"* ]]
}

@test "an unknown option is refused by every command, with a way to help" {
	for command in $(commands); do
		case $command in help | cc | c++) continue ;; esac # compilers pass options on
		run --separate-stderr "$PMEM" "$command" --nonsense
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ $stderr == *nonsense* ]]
		[[ $stderr == *"pmem $command --help"* ]]
	done
}

@test "what cannot be written is an error" {
	for arguments in --help --version --list-cmds help "info --help" info "info ." "info --json ."; do
		# shellcheck disable=SC2086 # words
		run bash -c '"$0" "$@" >/dev/full' "$PMEM" $arguments
		[ "$status" -eq 2 ]
		[[ $output == *"writing to stdout failed: No space left"* ]]
	done
}

@test "a closed stdout is an error" {
	run bash -c '"$0" --help >&-' "$PMEM"
	[ "$status" -eq 2 ]
}

@test "every command has a manual page" {
	for command in $(commands); do
		[ "$command" != help ] || continue
		[ "$command" != c++ ] || command=cc
		mandoc -Tlint -Wwarning "man/pmem-$command.1"
		mandoc -Tutf8 "man/pmem-$command.1" | grep -q "pmem $command"
	done
}

# complete WORD...: what bash offers for the last one.
complete_words() {
	# shellcheck source=completion/pmem
	source completion/pmem
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_pmem
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "completion offers commands and options" {
	diff <(complete_words "$PMEM" "" | sort) <( (commands; printf '%s\n' --help --version --list-cmds) | sort)
	[ "$(complete_words "$PMEM" in)" = info ]
	[ "$(complete_words "$PMEM" info --j)" = --json ]
	[ "$(complete_words "$PMEM" help inf)" = info ]
	[ -z "$(complete_words "$PMEM" info "")" ] # files, by the shell's default
}
