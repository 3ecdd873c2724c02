/* libc.c: functions of the C library that store to, or read, memory: told to the recorder, then done */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each is called under the name __pmem_hook_NAME (libc_names.h) by code that was
 * compiled with hooks. The checked variants of glibc's fortified headers have
 * the size of the destination as a further argument.
 */
#define _GNU_SOURCE
#include "event.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* What glibc's headers declare only where they fortify. */
void *__memcpy_chk(void *, const void *, size_t, size_t);
void *__memmove_chk(void *, const void *, size_t, size_t);
void *__mempcpy_chk(void *, const void *, size_t, size_t);
void *__memset_chk(void *, int, size_t, size_t);
char *__strcpy_chk(char *, const char *, size_t);
char *__strncpy_chk(char *, const char *, size_t, size_t);
char *__stpcpy_chk(char *, const char *, size_t);
char *__stpncpy_chk(char *, const char *, size_t, size_t);
char *__strcat_chk(char *, const char *, size_t);
char *__strncat_chk(char *, const char *, size_t, size_t);
int __vsprintf_chk(char *, int, size_t, const char *, va_list);
int __vsnprintf_chk(char *, size_t, int, size_t, const char *, va_list);
ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
ssize_t __pread64_chk(int, void *, size_t, off_t, size_t);
ssize_t __recv_chk(int, void *, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);
size_t __fread_chk(void *, size_t, size_t, size_t, FILE *);
char *__fgets_chk(char *, size_t, int, FILE *);

/* --- Blocks of memory ----------------------------------------------------------------------- */

#define DEFINE_COPY(name)                                                                                              \
	HOOK void *__pmem_hook_##name(void *to, const void *from, size_t size)                                         \
	{                                                                                                              \
		tell_load(from, size, SITE);                                                                           \
		tell_copy(to, size, SITE);                                                                             \
		return name(to, from, size);                                                                           \
	}                                                                                                              \
	HOOK void *__pmem_hook___##name##_chk(void *to, const void *from, size_t size, size_t room)                    \
	{                                                                                                              \
		tell_load(from, size, SITE);                                                                           \
		tell_copy(to, size, SITE);                                                                             \
		return __##name##_chk(to, from, size, room);                                                           \
	}

DEFINE_COPY(memcpy)
DEFINE_COPY(memmove)
DEFINE_COPY(mempcpy)

/* Newer clang calls these instead. */
HOOK void *__tsan_memcpy(void *to, const void *from, size_t size)
{
	tell_load(from, size, SITE);
	tell_copy(to, size, SITE);
	return memcpy(to, from, size);
}

HOOK void *__tsan_memmove(void *to, const void *from, size_t size)
{
	tell_load(from, size, SITE);
	tell_copy(to, size, SITE);
	return memmove(to, from, size);
}

HOOK void *__tsan_memset(void *to, int byte, size_t size)
{
	tell_copy(to, size, SITE);
	return memset(to, byte, size);
}

HOOK void *__pmem_hook_memset(void *to, int byte, size_t size)
{
	tell_copy(to, size, SITE);
	return memset(to, byte, size);
}

HOOK void *__pmem_hook___memset_chk(void *to, int byte, size_t size, size_t room)
{
	tell_copy(to, size, SITE);
	return __memset_chk(to, byte, size, room);
}

HOOK void *__pmem_hook_memccpy(void *to, const void *from, int last, size_t size)
{
	const char *end = memccpy(to, from, last, size);
	const size_t copied = end ? (size_t)(end - (char *)to) : size;

	tell_load(from, copied, SITE);
	tell_copied(to, copied, SITE);
	return (void *)end;
}

HOOK void __pmem_hook_bcopy(const void *from, void *to, size_t size)
{
	tell_load(from, size, SITE);
	tell_copy(to, size, SITE);
	bcopy(from, to, size);
}

HOOK void __pmem_hook_bzero(void *to, size_t size)
{
	tell_copy(to, size, SITE);
	bzero(to, size);
}

