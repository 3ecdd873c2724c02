#!/usr/bin/env bats
# crash.bats: pmem crash: options, formats, exit status, replay
# SPDX-License-Identifier: BSD-3-Clause

bats_require_minimum_version 1.5.0

setup_file() {
	local built
	built=$(dirname "$(dirname "$PMEM")")
	export PROGRAMS=$BATS_FILE_TMPDIR
	cp tests/cli/crash_flag.c "$PROGRAMS"
	cd "$PROGRAMS"
	cc -g -O1 -I"$BATS_TEST_DIRNAME/../../include" crash_flag.c -o flag -L"$built/src" -lpmem -Wl,-rpath,"$built/src"
	"$PMEM" cc -g -O1 -I"$BATS_TEST_DIRNAME/../../include" crash_flag.c -o compiled -L"$built/src" -lpmem \
		-Wl,-rpath,"$built/src"
}

setup() {
	cd "$PROGRAMS"
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	pool=$BATS_TEST_TMPDIR/pool
	truncate -s 4096 "$pool"
}

# crash ARGUMENT...: on the pool, with what they leave out.
crash() {
	"$PMEM" crash --pool "$pool" --budget 20 "$@" </dev/null
}

@test "a good program is clean: exit 0, and the text says so" {
	run --separate-stderr crash --check './flag check {}' -- ./flag good "$pool"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == "no finding in "* ]]
	[[ $output == *"every planned state was tried"* ]]
	[ -z "$stderr" ]
}

@test "a broken program is found: exit 1, and the sentence names both lines" {
	run --separate-stderr crash --check './compiled check {}' -- ./compiled bad "$pool"
	[ "$status" -eq 1 ]
	[[ $output == *"the store at crash_flag.c:$(grep -n 'record->value = VALUE;' crash_flag.c | cut -d: -f1) was still in the cache when the store at crash_flag.c:$(grep -n 'record->valid = 1;' crash_flag.c | cut -d: -f1) became durable"* ]]
	[[ $output == *"replay : pmem crash replay "* ]]
	[[ $output == *"| the value is lost"* ]]
}

