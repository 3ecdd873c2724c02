# machine.bash: the emulated machine: its command line, its initramfs, its end
# shellcheck shell=bash disable=SC2034,SC2054,SC2154 # variables of the callers; QEMU's commas
# SPDX-License-Identifier: BSD-3-Clause
#
# The callers set: media (a list), domain, memory, processors, images (a folder for
# the media's content), work (a folder for everything else).

# shellcheck source-path=SCRIPTDIR
lab_folder=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
. "$lab_folder/kernel.bash"
. "$lab_folder/nfit_test.bash"

kinds_of_media=(ext4-dax xfs-dax devdax virtio-pmem ext4 nfit-ext4-dax nfit-devdax)
image_size=512M # mkfs.xfs wants more than 300 MB; the files are sparse

lab_needs=(qemu-system-x86_64:qemu-system-x86 cpio:cpio depmod:kmod mkfs.ext4:e2fsprogs mkfs.xfs:xfsprogs
	xz:xz-utils setpriv:util-linux)

# What the scripts end with when the lab itself failed; programs have the others.
lab_failed=125

# fail MESSAGE: an option or the host is wrong.
fail() {
	echo "${lab_command_name}: $1" >&2
	exit "$lab_failed"
}

# What nobody expected fails the lab, too; it is no exit status of the program's.
set -E
trap '(($? == lab_failed)) || fail "${BASH_SOURCE[0]}, line $LINENO: $BASH_COMMAND failed"; exit "$lab_failed"' ERR

