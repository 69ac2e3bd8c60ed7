/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/domain_xml.h"

#include <errno.h>
#include <libxml/tree.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "fixers/job_stage.h"
#include "storage/volume.h"

#define OSINFO_NS "http://libosinfo.org/xmlns/libvirt/domain/1.0"
#define DEFAULT_MEMORY_MIB 2048
#define DEFAULT_CPUS 2

void domain_done(struct domain *domain)
{
    for (size_t i = 0; i < domain->n_disks; i++) {
        free(domain->disks[i].path);
        free(domain->disks[i].format);
    }
    free(domain->disks);
    free(domain->name);
    free(domain->os_id);
    strlist_done(&domain->macs);
    *domain = (struct domain){ .uefi = false };
}

/* ---- writing ---- */

/* libxml2's text, without losing const as its BAD_CAST does. */
static const xmlChar *xml(const char *text)
{
    return (const xmlChar *)text;
}

/* A child element; name and value of its attributes follow, ended by NULL. */
__attribute__((sentinel)) static xmlNode *child(xmlNode *parent, const char *name, ...)
{
    xmlNode *node = xmlNewChild(parent, NULL, xml(name), NULL);
    const char *attr;
    va_list args;

    va_start(args, name);
    while ((attr = va_arg(args, const char *)) != NULL)
        (void)xmlNewProp(node, xml(attr), xml(va_arg(args, const char *)));
    va_end(args);
    return node;
}

static xmlNode *text_child(xmlNode *parent, const char *name, const char *text)
{
    return xmlNewTextChild(parent, NULL, xml(name), xml(text));
}

static void add_osinfo(xmlNode *root, const char *os_id)
{
    xmlNode *node = child(child(root, "metadata", NULL), "libosinfo", NULL);
    xmlNs *ns = xmlNewNs(node, xml(OSINFO_NS), xml("libosinfo"));

    xmlSetNs(node, ns);
    xmlSetNs(child(node, "os", "id", os_id, NULL), ns);
}

/* libvirt chooses firmware and variables by this. */
static void add_firmware(xmlNode *os, bool secure_boot)
{
    static const char *const features[] = { "enrolled-keys", "secure-boot" };
    xmlNode *firmware = secure_boot ? child(os, "firmware", NULL) : NULL;

    for (size_t i = 0; firmware && i < ARRAY_SIZE(features); i++)
        (void)child(firmware, "feature", "enabled", "yes", "name", features[i], NULL);
    (void)child(os, "loader", "secure", secure_boot ? "yes" : "no", NULL);
}

static void add_os(xmlNode *root, const struct domain *domain, const struct machine *machine,
                   const char *type_name)
{
    xmlNode *os = child(root, "os", NULL);
    xmlNode *type = text_child(os, "type", "hvm");

    (void)xmlNewProp(type, xml("arch"), xml(machine->arch));
    (void)xmlNewProp(type, xml("machine"), xml(type_name));
    if (domain->uefi) {
        (void)xmlNewProp(os, xml("firmware"), xml("efi"));
        add_firmware(os, domain->secure_boot);
    }
    (void)child(os, "boot", "dev", "hd", NULL);
}

static void add_disk(xmlNode *devices, const struct hardware *hardware,
                     const struct domain_disk *disk, size_t i)
{
    CLEANUP_FREE char *letters = volume_disk_letters(i);
    CLEANUP_FREE char *name = mem_printf("%s%s", hardware->disk_name, letters);
    CLEANUP_FREE char *sector_size = mem_printf("%u", disk->sector_size);
    xmlNode *node = child(devices, "disk", "type", "file", "device", "disk", NULL);

    (void)child(node, "driver", "name", "qemu", "type", disk->format, "discard", "unmap", NULL);
    (void)child(node, "source", "file", disk->path, NULL);
    if (disk->sector_size > 512)
        (void)child(node, "blockio", "logical_block_size", sector_size, "physical_block_size",
                    sector_size, NULL);
    (void)child(node, "target", "dev", name, "bus", hardware->disk_bus, NULL);
}

