/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No program and no catalog may crash what reads signatures and versions. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/le.h"
#include "fixers/windows/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A program that nobody signed, for catalogs. */
static void make_program(uint8_t pe[512])
{
    memset(pe, 0, 512);
    memcpy(pe, "MZ", 2);
    put_le32(pe + 0x3c, 0x40);
    memcpy(pe + 0x40, "PE\0\0", 4);
    put_le32(pe + 0x54, 0xe0);    /* length of the optional header */
    put_le32(pe + 0x58, 0x10b);   /* PE32 */
    put_le32(pe + 0x58 + 92, 16); /* directories */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct signature signature;
    uint16_t version[4];
    uint8_t program[512];
    unsigned char *certificate = NULL;
    size_t len = 0;

    signature_read(data, size, NULL, 0, &signature);
    signature_done(&signature);
    for (size_t n = 0; signature_read_nested(data, size, n, &signature); n++)
        signature_done(&signature);
    if (signature_publisher(data, size, &certificate, &len))
        free(certificate);
    (void)pe_file_version(data, size, version);
    make_program(program);
    signature_read(program, sizeof(program), data, size, &signature);
    signature_done(&signature);
    return 0;
}
