/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hives of real machines, where there are some beside the checkout (shared/data/hives): the drivers
 * of a boot disk are put into each, and two readers that are not ours (reglookup, libregf's
 * regfexport) see these and nothing else change.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/regfile.h"
#include "tests/unit/hive_dump.h"

#define HIVES TEST_DATA_DIR "/../../../shared/data/hives"
#define SKIPPED 77

#define SERVICE(name, bus)                                                                         \
    "[X\\CurrentControlSet\\Services\\" name "]\n"                                                 \
    "\"Type\"=dword:1\n\"Start\"=dword:0\n\"ErrorControl\"=dword:1\n"                              \
    "\"Group\"=\"SCSI miniport\"\n"                                                                \
    "\"ImagePath\"=hex(2):73,00,79,00,73,00,00,00\n"                                               \
    "[X\\CurrentControlSet\\Services\\" name "\\Parameters]\n"                                     \
    "\"BusType\"=dword:" bus "\n\"DmaRemappingCompatible\"=dword:0\n"                              \
    "[X\\CurrentControlSet\\Services\\" name "\\Parameters\\PnpInterface]\n\"5\"=dword:1\n"        \
    "[-X\\CurrentControlSet\\Services\\" name "\\StartOverride]\n"

#define CRITICAL(id, name)                                                                         \
    "[X\\CurrentControlSet\\Control\\CriticalDeviceDatabase\\PCI#VEN_1AF4&DEV_" id "]\n"           \
    "\"Service\"=\"" name "\"\n"                                                                   \
    "\"ClassGUID\"=\"{4D36E97B-E325-11CE-BFC1-08002BE10318}\"\n"

#define DATABASE(inf, name, id)                                                                    \
    "[X\\DriverDatabase\\DriverInfFiles\\" inf ".inf]\n"                                           \
    "@=hex(7):61,00,00,00,00,00\n\"Active\"=\"" inf ".inf_amd64_0000000000000000\"\n"              \
    "[X\\DriverDatabase\\DriverPackages\\" inf ".inf_amd64_0000000000000000]\n"                    \
    "@=\"" inf ".inf\"\n\"StatusFlags\"=dword:12\n"                                                \
    "[X\\DriverDatabase\\DriverPackages\\" inf ".inf_amd64_0000000000000000\\Configurations\\c]\n" \
    "\"Service\"=\"" name "\"\n\"ConfigFlags\"=dword:0\n"                                          \
    "[X\\DriverDatabase\\DriverPackages\\" inf ".inf_amd64_0000000000000000\\Descriptors\\PCI\\"   \
    "VEN_1AF4&DEV_" id "]\n\"Configuration\"=\"c\"\n"                                              \
    "[X\\DriverDatabase\\DeviceIds\\PCI\\VEN_1AF4&DEV_" id "]\n\"" inf ".inf\"=hex:01,ff,00,00\n"

#define HEAD "Windows Registry Editor Version 5.00\n"
#define SERVICES                                                                                   \
    SERVICE("h2kviostor", "1")                                                                     \
    SERVICE("h2kvioscsi", "a")                                                                     \
    "[X\\CurrentControlSet\\Services\\storahci]\n\"Start\"=dword:0\n"                              \
    "[-X\\CurrentControlSet\\Services\\storahci\\StartOverride]\n"

static const struct {
    const char *name;
    const char *edits;
    size_t n_new; /* lines that reglookup says more, at least */
} hives[] = {
    { "SYSTEM",
      HEAD SERVICES CRITICAL("1001&SUBSYS_00021AF4&REV_00", "h2kviostor")
          CRITICAL("1F01", "h2kviostor") CRITICAL("1F48", "h2kvioscsi"),
      20 },
    { "SYSTEM_B",
      HEAD SERVICES DATABASE("h2kblk", "h2kviostor", "1F01")
          DATABASE("h2kscsi", "h2kvioscsi", "1F48"),
      25 },
    { "BCD", HEAD "[X\\Objects\\{h2k}\\Elements\\16000046]\n\"Element\"=hex:01\n", 3 },
    { "BCD-setup-efi", HEAD "[X\\Objects\\{h2k}\\Elements\\16000046]\n\"Element\"=hex:01\n", 3 },
};

