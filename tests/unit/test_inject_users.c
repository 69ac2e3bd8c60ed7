/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accounts, passwords and keys. */
#include <crypt.h>

#include "tests/unit/inject_util.h"

#define ROOT "root:x:0:0:root:/root:/bin/bash\n"
#define USER "ann:x:1000:1000:Ann,,,:/home/ann:/bin/sh\n"
#define KEY "ssh-ed25519 AAAA ann@example"
#define GROUPS "root:x:0:\nsudo:x:27:bob\nann:x:1000:\n"

static const struct inject_case cases[] = {
    { .label = "no such user",
      .config = "users: [{name: bob}]\n",
      .have = { { "/etc/passwd", ROOT } },
      .error = "there is no user bob in the guest" },
    { .label = "no such group",
      .config = "users: [{name: ann, groups: [wheel]}]\n",
      .have = { { "/etc/passwd", ROOT USER }, { "/etc/group", GROUPS } },
      .error = "ann: there is no group wheel in the guest" },
    { .label = "groups",
      .config = "users: [{name: ann, groups: [sudo, root]}]\n",
      .have = { { "/etc/passwd", ROOT USER },
                { "/etc/group", GROUPS },
                { "/etc/gshadow", "root:*::\nsudo:*::bob\nann:!::\n" } },
      .want = { { "/etc/group", "root:x:0:ann\nsudo:x:27:bob,ann\nann:x:1000:\n" },
                { "/etc/gshadow", "root:*::ann\nsudo:*::bob,ann\nann:!::\n" } },
      .n_changes = 2 },
    { .label = "a new user",
      .config = "users: [{name: bob, create: true, groups: [sudo], comment: Bob}]\n",
      .have = { { "/etc/passwd", ROOT USER "nobody:x:65534:65534::/:/bin/false\n" },
                { "/etc/group", "root:x:0:\nsudo:x:27:\nann:x:1000:\n" },
                { "/etc/gshadow", "root:*::\nsudo:*::\nann:!::\n" },
                { "/etc/skel/.profile", "umask 022\n" },
                { "/etc/skel/.config/a", "b" },
                { "/bin/bash", "" } },
      .want = { { "/etc/passwd", ROOT USER "nobody:x:65534:65534::/:/bin/false\n"
                                           "bob:*:1001:1001:Bob:/home/bob:/bin/bash\n" },
                { "/etc/group", "root:x:0:\nsudo:x:27:bob\nann:x:1000:\nbob:x:1001:\n" },
                { "/etc/gshadow", "root:*::\nsudo:*::bob\nann:!::\nbob:!::\n" },
                { "/home/bob/.profile", "umask 022\n" },
                { "/home/bob/.config/a", "b" } },
      .n_changes = 8 },
    { .label = "a new user, EL 6, NIS",
      .config = "users: [{name: bob, create: true, home: /srv/bob, shell: /bin/zsh}]\n",
      .have = { { "/etc/passwd", ROOT "+::::::\n" },
                { "/etc/group", "root:x:0:\nold:x:500:\n+:::\n" },
                { "/etc/login.defs", "# x\nUID_MIN   500\nUID_MAX 60000\n" } },
      .want = { { "/etc/passwd", ROOT "bob:*:500:501::/srv/bob:/bin/zsh\n+::::::\n" },
                { "/etc/group", "root:x:0:\nold:x:500:\nbob:x:501:\n+:::\n" } },
      .n_changes = 4 }, /* the folders, too */
    { .label = "a number that is taken",
      .config = "users: [{name: bob, create: true, uid: 1000}]\n",
      .have = { { "/etc/passwd", ROOT USER }, { "/etc/group", GROUPS } },
      .error = "bob: another user of the guest has the number 1000" },
    { .label = "a key",
      .config = "users: [{name: ann, ssh-keys: '" KEY "'}]\n",
      .have = { { "/etc/passwd", ROOT USER }, { "/home/ann/x", "" } },
      .want = { { "/home/ann/.ssh/authorized_keys", KEY "\n" } },
      .n_changes = 2 },
    { .label = "a second key",
      .config = "users: [{name: ann, ssh-keys: ['" KEY "', ssh-rsa BBBB x]}]\n",
      .have = { { "/etc/passwd", ROOT USER },
                { "/home/ann/.ssh/authorized_keys", "# mine\nssh-rsa BBBB x" } },
      .want = { { "/home/ann/.ssh/authorized_keys", "# mine\nssh-rsa BBBB x\n" KEY "\n" } },
      .n_changes = 1 },
    { .label = "a key that is there",
      .config = "users: [{name: ann, ssh-keys: [ssh-rsa BBBB x]}]\n",
      .have = { { "/etc/passwd", ROOT USER },
                { "/home/ann/.ssh/authorized_keys", "ssh-rsa BBBB x" } },
      .n_changes = 0 },
    { .label = "a key without a home",
      .config = "users: [{name: ann, ssh-keys: '" KEY "'}]\n",
      .have = { { "/etc/passwd", "ann:x:1:1::/:/bin/sh\n" } },
      .error = "ann has no home for keys of SSH" },
};

