/* places_library.h: code in a shared library, for test_places.c */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLACES_LIBRARY_H
#define PLACES_LIBRARY_H

#include <stdint.h>

/* A return address in this function, and the line there. */
uint64_t places_library_site(int *line);

#endif
