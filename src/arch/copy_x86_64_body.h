/* copy_x86_64_body.h: one width of copy and fill; included by copy_x86_64.c once for each, without a guard */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Expects WIDTH (the suffix of all names), METHOD (the same as a string), USABLE
 * (does the processor have it?), HALF (which half lines to store), TARGET (the
 * compiler's name of the instruction set) and DIRECT (whole lines go by
 * MOVDIR64B), and consumes them. Each function is inlined into the instances
 * at the end, one for each way to flush: kind is a constant there.
 */
#define JOINED(name, suffix)          name##_##suffix
#define JOIN(name, suffix)            JOINED(name, suffix)
#define JOINED_3(name, width, suffix) name##_##width##_##suffix
#define JOIN_3(name, width, suffix)   JOINED_3(name, width, suffix)
#define NAME(name)                    JOIN(name, WIDTH)
#define OF_HALF(name)                 JOIN(name, HALF)
#define BODY                          __attribute__((target(TARGET))) always_inline

/* --- Copy ------------------------------------------------------------------------------------ */

/* 1 to 64 bytes, loaded whole before the first store. */
BODY void NAME(copy_part)(char *to, const char *from, size_t length)
{
	struct OF_HALF(half) first, last;

	if (length < LINE / 2) {
		copy_below_32(to, from, length);
		return;
	}
	first = OF_HALF(load_half)(from);
	last = OF_HALF(load_half)(from + length - LINE / 2);
	OF_HALF(store_half)(to, first);
	OF_HALF(store_half)(to + length - LINE / 2, last);
}

/* A whole line, on its way to memory when this returns. */
BODY void NAME(copy_line)(enum flush_kind kind, char *line, const char *from)
{
#if DIRECT
	(void)kind;
	movdir64b(line, from);
#else
	NAME(copy_part)(line, from, LINE);
	flush_by(kind, line);
#endif
}

/* Whole lines, many of them; they may overlap their source if it lies behind them. */
BODY void NAME(copy_stream)(enum flush_kind kind, char *to, const char *from, size_t length)
{
	size_t block;

	for (size_t done = 0; done < length; done += block) {
		block = length - done < STREAM_BLOCK ? length - done : STREAM_BLOCK;
		for (size_t at = done; at < done + block; at += LINE) {
			const struct OF_HALF(half) low = OF_HALF(load_half)(from + at);
			const struct OF_HALF(half) high = OF_HALF(load_half)(from + at + LINE / 2);

			OF_HALF(stream_half)(to + at, low);
			OF_HALF(stream_half)(to + at + LINE / 2, high);
		}
		for (size_t at = done; at < done + block; at += LINE)
			flush_by(kind, to + at);
	}
}

BODY void NAME(copy_lines)(enum flush_kind kind, char *to, const char *from, size_t length)
{
	size_t at = 0;

	if (!DIRECT && length >= stream_from) {
		NAME(copy_stream)(kind, to, from, length);
		return;
	}
	for (; DIRECT && at + 4 * LINE <= length; at += 4 * LINE) {
		NAME(copy_line)(kind, to + at, from + at);
		NAME(copy_line)(kind, to + at + LINE, from + at + LINE);
		NAME(copy_line)(kind, to + at + 2 * LINE, from + at + 2 * LINE);
		NAME(copy_line)(kind, to + at + 3 * LINE, from + at + 3 * LINE);
	}
	if (!DIRECT)
		prefetch_first(to, length);
	for (; at < length; at += LINE) {
		if (!DIRECT)
			prefetch_next(to, at, length);
		NAME(copy_line)(kind, to + at, from + at);
	}
}

/* More than a line, from the start: what is stored is never a part of the source that is yet to be loaded. */
BODY void NAME(copy_forward)(enum flush_kind kind, char *to, const char *from, size_t length)
{
	const size_t head = -(uintptr_t)to % LINE;
	const size_t lines = (length - head) / LINE * LINE;
	const size_t tail = length - head - lines;

	if (head > 0) {
		NAME(copy_part)(to, from, head);
		flush_by(kind, to);
	}
	NAME(copy_lines)(kind, to + head, from + head, lines);
	if (tail > 0) {
		NAME(copy_part)(to + head + lines, from + head + lines, tail);
		flush_by(kind, to + head + lines);
	}
}

/* The same from the end, for a destination that begins inside its source. */
BODY void NAME(copy_backward)(enum flush_kind kind, char *to, const char *from, size_t length)
{
	const size_t head = -(uintptr_t)to % LINE;
	const size_t lines = (length - head) / LINE * LINE;
	const size_t tail = length - head - lines;

	if (tail > 0) {
		NAME(copy_part)(to + head + lines, from + head + lines, tail);
		flush_by(kind, to + head + lines);
	}
	for (size_t at = head + lines; at > head; at -= LINE)
		NAME(copy_line)(kind, to + at - LINE, from + at - LINE);
	if (head > 0) {
		NAME(copy_part)(to, from, head);
		flush_by(kind, to);
	}
}

/* Up to a line: the stores that need no flush where there are such, else overlapping ones. */
BODY void NAME(copy_short)(enum flush_kind kind, char *to, const char *from, size_t length)
{
#if DIRECT
	if (length == 8 && is_aligned(to, 8)) {
		uint64_t value;

		memcpy(&value, from, 8);
		movdiri(to, value);
		return;
	}
	if (length == LINE && is_aligned(to, LINE)) {
		movdir64b(to, from);
		return;
	}
#endif
	NAME(copy_part)(to, from, length);
	flush_part(kind, to, length);
}

