/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --initramfs=rebuild: the guest's own tool makes the initramfs anew, in a jail. It is told for
 * which kernel, and not to look at the machine that it runs on; everything else is the guest's
 * configuration, which has the drivers by then (initramfs_conf.c). What it makes must hold them, or
 * the old image stays.
 */
#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/jail.h"
#include "fixers/linux/initramfs_conf.h"
#include "fixers/linux/initramfs_work.h"

#define PROGRAMS_MAX 4
#define WORDS_MAX 14
#define SLACK (4U << 20)

/* Words of a command: %k the kernel's version, %i its image, %o the file to make, %d the folder for
 * that, %m all modules in one word, %c those of its configuration too and the root's, with commas,
 * %w one --with=MODULE for each, %a what finds a root that is not simply a partition, or nothing.
 */
static const struct rebuild_tool {
    enum initrd_tool tool;
    const char *mark; /* what tells this generation of the tool from others; NULL: any */
    const char *programs[PROGRAMS_MAX];
    const char *words[WORDS_MAX];
    const char *makes;       /* with %k; NULL: "initrd" */
    unsigned growth_percent; /* of the old image's size, at most, roughly */
} tools[] = {
    /* mkinitramfs(8) */
    { .tool = INITRD_INITRAMFS_TOOLS,
      .programs = { "/usr/sbin/mkinitramfs", "/usr/bin/mkinitramfs" },
      .words = { "-o", "%o", "%k" },
      .growth_percent = 120 },
    /* dracut(8); host-only mode would look for the root's drivers on this host */
    { .tool = INITRD_DRACUT,
      .mark = "/usr/lib/dracut/modules.d",
      .programs = { "/usr/bin/dracut", "/usr/sbin/dracut", "/sbin/dracut" },
      .words = { "--force", "--no-hostonly", "%a", "--add-drivers", "%m", "%o", "%k" },
      .growth_percent = 200 },
    /* of EL 6: not host-only unless it is asked to */
    { .tool = INITRD_DRACUT,
      .mark = "/usr/share/dracut/modules.d",
      .programs = { "/sbin/dracut", "/usr/sbin/dracut" },
      .words = { "--force", "--add-drivers", "%m", "%o", "%k" },
      .growth_percent = 200 },
    /* mkinitcpio(8); "autodetect" keeps what this host has */
    { .tool = INITRD_MKINITCPIO,
      .programs = { "/usr/bin/mkinitcpio", "/sbin/mkinitcpio" },
      .words = { "-S", "autodetect", "-k", "%k", "-g", "%o" },
      .growth_percent = 300 },
    /* booster(1) */
    { .tool = INITRD_BOOSTER,
      .programs = { "/usr/bin/booster" },
      .words = { "build", "--universal", "--force", "--kernel-version", "%k", "%o" },
      .growth_percent = 300 },
    /* mkinitfs(1) of Alpine */
    { .tool = INITRD_MKINITFS,
      .programs = { "/usr/sbin/mkinitfs", "/sbin/mkinitfs" },
      .words = { "-o", "%o", "%k" },
      .growth_percent = 150 },
    /* make-initrd(1) of ALT */
    { .tool = INITRD_MAKE_INITRD,
      .programs = { "/usr/sbin/make-initrd" },
      .words = { "-b", "%d", "-k", "%k" },
      .makes = "initrd-%k.img",
      .growth_percent = 200 },
    /* mktirfs(8); what it finds out by itself is about this host, also the processor: it is none
     * that the guest's microcode is for */
    { .tool = INITRD_TINY,
      .programs = { "/usr/sbin/mktirfs" },
      .words = { "-o", "%o", "-m", "no", "-M", "no", "--include-modules", "%c", "%k" },
      .growth_percent = 300 },
    /* mkinitrd(8) of SUSE */
    { .tool = INITRD_MKINITRD,
      .mark = "/lib/mkinitrd",
      .programs = { "/sbin/mkinitrd" },
      .words = { "-m", "%m", "-k", "%i", "-i", "%o" },
      .growth_percent = 150 },
    /* of EL 5 and before */
    { .tool = INITRD_MKINITRD,
      .programs = { "/sbin/mkinitrd" },
      .words = { "-f", "--allow-missing", "%w", "%o", "%k" },
      .growth_percent = 150 },
};

