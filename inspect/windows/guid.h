/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GUIDs as Windows and GPT store them: the first three fields little-endian. */
#ifndef H2K_INSPECT_WINDOWS_GUID_H
#define H2K_INSPECT_WINDOWS_GUID_H

#include <stdint.h>

#define GUID_LEN 16U

/* "8f0e2c38-e4ea-47ba-b7fc-9d8c74dccf03" */
void guid_text(const void *data, char ret[37]);

#endif