# Says which packages are missing.
check_host() {
	local need missing=()
	PATH=$PATH:/usr/sbin:/sbin
	for need in "${lab_needs[@]}"; do
		command -v "${need%%:*}" >/dev/null || missing+=("${need#*:}")
	done
	((${#missing[@]} == 0)) || fail "missing packages: ${missing[*]}; script/setup installs them"
}

# kind_of NAME: a media's name without the number that makes it another one of its kind.
kind_of() {
	echo "${1%-[2-9]}"
}

# The option --media: names of kinds, with "-2" to "-9" for more of a kind.
check_media() {
	local name seen=" "
	((${#media[@]})) || fail "--media needs a name; there are: ${kinds_of_media[*]}"
	for name in "${media[@]}"; do
		[[ " ${kinds_of_media[*]} " == *" $(kind_of "$name") "* && $name != virtio-pmem-* && $name != nfit-*-[2-9] ]] ||
			fail "unknown media $name; there are: ${kinds_of_media[*]}, and another one as ext4-dax-2"
		[[ $seen != *" $name "* ]] || fail "--media has $name twice; another one is called $(kind_of "$name")-2"
		seen+="$name "
	done
}

# check_number OPTION VALUE: one or more.
check_number() {
	[[ $2 =~ ^[1-9][0-9]{0,17}$ ]] || fail "$1 needs a number above 0, not \"$2\""
}

# --- What goes into the guest ------------------------------------------------------------

programs=()          # whose libraries are still to be put
declare -A folder_of # where in the guest's tree a folder of the host is

# make_folder FOLDER: makes it and the links that lead to it; the guest's /bin and /lib lead to /usr as it is.
make_folder() {
	local part real=""
	local -a parts
	IFS=/ read -r -d '' -a parts <<<"${1#/}/" || true
	for part in "${parts[@]:0:${#parts[@]}-1}"; do
		case $real/$part in
		/bin | /sbin | /lib | /lib64) real=/usr/$part ;;
		*)
			if [[ -L $real/$part ]]; then
				mkdir -p "$work/tree$real"
				ln -sfn "$(realpath "$real/$part")" "$work/tree$real/$part"
				real=$(realpath "$real/$part")
			else
				real=$real/$part
			fi
			;;
		esac
	done
	mkdir -p "$work/tree$real"
	folder_of[$1]=$work/tree$real
}

# put FILE: copies a file to the same place. The name is absolute.
put() {
	local folder=${1%/*}/
	[[ ${folder_of[$folder]:-} ]] || make_folder "$folder"
	[[ -e ${folder_of[$folder]}/${1##*/} ]] || cp -L "$1" "${folder_of[$folder]}/"
}

# put_program FILE: for a script its interpreter, too, and what env looks for. put_libraries follows.
put_program() {
	local start="" interpreter name
	put "$1"
	programs+=("$1")
	LC_ALL=C IFS= read -r -n 200 start <"$1" || true
	if [[ $start =~ ^'#!'[[:space:]]*(/[^[:space:]]+)([[:space:]]+-S)?[[:space:]]*([^[:space:]]*) ]]; then
		interpreter=${BASH_REMATCH[1]}
		name=${BASH_REMATCH[3]}
		put_program "$interpreter"
		if [[ ${interpreter##*/} == env ]]; then
			put_program "$(type -P -- "$name")" || fail "$1: its interpreter, $name, is not there"
		fi
	fi
}

# What the dynamic loader would bring to the programs, as "ldd" names it.
put_libraries() {
	local library
	while IFS= read -r library; do
		put "$library"
	done < <({ ldd "${programs[@]}" 2>/dev/null || true; } | # which fails where one is a script
		sed -n -e 's/.* => \(\/.*\) (0x.*/\1/p' -e 's/^[[:space:]]*\(\/.*\) (0x.*/\1/p' | sort -u)
	programs=()
}

# put_file PATH: a file or a folder of the host; programs in it get their libraries.
put_file() {
	local file
	while IFS= read -r file; do
		if [[ -x $file ]]; then
			put_program "$file"
		else
			put "$file"
		fi
	done < <(find -L "$(realpath -s "$1")" -type f)
}

# write_job COMMAND FORMAT SHELL: what the guest's init is to do.
write_job() {
	mkdir -p "$work/tree/lab"
	cp "$lab_folder/guest/init" "$work/tree/init"
	chmod 755 "$work/tree/init"
	cp "$lab_folder/guest/media" "$work/tree/lab/media"
	make_folder "$PWD/"
	cat >"$work/tree/lab/job" <<-END
		lab_media="${media[*]}"
		lab_slots="$(slots)"
		lab_command=${1@Q}
		lab_format=$2
		lab_shell=$3
		lab_directory=${PWD@Q}
		export PMEM_LAB_MEDIA="${media[*]}" PMEM_LAB_DOMAIN=$domain PMEM_LAB_RESULTS=/lab/results
	END
}

# Both file system makers, where new images have to be formatted.
put_formatters() {
	put_program "$(command -v mkfs.ext4)"
	put_program "$(command -v mkfs.xfs)"
	if [[ -e /etc/mke2fs.conf ]]; then
		put /etc/mke2fs.conf
	fi
}

# The tree made so far, behind what is the same in every run.
make_initramfs() {
	put_libraries
	cat "$kernel_folder/base.cpio" >"$work/initramfs"
	if has_nfit_test; then
		find_nfit_test
		cat "$kernel_folder/nfit_test.cpio" >>"$work/initramfs"
	fi
	pack "$work/tree" >>"$work/initramfs"
	folder_of=()
}

# --- The machine ----------------------------------------------------------------------------

is_nvdimm() {
	[[ $1 == *dax* && $1 != nfit-* ]]
}

# Are some media made by the guest's kernel, of its own memory?
has_nfit_test() {
	[[ " ${media[*]}" == *" nfit-"* ]]
}

# option_value TEXT: as QEMU's lists of options want it.
option_value() {
	echo "${1//,/,,}"
}

# Which NVDIMM is whose, as the guest's lab/media reads it.
slots() {
	local name slot=0 pairs=()
	for name in "${media[@]}"; do
		if is_nvdimm "$name"; then
			slot=$((slot + 1))
			pairs+=("$slot:$name")
		fi
	done
	echo "${pairs[*]}"
}

have_images() {
	local name
	for name in "${media[@]}"; do
		[[ -e $images/$name || $name == nfit-* ]] || return 1
	done
}

make_images() {
	local name
	mkdir -p "$images"
	for name in "${media[@]}"; do
		rm -f "$images/$name"
		[[ $name == nfit-* ]] || truncate -s "$image_size" "$images/$name"
	done
}

machine_options() {
	local persistence=""
	case $domain in
	memory_controller) persistence=,nvdimm-persistence=mem-ctrl ;;
	cpu_cache) persistence=,nvdimm-persistence=cpu ;;
	esac
	# What this switches off takes a fifth of the emulated boot: self-tests, clearing memory, bounce buffers.
	local quick="mitigations=off audit=0 apparmor=0 cryptomgr.notests init_on_alloc=0 swiotlb=noforce"
	# On a busy host a timer's interrupt may come too late for the kernel to believe in it.
	quick+=" no_timer_check"
	options=(
		-nodefaults -no-user-config -display none -no-reboot
		-machine "q35,nvdimm=on$persistence" -accel tcg,thread=multi
		-cpu max,vendor=GenuineIntel -smp "$processors" -m "$memory,slots=16,maxmem=64G"
		-kernel "$kernel_folder/kernel" -initrd "$work/initramfs"
		-append "console=ttyS0 quiet panic=-1 oops=panic tsc=unstable $quick"
		-device virtio-serial-pci,max_ports=31
	)
}

# Adds the media. A disk honours the guest's flushes; the NVDIMMs are shared mappings of their files.
media_options() {
	local name file
	for name in "${media[@]}"; do
		file=$(option_value "$images/$name")
		case $(kind_of "$name") in
		nfit-*) ;;
		ext4)
			options+=(-drive "if=none,id=$name,file=$file,format=raw,cache=writeback"
				-device "virtio-blk-pci,drive=$name,serial=$name")
			;;
		*)
			options+=(-object "memory-backend-file,id=$name-memory,share=on,mem-path=$file,size=$image_size")
			if [[ $name == virtio-pmem ]]; then
				options+=(-device "virtio-pmem-pci,id=$name,memdev=$name-memory")
			else
				options+=(-device "nvdimm,id=$name,memdev=$name-memory")
			fi
			;;
		esac
	done
}