@test "a program that was not compiled for it is found by its flush" {
	run crash --check './flag check {}' -- ./flag bad "$pool"
	[ "$status" -eq 1 ]
	[[ $output == *"a store before crash_flag.c:$(grep -n "pmem_persist(&record->valid" crash_flag.c | cut -d: -f1) "* ]]
}

@test "without a check the program must survive its own pool" {
	run crash -- ./compiled again "$pool"
	[ "$status" -eq 1 ]
	[[ $output == *"was killed by SIGABRT"* ]]
	run crash -- ./compiled good "$pool"
	[ "$status" -eq 0 ]
}

@test "the pool is as it was, and nothing is left behind" {
	printf begin | dd of="$pool" conv=notrunc status=none
	cp "$pool" before
	run crash --check './flag check {} || true' -- ./flag good "$pool"
	[ "$status" -eq 0 ]
	cmp "$pool" before
	run bash -c 'ls -d /dev/shm/pmem-crash.*'
	for folder in "${lines[@]}"; do # those of others hold their lock
		[[ $folder == *"No such file"* ]] || ! flock -n "$folder/lock" true
	done
}

@test "crashes, hangs and exits of the check are told apart" {
	for how in check:exit abort:crash hang:hang; do
		run --separate-stderr crash --budget 60 --json --check "./compiled ${how%:*} {}" -- ./compiled bad "$pool"
		[ "$status" -eq 1 ]
		[ "$(python3 -c 'import json, sys; print({f["failure"] for f in json.load(sys.stdin)["findings"]})' <<<"$output")" = "{'${how#*:}'}" ]
	done
}

# A check that does not end tells its number. The control run's does end, where it is not the one.
@test "ended by a signal, it takes its checks along" {
	for signal in TERM HUP INT; do
		for run in control worker; do
			numbers=$BATS_TEST_TMPDIR/$signal.$run
			mkfifo "$numbers"
			env --default-signal=INT "$PMEM" crash --pool "$pool" --budget 600 --check "
				[ $run = control ] || ! mkdir '$numbers.first' 2>/dev/null || exit 0
				echo \$\$ >'$numbers'
				exec tail -f /dev/null" -- ./compiled good "$pool" </dev/null >"$BATS_TEST_TMPDIR/said" 2>&1 &
			read -r check <"$numbers"
			rm "$numbers" # no other check waits for us
			kill -"$signal" $!
			# The first SIGINT waits for the check that is running, the second does not.
			if ! timeout 3 tail -s 0.05 --pid="$check" -f /dev/null; then
				[ "$signal" = INT ]
				kill -INT $!
				timeout 20 tail -s 0.05 --pid="$check" -f /dev/null
			fi
			wait $! || true
		done
	done
}

@test "JSON on stdout, text on stderr: one finding with all that the manual page names" {
	run --separate-stderr crash --json --check './compiled check {}' -- ./compiled bad "$pool"
	[ "$status" -eq 1 ]
	[[ $stderr == *"1 finding in "* ]]
	python3 - "$pool" "$output" <<-'END'
	import json, sys
	report = json.loads(sys.argv[2])
	finding, = report["findings"]
	source = open("crash_flag.c").read().split("\n")
	assert finding["kind"] == "lost" and finding["failure"] == "exit" and finding["status"] == 1
	assert source[finding["store"]["line"] - 1].strip() == "record->value = VALUE;"
	assert finding["store"]["file"] == "crash_flag.c" and finding["store"]["function"] == "store"
	assert source[finding["other"]["line"] - 1].strip() == "record->valid = 1;"
	assert finding["lines"][0]["offset"] == 0 and finding["lines"][0]["pool"] == sys.argv[1]
	assert "the value is lost \ufffd<&\"" in finding["output"]
	assert finding["replay"] == "pmem crash replay " + finding["id"]
	assert {"flush", "after", "promised", "sentence", "advice", "states"} <= set(finding)
	assert report["states"] > 0 and report["failure_points"] > 0 and report["seconds"] > 0
	assert report["complete"] is True and report["model"] == "x86" and report["seed"] == 1
	assert report["schedules"] == 1 and isinstance(report["hints"], list)
	END
}

@test "a store that was not seen is null, and its flush is named" {
	run --separate-stderr crash --json --check './flag check {}' -- ./flag bad "$pool"
	[ "$status" -eq 1 ]
	python3 -c 'import json, sys
for finding in json.load(sys.stdin)["findings"]: assert finding["store"] is None or finding["store"]["file"] is None' <<<"$output"
}

@test "JUnit is well-formed: a failed case for each finding, and one that passes" {
	run --separate-stderr crash --junit=bad.xml --check './compiled check {}' -- ./compiled bad "$pool"
	[ "$status" -eq 1 ]
	[ "$(xmllint --xpath 'count(//testcase/failure)' bad.xml)" = 1 ]
	[ "$(xmllint --xpath 'string(//failure/@type)' bad.xml)" = lost ]
	[ "$(xmllint --xpath 'string(/testsuites/@failures)' bad.xml)" = 1 ]
	run --separate-stderr crash --junit good.xml --check './compiled check {}' -- ./compiled good "$pool"
	[ "$status" -eq 0 ]
	[ "$(xmllint --xpath 'count(//testcase)' good.xml)" = 1 ]
	[ "$(xmllint --xpath 'count(//failure)' good.xml)" = 0 ]
}

@test "SARIF has what version 2.1.0 requires, and results with places" {
	run --separate-stderr crash --sarif --check './compiled check {}' -- ./compiled bad "$pool"
	[ "$status" -eq 1 ]
	python3 - "$output" <<-'END'
	import json, sys
	log = json.loads(sys.argv[1])
	assert log["version"] == "2.1.0" and "sarif-2.1.0" in log["$schema"]
	run, = log["runs"]
	rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
	assert run["tool"]["driver"]["name"] and run["invocations"][0]["executionSuccessful"] is True
	errors = [result for result in run["results"] if result["level"] == "error"]
	assert len(errors) == 1 and rules[errors[0]["ruleIndex"]] == errors[0]["ruleId"] == "lost"
	where = errors[0]["locations"][0]["physicalLocation"]
	assert where["artifactLocation"] == {"uri": "crash_flag.c", "uriBaseId": "SRCROOT"}
	assert where["region"]["startLine"] > 0
	assert run["originalUriBaseIds"]["SRCROOT"]["uri"].startswith("file:///")
	assert run["originalUriBaseIds"]["SRCROOT"]["uri"].endswith("/")
	assert errors[0]["message"]["text"] and errors[0]["partialFingerprints"]
	for result in run["results"]:
	    assert result["message"]["text"] and (result["level"] == "error" or result["kind"] == "informational")
	END
}

@test "HTML is one page that needs nothing else" {
	run crash --html page.html --check './compiled check {}' -- ./compiled bad "$pool"
	[ "$status" -eq 1 ]
	! grep -E '(src|href)=' page.html
	! grep -iE 'https?://|@import|url\(' page.html
	sed -n '/<script type="application.json"/,/<.script>/p' page.html | sed '1d;$d' | python3 -m json.tool >/dev/null
}

@test "a spent budget is no error, and never looks like proof" {
	run --separate-stderr crash --budget 0.3 --json out.json --check 'sleep 0.1; ./flag check {}' -- ./flag good "$pool"
	[ "$status" -eq 0 ]
	[[ $output == *"not proof: the budget of 0.3 s was spent"* ]]
	python3 -c 'import json; report = json.load(open("out.json")); assert report["complete"] is False and report["not_proof"]'
}

@test "replay: fails again, writes the image, takes the beginning of an id" {
	run --separate-stderr crash --json --check './compiled check {}' -- ./compiled bad "$pool"
	id=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["findings"][0]["id"])' <<<"$output")
	run --separate-stderr "$PMEM" crash replay "$id"
	[ "$status" -eq 1 ]
	[[ $output == *"the value is lost"* ]]
	[[ $stderr == *"the check fails again: it exited with status 1"* ]]
	run "$PMEM" crash replay --image image "${id:0:4}"
	[ "$status" -eq 1 ]
	[ "$(stat -c %s image)" -eq 4096 ]
	run ./compiled check image
	[ "$status" -eq 1 ]
	cd / # the check was started elsewhere
	run "$PMEM" crash replay "$id"
	[ "$status" -eq 1 ]
}