static void add_nic(xmlNode *devices, const struct hardware *hardware, const char *mac)
{
    xmlNode *node = child(devices, "interface", "type", "network", NULL);

    if (*mac)
        (void)child(node, "mac", "address", mac, NULL);
    (void)child(node, "source", "network", "default", NULL);
    (void)child(node, "model", "type", hardware->nic_model, NULL);
}

static void add_display(xmlNode *devices, const struct machine *machine)
{
    (void)child(devices, "input", "type", "tablet", "bus", "usb", NULL);
    (void)child(devices, "graphics", "type", "vnc", "autoport", "yes", NULL);
    (void)child(child(devices, "video", NULL), "model", "type", machine->video, NULL);
}

static void add_devices(xmlNode *root, const struct domain *domain, const struct machine *machine,
                        const struct hardware *hardware)
{
    xmlNode *devices = child(root, "devices", NULL);
    xmlNode *node;

    for (size_t i = 0; i < domain->n_disks; i++)
        add_disk(devices, hardware, &domain->disks[i], i);
    for (size_t i = 0; i < domain->macs.n; i++)
        add_nic(devices, hardware, domain->macs.items[i]);
    node = child(devices, "console", "type", "pty", NULL);
    (void)child(node, "target", "type", "serial", "port", "0", NULL);
    if (!hardware->is_virtio) {
        add_display(devices, machine);
        (void)child(devices, "memballoon", "model", "none", NULL);
        return;
    }
    node = child(devices, "channel", "type", "unix", NULL);
    (void)child(node, "target", "type", "virtio", "name", "org.qemu.guest_agent.0", NULL);
    add_display(devices, machine);
    node = child(devices, "rng", "model", "virtio", NULL);
    text_child(node, "backend", "/dev/urandom");
    (void)xmlNewProp(node->children, xml("model"), xml("random"));
    (void)child(devices, "memballoon", "model", "virtio", NULL);
}

/* Windows from Vista on runs better when it finds what Hyper-V offers; without the first of these a
 * busy host can end it with stop 0x101 (libvirt's formatdomain, "Hypervisor features"). */
static void add_hyperv(xmlNode *features)
{
    static const char *const states[] = { "relaxed", "vapic", "vpindex",
                                          "runtime", "synic", "stimer" };
    xmlNode *hyperv = child(features, "hyperv", "mode", "custom", NULL);

    for (size_t i = 0; i < ARRAY_SIZE(states); i++)
        (void)child(hyperv, states[i], "state", "on", NULL);
    (void)child(hyperv, "spinlocks", "state", "on", "retries", "8191", NULL);
}

static void add_clock(xmlNode *root, const struct domain *domain)
{
    static const struct {
        const char *name, *attr, *value;
    } timers[] = {
        { "rtc", "tickpolicy", "catchup" },
        { "pit", "tickpolicy", "delay" },
        { "hpet", "present", "no" },
    };
    xmlNode *clock =
        child(root, "clock", "offset", domain->clock_is_local ? "localtime" : "utc", NULL);

    if (!domain->is_windows)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(timers); i++)
        (void)child(clock, "timer", "name", timers[i].name, timers[i].attr, timers[i].value, NULL);
    if (domain->has_hyperv)
        (void)child(clock, "timer", "name", "hypervclock", "present", "yes", NULL);
}

static xmlDoc *make_document(const struct domain *domain)
{
    CLEANUP_FREE char *memory = mem_printf("%u", domain->memory_mib);
    CLEANUP_FREE char *cpus = mem_printf("%u", domain->n_cpus);
    xmlDoc *doc = xmlNewDoc(xml("1.0"));
    xmlNode *root = xmlNewNode(NULL, xml("domain"));
    const struct machine *machine = domain->machine ? domain->machine : machine_for("");
    const struct hardware *hardware = domain->hardware ? domain->hardware : hardware_virtio();
    xmlNode *features;

    (void)xmlDocSetRootElement(doc, root);
    (void)xmlAddChild(root, xmlNewDocComment(doc, xml(DOMAIN_MARK)));
    (void)xmlNewProp(root, xml("type"), xml("kvm"));
    text_child(root, "name", domain->name);
    if (domain->os_id)
        add_osinfo(root, domain->os_id);
    (void)xmlNewProp(text_child(root, "memory", memory), xml("unit"), xml("MiB"));
    text_child(root, "vcpu", cpus);
    add_os(root, domain, machine, hardware->machine ? hardware->machine : machine->type);
    features = child(root, "features", NULL);
    (void)child(features, "acpi", NULL);
    if (machine->is_pc)
        (void)child(features, "apic", NULL);
    if (machine->is_pc && domain->secure_boot) /* who may change the variables */
        (void)child(features, "smm", "state", "on", NULL);
    if (domain->has_hyperv)
        add_hyperv(features);
    (void)child(root, "cpu", "mode", machine->is_pc ? "host-model" : "host-passthrough", NULL);
    add_clock(root, domain);
    add_devices(root, domain, machine, hardware);
    return doc;
}