HOOK void __pmem_hook_explicit_bzero(void *to, size_t size)
{
	tell_copy(to, size, SITE);
	explicit_bzero(to, size);
}

/* --- Strings -------------------------------------------------------------------------------- */

/* Bytes that strncpy() and its like read. */
static size_t bytes_of(const char *string, size_t limit)
{
	const size_t length = strnlen(string, limit);

	return length < limit ? length + 1 : limit;
}

#define DEFINE_STRING_COPY(name)                                                                                       \
	HOOK char *__pmem_hook_##name(char *to, const char *from)                                                      \
	{                                                                                                              \
		const size_t size = strlen(from) + 1;                                                                  \
                                                                                                                       \
		tell_load(from, size, SITE);                                                                           \
		tell_copy(to, size, SITE);                                                                             \
		return name(to, from);                                                                                 \
	}                                                                                                              \
	HOOK char *__pmem_hook___##name##_chk(char *to, const char *from, size_t room)                                 \
	{                                                                                                              \
		const size_t size = strlen(from) + 1;                                                                  \
                                                                                                                       \
		tell_load(from, size, SITE);                                                                           \
		tell_copy(to, size, SITE);                                                                             \
		return __##name##_chk(to, from, room);                                                                 \
	}

DEFINE_STRING_COPY(strcpy)
DEFINE_STRING_COPY(stpcpy)

/* These fill the rest with zeroes. */
#define DEFINE_LIMITED_COPY(name)                                                                                      \
	HOOK char *__pmem_hook_##name(char *to, const char *from, size_t size)                                         \
	{                                                                                                              \
		tell_load(from, bytes_of(from, size), SITE);                                                           \
		tell_copy(to, size, SITE);                                                                             \
		return name(to, from, size);                                                                           \
	}                                                                                                              \
	HOOK char *__pmem_hook___##name##_chk(char *to, const char *from, size_t size, size_t room)                    \
	{                                                                                                              \
		tell_load(from, bytes_of(from, size), SITE);                                                           \
		tell_copy(to, size, SITE);                                                                             \
		return __##name##_chk(to, from, size, room);                                                           \
	}

DEFINE_LIMITED_COPY(strncpy)
DEFINE_LIMITED_COPY(stpncpy)

static void tell_append(const char *to, const char *from, size_t length, const void *site)
{
	const size_t before = strlen(to);

	tell_load(to, before + 1, site);
	tell_load(from, bytes_of(from, length), site);
	tell_copy(to + before, length + 1, site);
}

HOOK char *__pmem_hook_strcat(char *to, const char *from)
{
	tell_append(to, from, strlen(from), SITE);
	return strcat(to, from);
}

HOOK char *__pmem_hook___strcat_chk(char *to, const char *from, size_t room)
{
	tell_append(to, from, strlen(from), SITE);
	return __strcat_chk(to, from, room);
}

HOOK char *__pmem_hook_strncat(char *to, const char *from, size_t limit)
{
	tell_append(to, from, strnlen(from, limit), SITE);
	return strncat(to, from, limit);
}

HOOK char *__pmem_hook___strncat_chk(char *to, const char *from, size_t limit, size_t room)
{
	tell_append(to, from, strnlen(from, limit), SITE);
	return __strncat_chk(to, from, limit, room);
}

/* --- Formatted output to memory ------------------------------------------------------------- */

static void tell_print(const char *to, int length, size_t room, const void *site)
{
	if (length >= 0 && room > 0)
		tell_copied(to, (size_t)length < room ? (size_t)length + 1 : room, site);
}

HOOK int __pmem_hook_vsprintf(char *to, const char *format, va_list arguments)
{
	const int length = vsprintf(to, format, arguments);

	tell_print(to, length, SIZE_MAX, SITE);
	return length;
}

HOOK int __pmem_hook_vsnprintf(char *to, size_t size, const char *format, va_list arguments)
{
	const int length = vsnprintf(to, size, format, arguments);

	tell_print(to, length, size, SITE);
	return length;
}