static void accounts_are_as_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        inject_check(&cases[i]);
}

/* Which hash a guest gets, by what it says about its own. */
static const struct {
    const char *label, *path, *text, *prefix;
} methods[] = {
    { "nothing said", NULL, NULL, "$6$" },
    { "Debian's PAM", "/etc/pam.d/common-password",
      "# sha512\npassword [success=1] pam_unix.so obscure yescrypt\n", "$y$" },
    { "EL's PAM", "/etc/pam.d/system-auth",
      "auth required pam_env.so md5\npassword sufficient pam_unix.so sha512 shadow\n", "$6$" },
    { "EL 4's PAM", "/etc/pam.d/system-auth", "password sufficient pam_unix.so nullok md5\n",
      "$1$" },
    { "login.defs", "/etc/login.defs", "#ENCRYPT_METHOD MD5\nENCRYPT_METHOD SHA256\n", "$5$" },
};

/* The hash of @name in the guest; free it. */
static char *hash_of(const struct tree *tree, const char *name)
{
    struct err err = ERR_NONE;
    struct span line, pos_of;
    char *text = NULL, *hash = NULL;
    size_t pos = 0;

    assert_int_equal(guest_read(tree->root, "/etc/shadow", 4096, &text, NULL, &err), 0);
    while (!hash && line_next(text, strlen(text), &pos, &line)) {
        const char *at = text + line.start;

        if (strncmp(at, name, strlen(name)) != 0 || at[strlen(name)] != ':')
            continue;
        pos_of.start = line.start + strlen(name) + 1;
        pos_of.len = strcspn(text + pos_of.start, ":");
        hash = span_dup(text, pos_of);
    }
    free(text);
    assert_non_null(hash);
    return hash;
}

static void plan_and_apply(const struct tree *tree, const char *config, int n_changes)
{
    struct err err = ERR_NONE;
    struct plan *plan = NULL;

    assert_int_equal(inject_plan(tree, config, "", "", &plan, &err), 0);
    assert_int_equal(plan->n, n_changes);
    for (size_t i = 0; i < plan->n; i++) {
        char *diff = change_diff(&plan->changes[i], false);

        if (strcmp(plan->changes[i].path, "/etc/shadow") == 0)
            assert_null(strstr(diff, "root"));
        assert_null(strstr(diff, "Sesame"));
        free(diff);
    }
    assert_int_equal(plan_apply(plan, &err), 0);
    plan_free(plan);
}

static void passwords_are_hashed_as_the_guest_does(void **state)
{
    static const char config[] = "users: [{name: root, password: Sesame77}]\n";

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        struct crypt_data data = { 0 };
        struct tree tree;
        char *hash;

        print_message("case: %s\n", methods[i].label);
        tree_open(&tree, NULL);
        tree_put(&tree, "/etc/passwd", ROOT, 0644);
        tree_put(&tree, "/etc/shadow", "bin:*:1::::::\nroot:*:19000:0:99999:7:::\n", 0600);
        if (methods[i].path)
            tree_put(&tree, methods[i].path, methods[i].text, 0644);
        plan_and_apply(&tree, config, 1);
        hash = hash_of(&tree, "root");
        assert_int_equal(strncmp(hash, methods[i].prefix, strlen(methods[i].prefix)), 0);
        assert_string_equal(crypt_r("Sesame77", hash, &data), hash);
        plan_and_apply(&tree, config, 0); /* it is the same password */
        free(hash);
        tree_close(&tree);
    }
}

