/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What INF files say to one Windows: decorations, devices, services, files, values. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/io.h"
#include "engine/base/utf16.h"
#include "engine/hive.h"
#include "fixers/windows/inf_driver.h"
#include "tests/unit/unit.h"

#define NET "{4D36E972-E325-11CE-BFC1-08002BE10318}"
#define SCSI "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
#define SYSTEM "{4D36E97D-E325-11CE-BFC1-08002BE10318}"

static const struct win_target windows_xp = { 5, 1, 2600, WIN_X86, false, 0, false };
static const struct win_target windows_10 = { 10, 0, 19045, WIN_AMD64, false, 0, false };

static struct inf_driver *read_driver(const char *text, const struct win_target *target)
{
    struct inf_driver *driver;
    struct inf *inf = NULL;
    struct err err = ERR_NONE;

    assert_int_equal(inf_parse(text, strlen(text), &inf, &err), 0);
    driver = inf_driver_new(inf, target);
    inf_free(inf);
    return driver;
}

static void separate(struct strbuf *text)
{
    if (text->len > 0)
        strbuf_putc(text, ' ');
}

/* "name=type/start/error/group/image", of services that are the device's own. */
static char *services_of(const struct inf_driver *driver)
{
    struct strbuf text = { 0 };

    for (size_t i = 0; i < driver->n_installs; i++)
        for (size_t k = 0; k < driver->installs[i].n_services; k++) {
            const struct inf_service *service = &driver->installs[i].services[k];

            separate(&text);
            strbuf_printf(&text, "%s%s=%d/%d/%d/%s/%s", service->is_associated ? "" : "+",
                          service->name, (int)service->type, (int)service->start,
                          (int)service->error_control, service->group, service->binary);
        }
    return strbuf_take(&text);
}

static char *ids_of(const struct inf_driver *driver)
{
    struct strbuf text = { 0 };

    for (size_t i = 0; i < driver->n_devices; i++)
        for (size_t k = 0; k < driver->devices[i].ids.n; k++) {
            separate(&text);
            strbuf_puts(&text, driver->devices[i].ids.items[k]);
        }
    return strbuf_take(&text);
}

/* "name>dirid" where it goes, or "name<source>dirid". */
static char *files_of(const struct inf_driver *driver)
{
    struct strbuf text = { 0 };

    for (size_t i = 0; i < driver->n_installs; i++)
        for (size_t k = 0; k < driver->installs[i].n_files; k++) {
            const struct inf_file *file = &driver->installs[i].files[k];

            separate(&text);
            strbuf_puts(&text, file->name);
            if (strcmp(file->name, file->source) != 0 || file->subdir[0])
                strbuf_printf(&text, "<%s%s%s", file->subdir, file->subdir[0] ? "/" : "",
                              file->source);
            strbuf_printf(&text, ">%d%s%s", (int)file->dirid, file->dest_subdir[0] ? "/" : "",
                          file->dest_subdir);
        }
    return strbuf_take(&text);
}

