/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Boot configuration data: a registry hive with an object for each thing that Windows' boot manager
 * knows. Sources: Microsoft, "BCD reference" (object and element numbers); layouts of devices as
 * in hives of Windows 7 to 11 and of setup media.
 */
#ifndef H2K_INSPECT_WINDOWS_BCD_H
#define H2K_INSPECT_WINDOWS_BCD_H

#include "engine/hive.h"

#define BCD_BOOTMGR "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
#define BCD_OBJECTS_MAX 1024U /* further ones are not looked at */

/* Types of objects. */
#define BCD_TYPE_BOOTMGR 0x10100002U
#define BCD_TYPE_LOADER 0x10200003U

/* Elements. The second digit is the form of their data: see enum bcd_form. */
#define BCD_DEVICE 0x11000001U
#define BCD_PATH 0x12000002U
#define BCD_DESCRIPTION 0x12000004U
#define BCD_TEST_SIGNING 0x16000049U
#define BCD_GRAPHICS_OFF 0x16000046U
#define BCD_OS_DEVICE 0x21000001U
#define BCD_SYSTEM_ROOT 0x22000002U
#define BCD_DEFAULT 0x23000003U
#define BCD_DISPLAY_ORDER 0x24000001U
#define BCD_WINPE 0x26000022U

enum bcd_form {
    BCD_FORM_DEVICE = 1,  /* REG_BINARY, see bcd_device_parse() */
    BCD_FORM_TEXT = 2,    /* REG_SZ */
    BCD_FORM_OBJECT = 3,  /* REG_SZ: name of an object */
    BCD_FORM_OBJECTS = 4, /* REG_MULTI_SZ */
    BCD_FORM_NUMBER = 5,  /* REG_BINARY: up to 8 bytes, little-endian */
    BCD_FORM_FLAG = 6,    /* REG_BINARY: one byte */
    BCD_FORM_NUMBERS = 7, /* REG_BINARY: of 8 bytes each */
};

enum bcd_form bcd_form(uint32_t element);

enum bcd_device_kind {
    BCD_DEVICE_OTHER, /* locate, VHD ..., or nothing that makes sense */
    BCD_DEVICE_BOOT,  /* what the boot manager itself was started from */
    BCD_DEVICE_GPT,
    BCD_DEVICE_MBR,
    BCD_DEVICE_RAMDISK, /* an image in a file: setup, recovery */
};

struct bcd_device {
    enum bcd_device_kind kind;
    char part_uuid[37], disk_uuid[37]; /* GPT: lower case */
    uint64_t start_bytes;              /* MBR: of the partition on its disk */
    uint32_t disk_id;                  /* MBR: signature of that */
};

/* false: it is cut off, or no device at all; then *ret is BCD_DEVICE_OTHER. */
bool bcd_device_parse(const void *data, size_t len, struct bcd_device *ret);

/* A Windows that can be started. Strings are never NULL. */
struct bcd_loader {
    char *id; /* "{733b62e5-...}" */
    char *description;
    char *path;        /* "\Windows\system32\winload.exe" */
    char *system_root; /* "\Windows" */
    struct bcd_device os_device;
    bool is_winpe; /* setup, or recovery */
    bool test_signing;
    bool graphics_off;
};

struct bcd {
    char *default_id; /* "": it says none */
    struct strlist order;
    struct bcd_loader *loaders;
    size_t n_loaders;
};

/* 0, or negative errno and *err when the hive is damaged. Release with bcd_done(). */
int bcd_read(struct hive *hive, struct bcd *ret, struct err *err);
void bcd_done(struct bcd *bcd);

/* The loader that is started by itself; the first in the menu when no default is named. NULL. */
const struct bcd_loader *bcd_default(const struct bcd *bcd);

/* An element of an object: 1 and *ret, 0: it has none, or one of a form that does not fit its
 * number; negative errno and *err. Release with hive_value_done(). */
int bcd_get(struct hive *hive, const char *object, uint32_t element, struct hive_value *ret,
            struct err *err);

#endif
