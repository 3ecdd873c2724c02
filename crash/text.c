/* text.c: what programs have written, as text that every format takes */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";

/* Bytes of the valid character that starts here; 0: none does (RFC 3629, 4). */
static size_t character_length(const unsigned char *at, size_t left)
{
	static const struct {
		unsigned char first_low, first_high, second_low, second_high;
		size_t length;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (at[0] < 0x80)
		return (at[0] >= 0x20 && at[0] != 0x7f) || at[0] == '\t' || at[0] == '\n' ? 1 : 0;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (at[0] < forms[i].first_low || at[0] > forms[i].first_high)
			continue;
		if (left < forms[i].length || at[1] < forms[i].second_low || at[1] > forms[i].second_high)
			return 0;
		for (size_t j = 2; j < forms[i].length; j++) {
			if ((at[j] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].length;
	}
	return 0;
}

/* U+FFFE and U+FFFF are no characters to XML. */
static bool is_refused_by_xml(const unsigned char *at, size_t length)
{
	return length == 3 && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe;
}

char *text_clean(const char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;
	char *text = bytes ? malloc(length * (sizeof(replacement) - 1) + 1) : NULL;
	char *out = text;

	if (!text)
		return NULL;
	while (length > 0) {
		const size_t character = character_length(at, length);

		if (character == 0 || is_refused_by_xml(at, character))
			memcpy(out, replacement, sizeof(replacement) - 1), out += sizeof(replacement) - 1;
		else
			memcpy(out, at, character), out += character;
		at += character ? character : 1;
		length -= character ? character : 1;
	}
	*out = '\0';
	return text;
}

char *text_clean_string(const char *text)
{
	return text ? text_clean(text, strlen(text)) : NULL;
}

void text_write_xml(FILE *out, const char *text)
{
	for (; text && *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

void text_write_json(FILE *out, const char *text)
{
	fputc('"', out);
	for (; text && *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (*text == '<' || (unsigned char)*text < 0x20) /* a script element ends at any </script */
			fprintf(out, "\\u%04x", (unsigned)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

const char *text_number(size_t number, char buffer[32])
{
	char digits[24];
	const int length = snprintf(digits, sizeof(digits), "%zu", number);
	char *out = buffer;

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return buffer;
}