/* A field before, what is asked for, and the field after; NULL: a new hash. */
static const struct {
    const char *before, *config, *after;
} fields[] = {
    { "$6$a$b", "lock: true", "!$6$a$b" },
    { "!$6$a$b", "lock: true", "!$6$a$b" },
    { "$6$a$b", "disable: true", "*" },
    { "*", "disable: true", "*" },
    { "!", "password-hash: $6$x$y", "$6$x$y" },
    { "$6$rounds=999999999$a$b", "password: x", NULL }, /* not tried */
    { "$y$jzzz$a$b", "password: x", NULL },
};

static void fields_become_what_is_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        char *shadow = mem_printf("root:%s:19000:0:99999:7:::\n", fields[i].before);
        char *config = mem_printf("users: [{name: root, %s}]\n", fields[i].config);
        struct tree tree;
        char *hash;

        print_message("case: %s %s\n", fields[i].before, fields[i].config);
        tree_open(&tree, NULL);
        tree_put(&tree, "/etc/passwd", ROOT, 0644);
        tree_put(&tree, "/etc/shadow", shadow, 0600);
        plan_and_apply(&tree, config,
                       !fields[i].after || strcmp(fields[i].before, fields[i].after) != 0);
        hash = hash_of(&tree, "root");
        if (fields[i].after)
            assert_string_equal(hash, fields[i].after);
        else
            assert_string_not_equal(hash, fields[i].before);
        plan_and_apply(&tree, config, 0);
        free(hash);
        free(shadow);
        free(config);
        tree_close(&tree);
    }
}

/* Where passwords are in PASSWD itself, or where SHADOW lacks the account. */
static void every_way_to_keep_passwords_works(void **state)
{
    struct tree tree;
    char *hash;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/passwd", "root::0:0::/root:/bin/sh\n", 0644);
    plan_and_apply(&tree, "users: [{name: root, disable: true}]\n", 1);
    tree_expect(&tree, "/etc/passwd", "root:*:0:0::/root:/bin/sh\n");
    tree_put(&tree, "/etc/shadow", "bin:*:1::::::\n", 0600);
    plan_and_apply(&tree, "users: [{name: root, password-hash: $6$x$y}]\n", 2);
    tree_expect(&tree, "/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    hash = hash_of(&tree, "root");
    assert_string_equal(hash, "$6$x$y");
    free(hash);
    tree_close(&tree);
}

/* sshd takes keys only from files that nobody else may write, and the user must own the home. */
static void new_files_have_their_owner_and_mode(void **state)
{
    static const char config[] = "users: [{name: bob, create: true, ssh-keys: '" KEY "'}]\n";
    static const struct {
        const char *path;
        mode_t mode;
    } want[] = {
        { "/home/bob", 0700 },
        { "/home/bob/.ssh", 0700 },
        { "/home/bob/.ssh/authorized_keys", 0600 },
    };
    struct err err = ERR_NONE;
    struct plan *plan = NULL;
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/passwd", ROOT, 0644);
    tree_put(&tree, "/etc/group", "root:x:0:\n", 0644);
    assert_int_equal(inject_plan(&tree, config, "", "", &plan, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        const struct change *change = NULL;

        for (size_t n = 0; n < plan->n; n++)
            if (strcmp(plan->changes[n].path, want[i].path) == 0)
                change = &plan->changes[n];
        assert_non_null(change);
        assert_int_equal(change->attr.mode, want[i].mode);
        assert_int_equal(change->attr.uid, 1000);
        assert_int_equal(change->attr.gid, 1000);
    }
    plan_free(plan);
    tree_close(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_as_asked_for),
        cmocka_unit_test(passwords_are_hashed_as_the_guest_does),
        cmocka_unit_test(fields_become_what_is_asked_for),
        cmocka_unit_test(every_way_to_keep_passwords_works),
        cmocka_unit_test(new_files_have_their_owner_and_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