static char folder[] = "/tmp/test_hive_real.XXXXXX";

static char *path_of(const char *name)
{
    return mem_printf("%s/%s", folder, name);
}

static void put(const char *name, const void *data, size_t len)
{
    struct err err = ERR_NONE;
    char *path = path_of(name);

    assert_int_equal(io_write_file(path, data, len, 0600, &err), 0);
    free(path);
}

/* @name of the folder of hives, if it is there. */
static void unpack(const char *name, const char *ending)
{
    char *packed = mem_printf(HIVES "/%s%s.xz", name, ending);
    char *file = mem_printf("%s%s", name, ending);
    const char *const argv[] = { "xz", "-dc", packed, NULL };
    const struct exec_opts opts = { .argv = argv };
    struct exec_result result = { 0 };
    struct err err = ERR_NONE;

    if (access(packed, R_OK) == 0) {
        assert_int_equal(exec_check(&opts, &result, &err), 0);
        put(file, result.out.data, result.out.len);
        exec_result_done(&result);
    }
    free(file);
    free(packed);
}

/* The lines that a reader says of a file, those that begin with @prefix; false: it is not there. */
static bool lines_of(const char *reader, const char *name, const char *prefix, struct strlist *ret)
{
    char *path = path_of(name), *state = NULL;
    const char *const argv[] = { reader, path, NULL };
    const struct exec_opts opts = { .argv = argv };
    struct exec_result result = { 0 };
    struct err err = ERR_NONE;
    int r = exec_run(&opts, &result, &err);

    free(path);
    if (r < 0 && err.status == STATUS_HOST) /* not installed */
        return false;
    assert_int_equal(r, 0);
    assert_int_equal(result.exit_status, 0);
    for (char *line = strtok_r(result.out.data, "\n", &state); line;
         line = strtok_r(NULL, "\n", &state))
        if (strncmp(line, prefix, strlen(prefix)) == 0)
            strlist_add(ret, line);
    exec_result_done(&result);
    strlist_sort(ret);
    return true;
}

/* How many lines came; those that went may only speak of what was changed or deleted. */
static size_t compare(const struct strlist *a, const struct strlist *b)
{
    size_t n_new = 0;

    for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
        int order = i == a->n ? 1 : j == b->n ? -1 : strcmp(a->items[i], b->items[j]);

        if (order < 0 && !strcasestr(a->items[i], "storahci"))
            fail_msg("a line is gone");
        if (order > 0 && !strcasestr(b->items[j], "h2k") && !strcasestr(b->items[j], "storahci") &&
            !strcasestr(b->items[j], "VEN_1AF4"))
            fail_msg("a line has come: %.20s", b->items[j]);
        n_new += order > 0;
        i += order <= 0;
        j += order >= 0;
    }
    return n_new;
}

static void others_agree(size_t i)
{
    static const struct {
        const char *reader, *prefix;
    } readers[] = { { "reglookup", "/" }, { "regfexport", "Key path: " } };

    for (size_t reader = 0; reader < ARRAY_SIZE(readers); reader++) {
        struct strlist before = { 0 }, after = { 0 };

        if (!lines_of(readers[reader].reader, "before", readers[reader].prefix, &before) ||
            !lines_of(readers[reader].reader, "after", readers[reader].prefix, &after)) {
            print_message("%s is not installed\n", readers[reader].reader);
            continue;
        }
        print_message("%s: %s sees %zu lines, %zu before\n", hives[i].name, readers[reader].reader,
                      after.n, before.n);
        assert_true(before.n > 10);
        assert_true(compare(&before, &after) >= (reader == 0 ? hives[i].n_new : 1));
        strlist_done(&before);
        strlist_done(&after);
    }
}