static const struct rebuild_tool *find_tool(const struct initramfs_work *work,
                                            const char **ret_program)
{
    const struct guest_root *root = work->plan->root;

    for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
        if (tools[i].tool != work->ctx->facts->initrd_tool ||
            (tools[i].mark && !guest_exists(root, tools[i].mark)))
            continue;
        for (size_t j = 0; j < PROGRAMS_MAX && tools[i].programs[j]; j++) {
            *ret_program = tools[i].programs[j];
            if (guest_is_file(root, *ret_program))
                return &tools[i];
        }
    }
    return NULL;
}

/* ---- the command ---- */

static char *join(const struct strlist *words)
{
    struct strbuf text = { 0 };

    for (size_t i = 0; i < words->n; i++)
        strbuf_printf(&text, "%s%s", i ? " " : "", words->items[i]);
    return strbuf_take(&text);
}

static void add_version(const struct initramfs_work *work, struct run *run)
{
    strlist_add(&run->argv, work->kernel->version);
}

static void add_image(const struct initramfs_work *work, struct run *run)
{
    strlist_add(&run->argv, work->kernel->image);
}

static void add_output(const struct initramfs_work *work, struct run *run)
{
    (void)work;
    strlist_take(&run->argv, mem_printf("%s/%s", JAIL_OUT, run->makes));
}

static void add_folder(const struct initramfs_work *work, struct run *run)
{
    (void)work;
    strlist_add(&run->argv, JAIL_OUT);
}

static void add_modules(const struct initramfs_work *work, struct run *run)
{
    strlist_take(&run->argv, join(&work->drivers));
}

/* The driver of the root's file system, when it must be loaded; else NULL. */
static const char *root_driver(const struct initramfs_work *work)
{
    const struct fact_device *root = facts_root_device(work->ctx->facts);

    return root && module_kind(&work->modules, root->fstype) == MODULE_LOADABLE ? root->fstype
                                                                                : NULL;
}

static void add_configured(const struct initramfs_work *work, struct run *run)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    const char *root = root_driver(work);
    char *list = NULL;

    for (size_t i = 0; i < work->drivers.n; i++)
        strlist_add(&names, work->drivers.items[i]);
    if (root)
        strlist_add(&names, root);
    if (initramfs_tiny_modules(work->plan, &names, &list, &work->plan->err) == 0)
        strlist_take(&run->argv, list);
}

static void add_each_module(const struct initramfs_work *work, struct run *run)
{
    for (size_t i = 0; i < work->drivers.n; i++)
        strlist_take(&run->argv, mem_printf("--with=%s", work->drivers.items[i]));
}

/* Without the arguments that a host-only image holds. */
static void add_assembly(const struct initramfs_work *work, struct run *run)
{
    const struct fact_device *root = facts_root_device(work->ctx->facts);

    if (root && (strcmp(root->kind, "partition") == 0 || strcmp(root->kind, "disk") == 0))
        return;
    strlist_add(&run->argv, "--kernel-cmdline");
    strlist_add(&run->argv, "rd.auto");
}

static const struct {
    char letter;
    void (*add)(const struct initramfs_work *work, struct run *run);
} placeholders[] = {
    { 'a', add_assembly }, { 'c', add_configured }, { 'd', add_folder }, { 'i', add_image },
    { 'k', add_version },  { 'm', add_modules },    { 'o', add_output }, { 'w', add_each_module },
};

static void add_word(const struct initramfs_work *work, const char *word, struct run *run)
{
    if (word[0] != '%')
        strlist_add(&run->argv, word);
    for (size_t i = 0; word[0] == '%' && i < ARRAY_SIZE(placeholders); i++)
        if (placeholders[i].letter == word[1])
            placeholders[i].add(work, run);
}

static char *made_name(const struct rebuild_tool *tool, const char *version)
{
    size_t head = tool->makes ? strcspn(tool->makes, "%") : 0;

    if (!tool->makes)
        return mem_strdup("initrd");
    return mem_printf("%.*s%s%s", (int)head, tool->makes, version, tool->makes + head + 2);
}

/* ---- what initramfs-tools asks the machine that it runs on ---- */

#define TOOLS_CONF "/etc/initramfs-tools/initramfs.conf"

