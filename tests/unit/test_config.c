/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --config: what is read from YAML, and what is said about what is wrong in it. */
#include <jansson.h>
#include <string.h>

#include "fixers/config.h"
#include "fixers/injections.h"
#include "tests/unit/tree.h"

static void everything_is_read(void **state)
{
    static const char text[] = "# names\n"
                               "hostname: web1\n"
                               "timezone: Europe/Berlin\n"
                               "files:\n"
                               "  - path: /etc/motd\n"
                               "    text: |\n"
                               "      one\n"
                               "      two\n"
                               "  - {path: /opt/x, folder: yes, mode: 0700}\n"
                               "  - {path: /opt/y, link: x}\n"
                               "  - {path: /opt/z, remove: true}\n"
                               "  - {path: /bin/su, mode: '4755'}\n";
    struct injections inject = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(injections_parse(&inject, text, strlen(text), "x", &err), 0);
    assert_string_equal(inject.hostname, "web1");
    assert_string_equal(inject.timezone, "Europe/Berlin");
    assert_int_equal(inject.n_files, 5);
    assert_string_equal(inject.files[0].data, "one\ntwo\n");
    assert_int_equal(inject.files[0].bits, 0644);
    assert_true(inject.files[1].folder);
    assert_int_equal(inject.files[1].bits, 0700);
    assert_string_equal(inject.files[2].link, "x");
    assert_true(inject.files[3].remove);
    assert_int_equal(inject.files[4].bits, 04755);
    assert_null(inject.files[4].data);
    assert_true(injections_any(&inject));
    injections_done(&inject);
    assert_false(injections_any(&inject));
}

static void settings_of_windows_are_read(void **state)
{
    static const char text[] = "rdp: true\nnever-sleep: yes\n";
    struct injections inject = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(injections_parse(&inject, text, strlen(text), "x", &err), 0);
    assert_true(inject.rdp && inject.never_sleep);
    assert_false(injections_any(&inject)); /* another fixer makes them */
    injections_done(&inject);
}

static void an_empty_file_asks_for_nothing(void **state)
{
    static const char *const texts[] = { "", "# nothing\n", "---\n", "{}\n" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct injections inject = { 0 };
        struct err err = ERR_NONE;

        assert_int_equal(injections_parse(&inject, texts[i], strlen(texts[i]), "x", &err), 0);
        assert_false(injections_any(&inject));
        injections_done(&inject);
    }
}

