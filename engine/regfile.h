/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of Windows' registry editor (.reg): a hive's keys and values as text, and such text as
 * edits of a hive. Written as regedit of Windows 2000 and later writes them ("Windows Registry
 * Editor Version 5.00": UTF-16LE with a mark, CRLF); read in that form, as UTF-8, and in the older
 * one ("REGEDIT4", code page 1252, in which expandable and multiple strings are bytes too).
 */
#ifndef H2K_ENGINE_REGFILE_H
#define H2K_ENGINE_REGFILE_H

#include "engine/hive_edit.h"

/*
 * The key @key of @hive with all below it, under the name @as ("HKEY_LOCAL_MACHINE\SYSTEM\..."),
 * appended to *ret. A REG_SZ that no line of text can hold (no terminator or more than one, CR, LF,
 * half a pair) is written as hex(1). 1; 0: there is no such key; negative errno and *err:
 * -EILSEQ when a key's name has a line break.
 */
int regfile_export(struct hive *hive, const char *key, const char *as, struct strbuf *ret,
                   struct err *err);

/* What lies where: a name as it begins in .reg files, and the key of the hive that it means. */
struct regfile_map {
    const char *name; /* "HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet" */
    const char *key;  /* "ControlSet001"; "": the root */
};

struct regfile_edits {
    struct hive_edit *items;
    size_t n;
    size_t n_elsewhere; /* keys that no map names: they were passed over */
    char *elsewhere;    /* the first of them; NULL: there is none */
};

/*
 * The edits that the @len bytes of a .reg file ask for, for the first of @maps that names a key (or
 * one above it). 0, or -EBADMSG and *err, which names the line.
 */
int regfile_import(const void *data, size_t len, const struct regfile_map *maps, size_t n_maps,
                   struct regfile_edits *ret, struct err *err);

void regfile_edits_done(struct regfile_edits *edits);
#define CLEANUP_REGFILE_EDITS __attribute__((cleanup(regfile_edits_done)))

#endif
