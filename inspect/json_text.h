/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON strings of bytes that come from a guest. */
#ifndef H2K_INSPECT_JSON_TEXT_H
#define H2K_INSPECT_JSON_TEXT_H

#include <jansson.h>

/* A JSON string; bytes that are not UTF-8 become U+FFFD. NULL counts as "". New reference. */
json_t *json_text(const char *text);

/* The same, but null for NULL and "". */
json_t *json_text_or_null(const char *text);

#endif