static void import(struct hive *hive, const char *edits, struct strbuf *ret)
{
    static const struct regfile_map maps[] = {
        { "X\\CurrentControlSet", "ControlSet001" },
        { "X", "" },
    };
    struct regfile_edits list = { 0 };
    struct err err = ERR_NONE;
    char text[2048];

    if (regfile_import(edits, strlen(edits), maps, ARRAY_SIZE(maps), &list, &err) < 0 ||
        hive_edit(hive, list.items, list.n, ret, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
    assert_int_equal(list.n_elsewhere, 0);
    regfile_edits_done(&list);
}

static void one_hive(const struct guest_root *root, size_t i)
{
    char *path = mem_printf("/%s", hives[i].name);
    struct strbuf made = { 0 }, again = { 0 };
    struct hive *hive = NULL, *after = NULL;
    struct err err = ERR_NONE;
    char text[2048];

    if (hive_open(root, path, &hive, &err) < 0 || hive_check(hive, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
    put("before", hive->data, hive->len);
    if (hive->loaded) /* all of it was looked at */
        assert_int_equal(hive_recovery(hive)->state, REGF_CLEAN);
    import(hive, hives[i].edits, &made);
    put("after", made.data, made.len);
    strbuf_add(&again, made.data, made.len);
    assert_int_equal(hive_from_bytes(&made, hives[i].name, &after, &err), 0);
    assert_int_equal(hive_check(after, &err), 0);
    import(after, hives[i].edits, &made); /* a second time, nothing is to do */
    assert_int_equal(made.len, again.len);
    assert_memory_equal(made.data, again.data, made.len);
    others_agree(i);
    strbuf_done(&made);
    strbuf_done(&again);
    hive_free(after);
    hive_free(hive);
    free(path);
}

static void drivers_are_injected(void **state)
{
    static const char *const endings[] = { "", ".LOG1", ".LOG2" };
    struct guest_root *root = NULL;
    struct err err = ERR_NONE;
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_int_equal(guest_root_new(fd, &root, &err), 0);
    (void)close(fd);
    for (size_t i = 0; i < ARRAY_SIZE(hives); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(endings); j++)
            unpack(hives[i].name, endings[j]);
        one_hive(root, i);
    }
    guest_root_free(root);
}

/* All of one that is no larger than the others can hold, out and in again. */
static void exports_come_back(void **state)
{
    static const char *const names[] = { "BCD", "BCD-setup-efi" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        static const struct regfile_map map = { "X", "Copy" };
        struct strbuf bytes = { 0 }, file = { 0 }, again = { 0 }, made = { 0 };
        struct regfile_edits edits = { 0 };
        struct hive *hive = NULL, *copy = NULL;
        struct err err = ERR_NONE;
        char *path = path_of(names[i]), *data = NULL;
        size_t len = 0;

        assert_int_equal(io_read_file(path, 1 << 20, &data, &len, &err), 0);
        strbuf_add(&bytes, data, len);
        assert_int_equal(hive_from_bytes(&bytes, names[i], &hive, &err), 0);
        assert_int_equal(regfile_export(hive, "", "X", &file, &err), 1);
        assert_int_equal(regfile_import(file.data, file.len, &map, 1, &edits, &err), 0);
        assert_int_equal(hive_edit(hive, edits.items, edits.n, &made, &err), 0);
        assert_int_equal(hive_from_bytes(&made, names[i], &copy, &err), 0);
        assert_int_equal(regfile_export(copy, "Copy", "X", &again, &err), 1);
        assert_int_equal(file.len, again.len);
        assert_memory_equal(file.data, again.data, file.len);
        regfile_edits_done(&edits);
        strbuf_done(&file);
        strbuf_done(&again);
        hive_free(copy);
        hive_free(hive);
        free(path);
        free(data);
    }
}

static int teardown(void **state)
{
    static const char *const names[] = { "SYSTEM",        "SYSTEM_B", "SYSTEM_B.LOG1",
                                         "SYSTEM_B.LOG2", "BCD",      "BCD-setup-efi",
                                         "before",        "after" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char *path = path_of(names[i]);

        (void)unlink(path);
        free(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drivers_are_injected),
        cmocka_unit_test(exports_come_back),
    };

    if (access(HIVES "/SYSTEM.xz", R_OK) < 0) {
        print_message("there are no hives of real machines\n");
        return SKIPPED;
    }
    if (!mkdtemp(folder))
        return 1;
    return cmocka_run_group_tests(tests, NULL, teardown);
}
