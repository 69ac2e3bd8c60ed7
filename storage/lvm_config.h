/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LVM2's text format: sections of "key = value", where a value is a number, a string or a list.
 * Grammar: lvm2, libdm/libdm-config.c. The text is a guest's: nesting and counts are limited.
 */
#ifndef H2K_STORAGE_LVM_CONFIG_H
#define H2K_STORAGE_LVM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lvm_node_kind { LVM_SECTION, LVM_LIST, LVM_NUMBER, LVM_STRING };

struct lvm_node {
    enum lvm_node_kind kind;
    const char *key;  /* "" for members of a list */
    const char *text; /* of a string, unescaped */
    int64_t number;
    size_t first, next; /* indexes of the first child and of the next sibling; 0: none */
};

struct lvm_config {
    struct lvm_node *nodes; /* number 0 is the root section */
    size_t n;
    char *strings;
};

/* 0; -EBADMSG: the text is damaged; -E2BIG: it is deeper or has more parts than any real one.
 * Release with lvm_config_done(), after a failure too. */
int lvm_config_parse(const char *text, size_t len, struct lvm_config *ret);
void lvm_config_done(struct lvm_config *config);
#define CLEANUP_LVM_CONFIG __attribute__((cleanup(lvm_config_done)))

/* The child of this name of @section, of this kind; 0: there is none. */
size_t lvm_config_find(const struct lvm_config *config, size_t section, const char *key,
                       enum lvm_node_kind kind);

/* Text of a string; "" when there is none. */
const char *lvm_config_text(const struct lvm_config *config, size_t section, const char *key);

/* A number from 0 to @max; false: there is none, or it is beyond. */
bool lvm_config_number(const struct lvm_config *config, size_t section, const char *key,
                       uint64_t max, uint64_t *ret);

/* Is @text a member of the list @key? */
bool lvm_config_lists(const struct lvm_config *config, size_t section, const char *key,
                      const char *text);

#endif