BODY void *NAME(copy_bytes)(enum flush_kind kind, void *dst, const void *src, size_t length, bool fence)
{
	if (length > LINE) {
		if ((uintptr_t)dst - (uintptr_t)src >= length)
			NAME(copy_forward)(kind, dst, src, length);
		else
			NAME(copy_backward)(kind, dst, src, length);
	} else if (length > 0) {
		NAME(copy_short)(kind, dst, src, length);
	}
	if (fence)
		fence_by(kind);
	return dst;
}

/* --- Fill ------------------------------------------------------------------------------------ */

BODY void NAME(fill_part)(char *to, uint64_t pattern, size_t length)
{
	if (length < LINE / 2) {
		fill_below_32(to, pattern, length);
		return;
	}
	OF_HALF(store_half)(to, OF_HALF(half_of)(pattern));
	OF_HALF(store_half)(to + length - LINE / 2, OF_HALF(half_of)(pattern));
}

BODY void NAME(fill_stream)(enum flush_kind kind, char *to, uint64_t pattern, size_t length)
{
	const struct OF_HALF(half) half = OF_HALF(half_of)(pattern);
	size_t block;

	for (size_t done = 0; done < length; done += block) {
		block = length - done < STREAM_BLOCK ? length - done : STREAM_BLOCK;
		for (size_t at = done; at < done + block; at += LINE / 2)
			OF_HALF(stream_half)(to + at, half);
		for (size_t at = done; at < done + block; at += LINE)
			flush_by(kind, to + at);
	}
}

#if DIRECT
BODY void NAME(fill_lines)(enum flush_kind kind, char *to, uint64_t pattern, size_t length)
{
	char line[LINE] __attribute__((aligned(LINE)));

	(void)kind;
	NAME(fill_part)(line, pattern, LINE);
	for (size_t at = 0; at < length; at += LINE)
		movdir64b(to + at, line);
}
#else
BODY void NAME(fill_lines)(enum flush_kind kind, char *to, uint64_t pattern, size_t length)
{
	if (length >= stream_from) {
		NAME(fill_stream)(kind, to, pattern, length);
		return;
	}
	prefetch_first(to, length);
	for (size_t at = 0; at < length; at += LINE) {
		prefetch_next(to, at, length);
		NAME(fill_part)(to + at, pattern, LINE);
		flush_by(kind, to + at);
	}
}
#endif

BODY void NAME(fill_long)(enum flush_kind kind, char *to, uint64_t pattern, size_t length)
{
	const size_t head = -(uintptr_t)to % LINE;
	const size_t lines = (length - head) / LINE * LINE;
	const size_t tail = length - head - lines;

	if (head > 0) {
		NAME(fill_part)(to, pattern, head);
		flush_by(kind, to);
	}
	if (lines > 0)
		NAME(fill_lines)(kind, to + head, pattern, lines);
	if (tail > 0) {
		NAME(fill_part)(to + head + lines, pattern, tail);
		flush_by(kind, to + head + lines);
	}
}

BODY void NAME(fill_short)(enum flush_kind kind, char *to, uint64_t pattern, size_t length)
{
#if DIRECT
	if (length == 8 && is_aligned(to, 8)) {
		movdiri(to, pattern);
		return;
	}
#endif
	NAME(fill_part)(to, pattern, length);
	flush_part(kind, to, length);
}

BODY void *NAME(fill_bytes)(enum flush_kind kind, void *dst, int byte, size_t length, bool fence)
{
	const uint64_t pattern = (unsigned char)byte * UINT64_C(0x0101010101010101);

	if (length > LINE || (DIRECT && length == LINE))
		NAME(fill_long)(kind, dst, pattern, length);
	else if (length > 0)
		NAME(fill_short)(kind, dst, pattern, length);
	if (fence)
		fence_by(kind);
	return dst;
}

/* --- With each way to flush ---------------------------------------------------------------------- */

#define INSTANCE(flush, kind)                                                                                          \
	__attribute__((target(TARGET))) static void *JOIN_3(copy, WIDTH, flush)(void *dst, const void *src,            \
										size_t length, bool fence)             \
	{                                                                                                              \
		return NAME(copy_bytes)(kind, dst, src, length, fence);                                                \
	}                                                                                                              \
	__attribute__((target(TARGET))) static void *JOIN_3(fill, WIDTH, flush)(void *dst, int byte, size_t length,    \
										bool fence)                            \
	{                                                                                                              \
		return NAME(fill_bytes)(kind, dst, byte, length, fence);                                               \
	}

INSTANCE(clwb, FLUSH_CLWB)
INSTANCE(clflushopt, FLUSH_CLFLUSHOPT)
INSTANCE(clflush, FLUSH_CLFLUSH)

const struct copy_method NAME(copy) = {
	.name = METHOD,
	.usable = USABLE,
	.with =
		{
			[FLUSH_CLWB] = {JOIN_3(copy, WIDTH, clwb), JOIN_3(fill, WIDTH, clwb)},
			[FLUSH_CLFLUSHOPT] = {JOIN_3(copy, WIDTH, clflushopt), JOIN_3(fill, WIDTH, clflushopt)},
			[FLUSH_CLFLUSH] = {JOIN_3(copy, WIDTH, clflush), JOIN_3(fill, WIDTH, clflush)},
		},
};

#undef INSTANCE
#undef BODY
#undef OF_HALF
#undef NAME
#undef JOIN
#undef JOINED
#undef JOIN_3
#undef JOINED_3
#undef DIRECT
#undef USABLE
#undef METHOD
#undef TARGET
#undef HALF
#undef WIDTH
