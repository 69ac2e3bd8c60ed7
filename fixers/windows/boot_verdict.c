/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does a Windows start a driver, by who signed it? */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/windows/pe_parts.h"
#include "fixers/windows/signature.h"
#include "inspect/pe.h"

static const char *const kind_texts[] = {
    [SIGNATURE_NONE] = "not signed",
    [SIGNATURE_DAMAGED] = "its signature cannot be read",
    [SIGNATURE_TAMPERED] = "it is not what was signed",
    [SIGNATURE_SELF] = "signed by a certificate that Windows does not know",
    [SIGNATURE_CROSS] = "signed with SHA-1 by a commercial authority",
    [SIGNATURE_SHA2] = "signed with SHA-256 by a commercial authority",
    [SIGNATURE_MICROSOFT] = "signed by Microsoft",
};

const char *signature_kind_text(enum signature_kind kind)
{
    return kind_texts[kind];
}

static const uint32_t machines[] = {
    [WIN_X86] = PE_I386,
    [WIN_AMD64] = PE_X86_64,
    [WIN_ARM64] = PE_AARCH64,
};

/* Does its loader ask for signatures? */
static bool asks_at_boot(const struct win_target *target)
{
    return target->arch != WIN_X86 && target->major >= 6;
}

/* Windows of 64 bits asks from Vista on; 7 and older learnt SHA-256 by an update; Secure Boot
 * came with 8. Self-signed and broken ones never start. */
static enum boot_verdict judge(const struct signature *signature, const struct win_target *target)
{
    bool is_old = target->major < 6 || (target->major == 6 && target->minor < 2);
    bool is_sha1 = strcmp(signature->digest, "sha1") == 0;

    if (signature->kind == SIGNATURE_TAMPERED)
        return BOOT_NO;
    if (!asks_at_boot(target))
        return signature->kind >= SIGNATURE_CROSS ? BOOT_YES : BOOT_UNSIGNED_OK;
    if (signature->kind < SIGNATURE_CROSS)
        return BOOT_NO;
    if (is_old)
        return is_sha1 || target->has_sha2 ? BOOT_YES : BOOT_NEEDS_UPDATE;
    return signature->kind == SIGNATURE_MICROSOFT ? BOOT_YES : BOOT_NO_SECURE_BOOT;
}

/* The kindest verdict that one of the signatures earns, which becomes *signature. What lies in a
 * signature that does not fit the file is not looked at. */
static enum boot_verdict judge_best(const void *pe, size_t len, const struct win_target *target,
                                    struct signature *signature)
{
    enum boot_verdict best = judge(signature, target);
    bool sees_nested = target->major > 6 || (target->major == 6 && target->minor >= 2);
    struct signature nested;

    if (!sees_nested || signature->kind < SIGNATURE_SELF)
        return best;
    for (size_t n = 0; signature_read_nested(pe, len, n, &nested); n++) {
        enum boot_verdict verdict = judge(&nested, target);

        if (verdict < best) {
            struct signature worse = *signature;

            *signature = nested;
            nested = worse;
            best = verdict;
        }
        signature_done(&nested);
    }
    return best;
}

static const char *const verdict_texts[] = {
    [BOOT_YES] = "Windows starts it",
    [BOOT_NO_SECURE_BOOT] = "Windows starts it where Secure Boot is off",
    [BOOT_NEEDS_UPDATE] =
        "Windows would not load it: the update KB4474419 (or KB3033929) is not installed",
    [BOOT_UNSIGNED_OK] = "this Windows does not ask for more",
    [BOOT_NO] = "Windows would not load it",
    [BOOT_WRONG_MACHINE] = "it is no program for this processor",
    [BOOT_NO_FILE] = "it is not in the source",
};

static char *describe(const char *file, bool at_boot, const struct win_target *target,
                      const struct win_verdict *verdict)
{
    const struct signature *signature = &verdict->signature;
    const char *text = verdict->verdict == BOOT_NO && at_boot
                           ? "Windows would stop when it starts (0xC0000428)"
                       : boot_verdict_installs(verdict->verdict, target)
                           ? verdict_texts[verdict->verdict]
                           : "Windows starts it, but asks somebody before it installs it";
    CLEANUP_FREE char *who = NULL;

    if (verdict->verdict >= BOOT_WRONG_MACHINE)
        return mem_printf("%s: %s", file, text);
    who = *signature->subject ? mem_printf(" (%s, by %s%s)", signature->subject, signature->issuer,
                                           signature->by_catalog  ? ", in the catalog"
                                           : signature->is_nested ? ", in a further signature"
                                                                  : "")
                              : mem_strdup("");
    return mem_printf("%s: %s%s: %s", file, kind_texts[signature->kind], who, text);
}

