/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "fixers/plan_hive.h"
#include "fixers/windows/bind.h"
#include "fixers/windows/inbox.h"
#include "tests/unit/hive_util.h"
#include "tests/unit/tree.h"

#define HIVE "/Windows/System32/config/SYSTEM"
#define SERVICES "ControlSet001\\Services\\"
#define GENERIC "PCI\\VEN_1AF4&DEV_1001"
#define FULL "PCI\\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00"

static const char inf_text[] = "[Version]\r\n"
                               "Signature=\"$WINDOWS NT$\"\r\n"
                               "Class=SCSIAdapter\r\n"
                               "ClassGUID={4D36E97B-E325-11CE-BFC1-08002BE10318}\r\n"
                               "Provider=%V%\r\n"
                               "DriverVer=11/29/2021,10.0.19041.1266\r\n"
                               "CatalogFile=viostor.cat\r\n"
                               "[Manufacturer]\r\n"
                               "%V%=M,NTx86,NTamd64\r\n"
                               "[M.NTx86]\r\n"
                               "\"d\"=scsi, " FULL ", " GENERIC "\r\n"
                               "[M.NTamd64]\r\n"
                               "\"d\"=scsi, " FULL ", " GENERIC "\r\n"
                               "[scsi]\r\n"
                               "CopyFiles=files\r\n"
                               "[files]\r\n"
                               "viostor.sys\r\n"
                               "[DestinationDirs]\r\n"
                               "DefaultDestDir=12\r\n"
                               "[scsi.Services]\r\n"
                               "AddService=viostor,2,service\r\n"
                               "[service]\r\n"
                               "ServiceType=1\r\n"
                               "StartType=0\r\n"
                               "ErrorControl=1\r\n"
                               "LoadOrderGroup=SCSI miniport\r\n"
                               "ServiceBinary=%12%\\viostor.sys\r\n"
                               "AddReg=values\r\n"
                               "[values]\r\n"
                               "HKR,Parameters,BusType,0x00010001,1\r\n"
                               "[Strings]\r\n"
                               "V=\"A vendor\"\r\n";

static const struct win_target target = { .major = 10, .build = 19041, .arch = WIN_AMD64 };

static struct tree tree;
static struct plan *plan;
static struct fact_windows *windows;
static struct win_driver driver;

static int setup(void **state)
{
    static const struct hive_util_item items[] = {
        { SERVICES "viostor\\StartOverride", "0", REG_DWORD, NULL, 3 },
        { SERVICES "storahci\\StartOverride", "0", REG_DWORD, NULL, 3 },
        { SERVICES "storahci", "Start", REG_DWORD, NULL, 3 },
        { SERVICES "msahci", "Start", REG_DWORD, NULL, 3 },
        { SERVICES "atapi", "Start", REG_DWORD, NULL, 0 },
        { "DriverDatabase\\DeviceIds\\" GENERIC, "staged.inf", REG_DWORD, NULL, 1 },
        { "DriverDatabase\\DriverInfFiles\\staged.inf", "Active", REG_SZ, "x", 0 },
    };
    struct strbuf bytes = { 0 };
    struct err err = ERR_NONE;
    struct inf *inf = NULL;

    (void)state;
    tree_open(&tree, NULL);
    hive_util_make(items, ARRAY_SIZE(items), &bytes);
    tree_put_bytes(&tree, HIVE, bytes.data, bytes.len, 0644);
    strbuf_done(&bytes);
    tree_put(&tree, "/Windows/System32/drivers/storahci.sys", "x", 0644);
    tree_put(&tree, "/Windows/System32/drivers/atapi.sys", "x", 0644);
    plan = plan_new(tree.root);
    plan->fixer = "test";
    windows = fact_windows_new();
    facts_set(&windows->system_root, "/Windows");
    facts_set(&windows->system_hive, HIVE);
    windows->nt_major = 10;
    windows->has_driver_database = true;
    strlist_add(&windows->control_sets, "ControlSet001");
    assert_int_equal(inf_parse(inf_text, strlen(inf_text), &inf, &err), 0);
    driver =
        (struct win_driver){ .name = mem_strdup("viostor"), .inf = inf_driver_new(inf, &target) };
    inf_free(inf);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(driver.name);
    inf_driver_free(driver.inf);
    fact_windows_free(windows);
    plan_free(plan);
    tree_close(&tree);
    return 0;
}

