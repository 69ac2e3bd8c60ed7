/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The families of distributions, by the files that say which one it is: texts as the distributions
 * have them, shortened to what matters.
 */
#include <ftw.h>
#include <stdio.h>

#include "inspect/linux.h"
#include "tests/unit/tree.h"

struct file {
    const char *path, *text;
};

static const struct {
    const char *label;
    struct file files[4];
    const char *want; /* "distro version_text major.minor product_name" */
} releases[] = {
    /* Red Hat's, and what is built from it */
    { "RHEL 4",
      { { "/etc/redhat-release", "Red Hat Enterprise Linux AS release 4 (Nahant Update 8)\n" } },
      "rhel 4 4.8 Red Hat Enterprise Linux AS release 4 (Nahant Update 8)" },
    { "RHEL 5",
      { { "/etc/redhat-release", "Red Hat Enterprise Linux Server release 5.11 (Tikanga)\n" },
        { "/etc/lsb-release", "LSB_VERSION=core-4.0-amd64\n" } },
      "rhel 5.11 5.11 Red Hat Enterprise Linux Server release 5.11 (Tikanga)" },
    { "RHEL 6",
      { { "/etc/redhat-release", "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n" },
        { "/etc/system-release", "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n" } },
      "rhel 6.10 6.10 Red Hat Enterprise Linux Server release 6.10 (Santiago)" },
    { "RHEL 9",
      { { "/etc/os-release",
          "NAME=\"Red Hat Enterprise Linux\"\nVERSION=\"9.4 (Plow)\"\nID=\"rhel\"\n"
          "ID_LIKE=\"fedora\"\nVERSION_ID=\"9.4\"\n"
          "PRETTY_NAME=\"Red Hat Enterprise Linux 9.4 (Plow)\"\n" } },
      "rhel 9.4 9.4 Red Hat Enterprise Linux 9.4 (Plow)" },
    { "RHEL 10",
      { { "/etc/os-release", "ID=\"rhel\"\nVERSION_ID=\"10.0\"\n"
                             "PRETTY_NAME=\"Red Hat Enterprise Linux 10.0 (Coughlan)\"\n" } },
      "rhel 10.0 10.0 Red Hat Enterprise Linux 10.0 (Coughlan)" },
    { "CentOS 5",
      { { "/etc/redhat-release", "CentOS release 5.11 (Final)\n" } },
      "centos 5.11 5.11 CentOS release 5.11 (Final)" },
    { "CentOS 7: the minor version is in the older file only",
      { { "/etc/os-release", "NAME=\"CentOS Linux\"\nVERSION=\"7 (Core)\"\nID=\"centos\"\n"
                             "ID_LIKE=\"rhel fedora\"\nVERSION_ID=\"7\"\n"
                             "PRETTY_NAME=\"CentOS Linux 7 (Core)\"\n" },
        { "/etc/centos-release", "CentOS Linux release 7.9.2009 (Core)\n" } },
      "centos 7 7.9 CentOS Linux 7 (Core)" },
    { "CentOS Stream 9: has none",
      { { "/etc/os-release",
          "NAME=\"CentOS Stream\"\nVERSION=\"9\"\nID=\"centos\"\nVERSION_ID=\"9\"\n"
          "PRETTY_NAME=\"CentOS Stream 9\"\n" },
        { "/etc/centos-release", "CentOS Stream release 9\n" } },
      "centos 9 9.0 CentOS Stream 9" },
    { "Rocky",
      { { "/etc/os-release", "NAME=\"Rocky Linux\"\nID=\"rocky\"\nVERSION_ID=\"8.9\"\n"
                             "PRETTY_NAME=\"Rocky Linux 8.9 (Green Obsidian)\"\n" } },
      "rocky 8.9 8.9 Rocky Linux 8.9 (Green Obsidian)" },
    { "Alma, release file only",
      { { "/etc/redhat-release", "AlmaLinux release 8.10 (Cerulean Leopard)\n" } },
      "almalinux 8.10 8.10 AlmaLinux release 8.10 (Cerulean Leopard)" },
    { "Oracle 5: Red Hat's own file beside it",
      { { "/etc/redhat-release", "Red Hat Enterprise Linux Server release 5.4 (Tikanga)\n" },
        { "/etc/enterprise-release",
          "Enterprise Linux Enterprise Linux Server release 5.4 (Carthage)\n" } },
      "ol 5.4 5.4 Enterprise Linux Enterprise Linux Server release 5.4 (Carthage)" },
    { "Oracle 6: the same",
      { { "/etc/redhat-release", "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n" },
        { "/etc/oracle-release", "Oracle Linux Server release 6.10\n" } },
      "ol 6.10 6.10 Oracle Linux Server release 6.10" },
    { "Oracle 9",
      { { "/etc/os-release", "NAME=\"Oracle Linux Server\"\nID=\"ol\"\nVERSION_ID=\"9.3\"\n"
                             "PRETTY_NAME=\"Oracle Linux Server 9.3\"\n" } },
      "ol 9.3 9.3 Oracle Linux Server 9.3" },
    { "Amazon, before os-release",
      { { "/etc/system-release", "Amazon Linux AMI release 2011.09\n" } },
      "amzn 2011.09 2011.9 Amazon Linux AMI release 2011.09" },
    { "Amazon 2",
      { { "/etc/os-release", "NAME=\"Amazon Linux\"\nID=\"amzn\"\nID_LIKE=\"centos rhel fedora\"\n"
                             "VERSION_ID=\"2\"\nPRETTY_NAME=\"Amazon Linux 2\"\n" },
        { "/etc/system-release", "Amazon Linux release 2 (Karoo)\n" } },
      "amzn 2 2.0 Amazon Linux 2" },
    { "Amazon 2023",
      { { "/etc/os-release",
          "ID=\"amzn\"\nVERSION_ID=\"2023\"\nPRETTY_NAME=\"Amazon Linux 2023\"\n" } },
      "amzn 2023 2023.0 Amazon Linux 2023" },
    { "Circle",
      { { "/etc/os-release", "ID=\"circle\"\nVERSION_ID=\"8\"\nPRETTY_NAME=\"Circle Linux 8\"\n" },
        { "/etc/circle-release", "Circle Linux release 8.8\n" } },
      "circle 8 8.8 Circle Linux 8" },
    { "Anolis",
      { { "/etc/os-release", "NAME=\"Anolis OS\"\nID=\"anolis\"\nVERSION_ID=\"8.8\"\n"
                             "PRETTY_NAME=\"Anolis OS 8.8\"\n" } },
      "anolis 8.8 8.8 Anolis OS 8.8" },
    { "openEuler",
      { { "/etc/os-release", "NAME=\"openEuler\"\nID=\"openEuler\"\nVERSION_ID=\"22.03\"\n"
                             "PRETTY_NAME=\"openEuler 22.03 (LTS-SP3)\"\n" } },
      "openeuler 22.03 22.3 openEuler 22.03 (LTS-SP3)" },
    { "Scientific 5",
      { { "/etc/redhat-release", "Scientific Linux SL release 5.11 (Boron)\n" } },
      "scientific 5.11 5.11 Scientific Linux SL release 5.11 (Boron)" },
    { "Kylin",
      { { "/etc/os-release",
          "NAME=\"Kylin Linux Advanced Server\"\nID=\"kylin\"\nVERSION_ID=\"V10\"\n"
          "PRETTY_NAME=\"Kylin Linux Advanced Server V10 (Tercel)\"\n" } },
      "kylin V10 10.0 Kylin Linux Advanced Server V10 (Tercel)" },
    { "a rebuild that nobody knows",
      { { "/etc/redhat-release", "Foo Linux release 9.2 (Bar)\n" } },
      " 9.2 9.2 Foo Linux release 9.2 (Bar)" },
    { "Fedora Core",
      { { "/etc/fedora-release", "Fedora Core release 6 (Zod)\n" },
        { "/etc/redhat-release", "Fedora Core release 6 (Zod)\n" } },
      "fedora 6 6.0 Fedora Core release 6 (Zod)" },
    { "Fedora",
      { { "/etc/os-release",
          "NAME=\"Fedora Linux\"\nID=fedora\nVERSION_ID=40\n"
          "PRETTY_NAME=\"Fedora Linux 40 (Server Edition)\"\nVARIANT_ID=server\n" } },
      "fedora 40 40.0 Fedora Linux 40 (Server Edition)" },
    /* SUSE's */
    { "SLES 9",
      { { "/etc/SuSE-release",
          "SUSE LINUX Enterprise Server 9 (i586)\nVERSION = 9\nPATCHLEVEL = 4\n" } },
      "sles 9.4 9.4 SUSE LINUX Enterprise Server 9 (i586)" },
    { "SLES 11 without a service pack",
      { { "/etc/SuSE-release",
          "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 0\n" } },
      "sles 11 11.0 SUSE Linux Enterprise Server 11 (x86_64)" },
    { "SLES 11 SP2",
      { { "/etc/SuSE-release",
          "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 2\n" },
        { "/etc/lsb-release", "LSB_VERSION=\"core-2.0-noarch:core-3.2-noarch\"\n" } },
      "sles 11.2 11.2 SUSE Linux Enterprise Server 11 (x86_64)" },
    { "SLED 10",
      { { "/etc/SuSE-release",
          "SUSE Linux Enterprise Desktop 10 (i586)\nVERSION = 10\nPATCHLEVEL = 4\n" } },
      "sled 10.4 10.4 SUSE Linux Enterprise Desktop 10 (i586)" },
    { "openSUSE 11",
      { { "/etc/SuSE-release", "openSUSE 11.4 (x86_64)\nVERSION = 11.4\nCODENAME = Celadon\n" } },
      "opensuse 11.4 11.4 openSUSE 11.4 (x86_64)" },
    { "SLES 15",
      { { "/etc/os-release",
          "NAME=\"SLES\"\nVERSION=\"15-SP5\"\nVERSION_ID=\"15.5\"\nID=\"sles\"\n"
          "ID_LIKE=\"suse\"\nPRETTY_NAME=\"SUSE Linux Enterprise Server 15 SP5\"\n" } },
      "sles 15.5 15.5 SUSE Linux Enterprise Server 15 SP5" },
    { "Leap",
      { { "/etc/os-release", "NAME=\"openSUSE Leap\"\nVERSION=\"15.6\"\nID=\"opensuse-leap\"\n"
                             "ID_LIKE=\"suse opensuse\"\nVERSION_ID=\"15.6\"\n"
                             "PRETTY_NAME=\"openSUSE Leap 15.6\"\n" } },
      "opensuse-leap 15.6 15.6 openSUSE Leap 15.6" },
    { "Tumbleweed",
      { { "/usr/lib/os-release",
          "NAME=\"openSUSE Tumbleweed\"\nID=\"opensuse-tumbleweed\"\n"
          "VERSION_ID=\"20240110\"\nPRETTY_NAME=\"openSUSE Tumbleweed\"\n" } },
      "opensuse-tumbleweed 20240110 20240110.0 openSUSE Tumbleweed" },
    { "MicroOS",
      { { "/etc/os-release", "ID=\"opensuse-microos\"\nVERSION_ID=\"20240110\"\n"
                             "PRETTY_NAME=\"openSUSE MicroOS\"\n" } },
      "opensuse-microos 20240110 20240110.0 openSUSE MicroOS" },
    /* Debian's */
    { "Debian 6, before os-release",
      { { "/etc/debian_version", "6.0.10\n" } },
      "debian 6.0.10 6.0 Debian GNU/Linux 6.0.10" },
    { "Debian 12",
      { { "/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n"
                             "ID=debian\n" },
        { "/etc/debian_version", "12.7\n" } },
      "debian 12 12.7 Debian GNU/Linux 12 (bookworm)" },
    { "Debian unstable",
      { { "/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\nID=debian\n" },
        { "/etc/debian_version", "trixie/sid\n" } },
      "debian  0.0 Debian GNU/Linux trixie/sid" },
    { "Ubuntu 10.04, before os-release",
      { { "/etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_CODENAME=lucid\n"
                              "DISTRIB_DESCRIPTION=\"Ubuntu 10.04.4 LTS\"\n" },
        { "/etc/debian_version", "squeeze/sid\n" } },
      "ubuntu 10.04 10.4 Ubuntu 10.04.4 LTS" },
    { "Mint 17: says in lsb-release only that it is not Ubuntu",
      { { "/etc/os-release", "NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"14.04\"\n"
                             "PRETTY_NAME=\"Ubuntu 14.04.3 LTS\"\n" },
        { "/etc/lsb-release", "DISTRIB_ID=LinuxMint\nDISTRIB_RELEASE=17.3\nDISTRIB_CODENAME=rosa\n"
                              "DISTRIB_DESCRIPTION=\"Linux Mint 17.3 Rosa\"\n" } },
      "linuxmint 17.3 17.3 Linux Mint 17.3 Rosa" },
    { "Mint 21",
      { { "/etc/os-release", "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"
                             "VERSION_ID=\"21.2\"\nPRETTY_NAME=\"Linux Mint 21.2\"\n" },
        { "/etc/debian_version", "bookworm/sid\n" } },
      "linuxmint 21.2 21.2 Linux Mint 21.2" },
    { "Ubuntu with its own lsb-release",
      { { "/etc/os-release", "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n"
                             "PRETTY_NAME=\"Ubuntu 24.04 LTS\"\n" },
        { "/etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=24.04\n"
                              "DISTRIB_DESCRIPTION=\"other\"\n" } },
      "ubuntu 24.04 24.4 Ubuntu 24.04 LTS" },
    { "Kali",
      { { "/etc/os-release", "PRETTY_NAME=\"Kali GNU/Linux Rolling\"\nID=kali\nID_LIKE=debian\n"
                             "VERSION_ID=\"2023.4\"\n" },
        { "/etc/debian_version", "kali-rolling\n" } },
      "kali 2023.4 2023.4 Kali GNU/Linux Rolling" },
    { "Devuan",
      { { "/etc/os-release", "PRETTY_NAME=\"Devuan GNU/Linux 5 (daedalus)\"\nVERSION_ID=\"5\"\n"
                             "ID=devuan\nID_LIKE=debian\n" },
        { "/etc/debian_version", "12.0\n" } },
      "devuan 5 5.0 Devuan GNU/Linux 5 (daedalus)" },
    /* the others */
    { "Arch",
      { { "/etc/os-release", "NAME=\"Arch Linux\"\nPRETTY_NAME=\"Arch Linux\"\nID=arch\n"
                             "BUILD_ID=rolling\n" },
        { "/etc/arch-release", "" } },
      "arch  0.0 Arch Linux" },
    { "Arch, an empty file only", { { "/etc/arch-release", "" } }, "arch  0.0 Arch Linux" },
    { "Manjaro",
      { { "/etc/os-release", "NAME=\"Manjaro Linux\"\nID=manjaro\nID_LIKE=arch\n"
                             "PRETTY_NAME=\"Manjaro Linux\"\n" },
        { "/etc/arch-release", "Manjaro Linux\n" },
        { "/etc/lsb-release", "DISTRIB_ID=ManjaroLinux\nDISTRIB_RELEASE=23.1.0\n" } },
      "manjaro  0.0 Manjaro Linux" },
    { "Alpine",
      { { "/etc/os-release", "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.19.1\n"
                             "PRETTY_NAME=\"Alpine Linux v3.19\"\n" } },
      "alpine 3.19.1 3.19 Alpine Linux v3.19" },
    { "Alpine, its own file only",
      { { "/etc/alpine-release", "2.7.9\n" } },
      "alpine 2.7.9 2.7 Alpine Linux 2.7.9" },
    { "Gentoo",
      { { "/etc/gentoo-release", "Gentoo Base System release 2.14\n" } },
      "gentoo 2.14 2.14 Gentoo Base System release 2.14" },
    { "Void",
      { { "/etc/os-release", "NAME=\"Void\"\nID=\"void\"\nPRETTY_NAME=\"Void Linux\"\n" } },
      "void  0.0 Void Linux" },
    { "Photon",
      { { "/etc/os-release", "NAME=\"VMware Photon OS\"\nVERSION=\"4.0\"\nID=photon\n"
                             "VERSION_ID=4.0\nPRETTY_NAME=\"VMware Photon OS/Linux\"\n" },
        { "/etc/photon-release", "VMware Photon OS 4.0\nPHOTON_BUILD_NUMBER=2f5aad892\n" } },
      "photon 4.0 4.0 VMware Photon OS/Linux" },
    { "Photon, its own file only",
      { { "/etc/photon-release", "VMware Photon Linux 1.0\nPHOTON_BUILD_NUMBER=62c543d\n" },
        { "/etc/lsb-release", "DISTRIB_ID=\"VMware Photon\"\nDISTRIB_RELEASE=\"1.0\"\n" } },
      "photon 1.0 1.0 VMware Photon Linux 1.0" },
    { "ALT",
      { { "/etc/altlinux-release", "ALT Linux 7.0.5 Centaurus (Hypericum)\n" },
        { "/etc/redhat-release", "ALT Linux 7.0.5 Centaurus (Hypericum)\n" } },
      "altlinux 7.0.5 7.0 ALT Linux 7.0.5 Centaurus (Hypericum)" },
    { "Mageia, which has Red Hat's file for the sake of others",
      { { "/etc/mageia-release", "Mageia release 8 (Official) for x86_64\n" },
        { "/etc/redhat-release", "Mageia release 8 (Official) for x86_64\n" } },
      "mageia 8 8.0 Mageia release 8 (Official) for x86_64" },
    { "Mandriva",
      { { "/etc/mandriva-release", "Mandriva Linux release 2010.2 (Official) for x86_64\n" },
        { "/etc/redhat-release", "Mandriva Linux release 2010.2 (Official) for x86_64\n" } },
      "mandriva 2010.2 2010.2 Mandriva Linux release 2010.2 (Official) for x86_64" },
    { "Slackware",
      { { "/etc/slackware-version", "Slackware 13.1.0\n" } },
      "slackware 13.1.0 13.1 Slackware 13.1.0" },
    { "NixOS",
      { { "/etc/os-release", "NAME=NixOS\nID=nixos\nVERSION_ID=\"23.11\"\n"
                             "PRETTY_NAME=\"NixOS 23.11 (Tapir)\"\n" },
        { "/etc/NIXOS", "" } },
      "nixos 23.11 23.11 NixOS 23.11 (Tapir)" },
    { "Flatcar",
      { { "/usr/lib/os-release", "NAME=\"Flatcar Container Linux by Kinvolk\"\nID=flatcar\n"
                                 "ID_LIKE=coreos\nVERSION_ID=3815.2.0\n"
                                 "PRETTY_NAME=\"Flatcar 3815.2.0\"\n" } },
      "flatcar 3815.2.0 3815.2 Flatcar 3815.2.0" },
    { "a distribution that nobody knows",
      { { "/etc/os-release", "NAME=\"Foo\"\nID=FooOS\nVERSION_ID=7.1\n" } },
      "fooos 7.1 7.1 Foo" },
    { "lsb-release of one that nobody knows",
      { { "/etc/lsb-release", "DISTRIB_ID=\"Foo Bar\"\nDISTRIB_RELEASE=2\n" } },
      "foobar 2 2.0 Foo Bar 2" },
    { "nothing at all", { { "/etc/passwd", "" } }, "  0.0 " },
};

