/* libc_names.h: functions of the C library that store to, or read, memory that they are given */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In what `pmem cc` compiles, a call of NAME is one of __pmem_hook_NAME (the
 * assembler wrapper says so). In the library for linking that leads to NAME;
 * in the recorder it tells first what NAME is about to do: libc.c.
 */
#ifndef PMEM_HOOKS_LIBC_NAMES_H
#define PMEM_HOOKS_LIBC_NAMES_H

/* clang-format off */
#define LIBC_NAMES(DO) \
	DO(memcpy) DO(memmove) DO(mempcpy) DO(memset) DO(memccpy) DO(bcopy) DO(bzero) DO(explicit_bzero) \
	DO(strcpy) DO(strncpy) DO(stpcpy) DO(stpncpy) DO(strcat) DO(strncat) \
	DO(sprintf) DO(snprintf) DO(vsprintf) DO(vsnprintf) \
	DO(read) DO(pread) DO(pread64) DO(recv) DO(recvfrom) DO(fread) DO(fgets) DO(getrandom) \
	DO(__memcpy_chk) DO(__memmove_chk) DO(__mempcpy_chk) DO(__memset_chk) \
	DO(__strcpy_chk) DO(__strncpy_chk) DO(__stpcpy_chk) DO(__stpncpy_chk) DO(__strcat_chk) DO(__strncat_chk) \
	DO(__sprintf_chk) DO(__snprintf_chk) DO(__vsprintf_chk) DO(__vsnprintf_chk) \
	DO(__read_chk) DO(__pread_chk) DO(__pread64_chk) DO(__recv_chk) DO(__recvfrom_chk) DO(__fread_chk) DO(__fgets_chk) \
	DO(memcmp) DO(bcmp) DO(memchr) DO(strlen) DO(strnlen) DO(strcmp) DO(strncmp) DO(strchr) DO(strrchr) \
	DO(write) DO(pwrite) DO(pwrite64) DO(fwrite) DO(fputs) DO(puts)
/* clang-format on */

#endif
