/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "storage/lvm_label.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[LVM_LABEL_BYTES + LVM_MDA_HEADER] = { 0 };
    const struct lvm_area area = { 4096, 1044480 };
    struct lvm_label label;
    struct lvm_text_place place;

    memcpy(bytes, data, size < sizeof(bytes) ? size : sizeof(bytes));
    if (lvm_label_parse(bytes, &label) == 0 &&
        (strlen(label.id) != LVM_ID_LEN || label.n_metadata > LVM_AREAS_MAX))
        abort();
    if (lvm_mda_parse(bytes + LVM_LABEL_BYTES, &area, &place) == 0 &&
        (place.start < LVM_MDA_HEADER || place.start >= area.size || place.size > area.size))
        abort();
    return 0;
}