/* Each message begins with the place and says what is wrong. */
static const struct {
    const char *text, *want;
} mistakes[] = {
    { "hostnam: a\n", "x:1:1: \"hostnam\" is not known; known are hostname, timezone, " },
    { "- a\n", "x:1:1:  a mapping is expected, not a list" },
    { "hostname: [a, b]\n", "x:1:11: hostname: a value is expected, not a list" },
    { "hostname:\n", "x:1:10: hostname: it has no value" },
    { "hostname: a b\n", "a b: a host name has at most 64 letters" },
    { "hostname: \"a\\0b\"\n", "x:1:11: hostname: it holds a zero byte" },
    { "hostname: a\nhostname: b\n", "x:2:1: hostname is there twice" },
    { "timezone: ../../etc/shadow\n", "a time zone is named as Europe/Berlin is" },
    { "files: {}\n", "x:1:8: files: a list is expected, not a mapping" },
    { "files:\n  - a\n", "x:2:5: files: a mapping is expected, not a value" },
    { "files:\n  - text: a\n", "x:2:5: files: path is missing" },
    { "files:\n  - path: etc/x\n    text: a\n", "etc/x: a path in the guest begins with /" },
    { "files:\n  - path: /etc/../x\n    text: a\n", "has no \"..\" in it" },
    { "files:\n  - path: /etc/x\n", "x:2:5: files: /etc/x: give one of text, from, link" },
    { "files:\n  - path: /x\n    text: a\n    link: b\n", "/x: give only one of" },
    { "files:\n  - path: /x\n    folder: maybe\n", "x:3:13: folder: it is true or false" },
    { "files:\n  - path: /x\n    mode: 9\n", "the mode 9 is not octal" },
    { "files:\n  - path: /x\n    mode: 17777\n", "the mode 17777 is not octal" },
    { "files:\n  - path: /x\n    link: a\n    mode: 0644\n", "/x: it takes no mode" },
    { "files:\n  - path: /x\n    from: /nonexistent/a\n", "/nonexistent/a" },
    { "users:\n  - create: true\n", "x:2:5: users: name is missing" },
    { "users:\n  - name: ../x\n", "../x: a user's name has at most 32 letters" },
    { "users:\n  - name: a\n    lock: true\n    password: x\n", "a: give only one of password" },
    { "users:\n  - name: a\n    password: ''\n", "a: the password is empty or too long" },
    { "users:\n  - name: a\n    password-hash: 'a:b'\n", "a: that is no hash of crypt(5)" },
    { "users:\n  - name: a\n    comment: 'x:y'\n", "home, shell and comment have no colon" },
    { "users:\n  - name: a\n    home: x\n", "a: home and shell are absolute paths" },
    { "users:\n  - name: a\n    uid: -1\n", "a: uid -1 is no number of a user" },
    { "users:\n  - name: a\n    groups: [b, 'c,d']\n", "a: no group is called c,d" },
    { "users:\n  - name: a\n    ssh-keys: ['-----BEGIN']\n", "a: that is no line of a public key" },
    { "users:\n  - name: a\n  - name: a\n", "x: the user a is there twice" },
    { "services: {enable: 'a b'}\n", "x:1:11: services: a b: that is no name of a service" },
    { "services: {enable: a, mask: [b, a]}\n", "a: it is to be enabled, disabled or masked" },
    { "firstboot: [{}]\n", "x:1:13: firstboot: give one of script, command and install" },
    { "firstboot: [{command: a, install: b}]\n", "give one of script, command and install" },
    { "firstboot: [{install: 'a;b'}]\n", "a;b: that is no name of a package" },
    { "firstboot: [{install: --root}]\n", "--root: that is no name of a package" },
    { "cloud-init: {user-data: 'a: b'}\n", "user data begins with #cloud-config" },
    { "cloud-init: {datasources: 'a, b'}\n", "a, b: that is no name of a data source" },
    { "cloud-init: {disable: true, datasources: a}\n", "cloud-init is to be disabled" },
    { "install-agent: /nonexistent\n", "/nonexistent" },
    { "registry: /nonexistent.reg\n", "/nonexistent.reg" },
    { "rdp: maybe\n", "x:1:6: rdp: it is true or false" },
    { "hostname: {a\n", "no YAML: " },
    { "hostname: a\n---\nhostname: b\n", "x:2:1: only one document is read" },
};

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        struct injections inject = { 0 };
        struct err err = ERR_NONE;
        char text[4 * ERR_TEXT];

        print_message("case: %s\n", mistakes[i].want);
        assert_true(
            injections_parse(&inject, mistakes[i].text, strlen(mistakes[i].text), "x", &err) < 0);
        (void)err_text(&err, text, sizeof(text));
        if (!strstr(text, mistakes[i].want))
            assert_string_equal(text, mistakes[i].want);
        assert_int_equal(strncmp(text, "x:", 2), 0);
        injections_done(&inject);
    }
}

static void files_of_the_host_lie_beside_it(void **state)
{
    struct injections inject = { 0 };
    struct err err = ERR_NONE;
    struct tree tree;
    char *path;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/a.yaml",
             "files: [{path: /usr/local/bin/x, from: sub/tool}]\nregistry: [a.reg, sub/b.reg]\n",
             0644);
    tree_put(&tree, "/a.reg", "REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n\"x\"=\"y\"\n", 0644);
    tree_put(&tree, "/sub/b.reg", "REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\B]\n", 0644);
    tree_put(&tree, "/sub/tool", "#!/bin/sh\n", 0755);
    path = mem_printf("%s/a.yaml", tree.dir);
    assert_int_equal(injections_config(&inject, path, &err), 0);
    assert_string_equal(inject.files[0].data, "#!/bin/sh\n");
    assert_int_equal(inject.files[0].bits, 0755);
    assert_int_equal(inject.n_registry, 2);
    assert_non_null(strstr(inject.registry[1].data, "\\B]"));
    injections_done(&inject);
    free(path);
    tree_close(&tree);
}