HOOK int __pmem_hook___vsprintf_chk(char *to, int flag, size_t room, const char *format, va_list arguments)
{
	const int length = __vsprintf_chk(to, flag, room, format, arguments);

	tell_print(to, length, SIZE_MAX, SITE);
	return length;
}

HOOK int __pmem_hook___vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format,
				     va_list arguments)
{
	const int length = __vsnprintf_chk(to, size, flag, room, format, arguments);

	tell_print(to, length, size, SITE);
	return length;
}

HOOK int __pmem_hook_sprintf(char *to, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsprintf(to, format, arguments);
	va_end(arguments);
	tell_print(to, length, SIZE_MAX, SITE);
	return length;
}

HOOK int __pmem_hook_snprintf(char *to, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(to, size, format, arguments);
	va_end(arguments);
	tell_print(to, length, size, SITE);
	return length;
}

HOOK int __pmem_hook___sprintf_chk(char *to, int flag, size_t room, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = __vsprintf_chk(to, flag, room, format, arguments);
	va_end(arguments);
	tell_print(to, length, SIZE_MAX, SITE);
	return length;
}

HOOK int __pmem_hook___snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = __vsnprintf_chk(to, size, flag, room, format, arguments);
	va_end(arguments);
	tell_print(to, length, size, SITE);
	return length;
}

/* --- Input ---------------------------------------------------------------------------------- */

/* DEFINE_INPUT(name, (parameters), (arguments)): a function that returns how many bytes it stored at "to", or -1. */
#define DEFINE_INPUT(name, parameters, arguments)                                                                      \
	HOOK ssize_t __pmem_hook_##name parameters                                                                     \
	{                                                                                                              \
		const ssize_t count = name arguments;                                                                  \
                                                                                                                       \
		if (count > 0)                                                                                         \
			tell_copied(to, (size_t)count, SITE);                                                          \
		return count;                                                                                          \
	}