# port NAME FILE: what the guest writes to /dev/lab/NAME appears in FILE.
port() {
	options+=(-chardev "file,id=port-$1,path=$(option_value "$2")"
		-device "virtserialport,chardev=port-$1,name=$1")
}

# Lets the guest ask for things at /dev/lab/request: see serve_requests.
request_option() {
	port request "$work/request"
	mkfifo "$work/monitor.in" "$work/monitor.out"
	options+=(-chardev "pipe,id=monitor,path=$(option_value "$work/monitor")" -mon chardev=monitor,mode=readline)
	requests_served=0
}

results_option() {
	truncate -s 1G "$work/results.tar"
	options+=(-drive "if=none,id=results,file=$(option_value "$work/results.tar"),format=raw,cache=unsafe"
		-device virtio-blk-pci,drive=results,serial=results)
}

emulator=""

# start_machine CONSOLE: in the background; it does not outlive the script.
start_machine() {
	setpriv --pdeathsig KILL qemu-system-x86_64 "${options[@]}" \
		-serial "file:$1" </dev/null >"$work/emulator" 2>&1 &
	emulator=$!
}

machine_runs() {
	[[ $emulator ]] && kill -0 "$emulator" 2>/dev/null
}

# The power cut.
kill_machine() {
	if machine_runs; then
		kill -KILL "$emulator"
	fi
	[[ ! $emulator ]] || wait "$emulator" 2>/dev/null || true
	emulator=""
}

# A machine check as a memory controller raises it that finds an error in patrol: bank 9,
# valid, uncorrected, with an address whose last six bits mean nothing.
# Source: Intel's Software Developer's Manual, volume 3B, "Machine-Check Architecture".
machine_check() {
	echo "mce -b 0 9 0xbd000000000000c0 0x5 $1 0x8c" >"$work/monitor.in"
}

# What the guest asks for: "machine-check ADDRESS".
serve_requests() {
	local requests
	[[ -s $work/request ]] || return 0
	mapfile -t requests <"$work/request"
	for ((; requests_served < ${#requests[@]}; requests_served++)); do
		case ${requests[requests_served]} in
		"machine-check 0x"*) machine_check "${requests[requests_served]#machine-check }" ;;
		*) echo "lab: the guest asked for \"${requests[requests_served]}\"" >&2 ;;
		esac
	done
}

# await_machine SECONDS [WHILE...]: fails if the machine had to be killed: time is up, or this command fails.
await_machine() {
	local end=$((SECONDS + $1))
	shift
	while machine_runs; do
		if ((SECONDS >= end)) || ! "${@:-true}"; then
			kill_machine
			return 1
		fi
		serve_requests
		sleep 0.1
	done
	wait "$emulator" 2>/dev/null || true
	emulator=""
}

# reported WORD...: has the guest said this?
reported() {
	grep -aqx "$*" "$work/report" 2>/dev/null
}

# The exit status that the guest reported; empty if it did not.
reported_exit() {
	[[ ! -e $work/report ]] || sed -n 's/^exit \([0-9]*\)$/\1/p' "$work/report" | tail -1
}

# show_console WHY: and what the emulator itself said.
show_console() {
	echo "lab: $1" >&2
	sed 's/^/  /' "$work/emulator" >&2
	if [[ -s $work/console ]]; then
		echo "lab: the end of the guest's console:" >&2
		tail -n 100 "$work/console" | tr -d '\r' | sed 's/^/  /' >&2
	fi
}
