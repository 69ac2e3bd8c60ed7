/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names as NTFS compares them: UTF-16 units that differ in case only are equal. The rule is that of
 * the table which every NTFS volume carries (file 10, $UpCase) since Windows Vista; it knows no
 * locale, and maps single units only, so that "ß" is never "SS".
 */
#ifndef H2K_ENGINE_UPCASE_H
#define H2K_ENGINE_UPCASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The upper case of a UTF-16 unit; halves of surrogate pairs have none. */
uint16_t upcase_unit(uint16_t unit);

/* Are two names in UTF-8 the same one to Windows? What is no UTF-8 is compared byte by byte. */
bool upcase_equal(const char *a, const char *b);

/* The same of the first @a_len and @b_len bytes. */
bool upcase_equal_n(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
