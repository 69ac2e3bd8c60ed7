/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "fixers/domain_xml.h"
#include "tests/unit/unit.h"

static char folder[] = "/tmp/h2k-domain.XXXXXX";
static char target[64], path[64];

static int setup(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(target, sizeof(target), "%s/web & 01.qcow2", folder);
    (void)snprintf(path, sizeof(path), "%s/web01.xml", folder);
    return io_write_file(target, "x", 1, 0600, &err);
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(target);
    (void)unlink(path);
    return rmdir(folder);
}

static void is_valid(void)
{
    const char *const argv[] = { "virt-xml-validate", path, "domain", NULL };
    struct exec_opts opts = { .argv = argv };
    struct exec_result result = { 0 };
    struct err err = ERR_NONE;

    if (!exec_have(argv[0])) {
        print_message("virt-xml-validate is not installed: not validated\n");
        return;
    }
    assert_int_equal(exec_run(&opts, &result, &err), 0);
    if (result.exit_status != 0)
        print_message("%s%s\n", strbuf_text(&result.out), strbuf_text(&result.err));
    assert_int_equal(result.exit_status, 0);
    exec_result_done(&result);
}

static void add_nic(struct facts *facts, const char *name, const char *mac)
{
    struct fact_nic *nic = mem_add(&facts->nics, &facts->n_nics, sizeof(*nic));

    nic->name = mem_strdup(name);
    nic->mac = mem_strdup(mac);
    nic->source = mem_strdup("/etc/network/interfaces");
}

static void what_is_written_for_a_job_is_valid_and_reads_back(void **state)
{
    struct job_opts opts = { .n_sources = 1 };

    (void)state;
    for (int uefi = 0; uefi < 3; uefi++) {
        struct facts *facts = facts_new();
        struct system chosen = { .facts = facts };
        struct job job = { .opts = &opts, .chosen = &chosen };
        struct domain domain;
        struct err err = ERR_NONE;

        free(facts->distro);
        facts->distro = mem_strdup("debian");
        facts->version_major = 12;
        facts->firmware = uefi ? FIRMWARE_UEFI : FIRMWARE_BIOS;
        add_nic(facts, "ens192", "");
        add_nic(facts, "ens192", "00:50:56:aa:bb:cc");
        add_nic(facts, "ens224", "");
        add_nic(facts, "", "00:50:56:00:00:02"); /* found by its address alone */
        add_nic(facts, "", "00:50:56:aa:bb:cc"); /* ens192's */
        strlist_add(&job.targets, target);
        opts.fix.secure_boot = uefi == 2 ? SECURE_BOOT_ON : SECURE_BOOT_AUTO;
        assert_int_equal(domain_xml_write(&job, path, &err), 0);
        is_valid();

        assert_int_equal(domain_read(path, &domain, &err), 0);
        assert_string_equal(domain.name, "web & 01");
        assert_int_equal(domain.uefi, uefi > 0);
        assert_int_equal(domain.secure_boot, uefi == 2);
        assert_string_equal(domain.bus, "virtio");
        assert_int_equal(domain.n_disks, 1);
        assert_string_equal(domain.disks[0].path, target);
        assert_string_equal(domain.disks[0].format, "qcow2");
        assert_int_equal(domain.macs.n, 3);
        assert_string_equal(domain.macs.items[0], "00:50:56:aa:bb:cc");
        assert_string_equal(domain.macs.items[1], "");
        assert_string_equal(domain.macs.items[2], "00:50:56:00:00:02");
        domain_done(&domain);
        strlist_done(&job.targets);
        facts_free(facts);
    }
}

static void many_disks_and_large_sectors_are_written(void **state)
{
    struct domain domain = { .memory_mib = 1024, .n_cpus = 1, .name = mem_strdup("many") }, again;
    struct err err = ERR_NONE;
    char *text = NULL;

    (void)state;
    for (size_t i = 0; i < 30; i++) {
        struct domain_disk *disk = mem_add(&domain.disks, &domain.n_disks, sizeof(*disk));

        disk->path = mem_printf("/images/%zu.raw", i);
        disk->format = mem_strdup("raw");
        disk->sector_size = i == 28 ? 4096 : 512;
    }
    strlist_add(&domain.macs, "52:54:00:00:00:01");
    strlist_add(&domain.macs, "");
    assert_int_equal(domain_write(&domain, path, 0600, &err), 0);
    is_valid();
    assert_int_equal(io_read_file(path, 65536, &text, NULL, &err), 0);
    assert_non_null(strstr(text, "dev=\"vda\""));
    assert_non_null(strstr(text, "dev=\"vdz\""));
    assert_non_null(strstr(text, "dev=\"vdad\""));
    free(text);
    assert_int_equal(domain_read(path, &again, &err), 0);
    assert_int_equal(again.n_disks, 30);
    assert_int_equal(again.disks[27].sector_size, 0);
    assert_int_equal(again.disks[28].sector_size, 4096);
    assert_int_equal(again.macs.n, 2);
    assert_string_equal(again.macs.items[0], "52:54:00:00:00:01");
    assert_string_equal(again.macs.items[1], "");
    domain_done(&again);
    domain_done(&domain);
}