DEFINE_INPUT(read, (int fd, void *to, size_t size), (fd, to, size))
DEFINE_INPUT(__read_chk, (int fd, void *to, size_t size, size_t room), (fd, to, size, room))
DEFINE_INPUT(pread, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
DEFINE_INPUT(pread64, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
DEFINE_INPUT(__pread_chk, (int fd, void *to, size_t size, off_t at, size_t room), (fd, to, size, at, room))
DEFINE_INPUT(__pread64_chk, (int fd, void *to, size_t size, off_t at, size_t room), (fd, to, size, at, room))
DEFINE_INPUT(getrandom, (void *to, size_t size, unsigned flags), (to, size, flags))

/* With MSG_TRUNC these return the length of the packet, which can be more than was stored. */
#define DEFINE_RECEIVE(name, parameters, arguments)                                                                    \
	HOOK ssize_t __pmem_hook_##name parameters                                                                     \
	{                                                                                                              \
		const ssize_t count = name arguments;                                                                  \
                                                                                                                       \
		if (count > 0)                                                                                         \
			tell_copied(to, (size_t)count < size ? (size_t)count : size, SITE);                            \
		return count;                                                                                          \
	}

DEFINE_RECEIVE(recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags))
DEFINE_RECEIVE(__recv_chk, (int fd, void *to, size_t size, size_t room, int flags), (fd, to, size, room, flags))
DEFINE_RECEIVE(recvfrom, (int fd, void *to, size_t size, int flags, struct sockaddr *from, socklen_t *length),
	       (fd, to, size, flags, from, length))
DEFINE_RECEIVE(__recvfrom_chk,
	       (int fd, void *to, size_t size, size_t room, int flags, struct sockaddr *from, socklen_t *length),
	       (fd, to, size, room, flags, from, length))

HOOK size_t __pmem_hook_fread(void *to, size_t size, size_t wanted, FILE *file)
{
	const size_t count = fread(to, size, wanted, file);

	tell_copied(to, count * size, SITE);
	return count;
}

HOOK size_t __pmem_hook___fread_chk(void *to, size_t room, size_t size, size_t wanted, FILE *file)
{
	const size_t count = __fread_chk(to, room, size, wanted, file);

	tell_copied(to, count * size, SITE);
	return count;
}

HOOK char *__pmem_hook_fgets(char *to, int size, FILE *file)
{
	char *line = fgets(to, size, file);

	if (line)
		tell_copied(to, strlen(to) + 1, SITE);
	return line;
}

HOOK char *__pmem_hook___fgets_chk(char *to, size_t room, int size, FILE *file)
{
	char *line = __fgets_chk(to, room, size, file);

	if (line)
		tell_copied(to, strlen(to) + 1, SITE);
	return line;
}

/* --- What only reads ------------------------------------------------------------------------ */

HOOK int __pmem_hook_memcmp(const void *one, const void *other, size_t size)
{
	tell_load(one, size, SITE);
	tell_load(other, size, SITE);
	return memcmp(one, other, size);
}

HOOK int __pmem_hook_bcmp(const void *one, const void *other, size_t size)
{
	tell_load(one, size, SITE);
	tell_load(other, size, SITE);
	return bcmp(one, other, size);
}

HOOK void *__pmem_hook_memchr(const void *from, int byte, size_t size)
{
	const char *found = memchr(from, byte, size);

	tell_load(from, found ? (size_t)(found - (const char *)from) + 1 : size, SITE);
	return (void *)found;
}

HOOK size_t __pmem_hook_strlen(const char *string)
{
	const size_t length = strlen(string);

	tell_load(string, length + 1, SITE);
	return length;
}

HOOK size_t __pmem_hook_strnlen(const char *string, size_t limit)
{
	tell_load(string, bytes_of(string, limit), SITE);
	return strnlen(string, limit);
}

/* What a comparison reads: no byte after the first difference, where memory may end. */
static void tell_comparison(const char *one, const char *other, size_t limit, const void *site)
{
	size_t size = 0;

	if (!record_may_touch(one, 1) && !record_may_touch(other, 1))
		return;
	while (size < limit && one[size] == other[size] && one[size])
		size++;
	size += size < limit;
	tell_load(one, size, site);
	tell_load(other, size, site);
}

HOOK int __pmem_hook_strcmp(const char *one, const char *other)
{
	tell_comparison(one, other, SIZE_MAX, SITE);
	return strcmp(one, other);
}

HOOK int __pmem_hook_strncmp(const char *one, const char *other, size_t limit)
{
	tell_comparison(one, other, limit, SITE);
	return strncmp(one, other, limit);
}

HOOK char *__pmem_hook_strchr(const char *string, int byte)
{
	const char *found = strchr(string, byte);

	tell_load(string, (found ? (size_t)(found - string) : strlen(string)) + 1, SITE);
	return (char *)found;
}

HOOK char *__pmem_hook_strrchr(const char *string, int byte)
{
	tell_load(string, strlen(string) + 1, SITE);
	return strrchr(string, byte);
}

HOOK ssize_t __pmem_hook_write(int fd, const void *from, size_t size)
{
	tell_load(from, size, SITE);
	return write(fd, from, size);
}

HOOK ssize_t __pmem_hook_pwrite(int fd, const void *from, size_t size, off_t at)
{
	tell_load(from, size, SITE);
	return pwrite(fd, from, size, at);
}

HOOK ssize_t __pmem_hook_pwrite64(int fd, const void *from, size_t size, off_t at)
{
	tell_load(from, size, SITE);
	return pwrite64(fd, from, size, at);
}

HOOK size_t __pmem_hook_fwrite(const void *from, size_t size, size_t count, FILE *file)
{
	tell_load(from, size * count, SITE);
	return fwrite(from, size, count, file);
}

HOOK int __pmem_hook_fputs(const char *string, FILE *file)
{
	tell_load(string, strlen(string) + 1, SITE);
	return fputs(string, file);
}

HOOK int __pmem_hook_puts(const char *string)
{
	tell_load(string, strlen(string) + 1, SITE);
	return puts(string);
}
