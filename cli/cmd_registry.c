/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k registry: keys of a Windows guest, as Windows' registry editor exports them. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/text.h"
#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/utf16.h"
#include "engine/regfile.h"
#include "fixers/job_stage.h"
#include "inspect/json_text.h"
#include "inspect/windows/registry.h"

#define SCHEMA "h2k.registry/1"

/* A key that was asked for, found in a guest. */
struct found {
    struct registry_key wanted;
    struct hive *hive;
    char *path, *key; /* of the hive in the guest, and of the key in it */
    struct strbuf file;
    json_t *document; /* --json */
};

static void found_done(struct found *found)
{
    hive_free(found->hive);
    free(found->path);
    free(found->key);
    strbuf_done(&found->file);
    json_decref(found->document);
    registry_key_done(&found->wanted);
}

/* ---- one key as JSON ---- */

static void set(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static json_t *texts_json(const struct strlist *texts)
{
    json_t *array = json_array();

    for (size_t i = 0; i < texts->n; i++)
        (void)json_array_append_new(array, json_text(texts->items[i]));
    return array;
}

static json_t *type_json(uint32_t type)
{
    static const char *const names[] = {
        [REG_NONE] = "REG_NONE",           [REG_SZ] = "REG_SZ",
        [REG_EXPAND_SZ] = "REG_EXPAND_SZ", [REG_BINARY] = "REG_BINARY",
        [REG_DWORD] = "REG_DWORD",         [REG_DWORD_BIG_ENDIAN] = "REG_DWORD_BIG_ENDIAN",
        [REG_LINK] = "REG_LINK",           [REG_MULTI_SZ] = "REG_MULTI_SZ",
        [REG_QWORD] = "REG_QWORD",
    };

    return type < ARRAY_SIZE(names) && names[type] ? json_string(names[type]) : json_integer(type);
}

static json_t *value_json(const struct hive_value *value)
{
    static const char digits[] = "0123456789abcdef";
    CLEANUP_FREE char *text = hive_value_text(value);
    CLEANUP_STRLIST struct strlist list = { 0 };
    CLEANUP_STRBUF struct strbuf hex = { 0 };
    const uint8_t *bytes = value->data;
    json_t *object = json_object();
    uint32_t number;

    set(object, "name", json_text(value->name));
    set(object, "type", type_json(value->type));
    if (text)
        set(object, "text", json_text(text));
    else if (value->type == REG_MULTI_SZ && hive_value_list(value, &list))
        set(object, "list", texts_json(&list));
    else if (hive_value_u32(value, &number))
        set(object, "number", json_integer(number));
    for (size_t i = 0; i < value->len; i++) {
        strbuf_putc(&hex, digits[bytes[i] >> 4]);
        strbuf_putc(&hex, digits[bytes[i] & 0xf]);
    }
    set(object, "hex", json_string(strbuf_text(&hex)));
    return object;
}

static int make_document(const struct job *job, struct found *found, struct err *err)
{
    CLEANUP_STRLIST struct strlist keys = { 0 };
    struct hive_values values = { 0 };
    json_t *array = json_array();
    int r = hive_keys(found->hive, found->key, &keys, err);

    if (r >= 0)
        r = hive_get_all(found->hive, found->key, &values, err);
    for (size_t i = 0; i < values.n; i++)
        (void)json_array_append_new(array, value_json(&values.items[i]));
    hive_values_done(&values);
    found->document = json_object();
    set(found->document, "schema", json_string(SCHEMA));
    set(found->document, "guest", json_text(job->opts->sources[0].path));
    set(found->document, "root", json_text(job->chosen->facts->root));
    set(found->document, "hive", json_text(found->path));
    set(found->document, "key", json_text(found->wanted.name));
    set(found->document, "values", array);
    set(found->document, "keys", texts_json(&keys));
    return r < 0 ? r : 0;
}

/* ---- finding it ---- */

/* Names the nearest key above that is there. */
static int not_there(struct found *found, struct err *err)
{
    CLEANUP_FREE char *key = mem_strdup(found->key);
    CLEANUP_FREE char *name = mem_strdup(found->wanted.name);
    int r = 0;

    while (*key && r == 0) {
        char *slash = strrchr(key, '\\');

        if (slash)
            *slash = '\0';
        else
            *key = '\0';
        slash = strrchr(name, '\\');
        if (slash)
            *slash = '\0';
        r = hive_has_key(found->hive, key, err);
    }
    if (r < 0)
        return r;
    return err_status(err, STATUS_FAILED, "%s: there is no such key; there is %s",
                      found->wanted.name, name);
}

/* All that is told of it is read before anything is printed. */
static int find(const struct options *options, const struct job *job, struct found *found,
                struct err *err)
{
    const struct facts *facts = job->chosen->facts;
    struct guest_root *root = job->chosen->tree ? mtree_root(job->chosen->tree) : NULL;
    int r;

    if (!root || !facts->windows)
        return err_status(err, STATUS_NO_OS, "%s is no Windows: it has no registry", facts->root);
    r = registry_key_locate(root, facts->windows, &found->wanted, &found->path, &found->key, err);
    if (r == 0)
        r = hive_open(root, found->path, &found->hive, err);
    if (r == 0)
        r = hive_has_key(found->hive, found->key, err);
    if (r == 0)
        return not_there(found, err);
    if (r > 0 && options->json)
        r = make_document(job, found, err);
    if (r >= 0 && (!options->json || options->job.output))
        r = regfile_export(found->hive, found->key, found->wanted.name, &found->file, err);
    return r < 0 ? r : 0;
}

/* ---- telling it ---- */

/* A registry has secrets. */
static int write_file(const char *path, const struct strbuf *file, struct err *err)
{
    int r = io_write_file(path, file->data, file->len, 0600, err);

    return r < 0 ? r : report_own(path, err);
}

/* As text is here: UTF-8, and lines that end with LF. */
static void print_file(const struct strbuf *file)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };
    size_t n = 0;

    utf16_to_utf8(file->data + 2, file->len - 2, false, &text);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '\r')
            text.data[n++] = text.data[i];
    text.data[n] = '\0';
    if (isatty(STDOUT_FILENO))
        text_safe(stdout, text.data, true);
    else
        (void)fwrite(text.data, 1, n, stdout);
}