static const struct windows_case {
    uint32_t major, minor, build;
    bool is_server, utc, boots_blk, boots_ahci, boots_ide, has_net;
    size_t n_disks;
    const char *id, *clock, *bus, *model, *machine;
} windows_cases[] = {
    { 5, 1, 2600, false, false, false, false, true, false, 1, "xp", "localtime", "ide", "rtl8139",
      "pc" },
    { 5, 2, 3790, true, false, false, false, true, false, 4, "2k3", "localtime", "ide", "e1000",
      "pc" },
    { 5, 2, 3790, true, false, true, false, true, true, 1, "2k3", "localtime", "virtio", "virtio",
      "pc" },
    { 6, 0, 6002, false, false, false, true, true, false, 1, "vista", "localtime", "sata", "e1000",
      "q35" },
    { 6, 1, 7601, false, false, false, false, true, false, 1, "7", "localtime", "ide", "e1000",
      "pc" },
    { 6, 1, 7601, true, false, false, false, true, false, 5, "2k8r2", "localtime", "sata", "e1000e",
      "q35" },
    { 6, 3, 9600, true, true, false, true, true, false, 1, "2k12r2", "utc", "sata", "e1000e",
      "q35" },
    { 10, 0, 19045, false, false, true, true, true, true, 1, "10", "localtime", "virtio", "virtio",
      "q35" },
    { 10, 0, 22631, false, false, true, true, true, false, 1, "11", "localtime", "virtio", "e1000e",
      "q35" },
    { 10, 0, 14393, true, false, false, true, true, true, 1, "2k16", "localtime", "sata", "virtio",
      "q35" },
    { 10, 0, 17763, true, false, false, true, true, false, 1, "2k19", "localtime", "sata", "e1000e",
      "q35" },
    { 10, 0, 20348, true, false, false, true, true, false, 1, "2k22", "localtime", "sata", "e1000e",
      "q35" },
    { 10, 0, 26100, true, false, false, true, true, false, 1, "2k25", "localtime", "sata", "e1000e",
      "q35" },
};

static void has(const char *text, const char *fmt, const char *what)
{
    char *wanted = mem_printf("%s%s\"", fmt, what);

    if (!strstr(text, wanted))
        fail_msg("%s is not in %s", wanted, text);
    free(wanted);
}

/* Disks, network card, clock and machine that it has drivers for. */
static void windows_gets_what_it_knows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(windows_cases); i++) {
        const struct windows_case *one = &windows_cases[i];
        struct job_opts opts = { .n_sources = 1 };
        struct facts *facts = facts_new();
        struct system chosen = { .facts = facts };
        struct job job = { .opts = &opts, .chosen = &chosen };
        struct err err = ERR_NONE;
        char *text = NULL;

        facts->os = OS_WINDOWS;
        facts_set(&facts->arch, "x86_64");
        facts->windows = fact_windows_new();
        facts->windows->nt_major = one->major;
        facts->windows->nt_minor = one->minor;
        facts->windows->build = one->build;
        facts->windows->is_server = one->is_server;
        facts->windows->rtc_is_utc = one->utc;
        facts->windows->boots_virtio_blk = one->boots_blk;
        facts->windows->boots_ahci = one->boots_ahci;
        facts->windows->boots_ide = one->boots_ide;
        facts->windows->has_virtio_net = one->has_net;
        for (size_t d = 0; d < one->n_disks; d++)
            strlist_add(&job.targets, target);
        assert_int_equal(domain_xml_write(&job, path, &err), 0);
        is_valid();
        assert_int_equal(io_read_file(path, 65536, &text, NULL, &err), 0);
        has(text, "os id=\"http://microsoft.com/win/", one->id);
        has(text, "<clock offset=\"", one->clock);
        has(text, " bus=\"", one->bus);
        has(text, "<model type=\"", one->model);
        has(text, "machine=\"", one->machine);
        assert_int_equal(strstr(text, "<relaxed state=\"on\"/>") != NULL, one->major >= 6);
        assert_int_equal(strstr(text, "hypervclock") != NULL, one->major >= 6);
        free(text);

        /* what a plan adds */
        job.drivers.virtio_blk = job.drivers.virtio_net = true;
        assert_int_equal(domain_xml_write(&job, path, &err), 0);
        assert_int_equal(io_read_file(path, 65536, &text, NULL, &err), 0);
        has(text, " bus=\"", "virtio");
        has(text, "<model type=\"", "virtio");
        has(text, "machine=\"", one->major >= 6 ? "q35" : "pc");
        free(text);
        strlist_done(&job.targets);
        facts_free(facts);
    }
}

