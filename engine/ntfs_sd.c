/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/ntfs_sd.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"

/* a descriptor */
#define SD_CONTROL 2 /* u16 */
#define SD_OWNER 4   /* u32: offsets */
#define SD_GROUP 8
#define SD_SACL 12
#define SD_DACL 16
#define SD_LEN 20U
#define CONTROL_DACL 0x0004U
#define CONTROL_SACL 0x0010U
#define CONTROL_DACL_INHERITED 0x0400U
#define CONTROL_SACL_INHERITED 0x0800U
#define CONTROL_DACL_PROTECTED 0x1000U
#define CONTROL_SELF_RELATIVE 0x8000U

/* a list of entries */
#define ACL_SIZE 2  /* u16 */
#define ACL_COUNT 4 /* u16 */
#define ACL_LEN 8U
#define ACL_REVISION 2
#define ACL_REVISION_DS 4

/* an entry */
#define ACE_FLAGS 1 /* u8 */
#define ACE_SIZE 2  /* u16 */
#define ACE_MASK 4  /* u32 */
#define ACE_SID 8
#define TO_FILES 0x01U
#define TO_FOLDERS 0x02U
#define NOT_FURTHER 0x04U
#define NOT_HERE 0x08U
#define INHERITED 0x10U
#define AUDIT_FLAGS 0xc0U

#define ALL_OF_FILES 0x1f01ffU

#define SID_LEN(sid) (8U + 4U * (sid)[1])
#define SIDS_MAX 15 /* sub-authorities of one */

static const uint8_t windows[] = { 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0 }; /* S-1-5-18 */
static const uint8_t administrators[] = {                                 /* S-1-5-32-544 */
                                          1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0
};

/* Who makes a thing: a stand-in in what is handed down. S-1-3-0 and S-1-3-1. */
static const uint8_t creator[] = { 1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0 };
static const uint8_t creator_group[] = { 1, 1, 0, 0, 0, 0, 0, 3, 1, 0, 0, 0 };

static const struct {
    const uint8_t *sid, *becomes;
} stand_ins[] = { { creator, administrators }, { creator_group, windows } };

static const struct {
    uint32_t generic, rights;
} generic_rights[] = {
    { 0x80000000U, 0x120089U },    /* read */
    { 0x40000000U, 0x120116U },    /* write */
    { 0x20000000U, 0x1200a0U },    /* execute */
    { 0x10000000U, ALL_OF_FILES }, /* all */
};

/* Types of entries whose mask is followed by two GUIDs, or by no SID at once. */
static bool has_sid(uint8_t type)
{
    return type <= 3 || type == 9 || type == 10 || type == 13 || type == 14 ||
           (type >= 0x11 && type <= 0x14);
}

/* ---- entries ---- */

static uint32_t map_generic(uint32_t mask)
{
    for (size_t i = 0; i < ARRAY_SIZE(generic_rights); i++)
        if (mask & generic_rights[i].generic)
            mask = (mask & ~generic_rights[i].generic) | generic_rights[i].rights;
    return mask;
}

/* The SID that takes the place of the entry's; NULL: it stays. */
static const uint8_t *replacement(const uint8_t *ace)
{
    const uint8_t *sid = ace + ACE_SID;

    for (size_t i = 0; has_sid(ace[0]) && i < ARRAY_SIZE(stand_ins); i++)
        if (SID_LEN(sid) == SID_LEN(stand_ins[i].sid) &&
            memcmp(sid, stand_ins[i].sid, SID_LEN(sid)) == 0)
            return stand_ins[i].becomes;
    return NULL;
}

static bool is_for_any_object(const uint8_t *ace)
{
    return map_generic(get_le32(ace + ACE_MASK)) == get_le32(ace + ACE_MASK) && !replacement(ace);
}

static bool has_entry(const struct strbuf *entries, const uint8_t *ace, size_t len)
{
    const uint8_t *at = (const uint8_t *)entries->data;

    for (size_t i = 0; i < entries->len; i += get_le16(at + i + ACE_SIZE))
        if (get_le16(at + i + ACE_SIZE) == len && memcmp(at + i, ace, len) == 0)
            return true;
    return false;
}