@test "replay: without a check, of a crash" {
	run crash -- ./compiled again "$pool"
	[ "$status" -eq 1 ]
	run "$PMEM" crash replay "$(ls "$XDG_STATE_HOME/pmem-crash" | head -1)"
	[ "$status" -eq 1 ]
	[[ $output == *"killed by signal 6"* ]]
}

@test "replay --debug shows the crash in gdb" {
	command -v gdb >/dev/null || skip "gdb is not installed"
	run crash --check './compiled abort {}' -- ./compiled bad "$pool"
	[ "$status" -eq 1 ]
	run "$PMEM" crash replay --debug "$(ls "$XDG_STATE_HOME/pmem-crash" | head -1)" </dev/null
	[[ $output == *"SIGABRT"* ]]
}

@test "--keep names where images are kept" {
	run crash --keep kept --check './compiled check {}' -- ./compiled bad "$pool"
	[ "$status" -eq 1 ]
	[[ $output == *"pmem crash replay --keep kept "* ]]
	[ ! -e "$XDG_STATE_HOME" ]
	run "$PMEM" crash replay --keep kept "$(ls kept)"
	[ "$status" -eq 1 ]
}

@test "every run of the program gets the same standard input" {
	for way in file pipe; do
		echo go >input
		if [ $way = file ]; then
			run "$PMEM" crash --pool "$pool" --budget 20 -- ./flag input "$pool" <input
		else
			run bash -c 'echo go | "$1" crash --pool "$2" --budget 20 -- ./flag input "$2"' _ "$PMEM" "$pool"
		fi
		[ "$status" -eq 0 ]
	done
}