static void expect_text(const char *key, const char *name, const char *want)
{
    char *text = plan_hive_text(plan, HIVE, key, name);

    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

static void expect_u32(const char *key, const char *name, uint32_t want)
{
    uint32_t number = ~want;

    assert_true(plan_hive_u32(plan, HIVE, key, name, &number));
    assert_int_equal(number, want);
}

static bool has_key(const char *key)
{
    struct err err = ERR_NONE;

    return plan_hive_has_key(plan, HIVE, key, &err) > 0;
}

static void bind(void)
{
    const struct inf_service *service = inf_driver_boot_service(driver.inf);
    struct err err = ERR_NONE;

    assert_non_null(service);
    bind_service(plan, windows, service, "it starts");
    assert_int_equal(bind_devices(plan, windows, &driver, WIN_AMD64, "it is found", &err), 0);
    assert_int_equal(plan->err.code, 0);
}

static void the_service_is_as_the_inf_says(void **state)
{
    (void)state;
    bind();
    expect_u32(SERVICES "viostor", "Type", 1);
    expect_u32(SERVICES "viostor", "Start", 0);
    expect_u32(SERVICES "viostor", "ErrorControl", 1);
    expect_text(SERVICES "viostor", "Group", "SCSI miniport");
    expect_text(SERVICES "viostor", "ImagePath", "system32\\drivers\\viostor.sys");
    expect_u32(SERVICES "viostor\\Parameters", "BusType", 1);
    expect_u32(SERVICES "viostor\\Parameters\\PnpInterface", "5", 1);
    assert_false(has_key(SERVICES "viostor\\StartOverride"));
}

static void the_driver_database_leads_to_it(void **state)
{
    static const char label[] = "DriverDatabase\\DriverPackages\\h2kviostor.inf_amd64_"
                                "0000000000000000";
    char *config = mem_printf("%s\\Configurations\\h2kviostor_conf", label);
    struct hive_value value = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    bind();
    assert_false(has_key("ControlSet001\\Control\\CriticalDeviceDatabase"));
    expect_text("DriverDatabase\\DriverInfFiles\\h2kviostor.inf", "Active",
                "h2kviostor.inf_amd64_0000000000000000");
    expect_text(config, "Service", "viostor");
    expect_u32(config, "ConfigFlags", 0);
    free(config);
    for (int i = 0; i < 2; i++) {
        const char *id = i == 0 ? GENERIC : FULL;
        char *key = mem_printf("DriverDatabase\\DeviceIds\\%s", id);
        char *descriptor = mem_printf("%s\\Descriptors\\%s", label, id);

        assert_int_equal(plan_hive_get(plan, HIVE, key, "h2kviostor.inf", &value, &err), 1);
        assert_int_equal(value.type, REG_BINARY);
        assert_memory_equal(value.data, "\1\xff\0\0", 4);
        hive_value_done(&value);
        expect_text(descriptor, "Configuration", "h2kviostor_conf");
        free(key);
        free(descriptor);
    }
}

/* Of a real hive: class SCSIAdapter, 10.0.19041.1266. */
static void the_version_is_the_drivers(void **state)
{
    static const uint8_t head[] = { 0x00, 0xff, 0x09, 0x00, 0,    0,    0,    0,
                                    0x7b, 0xe9, 0x36, 0x4d, 0x25, 0xe3, 0xce, 0x11,
                                    0xbf, 0xc1, 0x08, 0x00, 0x2b, 0xe1, 0x03, 0x18 };
    static const uint8_t version[] = { 0xf2, 0x04, 0x61, 0x4a, 0x00, 0x00, 0x0a, 0x00 };
    uint8_t bytes[BIND_VERSION_LEN];

    (void)state;
    assert_true(bind_version(driver.inf, bytes));
    assert_memory_equal(bytes, head, sizeof(head));
    /* 29 November 2021, midnight UTC */
    assert_int_equal(get_le64(bytes + 24),
                     UINT64_C(116444736000000000) + UINT64_C(1638144000) * 10000000);
    assert_memory_equal(bytes + 32, version, sizeof(version));
    assert_int_equal(get_le64(bytes + 40), 0);
    free(driver.inf->class_guid);
    driver.inf->class_guid = mem_strdup("{4D36E97B-E325-11CE-BFC1-08002BE1031}");
    assert_false(bind_version(driver.inf, bytes));
}

/* What Windows installed itself has the better rank; what is only staged, or leads elsewhere, is
 * told from it. */
static void a_device_that_is_bound_stays_so(void **state)
{
#define OURS "DriverDatabase\\DriverPackages\\h2kviostor.inf_amd64_0000000000000000\\"
#define THEIRS "DriverDatabase\\DriverPackages\\x\\"
    (void)state;
    plan_hive_set_text(plan, HIVE, THEIRS "Descriptors\\" GENERIC, "Configuration", "c",
                       "installed");
    plan_hive_set_text(plan, HIVE, THEIRS "Configurations\\c", "Service", "other", "x");
    bind();
    assert_true(has_key(OURS "Descriptors\\" GENERIC));
    plan_hive_delete_key(plan, HIVE,
                         "DriverDatabase\\DriverPackages\\h2kviostor.inf_amd64_"
                         "0000000000000000",
                         "again");
    plan_hive_set_text(plan, HIVE, THEIRS "Configurations\\c", "Service", "VIOSTOR", "x");
    bind();
    assert_false(has_key(OURS "Descriptors\\" GENERIC));
    assert_true(has_key(OURS "Descriptors\\" FULL));
#undef OURS
#undef THEIRS
}

static void older_windows_has_another_database(void **state)
{
    static const char key[] = "ControlSet001\\Control\\CriticalDeviceDatabase\\"
                              "PCI#VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00";

    (void)state;
    windows->has_driver_database = false;
    bind();
    expect_text(key, "Service", "viostor");
    expect_text(key, "ClassGUID", "{4D36E97B-E325-11CE-BFC1-08002BE10318}");
    expect_text("ControlSet001\\Control\\CriticalDeviceDatabase\\PCI#VEN_1AF4&DEV_1001", "Service",
                "viostor");
    assert_false(has_key("DriverDatabase\\DriverPackages"));
}

static void parked_drivers_start_again(void **state)
{
    size_t n;

    (void)state;
    inbox_unpark(plan, windows);
    expect_u32(SERVICES "storahci", "Start", 0);
    assert_false(has_key(SERVICES "storahci\\StartOverride"));
    assert_true(has_key(SERVICES "viostor\\StartOverride")); /* nobody has looked at its file */
    expect_u32(SERVICES "msahci", "Start", 3);               /* its file is missing */
    assert_false(has_key("ControlSet001\\Control\\CriticalDeviceDatabase\\PCI#CC_0101"));
    n = plan->n;
    inbox_unpark(plan, windows);
    assert_int_equal(plan->n, n);
    windows->nt_major = 5;
    inbox_unpark(plan, windows);
    expect_text("ControlSet001\\Control\\CriticalDeviceDatabase\\Primary_IDE_Channel", "Service",
                "atapi");
    assert_false(has_key("ControlSet001\\Control\\CriticalDeviceDatabase\\PCI#CC_0101"));
}

/* A loader that knows SHA-2: by its update, by a later rollup, or because it is new enough. */
static void the_update_for_sha2_is_known(void **state)
{
#define PACKAGES "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages\\"
    static const struct {
        uint32_t minor;
        const char *package;
        bool want;
    } cases[] = {
        { 1, "Package_for_KB4474419~31bf3856ad364e35~amd64~~6.1.3.2", true },
        { 1, "Package_for_KB3033929~31bf3856ad364e35~amd64~~6.1.1.1", true },
        { 1, "Package_for_RollupFix~31bf3856ad364e35~amd64~~7601.24511.1.1", true },
        { 1, "Package_for_RollupFix~31bf3856ad364e35~amd64~~7601.23418.1.6", false },
        { 1, "Package_for_KB976902~31bf3856ad364e35~amd64~~6.1.1.17514", false },
        { 3, "Package_for_KB976902~31bf3856ad364e35~amd64~~6.3.1.0", true },
    };
    struct facts *facts = facts_new();

    (void)state;
    facts_set(&facts->arch, "x86_64");
    facts->windows = windows;
    facts_set(&windows->software_hive, "/Windows/System32/config/SOFTWARE");
    windows->nt_major = 6;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *key = mem_printf(PACKAGES "%s", cases[i].package);
        const struct hive_util_item item = { key, "InstallClient", REG_SZ, "x", 0 };
        struct strbuf bytes = { 0 };
        struct win_target found;

        print_message("case: %s\n", cases[i].package);
        hive_util_make(&item, 1, &bytes);
        tree_put_bytes(&tree, windows->software_hive, bytes.data, bytes.len, 0644);
        plan_free(plan);
        plan = plan_new(tree.root);
        windows->nt_minor = cases[i].minor;
        assert_true(windows_target(plan, facts, &found));
        assert_int_equal(found.has_sha2, cases[i].want);
        strbuf_done(&bytes);
        free(key);
    }
    facts->windows = NULL;
    facts_free(facts);
#undef PACKAGES
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_service_is_as_the_inf_says, setup, teardown),
        cmocka_unit_test_setup_teardown(the_driver_database_leads_to_it, setup, teardown),
        cmocka_unit_test_setup_teardown(the_version_is_the_drivers, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_that_is_bound_stays_so, setup, teardown),
        cmocka_unit_test_setup_teardown(older_windows_has_another_database, setup, teardown),
        cmocka_unit_test_setup_teardown(parked_drivers_start_again, setup, teardown),
        cmocka_unit_test_setup_teardown(the_update_for_sha2_is_known, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