static struct tree tree;

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    return ftw->level > 0 ? remove(path) : 0;
}

/* One tree for all cases: a program to remove each would take most of the time. */
static void empty_tree(void)
{
    assert_int_equal(nftw(tree.dir, remove_entry, 16, FTW_PHYS | FTW_DEPTH), 0);
}

static int open_tree(void **state)
{
    (void)state;
    tree_open(&tree, NULL);
    return 0;
}

static int close_tree(void **state)
{
    (void)state;
    tree_close(&tree);
    return 0;
}

static void put_files(const struct file *files, size_t n)
{
    for (size_t i = 0; i < n && files[i].path; i++)
        tree_put(&tree, files[i].path, files[i].text, 0644);
}

static void every_family_is_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
        struct facts *facts = facts_new();
        char *got;

        print_message("case: %s\n", releases[i].label);
        put_files(releases[i].files, ARRAY_SIZE(releases[i].files));
        linux_identify(tree.root, facts);
        got = mem_printf("%s %s %d.%d %s", facts->distro, facts->version_text, facts->version_major,
                         facts->version_minor, facts->product_name);
        assert_string_equal(got, releases[i].want);
        free(got);
        facts_free(facts);
        empty_tree();
    }
}

/* What else is not in one place. A text that begins with "->" is a link. */
static const struct {
    const char *label;
    struct file files[4];
    const char *hostname, *init, *timezone;
} places[] = {
    { "EL6: the scripts do not look at /etc/hostname",
      { { "/etc/sysconfig/network", "NETWORKING=yes\nHOSTNAME=el6.example\n" },
        { "/etc/hostname", "old\n" },
        { "/sbin/initctl", "" },
        { "/etc/sysconfig/clock", "ZONE=\"Europe/Berlin\"\nUTC=true\n" } },
      "el6.example",
      "upstart",
      "Europe/Berlin" },
    { "EL7: systemd does",
      { { "/etc/sysconfig/network", "HOSTNAME=old.example\n" },
        { "/etc/hostname", "# set by hand\n\nel7.example\n" },
        { "/usr/lib/systemd/systemd", "" },
        { "/etc/localtime", "->../usr/share/zoneinfo/Asia/Tokyo" } },
      "el7.example",
      "systemd",
      "Asia/Tokyo" },
    { "SUSE",
      { { "/etc/HOSTNAME", "sles11.example\n" },
        { "/etc/inittab", "id:3:initdefault:\n" },
        { "/etc/sysconfig/clock", "TIMEZONE=\"Europe/Paris\"\n" } },
      "sles11.example",
      "sysvinit",
      "Europe/Paris" },
    { "Gentoo with OpenRC",
      { { "/etc/conf.d/hostname", "# Set to the hostname of this machine\nhostname=\"gen\"\n" },
        { "/sbin/openrc-run", "" },
        { "/etc/inittab", "" },
        { "/etc/timezone", "UTC\n" } },
      "gen",
      "openrc",
      "UTC" },
    { "Gentoo with systemd, OpenRC's file still there",
      { { "/etc/conf.d/hostname", "hostname=\"old\"\n" },
        { "/etc/hostname", "gen\n" },
        { "/sbin/init", "->../lib/systemd/systemd" },
        { "/lib/systemd/systemd", "" } },
      "gen",
      "systemd",
      "" },
    { "Void",
      { { "/etc/hostname", "void\n" },
        { "/sbin/init", "->runit-init" },
        { "/sbin/runit-init", "" },
        { "/etc/rc.conf", "TIMEZONE=\"Europe/Madrid\"\nKEYMAP=us\n" } },
      "void",
      "runit",
      "Europe/Madrid" },
    { "old Arch",
      { { "/etc/rc.conf", "LOCALE=C\nTIMEZONE=\"Europe/Rome\"\nHOSTNAME=\"arch\"\n" },
        { "/etc/inittab", "" } },
      "arch",
      "sysvinit",
      "Europe/Rome" },
    { "systemd is there, another one runs",
      { { "/sbin/init", "elf" }, { "/lib/systemd/systemd", "" }, { "/etc/inittab", "" } },
      "",
      "sysvinit",
      "" },
    { "s6",
      { { "/sbin/init", "->../usr/bin/s6-linux-init" }, { "/usr/bin/s6-linux-init", "" } },
      "",
      "s6",
      "" },
    { "dinit", { { "/sbin/init", "->dinit" }, { "/sbin/dinit", "" } }, "", "dinit", "" },
    { "an empty name is none",
      { { "/etc/hostname", "\n" }, { "/etc/HOSTNAME", "# none\nx\n" } },
      "x",
      "",
      "" },
};