static void options_add_to_the_file(void **state)
{
    static const char text[] = "hostname: a\nfiles: [{path: /x, text: y}]\n";
    static const char *const options[][2] = {
        { "hostname", "b" },
        { "write", "/etc/a:b:c\n" },
        { "mkdir", "/srv/x" },
        { "link", "../a:/etc/b" },
        { "chmod", "0600:/etc/a" },
        { "delete", "/etc/c" },
        { "timezone", "Europe/Rome" },
        { "root-password", "disabled" },
        { "password", "a:password:x:y" },
        { "ssh-inject", "a:string:ssh-ed25519 AAAA a@b" },
        { "enable-service", "a" },
        { "disable-service", "b" },
        { "mask-service", "c" },
        { "firstboot-command", "d" },
        { "firstboot-install", "e,f" },
        { "install-agent", "repository" },
        { "remove-tools", "" },
        { "rdp", "" },
        { "never-sleep", "" },
        { "cloud-init", "datasource=None" },
    };
    struct injections inject = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(injections_parse(&inject, text, strlen(text), "x", &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        assert_int_equal(injections_option(&inject, options[i][0], options[i][1], &err), 0);
    assert_string_equal(inject.hostname, "b");
    assert_string_equal(inject.timezone, "Europe/Rome");
    assert_int_equal(inject.n_files, 6);
    assert_string_equal(inject.files[1].path, "/etc/a");
    assert_string_equal(inject.files[1].data, "b:c\n");
    assert_string_equal(inject.files[3].link, "../a");
    assert_string_equal(inject.services.enable.items[0], "a");
    assert_string_equal(inject.services.disable.items[0], "b");
    assert_string_equal(inject.services.mask.items[0], "c");
    assert_string_equal(inject.firstboot[0].data, "#!/bin/sh\nd\n");
    assert_int_equal(inject.firstboot[1].install.n, 2);
    assert_true(inject.agent.from_repository && inject.remove_tools);
    assert_true(inject.rdp && inject.never_sleep);
    assert_string_equal(inject.cloud.datasources.items[0], "None");
    assert_int_equal(inject.n_users, 2);
    assert_string_equal(inject.users[0].name, "root");
    assert_true(inject.users[0].disable);
    assert_string_equal(inject.users[1].password, "x:y");
    assert_int_equal(inject.users[1].ssh_keys.n, 1);
    assert_true(injections_have_passwords(&inject));
    /* the last one counts */
    assert_int_equal(injections_option(&inject, "password", "a:hash:$6$x$y", &err), 0);
    assert_null(inject.users[1].password);
    assert_false(injections_have_passwords(&inject));
    injections_done(&inject);
}

/* The newest key, as ssh-copy-id takes it; no certificate. */
static void the_own_key_is_the_newest(void **state)
{
    static const struct {
        const char *name;
        time_t changed;
    } keys[] = { { "id_a.pub", 1000 },
                 { "id_b.pub", 3000 },
                 { "id_c.pub", 2000 },
                 { "id_b-cert.pub", 4000 },
                 { "x.pub", 5000 } };
    char home[] = "/tmp/h2k-home.XXXXXX";
    CLEANUP_FREE char *old = mem_strdup(getenv("HOME"));
    struct injections inject = { 0 };
    struct err err = ERR_NONE;
    char *folder;

    (void)state;
    assert_non_null(mkdtemp(home));
    (void)unsetenv("SUDO_UID");
    assert_int_equal(setenv("HOME", home, 1), 0);
    assert_true(injections_option(&inject, "ssh-inject", "root", &err) < 0);
    assert_int_equal(err.status, STATUS_USAGE);
    assert_non_null(strstr(err.text[0], ".ssh/id*.pub"));
    err_clear(&err);
    folder = mem_printf("%s/.ssh", home);
    assert_int_equal(mkdir(folder, 0700), 0);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", folder, keys[i].name);
        CLEANUP_FREE char *text = mem_printf("ssh-ed25519 AAAA %s\n", keys[i].name);
        const struct timespec times[2] = { { .tv_sec = keys[i].changed },
                                           { .tv_sec = keys[i].changed } };

        assert_int_equal(io_write_file(path, text, strlen(text), 0600, &err), 0);
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    }
    assert_int_equal(injections_option(&inject, "ssh-inject", "root", &err), 0);
    assert_int_equal(inject.users[0].ssh_keys.n, 1);
    assert_string_equal(inject.users[0].ssh_keys.items[0], "ssh-ed25519 AAAA id_b.pub");
    injections_done(&inject);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", folder, keys[i].name);

        (void)unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(rmdir(home), 0);
    free(folder);
    if (old)
        (void)setenv("HOME", old, 1);
}

static void wrong_options_are_usage_errors(void **state)
{
    static const char *const options[][2] = {
        { "hostname", "" },
        { "hostname", "-a" },
        { "timezone", "/etc/x" },
        { "write", "/etc/a" },
        { "write", ":x" },
        { "mkdir", "relative" },
        { "chmod", "rwx:/etc/a" },
        { "link", "/etc/a" },
        { "delete", "/" },
        { "upload", "/nowhere" },
        { "password", "root" },
        { "password", "root:secret" },
        { "password", "a/b:locked" },
        { "ssh-inject", "root:key" },
        { "ssh-inject", "root:string:AAAA" },
        { "cloud-init", "user-date=x" },
        { "firstboot-install", "" },
        { "enable-service", "../x" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        struct injections inject = { 0 };
        struct err err = ERR_NONE;

        print_message("case: --%s %s\n", options[i][0], options[i][1]);
        assert_true(injections_option(&inject, options[i][0], options[i][1], &err) < 0);
        assert_int_equal(err.status, STATUS_USAGE);
        injections_done(&inject);
    }
}

#define DOCS TEST_DATA_DIR "/../../docs"

static void the_example_is_right(void **state)
{
    struct injections inject = { 0 };
    struct err err = ERR_NONE;
    char text[4 * ERR_TEXT];

    (void)state;
    if (injections_config(&inject, DOCS "/config.yaml", &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
    assert_true(injections_any(&inject));
    injections_done(&inject);
}

/* What an unknown key at each place is told, and where the schema has the known ones. */
static const struct {
    const char *text, *definition; /* NULL: the top */
} places[] = {
    { "none: x\n", NULL },
    { "network: [{none: x}]\n", "nic" },
    { "users: [{none: x}]\n", "user" },
    { "files: [{none: x}]\n", "file" },
    { "services: {none: x}\n", "services" },
    { "firstboot: [{none: x}]\n", "script" },
    { "cloud-init: {none: x}\n", "cloud" },
};

static void the_schema_has_the_same_keys(void **state)
{
    json_t *schema = json_load_file(DOCS "/schema/h2k.config-1.json", 0, NULL);
    json_t *definitions = json_object_get(schema, "$defs");

    (void)state;
    assert_non_null(schema);
    assert_int_equal(json_object_size(definitions), ARRAY_SIZE(places)); /* one is a list */
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        json_t *map =
            places[i].definition ? json_object_get(definitions, places[i].definition) : schema;
        struct injections inject = { 0 };
        struct strbuf keys = { 0 };
        struct err err = ERR_NONE;
        const char *key;
        json_t *value;

        json_object_foreach(json_object_get(map, "properties"), key, value)
            strbuf_printf(&keys, "%s%s", keys.len ? ", " : "", key);
        assert_true(injections_parse(&inject, places[i].text, strlen(places[i].text), "x", &err) <
                    0);
        assert_non_null(strstr(err.text[0], "known are "));
        assert_string_equal(strstr(err.text[0], "known are ") + 10, strbuf_text(&keys));
        strbuf_done(&keys);
        injections_done(&inject);
    }
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_read),
        cmocka_unit_test(settings_of_windows_are_read),
        cmocka_unit_test(an_empty_file_asks_for_nothing),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(files_of_the_host_lie_beside_it),
        cmocka_unit_test(options_add_to_the_file),
        cmocka_unit_test(the_own_key_is_the_newest),
        cmocka_unit_test(wrong_options_are_usage_errors),
        cmocka_unit_test(the_example_is_right),
        cmocka_unit_test(the_schema_has_the_same_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
