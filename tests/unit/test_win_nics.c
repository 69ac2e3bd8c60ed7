/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network cards of Windows: which of them were there when it ran last, and what IPv6 they have. */
#include "inspect/windows/windows.h"
#include "tests/unit/win_util.h"

#define CLASS "{4D36E972-E325-11CE-BFC1-08002BE10318}"
#define TIMES "\\Properties\\{83da6326-97a6-4088-9453-a1923f573b29}\\"
#define GUID(n) "{00000000-0000-0000-0000-00000000000" n "}"
#define NSI "Control\\Nsi\\{eb004a01-9b1a-11d4-9123-0050047759bc}\\"

/* A card with the address 192.0.2.N; its interface was made in January 2020, on day @installed. */
#define CARD(n, address, installed)                                                                \
    "[ControlSet001\\Services\\Tcpip\\Parameters\\Interfaces\\" GUID(                              \
        n) "]\n"                                                                                   \
           "EnableDHCP=dword:0\nIPAddress=multi:192.0.2." address                                  \
           "\nSubnetMask=multi:255.255.255.0\n"                                                    \
           "[ControlSet001\\Control\\Network\\" CLASS                                              \
           "\\" GUID(n) "\\Connection]\n"                                                          \
                        "Name=sz:LAN " n "\nPnpInstanceID=sz:PCI\\VEN_8086\\" n "\n"               \
                        "[ControlSet001\\Control\\Class\\" CLASS "\\000" n "]\n"                   \
                        "NetCfgInstanceId=sz:" GUID(                                               \
                            n) "\n*IfType=dword:6\nNetLuidIndex=dword:800" n "\n"                  \
                               "InstallTimeStamp=hex:e4,07,01,00,03,00," installed                 \
                               ",00,00,00,00,00,00,00,00,00\n"
#define DEVICE(n) "[ControlSet001\\Enum\\PCI\\VEN_8086\\" n "]\nClass=sz:Net\n"

/* The sixth byte of a FILETIME counts steps of 30 hours and a half. */
#define WHEN(device, property, step)                                                               \
    "[ControlSet001\\Enum\\" device TIMES property "]\n"                                           \
    "=hex:00,00,00,00,00," step ",d5,01\n"

static struct tree tree;
static struct win_reader reader;

static void look(const char *hive, uint32_t nt_major)
{
    struct err err = ERR_NONE;

    tree_open(&tree, NULL);
    win_put_hive(&tree, WIN_SYSTEM, hive);
    reader = (struct win_reader){ .root = tree.root, .facts = facts_new() };
    reader.windows = reader.facts->windows = fact_windows_new();
    reader.windows->nt_major = nt_major;
    strlist_add(&reader.windows->control_sets, "ControlSet001");
    assert_int_equal(hive_open(tree.root, WIN_SYSTEM, &reader.system, &err), 0);
    windows_nics(&reader);
}

static void done(void)
{
    hive_free(reader.system);
    facts_free(reader.facts);
    tree_close(&tree);
}

/* The numbers of the cards that are there, in their order. */
static void expect_present(const char *want)
{
    struct strbuf got = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < reader.windows->n_nics; i++)
        if (reader.windows->nics[i].is_present) {
            strbuf_puts(&got, strrchr(reader.windows->nics[i].name, ' ') + 1);
            n++;
        }
    assert_string_equal(got.data ? got.data : "", want);
    assert_int_equal(reader.facts->n_nics, n); /* so many will the new machine have */
    strbuf_done(&got);
}