static void other_processors_get_their_machine(void **state)
{
    struct job_opts opts = { .n_sources = 1 };
    struct facts *facts = facts_new();
    struct system chosen = { .facts = facts };
    struct job job = { .opts = &opts, .chosen = &chosen };
    struct domain domain;
    struct err err = ERR_NONE;
    char *text = NULL;

    (void)state;
    facts_set(&facts->arch, "aarch64");
    strlist_add(&job.targets, target);
    assert_int_equal(domain_xml_write(&job, path, &err), 0);
    is_valid();
    assert_int_equal(io_read_file(path, 65536, &text, NULL, &err), 0);
    assert_non_null(strstr(text, "<os firmware=\"efi\">"));
    assert_non_null(strstr(text, "<type arch=\"aarch64\" machine=\"virt\">hvm</type>"));
    assert_null(strstr(text, "apic"));
    assert_null(strstr(text, "\"vga\""));
    free(text);
    assert_true(domain_read(path, &domain, &err) < 0);
    assert_int_equal(err.status, STATUS_FAILED);
    strlist_done(&job.targets);
    facts_free(facts);
}

/* A kernel without virtio drivers gets what it has drivers for. */
static void old_kernels_get_emulated_hardware(void **state)
{
    struct facts *facts = facts_new();
    struct system chosen = { .facts = facts };
    struct job_opts opts = { 0 };
    struct job job = { .opts = &opts, .chosen = &chosen };
    struct fact_kernel *kernel = facts_add_kernel(facts);
    struct domain domain;
    struct err err = ERR_NONE;
    char *text = NULL;

    (void)state;
    facts_set(&facts->arch, "x86_64");
    kernel->is_default = kernel->virtio_known = kernel->has_ide = true;
    strlist_add(&job.targets, target);
    assert_int_equal(domain_xml_write(&job, path, &err), 0);
    is_valid();
    assert_int_equal(io_read_file(path, 65536, &text, NULL, &err), 0);
    assert_non_null(strstr(text, "<type arch=\"x86_64\" machine=\"pc\">hvm</type>"));
    assert_non_null(strstr(text, "<target dev=\"hda\" bus=\"ide\"/>"));
    assert_non_null(strstr(text, "<model type=\"e1000\"/>"));
    assert_non_null(strstr(text, "<memballoon model=\"none\"/>"));
    assert_null(strstr(text, "virtio"));
    free(text);
    assert_int_equal(domain_read(path, &domain, &err), 0);
    assert_string_equal(domain.bus, "ide");
    domain_done(&domain);
    strlist_done(&job.targets);
    facts_free(facts);
}

static const struct {
    const char *label, *xml;
} refused[] = {
    { "not XML", "<domain><devices>" },
    { "another document", "<html/>" },
    { "no disk in a file",
      "<domain><devices><disk type='block'><source dev='/dev/sda'/></disk></devices></domain>" },
    { "an entity is not fetched",
      "<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"
      "<domain><devices><disk><source file='&e;'/></disk></devices></domain>" },
};

static void what_is_no_domain_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        struct domain domain;
        struct err err = ERR_NONE;

        print_message("case: %s\n", refused[i].label);
        assert_int_equal(io_write_file(path, refused[i].xml, strlen(refused[i].xml), 0600, &err),
                         0);
        assert_true(domain_read(path, &domain, &err) < 0);
        assert_int_equal(err.status, STATUS_FAILED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_for_a_job_is_valid_and_reads_back),
        cmocka_unit_test(many_disks_and_large_sectors_are_written),
        cmocka_unit_test(other_processors_get_their_machine),
        cmocka_unit_test(windows_gets_what_it_knows),
        cmocka_unit_test(old_kernels_get_emulated_hardware),
        cmocka_unit_test(what_is_no_domain_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