static void add_entry(struct strbuf *entries, const uint8_t *ace, uint8_t flags)
{
    uint16_t len = get_le16(ace + ACE_SIZE);
    CLEANUP_FREE uint8_t *copy = mem_dup(ace, len);

    copy[ACE_FLAGS] = flags;
    if (!has_entry(entries, copy, len))
        strbuf_add(entries, copy, len);
}

/* As it counts for the new object itself: for its owner, with rights that files have. */
static void add_effective(struct strbuf *entries, const uint8_t *ace, uint8_t flags)
{
    const uint8_t *sid = replacement(ace);
    size_t len = get_le16(ace + ACE_SIZE), old = sid ? SID_LEN(ace + ACE_SID) : 0;
    size_t new = sid ? SID_LEN(sid) : 0;
    CLEANUP_FREE uint8_t *copy = mem_alloc(len + new);

    memcpy(copy, ace, ACE_SID);
    if (sid)
        memcpy(copy + ACE_SID, sid, new);
    memcpy(copy + ACE_SID + new, ace + ACE_SID + old, len - ACE_SID - old);
    put_le16(copy + ACE_SIZE, (uint16_t)(len - old + new));
    put_le32(copy + ACE_MASK, map_generic(get_le32(ace + ACE_MASK)));
    add_entry(entries, copy, flags);
}

/* What a new object gets of one entry of its folder. */
static void hand_down(struct strbuf *entries, const uint8_t *ace, bool is_folder)
{
    uint8_t flags = ace[ACE_FLAGS];
    uint8_t here = (flags & AUDIT_FLAGS) | INHERITED;
    uint8_t below = here | (flags & (TO_FILES | TO_FOLDERS));

    if (!is_folder) {
        if (flags & TO_FILES)
            add_effective(entries, ace, here);
        return;
    }
    if (!(flags & TO_FOLDERS)) {
        if ((flags & TO_FILES) && !(flags & NOT_FURTHER))
            add_entry(entries, ace, below | NOT_HERE);
        return;
    }
    if (flags & NOT_FURTHER) {
        add_effective(entries, ace, here);
    } else if (is_for_any_object(ace)) {
        add_entry(entries, ace, below);
    } else {
        add_effective(entries, ace, here);
        add_entry(entries, ace, below | NOT_HERE);
    }
}

/* ---- lists ---- */

static bool is_entry(const uint8_t *ace, size_t room)
{
    size_t len;

    if (room < ACE_SID)
        return false;
    len = get_le16(ace + ACE_SIZE);
    if (len < ACE_SID || len > room || len % 4)
        return false;
    return !has_sid(ace[0]) || (len >= ACE_SID + 8U && ace[ACE_SID + 1] <= SIDS_MAX &&
                                len - ACE_SID >= SID_LEN(ace + ACE_SID));
}

/* The list at @offset of the descriptor; 0 stands for one that allows everything and hands nothing
 * down. */
static int inherit_list(const uint8_t *sd, size_t len, uint32_t offset, bool is_folder,
                        struct strbuf *ret)
{
    const uint8_t *acl = sd + offset;
    size_t size, at = ACL_LEN;
    unsigned count;

    if (offset == 0)
        return 0;
    if (offset < SD_LEN || offset > len || len - offset < ACL_LEN)
        return -EINVAL;
    size = get_le16(acl + ACL_SIZE);
    count = get_le16(acl + ACL_COUNT);
    if (size < ACL_LEN || size > len - offset)
        return -EINVAL;
    for (unsigned i = 0; i < count; i++) {
        if (!is_entry(acl + at, size - at))
            return -EINVAL;
        hand_down(ret, acl + at, is_folder);
        at += get_le16(acl + at + ACE_SIZE);
        if (ret->len > UINT16_MAX - ACL_LEN)
            return -EFBIG;
    }
    return 0;
}

static unsigned n_entries(const struct strbuf *entries, uint8_t *ret_revision)
{
    const uint8_t *at = (const uint8_t *)entries->data;
    unsigned n = 0;

    *ret_revision = ACL_REVISION;
    for (size_t i = 0; i < entries->len; i += get_le16(at + i + ACE_SIZE)) {
        if (!has_sid(at[i]))
            *ret_revision = ACL_REVISION_DS;
        n++;
    }
    return n;
}

