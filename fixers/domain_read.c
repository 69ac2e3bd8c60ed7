/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a libvirt domain: element names as in libvirt's formatdomain documentation. */
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "fixers/boot_test.h"
#include "fixers/domain_xml.h"

#define XML_MAX (4U << 20)
#define MAX_DISKS 256
#define MAX_NICS 32

/* The bus of a disk, and for SCSI the model of the controller, as boot tests name them. */
static const struct {
    const char *bus, *model, *name;
} buses[] = {
    { "virtio", NULL, "virtio" },     { "scsi", "virtio-scsi", "virtio-scsi" },
    { "scsi", "vmpvscsi", "pvscsi" }, { "scsi", "virtio-transitional", "virtio-scsi" },
    { "sata", NULL, "sata" },         { "ide", NULL, "ide" },
};

/* libxml2's text, without losing const as its BAD_CAST does. */
static const xmlChar *xml(const char *text)
{
    return (const xmlChar *)text;
}

/* The text that @query finds first, "" for nothing; free it. */
static char *find_text(xmlXPathContext *ctx, const char *query)
{
    xmlXPathObject *found = xmlXPathEvalExpression(xml(query), ctx);
    xmlChar *text = found ? xmlXPathCastToString(found) : NULL;
    char *copy = mem_strdup(text ? (const char *)text : "");

    xmlFree(text);
    xmlXPathFreeObject(found);
    return copy;
}

static const char *bus_name(xmlXPathContext *ctx)
{
    CLEANUP_FREE char *bus = find_text(
        ctx, "string(/domain/devices/disk[not(@device) or @device='disk'][1]/target/@bus)");
    CLEANUP_FREE char *model =
        find_text(ctx, "string(/domain/devices/controller[@type='scsi'][1]/@model)");

    for (size_t i = 0; i < ARRAY_SIZE(buses); i++)
        if (strcmp(bus, buses[i].bus) == 0 &&
            (!buses[i].model || strcmp(model, buses[i].model) == 0))
            return boot_bus_find(buses[i].name);
    return NULL;
}

static bool is_uefi(xmlXPathContext *ctx)
{
    CLEANUP_FREE char *firmware = find_text(ctx, "string(/domain/os/@firmware)");
    CLEANUP_FREE char *loader = find_text(ctx, "string(/domain/os/loader/@type)");

    return strcmp(firmware, "efi") == 0 || strcmp(loader, "pflash") == 0;
}

static bool is_secure(xmlXPathContext *ctx)
{
    CLEANUP_FREE char *loader = find_text(ctx, "string(/domain/os/loader/@secure)");
    CLEANUP_FREE char *feature =
        find_text(ctx, "string(/domain/os/firmware/feature[@name='secure-boot']/@enabled)");

    return strcmp(loader, "yes") == 0 || strcmp(feature, "yes") == 0;
}

static void read_disks(xmlXPathContext *ctx, struct domain *domain)
{
    for (unsigned i = 1; i <= MAX_DISKS; i++) {
        CLEANUP_FREE char *base =
            mem_printf("string(/domain/devices/disk[not(@device) or @device='disk'][%u]/", i);
        CLEANUP_FREE char *path_query = mem_printf("%ssource/@file)", base);
        CLEANUP_FREE char *format_query = mem_printf("%sdriver/@type)", base);
        CLEANUP_FREE char *path = find_text(ctx, path_query);
        CLEANUP_FREE char *format = find_text(ctx, format_query);
        CLEANUP_FREE char *blockio_query = mem_printf("%sblockio/@logical_block_size)", base);
        CLEANUP_FREE char *blockio = find_text(ctx, blockio_query);
        struct domain_disk *disk;
        uint64_t sector_size = 0;

        if (*path == '\0')
            return;
        disk = mem_add(&domain->disks, &domain->n_disks, sizeof(*disk));
        disk->path = TAKE(path);
        disk->format = *format ? TAKE(format) : NULL;
        if (io_parse_u64(blockio, 4096, &sector_size) == 0)
            disk->sector_size = (uint32_t)sector_size;
    }
}

static bool is_mac(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF:") == 17 && text[17] == '\0';
}

static void read_nics(xmlXPathContext *ctx, struct strlist *macs)
{
    for (unsigned i = 1; i <= MAX_NICS; i++) {
        CLEANUP_FREE char *there_query =
            mem_printf("string(boolean(/domain/devices/interface[%u]))", i);
        CLEANUP_FREE char *mac_query =
            mem_printf("string(/domain/devices/interface[%u]/mac/@address)", i);
        CLEANUP_FREE char *there = find_text(ctx, there_query);
        CLEANUP_FREE char *mac = find_text(ctx, mac_query);

        if (strcmp(there, "true") != 0)
            return;
        strlist_add(macs, is_mac(mac) ? mac : "");
    }
}

int domain_read(const char *path, struct domain *ret, struct err *err)
{
    struct domain domain = { .uefi = false };
    CLEANUP_FREE char *text = NULL, *arch = NULL;
    xmlXPathContext *ctx;
    xmlDoc *doc;
    size_t len = 0;

    if (io_read_file(path, XML_MAX, &text, &len, err) < 0)
        return -err->code;
    doc = xmlReadMemory(text, (int)len, NULL, NULL,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!doc)
        return err_status(err, STATUS_FAILED, "%s is not well-formed XML", path);
    ctx = xmlXPathNewContext(doc);
    domain.name = find_text(ctx, "string(/domain/name)");
    domain.uefi = is_uefi(ctx);
    domain.secure_boot = domain.uefi && is_secure(ctx);
    domain.bus = bus_name(ctx);
    read_disks(ctx, &domain);
    arch = find_text(ctx, "string(/domain/os/type/@arch)");
    read_nics(ctx, &domain.macs);
    xmlXPathFreeContext(ctx);
    xmlFreeDoc(doc);
    if (*arch && strcmp(machine_for("")->arch, arch) != 0 && strcmp(arch, "i686") != 0) {
        domain_done(&domain);
        return err_status(err, STATUS_FAILED,
                          "%s is a machine of the architecture %s: only PCs can be boot-tested, "
                          "start it with virsh",
                          path, arch);
    }
    if (domain.n_disks == 0) {
        domain_done(&domain);
        return err_status(err, STATUS_FAILED, "%s is not a libvirt domain with a disk in a file",
                          path);
    }
    *ret = domain;
    return 0;
}