@test "two pools: {1} and {2}" {
	truncate -s 4096 second
	run crash --pool second --check 'test -s {2} && ./flag check {1}' -- ./flag good "$pool" second
	[ "$status" -eq 0 ]
	[ "$(od -An -tx8 -N8 second | tr -d ' ')" = 0000000000000000 ]
}

@test "the same seed finds the same" {
	for turn in 1 2; do
		run --separate-stderr crash --seed 7 --json --check './compiled check {}' -- ./compiled bad "$pool"
		python3 -c 'import json, sys
report = json.load(sys.stdin)
print(report["states"], [(f["id"], f["failure_point"], f["lines"]) for f in report["findings"]])' <<<"$output" >seed.$turn
	done
	cmp seed.1 seed.2
}

@test "--progress tells how far it is where stderr is no terminal" {
	run --separate-stderr crash --progress --check 'sleep 0.2; ./flag check {}' -- ./flag good "$pool"
	[ "$status" -eq 0 ]
	[[ $stderr == *" states ("*"; trying: "* ]]
}

# refused PATTERN ARGUMENT...: exit 2, stdout is empty, stderr says what and why.
refused() {
	local pattern=$1
	shift
	run --separate-stderr "$@"
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ $stderr == $pattern ]] || {
		echo "$stderr"
		return 1
	}
}

@test "bad command lines are refused" {
	refused "*which pool? --pool*" "$PMEM" crash -- ./flag good "$pool"
	refused "*which program?*" crash
	refused "*--budget soon: it is a number of seconds*" crash --budget soon -- ./flag good "$pool"
	refused "*--budget -1:*" crash --budget -1 -- ./flag good "$pool"
	refused "*-j 0:*" crash -j 0 -- ./flag good "$pool"
	refused "*--model arm: it is one of*" crash --model arm -- ./flag good "$pool"
	refused "*--schedules many:*" crash --schedules many -- ./flag good "$pool"
	refused "*--seed x:*" crash --seed x -- ./flag good "$pool"
	refused "*unrecognized option*--nonsense*" crash --nonsense -- ./flag good "$pool"
	refused "*refers to pool {2}, and there is 1*" crash --check 'x {2}' -- ./flag good "$pool"
	refused "*only one of --json, --junit and --sarif*" crash --json --sarif -- ./flag good "$pool"
}

@test "what cannot be run is refused, with the reason" {
	refused "*pool nowhere: No such file or directory; it must exist*" "$PMEM" crash --pool nowhere -- ./flag good nowhere
	refused "*no-such-program: not found in PATH*" crash -- no-such-program
	refused "*exited with status 5 when it was recorded*I refuse*" crash -- ./flag refuse "$pool"
	refused "*killed by signal 15*" crash -- ./flag die "$pool"
	refused "*ended and never opened*" crash -- ./flag
	refused "*the check exits with status 7: echo why; exit 7*why*" crash --check 'echo why; exit 7' -- ./flag good "$pool"
	refused "*the check was killed by signal 9*" crash --check 'kill -9 $$' -- ./flag good "$pool"
	refused "*the check cannot be started: ./no-such-check*" crash --check './no-such-check {}' -- ./flag good "$pool"
	echo 'int main(void) { return 0; }' | cc -static -x c - -o static
	refused "*static: statically linked*" crash -- ./static "$pool"
}

@test "a report that cannot be written is refused before the run" {
	refused "*--html /nowhere/page.html: it cannot be written: No such file*" crash --html /nowhere/page.html \
		--check 'touch ran' -- ./flag good "$pool"
	[ ! -e ran ]
	refused "*" crash --json left.json --check 'exit 1' -- ./flag good "$pool"
	[ ! -e left.json ]
}

@test "replay refuses what is not there" {
	refused "*no finding 0123 is kept in*" "$PMEM" crash replay 0123
	refused "*which finding?*" "$PMEM" crash replay
}
