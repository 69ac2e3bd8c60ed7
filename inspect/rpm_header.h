/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The header of an rpm package as the package database keeps it, without its magic number:
 * big-endian counts of index entries and data bytes, the entries (tag, type, offset, count), the
 * data. Format: rpm's docs/manual/hregions.md and format_header.md; tags: tags.md there.
 */
#ifndef H2K_INSPECT_RPM_HEADER_H
#define H2K_INSPECT_RPM_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As much of a header is enough for what is read here: rpm keeps the data in the order of tags. */
#define RPM_HEADER_PREFIX (256U << 10)

/* Strings lie in the header. */
struct rpm_package {
    const char *name, *version, *release; /* never NULL or empty */
    const char *arch;                     /* "": it has none (keys have not) */
    uint32_t epoch;                       /* 0: none */
};

/* Read the first @len bytes of a header. false when it is damaged or names no package. */
bool rpm_header_parse(const uint8_t *header, size_t len, struct rpm_package *ret);

#endif