int domain_write(const struct domain *domain, const char *path, mode_t mode, struct err *err)
{
    xmlDoc *doc = make_document(domain);
    xmlChar *text = NULL;
    int len = 0, r;

    xmlDocDumpFormatMemoryEnc(doc, &text, &len, "UTF-8", 1);
    xmlFreeDoc(doc);
    if (!text)
        return err_set(err, EINVAL, "write %s as XML: are all names UTF-8?", path);
    r = io_write_file(path, text, (size_t)len, mode, err);
    xmlFree(text);
    return r < 0 ? err_wrap(err, "write the libvirt domain") : 0;
}

/* ---- from a job ---- */

/* libosinfo's ids: a prefix, then the major version or (for some) major.minor. */
static const struct {
    const char *distro, *prefix;
    bool minor;
    unsigned minor_width;
} os_ids[] = {
    { "debian", "http://debian.org/debian/", false, 0 },
    { "ubuntu", "http://ubuntu.com/ubuntu/", true, 2 },
    { "fedora", "http://fedoraproject.org/fedora/", false, 0 },
    { "rhel", "http://redhat.com/rhel/", true, 1 },
    { "rocky", "http://rockylinux.org/rocky/", false, 0 },
    { "almalinux", "http://almalinux.org/almalinux/", false, 0 },
};

/* libosinfo's ids of Windows: up to which build, as a client and as a server. */
static const struct {
    uint32_t major, minor, build;
    const char *client, *server;
} windows_ids[] = {
    { 5, 0, UINT32_MAX, "2k", "2k" },      { 5, 1, UINT32_MAX, "xp", "xp" },
    { 5, 2, UINT32_MAX, "xp", "2k3" },     { 6, 0, UINT32_MAX, "vista", "2k8" },
    { 6, 1, UINT32_MAX, "7", "2k8r2" },    { 6, 2, UINT32_MAX, "8", "2k12" },
    { 6, 3, UINT32_MAX, "8.1", "2k12r2" }, { 10, 0, 17762, "10", "2k16" },
    { 10, 0, 20347, "10", "2k19" },        { 10, 0, 21999, "10", "2k22" },
    { 10, 0, 26099, "11", "2k22" },        { 10, 0, UINT32_MAX, "11", "2k25" },
};

static char *windows_id(const struct fact_windows *windows)
{
    for (size_t i = 0; i < ARRAY_SIZE(windows_ids); i++)
        if (windows_ids[i].major == windows->nt_major &&
            windows_ids[i].minor == windows->nt_minor && windows->build <= windows_ids[i].build)
            return mem_printf("http://microsoft.com/win/%s",
                              windows->is_server ? windows_ids[i].server : windows_ids[i].client);
    return NULL;
}

static char *os_id(const struct facts *facts)
{
    if (facts->windows)
        return windows_id(facts->windows);
    for (size_t i = 0; i < ARRAY_SIZE(os_ids); i++) {
        if (strcmp(facts->distro, os_ids[i].distro) != 0 || facts->version_major <= 0)
            continue;
        if (os_ids[i].minor)
            return mem_printf("%s%d.%0*d", os_ids[i].prefix, facts->version_major,
                              (int)os_ids[i].minor_width, facts->version_minor);
        return mem_printf("%s%d", os_ids[i].prefix, facts->version_major);
    }
    return NULL;
}