static void names_are_found_where_the_family_keeps_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct facts *facts = facts_new();

        print_message("case: %s\n", places[i].label);
        for (size_t f = 0; f < ARRAY_SIZE(places[i].files) && places[i].files[f].path; f++) {
            const struct file *file = &places[i].files[f];

            if (strncmp(file->text, "->", 2) == 0)
                tree_link(&tree, file->text + 2, file->path);
            else
                tree_put(&tree, file->path, file->text, 0644);
        }
        linux_identify(tree.root, facts);
        assert_string_equal(facts->hostname, places[i].hostname);
        assert_string_equal(facts->init_system, places[i].init);
        assert_string_equal(facts->timezone, places[i].timezone);
        facts_free(facts);
        empty_tree();
    }
}

static const struct {
    const char *label;
    struct file files[4];
    const char *format, *manager;
} packages[] = {
    { "EL5", { { "/var/lib/rpm/Packages", "x" }, { "/usr/bin/yum", "" } }, "rpm", "yum" },
    { "EL8: yum is a link to dnf",
      { { "/var/lib/rpm/Packages", "x" }, { "/usr/bin/dnf", "" }, { "/usr/bin/yum", "" } },
      "rpm",
      "dnf" },
    { "SUSE, with dnf installed",
      { { "/usr/lib/sysimage/rpm/Packages.db", "x" },
        { "/usr/bin/zypper", "" },
        { "/usr/bin/dnf", "" },
        { "/etc/products.d/SLES.prod", "" } },
      "rpm",
      "zypper" },
    { "Fedora, with zypper installed",
      { { "/usr/lib/sysimage/rpm/rpmdb.sqlite", "x" },
        { "/usr/bin/zypper", "" },
        { "/usr/bin/dnf5", "" } },
      "rpm",
      "dnf" },
    { "Photon",
      { { "/usr/lib/sysimage/rpm/rpmdb.sqlite", "x" }, { "/usr/bin/tdnf", "" } },
      "rpm",
      "tdnf" },
    { "ALT", { { "/var/lib/rpm/Packages", "x" }, { "/usr/bin/apt-get", "" } }, "rpm", "apt" },
    { "Mageia",
      { { "/var/lib/rpm/Packages", "x" }, { "/usr/bin/dnf", "" }, { "/usr/sbin/urpmi", "" } },
      "rpm",
      "urpmi" },
    { "an ostree deployment",
      { { "/usr/share/rpm/rpmdb.sqlite", "x" },
        { "/usr/bin/rpm-ostree", "" },
        { "/usr/bin/dnf", "" } },
      "rpm",
      "rpm-ostree" },
    { "Debian, with rpm installed",
      { { "/var/lib/dpkg/status", "x" },
        { "/var/lib/rpm/rpmdb.sqlite", "x" },
        { "/usr/bin/apt-get", "" } },
      "deb",
      "apt" },
    { "Fedora, with dpkg installed",
      { { "/var/lib/dpkg/status", "" },
        { "/var/lib/rpm/rpmdb.sqlite", "x" },
        { "/usr/bin/dnf", "" } },
      "rpm",
      "dnf" },
    { "Arch, with rpm installed",
      { { "/var/lib/pacman/local/a-1/desc", "x" },
        { "/var/lib/rpm/rpmdb.sqlite", "x" },
        { "/usr/bin/pacman", "" } },
      "pacman",
      "pacman" },
    { "Alpine", { { "/lib/apk/db/installed", "x" }, { "/sbin/apk", "" } }, "apk", "apk" },
    { "Alpine since 3.22, and any with one /usr",
      { { "/usr/lib/apk/db/installed", "x" }, { "/usr/bin/apk", "" } },
      "apk",
      "apk" },
    { "Gentoo",
      { { "/var/db/pkg/sys-apps/sed-4.9/PF", "x" }, { "/usr/bin/emerge", "" } },
      "ebuild",
      "portage" },
    { "Void",
      { { "/var/db/xbps/pkgdb-0.38.plist", "x" }, { "/usr/bin/xbps-install", "" } },
      "xbps",
      "xbps" },
    { "Slackware",
      { { "/var/log/packages/sed-4.2.2-i486-1", "x" }, { "/sbin/installpkg", "" } },
      "slackware",
      "pkgtools" },
    { "a manager that is not there", { { "/var/lib/dpkg/status", "" } }, "deb", "" },
    { "no packages", { { "/etc/passwd", "" } }, "", "" },
};

static void packages_are_what_is_installed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
        struct facts *facts = facts_new();

        print_message("case: %s\n", packages[i].label);
        put_files(packages[i].files, ARRAY_SIZE(packages[i].files));
        linux_packages(tree.root, false, facts);
        assert_string_equal(facts->package_format, packages[i].format);
        assert_string_equal(facts->package_manager, packages[i].manager);
        facts_free(facts);
        empty_tree();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_is_recognised),
        cmocka_unit_test(names_are_found_where_the_family_keeps_them),
        cmocka_unit_test(packages_are_what_is_installed),
    };

    return cmocka_run_group_tests(tests, open_tree, close_tree);
}