/* The service whose program counts; NULL: no program is in the package. */
static const struct inf_service *find_service(const struct inf_driver *driver)
{
    const struct inf_service *service = inf_driver_boot_service(driver);

    for (size_t i = 0; i < driver->n_devices && !service; i++) {
        const struct inf_install *install = &driver->installs[driver->devices[i].install];

        for (size_t k = 0; k < install->n_services && !service; k++)
            if (install->services[k].is_associated && *install->services[k].binary &&
                install->n_files > 0)
                service = &install->services[k];
    }
    return service;
}

static void judge_file(const struct win_driver *driver, const struct win_file *file,
                       const struct win_target *target, struct win_verdict *ret)
{
    const struct win_file *catalog = win_driver_file(driver, driver->inf->catalog);
    struct pe_parts parts;

    signature_read(file->data, file->len, catalog ? catalog->data : NULL,
                   catalog ? catalog->len : 0, &ret->signature);
    (void)pe_file_version(file->data, file->len, ret->version);
    ret->verdict = BOOT_WRONG_MACHINE;
    if (pe_parts_read(file->data, file->len, &parts) && parts.machine == machines[target->arch])
        ret->verdict = judge_best(file->data, file->len, target, &ret->signature);
}

enum boot_verdict win_program_verdict(const void *pe, size_t len, const struct win_target *target)
{
    enum boot_verdict verdict = BOOT_WRONG_MACHINE;
    struct signature signature = { 0 };
    struct pe_parts parts;

    signature_read(pe, len, NULL, 0, &signature);
    if (pe_parts_read(pe, len, &parts) && parts.machine == machines[target->arch])
        verdict = judge_best(pe, len, target, &signature);
    signature_done(&signature);
    return verdict;
}

bool win_program_fails(const void *pe, size_t len, const struct win_target *target,
                       bool test_signing, const char **ret_why)
{
    struct signature signature = { 0 };
    struct pe_parts parts;
    bool is_program = pe_parts_read(pe, len, &parts) && parts.machine == machines[target->arch];
    enum signature_kind kind;

    signature_read(pe, len, NULL, 0, &signature);
    kind = signature.kind;
    signature_done(&signature);
    *ret_why = is_program ? kind_texts[kind] : verdict_texts[BOOT_WRONG_MACHINE];
    return !is_program || (asks_at_boot(target) && (kind == SIGNATURE_TAMPERED ||
                                                    (kind == SIGNATURE_SELF && !test_signing)));
}

void win_driver_boot_verdict(const struct win_driver *driver, const struct win_target *target,
                             struct win_verdict *ret)
{
    const struct inf_service *service = find_service(driver->inf);
    const struct win_file *file = service ? win_driver_file(driver, service->binary) : NULL;

    *ret = (struct win_verdict){ .verdict = service ? BOOT_NO_FILE : BOOT_YES };
    if (file && file->data)
        judge_file(driver, file, target, ret);
    /* the loader finds a catalog only where Windows has installed it */
    if (service && service->start == 0 && ret->signature.by_catalog && asks_at_boot(target) &&
        ret->verdict != BOOT_WRONG_MACHINE)
        ret->verdict = BOOT_NO;
    ret->text = service ? describe(service->binary, service->start == 0, target, ret)
                        : mem_printf("%s: it has no program", driver->name);
}

void win_verdict_done(struct win_verdict *verdict)
{
    signature_done(&verdict->signature);
    free(verdict->text);
    verdict->text = NULL;
}

bool boot_verdict_is_usable(enum boot_verdict verdict, bool secure_boot)
{
    return verdict == BOOT_YES ||
           (!secure_boot && (verdict == BOOT_NO_SECURE_BOOT || verdict == BOOT_UNSIGNED_OK));
}

bool boot_verdict_installs(enum boot_verdict verdict, const struct win_target *target)
{
    return verdict != BOOT_UNSIGNED_OK || target->major < 6;
}

const struct win_driver *win_driver_choose(const struct win_drivers *drivers, const char *name,
                                           const struct win_target *target, bool secure_boot,
                                           struct win_verdict *ret_verdict, struct strlist *notes)
{
    const struct win_driver *unsigned_one = NULL; /* *ret_verdict is its */

    *ret_verdict = (struct win_verdict){ .verdict = BOOT_NO_FILE };
    for (size_t i = 0; i < drivers->n; i++) {
        const struct win_driver *driver = &drivers->items[i];
        struct win_verdict verdict;
        bool is_usable;

        if (strcmp(driver->name, name) != 0)
            continue;
        win_driver_boot_verdict(driver, target, &verdict);
        is_usable = boot_verdict_is_usable(verdict.verdict, secure_boot);
        if (is_usable && boot_verdict_installs(verdict.verdict, target)) {
            win_verdict_done(ret_verdict);
            *ret_verdict = verdict;
            return driver;
        }
        strlist_take(notes, mem_printf("%s: %s", driver->dir, verdict.text));
        if (ret_verdict->text && (!is_usable || unsigned_one)) {
            win_verdict_done(&verdict);
            continue;
        }
        win_verdict_done(ret_verdict);
        *ret_verdict = verdict;
        if (is_usable)
            unsigned_one = driver;
    }
    return unsigned_one;
}