static char *version_of(const struct inf_driver *driver)
{
    time_t seconds = (time_t)(driver->date / 10000000) - 11644473600;
    char date[16] = "-", version[24];
    struct tm tm;

    if (driver->date > 0 && gmtime_r(&seconds, &tm))
        (void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
    return mem_printf("%s %s", date, inf_version_text(driver->version, version));
}

static void expect(char *have, const char *want)
{
    assert_string_equal(have, want);
    free(have);
}

/* ---- real files, as a human reads them ---- */

struct real {
    const char *folders; /* that have it, with the same content but for the processor */
    const char *file, *version, *guid, *services, *ids, *files;
};

/* Released drivers for Windows 7, Vista and XP. */
static const struct real released[] = {
#include "tests/unit/inf_released.h"
};

/* Sources of today's drivers, once macros are replaced. */
static const struct real sources[] = {
#include "tests/unit/inf_sources.h"
};

/* What the build of these drivers puts in the place of its macros, on amd64. */
static char *stamp(const char *text)
{
    static const struct {
        const char *macro, *value;
    } macros[] = {
        { "INX_PLATFORM_DRIVERS_DIR", "13" },
        { "_INX_SUBSYS_VENDOR_ID", "1AF4" },
        { "$ARCH$", "amd64.10.0...16299" },
        { "$KMDFCOINSTALLERVERSION$", "01011" },
    };
    struct strbuf result = { 0 };

    while (*text) {
        size_t i = 0;

        while (i < ARRAY_SIZE(macros) &&
               strncmp(text, macros[i].macro, strlen(macros[i].macro)) != 0)
            i++;
        if (i < ARRAY_SIZE(macros)) {
            strbuf_puts(&result, macros[i].value);
            text += strlen(macros[i].macro);
        } else {
            strbuf_putc(&result, *text++);
        }
    }
    return strbuf_take(&result);
}

/* The folder with real files beside the checkout, or beside its parent. NULL: there is none. */
static const char *real_folder(void)
{
    static const char *const places[] = {
        TEST_DATA_DIR "/../../../shared/data/virtio-inf",
        TEST_DATA_DIR "/../../../../shared/data/virtio-inf",
    };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

static void compare(const struct real *real, const char *folder, const char *text,
                    const struct win_target *target)
{
    struct inf_driver *driver = read_driver(text, target);

    print_message("case: %s/%s\n", folder, real->file);
    expect(version_of(driver), real->version);
    assert_string_equal(driver->class_guid, real->guid);
    expect(services_of(driver), real->services);
    expect(ids_of(driver), real->ids);
    expect(files_of(driver), real->files);
    assert_int_equal(driver->problems.n, 0);
    assert_int_equal(inf_driver_boot_service(driver) != NULL, strcmp(real->guid, SCSI) == 0);
    inf_driver_free(driver);
}

static void compare_file(const char *top, const struct real *real, const char *folder,
                         bool with_macros)
{
    static const struct {
        const char *start;
        struct win_target target;
    } targets[] = {
        { "Wxp/x86", { 5, 1, 2600, WIN_X86, false, 0, false } },
        { "Wlh/x86", { 6, 0, 6002, WIN_X86, false, 0, false } },
        { "Wlh/amd64", { 6, 0, 6002, WIN_AMD64, true, 0, false } },
        { "Win7/x86", { 6, 1, 7601, WIN_X86, false, 0, false } },
        { "Win7/amd64", { 6, 1, 7601, WIN_AMD64, true, 0, false } },
        { "src", { 10, 0, 19045, WIN_AMD64, false, 0, false } },
    };
    char *path = mem_printf("%s/%s/%s", top, folder, real->file), *text = NULL;
    struct err err = ERR_NONE;

    assert_int_equal(io_read_file(path, INF_MAX, &text, NULL, &err), 0);
    free(path);
    if (with_macros) {
        path = text;
        inf_driver_free(read_driver(text, &windows_10)); /* as it is it is read, too */
        text = stamp(path);
        free(path);
    }
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        if (strncmp(folder, targets[i].start, strlen(targets[i].start)) == 0)
            compare(real, folder, text, &targets[i].target);
    free(text);
}

static void compare_all(const struct real *table, size_t n, bool with_macros)
{
    const char *top = real_folder();

    if (!top)
        skip();
    for (size_t i = 0; i < n; i++) {
        char *copy = mem_strdup(table[i].folders), *rest = copy;

        while (rest)
            compare_file(top, &table[i], strsep(&rest, " "), with_macros);
        free(copy);
    }
}

static void released_drivers(void **state)
{
    (void)state;
    compare_all(released, ARRAY_SIZE(released), false);
}

static void todays_sources(void **state)
{
    (void)state;
    compare_all(sources, ARRAY_SIZE(sources), true);
}

/* ---- our own ---- */

/* In the shape of a storage driver. */
static const char storage[] =
    "; \"devcon install PCI\\VEN_1AF4&DEV_9999\"\r\n"
    "[Version]\r\n"
    "Signature=\"$Windows NT$\"\r\n"
    "Class=SCSIAdapter\r\n"
    "ClassGUID={4d36e97b-e325-11ce-bfc1-08002be10318}\r\n"
    "Provider=%Maker%\r\n"
    "DriverVer = 02/29/2024,100.95.104.26200\r\n"
    "CatalogFile = plain.cat\r\n"
    "CatalogFile.NTamd64 = disk64.cat\r\n"
    "[SourceDisksNames]\r\n"
    "1 = %DiskId%,,,\"\\sub\"\r\n"
    "[SourceDisksFiles]\r\n"
    "disk.sys = 1,\\deeper\\,\r\n"
    "[DestinationDirs]\r\n"
    "DefaultDestDir = 10\r\n"
    "[DestinationDirs]\r\n"
    "Driver.Files = 13\r\n"
    "Tool.Files = 11,extra\\tools\r\n"
    "[Manufacturer]\r\n"
    "%Maker% = Models, NTamd64, NTamd64.10.0...16299\r\n"
    "[Models.NTamd64]\r\n"
    "%Desc% = old_inst, PCI\\VEN_1AF4&DEV_0001\r\n"
    "[models.NTAMD64.10.0...16299]\r\n"
    "%Desc% = disk_inst, PCI\\VEN_1AF4&DEV_1001&REV_00, PCI\\VEN_1AF4&DEV_1001\r\n"
    "%Desc% = disk_inst, PCI\\VEN_1AF4&DEV_1042&REV_01\r\n"
    "[disk_inst]\r\n"
    "CopyFiles = Not.These\r\n"
    "[disk_inst.NT]\r\n"
    "CopyFiles = Driver.Files, @readme.txt\r\n"
    "CopyFiles = Tool.Files\r\n"
    "[disk_inst.NT.CoInstallers]\r\n"
    "CopyFiles = Tool.Files\r\n"
    "[Driver.Files]\r\n"
    "disk.sys,,,2\r\n"
    "[Tool.Files]\r\n"
    "tool.exe,tool_x64.exe\r\n"
    "[disk_inst.NTamd64.Services]\r\n"
    "AddService = disksvc, %ASSOC%, disk_svc, disk_log\r\n"
    "AddService = helper,, helper_svc\r\n"
    "[disk_svc]\r\n"
    "DisplayName = %Desc%\r\n"
    "ServiceType = 1 ; kernel\r\n"
    "StartType = %BOOT%\r\n"
    "ErrorControl = 0x1\r\n"
    "ServiceBinary = %13%\\disk.sys\r\n"
    "LoadOrderGroup = SCSI miniport\r\n"
    "Dependencies = a, +b\r\n"
    "AddReg = disk_reg\r\n"
    "[helper_svc]\r\n"
    "ServiceType = 0x10\r\n"
    "StartType = 0\r\n"
    "ServiceBinary = %11%\\helper.exe\r\n"
    "[disk_reg]\r\n"
    "HKR, \"Parameters\\PnpInterface\", \"5\", %DWORD%, 0x00000001\r\n"
    "HKR, Parameters, BusType, 0x00010001, 10\r\n"
    "[Strings]\r\n"
    "Maker = \"Some, Maker\"\r\n"
    "DiskId = \"Disk\"\r\n"
    "Desc = \"A disk; with \"\"quotes\"\"\"\r\n"
    "ASSOC = 0x00000002\r\n"
    "BOOT = 0\r\n"
    "DWORD = 0x00010001\r\n";

static void storage_driver(void **state)
{
    struct inf_driver *driver = read_driver(storage, &windows_10);
    const struct inf_service *service = inf_driver_boot_service(driver);
    struct strlist files = { 0 };

    (void)state;
    expect(version_of(driver), "2024-02-29 100.95.104.26200");
    assert_string_equal(driver->class_guid, SCSI);
    assert_string_equal(driver->provider, "Some, Maker");
    assert_string_equal(driver->devices[0].description, "A disk; with \"quotes\"");
    assert_string_equal(driver->installs[0].section, "disk_inst.NT");
    assert_int_equal(driver->n_installs, 1);
    expect(services_of(driver), "disksvc=1/0/1/SCSI miniport/disk.sys +helper=16/0/-1//helper.exe");
    expect(ids_of(driver), "PCI\\VEN_1AF4&DEV_1001&REV_00 PCI\\VEN_1AF4&DEV_1001 "
                           "PCI\\VEN_1AF4&DEV_1042&REV_01");
    expect(files_of(driver), "disk.sys<sub/deeper/disk.sys>13 readme.txt>10 "
                             "tool.exe<tool_x64.exe>11/extra/tools "
                             "tool.exe<tool_x64.exe>11/extra/tools");
    assert_non_null(service);
    assert_string_equal(service->image, "system32\\drivers\\disk.sys");
    assert_string_equal(driver->installs[0].services[1].image, "system32\\helper.exe");
    assert_int_equal(service->dependencies.n, 2);
    assert_int_equal(service->regs.n, 2);
    assert_string_equal(service->regs.items[0].key, "Parameters\\PnpInterface");
    assert_string_equal(service->regs.items[0].name, "5");
    assert_int_equal(service->regs.items[1].type, REG_DWORD);
    assert_memory_equal(service->regs.items[1].data, "\x0a\0\0\0", 4);
    inf_driver_files(driver, "disk.inf", &files);
    assert_int_equal(files.n, 5);
    assert_string_equal(files.items[0], "disk.inf");
    assert_string_equal(files.items[1], "disk64.cat");
    assert_string_equal(files.items[2], "sub/deeper/disk.sys");
    assert_string_equal(files.items[3], "readme.txt");
    assert_string_equal(files.items[4], "tool_x64.exe");
    strlist_done(&files);
    inf_driver_free(driver);
}

/* Which section of models is for which Windows. */
static void decorations(void **state)
{
    static const struct {
        const char *line; /* of [Manufacturer] */
        struct win_target target;
        const char *want; /* "": none */
    } cases[] = {
        { "m", { 5, 1, 2600, WIN_X86, false, 0, false }, "m" },
        { "m", { 10, 0, 19045, WIN_AMD64, false, 0, false }, "" },
        { "m,NTamd64", { 6, 1, 7601, WIN_X86, false, 0, false }, "m" },
        { "m,NTamd64", { 6, 1, 7601, WIN_ARM64, false, 0, false }, "" },
        { "m,NTx86,NTAMD64,NTARM64", { 10, 0, 26100, WIN_ARM64, false, 0, false }, "m.ntarm64" },
        { "m,NTx86,NTamd64", { 6, 1, 7601, WIN_AMD64, false, 0, false }, "m.ntamd64" },
        { "m,NT,NTx86", { 6, 1, 7601, WIN_X86, false, 0, false }, "m.ntx86" },
        { "m,NT", { 6, 1, 7601, WIN_X86, false, 0, false }, "m.nt" },
        { "m,NT", { 6, 1, 7601, WIN_AMD64, false, 0, false }, "" },
        { "m,NTx86.5.1", { 5, 0, 2195, WIN_X86, false, 0, false }, "m" },
        { "m,NTx86.5.1,NTx86.6.0", { 5, 2, 3790, WIN_X86, true, 0, false }, "m.ntx86.5.1" },
        { "m,NTx86.6.0,NTx86.5.1", { 6, 1, 7601, WIN_X86, false, 0, false }, "m.ntx86.6.0" },
        { "m,NTamd64.6.2", { 6, 1, 7601, WIN_AMD64, false, 0, false }, "" },
        { "m,NTamd64.6.2", { 10, 0, 10240, WIN_AMD64, false, 0, false }, "m.ntamd64.6.2" },
        { "m,NTamd64.10.0...16299", { 10, 0, 14393, WIN_AMD64, true, 0, false }, "" },
        { "m,NTamd64.10.0...16299",
          { 10, 0, 16299, WIN_AMD64, true, 0, false },
          "m.ntamd64.10.0...16299" },
        { "m,NTamd64.10.0,NTamd64.10.0...16299,NTamd64.10.0...22000",
          { 10, 0, 19045, WIN_AMD64, false, 0, false },
          "m.ntamd64.10.0...16299" },
        { "m,NTamd64.6.0.1,NTamd64.6.0.3",
          { 6, 1, 7601, WIN_AMD64, true, 0, false },
          "m.ntamd64.6.0.3" },
        { "m,NTamd64.6.0.1,NTamd64.6.0.3",
          { 6, 1, 7601, WIN_AMD64, false, 0, false },
          "m.ntamd64.6.0.1" },
        { "m,NTamd64.6.1,NTamd64.6.1.3",
          { 6, 1, 7601, WIN_AMD64, true, 0, false },
          "m.ntamd64.6.1.3" },
        { "m,NTamd64...0x3", { 6, 1, 7601, WIN_AMD64, true, 0, false }, "m.ntamd64...0x3" },
        { "m,NTamd64.6.1..0x200", { 6, 1, 7601, WIN_AMD64, true, 0, false }, "" },
        { "m,NTamd64.6.1..0x200",
          { 6, 1, 7601, WIN_AMD64, true, 0x300, false },
          "m.ntamd64.6.1..0x200" },
        { "m,NTamd64.x", { 6, 1, 7601, WIN_AMD64, true, 0, false }, "" },
        { "m,NTamd64.6.1.3.0.7601.9", { 6, 1, 7601, WIN_AMD64, true, 0, false }, "" },
        { "m,NT$ARCH$", { 10, 0, 19045, WIN_AMD64, false, 0, false }, "" },
        { "m,amd64", { 10, 0, 19045, WIN_AMD64, false, 0, false }, "" },
    };
    static const char *const names[] = {
        "m",
        "m.nt",
        "m.ntx86",
        "m.ntx86.5.1",
        "m.ntx86.6.0",
        "m.ntamd64",
        "m.ntarm64",
        "m.ntamd64.10.0",
        "m.ntamd64.10.0...16299",
        "m.ntamd64.6.1",
        "m.ntamd64.6.2",
        "m.ntamd64.6.0.1",
        "m.ntamd64.6.0.3",
        "m.ntamd64.6.1.3",
        "m.ntamd64...0x3",
        "m.ntamd64.6.1..0x200",
        "m.ntamd64.10.0...22000",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf text = { 0 };
        struct inf_driver *driver;

        strbuf_printf(&text, "[Manufacturer]\n%%x%%=%s\n", cases[i].line);
        for (size_t k = 0; k < ARRAY_SIZE(names); k++)
            strbuf_printf(&text, "[%s]\n d = inst, %s\n", names[k], names[k]);
        driver = read_driver(strbuf_text(&text), &cases[i].target);
        print_message("case %zu: %s\n", i, cases[i].line);
        expect(ids_of(driver), cases[i].want);
        inf_driver_free(driver);
        strbuf_done(&text);
    }
}

/* All types of values, as the registry has them. */
static void values(void **state)
{
    static const struct {
        const char *line;
        uint32_t type;
        const char *data;
        size_t len;
    } cases[] = {
        { "HKR,,n,,text", REG_SZ, "t\0e\0x\0t\0\0", 10 },
        { "HKR,,n,0,\"a,b\"", REG_SZ, "a\0,\0b\0\0", 8 },
        { "HKR,,n", REG_SZ, "\0", 2 },
        { "HKR,,n,0x20000,%%R%%", REG_EXPAND_SZ, "%\0R\0%\0\0", 8 },
        { "HKR,,n,0x10000,a,b", REG_MULTI_SZ, "a\0\0\0b\0\0\0\0", 10 },
        { "HKR,,n,0x10000", REG_MULTI_SZ, "\0", 2 },
        { "HKR,,n,0x10008,a", REG_MULTI_SZ, "a\0\0\0\0", 6 },
        { "HKR,,n,1,00, 0a,FF", REG_BINARY, "\0\x0a\xff", 3 },
        { "HKR,,n,0x10001,0x12345678", REG_DWORD, "\x78\x56\x34\x12", 4 },
        { "HKR,,n,0x10001,255", REG_DWORD, "\xff\0\0", 4 },
        { "HKR,,n,0x10001,-1", REG_DWORD, "\xff\xff\xff\xff", 4 },
        { "HKR,,n,0x10001,1,2,3,4", REG_DWORD, "\1\2\3\4", 4 },
        { "HKR,,n,0x10003,7", REG_DWORD, "\7\0\0", 4 },
        { "HKR,,n,0xB0001,1,0,0,0,0,0,0,2", REG_QWORD, "\1\0\0\0\0\0\0\2", 8 },
        { "HKR,,n,0x20001,1", REG_NONE, "\1", 1 },
        { "HKR,,n,0x50001,9", 5, "\x09", 1 },
        { "HKR,k,,0x10", REG_SZ, "", 0 },
        { "HKR,,n,4", REG_SZ, "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = mem_printf("[Manufacturer]\nx=m,NTamd64\n[m.NTamd64]\nd=i,ID\n[i.HW]\n"
                                "AddReg=r\n[r]\n%s\n",
                                cases[i].line);
        struct inf_driver *driver = read_driver(text, &windows_10);
        const struct inf_reg *reg = driver->installs[0].hw_regs.items;

        print_message("case: %s\n", cases[i].line);
        assert_int_equal(driver->installs[0].hw_regs.n, 1);
        assert_int_equal(reg->type, cases[i].type);
        assert_int_equal(reg->len, cases[i].len);
        assert_memory_equal(reg->data, cases[i].data, cases[i].len);
        assert_int_equal(reg->key_only,
                         strstr(cases[i].line, ",0x10\0") != NULL && cases[i].len == 0);
        assert_int_equal(reg->is_append, strstr(cases[i].line, "10008") != NULL);
        assert_int_equal(reg->no_clobber, strstr(cases[i].line, "10003") != NULL);
        assert_int_equal(reg->is_delete, strstr(cases[i].line, ",4") == cases[i].line + 6);
        inf_driver_free(driver);
        free(text);
    }
}

/* Names that lead elsewhere, numbers that are none, sections that are not there: left out and
 * said. */
static void odd_things(void **state)
{
    static const char *const lines[] = {
        "[i]\nCopyFiles=f\n[f]\n..\\evil.sys",
        "[i]\nCopyFiles=f\n[f]\ngood.sys,a/b",
        "[i]\nCopyFiles=f\n[f]\nc:evil.sys",
        "[i]\nCopyFiles=@..",
        "[i]\nCopyFiles=nowhere",
        "[i]\nCopyFiles=@a.sys\n[SourceDisksFiles]\na.sys=1,..\\..",
        "[i]\nCopyFiles=@a.sys\n[DestinationDirs]\nDefaultDestDir=12,..\\..",
        "[i]\nAddReg=r\n[r]\nHKR,,n,zz,1",
        "[i]\nAddReg=r\n[r]\nHKR,,n,1,zz",
        "[i]\nAddReg=r\n[r]\nHKR,,n,1,100",
        "[i]\nAddReg=r\n[r]\nHKR,,n,0x10001,1,2",
        "[i]\nAddReg=r\n[r]\nHKR,,n,0x30000,x",
        "[i.Services]\nAddService=a,zz,s",
        "[i.Services]\nAddService=a,2,s\n[s]\nStartType=boot",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        char *text = mem_printf("[Manufacturer]\nx=m,NTamd64\n[m.NTamd64]\nd=i,ID\n%s", lines[i]);
        struct inf_driver *driver = read_driver(text, &windows_10);

        print_message("case: %s\n", lines[i]);
        assert_int_equal(driver->problems.n, 1);
        expect(files_of(driver), "");
        assert_int_equal(driver->installs[0].regs.n, 0);
        inf_driver_free(driver);
        free(text);
    }
}

static void not_boot_storage(void **state)
{
    struct inf_driver *driver = read_driver(storage, &windows_xp);
    char *other = mem_strdup(storage);

    (void)state;
    assert_int_equal(driver->n_devices, 0);
    assert_null(inf_driver_boot_service(driver));
    inf_driver_free(driver);
    memcpy(strstr(other, "SCSIAdapter"), "SCSIAdapteX", strlen("SCSIAdapteX"));
    driver = read_driver(other, &windows_10);
    assert_non_null(inf_driver_boot_service(driver)); /* by the GUID of its class */
    inf_driver_free(driver);
    *strstr(other, "97b") = '8';
    driver = read_driver(other, &windows_10);
    assert_null(inf_driver_boot_service(driver));
    inf_driver_free(driver);
    free(other);
}

/* Sections that are named again and again cost no more than the limit. */
static void many_items(void **state)
{
    struct strbuf text = { 0 };
    struct inf_driver *driver;

    (void)state;
    strbuf_puts(&text, "[Manufacturer]\nx=m,NTamd64\n[m.NTamd64]\nd=i,ID\n[r]\n");
    for (size_t i = 0; i < 1000; i++)
        strbuf_puts(&text, "HKR,,n,,1\n");
    strbuf_puts(&text, "[i]\nAddReg=");
    for (size_t i = 0; i < 1000; i++)
        strbuf_puts(&text, "r,");
    driver = read_driver(strbuf_text(&text), &windows_10);
    assert_in_range(driver->installs[0].regs.n, 1000, 10000);
    assert_in_range(driver->problems.n, 1, 16);
    inf_driver_free(driver);
    strbuf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(released_drivers), cmocka_unit_test(todays_sources),
        cmocka_unit_test(storage_driver),   cmocka_unit_test(decorations),
        cmocka_unit_test(values),           cmocka_unit_test(odd_things),
        cmocka_unit_test(not_boot_storage), cmocka_unit_test(many_items),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