static void see_instead(struct run *run, const char *path, const char *text, const char *line)
{
    strlist_add(&run->paths, path);
    strlist_take(&run->texts, mem_printf("%s\n%s", text, line));
}

/* Its hook for encrypted roots looks for the devices of crypttab and leaves out what is not there.
 */
static bool has_encrypted(const struct facts *facts)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (facts->devices[i].decrypts[0] != '\0')
            return true;
    return false;
}

/*
 * For this run only; in the guest it finds the right answers itself. MODULES=dep takes the drivers
 * of what the root is on: with "most" these are among the others. FSTYPE= is for the checkers of
 * file systems.
 */
static int answer_initramfs_tools(struct initramfs_work *work, struct run *run, struct err *err)
{
    const struct fact_device *root = facts_root_device(work->ctx->facts);
    CLEANUP_FREE char *setting = NULL, *file = NULL, *text = NULL, *conf = NULL, *line = NULL;
    int r = initramfs_tools_setting(work->plan, &setting, &file, err);

    if (has_encrypted(work->ctx->facts))
        return err_status(
            err, STATUS_REFUSED,
            "the tool that makes %s must see the encrypted volumes as they are in the "
            "guest: use --initramfs=inject",
            work->kernel->initrd);
    if (r == 0)
        r = plan_read_text(work->plan, TOOLS_CONF, &conf, err);
    if (r > 0 && root && root->fstype[0])
        line = mem_printf("FSTYPE=%s\n", root->fstype);
    if (r < 0 || strcmp(setting, "dep") != 0) {
        if (line)
            see_instead(run, TOOLS_CONF, conf, line);
        return r;
    }
    run->about_bytes *= 4;
    if (line && strcmp(file, TOOLS_CONF) != 0)
        see_instead(run, TOOLS_CONF, conf, line);
    r = plan_read_text(work->plan, file, &text, err);
    if (r > 0)
        see_instead(run, file, text, "MODULES=most\n");
    return r;
}

/* ---- what it has made ---- */

static int has_drivers(const struct run *run, int fd, uint64_t size, struct err *err)
{
    struct initramfs found = { 0 };
    int r = initramfs_scan(fd, size, INITRAMFS_ALL, &found, err);

    for (size_t i = 0; r >= 0 && i < run->wanted.n; i++)
        if (!initramfs_has_module(&found, run->wanted.items[i]))
            r = err_status(err, STATUS_FAILED,
                           "the new initramfs has no %s: use --initramfs=inject, or tell the "
                           "guest's tool to take it along",
                           run->wanted.items[i]);
    initramfs_done(&found);
    return r < 0 ? r : 0;
}

/* The drivers of virtio, and of the root's file system. */
static void want_drivers(const struct initramfs_work *work, struct run *run)
{
    const char *root = root_driver(work);

    for (size_t i = 0; i < work->drivers.n; i++)
        if (strncmp(work->drivers.items[i], "virtio_", 7) == 0)
            strlist_add(&run->wanted, work->drivers.items[i]);
    if (root)
        strlist_add(&run->wanted, root);
    run->check = has_drivers;
}

int initramfs_plan_rebuild(struct initramfs_work *work, const char *reason, struct err *err)
{
    const char *program = NULL;
    const struct rebuild_tool *tool = find_tool(work, &program);
    struct run *run;
    int r = 0;

    if (!tool)
        return err_status(err, STATUS_REFUSED,
                          "the guest has no tool that is known to make %s: use --initramfs=inject",
                          work->kernel->initrd);
    run = plan_run(work->plan, work->kernel->initrd, reason);
    run->makes = made_name(tool, work->kernel->version);
    run->about_bytes = work->size / 100 * tool->growth_percent + SLACK;
    strlist_add(&run->argv, program);
    for (size_t i = 0; i < WORDS_MAX && tool->words[i]; i++)
        add_word(work, tool->words[i], run);
    /* what dracut copies keeps no labels, and nodes are the kernel's */
    strlist_add(&run->env, "DRACUT_NO_XATTR=1");
    strlist_add(&run->env, "DRACUT_NO_MKNOD=1");
    want_drivers(work, run);
    if (tool->tool == INITRD_INITRAMFS_TOOLS)
        r = answer_initramfs_tools(work, run, err);
    return r < 0 ? r : work->missing.n > 0;
}