/* The MAC that --nic or some file of the guest gives to this interface; "" unknown. */
static const char *mac_of(const struct job *job, const char *name)
{
    const struct fix_opts *fix = &job->opts->fix;
    const struct facts *facts = job->chosen->facts;

    for (size_t i = 0; i < fix->n_nics; i++)
        if (strcmp(fix->nics[i].name, name) == 0)
            return fix->nics[i].mac;
    for (size_t i = 0; i < facts->n_nics; i++)
        if (strcmp(facts->nics[i].name, name) == 0 && *facts->nics[i].mac)
            return facts->nics[i].mac;
    return "";
}

/* One NIC per interface that the guest or the user knows; one without MAC when there is none. */
static void add_macs(const struct job *job, struct strlist *macs)
{
    const struct facts *facts = job->chosen->facts;
    CLEANUP_STRLIST struct strlist names = { 0 };

    for (size_t i = 0; i < job->opts->fix.n_nics; i++)
        if (!strlist_has(&names, job->opts->fix.nics[i].name))
            strlist_add(&names, job->opts->fix.nics[i].name);
    for (size_t i = 0; i < facts->n_nics; i++)
        if (*facts->nics[i].name && !strlist_has(&names, facts->nics[i].name))
            strlist_add(&names, facts->nics[i].name);
    for (size_t i = 0; i < names.n; i++)
        strlist_add(macs, mac_of(job, names.items[i]));
    for (size_t i = 0; i < facts->n_nics; i++)
        if (!*facts->nics[i].name && !strlist_has(macs, facts->nics[i].mac))
            strlist_add(macs, facts->nics[i].mac);
    if (macs->n == 0)
        strlist_add(macs, "");
}

/* "/dir/web01.qcow2" and "/dir/web01-sda.qcow2" (the first of several) are both web01. */
static char *domain_name(const char *target, size_t n_targets)
{
    const char *slash = strrchr(target, '/');
    char *name = mem_strdup(slash ? slash + 1 : target);
    char *dot = strrchr(name, '.');
    char *end;

    if (dot && dot != name)
        *dot = '\0';
    end = name + strlen(name);
    if (n_targets > 1 && end - name > 4 && strcmp(end - 4, "-sda") == 0)
        end[-4] = '\0';
    return name;
}

int domain_xml_write(const struct job *job, const char *path, struct err *err)
{
    const char *format = job->opts->output_format ? job->opts->output_format : "qcow2";
    struct domain domain = { .memory_mib = DEFAULT_MEMORY_MIB, .n_cpus = DEFAULT_CPUS };
    int r = 0;

    if (job->targets.n == 0 || !job->chosen)
        return err_set(err, EINVAL, "describe a target that is not there");
    domain.name = domain_name(job->targets.items[0], job->targets.n);
    domain.machine = machine_for(job->chosen->facts->arch);
    domain.uefi = job->chosen->facts->firmware == FIRMWARE_UEFI || domain.machine->needs_uefi;
    domain.secure_boot = domain.uefi && job->opts->fix.secure_boot == SECURE_BOOT_ON;
    domain.hardware = job_hardware(job);
    domain.os_id = os_id(job->chosen->facts);
    if (job->chosen->facts->windows) {
        domain.is_windows = true;
        domain.clock_is_local = !job->chosen->facts->windows->rtc_is_utc;
        domain.has_hyperv = job->chosen->facts->windows->nt_major >= 6 && domain.machine->is_pc;
    }
    add_macs(job, &domain.macs);
    for (size_t i = 0; r == 0 && i < job->targets.n; i++) {
        struct domain_disk *disk = mem_add(&domain.disks, &domain.n_disks, sizeof(*disk));

        if (job->opts->in_place && i < job->opts->n_sources)
            format = job->images[i]->format;
        disk->format = mem_strdup(format);
        if (i < job->opts->n_sources && job->images && job->images[i])
            disk->sector_size = job->images[i]->sector_size;
        disk->path = realpath(job->targets.items[i], NULL);
        if (!disk->path)
            r = err_set(err, errno, "find %s", job->targets.items[i]);
    }
    if (r == 0)
        r = domain_write(&domain, path, 0600, err);
    domain_done(&domain);
    return r;
}