static void what_did_not_come_at_the_last_start_is_gone(void **state)
{
    (void)state;
    look(CARD("1", "1", "01") DEVICE("1") WHEN("PCI\\VEN_8086\\1", "0066", "90")
             CARD("2", "2", "01") DEVICE("2") WHEN("PCI\\VEN_8086\\2", "0066", "50")
                 CARD("3", "3", "01") DEVICE("3") WHEN("PCI\\VEN_8086\\3", "0066", "91")
                     WHEN("PCI\\VEN_8086\\3", "0067", "92") CARD("4", "4", "01") DEVICE("4")
                         CARD("5", "5", "01") WHEN("ACPI_HAL\\PNP0C08\\0", "0066", "90"),
         10);
    expect_present("14"); /* of the fourth nothing is known */
    assert_int_equal(reader.windows->n_nics, 5);
    done();

    /* came later, and gone before */
    look(CARD("1", "1", "01") DEVICE("1") WHEN("PCI\\VEN_8086\\1", "0066", "99")
             WHEN("PCI\\VEN_8086\\1", "0067", "98") WHEN("ACPI_HAL\\PNP0C08\\0", "0066", "90"),
         10);
    expect_present("1");
    done();
}

static void an_address_has_one_owner(void **state)
{
    (void)state;
    look(CARD("1", "1", "08") DEVICE("1") CARD("2", "1", "09") DEVICE("2") CARD("3", "3", "01")
             DEVICE("3"),
         5);
    expect_present("23"); /* what was installed later */
    done();

    /* when they came says more */
    look(CARD("1", "1", "08") DEVICE("1") WHEN("PCI\\VEN_8086\\1", "0066", "91")
             CARD("2", "1", "09") DEVICE("2") WHEN("PCI\\VEN_8086\\2", "0066", "90"),
         10);
    expect_present("1");
    done();

    look(CARD("1", "1", "08") DEVICE("1") CARD("2", "1", "08") DEVICE("2"), 6);
    expect_present("12"); /* nothing tells */
    done();
}

#define ROW "ff,ff,ff,ff,ff,ff,ff,ff,10,00,00,00,10,00,00,00,40,00,00,00,ff,ff,ff,ff,"
#define ONES "ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff,ff"

static void ip6_of_each_card_is_read(void **state)
{
    static const char hive[] =
        CARD("1", "1", "01") DEVICE("1") CARD("2", "2", "01") DEVICE("2") CARD("3", "3", "01")
            DEVICE("3") "[ControlSet001\\" NSI "10]\n"
                        "000000018000060020010db8000000000000000000000001=hex:" ROW ONES "\n"
                        "000000028000060020010db8000000000000000000000002=hex:" ROW "\n"
                        "000000098000060020010db8000000000000000000000009=hex:" ROW "\n"
                        "[ControlSet001\\Services\\Tcpip6\\Parameters\\Interfaces\\" GUID(
                            "3") "]\n"
                                 "NameServer=sz:2001:db8::53,2001:db8::54\n";
    const struct win_nic *nic;

    (void)state;
    look(hive, 6);
    nic = &reader.windows->nics[0];
    assert_int_equal(nic->addresses6.n, 1);
    assert_string_equal(nic->addresses6.items[0], "2001:db8::1/64");
    assert_false(nic->ip6_unknown);
    nic++;
    assert_int_equal(nic->addresses6.n, 0);
    assert_true(nic->ip6_unknown);
    assert_int_equal(reader.windows->notes.n, 1);
    assert_non_null(strstr(reader.windows->notes.items[0], "LAN 2: an IPv6 address"));
    nic++;
    assert_int_equal(nic->dns6.n, 2);
    assert_int_equal(nic->addresses6.n, 0);
    done();

    look(CARD("1", "1", "01")
             DEVICE("1") "[ControlSet001\\Control\\Class\\" CLASS "\\0001]\n*IfType=sz:6\n"
                         "[ControlSet001\\" NSI "10]\n"
                         "000000018000060020010db8000000000000000000000001=hex:" ROW ONES "\n",
         6);
    assert_true(reader.windows->nics[0].ip6_unknown);
    assert_int_equal(reader.windows->nics[0].addresses6.n, 0);
    done();

    look(hive, 5); /* it has a store of its own, which is not known */
    assert_true(reader.windows->nics[2].ip6_unknown);
    assert_int_equal(reader.windows->notes.n, 1);
    assert_int_equal(reader.windows->nics[0].addresses6.n, 0);
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_did_not_come_at_the_last_start_is_gone),
        cmocka_unit_test(an_address_has_one_owner),
        cmocka_unit_test(ip6_of_each_card_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