/* ---- descriptors ---- */

static void add_list(struct strbuf *ret, size_t offset_at, const struct strbuf *entries)
{
    uint8_t header[ACL_LEN] = { 0 };

    put_le32((uint8_t *)ret->data + offset_at, (uint32_t)ret->len);
    put_le16(header + ACL_SIZE, (uint16_t)(ACL_LEN + entries->len));
    put_le16(header + ACL_COUNT, (uint16_t)n_entries(entries, header));
    strbuf_add(ret, header, sizeof(header));
    strbuf_add(ret, strbuf_text(entries), entries->len);
}

/* @sacl may be empty; @dacl is not. */
static void build(uint16_t control, const struct strbuf *sacl, const struct strbuf *dacl,
                  struct strbuf *ret)
{
    uint8_t header[SD_LEN] = { 1 };

    put_le16(header + SD_CONTROL, (uint16_t)(control | CONTROL_SELF_RELATIVE | CONTROL_DACL));
    put_le32(header + SD_OWNER, SD_LEN);
    put_le32(header + SD_GROUP, SD_LEN + sizeof(administrators));
    ret->len = 0;
    strbuf_add(ret, header, sizeof(header));
    strbuf_add(ret, administrators, sizeof(administrators));
    strbuf_add(ret, windows, sizeof(windows));
    if (sacl->len)
        add_list(ret, SD_SACL, sacl);
    add_list(ret, SD_DACL, dacl);
}

static void allow_all(struct strbuf *entries, const uint8_t *sid, uint8_t flags)
{
    uint8_t header[ACE_SID] = { 0 };

    header[ACE_FLAGS] = flags;
    put_le16(header + ACE_SIZE, (uint16_t)(ACE_SID + SID_LEN(sid)));
    put_le32(header + ACE_MASK, ALL_OF_FILES);
    strbuf_add(entries, header, sizeof(header));
    strbuf_add(entries, sid, SID_LEN(sid));
}

static void allow_trusted(struct strbuf *entries, uint8_t flags)
{
    allow_all(entries, windows, flags);
    allow_all(entries, administrators, flags);
}

void ntfs_sd_private(bool is_folder, struct strbuf *ret)
{
    CLEANUP_STRBUF struct strbuf dacl = { 0 };
    const struct strbuf none = { 0 };

    allow_trusted(&dacl, is_folder ? TO_FILES | TO_FOLDERS : 0);
    build(CONTROL_DACL_PROTECTED, &none, &dacl, ret);
}

int ntfs_sd_inherit(const void *parent, size_t len, bool is_folder, struct strbuf *ret)
{
    CLEANUP_STRBUF struct strbuf dacl = { 0 };
    CLEANUP_STRBUF struct strbuf sacl = { 0 };
    const uint8_t *sd = parent;
    uint16_t control, new_control = 0;
    int r = 0;

    if (len < SD_LEN || len > NTFS_SD_MAX || sd[0] != 1)
        return -EINVAL;
    control = get_le16(sd + SD_CONTROL);
    if (!(control & CONTROL_SELF_RELATIVE))
        return -EINVAL;
    if (control & CONTROL_DACL)
        r = inherit_list(sd, len, get_le32(sd + SD_DACL), is_folder, &dacl);
    if (r == 0 && (control & CONTROL_SACL))
        r = inherit_list(sd, len, get_le32(sd + SD_SACL), is_folder, &sacl);
    if (r < 0)
        return r;
    if (dacl.len)
        new_control |= CONTROL_DACL_INHERITED;
    else
        allow_trusted(&dacl, 0);
    if (sacl.len)
        new_control |= CONTROL_SACL | CONTROL_SACL_INHERITED;
    if (SD_LEN + sizeof(administrators) + sizeof(windows) + (size_t)2 * ACL_LEN + dacl.len +
            sacl.len >
        NTFS_SD_MAX)
        return -EFBIG;
    build(new_control, &sacl, &dacl, ret);
    return 0;
}
