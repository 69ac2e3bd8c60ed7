/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k.volumes/1, and the parts of it that other documents have. */
#include "fixers/found_json.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/json_text.h"
#include "storage/mount.h"

static void set(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static json_t *bytes(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* ---- disks ---- */

static const struct volume *disk_volume(const struct job *job, size_t disk)
{
    for (size_t i = 0; job->stack && i < job->stack->n_volumes; i++)
        if (job->stack->volumes[i].kind == VOLUME_DISK &&
            job->stack->volumes[i].disk == job->disks[disk])
            return &job->stack->volumes[i];
    return NULL;
}

json_t *found_disks(const struct job *job)
{
    json_t *list = json_array();

    for (size_t i = 0; i < job->opts->n_sources; i++) {
        const struct image *image = job->images[i];
        const struct volume *volume = disk_volume(job, i);
        json_t *disk;

        if (!image)
            continue;
        disk = json_object();
        if (volume)
            set(disk, "name", json_text(volume->name));
        set(disk, "path", json_text(image->path));
        set(disk, "format", json_text(image->format));
        set(disk, "subformat", json_text(image->subformat));
        set(disk, "size_bytes", bytes(image->size_bytes));
        set(disk, "allocated_bytes", bytes(image_allocated_bytes(image)));
        set(disk, "sector_size", bytes(image->sector_size));
        set(disk, "table", json_text(volume ? volume->table : ""));
        set(disk, "notes", json_array());
        for (size_t n = 0; n < image->notes.n; n++)
            (void)json_array_append_new(json_object_get(disk, "notes"),
                                        json_text(image->notes.items[n]));
        (void)json_array_append_new(list, disk);
    }
    return list;
}

/* ---- volumes ---- */

/* What is said only where there is something to say. */
static void set_notes(json_t *object, const struct volume *volume)
{
    const struct {
        const char *key, *text;
    } notes[] = {
        { "problem", volume->problem },
        { "read_only", volume->read_only },
    };

    for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
        if (notes[i].text[0] != '\0')
            set(object, notes[i].key, json_text(notes[i].text));
    if (volume->notes.n > 0)
        set(object, "notes", json_array());
    for (size_t i = 0; i < volume->notes.n; i++)
        (void)json_array_append_new(json_object_get(object, "notes"),
                                    json_text(volume->notes.items[i]));
    if (volume->inactive)
        set(object, "inactive", json_true());
}

static json_t *volume_json(const struct stack *stack, const struct volume *volume)
{
    json_t *object = json_object();
    json_t *parents = json_array();

    for (size_t i = 0; i < volume->n_parents; i++)
        (void)json_array_append_new(parents, json_text(stack->volumes[volume->parents[i]].name));
    set(object, "name", json_text(volume->name));
    set(object, "kind", json_text(volume_kind_name(volume->kind)));
    set(object, "type", json_text(volume->fstype));
    set(object, "uuid", json_text(volume->uuid));
    set(object, "label", json_text(volume->label));
    set(object, "size_bytes", bytes(volume->size_bytes));
    set(object, "parents", parents);
    if (volume->part_number) {
        set(object, "part_type", json_text(volume->part_type));
        set(object, "part_uuid", json_text(volume->part_uuid));
        set(object, "part_label", json_text(volume->part_label));
        set(object, "bootable", json_boolean(volume->bootable));
    }
    set_notes(object, volume);
    return object;
}

/* What only the list of volumes tells. */
static void set_details(json_t *object, const struct volume *volume)
{
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    set(object, "use", json_text(volume->use));
    set(object, "table", json_text(volume->table));
    if (volume->table && volume->table[0] != '\0')
        set(object, "table_uuid", json_text(volume->table_uuid));
    if (strcmp(volume->use, "filesystem") == 0 && mount_check(volume->fstype, true, &err) < 0)
        set(object, "needs", json_text(err_text(&err, text, sizeof(text))));
}

json_t *found_volumes(const struct job *job, bool all)
{
    json_t *list = json_array();

    for (size_t i = 0; job->stack && i < job->stack->n_volumes; i++) {
        const struct volume *volume = &job->stack->volumes[i];
        json_t *object;

        if (!all && volume->kind == VOLUME_DISK && volume->fstype[0] == '\0' &&
            volume->problem[0] == '\0')
            continue;
        object = volume_json(job->stack, volume);
        if (all)
            set_details(object, volume);
        (void)json_array_append_new(list, object);
    }
    return list;
}

/* ---- what was not opened ---- */

static bool is_parent(const struct volume *volume, size_t index)
{
    for (size_t i = 0; i < volume->n_parents; i++)
        if (volume->parents[i] == index)
            return true;
    return false;
}

/* Is it told by the volume that would lie on it? */
static bool is_told_above(const struct stack *stack, size_t index)
{
    for (size_t i = index + 1; i < stack->n_volumes; i++)
        if (stack->volumes[i].inactive && is_parent(&stack->volumes[i], index))
            return true;
    return false;
}

/* An entry for the same layer and reason, or a new one. */
static json_t *entry_for(json_t *list, const char *layer, enum err_status status,
                         const char *problem)
{
    json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "layer")), layer) == 0 &&
            json_string_length(json_object_get(entry, "problem")) == strlen(problem) &&
            strcmp(json_string_value(json_object_get(entry, "problem")), problem) == 0)
            return entry;
    }
    entry = json_object();
    set(entry, "layer", json_text(layer));
    set(entry, "volumes", json_array());
    set(entry, "status", json_integer(status));
    set(entry, "problem", json_text(problem));
    (void)json_array_append_new(list, entry);
    return entry;
}

json_t *job_not_opened_json(const struct job *job)
{
    const struct stack *stack = job->stack;
    json_t *list = json_array();

    for (size_t i = 0; stack && i < stack->n_volumes; i++) {
        const struct volume *volume = &stack->volumes[i];
        enum err_status status = STATUS_OK;
        const char *problem = volume_not_opened(volume, &status);

        if (problem && (volume->inactive || !is_told_above(stack, i)))
            (void)json_array_append_new(
                json_object_get(entry_for(list, volume_layer(stack, volume), status, problem),
                                "volumes"),
                json_text(volume->name));
    }
    return list;
}

json_t *job_volumes_json(const struct job *job)
{
    json_t *document = json_object();

    set(document, "schema", json_string("h2k.volumes/1"));
    set(document, "guest", json_text(job->opts->sources[0].path));
    if (job->opts->n_sources > 0 && job->disks[0])
        set(document, "backend", json_text(job->disks[0]->backend));
    set(document, "disks", found_disks(job));
    set(document, "volumes", found_volumes(job, true));
    set(document, "not_opened", job_not_opened_json(job));
    return document;
}