static int tell(const struct options *options, struct found *found, struct err *err)
{
    const char *output = options->job.output;
    int r = output ? write_file(output, &found->file, err) : 0;

    if (r < 0)
        return r;
    if (found->document)
        cli_print_json(TAKE(found->document));
    else if (!output)
        print_file(&found->file);
    return 0;
}

static int check(const struct options *options, struct found *found, struct err *err)
{
    const char *output = options->job.output;
    struct stat st;

    if (!options->export_key)
        return err_status(err, STATUS_USAGE, "say which key: --export 'HKLM\\SYSTEM\\Select'");
    if (output && lstat(output, &st) == 0)
        return err_status(err, STATUS_REFUSED, "%s exists: choose another name", output);
    return registry_key_parse(options->export_key, &found->wanted, err);
}

static int run(const struct options *options)
{
    const char *guest = options->job.sources[0].path;
    struct err err = ERR_NONE, close_err = ERR_NONE;
    struct found found = { 0 };
    struct job *job = NULL;
    int r = check(options, &found, &err);

    if (r == 0)
        r = job_run(&options->job, JOB_OPEN, &job, &err);
    if (r == 0)
        r = find(options, job, &found, &err);
    if (r == 0)
        r = tell(options, &found, &err);
    if (r < 0)
        (void)cli_fail(options, SCHEMA, guest, job ? job->stage : NULL, &err);
    found_done(&found);
    if (job_close(job, &close_err) < 0 && r == 0)
        return cli_fail(options, NULL, guest, "release", &close_err);
    return (int)err.status;
}

const struct command command_registry = {
    .name = "registry",
    .args = "--export KEY GUEST",
    .summary = "a key of Windows' registry with all below it, as a .reg file",
    .help =
        "KEY: HKLM\\SYSTEM\\CurrentControlSet\\Services\\disk, HKLM\\SOFTWARE\\..., SAM, SECURITY, "
        "BCD00000000, HKU\\.DEFAULT or HKU\\USER. Text goes to stdout as UTF-8; -o writes a file "
        "as Windows does. With --json: the values of that key, and the names of those below.",
    .schema = SCHEMA,
    .min_args = 1,
    .max_args = 1,
    .options = OPT_IMAGE | OPT_GUEST | OPT_ROOT | OPT_KEY | OPT_EXPORT | OPT_NAME | OPT_WORK,
    .needs_root = true,
    .run = run,
};
