/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a registry hive. Every number in it comes from the guest: what does not fit together is
 * an error or "not there", never a crash. Only what is asked for is read, so that a hive of a
 * hundred megabytes costs some dozen pages; one that must be recovered from its logs is read whole
 * and recovered in memory. Format: msuhanov/regf, "Windows registry file format specification".
 *
 * Keys are named by their path from the hive's root, without it ("ControlSet001\Services\disk");
 * "" is the root. Names of keys and values are compared as Windows does, without case; all text is
 * UTF-8 here. The default value of a key has the name "".
 */
#ifndef H2K_ENGINE_HIVE_H
#define H2K_ENGINE_HIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "engine/guest.h"
#include "engine/regf_log.h"

/* Types of values (winnt.h); there are others in real hives, which stay as they are. */
enum {
    REG_NONE = 0,
    REG_SZ = 1,
    REG_EXPAND_SZ = 2,
    REG_BINARY = 3,
    REG_DWORD = 4,
    REG_DWORD_BIG_ENDIAN = 5,
    REG_LINK = 6,
    REG_MULTI_SZ = 7,
    REG_QWORD = 11,
};

struct hive;

struct hive_value {
    char *name; /* "" is the default value */
    uint32_t type;
    void *data; /* as it is stored: text is UTF-16LE with its terminator */
    size_t len;
};

struct hive_values {
    struct hive_value *items;
    size_t n;
};

/* Open the hive @path of a guest with the logs that lie beside it. The file stays open, and must
 * not be written to until hive_free(). 0, or negative errno and *err: -EBADMSG when it is none, or
 * is damaged in what is read now. */
int hive_open(const struct guest_root *root, const char *path, struct hive **ret, struct err *err);

/* The same of bytes in memory, which are taken over; @name is for messages. */
int hive_from_bytes(struct strbuf *bytes, const char *name, struct hive **ret, struct err *err);

void hive_free(struct hive *hive);

/* Has it so many keys and values that looking things up was given up? What is asked for after that
 * is an error. */
bool hive_is_exhausted(const struct hive *hive);

/* How was it opened? */
const struct regf_recovery *hive_recovery(const struct hive *hive);

/* Everything that Windows would look at: bins, cells, lists, names, security descriptors and their
 * counts, big data, the order of keys. 0, or -EBADMSG and the first thing that is wrong. */
int hive_check(struct hive *hive, struct err *err);

/* ---- looking up: 1 and *ret; 0: it is not there; negative errno and *err: the hive is damaged
 * at that place ---- */

int hive_has_key(struct hive *hive, const char *key, struct err *err);

/* Release with hive_value_done(). */
int hive_get(struct hive *hive, const char *key, const char *name, struct hive_value *ret,
             struct err *err);

/* Names of the keys below @key and its values, in their order. */
int hive_keys(struct hive *hive, const char *key, struct strlist *ret, struct err *err);
int hive_get_all(struct hive *hive, const char *key, struct hive_values *ret, struct err *err);

void hive_value_done(struct hive_value *value);
void hive_values_done(struct hive_values *values);

/* ---- what values mean ---- */

/* REG_SZ, REG_EXPAND_SZ, up to the first terminator; NULL when it is no text. Free it. */
char *hive_value_text(const struct hive_value *value);

/* REG_MULTI_SZ (a text that is not empty counts as one string). false: it is something else. */
bool hive_value_list(const struct hive_value *value, struct strlist *ret);

/* REG_DWORD, or a REG_QWORD that fits. */
bool hive_value_u32(const struct hive_value *value, uint32_t *ret);

/* Make values: of text (@type REG_SZ or REG_EXPAND_SZ), of a list, of a number. @name is copied. */
void hive_make_text(struct hive_value *ret, const char *name, uint32_t type, const char *text);
void hive_make_list(struct hive_value *ret, const char *name, const struct strlist *texts);
void hive_make_u32(struct hive_value *ret, const char *name, uint32_t number);
void hive_make_data(struct hive_value *ret, const char *name, uint32_t type, const void *data,
                    size_t len);

#endif
